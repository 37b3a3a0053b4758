"""What a process of this machine has: where a descriptor or a path of it leads to, now, and what the kernel says of it."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import time
from pathlib import Path

from earmark.locality.confinement.sandbox import python_folders

_KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
_FILE, _MEMORY = 0, 1  # KCMP_FILE, KCMP_VM (linux/kcmp.h)
_libc = ctypes.CDLL(None)


def target(pid: int, fd: int) -> str:
    """What a descriptor leads to."""
    number = fd & 0xFFFFFFFF
    try:
        return os.readlink(f"/proc/{pid}/fd/{number}")  # noqa: PTH115 - `pipe:[1]` is no path
    except OSError:
        return f"descriptor {number}"


def open_in(pid: int) -> list[tuple[int, str]] | None:
    """The descriptors that a process has open, and what each leads to; None where nobody may see. Of one that is gone, none.

    Root without CAP_SYS_PTRACE, as in a container, may read their numbers and not where they lead.
    """
    try:
        numbers = sorted(map(int, os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208
    except (FileNotFoundError, ProcessLookupError):
        return []
    except OSError:
        return None
    found = []
    for fd in numbers:
        try:
            found.append((fd, os.readlink(f"/proc/{pid}/fd/{fd}")))  # noqa: PTH115 - `pipe:[1]` is no path
        except PermissionError:
            return None
        except OSError:
            continue  # closed meanwhile
    return found


def cwd_of(pid: int) -> str:
    """The folder that it works in; "" where that cannot be seen."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - of a process that may be in another root
    except OSError:
        return ""


def whole(path: str) -> str:
    """The folder without symlinks; the last part as it is, because that is what is named, moved or removed."""
    folder, _, name = path.rstrip("/").rpartition("/")
    return f"{os.path.realpath(folder or '/').rstrip('/')}/{name}"


def is_file(pid: int, fd: int) -> bool:
    """True for an ordinary file: not for a folder, a pipe or a device."""
    return Path(f"/proc/{pid}/fd/{fd}").is_file()


def is_writable(pid: int, fd: int) -> bool:
    """Whether it was opened for writing."""
    try:
        lines = Path(f"/proc/{pid}/fdinfo/{fd & 0xFFFFFFFF}").read_text().splitlines()
        return any(line.startswith("flags:") and int(line.split()[1], 8) & 0o3 for line in lines)
    except (OSError, ValueError):
        return False


def is_same(pid: int, fd: int, other: int, theirs: int) -> bool:
    """Whether two descriptors of two processes are one open file (kcmp(2)); False where the kernel does not say."""
    return _KCMP is not None and _libc.syscall(_KCMP, pid, other, _FILE, fd, theirs) == 0


def has_same_memory(pid: int, other: int) -> bool:
    """Whether two processes have all of their memory in common (clone(2), CLONE_VM); False where the kernel does not say."""
    return _KCMP is not None and _libc.syscall(_KCMP, pid, other, _MEMORY, 0, 0) == 0


def tasks_of(pid: int) -> list[Path]:
    """The folders of a process's threads below /proc; none of one that is gone, or goes at this moment."""
    try:
        return [Path(f"/proc/{pid}/task/{tid}") for tid in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
    except OSError:
        return []


def is_byte_code(path: str) -> bool:
    """True for what Python makes of the modules in its own folders."""
    made = re.search(r"/__pycache__(/[^/]+\.pyc(\.\d+)?)?$", path) is not None
    return made and any(path.startswith(f"{os.path.realpath(folder)}/") for folder in python_folders())


STILL, BETWEEN = 20, 0.02
"""Looks at a process that is followed, and seconds between two: one that works is stopped at each call, and let go on."""


def is_stopped(pid: int) -> bool:
    """Whether somebody has stopped this process (SIGSTOP and the like), also while it is followed."""
    for _ in range(STILL):
        state = status_of(Path(f"/proc/{pid}")).get("State", "")[:1]
        if state != "t":
            return state == "T"
        time.sleep(BETWEEN)
    return True


def status_of(process: Path) -> dict[str, str]:
    """What the kernel says of a process, by its folder or a thread's below /proc (proc_pid_status(5)); empty if it is gone.

    Its name need not be text.
    """
    try:
        lines = (process / "status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def has_proc(proc: Path = Path("/proc")) -> bool:
    """Whether the kernel shows processes as files (Linux)."""
    return (proc / "self").is_dir()
