"""What a speech engine has to be able to do. Another engine stands in by having these methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.domain import WordTimes

Samples = NDArray[np.float32]
"""Mono sound at 16 kHz, full scale -1 to 1, shape (n,)."""

RATE = 16_000
"""Samples per second of everything after the decoder; Whisper and Silero both want it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a passage is to be heard. `language` is an ISO 639-1 code that the engine knows: the one that is spoken.

    `english`: what is said is wanted in English. `words`: when each word is said is wanted, too.
    """

    language: str
    hotwords: str | None = None
    initial_prompt: str | None = None
    beam_size: int = 5
    english: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """One run of words as the engine returned it. Times are seconds in the passage it was given.

    `logprob`: mean log probability of the tokens. `no_speech`: the engine's own guess that nobody spoke, 0-1. `words`: when
    each word is said, if that was wished for and is known.
    """

    start: float
    end: float
    text: str
    logprob: float
    no_speech: float
    words: WordTimes = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine made of a passage. `reached`: seconds up to which `phrases` are complete; hear on from there."""

    phrases: tuple[Phrase, ...]
    reached: float


Weight = tuple[tuple[int, float], ...]
"""The tokens of a text: the character that each ends before, and the natural logarithm of its probability."""


class Engine(Protocol):
    """A speech engine with its model loaded. The same passage and wish always give the same phrases."""

    @property
    def name(self) -> str:
        """Library and version, as it is shown in notes."""

    @property
    def device(self) -> str:
        """ "cpu" or "cuda"."""

    @property
    def compute_type(self) -> str:
        """How the weights are computed with, for example "int8"."""

    @property
    def multilingual(self) -> bool:
        """False for a model that knows English only."""

    def languages(self) -> tuple[str, ...]:
        """ISO codes that may be wished for."""

    def voice(self, samples: Samples) -> NDArray[np.float32]:
        """The probability that somebody speaks, for each started 512 samples (32 ms)."""

    def language_odds(self, speech: Samples) -> Mapping[str, float]:
        """How probable each language is for at most 30 s of speech, by code; the sum is 1 at most."""

    def language_odds_within(
        self, speech: Samples, pieces: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        """The same for pieces (first sample, after the last) of a passage of at most 30 s, heard in their context. Whoever
        hears the passage next need not listen to it again.
        """

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        """The words of at most 30 s of speech, in order of time; `reached` is more than 0. A passage that was just
        heard with another wish need not be listened to again.
        """

    def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
        """How probable each text is for at most 30 s of speech; cheapest right after `hear` of the same."""
