"""Whether words can have been said in the voice that lies under them: its seconds, its bursts, how sure it is. Pure.

A text alone does not tell: "Thank you." is what Whisper writes into noise, and what people say; "We will win" five times is
a loop, or a slogan.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE
from earmark.transcription.windows import FRAME, QUIET, SPEECH

CLEAR = 0.85
"""Probability that a voice reaches somewhere in each word. Measured: under words 0.94 and more, where Whisper wrote the
endings of subtitles into noise and music 0.73 at most."""

QUICKEST, SLOWEST = 25.0, 7.0
"""Letters that are said in a second of voice at most and at least: people say 12 to 22, and slogans about 10. A model that
runs in a loop writes 50 and more; one that hears no words 5 and less."""

BRIEFEST = 0.2
"""Seconds of voice that the shortest word has."""

FLICKER = 3
"""Frames of voice, a tenth of a second, below which there is none: noise makes the detector start."""

LINGERING = 0.5
"""Seconds of voice that may come on top: a drawn-out vowel, a breath that the detector takes for voice."""

UNHEARD = 5.0
"""Seconds of voice without a word from which a sentence was passed over. Measured: a model that knows English only wrote one
English sentence over 16 s, of which 13 were Spanish: 2.5 letters a second, where speech that it heard had 11 at least."""

DRAWN_OUT = 4
"""How often a letter in a row is counted at most: "aaah" is said, and takes its time."""

WIDE = 0x2E80
"""The first code point of scripts in which a character is a syllable or a word, and counts for three letters."""

Frames = NDArray[np.float32]
"""Probability of a voice per FRAME."""


def seconds(voice: Frames) -> float:
    """Seconds that the detector takes for voice, without what is shorter than a FLICKER."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (voice >= SPEECH).astype(np.int8), [0]))))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= FLICKER].sum()) * FRAME / RATE


def bursts(voice: Frames) -> int:
    """How often a voice begins: a word or a short sentence that is said again and again begins each time."""
    count, speaks = 0, False
    for probability in voice:
        if probability >= SPEECH and not speaks:
            count, speaks = count + 1, True
        elif probability < QUIET:
            speaks = False
    return count


def too_little(plain: str, voice: Frames, believed: bool = False) -> bool:
    """Whether there is less voice, or a less certain one, than it takes to say the words, however fast.

    `believed`: the engine has no doubt that somebody spoke. After minutes without any sound the detector wakes up late,
    so that half of the voice will do, and an unsure one.
    """
    least, peak = letters(plain) / QUICKEST, float(np.max(voice, initial=0.0))
    if believed:
        return seconds(voice) < max(BRIEFEST, least / 2) or peak < SPEECH
    return seconds(voice) < max(BRIEFEST, least) or peak < CLEAR


def too_much(plain: str, voice: Frames) -> bool:
    """Whether there is more voice than these words fill, however slowly they were said."""
    return seconds(voice) > letters(plain) / SLOWEST + LINGERING


def passed_over(plain: str, voice: Frames) -> bool:
    """Whether somebody spoke for seconds on end of whom these words have nothing, however slowly they were said."""
    return seconds(voice) > letters(plain) / SLOWEST + UNHEARD


def may_be_said(plain: str, voice: Frames, times: int = 1) -> bool:
    """Whether the words, in which something stands `times` times in a row, can be all that was said in this voice.

    `plain`: in lower case, without punctuation.
    """
    return not too_little(plain, voice) and not too_much(plain, voice) and times <= bursts(voice) + 1


def letters(plain: str) -> int:
    """Letters, digits and the spaces between words; a character that is a syllable counts for three.

    One that stands many times in a row counts DRAWN_OUT times: nobody says a hundred apostrophes.
    """
    return sum(
        (3 if ord(char) >= WIDE else 1) * min(DRAWN_OUT, sum(1 for _ in run)) for char, run in groupby(plain)
    )
