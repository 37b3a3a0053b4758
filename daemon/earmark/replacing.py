"""Words that are written otherwise than they were heard, by the table `replace` of the configuration. Pure.

A table is looked up and never run: nothing in it is a pattern. It is gone through once, so that what it puts there is not
replaced again. What a person corrected is not touched.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from earmark.domain import Seconds, Segment, Transcript, WordTimes, is_speech
from earmark.spacing import ELIDING, between_words

LONGEST = 200
"""Characters on either side of the table: a long sentence."""

_ALIKE = str.maketrans("’ʼ＇‐‑", "'''--")
"""Signs that are compared as one, because editors put one for the other."""

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def plain(text: str) -> str:
    """A side of the table as it is compared: composed (NFC), with single spaces between its words."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def problems(table: Mapping[str, str]) -> list[str]:
    """What is wrong with a table, a sentence each, and what would be right."""
    found: list[str] = []
    seen: dict[str, str] = {}
    for wrong, right in table.items():
        one, other = plain(wrong), plain(right)
        if not one:
            found.append(f"{wrong!r} is empty, and nothing can be found by it; write the word that is heard")
        elif not other:
            found.append(f"{one!r} would be replaced by nothing; write the word that is to stand there")
        elif one == other:
            found.append(f"{one!r} would be replaced by itself; take it out")
        elif max(len(one), len(other)) > LONGEST:
            found.append(f"{one[:40]!r}... has more than {LONGEST} characters on one side; shorten it")
        elif any(unicodedata.category(char) in ("Cc", "Cs") for char in one + other):
            found.append(f"{one!r} or what it becomes holds a character that is no text; take it out")
        elif seen.setdefault(one.translate(_ALIKE), other) != other:
            before = seen[one.translate(_ALIKE)]
            found.append(f"{one!r} is there twice, with {before!r} and {other!r}; keep one of them")
    return found or [*_circles(Table(table))]


def _circles(table: Table) -> Iterator[str]:
    """Entries that lead back to themselves: each says that the other's right word is wrong."""
    told: set[str] = set()
    for start in table.entries:
        way = [start]
        while (after := table.after(way[-1])) is not None and after not in way:
            way.append(after)
        if after == start and len(way) > 1 and told.isdisjoint(way):
            told.update(way)
            turns = " becomes ".join(repr(word) for word in (*way, start))
            yield f"{turns} again; keep the one that is right, and take out the other"


@dataclass(frozen=True, slots=True)
class Match:
    """The characters `first` up to (not with) `last` of a text are written as `written`."""

    first: int
    last: int
    written: str


