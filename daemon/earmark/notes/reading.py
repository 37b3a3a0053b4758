"""Which words stand in the transcript of a note, paragraph by paragraph, whoever wrote them. Pure.

What is read is held against what we would write: a paragraph is known by its time. Text of a person's own, which is none of
what was said, is left where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from rapidfuzz.distance import LCSseq

from earmark.corrections import Passage, Word, words_of
from earmark.domain import Transcript
from earmark.notes.escape import escape_inline, normalize
from earmark.notes.frontmatter import body_of, top_of
from earmark.notes.labels import IN_ENGLISH, TRANSCRIPTS
from earmark.notes.paragraphs import Paragraph, paragraphs
from earmark.notes.runs import marked_up, read_back, why_left_out
from earmark.notes.style import NoteStyle
from earmark.speaking import as_told

LONGEST_LINE = 50_000
"""Characters; a longer line or paragraph is nobody's (the longest of ours has some 2,000)."""

LONGEST_NOTE = 2_000_000
"""Characters; ten hours of talk are some 600,000."""

MOST_BLOCKS = 20_000
"""Paragraphs that are held against ours; ten hours of talk are some 1,200."""

LEAST_THERE = 0.5
"""Share of the times of our paragraphs that must stand in a note for it to be read: with less of them it is something else
that a person has made of the transcript, such as the few quotes that they need.
"""

PLACED = 0.5
"""Share of the words of a paragraph without a time of ours that must be those that were heard there, for it to be a part of
what was said, as where a person has begun a new paragraph; what has less of them is the person's own.
"""

MOST_PLACED = 2_000
"""Words of a section that are compared to find out whether a paragraph belongs there."""


_TIMED = re.compile(
    r"(?:- )?(?:\*\*(?:\\.|[^*\\\n]){1,500}\*\* )?"
    r"(?:\[\[[^\[\]\n]{1,1000}#t=(?P<wiki>\d{1,7})\|[^\[\]\n]*\]\]"
    r"|\[[\d:]+\]\([^)\n]{1,3000}#t=(?P<link>\d{1,7})\)"
    r"|(?P<stamp>(?:\d{1,3}:)?\d{1,2}:\d\d))(?=[ \t]|$)(?P<rest>.*)"
)
_OWN = re.compile(r"\s*(?:[#>|<]|[-*+] |\d+[.)] |```|~~~|%%|!\[)")
"""How a block begins that is no paragraph."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a note. `passages`: those that are not as we would write them. `restored`: the note with our words in
    their place. `foreign`: it has markup in them that we do not write.
    """

    passages: tuple[Passage, ...]
    restored: str
    foreign: bool


@dataclass(slots=True)
class _Block:
    """Lines that belong together. `at`: the second that it begins with, or None; `said`: what stands behind that, by line;
    `own`: it can be no words of the transcript.
    """

    lines: range
    said: list[str]
    at: int | None = None
    head: str = ""
    own: bool = False

    @property
    def rest(self) -> str:
        return " ".join(self.said)


def read_transcript(text: str, transcript: Transcript, style: NoteStyle) -> Read | None:
    """Compare the words in a note with those of the transcript; None if hardly any of a transcript is in it."""
    body = body_of(text)
    lines = body.split("\n") if len(text) <= LONGEST_NOTE else []
    part = _part(lines, style)
    if part is None or any(len(lines[n]) > LONGEST_LINE for n in part):
        return None
    if sum(_is_fence(lines[n]) for n in part) % 2:
        return None  # somebody is at it, and what is below is code until they close it
    blocks = [*islice(_blocks(lines, part), MOST_BLOCKS + 1)]
    if len(blocks) > MOST_BLOCKS or any(len(block.rest) > LONGEST_LINE for block in blocks):
        return None
    told = as_told(transcript).segments
    number = {id(segment): n for n, segment in enumerate(told)}
    parts = paragraphs(told, style.paragraph_pause, style.paragraph_seconds)
    passages: list[Passage] = []
    restored: dict[int, str] = {}
    foreign = False
    sections = [*_sections(parts, blocks)]
    if sum(bool(theirs) and theirs[0].at is not None for _, theirs in sections) < LEAST_THERE * len(parts):
        return None
    if parts and sections[-1][0][-1] is parts[-1] and len(sections[-1][0]) > 1 and not text.endswith("\n"):
        return None  # it breaks off, and what is behind that was hardly taken out by anybody
    for ours, theirs in sections:
        anchor = theirs[0] if theirs and theirs[0].at is not None else None
        as_written = _as_written(ours[0], style)
        if len(ours) == len(theirs) == 1 and anchor is not None and anchor.rest == as_written:
            continue
        segments = [segment for paragraph in ours for segment in paragraph.segments]
        shown = tuple(tuple(words_of(normalize(segment.text))) for segment in segments)
        heard = [word.text for words in shown for word in words][:MOST_PLACED]
        said: list[Word] = []
        for block in theirs:
            reading = read_back(block.rest)
            if block is anchor and block.rest == as_written and ours[0].left_out:
                continue
            if block is anchor or (not block.own and _is_placed(reading.words, heard)):
                said += reading.words
                foreign = foreign or reading.foreign
        passages.append(Passage(tuple(number[id(s)] for s in segments), shown, tuple(said)))
        if len(ours) == 1 and anchor is not None:
            restored |= dict.fromkeys(anchor.lines, "")
            restored[anchor.lines.start] = f"{anchor.head}{as_written}\n"
    kept = (restored.get(n, f"{line}\n") for n, line in enumerate(lines))
    return Read(tuple(passages), top_of(text) + "".join(kept)[:-1], foreign)


