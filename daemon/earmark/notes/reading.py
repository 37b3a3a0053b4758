"""Which words stand in the transcript of a note, paragraph by paragraph, whoever wrote them. Pure.

What is read is held against what we would write, or an earlier version wrote (passages.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from earmark.corrections import Passage
from earmark.domain import Transcript
from earmark.notes.blocks import Block, blocks, is_fence
from earmark.notes.comments import mark_of_merge
from earmark.notes.frontmatter import body_of, top_of
from earmark.notes.labels import IN_ENGLISH, TRANSCRIPTS
from earmark.notes.names_said import Shown
from earmark.notes.paragraphs import paragraphs
from earmark.notes.passages import MOVED, Passages, bare_name
from earmark.notes.speakers import names_of
from earmark.notes.struck import without_struck
from earmark.notes.style import NoteStyle
from earmark.speaking import as_told

LONGEST_LINE = 50_000
"""Characters; a longer line or paragraph is nobody's (the longest of ours has some 2,000)."""

LONGEST_NOTE = 2_000_000
"""Characters; ten hours of talk are some 600,000."""

MOST_BLOCKS = 20_000
"""Paragraphs that are held against ours; ten hours of talk are some 1,200."""

_TOLD = re.compile(r"\w")

LEAST_THERE = 0.5
"""Share of the times of our paragraphs that must stand in a note for it to be read: with less of them it is something else
that a person has made of the transcript, such as the few quotes that they need.
"""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a note. `passages`: those that are not as we would write them. `restored`: the note with our words in
    their place. `foreign`: it has markup in them that we do not write. `spelled`: they stand there, to the letter and the
    space, as we would write them. `besides`: lines that are none of what was said, those that we write above it among them.
    `shown`: with which names its turns begin.
    """

    passages: tuple[Passage, ...]
    restored: str
    foreign: bool
    spelled: bool
    besides: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()


def read_transcript(text: str, transcript: Transcript, style: NoteStyle) -> Read | None:
    """Compare the words in a note with those of the transcript; None if they cannot be read (`why_unread`)."""
    found = _read(text, transcript, style)
    return found if isinstance(found, Read) else None


def why_unread(text: str, transcript: Transcript, style: NoteStyle) -> str:
    """Why the words in a note are not compared, and what would be right; "" if they are."""
    found = _read(text, transcript, style)
    return found if isinstance(found, str) else ""


def _read(text: str, transcript: Transcript, style: NoteStyle) -> Read | str:
    if len(text) > LONGEST_NOTE:
        return f"it has more than {LONGEST_NOTE:,} characters; take out what is none of the transcript"
    merge = mark_of_merge(text)
    if merge:
        return (
            f"it has the marks of a merge that is not finished ({merge}); keep one of both versions, and take out the"
            " other and the marks"
        )
    lines = body_of(text).split("\n")
    part = _part(lines, style)
    if part is None:
        return "the heading of its transcript is not there any more; put it back (## Transcript)"
    if sum(is_fence(lines[n]) for n in part) % 2:
        # Somebody is at it, and what is below is code until they close it.
        return "a block of code in it is not closed; close it with another ```"
    long = any(len(lines[n]) > LONGEST_LINE for n in part)
    told = as_told(transcript).segments
    # A note that an earlier version wrote has paragraphs that end elsewhere.
    ours = [
        paragraphs(told, style.paragraph_pause, style.paragraph_seconds, as_before=before)
        for before in (False, True)
    ]
    begins = {
        max(0, int(each.at)) + moved for parts in ours for each in parts for moved in range(-MOVED, MOVED + 1)
    }
    theirs = [] if long else [*islice(blocks(lines, part, begins), MOST_BLOCKS + 1)]
    if long or len(theirs) > MOST_BLOCKS or any(len(block.rest) > LONGEST_LINE for block in theirs):
        return (
            f"a paragraph in it has more than {LONGEST_LINE:,} characters, or there are more than {MOST_BLOCKS:,} of them;"
            " divide it, or take out what is none of the transcript"
        )
    found = [Passages(told, parts, theirs, style) for parts in ours]
    best = max(found, key=lambda each: each.likeness)
    if best.anchored < LEAST_THERE * len(best.parts):
        return (
            f"{best.anchored} of its {len(best.parts)} times are left, by which paragraphs are known; put them back in front"
            " of these (00:00 is enough), or let it be written again with them: move it elsewhere and say earmark retry"
        )
    if best.ends_in_several and not text.endswith("\n"):
        # What is behind that was hardly taken out by anybody.
        return "it breaks off before its last paragraphs; put them back, or end it with a line of its own"
    restored = best.restored()
    kept = (restored.get(n, f"{line}\n") for n, line in enumerate(lines))
    whole = top_of(text) + "".join(kept)[:-1]
    skipped = best.placed | _bare_times(theirs, names_of(transcript))
    besides = [lines[n].strip() for n in part if n not in skipped and _TOLD.search(lines[n])]
    besides += [text for text in best.aside if _TOLD.search(text)]
    shown = best.shown()
    if not names_of(transcript):
        besides += [turn.name for turn in shown if turn.name]
    return Read(best.passages(), whole, best.foreign, best.spelled, tuple(besides), shown)


def _bare_times(theirs: Iterable[Block], names: Collection[str]) -> set[int]:
    """The lines of times with no words behind them, or only with struck ones: what a person takes out of a paragraph leaves
    its time, and who spoke there.
    """
    return {
        n
        for block in theirs
        if block.at is not None and not _TOLD.search(without_struck(block.words, ""))
        if not block.name or bare_name(block.name) in names
        for n in block.lines
    }


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
