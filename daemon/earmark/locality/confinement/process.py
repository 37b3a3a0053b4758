"""What every process of earmark does first: nothing of its memory is for anybody else, and no worker outlives its parent.

Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 3, 4  # linux/prctl.h

SUMMARIZER_MEMORY = 1536
"""MiB of address space for the summarization worker, which a server's answer could otherwise make grow without end.

Measured (VmPeak): 223 MiB for half an hour, 283 MiB for a recording of 33 hours, 643 MiB for one of 250 hours, which is
longer than `max_hours` can be.
"""

WATCH = 1.0
"""Seconds between two looks at the parent where the kernel does not tell."""


def harden_process() -> None:
    """No core file, no attaching debugger, no reading of /proc/PID/mem by other processes of the same user."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def cap_memory(mebibytes: int) -> None:
    """Cap the address space for good, so that asking for too much is a MemoryError, not the OOM killer; 0 caps nothing."""
    if mebibytes > 0:
        size = mebibytes * 1024 * 1024
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (size, size))


def die_with_parent() -> None:
    """Have this process killed when its parent goes, even in the middle of waiting for a server.

    Linux tells us (prctl); elsewhere a thread notices that the parent's process id has changed.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        except (OSError, AttributeError):
            pass
        else:
            if os.getppid() != parent:  # It died before we asked.
                os._exit(1)
            return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def is_dumpable() -> bool:
    """Whether another process of this user could read this one's memory (Linux; elsewhere True)."""
    dumpable = True
    if sys.platform == "linux":
        dumpable = bool(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
    return dumpable
