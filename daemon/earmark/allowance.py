"""How many processors and how much memory earmark may use: what its container or unit allows, not what the machine has.

Linux control groups, version 2 (kernel: Documentation/admin-guide/cgroup-v2.rst, `cpu.max` and `memory.max`) and version 1
(sched-bwc.rst, memory.rst). A limit holds for a group and all below it, so the strictest on the way up counts. Elsewhere,
and where nothing can be read, it is what the machine has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NO_LIMIT = 1 << 60
"""Bytes from which on a limit of version 1 is none (it writes the largest multiple of a page in 63 bits)."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`cores`: processors, at least 1. `memory`: bytes, None if nobody knows."""

    cores: int
    memory: int | None


def allowance(proc: Path = Path("/proc/self")) -> Allowance:
    """What this process may use now. `proc`: where it reads of which groups it is one, and where they are mounted."""
    groups = list(_groups(proc))
    shares = [share for kind, folder in groups if (share := _cpu(kind, folder)) is not None]
    limits = [limit for kind, folder in groups if (limit := _memory(kind, folder)) is not None]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Half a processor more is one that can be used half of the time.
    cores = max(1, min([cores, *(math.ceil(share) for share in shares)]))
    machine = _machine_memory()
    known = [*limits, *([machine] if machine else [])]
    return Allowance(cores, min(known) if known else None)


def _groups(proc: Path) -> Iterator[tuple[str, Path]]:
    """(controller, folder) of every group that this process is in, from its own upwards; the controller is "2" for all of
    version 2.
    """
    try:
        member = [line.split(":", 2) for line in _text(proc / "cgroup").split("\n")]
        mounts = [line.split(" - ", 1) for line in _text(proc / "mountinfo").split("\n")]
    except OSError:
        return
    for number, controllers, path in (parts for parts in member if len(parts) == 3):
        wanted = {"2"} if number == "0" and not controllers else set(controllers.split(","))
        for place, about in (parts for parts in mounts if len(parts) == 2):
            _, _, _, root, mount, *_ = place.split(" ")
            kind, _, options = about.split(" ", 2)
            has = {"2"} if kind == "cgroup2" else set(options.split(",")) if kind == "cgroup" else set()
            for controller in wanted & has:
                yield from ((controller, folder) for folder in _upwards(Path(mount), root, path))


def _upwards(mount: Path, root: str, path: str) -> Iterator[Path]:
    """The folders of a group and those above it, as far as they can be seen: `mount` shows the hierarchy from `root` on."""
    relative = os.path.relpath(path, root)
    # A container may see its own group as the top, under whatever name it has outside.
    folder = mount if relative.startswith("..") else mount / relative
    while True:
        yield folder
        if folder == mount or mount not in folder.parents:
            return
        folder = folder.parent


def _cpu(controller: str, folder: Path) -> float | None:
    """Processors' worth of time that a group may use; None for no limit."""
    if controller == "2":
        quota, _, period = _read(folder / "cpu.max").partition(" ")
    elif controller == "cpu":
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    else:
        return None
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None  # "max", or -1
    return int(quota) / int(period)


def _memory(controller: str, folder: Path) -> int | None:
    """Bytes that a group may use; None for no limit. What is throttled from `memory.high` on makes no progress either."""
    if controller == "2":
        texts = [_read(folder / "memory.max"), _read(folder / "memory.high")]
    elif controller == "memory":
        texts = [_read(folder / "memory.limit_in_bytes")]
    else:
        return None
    limits = [int(text) for text in texts if text.isdigit() and 0 < int(text) < NO_LIMIT]
    return min(limits, default=None)


def _read(file: Path) -> str:
    try:
        return _text(file).strip()
    except OSError:
        return ""


def _text(file: Path) -> str:
    """What is in it. Names of groups and of mount points are bytes, and need not be text."""
    return file.read_text("utf-8", "surrogateescape")


def _machine_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
