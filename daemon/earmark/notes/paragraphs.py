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
    """Words of one degree of confidence; `overlapped`: somebody else talks meanwhile."""

    text: str
    unsure: bool = False
    overlapped: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What was said from second `at` on; or, with `left_out`, why nothing is shown from there `until` then. `speaker`: the
    number of who says it, or 0. `segments`: what it is made of.
    """

    at: Seconds
    until: Seconds
    runs: tuple[Run, ...] = ()
    left_out: Mark | None = None
    speaker: int = 0
    segments: tuple[Segment, ...] = ()


PAUSE = 2.0
"""Seconds of silence that end a paragraph."""

SECONDS = 30.0
"""A new paragraph, and so a new time to click on, at the first sentence end after this many seconds."""


def paragraphs(segments: Iterable[Segment], pause: Seconds, seconds: Seconds) -> list[Paragraph]:
    """Join segments until a pause of `pause` seconds, a sentence end after `seconds`, or another speaker; never across a
    mark.
    """
    made: list[Paragraph] = []
    open_segments: list[Segment] = []

    def close() -> None:
        if open_segments:
            end = max(s.end for s in open_segments)
            first = open_segments[0]
            made.append(
                Paragraph(first.start, end, _runs(open_segments), None, first.speaker, (*open_segments,))
            )
            open_segments.clear()

    for segment in sorted(segments, key=lambda s: s.start):
        if not is_speech(segment):
            close()
            last = made[-1] if made else None
            if last is not None and last.left_out == segment.mark:
                of = (*last.segments, segment)
                made[-1] = Paragraph(last.at, max(last.until, segment.end), (), segment.mark, 0, of)
            else:
                made.append(Paragraph(segment.start, segment.end, (), segment.mark, 0, (segment,)))
            continue
        if not normalize(segment.text):
            continue
        if open_segments:
            last_said = open_segments[-1]
            so_far = last_said.end - open_segments[0].start
            ended = _SENTENCE_END.search(last_said.text.rstrip()) is not None
            if (
                segment.speaker != last_said.speaker
                or segment.start - last_said.end >= pause
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
        last = runs[-1] if runs else None
        if last is not None and (last.unsure, last.overlapped) == (unsure, segment.overlapped):
            runs[-1] = Run(f"{last.text} {text}", unsure, segment.overlapped)
        else:
            runs.append(Run(text, unsure, segment.overlapped))
    return tuple(runs)
