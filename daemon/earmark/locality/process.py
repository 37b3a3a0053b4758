"""What every process of earmark does first: nothing of its memory is for anybody else. Standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 3, 4  # linux/prctl.h


def harden_process() -> None:
    """No core file, no attaching debugger, no reading of /proc/PID/mem by other processes of the same user."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere a broken pipe has to tell)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def is_dumpable() -> bool:
    """Whether another process of this user could read this one's memory (Linux; elsewhere True)."""
    if sys.platform != "linux":
        return True
    return bool(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
