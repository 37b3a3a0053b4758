"""By which words a passage is found, and a query looks for them: stems, or pairs of signs in scripts without spaces. Pure.

Both sides fold alike: no capitals, no accents of Latin, Greek and Cyrillic letters, no difference of width.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Iterator

from earmark.summarization.words import stemmer_for

FORM = 3
"""Goes up when words are made in another way, or more is kept of them; then all is put into the index again."""

_MARKS = "".join(
    c for c in map(chr, range(0x300, min(sys.maxunicode, 0xFFFF))) if unicodedata.category(c)[0] == "M"
)

TOKEN = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
"""Letters and digits with the marks that belong to them: what unicode61 takes for a token."""

_NOTHING = "".join(
    map(
        chr,
        (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF),
    )
)
"""Signs that are no part of a word in which they are: where it may be parted, or which way it is read."""

_JOINERS = "\u200c\u200d"
"""Signs that say which form letters have; of no meaning in scripts whose letters have one."""

UNSEEN = _NOTHING + _JOINERS
"""Signs that nobody sees."""

_OF_ONE_FORM = (
    "0-9A-Za-z\u00c0-\u024f\u0300-\u052f\u0e00-\u0eff\u1e00-\u1fff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
)

_WITHIN = re.compile(
    rf"(?<=[{_OF_ONE_FORM}])[{UNSEEN}]+(?=[{_OF_ONE_FORM}])|(?<=[\w{_MARKS}])[{_NOTHING}]+(?=[\w{_MARKS}])"
)

_ACCENTS = re.compile("[\u0300-\u036f]")

LONGEST = 64
"""Characters of a word that count."""


def joined(text: str) -> str:
    """A text without signs that nobody sees within its words: a soft hyphen, a space of no width."""
    return text if text.isascii() else _WITHIN.sub("", text)


def folded(text: str) -> str:
    """A text as it is compared."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


_PAIRED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Signs that are found by pairs: scripts without spaces (`spacing`), and Korean, which joins its particles to words."""


def runs(token: str) -> Iterator[tuple[bool, str]]:
    """A token in parts that are found by pairs of signs, and others."""
    at = 0
    for found in () if token.isascii() else _PAIRED.finditer(token):
        if at < found.start():
            yield False, token[at : found.start()]
        yield True, found[0]
        at = found.end()
    if at < len(token):
        yield False, token[at:]


@functools.lru_cache(maxsize=20_000)
def stem_of(word: str, language: str) -> str:
    """The stem of a word, folded."""
    word = unicodedata.normalize("NFKC", word).lower()[:LONGEST]
    return folded(stemmer_for(language)(word))


def pairs_of(run: str) -> list[str]:
    """Each sign with the next; the last one alone."""
    run = folded(run)
    return [run[n : n + 2] for n in range(len(run))]


def stems_and_pairs(text: str, language: str) -> tuple[str, str]:
    """Both columns of a text in a language."""
    stems: list[str] = []
    pairs: list[str] = []
    for found in TOKEN.finditer(unicodedata.normalize("NFKC", joined(text))):
        for paired, part in runs(found[0]):
            if paired:
                pairs += pairs_of(part)
            else:
                stems.append(stem_of(part, language))
    return " ".join(stems), " ".join(pairs)
