"""Why system calls of a daemon cannot be followed, and what would help: the kernel says no more than "not permitted"."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from earmark.locality.confinement.process import die_with_parent
from earmark.paths import CARRIED
from earmark.proof.running import ptrace
from earmark.proof.running.descriptors import status_of, tasks_of
from earmark.proof.running.holdings import names_of

_SYS_PTRACE = 1 << 19  # CAP_SYS_PTRACE (linux/capability.h)
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
_SELINUX = Path("/sys/fs/selinux/booleans/deny_ptrace")
_NOBODY = "3"
"""Of Yama's settings the one by which not even root may, until the next start (Documentation/admin-guide/LSM/Yama.rst)."""


def as_root() -> str:
    """How to ask as root, for the same installation of earmark and the same home."""
    script = Path(sys.executable).with_name("earmark")
    command = shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m earmark"
    kept = [f"{name}={shlex.quote(os.environ[name])}" for name in CARRIED if name in os.environ]
    return " ".join(["sudo env", 'HOME="$HOME"', *kept, command, "privacy check"])


def tracers_of(processes: Iterable[int]) -> list[int]:
    """Who follows any thread of these processes, but for this one."""
    threads = [task for pid in processes for task in tasks_of(pid)]
    found = {int(status_of(task).get("TracerPid", 0)) for task in threads}
    return sorted(found - {0, os.getpid()})


def cannot_follow_own() -> str:
    """Why this process could not even follow a child of its own and read what it does; "" if it could."""
    known = ctypes.create_string_buffer(b"earmark")
    child = os.fork()
    if child == 0:
        die_with_parent()
        while True:
            time.sleep(0.005)
    try:
        ptrace.seize(child)
        ptrace.interrupt(child)
        os.waitpid(child, ptrace.WAIT_ALL)
        ptrace.go_on(child)
        os.waitpid(child, ptrace.WAIT_ALL)
        if ptrace.call_of(child) is None:
            return "this kernel does not tell which call a process makes; Linux does from 5.3 on"
        if ptrace.memory(child, ctypes.addressof(known), 7) != b"earmark":
            return "the memory of other processes cannot be read here (process_vm_readv); ask outside of the container"
    except OSError as error:
        return (
            by_rule()
            or f"no process may follow another here ({error.strerror}); ask outside of the container"
        )
    finally:
        os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, ptrace.WAIT_ALL)
    return ""


def why_not(root: int, processes: Iterable[int], error: OSError, own: Path = Path("/proc/self")) -> str:
    """Why these processes of the daemon `root` could not be followed, and what would help."""
    status = status_of(own)
    reasons = []
    if not int(status.get("CapEff", "0"), 16) & _SYS_PTRACE:
        if os.geteuid() != 0:
            reasons.append(f"only root may: {as_root()}")
        else:
            reasons.append(
                "this root lacks CAP_SYS_PTRACE; a container has it with --cap-add SYS_PTRACE, or ask outside of it"
            )
    if tracers := tracers_of(processes):
        reasons.append(
            f"{names_of(tracers)} follows them already, and a process is followed by one only; end that, and ask again"
        )
    if not reasons and _another_namespace(root):
        reasons.append(
            "this root is one of a user namespace that the daemon is not in; ask as root of the daemon's own"
        )
    if error.errno == errno.ENOSYS:
        reasons = ["this system has no ptrace"]
    return (
        "; ".join(reasons)
        or by_rule()
        or f"{error.strerror or error}, by a rule that this check does not know"
    )


def _another_namespace(root: int) -> bool:
    try:
        return os.readlink(f"/proc/{root}/ns/user") != os.readlink("/proc/self/ns/user")  # noqa: PTH115
    except OSError:
        return _own_map() != ["0", "0", "4294967295"]


def _own_map() -> list[str]:
    return Path("/proc/self/uid_map").read_text().split()


def by_rule() -> str:
    """The setting of this machine by which nobody may follow anybody; "" where none is known."""
    if _text(YAMA) == _NOBODY:
        return (
            "kernel.yama.ptrace_scope is 3 on this machine: nobody may, root neither, until it is started with "
            "another setting"
        )
    if _text(_SELINUX).startswith("1"):
        return "SELinux forbids it to everybody on this machine; for the check: setsebool deny_ptrace off"
    if status_of(Path("/proc/self")).get("Seccomp") == "2":
        return "a system-call filter around this shell (a container's) refuses it; ask outside of it"
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
