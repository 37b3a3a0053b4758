"""Which names of speakers stand in a note, so that those that a person has written there can be read back; and what a
summary says once they have others. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from earmark.domain import Point, Summary, Task
from earmark.notes.escape import JOINER, normalize
from earmark.notes.frontmatter import read_frontmatter
from earmark.notes.labels import SPEAKERS
from earmark.notes.speakers import TURN, any_of

_LINK = re.compile(r"\[\[(?:[^\[\]|]*[|/])?([^\[\]|/]+)\]\]")


def names_in(text: str, key: str = "speakers") -> tuple[str, ...]:
    """The names that a note lists in its property `key`, in order; empty if it lists none, or what can be none. Of a link
    the text is taken.
    """
    if f"{key}:" not in text:
        return ()
    listed = (read_frontmatter(text) or {}).get(key)
    if isinstance(listed, str):
        listed = listed.split(",")
    if not isinstance(listed, list) or any(isinstance(item, list | dict) for item in listed):
        return ()
    return tuple(normalize(_LINK.sub(r"\1", "" if item is None else str(item))) for item in listed)


def given(names: Sequence[str]) -> tuple[str, ...]:
    """The names without those that we made ourselves, in any language: the second is none if it is "Speaker 2"."""
    return tuple(
        "" if name.casefold() in {f"{label} {number}".casefold() for label in SPEAKERS} else name
        for number, name in enumerate(names, start=1)
    )


def numbered(body: str, names: Sequence[str]) -> str:
    """The body of a note with the places of the speakers' names in this list, where its turns begin, instead of them."""

    def place(found: re.Match[str]) -> str:
        name = re.sub(r"\\(.)", r"\1", found[2]).replace(JOINER, "")
        return f"{found[1]}{names.index(name) + 1}" if name in names else found[0]

    return TURN.sub(place, body)


def renamed(summary: Summary, before: Sequence[str], after: Sequence[str]) -> Summary:
    """The summary with the speakers' names of now (`names_of`, by number) where it has those of before.

    What an extractive one says is what was said, and stays; there they own tasks, no more.
    """
    other = {old: new for old, new in zip(before, after, strict=False) if old != new}
    if not other:
        return summary
    finds = re.compile(rf"(?<!\w)(?:{any_of(other)})(?!\w)")
    by_folded = {old.casefold(): new for old, new in other.items()}

    def words(text: str) -> str:
        if summary.by == "extractive":
            return text
        return finds.sub(lambda found: by_folded.get(found[0].casefold(), found[0]), text)

    def points(of: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(Point(words(p.text), p.at, tuple(map(words, p.flagged))) for p in of)

    def task(of: Task) -> Task:
        owner = other.get(of.owner, of.owner) if of.owner else of.owner
        return replace(of, text=words(of.text), owner=owner, flagged=tuple(map(words, of.flagged)))

    return replace(
        summary,
        title=words(summary.title),
        overview=words(summary.overview),
        key_points=points(summary.key_points),
        decisions=points(summary.decisions),
        open_questions=points(summary.open_questions),
        tasks=tuple(map(task, summary.tasks)),
        extra={heading: points(section) for heading, section in summary.extra.items()},
    )
