"""From samples to final segments, window by window: the loop that the worker runs and tests can run without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from earmark.domain import Segment
from earmark.transcription.engine import RATE, Engine, Samples, Wish
from earmark.transcription.guard import confidence, marks
from earmark.transcription.windows import Window, windows

SURE_OF_LANGUAGE = 0.5
"""Probability from which a detected language is believed (faster-whisper's own threshold)."""

LANGUAGE_WINDOWS = 8
"""Windows with speech that are tried; each costs one pass of the encoder."""

ENOUGH_TO_TELL = 5.0
"""Seconds of speech without which one window does not settle the language."""


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
    engine: Engine, blocks: Iterable[Samples], asked: Asked, resume_at: float = 0.0
) -> Iterator[Passage]:
    """Hear a recording from `resume_at` seconds on, which must be 0 or the `upto` of an earlier passage.

    `blocks` is the recording from its start; `asked.language` must be set (see `settle_language`). Resuming gives the
    same passages as never having stopped.
    """
    wish = Wish(asked.language or "en", asked.hotwords, asked.initial_prompt, asked.beam_size)
    for window in windows(blocks, engine.voice, round(resume_at * RATE)):
        yield Passage(
            upto=window.end / RATE,
            segments=_segments(engine, window, wish),
            speech_seconds=window.speech_seconds,
        )


def settle_language(engine: Engine, blocks: Iterable[Samples]) -> tuple[str, float]:
    """The language spoken and its probability, from the first speech of a recording that leaves no doubt.

    Looks at no more than LANGUAGE_WINDOWS windows with speech, and takes the most probable if all leave doubt. Depends
    on the start of the recording only, so it is the same wherever hearing goes on. Without any speech: ("en", 0.0).
    """
    best = ("en", 0.0)
    tried = 0
    for window in windows(blocks, engine.voice):
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


def _segments(engine: Engine, window: Window, wish: Wish) -> tuple[Segment, ...]:
    speech = window.speech()
    phrases = engine.hear(speech, wish) if len(speech) else []
    times = [(window.time_of(p.start), window.time_of(p.end, end=True)) for p in phrases]
    at = [(round(a * RATE) - window.start, round(b * RATE) - window.start) for a, b in times]
    return tuple(
        Segment(
            start=round(first, 2),
            end=round(max(first, last), 2),
            text=phrase.text,
            confidence=round(confidence(phrase), 3),
            mark=mark,
        )
        for phrase, (first, last), mark in zip(phrases, times, marks(phrases, window.voice, at), strict=True)
    )
