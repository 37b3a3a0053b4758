"""Segments become paragraphs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from earmark.domain import Mark, Seconds, Segment, is_speech
from earmark.notes.escape import normalize

_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")

LONGEST = 2.0
"""A paragraph that finds no sentence end is cut at this many times the wished length."""


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one degree of confidence."""

    text: str
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What was said from second `at` on; or, with `left_out`, why nothing is shown from there `until` then."""

    at: Seconds
    until: Seconds
    runs: tuple[Run, ...] = ()
    left_out: Mark | None = None


PAUSE = 2.0
"""Seconds of silence that end a paragraph."""

SECONDS = 30.0
"""A new paragraph, and so a new time to click on, at the first sentence end after this many seconds."""


def paragraphs(segments: Iterable[Segment], pause: Seconds, seconds: Seconds) -> list[Paragraph]:
    """Join segments until a pause of `pause` seconds, or a sentence end after `seconds`; never across a mark."""
    made: list[Paragraph] = []
    open_segments: list[Segment] = []

    def close() -> None:
        if open_segments:
            end = max(s.end for s in open_segments)
            made.append(Paragraph(open_segments[0].start, end, _runs(open_segments)))
            open_segments.clear()

    for segment in sorted(segments, key=lambda s: s.start):
        if not is_speech(segment):
            close()
            last = made[-1] if made else None
            if last is not None and last.left_out == segment.mark:
                made[-1] = Paragraph(last.at, max(last.until, segment.end), (), segment.mark)
            else:
                made.append(Paragraph(segment.start, segment.end, (), segment.mark))
            continue
        if not normalize(segment.text):
            continue
        if open_segments:
            last_said = open_segments[-1]
            so_far = last_said.end - open_segments[0].start
            ended = _SENTENCE_END.search(last_said.text.rstrip()) is not None
            if (
                segment.start - last_said.end >= pause
                or (so_far >= seconds and ended)
                or so_far >= seconds * LONGEST
            ):
                close()
        open_segments.append(segment)
    close()
    return made


def _runs(segments: list[Segment]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for segment in segments:
        unsure = segment.mark is Mark.LOW_CONFIDENCE
        text = segment.text.strip()
        if runs and runs[-1].unsure == unsure:
            runs[-1] = Run(f"{runs[-1].text} {text}", unsure)
        else:
            runs.append(Run(text, unsure))
    return tuple(runs)
