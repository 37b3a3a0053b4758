"""How many seconds of a track could not be decoded, by what is known of its packets: times, lengths, places. Pure.

A packet that fails has a length, or as many bytes as the sound around it has in some time. What a demuxer passes over
without a word leaves a gap in the times, and often one in the places in the file. Uncompressed sound shows no damage.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from earmark.transcription.pages import Read, follows
from earmark.transcription.tags import tag_bytes

STREAMS = frozenset({"aac", "ac3", "act", "amr", "dts", "dtshd", "eac3", "loas", "mp3", "mpc", "mpc8"})
"""Formats without times of their own (FFmpeg counts what it finds): what is lost is known by its bytes."""

WITHOUT_PAUSES = frozenset({"asf", "flac", "mpegts"})
"""Formats in which sound follows sound: a gap in their times is a loss. In others a side may be muted, or join later."""

HOLE = 0.2
"""Share of the bytes that a gap would have, which must lie unread in the file for the gap to be one that damage left.
What separates sound from sound where nothing is lost (headers of clusters and fragments) is a hundredth."""

TORN = 2
"""Pages from a missing one on, in which its gap shows: FFmpeg learns the time of a page at its end."""

A_TAG = 1.0
"""Seconds that bytes beside the sound of a stream must have, were they sound, to be more than the rest of a tag."""


class Losses:
    """Counts along as one track is read.

    `kind`: FFmpeg's name of the format; `alone`: no other track is in the file; `read`: bytes of the file.
    """

    def __init__(self, kind: str, alone: bool, read: Read) -> None:
        self._read = read
        self._in_pages = kind == "ogg"
        self._by_bytes = kind in STREAMS
        self._without_pauses = kind in WITHOUT_PAUSES
        self._alone = alone
        self._heard = 0.0
        self._heard_bytes = 0
        self._lost = 0.0
        self._lost_bytes = 0
        self._filled = 0.0
        self._failed = 0.0
        self._failed_bytes = 0
        self._trouble = False
        self._hole = 0
        self._first: int | None = None
        self._end: int | None = None
        self._pages: deque[int] = deque(maxlen=1 + TORN)
        self._bytes = 0
        self._size = 0
        self._seconds = 0.0
        self.only_tags = False
        """Whether everything that failed was a tag; known when it has ended."""

    @property
    def seconds(self) -> float:
        """Seconds that were lost between what was heard, and after it as far as the file has them."""
        return self._lost + self._lost_bytes * self._heard / max(1, self._heard_bytes)

    @property
    def left_out(self) -> float:
        """Those of `seconds` that are not in what is given out: for the others there is silence in it."""
        return max(0.0, self.seconds - self._filled)

    def packet(self, position: int | None, size: int, seconds: float) -> None:
        """The next packet lies there in the file and says that it is so long; 0 if it does not say."""
        if position is not None and self._in_pages:
            if not self._pages or position != self._pages[-1]:
                self._pages.append(position)
        elif position is not None:
            self._first = position if self._first is None else self._first
            self._hole += max(0, position - self._end) if self._end is not None else 0
            self._end = position + size
        elif self._end is not None:
            self._end += size
        self._size, self._seconds = size, seconds
        self._bytes += size

    def unreadable(self) -> None:
        """Something could not be read that is no packet."""
        self._trouble = True

    def failed(self) -> None:
        """The last packet could not be decoded."""
        self._trouble = True
        self._failed += self._seconds
        self._failed_bytes += self._size

    def gap(self, seconds: float) -> None:
        """Silence is put in for so long, because the next packet's time is later than where the last one ended."""
        per_second = self._heard_bytes / self._heard if self._heard else 0.0
        hole = self._alone and self._hole >= HOLE * seconds * per_second > 0.0
        sure = self._without_pauses or self._trouble or hole
        if not self._heard or not (
            sure or any(not follows(self._read, *two) for two in pairwise(self._pages))
        ):
            return
        if not self._by_bytes:
            # What failed packets left out before this gap was seen is in it.
            self._lost += max(0.0, seconds - self.left_out)
            self._failed = 0.0
        self._filled += seconds

    def decoded(self, seconds: float) -> None:
        """So much came out of the last packet: what failed before it lay between sound and sound."""
        self._settle()
        self._heard += seconds
        self._heard_bytes += self._size
        self._size = 0

    def ended(self, size: int, lost_from: int | None = None) -> None:
        """Nothing comes any more of the file, or the part of one, of `size` bytes; from `lost_from` on nothing can."""
        per_second = self._heard_bytes / self._heard if self._heard else 0.0
        if not self._by_bytes or self._failed_bytes >= A_TAG * per_second:
            self._settle()
        if self._by_bytes and self._first is not None:
            # Of a stream of bare packets the parser drops what looks like none, without a word.
            dropped = size - self._first - self._bytes
            self._lost_bytes += dropped if dropped >= A_TAG * per_second else 0
            tags = tag_bytes(self._read, self._first, size) if self._lost_bytes or self._failed_bytes else 0
            self._lost_bytes = max(0, self._lost_bytes - tags)
            self.only_tags = tags > 0 and self._lost_bytes < A_TAG * per_second
            self._lost_bytes *= not self.only_tags
        if lost_from is not None and self._alone:
            self._lost_bytes += size - lost_from

    def _settle(self) -> None:
        if self._by_bytes:
            self._lost_bytes += self._failed_bytes
        else:
            self._lost += self._failed
        self._failed, self._failed_bytes, self._trouble, self._hole = 0.0, 0, False, 0
