"""A later version of a note with what a person has made of the properties of the one before. Pure.

Properties that they added or changed stay as they wrote them, those that they took out stay out, and of a list both what we
and what they added is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from earmark.notes.frontmatter import body_of, dumped, top_of, well_formed
from earmark.notes.name_lists import as_read, names_in
from earmark.notes.property_comments import comments_in, has_comment

_KEY = re.compile(
    r"(?:(?P<bare>[^\s#\-\[\]{},&*!|>'\"%@`:?](?:[^:\n]|:(?!\s))*?)"
    r"|(?P<mark>['\"])(?P<quoted>[^'\"\n]+)(?P=mark))[ \t]*:(?=\s)"
)


def with_theirs(
    written: str, theirs: str, ours: str, speakers: str = "speakers", known: Sequence[str] = ()
) -> str | None:
    """`ours`, a later version of a note, with what a person has changed in the properties. `written`: these as we wrote them
    before; `theirs`: the note as it is. None where nobody can tell what they changed. `speakers`: the property that
    lists them, each in their place; `known`: the names that were read there, of which those give way that are others by now.
    """
    before, now, new = entries(written), entries(top_of(theirs)), entries(top_of(ours))
    if before is None or now is None or new is None:
        return None
    changed = _changed(names_in(theirs, speakers), known, names_in(ours, speakers))
    kept: dict[str, str] = {}
    for key, (raw, value) in now.items():
        if key not in before:
            kept[key] = raw
        elif before[key][1] != value:
            places = changed if key == speakers else None
            both = _both(key, value, before[key], new.get(key), places)
            kept[key] = raw if both is None else commented(both, raw)
        elif key in new and new[key][1] == value and has_comment(raw):
            kept[key] = raw
        elif key in new or has_comment(raw):
            kept[key] = commented(new[key][0] if key in new else "", raw)
    added = {key: raw for key, (raw, _) in new.items() if key not in before and key not in kept}
    last = {key: kept.pop(key) for key in [*kept][-1:]} if added else {}
    lines = "".join((kept | added | last).values())
    return f"---\n{lines}---\n{body_of(ours)}"


_ABOVE = ""
"""In the place of a key: comments above the first property."""

Entry = tuple[str, Any]
"""A property as it stands there, and its value."""


_BLOCK = re.compile(r"[^\n]*:[ \t]*[|>]")
"""A text of several lines, in which nothing is a comment."""


def commented(ours: str, theirs: str) -> str:
    """A property as we write it now, with the comments that a person has put beside it. Such a one says what they say of it,
    and not that it is to stay.
    """
    if not has_comment(theirs) or _BLOCK.match(theirs):
        return ours
    behind, below = comments_in(theirs)
    first, end, rest = ours.partition("\n")
    if not ours:
        return f"{behind.lstrip()}\n{below}" if behind else below
    return f"{first}{behind}{end}{rest}{below}"


def _changed(theirs: Sequence[str], known: Sequence[str], ours: Sequence[str]) -> frozenset[str]:
    """Names in a person's list that were read there and are called otherwise by now."""
    if not len(theirs) == len(known) == len(ours):
        return frozenset()
    places = zip(theirs, known, ours, strict=True)
    return frozenset(name for name, was, now in places if name == was != now)


def _both(
    key: str, theirs: Any, before: Entry, new: Entry | None, changed: frozenset[str] | None
) -> str | None:
    """A list with what either side added to it and without what either took out; None if that is theirs as it stands.
    `changed`: names that give way, where it is the list of speakers, each in their place.
    """
    if new is None or (new[1] == before[1] and not changed):
        return None
    lists = (theirs, before[1], new[1])
    if not all(isinstance(each, list) and all(isinstance(item, str) for item in each) for each in lists):
        return None
    if changed is not None and len(theirs) == len(before[1]) == len(new[1]):
        places = zip(theirs, before[1], new[1], strict=True)
        items = [now if mine == was or as_read(mine) in changed else mine for mine, was, now in places]
        return dumped({key: items}) if items != theirs else None
    if new[1] == before[1]:
        return None
    gone = {*before[1]} - {*new[1]}
    items = [item for item in theirs if item not in gone]
    items += [item for item in new[1] if item not in before[1] and item not in items]
    return dumped({key: items})


def entries(top: str) -> Mapping[str, Entry] | None:
    """Each property of a note in YAML, in order; None where they are not one on end of the other."""
    values = well_formed(top)
    if values is None:
        return None
    found: dict[str, str] = {}
    key = _ABOVE
    for line in top.splitlines(keepends=True)[1:-1]:
        start = _KEY.match(line)
        if start is not None:
            key = start["bare"] or start["quoted"]
            if key in found:
                return None
            found[key] = line
        elif key or not line.strip() or line.lstrip().startswith("#"):
            found[key] = found.get(key, "") + line
        else:
            return None
    if found.keys() - {_ABOVE} != values.keys():
        return None
    return {key: (raw, values.get(key)) for key, raw in found.items()}
