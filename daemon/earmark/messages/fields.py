"""What messages are made of: their base, and the kinds of values that several of them have, with their bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from earmark.domain import Segment

LINE_LIMIT = 64 * 1024 * 1024
"""Longest line that a worker reads, in bytes; a transcript of a day of speech is about 2 MB."""

REPLY_LIMIT = 4 * 1024 * 1024
"""Longest line that is read from a worker, in bytes; the longest honest one, a summary, has about 100 kB."""

YEARS = 10 * 366 * 86_400.0
"""Seconds. No recording is longer, whatever its header says."""

JobId = Annotated[int, Field(ge=0, lt=1 << 63)]
Moment = Annotated[float, Field(ge=0.0, le=YEARS)]
"""Seconds into a recording, or how long something in it takes."""
Voice = Annotated[int, Field(ge=0, le=2)]
"""One of the three voices of a window."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Bytes = Annotated[int, Field(ge=0, le=1 << 50)]
Level = Annotated[float, Field(ge=-120.0, le=3.1)]
"""Decibels of full scale; a square wave on it has a root mean square of 0, and of 3 where a sine's is called 0."""
Label = Annotated[str, Field(max_length=300)]
"""A name of an engine, device or model."""
Language = Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")]
"""A code as Whisper has them, too short to hide a word in it: it is logged."""
Sentence = Annotated[str, Field(max_length=10_000)]
"""What is shown to a person; it may quote a path, which has up to 4,096 bytes."""


def _as_heard(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Segments without what a person or the configuration makes of them later; who speaks is looked at further on."""
    return tuple(replace(s, heard=None, replaced=()) for s in segments)


Segments = Annotated[tuple[Segment, ...], Field(max_length=2_000), AfterValidator(_as_heard)]
"""What was heard since the last checkpoint."""
Measures = Annotated[tuple[Sentence, ...], Field(max_length=50)]


WHEN_ASKED = ConfigDict(defer_build=True)
"""What checks a message is made when the first of its kind comes: a process says and hears a few kinds, and to make what
checks all of them takes 30 ms more of each start."""


class Message(BaseModel):
    """Base of all messages: immutable; unknown keys and numbers that are none (NaN, infinity) are errors on either side."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, **WHEN_ASKED)

    def line(self) -> bytes:
        """This message as one line of JSON."""
        return self.model_dump_json().encode() + b"\n"
