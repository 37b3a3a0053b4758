"""How much words sound like, and are spelled like, others. Pure, and rough on purpose: it needs no language."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

VOWELS = frozenset("aeiouy")

ALIKE = ("bp", "cgjkqxsz", "dt", "fvw", "mn", "lr")
"""Consonants that are taken for one another, or are one sound in another language's spelling."""

_SOUND = {**{letter: group[0] for group in ALIKE for letter in group}, **dict.fromkeys(VOWELS, "a"), "h": ""}


def letters(text: str) -> str:
    """The letters of a text without accents and case, doubled ones once: what is compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"(.)\1", r"\1", "".join(c for c in plain if c.isalnum()).replace("ph", "f"))


def sounds(text: str) -> str:
    """Letters as they sound, roughly: vowels in a row are one, consonants that are taken for one another the same."""
    return re.sub(r"(.)\1+", r"\1", "".join(_SOUND.get(c, c) for c in text))


@lru_cache(10_000)
def distance(heard: str, name: str) -> float:
    """How far words are from a name, as a share of its letters: half of it for how they are spelled, half for how they
    sound. 1.0 for a name without letters.
    """
    one, other = letters(heard), letters(name)
    if not other:
        return 1.0
    from rapidfuzz.distance import Levenshtein  # no verb that only looks waits for it

    edits = Levenshtein.distance(one, other) + Levenshtein.distance(sounds(one), sounds(other))
    return edits / (2.0 * len(other))
