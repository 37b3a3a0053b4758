"""Change events: are as many folders allowed to be watched as there are?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from earmark.files import counted
from earmark.service.checks import Finding

WATCH_LIMITS = ("fs/inotify/max_user_watches", "user/max_inotify_watches")
"""Of the machine, and of the user namespace (a container's may be smaller): proc_sys_fs(5), namespaces(7)."""

INSTANCE_LIMITS = ("fs/inotify/max_user_instances", "user/max_inotify_instances")


def check_watches(folders: Sequence[Path], proc: Path = Path("/proc")) -> Finding:
    """inotify needs one watch a folder; without enough of them new recordings wait for the next full look."""
    found = {name: limit for name in WATCH_LIMITS if (limit := _limit(proc, name)) is not None}
    if not found:
        where = proc / "sys" / WATCH_LIMITS[0]
        return Finding(
            "watches", True, f"{where} cannot be read; folders are looked through every minute anyway."
        )
    for name in INSTANCE_LIMITS:
        if _limit(proc, name) == 0:
            return Finding(
                "watches", False, f"No change events at all are allowed here; sudo sysctl {_sysctl(name)}=128"
            )
    name, limit = min(found.items(), key=lambda one: one[1])
    wanted = sum(1 for folder in folders for _ in _folders_under(folder, limit))
    # Others of this user watch too (editors, sync clients), so half of the limit is as far as we should go.
    if wanted * 2 > limit:
        return Finding(
            "watches",
            False,
            f"{_folders(wanted)} to watch, and {_sysctl(name)} allows {counted(limit, 'watch', 'watches')} in all; "
            f"sudo sysctl {_sysctl(name)}={max(524288, wanted * 4)}",
        )
    return Finding(
        "watches", True, f"{_folders(wanted)} to watch, {counted(limit, 'watch', 'watches')} allowed."
    )


def _folders(count: int) -> str:
    return counted(count, "folder")


def _limit(proc: Path, name: str) -> int | None:
    try:
        return int((proc / "sys" / name).read_text())
    except (OSError, ValueError):
        return None


def _sysctl(name: str) -> str:
    return name.replace("/", ".")


def _folders_under(folder: Path, at_most: int) -> Iterator[str]:
    for count, (path, _, _) in enumerate(os.walk(folder)):
        if count > at_most:
            return
        yield path
