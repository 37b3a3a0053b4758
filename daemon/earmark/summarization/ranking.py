"""How central each sentence is to the rest: TextRank, as sumy implements it.

sumy's own tokenizer wants data files that nltk downloads; its document model takes any tokenizer object, so it gets
ours, its stemmers (Snowball, no data) and stop words come with the packages.
TextRank: Mihalcea and Tarau, "TextRank: Bringing Order into Texts", EMNLP 2004.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from earmark.summarization.cues import phrases_for
from earmark.summarization.numerals import SCALES, UNITS
from earmark.summarization.sentences import Sentence

BLOCK = 120
"""Sentences ranked against each other at once. The matrix is quadratic, so that 6,000 would take minutes."""

FINALISTS = 6
"""How many of each block are ranked again across blocks."""

WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’-](?=\w))*", re.UNICODE)

LANGUAGES = {
    "en": "english", "de": "german", "fr": "french", "es": "spanish", "it": "italian", "pt": "portuguese",
    "nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian", "fi": "finnish", "hu": "hungarian",
    "ro": "romanian", "ru": "russian", "cs": "czech", "sk": "slovak", "pl": "polish", "uk": "ukrainian",
}  # fmt: skip
"""Whisper's language codes to the names that stemmers and stop-word lists go by."""


class Words:
    """A tokenizer for sumy's document model: words in the Unicode sense, no data files."""

    def to_words(self, text: str) -> tuple[str, ...]:
        return tuple(WORD.findall(text))


@functools.cache
def stemmer_for(language: str) -> Callable[[str], str]:
    """The stemmer of the language, or plain lower case where there is none, or it wants a package that is not here."""
    from sumy.nlp.stemmers import Stemmer, null_stemmer

    try:
        stem: Callable[[str], str] = functools.lru_cache(maxsize=20_000)(Stemmer(LANGUAGES[language]))
        stem("probe")
    except (KeyError, LookupError, ImportError, ValueError):  # ValueError: Polish without pystempel
        return null_stemmer  # type: ignore[no-any-return]
    return stem


@functools.cache
def stop_words_for(language: str) -> frozenset[str]:
    """Words that carry no topic, in lower case; empty for languages without a list."""
    own = phrases_for(language).get("stop_words")
    if own is not None:
        return frozenset(own)
    from sumy.utils import get_stop_words

    try:
        return frozenset(word.lower() for word in get_stop_words(LANGUAGES[language]))
    except (KeyError, LookupError):
        return frozenset()


@functools.cache
def empty_words_for(language: str) -> frozenset[str]:
    """Words that carry some meaning and yet are what no recording is about: greetings, days, numbers, stop words."""
    said_everywhere = phrases_for(language).get("empty", ())
    return stop_words_for(language) | frozenset(said_everywhere) | frozenset(UNITS) | frozenset(SCALES)


def content_words(text: str, language: str) -> list[str]:
    """The stems of the words that carry a topic, in order."""
    stem, stop = stemmer_for(language), stop_words_for(language)
    return [stem(word.lower()) for word in WORD.findall(text) if word.lower() not in stop and len(word) > 1]


def rank(sentences: Sequence[Sentence], language: str) -> list[float]:
    """A score per sentence, the higher the more central; scores compare within one call only.

    More than `BLOCK` sentences are ranked in blocks, and the best of each block once more against each other, so
    that the time grows with the length of the recording and not with its square.
    """
    if len(sentences) <= BLOCK:
        return rank_block(sentences, language)
    scores = [0.0] * len(sentences)
    finalists: list[int] = []
    size = -(-len(sentences) // -(-len(sentences) // BLOCK))
    for begin in range(0, len(sentences), size):
        block = sentences[begin : begin + size]
        for offset, score in enumerate(rank_block(block, language)):
            scores[begin + offset] = score * len(block)
        best = sorted(range(len(block)), key=lambda i: -scores[begin + i])[:FINALISTS]
        finalists.extend(sorted(begin + i for i in best))
    # A finalist stands above everyone who is not; its place among finalists is decided across blocks.
    top = max(scores, default=0.0)
    final = rank([sentences[i] for i in finalists], language)
    highest = max(final, default=0.0) or 1.0
    for index, score in zip(finalists, final, strict=True):
        scores[index] = top * (1.0 + score / highest)
    return scores


def rank_block(sentences: Sequence[Sentence], language: str) -> list[float]:
    from sumy.models.dom import ObjectDocumentModel, Paragraph
    from sumy.models.dom import Sentence as SumySentence
    from sumy.summarizers.text_rank import TextRankSummarizer

    if len(sentences) < 3:
        return [1.0] * len(sentences)
    words = Words()
    document: Any = ObjectDocumentModel([Paragraph([SumySentence(s.text, words) for s in sentences])])
    summarizer = TextRankSummarizer(stemmer_for(language))
    summarizer.stop_words = stop_words_for(language)
    rated = summarizer.rate_sentences(document)
    return [float(rated[sentence]) for sentence in document.sentences]
