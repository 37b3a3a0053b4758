"""A worker must not outlive its supervisor, and must leave no image of its memory behind."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
"""<linux/prctl.h>: the signal this process gets when its parent dies."""
WATCH = 1.0
"""Seconds between two looks at the parent where the kernel does not tell."""


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


def no_core_dumps() -> None:
    """No file with this process's memory, which holds what was said, is ever written by the kernel."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
