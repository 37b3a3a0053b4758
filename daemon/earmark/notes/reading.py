"""Which words stand in the transcript of a note, paragraph by paragraph, whoever wrote them. Pure.

What is read is held against what we would write, or an earlier version wrote (passages.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from earmark.corrections import Passage
from earmark.domain import Transcript
from earmark.notes.blocks import blocks, is_fence
from earmark.notes.frontmatter import body_of, top_of
from earmark.notes.labels import IN_ENGLISH, TRANSCRIPTS
from earmark.notes.paragraphs import paragraphs
from earmark.notes.passages import Passages
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


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a note. `passages`: those that are not as we would write them. `restored`: the note with our words in
    their place. `foreign`: it has markup in them that we do not write. `spelled`: they stand there, to the letter and the
    space, as we would write them.
    """

    passages: tuple[Passage, ...]
    restored: str
    foreign: bool
    spelled: bool


def read_transcript(text: str, transcript: Transcript, style: NoteStyle) -> Read | None:
    """Compare the words in a note with those of the transcript; None if hardly any of a transcript is in it."""
    body = body_of(text)
    lines = body.split("\n") if len(text) <= LONGEST_NOTE else []
    part = _part(lines, style)
    if part is None or any(len(lines[n]) > LONGEST_LINE for n in part):
        return None
    if sum(is_fence(lines[n]) for n in part) % 2:
        return None  # somebody is at it, and what is below is code until they close it
    theirs = [*islice(blocks(lines, part), MOST_BLOCKS + 1)]
    if len(theirs) > MOST_BLOCKS or any(len(block.rest) > LONGEST_LINE for block in theirs):
        return None
    told = as_told(transcript).segments
    # A note that an earlier version wrote has paragraphs that end elsewhere.
    found = [
        Passages(
            told,
            paragraphs(told, style.paragraph_pause, style.paragraph_seconds, as_before=before),
            theirs,
            style,
        )
        for before in (False, True)
    ]
    best = max(found, key=lambda each: each.likeness)
    if best.anchored < LEAST_THERE * len(best.parts):
        return None
    if best.ends_in_several and not text.endswith("\n"):
        return None  # it breaks off, and what is behind that was hardly taken out by anybody
    restored = best.restored()
    kept = (restored.get(n, f"{line}\n") for n, line in enumerate(lines))
    return Read(best.passages(), top_of(text) + "".join(kept)[:-1], best.foreign, best.spelled)


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
