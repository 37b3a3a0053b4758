"""A limit on what a worker may take of memory on macOS: `taskpolicy -m`, before its command line, where that has an effect.

RLIMIT_AS, which holds on Linux, counts what macOS reserves for every process, too, and is then refused. taskpolicy(8) has
the kernel end the process that it becomes (SIGKILL) when its own memory, the "Memory" of Activity Monitor, is more than so
many MiB (system_cmds, taskpolicy.c: POSIX_SPAWN_JETSAM_MEMLIMIT_ACTIVE_FATAL). Older ones do not know `-m`, and a Python
that starts itself a second time, as python.org's does, may lose it on the way: so it is tried.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache

TOOL = "/usr/sbin/taskpolicy"

TRIED, TAKEN = 64, 192
"""MiB that a process is given to try it, and that it then takes. Python alone takes 10."""

UNLIMITED = "memory: nothing limits it on macOS"
LIMITED = "memory: at most {} MiB, else the system ends it (taskpolicy)"

Ends = Callable[[Sequence[str]], int]
"""Runs a command to its end and returns its exit status, as subprocess has it. Raises OSError."""


def prefix(mebibytes: int, system: str = sys.platform) -> list[str]:
    """What to put before a worker's command line, so that it gets no more memory; nothing where that has no effect."""
    return [TOOL, "-m", str(mebibytes)] if mebibytes > 0 and system == "darwin" and _works() else []


def told(mebibytes: int, system: str = sys.platform) -> tuple[str, ...]:
    """What is said of it where `prefix` was asked, beside what a worker says of its walls; nothing on other systems."""
    if system != "darwin":
        return ()
    return (LIMITED.format(mebibytes) if prefix(mebibytes, system) else UNLIMITED,)


def ends_who_takes_too_much(run: Ends) -> bool:
    """Whether a process of this Python that takes more than it is given is ended, and one that does not is not."""
    python = [TOOL, "-m", str(TRIED), sys.executable, "-I", "-S", "-c"]
    try:
        modest, greedy = run([*python, ""]), run([*python, f"b'x' * ({TAKEN} << 20)"])
    except (OSError, subprocess.SubprocessError):
        return False
    return (modest, greedy) == (0, -signal.SIGKILL)


@cache
def _works() -> bool:
    return ends_who_takes_too_much(_run)


def _run(command: Sequence[str]) -> int:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20
    )
    return done.returncode
