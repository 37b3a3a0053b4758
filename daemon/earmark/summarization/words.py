"""What counts as a word, in any language that is heard: terms that carry a topic, and how long a text is.

Stemmers are Snowball's, stop words those of stopwords-iso (English has a list of its own: theirs takes "computer" and
"research" for stop words). A language without a list has none, and its commonest words are judged by how often they are
said (`picking`).
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator

from earmark.spacing import ELIDING
from earmark.summarization.cues import phrases_for
from earmark.summarization.numerals import SCALES, UNITS

_MARKS = "".join(
    c for c in map(chr, range(0x300, min(sys.maxunicode, 0xFFFF))) if unicodedata.category(c)[0] == "M"
)
WORD = re.compile(rf"[^\W\d_](?:[^\W_]|[{_MARKS}]|['’‌‍-](?=\w))*")
"""Letters with what belongs to them: Python's \\w leaves out the vowel signs of Hindi and Thai and would cut there."""

HAN, KANA = "㐀-䶿一-鿿豈-﫿々\U00020000-\U0003ffff", "぀-ヿㇰ-ㇿ"
THAI, LAO, BURMESE, KHMER = "฀-๿", "຀-໿", "က-႟", "ក-៿"
_UNSPACED = re.compile(rf"[{HAN}]+|[゠-ヿㇰ-ㇿ]+|[ぁ-ゟ]+|[{THAI}]+|[{LAO}]+|[{BURMESE}]+|[{KHMER}]+")
_IDEOGRAPHS, _KATAKANA, _HIRAGANA = (re.compile(part) for part in (f"[{HAN}]", "[゠-ヿㇰ-ㇿ]", "[ぁ-ゟ]"))
_CLUSTER = re.compile(rf".[{_MARKS}ะาำ]*", re.DOTALL)

LETTERS_OF_A_WORD = {f"[{HAN}]": 1.6, f"[{KANA}]": 2.5, f"[{THAI}{LAO}]": 5.0, f"[{BURMESE}{KHMER}]": 6.0}
"""So many signs say as much as one English word, by translators' rules of thumb, where nothing stands between words."""
_SIGNS = tuple((re.compile(signs), each) for signs, each in LETTERS_OF_A_WORD.items())
_ANY_SIGN = re.compile("|".join(LETTERS_OF_A_WORD))

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Whisper's language codes to the names of Snowball's stemmers."""


@functools.cache
def stemmer_for(language: str) -> Callable[[str], str]:
    """The stemmer of the language, or the word itself where there is none."""
    import snowballstemmer

    name = STEMMERS.get(language)
    if name not in snowballstemmer.algorithms():
        return str
    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return functools.lru_cache(maxsize=20_000)(stem)


@functools.cache
def stop_words_for(language: str) -> frozenset[str]:
    """Words that carry no topic, in lower case; empty for languages without a list."""
    own = phrases_for(language).get("stop_words")
    if own is not None:
        return frozenset(own)
    import stopwordsiso

    code = {"jw": "jv", "nn": "no"}.get(language, language)
    return frozenset(stopwordsiso.stopwords(code)) if stopwordsiso.has_lang(code) else frozenset()


@functools.cache
def empty_words_for(language: str) -> frozenset[str]:
    """Words that carry some meaning and yet are what no recording is about: greetings, days, numbers, stop words."""
    said_everywhere = phrases_for(language).get("empty", ())
    return stop_words_for(language) | frozenset(said_everywhere) | frozenset(UNITS) | frozenset(SCALES)


def words_in(text: str, language: str = "") -> list[str]:
    """The words of a text in lower case, in order.

    Where nothing stands between words, they are stretches that come back if a word does: two ideographs, a run of
    katakana, three syllables of Thai; hiragana is the grammar of Japanese and left out.
    """
    found: list[str] = []
    for match in WORD.finditer(text.lower()):
        word = match[0]
        if _ANY_SIGN.search(word):
            found.extend(_cut(word))
        elif language in ELIDING:
            found.extend(part for part in re.split(r"['’]", word) if part)
        else:
            found.append(word)
    return found


def _cut(word: str) -> Iterator[str]:
    at = 0
    for match in _UNSPACED.finditer(word):
        if word[at : match.start()].strip("-'’"):
            yield word[at : match.start()]
        at, run = match.end(), match[0]
        if _HIRAGANA.match(run):
            continue
        if _KATAKANA.match(run):
            yield run
            continue
        parts, size = (list(run), 2) if _IDEOGRAPHS.match(run) else (_CLUSTER.findall(run), 3)
        if len(parts) <= size:
            yield run
        else:
            yield from ("".join(parts[i : i + size]) for i in range(len(parts) - size + 1))
    if word[at:].strip("-'’"):
        yield word[at:]


@functools.cache
def _carries_nothing(language: str) -> Callable[[str], bool]:
    """Tells a stretch of signs that is a stop word, or holds an ideograph that is one."""
    stop = stop_words_for(language)
    single = frozenset(word for word in stop if len(word) == 1 and _IDEOGRAPHS.match(word))
    pieces = stop | {part for word in stop if _ANY_SIGN.search(word) for part in _cut(word)}
    return lambda word: word in pieces or not single.isdisjoint(word)


def content_words(text: str, language: str, without: frozenset[str] = frozenset()) -> list[str]:
    """The stems of the words that carry a topic, in order. `without`: further words that do not."""
    stem, empty = stemmer_for(language), _carries_nothing(language)
    return [
        stem(word)
        for word in words_in(text, language)
        if len(word) > 1 and word not in without and not empty(word)
    ]


def length_in_words(text: str) -> int:
    """How long a text is, in words, or in what says as much where nothing stands between words."""
    if not _ANY_SIGN.search(text):
        return len(text.split())
    signs = sum(len(kind.findall(text)) / each for kind, each in _SIGNS)
    others = len(re.findall(r"\w+", _ANY_SIGN.sub(" ", text)))
    return round(signs) + others
