"""What the worker may take from the machine: memory, processor time, priority."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import sys

from earmark.locality.confinement.process import cap_memory as cap_memory

IOPRIO_WHO_PROCESS, IOPRIO_CLASS_BE, IOPRIO_CLASS_SHIFT = 1, 2, 13  # linux/ioprio.h
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # malloc.h (glibc)
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}

NICE = 10
"""Added to the niceness: whatever the person does at the machine comes first."""

CPU_PER_SECOND = 60
"""Processor seconds, per thread, that a second of audio may cost: a large model on a weak processor needs about 10."""

CPU_GRACE = 300
"""Processor seconds allowed beyond that, for loading, hashing and skipping."""


def step_back() -> None:
    """Lower the priority for processor and disk, as far as the system lets."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    number = _IOPRIO_SET.get(platform.machine())
    if sys.platform == "linux" and number is not None:
        lowest_best_effort = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 7
        ctypes.CDLL(None, use_errno=True).syscall(number, IOPRIO_WHO_PROCESS, 0, lowest_best_effort)


def allow_cpu(audio_seconds: float, threads: int) -> None:
    """From now on, let the process use CPU_GRACE plus CPU_PER_SECOND for each second of audio, then SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + CPU_GRACE + audio_seconds * CPU_PER_SECOND * max(1, threads))
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def keep_freed_memory() -> None:
    """Tell glibc to reuse what it has instead of giving it back after each pass, which costs about 15 % of speed.

    The encoder gets windows of four sizes only, so this does not grow; elsewhere than on glibc it does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 512 * 1024 * 1024)
        libc.mallopt(M_ARENA_MAX, 1)
