"""From samples to final segments, window by window: the loop that the worker runs and tests can run without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from earmark.domain import Segment
from earmark.transcription.engine import RATE, Answer, Engine, Phrase, Samples, Wish
from earmark.transcription.guard import confidence, marks
from earmark.transcription.lanes import Lanes, in_order, sides
from earmark.transcription.windows import FRAME, MOST_SPEECH, SPEECH, Window, Windows

SURE_OF_LANGUAGE = 0.5
"""Probability from which a detected language is believed (faster-whisper's own threshold)."""

LANGUAGE_WINDOWS = 8
"""Windows with speech that are tried; each costs one pass of the encoder."""

ENOUGH_TO_TELL = 5.0
"""Seconds of speech without which one window does not settle the language."""


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
    """What the caller wants: `language` None means that it is to be detected."""

    language: str | None = None
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

    `blocks` is the recording from its start, and `lanes` holds its sides up to the last block; `asked.language` must
    be set (see `settle_language`). Resuming gives the same passages as never having stopped.
    """
    wish = Wish(asked.language or "en", asked.hotwords, asked.initial_prompt, asked.beam_size)
    cutter = Windows(blocks, engine.voice, round(resume_at * RATE))
    while (window := cutter.next()) is not None:
        speech = window.speech()
        left = len(window.samples)
        apart = sides(window, lanes.between(window.start, window.end), engine.voice) if lanes else []
        if apart:
            said = in_order([_segments(side, _all_phrases(engine, side, wish)) for side in apart])
            yield Passage((window.start + left) / RATE, said, window.speech_seconds)
            continue
        answer = engine.hear(speech, wish) if len(speech) else NOTHING
        if answer.reached < len(speech) / RATE - LEAST_LEFT:
            # Where the model itself ended a sentence. Moving to a quieter moment nearby cost words when measured.
            left = max(1, window.sample_of(answer.reached, end=True))
            cutter.leave_at(left)
        yield Passage(
            upto=(window.start + left) / RATE,
            segments=_segments(window, answer.phrases),
            speech_seconds=float(np.count_nonzero(window.voice[: left // FRAME] >= SPEECH)) * FRAME / RATE,
        )


def settle_language(engine: Engine, blocks: Iterable[Samples]) -> tuple[str, float]:
    """The language spoken and its probability, from the first speech of a recording that leaves no doubt.

    Looks at no more than LANGUAGE_WINDOWS windows with speech, and takes the most probable if all leave doubt. Depends
    on the start of the recording only, so it is the same wherever hearing goes on. Without any speech: ("en", 0.0).
    """
    best = ("en", 0.0)
    tried = 0
    for window in Windows(blocks, engine.voice):
        speech = window.speech()
        if len(speech) == 0:
            continue
        found = engine.detect_language(speech)
        if found[1] > best[1]:
            best = found
        tried += 1
        if (
            found[1] >= SURE_OF_LANGUAGE and len(speech) >= ENOUGH_TO_TELL * RATE
        ) or tried >= LANGUAGE_WINDOWS:
            break
    return best


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


def _segments(window: Window, phrases: Sequence[Phrase]) -> tuple[Segment, ...]:
    at = [(window.sample_of(p.start), window.sample_of(p.end, end=True)) for p in phrases]
    return tuple(
        Segment(
            start=round((window.start + first) / RATE, 2),
            end=round((window.start + max(first, last)) / RATE, 2),
            text=phrase.text,
            confidence=round(confidence(phrase), 3),
            mark=mark,
        )
        for phrase, (first, last), mark in zip(phrases, at, marks(phrases, window.voice, at), strict=True)
    )
