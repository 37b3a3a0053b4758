"""Shutting the doors before anything untrusted is opened: no network, no other files, no way back.

What is returned is what was tried out and found to hold, in words for `earmark privacy`.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from earmark.errors import PrivacyError
from earmark.locality.confinement import calls, landlock, seccomp
from earmark.locality.confinement.calls import Group
from earmark.locality.confinement.macos.paths import own_homes

Mode = Literal["auto", "require", "off"]

NOT_ENFORCED = "not enforced: "
OFF = f"{NOT_ENFORCED}the sandbox is turned off by [transcription] sandbox"
"""What a sentence about a missing protection begins with."""

_SYSTEM = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/localtime",
    "/etc/timezone", "/etc/ld.so.cache", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm",
    "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom", "/dev/zero", "/usr/local/cuda", "/opt/cuda",
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/etc/hosts", "/etc/nsswitch.conf",
    "/sys/bus/pci", "/sys/devices", "/proc/driver/nvidia", "/proc/devices", "/sys/module/nvidia",
)  # fmt: skip
"""What Python, the C library and the maths libraries read for themselves; none of it is anybody's document."""

_GPU = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-caps", "/proc/self/task")
"""What CUDA writes to. It names a thread of its own by /proc/self/task/N/comm, and gives up (error 304) where it cannot."""


def shut_the_doors(
    readable: Sequence[Path],
    model_dir: Path | None,
    mode: Mode,
    what: str = "the recordings and the model",
    may: Sequence[Group] = calls.TRANSCRIPTION,
    gpu: bool = False,
    system: str = sys.platform,
) -> tuple[str, ...]:
    """Give up the network and all files but `readable`, the model and the system's own; returns what holds.

    Call it before other threads exist and before any model or recording is opened. It cannot be undone. With mode
    "require" a network that could not be given up raises PrivacyError; with "off" nothing is done. `what` names what
    `readable` is; `may` are the system calls that are left (Linux); with `gpu` those of CUDA and its devices, too.
    """
    if mode == "off":
        return (OFF,)
    reads = [*readable, *([model_dir] if model_dir else [])]
    if system == "darwin":
        said, is_shut = _on_macos(reads, what)
    else:
        usable = [Path("/dev/null"), *(_gpu_devices() if gpu else ())]
        said = [_files(reads, usable, what), _network([*may, *([calls.GPU] if gpu else [])])]
        is_shut = network_is_shut
    if mode == "require" and not is_shut():
        open_ = next((s for s in said[1:] if s.startswith(NOT_ENFORCED)), said[1]).removeprefix(NOT_ENFORCED)
        raise PrivacyError(
            f"The network could not be given up ({open_}), and the configuration "
            "says require_sandbox = true. Set it to false to work without that guarantee."
        )
    return tuple(said)


def may_use_gpu(device: str) -> bool:
    """Whether a model that is to run on `device` ("auto", "cpu", "cuda") may end up on an NVIDIA GPU."""
    return device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists())


def if_refused(error: BaseException) -> str:
    """A sentence if the walls may be what `error` came of, else "".

    The filter and macOS's sandbox say EPERM, Landlock EACCES. Libraries of other languages pass on the words alone.
    """
    seen: BaseException | None = error
    words = os.strerror(errno.EPERM)
    while seen is not None:
        if getattr(seen, "errno", None) == errno.EPERM or words in str(seen):
            return (
                f"The system refused this worker a call that it needs here ({words}). If that comes again, try "
                '[transcription] sandbox = "off" to see whether its walls are the reason, and report it with the system '
                "and the processor."
            )
        seen = seen.__cause__ or seen.__context__
    return ""


def network_is_shut() -> bool:
    """Try it: whether the system refuses this process TCP and UDP to its own discard port, on principle.

    Landlock alone does not pass: it knows TCP only, and one datagram carries a sentence.
    """
    return all(_refused(kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))


def _refused(kind: socket.SocketKind) -> bool:
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setblocking(False)
            return probe.connect_ex(("127.0.0.1", 9)) in (errno.EPERM, errno.EACCES)
    except OSError as error:
        return error.errno in (errno.EPERM, errno.EACCES)


def _on_macos(readable: Sequence[Path], what: str) -> tuple[list[str], Callable[[], bool]]:
    """Sentences as elsewhere, and whether there is no way to the network: none by another program or a service, either."""
    from earmark.locality.confinement.macos import paths, profile, walls

    rules = profile.reading(paths.places(python_folders(), readable), platform.machine())
    try:
        found = walls.shut(rules, what, network_is_shut)
    except OSError as error:
        why = error.strerror or str(error)
        network = f"{NOT_ENFORCED}the network is open ({why})"
        if network_is_shut():
            network = "no network: the system refuses every connection"
        return [f"{NOT_ENFORCED}the user's other files can be read ({why})", network], network_is_shut
    said = [wall.sentence if wall.stands else f"{NOT_ENFORCED}{wall.sentence}" for wall in found]
    return said, lambda: all(wall.stands for wall in found[1:])


def _network(may: Sequence[Group]) -> str:
    try:
        left = seccomp.allow_only(may)
    except OSError as error:
        if network_is_shut():
            return "no network: the system refuses every connection"
        return f"{NOT_ENFORCED}the network is open ({error.strerror or error})"
    if not network_is_shut():
        return f"{NOT_ENFORCED}the network is open (the filter was accepted but does not hold)"
    cuda = ", CUDA's among them," if calls.GPU in may else ""
    return f"no network and no other program: all but {left} system calls{cuda} are refused (seccomp)"


def _gpu_devices() -> list[Path]:
    return [*(Path(p) for p in _GPU), *Path("/dev").glob("nvidia[0-9]*")]


def _files(readable: Sequence[Path], usable: Sequence[Path], what: str) -> str:
    reads = [*readable, *python_folders(), *(Path(p) for p in _SYSTEM)]
    try:
        version = landlock.restrict(reads, usable)
    except OSError as error:
        return f"{NOT_ENFORCED}the user's other files can be read ({error.strerror or error})"
    return f"files: only {what} can be read, nothing written (Landlock {version})"


def python_folders() -> list[Path]:
    """Where Python and its packages live, without which nothing can be imported.

    The folder that earmark itself is imported from is one: `site-packages`, the sources' folder of an editable install, or
    that of `pip install --target`, in which all packages lie. A folder that has a home folder in it is none.
    """
    package = Path(__file__).parents[2]
    found = {Path(sys.prefix), Path(sys.base_prefix), package, package.parent}
    found |= {
        Path(p) for key, p in sysconfig.get_paths().items() if key not in ("data", "scripts", "include")
    }
    found |= {Path(p) for p in sys.path if p and Path(p).name == "site-packages"}
    # A system Python's prefix is /usr, which holds nobody's documents though some services are at home in it; one of / would
    # hold them all, and so would that of an environment made right in somebody's home folder.
    homes = [home.resolve() for home in own_homes()]
    return sorted(
        p
        for p in found
        if p.is_dir() and (p == Path("/usr") or not any(h.is_relative_to(p.resolve()) for h in homes))
        if p != Path("/")
    )


def own_paths(of: int | str = "self") -> frozenset[str]:
    """What `shut_the_doors` leaves beside recordings, model and templates, as the process `of` (its pid) has these paths."""
    paths = [*python_folders(), *(Path(p) for p in _SYSTEM), Path("/dev/null"), *_gpu_devices()]
    return frozenset(os.path.realpath(str(p).replace("/proc/self", f"/proc/{of}")) for p in paths)
