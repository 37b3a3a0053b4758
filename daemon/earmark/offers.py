"""Which words that people correct again and again are offered as vocabulary: names and terms, not sentences. Pure."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from earmark.amended import ENDS, Correction
from earmark.corrections import MOST_WORDS, compared, words_of
from earmark.sounding import distance, letters
from earmark.spacing import ELIDING, spaceless

TWICE = 2
"""Sentences in which the same word has to be corrected, in one recording or in several."""

OFTEN = 3
"""Sentences from which what is written like a name is one, however unlike what was heard it sounds and however short it is:
nobody writes another word by mistake so often (Nguyen for When, Ng for Ing).
"""

MOST_CHANGED = 4
"""Words in a row, on either side, that may be a name that was heard wrongly; of more, somebody wrote another sentence."""

MOST_OF_A_NAME = 3
"""Words that are one name, or were heard for one."""

NEAR, NEAR_NAME = 0.34, 0.45
"""Distance (`sounding.distance`) from which a word does not sound like what was heard. The first is that of
`transcription/names.py`; a word written like a name in the middle of a sentence is believed a little further (Siobhan for
Shivon: 0.43; Tuesday for Monday: 0.5).
"""

LEAST_LETTERS, LEAST_AT_BEGINNING, LEAST_SMALL, LEAST_OFTEN = 3, 4, 6, 2
"""Letters of a name, of one that only begins sentences, of a term in small letters, and of what is corrected OFTEN: shorter
ones are mostly words of the language that sound like another one of it (bare and bear).
"""

MOST_ASKED = 50
"""Words for which it is looked up whether they are heard elsewhere, the most frequent first; a look reads all transcripts.
Of others nobody can tell, so they are not offered unless they are written like names.
"""

LONGEST = 60
"""Characters of a word; what is longer is none."""

NOUNS = ("de", "lb")
"""Languages that write each noun with a capital, which makes no name of it."""

_POSSESSIVE = re.compile(r"['’][sS]$")


@dataclass(frozen=True, slots=True)
class Offer:
    """A word that was corrected so often (`times`), what was heard instead, the most frequent first, and where."""

    word: str
    heard: tuple[str, ...]
    times: int
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """Words in the place of others. `where`: in which recording and sentence; `begins`: a sentence begins
    with them; `apart`: more than case and spaces changed.
    """

    word: str
    heard: str
    where: tuple[str, int]
    begins: bool
    distance: float
    language: str

    @property
    def apart(self) -> bool:
        return _bare_letters(self.word) != _bare_letters(self.heard)


@dataclass(slots=True)
class _Word:
    """One word of a run: without what stands at it, in which sentence, and whether that begins with it."""

    text: str
    sentence: int
    begins: bool


def offers(
    corrections: Iterable[Correction], empty: Callable[[str], frozenset[str]], heard: Callable[[str], int]
) -> list[Offer]:
    """The names and terms that were corrected twice or more, the most frequent first.

    `empty`: the words of a language that are no names, in small letters. `heard`: in how many segments a word was heard,
    corrected there or not.
    """
    changes: defaultdict[str, list[_Change]] = defaultdict(list)
    ordered = sorted(corrections, key=lambda each: (each.recording_id, each.number))
    for run in _runs(ordered):
        empty_words = empty(run[0].language)
        for change in _changes(run, empty_words):
            if _words_in(change.word).isdisjoint(empty_words):
                changes[change.word.casefold()].append(change)
    asked = 0

    def count(word: str) -> int:
        nonlocal asked
        asked += 1
        return heard(word) if asked <= MOST_ASKED else sys.maxsize

    often = sorted(changes.values(), key=len, reverse=True)
    found = [offer for each in often if (offer := _offer(each, count)) is not None]
    return sorted(found, key=lambda offer: (-offer.times, offer.word))


def _runs(corrections: Sequence[Correction]) -> Iterator[list[Correction]]:
    """What is compared at once: a segment, with those behind it of which what was heard is kept with it."""
    run: list[Correction] = []
    for each in corrections:
        if run and (
            each.heard or (each.recording_id, each.number - 1) != (run[-1].recording_id, run[-1].number)
        ):
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _words_in(text: str) -> set[str]:
    return {word.casefold() for word in text.split()}


def _changes(run: Sequence[Correction], empty: frozenset[str]) -> Iterator[_Change]:
    """The names and terms that stand in the place of something that sounds like them."""
    before = [word for each in run for word in _words(each, each.heard)]
    after = [word for each in run for word in _words(each, each.said)]
    if not before or max(len(before), len(after)) > MOST_WORDS:
        return
    codes = compared([word.text for word in before], [word.text for word in after])
    # One name at many places is one change.
    different = {
        (*(w.text for w in before[i1:i2]), "", *(w.text for w in after[j1:j2]))
        for same, i1, i2, j1, j2 in codes
        if not same and i2 > i1
    }
    changed = sum(each.index("") for each in different)
    if changed > MOST_CHANGED and 2 * changed > len(before):
        return
    language = run[0].language
    for same, i1, i2, j1, j2 in codes:
        if not same and 0 < i2 - i1 <= MOST_CHANGED and 0 < j2 - j1 <= MOST_CHANGED:
            gone, come = before[i1:i2], after[j1:j2]
            whole = _whole_name(gone, come, run[0].recording_id, language, empty)
            yield from [whole] if whole else _paired(gone, come, run[0].recording_id, language)


def _whole_name(
    before: Sequence[_Word], after: Sequence[_Word], recording_id: str, language: str, empty: frozenset[str]
) -> _Change | None:
    """Several words in a row that are written like a name, and sound like what was heard, are one name, and not several."""
    if not 1 < len(after) <= MOST_OF_A_NAME or len(before) > MOST_OF_A_NAME:
        return None
    heard, said = (" ".join(word.text for word in words) for words in (before, after))
    named = after[0].text[0].isupper() and after[-1].text[0].isupper()
    named = named and len({word.sentence for word in after}) == 1
    far = distance(heard, said)
    if not named or far > NEAR_NAME or not _words_in(said).isdisjoint(empty):
        return None
    return _Change(said, heard, (recording_id, after[0].sentence), after[0].begins, far, language)


def _paired(
    before: Sequence[_Word], after: Sequence[_Word], recording_id: str, language: str
) -> Iterator[_Change]:
    """Which of these words were heard for which, the likest first, none of them twice, and what is left for what is left."""
    found = sorted(
        (distance(heard, said), len(into), len(out), out, into, heard, said)
        for out, heard in _phrases(before)
        for into, said in _phrases(after)
    )
    gone, come = set[int](), set[int]()
    for far, _, _, out, into, heard, said in found:
        if far <= NEAR_NAME and gone.isdisjoint(out) and come.isdisjoint(into):
            gone.update(out)
            come.update(into)
            first = after[into[0]]
            where = (recording_id, first.sentence)
            yield _Change(said, heard, where, first.begins, far, language)
    yield from _left(
        [word for n, word in enumerate(before) if n not in gone],
        [word for n, word in enumerate(after) if n not in come], recording_id, language,
    )  # fmt: skip


def _left(
    before: Sequence[_Word], after: Sequence[_Word], recording_id: str, language: str
) -> Iterator[_Change]:
    """What is like nothing that was heard is in the place of what is left of that: word for word, if there are as many."""
    pairs = [(before, after)]
    if len(before) == len(after):
        pairs = [([heard], [said]) for heard, said in zip(before, after, strict=True)]
    for heard, said in pairs:
        if 0 < len(heard) <= MOST_OF_A_NAME and 0 < len(said) <= MOST_OF_A_NAME:
            was, word = (" ".join(each.text for each in words) for words in (heard, said))
            where = (recording_id, said[0].sentence)
            yield _Change(word, was, where, said[0].begins, distance(was, word), language)


def _phrases(words: Sequence[_Word]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Words that follow on each other, by their places, and as one text."""
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + MOST_OF_A_NAME) + 1):
            yield tuple(range(first, last)), " ".join(word.text for word in words[first:last])


