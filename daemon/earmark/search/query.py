"""What a person types, as a question to the index. Nothing that can be typed is an error of syntax. Pure.

`budget "spring release" rem* -draft speaker:Sarah folder:calls tag:private after:2026-03-01 before:2026-04-01`
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime

from earmark.errors import UsageError
from earmark.search.terms import TOKEN, UNSEEN, joined

LONGEST = 1_000
"""Characters of a query; a long question has two hundred."""

MOST_WORDS = 60
"""Different words of a query; each is looked up."""

FILTERS = {
    "speaker": "speaker:Sarah", "folder": "folder:calls", "tag": "tag:project", "after": "after:2026-03-01",
    "before": "before:2026-03-01",
}  # fmt: skip
"""What may stand before a colon, with an example of each; any other word there is a word."""

ASK = frozenset(
    "what why how who whom whose when where which did do does was were is are summarize describe explain".split()
)
"""English words that a question begins with."""

_QUOTES = str.maketrans("“”„‟«»＂", '"' * 7)

_BEFORE = re.compile(rf'(?<![^\s"])[{UNSEEN}]+')
"""What nobody sees, before a piece."""

_PIECE = re.compile(
    rf'(?P<minus>-?)(?:(?P<key>{"|".join(FILTERS)}):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>[^\s"]+))',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word that is looked for; `prefix`: any that begins so."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. `words` are better found than not; `phrases`, words in this order, have to be there, and nothing of
    `without` may be. `after`: recorded on that day or later; `before`: on an earlier one. `asks`: it is a question.
    """

    words: tuple[Word, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    without: tuple[tuple[Word, ...], ...] = ()
    speakers: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None
    asks: bool = False
    said: str = field(default="", compare=False)
    """All words that are looked for, in order: what a query means."""


@dataclass(slots=True)
class _Reading:
    words: list[Word] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    phrases: list[tuple[str, ...]] = field(default_factory=list)
    without: list[tuple[Word, ...]] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=lambda: {key: [] for key in FILTERS})


def parse(typed: str) -> Query:
    """The query that is meant. Raises UsageError, a sentence that says what would be right."""
    if len(typed) > LONGEST:
        raise UsageError(
            f"the query has {len(typed):,} characters; say what to look for in {LONGEST:,} at most"
        )
    read = _Reading()
    text = unicodedata.normalize("NFKC", typed.translate(_QUOTES))
    for piece in _PIECE.finditer(text if text.isascii() else _BEFORE.sub("", text)):
        _take(read, piece)
    found = Query(
        tuple(dict.fromkeys(read.words)), tuple(dict.fromkeys(read.phrases)), tuple(read.without),
        tuple(read.filters["speaker"]), tuple(read.filters["folder"]), tuple(read.filters["tag"]),
        after=max((_day("after", said) for said in read.filters["after"]), default=None),
        before=min((_day("before", said) for said in read.filters["before"]), default=None),
        asks=_is_question(typed, read.words), said=" ".join(read.said),
    )  # fmt: skip
    count = len(found.words) + sum(map(len, found.phrases)) + sum(map(len, found.without))
    if count > MOST_WORDS:
        raise UsageError(
            f"the query has {count} different words; say what to look for in {MOST_WORDS} at most"
        )
    if found.without and not (found.words or found.phrases or found.speakers):
        raise UsageError("only what is to be left out is said; say a word to look for as well")
    if found == Query(asks=found.asks):
        raise UsageError('say what to look for: words, "a phrase", the beginning of a word as in rem*')
    return found


def _is_question(typed: str, words: list[Word]) -> bool:
    return typed.rstrip().endswith("?") or bool(words and words[0].text.lower() in ASK)


def _take(read: _Reading, piece: re.Match[str]) -> None:
    """One piece of what was typed."""
    quoted, plain = piece["quoted"], piece["plain"] or ""
    key, said = (piece["key"] or "").lower(), plain if quoted is None else quoted
    if key != "folder":  # whose name is what it is
        said = joined(said).strip(UNSEEN)
    if not key and plain.endswith(":") and plain[:-1].lower() in FILTERS:
        key, said = plain[:-1].lower(), ""
    if key:
        if piece["minus"]:
            raise UsageError(f"-{key}: only words can be left out, as in -draft")
        if not said.strip():
            raise UsageError(f"{key}: says nothing; say it as in {FILTERS[key]}")
        read.filters[key].append(said.strip())
        return
    tokens = TOKEN.findall(said)
    if not tokens:
        return
    begins = quoted is None and said.endswith("*")
    words = tuple(Word(token, begins and n == len(tokens)) for n, token in enumerate(tokens, start=1))
    if piece["minus"]:
        read.without.append(words)
        return
    read.said.append(said.strip())
    if quoted is not None:
        read.phrases.append(tuple(tokens))
    else:
        read.words += words


def _day(key: str, said: str) -> date:
    try:
        return datetime.strptime(said, "%Y-%m-%d").date()  # noqa: DTZ007 - a day of the local calendar
    except ValueError:
        raise UsageError(f"{key}:{said}: is no day; say it as in {FILTERS[key]} (year, month, day)") from None
