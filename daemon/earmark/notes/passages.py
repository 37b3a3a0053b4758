"""Which passages of a transcript's note are not as we would write them, and what stands there instead. Pure.

A paragraph is known by its time. Text of a person's own, which is none of what was said, is left where it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import partial

from earmark.corrections import Passage, Word, words_of
from earmark.domain import Seconds, Segment
from earmark.notes.before_times import name_behind
from earmark.notes.block_words import MOST_PLACED, with_our_signs, without, words_in
from earmark.notes.blocks import Block
from earmark.notes.escape import escape_inline, normalize
from earmark.notes.names_said import Shown
from earmark.notes.naming import as_shown
from earmark.notes.paragraphs import Paragraph, Piece
from earmark.notes.runs import is_spelled_so, marked_up, read_back, why_left_out
from earmark.notes.style import NoteStyle, stamp

PLACED = 0.5
"""Share of the words of a paragraph without a time of ours that must be those that were heard there, for it to be a part of
what was said, as where a person has begun a new paragraph; what has less of them is the person's own.
"""

MOVED = 2
"""Seconds by which a sentence may begin elsewhere than the note says, which was written before its words were corrected:
what is not measured is reckoned by other letters then."""

_PLACE = re.compile(r"#t=\d{1,7}")
_SHOWN = re.compile(r"(?<=[\[|])[\d:]+(?=\])")


_BARE_NAME = re.compile(r"^(?:\*\*)?(.*?)(?::\*\*|\*\*:|\*\*|:| [–—-])? ?$")
"""Of a name before a time what is no mark of it."""


def bare_name(before: str) -> str:
    """Who speaks, by what stands before a time, as a reader sees it."""
    return as_shown(_BARE_NAME.sub(r"\1", before))


@dataclass(slots=True)
class _Section:
    """Our paragraphs, by their place, and what stands for them in the note. `said`: the words there."""

    ours: list[int]
    theirs: list[Block]
    as_written: bool = False
    said: list[Word] = field(default_factory=list)

    @property
    def anchor(self) -> Block | None:
        return self.theirs[0] if self.theirs and self.theirs[0].at is not None else None

    def order(self, heard: Sequence[str]) -> list[int]:
        """The blocks in which words that were heard are looked for: that with the time first, then those that have most of
        them, because a person may have quoted some as well.
        """
        known = {*heard}
        like = {
            n: sum(word.text in known for word in words_of(block.words))
            for n, block in enumerate(self.theirs)
        }
        return sorted(like, key=lambda n: (self.theirs[n] is not self.anchor, -like[n], self.theirs[n].own))


class Passages:
    """A note held against paragraphs of what was told. `placed`: its lines that are of what was said. `aside`: what stands
    before times and is not.
    """

    def __init__(
        self, told: Sequence[Segment], parts: Sequence[Paragraph], blocks: Sequence[Block], style: NoteStyle
    ) -> None:
        self.parts = parts
        self.foreign = False
        self.spelled = True
        self.placed: set[int] = set()
        self.aside: list[str] = []
        self._style = style
        # A note has times within its paragraphs, whatever is to be in the next one, or none.
        self._sentences = any(block.links for block in blocks)
        self._number = {id(segment): n for n, segment in enumerate(told)}
        self._pieces: defaultdict[int, list[tuple[int, Piece]]] = defaultdict(list)
        for n, part in enumerate(parts):
            for piece in part.pieces:
                self._pieces[self._number[id(piece.segment)]].append((n, piece))
        self._sections = [*_sections(parts, _once(parts, blocks))]
        for section in self._sections:
            self._read(section)

    @property
    def likeness(self) -> tuple[float, float]:
        """Shares of the paragraphs that stand there as they are written, and whose times do."""
        written = sum(section.as_written for section in self._sections)
        return written / max(1, len(self.parts)), self.anchored / max(1, len(self.parts))

    @property
    def anchored(self) -> int:
        """How many times of ours are there."""
        return sum(section.anchor is not None for section in self._sections)

    @property
    def ends_in_several(self) -> bool:
        """Whether there is no time of the last paragraph."""
        last = self._sections[-1].ours if self._sections else []
        return len(last) > 1 and last[-1] == len(self.parts) - 1

    def passages(self) -> tuple[Passage, ...]:
        """What is not as we would write it, each with all words of its segments."""
        return tuple(self._passage(group) for group in self._groups())

    def shown(self) -> tuple[Shown, ...]:
        """With which name each turn begins whose time is there."""
        return tuple(
            Shown(part.at, part.speaker, bare_name(section.anchor.name))
            for section in self._sections
            if section.anchor is not None and (part := self.parts[section.ours[0]]).left_out is None
        )

    def restored(self) -> dict[int, str]:
        """Lines of the note with our words in their place, where a paragraph has other ones."""
        found: dict[int, str] = {}
        for section in self._sections:
            anchor = section.anchor
            if not section.as_written and anchor is not None and len(section.ours) == 1:
                found |= dict.fromkeys(anchor.lines, "")
                found[anchor.lines.start] = f"{anchor.head}{self._ours(section.ours[0], anchor)}\n"
        return found

    def _read(self, section: _Section) -> None:
        anchor, part, style = section.anchor, self.parts[section.ours[0]], self._style
        written = self._written(part)
        if len(section.ours) == len(section.theirs) == 1 and anchor is not None and anchor.words == written:
            section.as_written = True
            self.placed.update(anchor.lines)
            self.foreign |= anchor.own
            section.said = [word for piece in part.pieces for word in _words(piece)]
            return
        pieces = [piece for n in section.ours for piece in self.parts[n].pieces]
        ours = [piece.start for piece in pieces if piece.begins]
        left = [word.text for piece in pieces for word in _words(piece)][:MOST_PLACED]
        if anchor is not None and part.left_out is None:
            name, behind = name_behind(anchor.said[0], left)
            if name:
                # Of what stands on both sides of a time a person has written the second.
                anchor = replace(anchor, said=[behind, *anchor.said[1:]], name=name, own=True)
                section.theirs[0] = anchor
        said: dict[int, Sequence[Word]] = {}
        for n in section.order(left):
            block = section.theirs[n]
            if block is anchor and block.words == written and part.left_out:
                self.placed.update(block.lines)
                continue
            found, foreign = words_in(block, left)
            words = with_our_signs(found, left)
            still = without(left, words)
            if block is anchor or (words and len(left) - len(still) >= PLACED * len(words)):
                said[n], left = words, still
                self.placed.update(block.lines)
                self.foreign |= foreign or block.own or not _are_among(block.links, ours)
                so = is_spelled_so(block.parts, style.dialect, marks=style.confidence_marks)
                self.spelled = self.spelled and so and [*words] == [*found] and len(block.said) == 1
        section.said = [word for n in sorted(said) for word in said[n]]
        self.aside += [
            block.rest for n, block in enumerate(section.theirs) if not block.lines and n not in said
        ]

    def _written(self, part: Paragraph) -> str:
        """What we write behind the time of a paragraph, but for times within it."""
        if part.left_out is not None:
            return f" *{escape_inline(why_left_out(part), self._style.dialect)}*"
        runs = [replace(run, at=None) for run in part.runs(sentences=self._sentences)]
        return marked_up(runs, self._style.dialect, marks=self._style.confidence_marks)

    def _ours(self, n: int, anchor: Block) -> str:
        """What we write behind the time of a paragraph. Links in it are written as they are in the note."""
        part = self.parts[n]
        if part.left_out is not None:
            return self._written(part)
        runs = part.runs(sentences=self._sentences)
        there = [link for _, link in anchor.links]
        if len(there) == sum(run.at is not None for run in runs):
            left = iter(there)

            def link(_: Seconds) -> str:
                return next(left)

        else:
            link = partial(_like, anchor.head)
        return marked_up(runs, self._style.dialect, marks=self._style.confidence_marks, link=link)

    def _groups(self) -> list[list[_Section]]:
        """Sections that are not as we would write them; those that share a segment are one passage with what is between."""
        ordered = sorted(self._sections, key=lambda section: section.ours[0])
        groups: list[tuple[int, int, set[int]]] = []
        for n, section in enumerate(ordered):
            if section.as_written:
                continue
            first, segments = n, self._segments([section])
            while groups and groups[-1][2] & segments:
                first, _, others = groups.pop()
                segments |= others
            groups.append((first, n, segments))
        return [ordered[first : last + 1] for first, last, _ in groups]

    def _segments(self, sections: Iterable[_Section]) -> set[int]:
        return {
            self._number[id(piece.segment)]
            for section in sections
            for n in section.ours
            for piece in self.parts[n].pieces
        }

    def _passage(self, group: Sequence[_Section]) -> Passage:
        segments = sorted(self._segments(group))
        ours = {n for section in group for n in section.ours}
        before: list[Word] = []
        after: list[Word] = []
        for segment in segments:
            for n, piece in self._pieces[segment]:
                if n not in ours:
                    (before if n < min(ours) else after).extend(_words(piece))
        said = [word for section in group for word in section.said]
        shown = tuple(
            tuple(word for _, piece in self._pieces[segment] for word in _words(piece))
            for segment in segments
        )
        return Passage(tuple(segments), shown, (*before, *said, *after))


def _words(piece: Piece) -> list[Word]:
    """The words of a piece as they are shown."""
    words = words_of(normalize(piece.text))
    if words and piece.first > 0 and not piece.segment.text[piece.first - 1].isspace():
        words[0] = replace(words[0], glued=True)
    return words


def _like(head: str, at: Seconds) -> str:
    """A time as the one with which a paragraph begins is written."""
    last = head.rsplit("** ", 1)[-1].removeprefix("- ")
    return _SHOWN.sub(stamp(at), _PLACE.sub(f"#t={max(0, int(at))}", last), count=1)


def _are_among(links: Sequence[tuple[int, str]], ours: Iterable[Seconds]) -> bool:
    """Whether times are those of sentences, in their order."""
    left = iter(ours)
    return all(any(abs(int(at) - second) <= MOVED for at in left) for second, _ in links)


def _sections(parts: Sequence[Paragraph], blocks: Sequence[Block]) -> Iterator[_Section]:
    """Our paragraphs and what stands for them in the note, from one time that both have to the next. One that a person has
    moved elsewhere with its time is itself there as well.
    """
    ours = [max(0, int(part.at)) for part in parts]
    theirs = _in_our_times(ours, blocks)
    timed = [n for n, at in enumerate(theirs) if at is not None]
    matcher = SequenceMatcher(None, ours, [theirs[n] for n in timed], autojunk=False)
    anchors = [
        (same.a + n, timed[same.b + n]) for same in matcher.get_matching_blocks() for n in range(same.size)
    ]
    if not anchors:
        return
    moved = _moved(ours, theirs, anchors)
    yield from (_Section([part], [blocks[block]]) for part, block in moved.items())
    gone = {*moved.values()}
    starts = [(0, 0), *anchors] if anchors[0][0] > 0 else anchors
    ends = [*starts[1:], (len(parts), len(blocks))]
    for (first, begins), (last, stops) in zip(starts, ends, strict=True):
        here = [n for n in range(first, last) if n not in moved]
        if here:
            yield _Section(here, [blocks[n] for n in range(begins, stops) if n not in gone])


def _once(parts: Sequence[Paragraph], blocks: Sequence[Block]) -> list[Block]:
    """The blocks, of which only the one that is most like what was heard there begins with a time: a person may have put it
    before a remark as well.
    """
    ours, theirs = Counter(max(0, int(part.at)) for part in parts), Counter(block.at for block in blocks)
    heard = {
        second: {word.text for piece in part.pieces for word in _words(piece)}
        for part in parts
        if ours[second := max(0, int(part.at))] == 1 < theirs[second]
    }
    best: dict[int, tuple[int, int]] = {}
    for n, block in enumerate(blocks):
        if (at := block.at) is not None and at in heard:
            alike = len(heard[at].intersection(word.text for word in read_back(block.words).words))
            best[at] = max(best.get(at, (-1, 0)), (alike, -n))
    return [
        replace(block, at=None, own=True) if block.at in best and best[block.at][1] != -n else block
        for n, block in enumerate(blocks)
    ]


def _in_our_times(ours: Sequence[int], blocks: Sequence[Block]) -> list[int | None]:
    """The second of each block; of one that nothing of ours begins with, that of what begins hardly before or after it."""
    ats = {block.at for block in blocks}
    free = sorted({*ours} - ats)
    known = {*ours}
    found: list[int | None] = []
    for block in blocks:
        at = block.at
        if at is not None and at not in known:
            near = free[bisect_left(free, at - MOVED) :][:1]
            at = near[0] if near and near[0] <= at + MOVED else at
        found.append(at)
    return found


def _moved(
    ours: Sequence[int], theirs: Sequence[int | None], anchors: Iterable[tuple[int, int]]
) -> dict[int, int]:
    """Our paragraphs that stand out of their order, and the blocks that they are there."""
    parts, taken = ({*each} for each in zip(*anchors, strict=True))
    elsewhere = {at: n for n, at in reversed([*enumerate(theirs)]) if n not in taken}
    found: dict[int, int] = {}
    for part, at in enumerate(ours):
        if part not in parts and at in elsewhere:
            found[part] = elsewhere.pop(at)
    return found