def _words(each: Correction, text: str) -> Iterator[_Word]:
    """The words of a segment; none where a script has no spaces, because nobody can tell there where a name ends."""
    begins, sentence = each.begins, each.sentence
    for word in words_of(unicodedata.normalize("NFC", text)):
        bare = _bare(word.text, each.language)
        if bare:
            yield _Word(bare, sentence, begins)
        ends = bool(ENDS.search(word.text))
        begins, sentence = ends or (begins and not bare), sentence + ends


@lru_cache(10_000)
def _bare(word: str, language: str) -> str:
    """A word without what stands at it: punctuation, the possessive of English, an article that is joined to it. "" for
    what cannot be a name.
    """
    if len(word) > LONGEST or any(map(spaceless, word)):
        return ""
    kept = [n for n, char in enumerate(word) if unicodedata.category(char)[0] in "LMN"]
    bare = _POSSESSIVE.sub("", word[kept[0] : kept[-1] + 1]) if kept else ""
    return re.split("['’]", bare)[-1] if language in ELIDING else bare


def _offer(changes: Sequence[_Change], heard: Callable[[str], int]) -> Offer | None:
    """What is offered of the changes into one word, whatever its case."""
    kept = [change for change in changes if change.distance <= NEAR_NAME and _is_one(change)]
    named = [change for change in kept if _is_name(change)]
    if not named:
        kept = [
            change for change in kept if change.distance <= NEAR and change.apart and not _inflected(change)
        ]
    if len({change.where for change in kept}) < TWICE:
        return _often(changes, heard)
    # At the beginning of a sentence the case says nothing.
    told = named or [change for change in kept if not change.begins] or kept
    word = _commonest(told)
    small = word == word.lower()
    if not named and len(letters(word)) < (LEAST_SMALL if small else LEAST_AT_BEGINNING):
        return _often(changes, heard)
    times = len({change.where for change in kept})
    # What is mostly heard rightly is a word like others, unless it is written like no other.
    as_others = word.lower() if not named else word if changes[0].language in NOUNS else ""
    if as_others and heard(as_others) >= times:
        return None
    instead = Counter(change.heard for change in kept)
    # A word that stands elsewhere, and nobody corrected it there, is one of the language; so is the one that is meant, then.
    if not named and any(heard(was.lower()) > times for was, times in instead.items()):
        return None
    return _told(word, kept)


