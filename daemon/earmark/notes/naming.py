"""Which names of speakers a person has given in a note, against those that it listed before; and what a summary says once
they have others. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from earmark.domain import Point, Summary, Task
from earmark.notes.escape import JOINER, clip, normalize
from earmark.notes.labels import SPEAKERS
from earmark.notes.name_lists import OURS, is_number, without_links
from earmark.notes.speakers import LONGEST, TURN, any_of


def news(before: Sequence[str] | None, now: Sequence[str]) -> dict[int, str]:
    """Which names, by number, a person has written into a list that held others `before` (None: nobody knows): "" where one
    was taken back. Of lists of different lengths it is what stands in the place of what is not there any more.
    """
    found = {number: given_to(number, text) for number, text in _changed(before, now)}
    return {number: name for number, name in found.items() if name or (name == "" and before is not None)}


def left_over(before: Sequence[str] | None, now: Sequence[str]) -> tuple[str, ...]:
    """The names that a person has written into a list of more or fewer than there were, and that are nobody's for that."""
    if before is None or len(before) == len(now):
        return ()
    taken = {*before, *news(before, now).values()}
    return tuple(dict.fromkeys(name for name in now if name and name not in taken and not is_number(name)))


def _changed(before: Sequence[str] | None, now: Sequence[str]) -> Iterator[tuple[int, str]]:
    if before is None or len(before) == len(now):
        for number, text in enumerate(now, start=1):
            if before is None or text != before[number - 1]:
                yield number, text
        return
    once = [*dict.fromkeys(before)]
    if len(once) == len(now):  # one name of several stands there once, as an app or a person may leave it
        for old, text in zip(once, now, strict=True):
            if text != old:
                yield from ((number, text) for number, name in enumerate(before, start=1) if name == old)
        return
    for what, first, last, start, end in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if what == "replace" and last - first <= end - start:  # of more names nobody knows which one went
            yield from zip(range(first + 1, last + 1), now[start:end], strict=False)


def given_to(number: int, text: str) -> str | None:
    """The name that somebody gives by this text to the speaker with a number; "" if it is ours, or none; None if it is the
    number of another.
    """
    ours = OURS.fullmatch(normalize(text))
    if ours is None:
        return clip(text, LONGEST)
    return "" if int(ours["number"]) == number else None


def given(names: Sequence[str]) -> tuple[str, ...]:
    """The names without those that we made ourselves, in any language: the second is none if it is "Speaker 2"."""
    return tuple(
        "" if name.casefold() in {f"{label} {number}".casefold() for label in SPEAKERS} else name
        for number, name in enumerate(names, start=1)
    )


def as_shown(written: str) -> str:
    """A name as it stands before the time of a turn, as a reader sees it; of a link the text."""
    return _unescaped(without_links(written))


def _unescaped(written: str) -> str:
    return normalize(re.sub(r"\\(.)", r"\1", written).replace(JOINER, ""))


def numbered(body: str, names: Sequence[str], written: Sequence[str] = ()) -> str:
    """The body of a note with the places of the speakers' names in this list, where its turns begin, instead of them. So it
    is with the numbers of ours that were `written` for them, if they have names by now.
    """
    ours = {
        name: n
        for n, (name, named) in enumerate(zip(written, given(written), strict=True), start=1)
        if not named and len(written) == len(names)
    }

    def place(found: re.Match[str]) -> str:
        name = _unescaped(found[2])
        n = names.index(name) + 1 if name in names else ours.get(name)
        return found[0] if n is None else f"{found[1]}{n}"

    return TURN.sub(place, body)


def words_too(names: Iterable[str], said: str) -> set[str]:
    """Those names that are words of what was said as well: who is meant by one in a summary, nobody knows."""
    folded = said.casefold()
    return {name for name in names if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", folded)}


def renamed(
    summary: Summary, before: Sequence[str], after: Sequence[str], unclear: Collection[str] = ()
) -> Summary:
    """The summary with the speakers' names of now (`names_of`, by number) where it has those of before. Of `unclear` ones
    only who owns a task is certain.

    What an extractive one says is what was said, and stays; there they own tasks, no more.
    """
    other = {old: new for old, new in zip(before, after, strict=False) if old != new}
    if not other:
        return summary
    clear = {old: new for old, new in other.items() if old not in unclear}
    finds = re.compile(rf"(?<!\w)(?:{any_of(clear)})(?!\w)")
    by_folded = {old.casefold(): new for old, new in clear.items()}

    def words(text: str, by: str = "") -> str:
        if (by or summary.by) == "extractive" or not clear:
            return text
        return finds.sub(lambda found: by_folded.get(found[0].casefold(), found[0]), text)

    def points(of: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(replace(p, text=words(p.text, p.by), flagged=tuple(map(words, p.flagged))) for p in of)

    def task(of: Task) -> Task:
        owner = other.get(of.owner, of.owner) if of.owner else of.owner
        return replace(of, text=words(of.text, of.by), owner=owner, flagged=tuple(map(words, of.flagged)))

    return replace(
        summary,
        title=words(summary.title),
        overview=words(summary.overview),
        key_points=points(summary.key_points),
        decisions=points(summary.decisions),
        open_questions=points(summary.open_questions),
        jump_marks=points(summary.jump_marks),
        tasks=tuple(map(task, summary.tasks)),
        extra={heading: points(section) for heading, section in summary.extra.items()},
    )
