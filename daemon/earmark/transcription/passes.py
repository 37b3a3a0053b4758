"""One search of Whisper's decoder for what is said, whether it failed, and how a window is searched again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio
from numpy.typing import NDArray

from earmark.transcription.guard import COMPRESSES, UNLIKELY, is_loop, is_said, repetitions
from earmark.transcription.voicing import bursts

DOUBTFUL = -0.8
"""Mean log probability (a confidence of 0.45) from which a text that repeats itself may be what was said. Measured: -0.2 to
-0.6 for what people say again and again; speech that the model does not understand is below."""

# Whisper's own answer to a failed pass is to sample at rising temperatures. CTranslate2's random generator cannot be
# seeded again once it has been used (it is a thread-local of its worker), so a window would come out differently
# after a restart. A failed pass is therefore searched again without repeats, which is the same every time.
PASSES: tuple[dict[str, Any], ...] = (
    {},
    {"no_repeat_ngram_size": 3, "repetition_penalty": 1.1},
)


@dataclass(frozen=True, slots=True)
class Pass:
    """One search: the tokens, their text, their mean log probability, and the model's guess that nobody spoke.

    `said`: the text repeats itself, and the voice is one that does, too.
    """

    tokens: list[int]
    text: str
    logprob: float
    no_speech: float
    said: bool = False

    @property
    def failed(self) -> bool:
        return self.logprob < UNLIKELY or (get_compression_ratio(self.text) > COMPRESSES and not self.said)

    @property
    def repeats(self) -> bool:
        return get_compression_ratio(self.text) > COMPRESSES or is_loop(self.text)

    def better_than(self, other: Pass) -> bool:
        """It does not run in a loop as the other does, or it is more probable."""
        mine, its = (one.repeats and not one.said for one in (self, other))
        return its if mine != its else self.logprob > other.logprob


def as_often_as_said(found: Pass, voice: NDArray[np.float32], tokenizer: Tokenizer) -> Pass:
    """A pass that repeats itself, marked as said if the voice does, too.

    Whisper counts badly: what it repeats a few times more often than the voice begins is cut off there.
    """
    times, begins = repetitions(found.text), bursts(voice)
    tokens = found.tokens
    if 2 <= begins < times <= 2 * begins:
        last = [tokens[-1]] if tokens[-1] >= tokenizer.timestamp_begin else []
        ends = range(1, len(tokens) + 1)
        kept = next(end for end in ends if repetitions(text_of(tokens[:end], tokenizer)) >= begins)
        if not _new_words(text_of(tokens[:kept], tokenizer), text_of(tokens[kept:], tokenizer)):
            tokens = [*tokens[:kept], *last]
    text = text_of(tokens, tokenizer)
    return replace(found, tokens=tokens, text=text, said=True) if is_said(text, voice) else found


def _new_words(before: str, after: str) -> bool:
    said, later = (set(re.findall(r"\w+", text.casefold())) for text in (before, after))
    return not later <= said


def text_of(tokens: Sequence[int], tokenizer: Tokenizer) -> str:
    text: str = tokenizer.decode([t for t in tokens if t < tokenizer.timestamp_begin])
    return text.strip()
