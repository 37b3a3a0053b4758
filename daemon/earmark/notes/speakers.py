"""What those who speak in a recording are called in its notes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from earmark.domain import Transcript
from earmark.notes.escape import clip
from earmark.notes.labels import labels_for

LONGEST = 120
"""Most characters of a speaker's name in a note; as many as those of who owns a task."""

TURN = re.compile(r"^((?:- )?\*\*)((?:\\.|\*(?=[^*\n]|\*\* )|[^*\\\n])+?)(?=\*\* (?:\[|\d))", re.MULTILINE)
"""The name that a paragraph of a transcript begins with, before its time."""


def names_of(transcript: Transcript) -> tuple[str, ...]:
    """What each speaker is called, by number: by the name that somebody gave, else "Speaker 1" in the language of the
    recording; empty where nobody knows who speaks, or not well enough.
    """
    if transcript.speakers_unsure:
        return ()
    label = labels_for(transcript.language).speaker
    return tuple(
        clip(name, LONGEST) or f"{label} {number}" for number, name in enumerate(transcript.speakers, start=1)
    )


def called(number: int, names: Sequence[str]) -> str:
    """The name of the speaker with this number; "" for one that nobody knows."""
    return names[number - 1] if 0 < number <= len(names) else ""


def has_number(name: str) -> bool:
    """Whether a speaker goes by a number ("Speaker 2"), which nobody calls them."""
    return any(char.isdigit() for char in name)


def any_of(names: Iterable[str]) -> str:
    """A regular expression for any of these names; "" if there are none. A name may be a word as well (Will, Mark),
    but for its capital.
    """
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(
        f"(?i:{re.escape(name)})" if has_number(name) else re.escape(name) for name in longest_first
    )