def _part(lines: Sequence[str], style: NoteStyle) -> range | None:
    """The lines that are the transcript; what is below it in English is not."""
    heads = [line.removeprefix("- ").strip() for line in lines]
    first = 0
    if style.layout == "one-file":
        found = [n for n, head in enumerate(heads) if head in TRANSCRIPTS]
        if not found:
            return None
        first = found[-1] + 1
    last = next((n for n in range(first, len(heads)) if heads[n] == f"## {IN_ENGLISH}"), len(heads))
    return range(first, last)


def _blocks(lines: Sequence[str], part: Iterable[int]) -> Iterator[_Block]:
    block: _Block | None = None
    fenced = False
    for n in part:
        line = lines[n].rstrip("\r")
        fence = _is_fence(line)
        fenced = fenced != fence
        timed = None if fenced else _TIMED.match(line)
        if timed is not None or not line.strip() or block is None or (_OWN.match(line) and not block.own):
            if block is not None:
                yield block
            block = None
        if timed is not None:
            at = int(timed["wiki"] or timed["link"] or _seconds(timed["stamp"]))
            block = _Block(range(n, n + 1), [timed["rest"]], at, line[: timed.start("rest")])
        elif not line.strip():
            continue
        elif block is None:
            block = _Block(range(n, n + 1), [line], own=fenced or fence or _OWN.match(line) is not None)
        else:
            block.lines = range(block.lines.start, n + 1)
            block.said.append(line.strip())
    if block is not None:
        yield block


def _is_fence(line: str) -> bool:
    return line.lstrip().startswith(("```", "~~~"))


def _seconds(stamp: str) -> int:
    total = 0
    for part in stamp.split(":"):
        total = total * 60 + int(part)
    return total


def _sections(
    parts: Sequence[Paragraph], blocks: Sequence[_Block]
) -> Iterator[tuple[Sequence[Paragraph], Sequence[_Block]]]:
    """Our paragraphs and what stands for them in the note, from one time that both have to the next. One that a person has
    moved elsewhere with its time is itself there as well.
    """
    timed = [n for n, block in enumerate(blocks) if block.at is not None]
    ours = [max(0, int(part.at)) for part in parts]
    matcher = SequenceMatcher(None, ours, [blocks[n].at for n in timed], autojunk=False)
    anchors = [
        (same.a + n, timed[same.b + n]) for same in matcher.get_matching_blocks() for n in range(same.size)
    ]
    if not anchors:
        return
    moved = _moved(ours, blocks, anchors)
    yield from (([parts[part]], [blocks[block]]) for part, block in moved.items())
    gone = {*moved.values()}
    starts = [(0, 0), *anchors] if anchors[0][0] > 0 else anchors
    ends = [*starts[1:], (len(parts), len(blocks))]
    for (first, begins), (last, stops) in zip(starts, ends, strict=True):
        here = [parts[n] for n in range(first, last) if n not in moved]
        if here:
            yield here, [blocks[n] for n in range(begins, stops) if n not in gone]


def _moved(
    ours: Sequence[int], blocks: Sequence[_Block], anchors: Iterable[tuple[int, int]]
) -> dict[int, int]:
    """Our paragraphs that stand out of their order, and the blocks that they are there."""
    parts, theirs = ({*each} for each in zip(*anchors, strict=True))
    elsewhere = {block.at: n for n, block in reversed([*enumerate(blocks)]) if n not in theirs}
    found: dict[int, int] = {}
    for part, at in enumerate(ours):
        if part not in parts and at in elsewhere:
            found[part] = elsewhere.pop(at)
    return found


def _is_placed(words: Sequence[Word], heard: Sequence[str]) -> bool:
    """Whether words without a time of ours are words that were heard there."""
    same = LCSseq.similarity(heard, [word.text for word in words][:MOST_PLACED])
    return bool(words) and same >= PLACED * len(words)


def _as_written(part: Paragraph, style: NoteStyle) -> str:
    """What we write behind the time of a paragraph."""
    if part.left_out is not None:
        return f" *{escape_inline(why_left_out(part), style.dialect)}*"
    return marked_up(part.runs, style.dialect, marks=style.confidence_marks)
