"""Where a file stands among the others of its folder and class: by recording, newest first. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from earmark.domain import Instant
from earmark.files import Identity

NOT_NEWEST = 10**18


class Standing(NamedTuple):
    """Where a recording stands among the rankable ones of its folder and class, newest first.

    `rank` from 1; `bytes_to` includes its own; `day`, `week`, `month`: the how-many-eth different one this is if it is the
    newest of it, NOT_NEWEST if it is not, 0 if nobody counted (which keeps).
    """

    rank: int
    bytes_to: int
    day: int = 0
    week: int = 0
    month: int = 0


RANKS = ("keep_last", "keep_within_size", "keep_daily", "keep_weekly", "keep_monthly")
"""The rule that compares each of these numbers with its limit."""


class Ranking:
    """Gives each file of one folder and class the standing of its recording; feed it newest first, a recording's files
    together. Copies and hard links of a recording share its rank; a hard link takes no room of its own.

    `calendar`: whether any rule asks for days, weeks or months. `zone` None is this machine's local time.
    """

    def __init__(self, zone: tzinfo | None = None, *, calendar: bool = True) -> None:
        self._zone = zone
        self._calendar = calendar
        self._rank = 0
        self._bytes = 0
        self._last: list[tuple[int, ...]] = [(), (), ()]
        self._counts = [0, 0, 0]
        self._recording = ""
        self._standing = Standing(0, 0)
        self._inodes: set[tuple[int, int]] = set()

    def place(
        self, recording_id: str, dated: Instant, size: int, identity: Identity | None = None
    ) -> Standing:
        """The standing of the next file."""
        if recording_id == self._recording:
            self._add(size, identity)
            self._standing = self._standing._replace(bytes_to=self._bytes)
            return self._standing
        self._recording, self._inodes = recording_id, set()
        self._rank += 1
        self._add(size, identity)
        self._standing = Standing(self._rank, self._bytes, *self._buckets(dated))
        return self._standing

    def _add(self, size: int, identity: Identity | None) -> None:
        if identity is not None:
            inode = (identity.device, identity.inode)
            if inode in self._inodes:
                return
            self._inodes.add(inode)
        self._bytes += size

    def _buckets(self, dated: Instant) -> tuple[int, ...]:
        if not self._calendar:
            return ()
        when = _local(dated, self._zone)
        new = [NOT_NEWEST] * 3
        for n, bucket in enumerate(((when.toordinal(),), when.isocalendar()[:2], (when.year, when.month))):
            if bucket != self._last[n]:
                self._last[n] = bucket
                self._counts[n] += 1
                new[n] = self._counts[n]
        return tuple(new)


def _local(instant: Instant, zone: tzinfo | None) -> datetime:
    try:
        return datetime.fromtimestamp(instant, zone)
    except (OverflowError, ValueError, OSError):
        # A time outside the calendar; it only has to sort somewhere.
        return datetime(1, 1, 1) if instant < 0 else datetime(9999, 12, 31)  # noqa: DTZ001
