"""Telling what was said from what the engine made up: loops, words over silence, guesses. Pure, nothing is dropped.

Whisper was trained on subtitles. Given noise it writes what subtitles end with; given something it cannot follow it
repeats itself. Both are marked, so that a note can leave them out and say so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from earmark.domain import Mark
from earmark.transcription.engine import RATE, Phrase
from earmark.transcription.windows import FRAME, SPEECH

COMPRESSES = 2.4
"""Length of the text over its zlib length above which it repeats itself (openai/whisper, transcribe.py)."""

UNLIKELY = -1.0
"""Mean log probability under which a pass counts as failed (openai/whisper, transcribe.py)."""

UNSURE = 0.45
"""Confidence, exp(mean log probability), under which a segment is marked as low."""

FASTEST = 8.0
"""Words a second that nobody says; auctioneers reach about six."""

_PHANTOMS = re.compile(
    r"(thank(s| you)( so much| very much)?( for (watching|listening|your attention))?"
    r"|(please )?(like and )?subscribe( to (my|our|the) channel)?|see you (next time|in the next video)"
    r"|(subtitles|captions|transcribed|translated|transcription)( by| from)? .*"
    r"|amara ?org.*|www .*|you|bye( bye)?|the end|beep|applause|music|blank audio|silence"
    r"|untertitel.*|vielen dank( fürs zuschauen)?|sous titr.*|merci d'avoir regardé.*|gracias por ver.*|sottotitol.*)"
)
"""What Whisper is known to write over silence and music, in lower case without punctuation."""


def marks(
    phrases: Sequence[Phrase], voice: NDArray[np.float32], at: Sequence[tuple[int, int]]
) -> list[Mark | None]:
    """One mark or None per phrase of one window.

    `voice`: probability of speech per FRAME of the window; `at`: first and last sample of each phrase in the window.
    """
    echoes = _echoes([p.text for p in phrases])
    return [
        _mark(phrase, _heard(voice, first, last), number in echoes)
        for number, (phrase, (first, last)) in enumerate(zip(phrases, at, strict=True))
    ]


def confidence(phrase: Phrase) -> float:
    """exp(mean log probability of the tokens), kept within 0 to 1."""
    return float(np.exp(min(0.0, phrase.logprob)))


def is_loop(text: str) -> bool:
    """Whether the text says the same over and over: it compresses too well, or its end is one phrase repeated."""
    raw = text.strip().encode()
    if len(raw) >= 40 and len(raw) / len(zlib.compress(raw)) > COMPRESSES:
        return True
    words = _plain(text).split()
    for length in range(1, 9):
        times = _repeats(words, length)
        if times >= (8 if length == 1 else 4) and times * length >= len(words) * 0.6:
            return True
    return False


def is_phantom(text: str) -> bool:
    """Whether the text is, as a whole, one that Whisper is known to write where nobody speaks."""
    plain = _plain(text)
    return not plain or _PHANTOMS.fullmatch(plain) is not None


def _mark(phrase: Phrase, heard: tuple[float, float], echo: bool) -> Mark | None:
    share, peak = heard
    if peak < SPEECH or (is_phantom(phrase.text) and (share < 0.3 or phrase.no_speech > 0.6)):
        return Mark.OVER_SILENCE
    if echo or is_loop(phrase.text):
        return Mark.REPETITION
    seconds = max(phrase.end - phrase.start, 0.5)
    if confidence(phrase) < UNSURE or len(phrase.text.split()) / seconds > FASTEST:
        return Mark.LOW_CONFIDENCE
    return None


def _heard(voice: NDArray[np.float32], first: int, last: int) -> tuple[float, float]:
    """Share of frames with speech, and the highest probability, between two samples.

    Whisper's times are a third of a second wide of the mark at either side, so the frames next to them count too.
    """
    slack = RATE // 3 // FRAME
    frames = voice[max(0, first // FRAME - slack) : last // FRAME + 1 + slack]
    if len(frames) == 0:
        return 0.0, 0.0
    return float(np.mean(frames >= SPEECH)), float(np.max(frames))


def _echoes(texts: Sequence[str]) -> set[int]:
    """Numbers of the texts that only repeat the ones before: from the third of three or more equal ones on.

    Short ones ("yes", "okay") are said five times in a row by people.
    """
    found: set[int] = set()
    run = 0
    plain = [_plain(t) for t in texts]
    for number in range(1, len(plain)):
        run = run + 1 if plain[number] and plain[number] == plain[number - 1] else 0
        if run >= (2 if len(plain[number].split()) >= 3 else 5):
            found.add(number)
    return found


def _repeats(words: Sequence[str], length: int) -> int:
    """How many times in a row a phrase of `length` words stands, at most, anywhere in `words`."""
    best = run = 0
    for at in range(length, len(words)):
        run = run + 1 if words[at] == words[at - length] else 0
        best = max(best, run // length + 1 if run >= length else 1)
    return best


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']|_", " ", text.lower()).split())
