"""Is the Finder still copying this? It marks what it copies by a birth that nothing has; the name is the final one. Pure."""

from __future__ import annotations

import os

MACINTOSH = 443_779_200
"""1984-01-24 08:00:00 UTC, midnight of California: the birth of files and folders that the Finder copies, since macOS 10.9
or so. iCloud's own daemon calls items of this birth, and of `HFS_EPOCH`, busy (CloudDocs.framework)."""

HFS_EPOCH = -2_082_844_800
"""1904-01-01 00:00:00 UTC: what a single file has meanwhile, or where no birth was ever written down (HFS+: TN1150)."""

FINDER_H = -753_578_704
"""1946-02-14 00:34:56 UTC: kMagicBusyCreationDate of Finder.h (Carbon), in seconds since 1904 of the local clock."""

ZONES = 14 * 3600
"""Seconds by which a birth may be off that was written in another time zone, or onto a disk that keeps local time (FAT)."""

QUARTER = 900
"""All zones of today are off by so many seconds, or a multiple."""

GIVEN_UP = 86_400.0
"""Seconds without any change after which a copy does not go on. Programs that copy (Image Capture, sync clients) have left
such a birth on whole files for good."""

COPYING = "is still being copied by the Finder, or its copying was stopped; it is taken when that is done"


def has_births() -> bool:
    """True if the system says when a file or a folder was born (macOS, BSD)."""
    return hasattr(os.stat_result, "st_birthtime")


def being_copied(status: os.stat_result, now: float) -> bool:
    """True if the Finder has not finished with a file or a folder. `now`: Unix seconds."""
    birth: float | None = getattr(status, "st_birthtime", None)
    if birth is None or not is_busy_birth(int(birth)):
        return False
    return now - max(status.st_mtime, status.st_ctime) < GIVEN_UP


def is_busy_birth(seconds: int) -> bool:
    """True if a birth, in Unix seconds, is one of those that stand for `being copied`."""
    if seconds == HFS_EPOCH:
        return True
    return any(abs(off := seconds - mark) <= ZONES and off % QUARTER == 0 for mark in (MACINTOSH, FINDER_H))
