"""How many bytes of a recording's file nothing accounts for: not its packets, not its structure, no tag. Pure.

FFmpeg ends where the structure does and says nothing of what lies behind, be it half a copy of another recording.
"""

from __future__ import annotations

from earmark.transcription import tags
from earmark.transcription.pages import Read

SCAN = 1 << 20

PADDING = 4_096
"""Bytes behind a recording that nobody asks about: the rest of a sector, or what a program counted wrongly (sox, in voc)."""

_OF_CAMERAS = (b"8db42d694ccc418790edff439fe026bf", b"SEFT")
"""How files end behind which cameras of Insta360 and phones of Samsung put what their own programs read, and no sound."""


class Reach:
    """How far into a file the packets of one track go. `endless`: that nothing else says where the recording ends, and the
    last packet is taken to hold all that is left (FLAC).
    """

    def __init__(self, kind: str) -> None:
        self.endless = kind == "flac"
        self._end = 0

    @property
    def end(self) -> int:
        """The byte behind the last packet."""
        return self._end

    def packet(self, position: int | None, size: int, most: int) -> None:
        """The next packet lies there; `most`: bytes that what comes out of it can have at most, 0 if nobody knows."""
        if position is not None:
            self._end = max(self._end, position + (min(size, most) if self.endless and most else size))


def unclaimed(read: Read, first: int, end: int) -> int:
    """The bytes between what is accounted for and the end, without tags; 0 if they are few, or all the same."""
    first = tags.behind(read, first, end)
    if end - first <= PADDING or read(64, end - 64).endswith(_OF_CAMERAS):
        return 0
    return 0 if is_filling(read, first, end) else end - first


def is_filling(read: Read, first: int, end: int) -> bool:
    """Whether all bytes between these are the same, as recorders fill up what they do not use."""
    at, same = first, read(1, first)
    while at < end and (held := read(min(SCAN, end - at), at)):
        if held.count(same) < len(held):
            return False
        at += len(held)
    return True
