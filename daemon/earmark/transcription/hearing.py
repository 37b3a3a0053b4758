"""From samples to final segments, window by window: the loop that the worker runs and tests can run without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from earmark.domain import Segment
from earmark.transcription.engine import RATE, Answer, Engine, Phrase, Samples, Wish
from earmark.transcription.guard import confidence, marks
from earmark.transcription.lanes import Lanes, in_order, sides
from earmark.transcription.languages import of_side, stretches
from earmark.transcription.windows import FRAME, MOST_SPEECH, SPEECH, Window, Windows

LEAST_LEFT = 0.5
"""Seconds of speech that an answer may leave over without being asked again: no word is so short and so late."""

NOTHING = Answer((), 0.0)


@dataclass(frozen=True, slots=True)
class Passage:
    """What one window gave: its final segments, and the second of the recording where it ends."""

    upto: float
    segments: tuple[Segment, ...]
    speech_seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants: everything in `language`, or, if that is None, each stretch in its own one.

    `main`: the language that most of the recording is in (see `languages.settle`), for what is in doubt. `allowed`: the
    languages that can occur; empty for all that the engine knows.
    """

    language: str | None = None
    main: str = "en"
    allowed: tuple[str, ...] = ()
    hotwords: str | None = None
    initial_prompt: str | None = None
    beam_size: int = 5


def listen(
    engine: Engine,
    blocks: Iterable[Samples],
    asked: Asked,
    resume_at: float = 0.0,
    lanes: Lanes | None = None,
) -> Iterator[Passage]:
    """Hear a recording from `resume_at` seconds on, which must be 0 or the `upto` of an earlier passage.

    `blocks` is the recording from its start, and `lanes` holds its sides up to the last block. Where the language changes
    a window ends. Resuming gives the same passages as never having stopped.
    """
    cutter = Windows(blocks, engine.voice, round(resume_at * RATE))
    while (window := cutter.next()) is not None:
        speech = window.speech()
        left = len(window.samples)
        apart = sides(window, lanes.between(window.start, window.end), engine.voice) if lanes else []
        if apart:
            tongues = [
                asked.language or of_side(engine, side.speech(), asked.main, asked.allowed) for side in apart
            ]
            said = in_order(
                [
                    _segments(side, _all_phrases(engine, side, _wish(asked, tongue)), _named(asked, tongue))
                    for side, tongue in zip(apart, tongues, strict=True)
                ]
            )
            yield Passage((window.start + left) / RATE, said, window.speech_seconds)
            continue
        language, part = _first_language(engine, speech, asked)
        answer = engine.hear(part, _wish(asked, language)) if len(part) else NOTHING
        reached = len(part) / RATE
        if answer.reached < reached - LEAST_LEFT:
            # Where the model itself ended a sentence. Moving to a quieter moment nearby cost words when measured.
            reached = answer.reached
        if reached < len(speech) / RATE:
            left = max(1, window.sample_of(reached, end=True))
            cutter.leave_at(left)
        yield Passage(
            upto=(window.start + left) / RATE,
            segments=_segments(window, answer.phrases, _named(asked, language)),
            speech_seconds=float(np.count_nonzero(window.voice[: left // FRAME] >= SPEECH)) * FRAME / RATE,
        )


def _all_phrases(engine: Engine, side: Window, wish: Wish) -> list[Phrase]:
    """Everything that is said in one side, however often the model ends early: the window is left at its end."""
    speech = side.speech()
    found: list[Phrase] = []
    at = 0
    while len(speech) - at > (LEAST_LEFT * RATE if at else 0):
        answer = engine.hear(speech[at : at + int(MOST_SPEECH * RATE)], wish)
        seconds = at / RATE
        found += [replace(p, start=p.start + seconds, end=p.end + seconds) for p in answer.phrases]
        at += max(1, round(answer.reached * RATE))
    return found


def _first_language(engine: Engine, speech: Samples, asked: Asked) -> tuple[str, Samples]:
    """The language that a window begins in, and its speech up to where that changes."""
    if asked.language is not None or len(speech) == 0:
        return asked.language or asked.main, speech
    first = stretches(engine, speech, asked.main, asked.allowed)[0]
    return first.language, speech[: first.last]


def _wish(asked: Asked, language: str) -> Wish:
    return Wish(language, asked.hotwords, asked.initial_prompt, asked.beam_size)


def _named(asked: Asked, language: str) -> str:
    """What a segment says of its language: nothing where everything is in the one that was asked for."""
    return "" if asked.language is not None else language


def _segments(window: Window, phrases: Sequence[Phrase], language: str) -> tuple[Segment, ...]:
    at = [(window.sample_of(p.start), window.sample_of(p.end, end=True)) for p in phrases]
    return tuple(
        Segment(
            start=round((window.start + first) / RATE, 2),
            end=round((window.start + max(first, last)) / RATE, 2),
            text=phrase.text,
            confidence=round(confidence(phrase), 3),
            mark=mark,
            language=language,
        )
        for phrase, (first, last), mark in zip(phrases, at, marks(phrases, window.voice, at), strict=True)
    )