class Table:
    """A table that words are looked up in. What is written small in it is found with capitals at the beginning of its words,
    too; all else only as it stands.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.entries = {plain(wrong).translate(_ALIKE): plain(right) for wrong, right in table.items()}
        self._small = {wrong for wrong in self.entries if wrong == wrong.lower()}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for wrong in self.entries:
            lengths[_Words(wrong).small[0]].add(len(wrong))
        self._lengths = {first: sorted(each, reverse=True) for first, each in lengths.items()}

    def entry(self, flat: str, small: str) -> str | None:
        """What words are in the table. `small`: the same with small letters where they begin."""
        if flat in self.entries:
            return flat
        return small if small in self._small else None

    def after(self, wrong: str) -> str | None:
        """The entry by which what an entry puts there would be replaced again."""
        words = _Words(self.entries[wrong])
        return self.entry(words.flat, words.small)

    def found(self, text: str, language: str = "") -> list[Match]:
        """What is to be written otherwise in a composed text, in order: at each place the longest that is there."""
        words = _Words(text, language)
        found: list[Match] = []
        at = 0
        while at < len(words.flat):
            until = self._until(words, at)
            if until is None:
                at += 1
                continue
            heard, small = words.flat[at:until], words.small[at:until]
            wrong = self.entry(heard, small) or heard
            written = self.entries[wrong]
            if wrong != heard and heard[0] != small[0] and written == written.lower():
                written = _capital(written)
            match = Match(words.at[at], words.at[until - 1] + 1, written)
            if written != text[match.first : match.last]:
                found.append(match)
            at = until
        return found

    def _until(self, words: _Words, at: int) -> int | None:
        """Where the longest entry ends that begins here."""
        lengths = self._lengths.get(words.small[at])
        if lengths is None or not words.edge(at):
            return None
        for length in lengths:
            until = at + length
            if (
                until <= len(words.flat)
                and self.entry(words.flat[at:until], words.small[at:until]) is not None
                and words.edge(until)
            ):
                return until
        return None


class _Words:
    """A text with single spaces and plain signs (`flat`), where each of its characters stands in it (`at`), and the same
    with small letters where words begin (`small`).
    """

    def __init__(self, text: str, language: str = "") -> None:
        self._elides = language in ELIDING
        self.at = [n for n, char in enumerate(text) if not char.isspace() or not text[n - 1 : n].isspace()]
        self.flat = "".join(" " if text[n].isspace() else text[n] for n in self.at).translate(_ALIKE)
        small = [
            low if char != (low := char.lower()) and len(low) == 1 and self.edge(n) else char
            for n, char in enumerate(self.flat)
        ]
        self.small = "".join(small)

    def edge(self, at: int) -> bool:
        """Whether a word may begin or end before this character."""
        text = self.flat
        if not 0 < at < len(text):
            return True
        before, after = text[at - 1], text[at]
        if unicodedata.category(after)[0] == "M" or after in _JOINERS or before in _JOINERS:
            return False
        if _is_letter(before) and _is_letter(after):
            return between_words(text, at)
        if after == "'" and _is_letter(before):  # Anna's is Anna's, and don't has no don in it
            rest = text[at + 1 : at + 3]
            return not rest or not _is_letter(rest[0]) or (rest[0] in "sS" and not _is_letter(rest[1:]))
        if before == "'" and _is_letter(after) and at > 1 and _is_letter(text[at - 2]):
            return self._elides
        return True


def _is_letter(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M")


def _capital(text: str) -> str:
    upper = text[0].upper()
    return upper + text[1:] if len(upper) == 1 else text


def replaced(transcript: Transcript, table: Mapping[str, str]) -> Transcript:
    """The transcript, fresh from the engine, with the words of the table in it, also in what of it is in English."""
    if not table:
        return transcript
    known = Table(table)

    def of(segments: tuple[Segment, ...], language: str) -> tuple[Segment, ...]:
        return tuple(_with(segment, known, segment.language or language) for segment in segments)

    return replace(
        transcript,
        segments=of(transcript.segments, transcript.language),
        english=of(transcript.english, "en"),
    )


def _with(segment: Segment, table: Table, language: str) -> Segment:
    if segment.heard is not None or not is_speech(segment):
        return segment
    text = unicodedata.normalize("NFC", segment.text)
    found = table.found(text, language)
    if not found:
        return segment
    words = segment.words
    if text != segment.text:
        words = tuple(
            (start, end, len(unicodedata.normalize("NFC", segment.text[:at]))) for start, end, at in words
        )
    parts: list[str] = []
    changed: list[tuple[int, str, str]] = []
    done = length = 0
    for each in found:
        length += each.first - done
        changed.append((length, text[each.first : each.last], each.written))
        parts += (text[done : each.first], each.written)
        length, done = length + len(each.written), each.last
    said = "".join((*parts, text[done:]))
    return replace(segment, text=said, words=_respelled(words, found), replaced=tuple(changed))


def _respelled(words: WordTimes, found: Sequence[Match]) -> WordTimes:
    """When the words of a text are said in which others stand there: what began among replaced ones is one word now."""
    times: list[tuple[Seconds, Seconds, int]] = []
    shift = n = 0
    for start, end, at in words:
        while n < len(found) and found[n].last <= at:
            shift += len(found[n].written) - (found[n].last - found[n].first)
            n += 1
        among = n < len(found) and found[n].first <= at
        here = (found[n].first if among else at) + shift
        if among and times and (times[-1][2] == here or at > found[n].first):
            times[-1] = (times[-1][0], end, times[-1][2])
        else:
            times.append((start, end, here))
    return tuple(times)


def before_replacing(segment: Segment) -> str:
    """The text of a segment as it was before the table changed it; of one that a person corrected, theirs."""
    text = segment.text
    for at, heard, written in reversed(segment.replaced):
        text = text[:at] + heard + text[at + len(written) :]
    return text
