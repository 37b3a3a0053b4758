"""Which names of speakers stand in a note: those that a person has written there can be read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from earmark.notes.escape import JOINER, normalize
from earmark.notes.frontmatter import read_frontmatter
from earmark.notes.labels import SPEAKERS
from earmark.notes.speakers import TURN

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
