"""Links from a note to its recording and to its sister note. The only markup in a note that points anywhere."""

from __future__ import annotations

import os
import re
from urllib.parse import quote_from_bytes

from earmark.domain import Seconds
from earmark.notes.escape import Dialect, escape_inline, normalize
from earmark.notes.style import stamp

PLAYABLE = frozenset({".flac", ".m4a", ".mp3", ".ogg", ".wav", ".webm", ".3gp", ".mp4"})
"""What Obsidian plays in a note (its help page "Accepted file formats"); the rest is linked."""

_UNLINKABLE = re.compile(r'[#|^\[\]%\\"<>{}`:*?]')
"""Characters that end or bend a wikilink in Obsidian, or that no vault on every system may hold in a name."""


def address(name: str) -> str:
    """The file name, or a way to it with `/`, as a relative URL: its bytes, percent-encoded, nothing left that Markdown
    could read.
    """
    return quote_from_bytes(os.fsencode(name), safe="/")


def wikilinkable(name: str) -> bool:
    """Whether `[[name]]` reaches a file of that name."""
    return not _UNLINKABLE.search(name) and normalize(name) == name


def file_link(name: str, label: str, dialect: Dialect) -> str:
    """A link to a file, by its name or the way to it from the note's folder, shown as `label` (our own words, or escaped
    already).
    """
    if dialect == "obsidian" and wikilinkable(name):
        target = note_name(name)
        return f"[[{target}]]" if label == target else f"[[{target}|{label}]]"
    return f"[{label}]({address(name)})"


def note_name(name: str) -> str:
    """What Obsidian calls a note: without its suffix, and in whatever folder of the vault it is."""
    return name.rpartition("/")[2].removesuffix(".md")


def time_link(name: str, at: Seconds, dialect: Dialect) -> str:
    """A link into the audio, shown as the time: `[[rec.m4a#t=83|01:23]]` or `[01:23](rec.m4a#t=83)`."""
    second = max(0, int(at))
    if dialect == "obsidian" and wikilinkable(name):
        return f"[[{name}#t={second}|{stamp(at)}]]"
    return f"[{stamp(at)}]({address(name)}#t={second})"


def player(name: str, dialect: Dialect) -> str:
    """The recording on top of a note: a player where the app has one for this kind of file, else a link."""
    plays = os.path.splitext(name)[1].lower() in PLAYABLE  # noqa: PTH122 - a name, not a path
    if dialect == "obsidian" and wikilinkable(name):
        return f"![[{name}]]" if plays else f"[[{name}]]"
    # mldoc ends a label at the first bracket, escaped or not.
    shown = name.replace("[", "(").replace("]", ")") if dialect == "logseq" else name
    label = escape_inline(shown, dialect)
    return f"{'!' if plays and dialect != 'plain' else ''}[{label}]({address(name)})"