def _often(changes: Sequence[_Change], heard: Callable[[str], int]) -> Offer | None:
    """What is offered because it was put there OFTEN, and is hardly ever heard."""
    kept = [change for change in changes if change.apart and change.word != change.word.lower()]
    named = [change for change in kept if _is_name(change)]
    times = len({change.where for change in kept})
    if times < OFTEN:
        return None
    word = _commonest(named or kept)
    least = (
        LEAST_OFTEN
        if named
        else min(LEAST_LETTERS if c.distance <= NEAR_NAME else LEAST_AT_BEGINNING for c in kept)
    )
    if len(letters(word)) < least or not any(map(str.isalpha, word)):
        return None
    return _told(word, kept) if heard(word if named else word.lower()) < times else None


def _commonest(changes: Sequence[_Change]) -> str:
    return Counter(change.word for change in changes).most_common(1)[0][0]


def _told(word: str, changes: Sequence[_Change]) -> Offer:
    where = sorted({change.where for change in changes})
    return Offer(
        word,
        tuple(each for each, _ in Counter(change.heard for change in changes).most_common()),
        len(where),
        tuple(dict.fromkeys(recording_id for recording_id, _ in where)),
    )


def _is_one(change: _Change) -> bool:
    """Whether it can be a name or a term that was heard wrongly, and not only another form of what was heard."""
    one, other = change.word.casefold(), change.heard.casefold()
    if len(letters(one)) < LEAST_LETTERS or not any(char.isalpha() for char in one):
        return False
    if one in (other, f"{other}s") or other == f"{one}s":
        return False
    return change.apart or change.language not in NOUNS


def _is_name(change: _Change) -> bool:
    """Whether it is written like a name where another word would not be: with a capital that begins no sentence, or within
    (iPhone).
    """
    words = change.word.split()
    if any(char.isupper() for word in words for char in word[1:]):
        return True
    return not change.begins and all(word[0].isupper() for word in words)


def _inflected(change: _Change) -> bool:
    """Whether one is the other with some letters at its end, as words of a language are inflected."""
    short, long = sorted((_bare_letters(change.word), _bare_letters(change.heard)), key=len)
    return long.startswith(short) and len(long) - len(short) < LEAST_LETTERS


def _bare_letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
