"""Which names of speakers stand in a note, so that those that a person has written there can be read back; and what a
summary says once they have others. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from earmark.domain import Point, Summary, Task
from earmark.notes.escape import JOINER, clip, normalize
from earmark.notes.frontmatter import first_block, read_frontmatter, top_of, well_formed
from earmark.notes.labels import SPEAKERS
from earmark.notes.speakers import LONGEST, TURN, any_of

_OURS = re.compile(rf"(?P<ours>(?:{'|'.join(sorted(SPEAKERS))}) (?P<number>\d+))(?: \(.*\?\))?", re.I)
"""What stands in the list for one whom nobody has named: "Speaker 2", or "Speaker 2 (Anna?)" for a voice like hers."""

_NUMBERED = re.compile(
    rf"(?P<label>(?:{'|'.join(sorted(SPEAKERS))}) )?(?P<number>\d{{1,3}}): +(?P<name>.+)", re.I
)
"""A name behind whom it is of, as people write it: "Speaker 2: Anna", or "2: Anna"."""

_LINK = re.compile(r"\[\[(?:[^\[\]|]*[|/])?([^\[\]|/]+)\]\]")

_QUOTED = re.compile(r"""(["'])(.*)\1""")


def names_in(text: str, key: str = "speakers") -> tuple[str, ...]:
    """The names that a note lists in its property `key`, in order; empty if it lists none, or what can be none. Of a link
    the text is taken.
    """
    return tuple(_name(item) for item in _listed(text, key))


def has_links(text: str, key: str = "speakers") -> bool:
    """Whether a note's list of speakers has a link in it, which is more than a name."""
    return any(_LINK.search(item) for item in _listed(text, key))


def without_links(text: str) -> str:
    """A name that was written as a link, as it is read."""
    return _LINK.sub(r"\1", text)


def _listed(text: str, key: str) -> tuple[str, ...]:
    if key not in text:
        return ()
    listed = (read_frontmatter(text) or {}).get(key)
    if not isinstance(listed, list | dict) and text.startswith("---") and well_formed(top_of(text)) is None:
        listed = _by_lines(first_block(text)[0], key)
    if isinstance(listed, str):
        listed = listed.split(",")
    if isinstance(listed, dict):
        listed = [{number: name} for number, name in listed.items()]
        if not all(_NUMBERED.fullmatch(str(_item(item))) for item in listed):
            return ()
    if not isinstance(listed, list):
        return ()
    items = [*map(_item, listed)]
    if any(isinstance(item, list | dict) for item in items):
        return ()
    return _placed(["" if item is None else str(item) for item in items])


def _by_lines(block: str, key: str) -> list[str]:
    """The list in properties that are no YAML, because of a name such as @anna or *anna, or of anything else there."""
    found = re.search(
        rf"""^["']?{re.escape(key)}["']?[ \t]*:(?:\s*\[([^\n]*)\])?[ \t]*\r?$((?:\n[ \t]*-(?:[ \t][^\n]*)?)*)""",
        block,
        re.MULTILINE,
    )
    if found is None:
        return []
    items = (
        found[1].split(",")
        if found[1] is not None
        else [line.strip()[1:] for line in found[2].split("\n")[1:]]
    )
    return [_QUOTED.sub(r"\2", re.sub(r"[ \t]#.*", "", item).strip()) for item in items]


def _item(item: Any) -> Any:
    """YAML takes a link without quotes for a list in a list, and a name with a colon for a pair."""
    if isinstance(item, dict) and len(item) == 1:
        ((what, said),) = item.items()
        if not isinstance(said, list | dict):
            return str(what) if said is None else f"{what}: {said}"
    inner = item[0] if isinstance(item, list) and len(item) == 1 else None
    if isinstance(inner, list) and len(inner) == 1 and not isinstance(inner[0], list | dict):
        return f"[[{inner[0]}]]"
    return item


def _placed(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in the order of their numbers, without these, where they are said with them. What is said of another than
    whose place it is stands for that number, which names nobody.
    """
    said = [_NUMBERED.fullmatch(normalize(text)) for text in texts]
    by_number = {int(each["number"]): each["name"] for each in said if each}
    if len(texts) > 1 and sorted(by_number) == [*range(1, len(texts) + 1)]:
        return tuple(by_number[number] for number in sorted(by_number))

    def placed(number: int, text: str, each: re.Match[str] | None) -> str:
        if each is None or (int(each["number"]) != number and not each["label"]):
            return text
        return each["name"] if int(each["number"]) == number else f"{each['label']}{each['number']}"

    return tuple(
        placed(n, text, each) for n, (text, each) in enumerate(zip(texts, said, strict=True), start=1)
    )


def _name(text: str) -> str:
    text = normalize(without_links(text))
    ours = _OURS.fullmatch(text)
    return ours["ours"] if ours else text


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
    ours = _OURS.fullmatch(normalize(text))
    if ours is None:
        return clip(text, LONGEST)
    return "" if int(ours["number"]) == number else None


def is_number(name: str) -> bool:
    """Whether it is what one is called whom nobody has named."""
    return _OURS.fullmatch(normalize(name)) is not None


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
