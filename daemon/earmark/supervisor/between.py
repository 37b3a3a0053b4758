"""Who is heard between two windows of a long recording, and when: a memo does not wait for the end of ten hours. Pure."""

from __future__ import annotations

MEMO = 600.0
"""Seconds of sound that are heard of a recording between two windows of another one, at most. One that is longer is put off
until its turn comes: whoever drops a hundred lectures wants the first one done, and not a hundred begun.
"""

LONG = 3 * MEMO
"""Seconds from which a recording is one that others need not wait for. A short one is soon over."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of a file that is tried: twice of what ten minutes are in 16 bits and two channels. A larger one is read for long
before anybody knows how long it is.
"""

PUT_OFF = f"it is longer than the {MEMO / 60:.0f} minutes for which a long recording is put aside, so it waits its turn"
"""Why a recording waits that was tried."""

OTHER_MODEL = "another model is to hear it than the one that is at work, so it waits its turn"


def is_long(at: float, total: float | None) -> bool:
    """True for a recording of which so many seconds are heard, of so many as it says that it has."""
    return max(at, total or 0.0) >= LONG
