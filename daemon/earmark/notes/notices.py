"""What a reader is told of words besides the words: where they may be wrong, and what marks of looks mean."""

from __future__ import annotations

from collections.abc import Iterator

from earmark.domain import Summary, Transcript
from earmark.notes.properties import confidence

HARD_TO_HEAR = 0.6
"""Mean confidence under which a summary warns: read speech comes to 0.75 and more here, far-field meetings to 0.4."""

NO_SPEECH = "No speech was heard in this recording."
NOBODY_NAMED = "Who says what is uncertain in this recording, so nobody is named."
UNSURE = "Words in italics with (?) were hard to hear."
UNSURE_ENGLISH = "Words in italics with (?) are hardly sure."
OVERLAPPED = "During words in italics with (+) somebody else talks as well."


def hard_to_hear(transcript: Transcript) -> Iterator[str]:
    """A summary shows single sentences without the marks of the transcript, so it says once that they are doubtful."""
    sure = confidence(transcript)
    if sure is not None and sure < HARD_TO_HEAR:
        yield f"Much of this recording was hard to hear (confidence {sure}): listen before you quote."


def unsupported(summary: Summary) -> Iterator[str]:
    """How many statements are not in a summary."""
    if summary.unsupported:
        what = "statement was" if summary.unsupported == 1 else "statements were"
        yield f"{summary.unsupported} {what} left out because the recording does not bear them out."
