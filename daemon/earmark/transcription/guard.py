"""Telling what was said from what the engine made up: loops, words over silence, guesses. Pure, nothing is dropped.

Whisper was trained on subtitles. Given noise it writes what subtitles end with; given something it cannot follow it
repeats itself. Both are marked, so that a note can leave them out and say so, unless the voice under them is what it
takes to say them: people thank each other, too, and repeat themselves.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from earmark.domain import Mark
from earmark.transcription.engine import RATE, Phrase
from earmark.transcription.voicing import CLEAR, may_be_said, passed_over, too_little, too_much
from earmark.transcription.windows import FRAME, SPEECH

COMPRESSES = 2.4
"""Length of the text over its zlib length above which it repeats itself (openai/whisper, transcribe.py)."""

UNLIKELY = -1.0
"""Mean log probability under which a pass counts as failed (openai/whisper, transcribe.py)."""

UNSURE = 0.45
"""Confidence, exp(mean log probability), under which a segment is marked as low."""

FASTEST = 8.0
"""Words a second that nobody says; auctioneers reach about six."""

NOBODY = 0.6
"""The engine's own guess that nobody spoke (openai/whisper), above which what subtitles end with is not believed, nor what
it is not sure of over a voice that is not clear."""

SOMEBODY = 0.2
"""The same guess under which somebody spoke without doubt. Measured: 0.03 to 0.3 for "Thank you." and "Bye." alone, 0.68 and
more where there was noise or music."""

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
        _mark(phrase, _under(voice, first, last), number in echoes)
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


def is_said(text: str, voice: NDArray[np.float32]) -> bool:
    """Whether a text that repeats itself can have been said like that. `voice`: probability of speech per FRAME under it."""
    return may_be_said(_plain(text), voice, repetitions(text))


def repetitions(text: str) -> int:
    """How many times in a row one phrase of up to eight words stands in the text at most."""
    words = _plain(text).split()
    return max(_repeats(words, length) for length in range(1, 9))


def is_phantom(text: str) -> bool:
    """Whether the text is, as a whole, one that Whisper is known to write where nobody speaks."""
    plain = _plain(text)
    return not plain or _PHANTOMS.fullmatch(plain) is not None


def _mark(phrase: Phrase, voice: NDArray[np.float32], echo: bool) -> Mark | None:
    plain, phantom = _plain(phrase.text), is_phantom(phrase.text)
    peak, unsure = float(np.max(voice, initial=0.0)), confidence(phrase) < UNSURE
    if peak < SPEECH or (phantom and too_little(plain, voice, phrase.no_speech < SOMEBODY)):
        return Mark.OVER_SILENCE
    if phrase.no_speech > NOBODY and (phantom or (unsure and peak < CLEAR)):
        return Mark.OVER_SILENCE
    if (echo or is_loop(phrase.text)) and (unsure or not is_said(phrase.text, voice)):
        return Mark.REPETITION
    length = max(phrase.end - phrase.start, 0.5)
    if unsure or len(phrase.text.split()) / length > FASTEST or passed_over(plain, voice):
        return Mark.LOW_CONFIDENCE
    return Mark.LOW_CONFIDENCE if phantom and too_much(plain, voice) else None


def _under(voice: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """The probabilities of speech between two samples.

    Whisper's times are a third of a second wide of the mark at either side, so the frames next to them count too.
    """
    slack = RATE // 3 // FRAME
    return voice[max(0, first // FRAME - slack) : last // FRAME + 1 + slack]


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
