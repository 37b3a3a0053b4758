"""The list of speakers in a note, however a person has written it: the names in it, or why it cannot be read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from earmark.notes.escape import normalize
from earmark.notes.frontmatter import first_block, read_frontmatter, top_of, well_formed
from earmark.notes.labels import SPEAKERS

OURS = re.compile(rf"(?P<ours>(?:{'|'.join(sorted(SPEAKERS))}) (?P<number>\d+))(?: \(.*\?\))?", re.I)
"""What stands in the list for one whom nobody has named: "Speaker 2", or "Speaker 2 (Anna?)" for a voice like hers."""

_NUMBERED = re.compile(
    rf"(?P<label>(?:{'|'.join(sorted(SPEAKERS))}) )?(?P<number>\d{{1,3}})[:.)] +(?P<name>.+)", re.I
)
"""A name behind whom it is of, as people write it: "Speaker 2: Anna", "2: Anna", or "2. Anna"."""

_MARK = r"(?:[-*+\u2022]|\d{1,3}[.)])"
"""What begins a line of a list, as YAML, Markdown or a person has it."""
_MARKED = re.compile(rf"(?P<mark>{_MARK})(?P<said>.*)")

_LINK = re.compile(r"\[\[(?:[^\[\]|]*[|/])?([^\[\]|/]+)\]\]")

_QUOTED = re.compile(r"""(["'])(.*)\1""")

_CALLED = frozenset({"name", "speaker"})
"""Keys behind which a name stands, and nothing else."""

_PARTS = frozenset(
    "first last given family surname first_name last_name firstname lastname first-name last-name title role id".split()
)
"""Keys behind which stands what is of a person and no name."""

OUR_KEY = "speakers"
"""What the property is called that lists who speaks, where no configuration says otherwise."""

_COMMENT = "# "
"""Stands for an entry that is a comment and nothing else."""

ONE_EACH = "write one line for each, in their order, each a name"


def names_in(text: str, key: str = "speakers") -> tuple[str, ...]:
    """The names that a note lists in its property `key`, in order; empty if it lists none, or what can be none. Of a link
    the text is taken.
    """
    listed = _listed(text, key)
    return () if isinstance(listed, str) else tuple(as_read(item) for item in listed)


def why_no_names(text: str, key: str = "speakers") -> str:
    """Why the list in the property `key` of a note cannot be read as names, and what would be right; "" if it can, or if
    there is none.
    """
    listed = _listed(text, key)
    return listed if isinstance(listed, str) else ""


def has_links(text: str, key: str = "speakers") -> bool:
    """Whether a note's list of speakers has a link in it, which is more than a name."""
    listed = _listed(text, key)
    return not isinstance(listed, str) and any(_LINK.search(item) for item in listed)


def without_links(text: str) -> str:
    """A name that was written as a link, as it is read."""
    return _LINK.sub(r"\1", text)


def is_number(name: str) -> bool:
    """Whether it is what one is called whom nobody has named."""
    return OURS.fullmatch(normalize(name)) is not None


def _listed(text: str, key: str) -> tuple[str, ...] | str:
    """What stands in the list, or why that is no list of names."""
    wanted = key
    block = first_block(text)[0]
    if key.casefold() not in block.casefold() and OUR_KEY not in block.casefold():
        return ()
    properties = read_frontmatter(text) or {}
    there = _spelled(block, properties, wanted)
    if len(there) > 1:
        both = " and ".join(there)
        return (
            f"it has both {both}, so that nobody can tell which is its list of speakers; keep {wanted} alone"
        )
    if not there:
        other = next(iter(_spelled(block, properties, OUR_KEY)), "")
        return (
            f"its list {other} is not read, because it is called {wanted} here; call it so" if other else ()
        )
    key = there[0]
    listed = properties.get(key)
    typed = _by_lines(block, key)
    if not isinstance(listed, list | dict) and text.startswith("---") and well_formed(top_of(text)) is None:
        listed = typed
    elif key not in properties:
        return ()
    if isinstance(listed, str) and text.startswith("---"):
        if len(_below(key, block)) > 1 and not typed:
            return _no_list(key)
        listed = typed or listed
    if isinstance(listed, str):
        listed = listed.split(",") if listed.strip() else None
    if listed in (None, [], {}):
        return f"its list {key} is empty, which names nobody and takes no name back; {ONE_EACH}, or Speaker 1 for none"
    if isinstance(listed, dict):
        listed = [{number: name} for number, name in listed.items()]
        if not all(_NUMBERED.fullmatch(str(_item(item))) for item in listed):
            return _no_list(key)
    if not isinstance(listed, list | tuple):
        return _no_list(key)
    items = [*map(_item, _as_typed(listed, typed))]
    if any(isinstance(item, list | dict) for item in items):
        return _no_list(key)
    if _COMMENT in items:
        where = items.index(_COMMENT) + 1
        return f'place {where} of its list {key} is a comment and no name; put it into quotes (- "# ..."), or take it out'
    return _placed(["" if item is None else str(item) for item in items])


def _no_list(key: str) -> str:
    return f"its list {key} cannot be read as names; {ONE_EACH} (  - Anna)"


def _spelled(block: str, properties: Iterable[str], key: str) -> list[str]:
    """How a property is called in a note, in whichever case."""
    lines = re.findall(rf"""^["']?({re.escape(key)})["']?[ \t]*:""", block, re.MULTILINE | re.I)
    return [*dict.fromkeys([*(each for each in properties if each.casefold() == key.casefold()), *lines])]


def _as_typed(items: Sequence[Any], typed: Sequence[str]) -> Sequence[Any]:
    """The items, of which those that YAML takes for numbers, days, nothing and the like are as a person has typed them:
    007, Null.
    """
    if len(typed) != len(items):
        return items
    return [
        item if isinstance(item, str | list | dict) else raw for item, raw in zip(items, typed, strict=True)
    ]


def _below(key: str, block: str) -> list[str]:
    """The lines below a property that has nothing on its own."""
    found = re.search(
        rf"""^["']?{re.escape(key)}["']?[ \t]*:[ \t]*\r?$((?:\n[ \t]+\S[^\n]*)*)""", block, re.MULTILINE
    )
    return found[1].split("\n")[1:] if found is not None else []


def _by_lines(block: str, key: str) -> list[str]:
    """The list as a person has typed it, also in properties that are no YAML, because of a name such as @anna or *anna, of
    the mark before it, or of anything else there.
    """
    found = re.search(
        rf"""^["']?{re.escape(key)}["']?[ \t]*:(?:\s*\[([^\n]*)\])?[ \t]*\r?$((?:\n[ \t]*{_MARK}(?:[ \t][^\n]*|\r)?)*)""",
        block,
        re.MULTILINE,
    )
    if found is None:
        return []
    if found[1] is not None:
        return [_bare(item) for item in found[1].split(",")]
    lines = [each for line in found[2].split("\n")[1:] if (each := _MARKED.match(line.strip())) is not None]
    numbers = [each["mark"][:-1] for each in lines if each["mark"][0].isdigit()]
    counted = sorted(map(int, numbers)) == [*range(1, len(lines) + 1)]
    return [f"{each['mark']} {_bare(each['said'])}" if counted else _bare(each["said"]) for each in lines]


def _bare(item: str) -> str:
    """What an entry says, without quotes and the comment behind it."""
    said = re.sub(r"(?<=\S)[ \t]+#.*", "", item.strip()) if not item.strip().startswith("# ") else _COMMENT
    return _QUOTED.sub(r"\2", said)


def _item(item: Any) -> Any:
    """YAML takes a link without quotes for a list in a list, and a name with a colon for a pair."""
    if isinstance(item, dict) and len(item) == 1:
        ((what, said),) = item.items()
        if str(what).casefold() in _PARTS:
            return item
        if str(what).casefold() in _CALLED and isinstance(said, str):
            return said
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


def as_read(text: str) -> str:
    """The name for which an entry of a list stands."""
    text = normalize(without_links(text))
    ours = OURS.fullmatch(text)
    return ours["ours"] if ours else text
