"""What a note is called: after its recording, on every system, never after something that is already there. Pure."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Iterator

from earmark.domain import Kind
from earmark.notes.escape import normalize

LONGEST = 160
"""Bytes (UTF-8) that a note's name may take: 255 is the usual limit, of which sync clients spend up to 95 on the
names of their own temporary files (Syncthing, Nextcloud, Dropbox)."""

SUFFIX = {Kind.TRANSCRIPT: ".transcript.md", Kind.SUMMARY: ".md"}

NOTE_ENDINGS = (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".txt", ".org")
"""Endings under which people keep notes, in any case."""

TEXT_ENDINGS = NOTE_ENDINGS + tuple(
    ".srt .vtt .json .tmp .html .htm .csv .bak .old .orig ~ .text .rst .adoc .qmd .rmd .rtf .yaml .yml .xml .log"
    " .tex".split()
)
"""Endings of what earmark writes, of editors' backups, and of documents that may mention a recording."""

_LONGEST_SUFFIX = max(len(suffix) for suffix in SUFFIX.values()) + len(" (999)")

_REPLACED = str.maketrans(
    {":": "-", "/": "-", "\\": "-", "|": "-", "[": "(", "]": ")", "<": "(", ">": ")", '"': "'", "\ufffd": "_"}
    | dict.fromkeys("?*#^%`{}", "")
)
"""Windows and Obsidian forbid these in a file name or cannot link to them."""

_DEVICE = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?=\.|$)", re.I)
"""Names that Windows reserves, whatever suffix follows (learn.microsoft.com, "Naming Files, Paths, and Namespaces")."""


def candidates(audio_name: str, kind: Kind | str) -> Iterator[str]:
    """Names for a note or sidecar of the recording `audio_name`, best first, without end.

    `kind`: `Kind.TRANSCRIPT`, `Kind.SUMMARY`, or a sidecar's suffix ("srt", "en.srt"). For the summary of `standup.wav`:
    `standup.md`, `standup.wav.md`, `standup.wav (2).md`, `standup.wav (3).md` ...
    """
    suffix = _suffix(kind)
    stem, extension = os.path.splitext(audio_name)  # noqa: PTH122 - a name, not a path
    short = safe_stem(stem)
    yield short + suffix
    long = safe_stem(stem, ending=_clean(extension).lower()) if extension.strip(". ") else f"{short} (2)"
    yield long + suffix
    for number in itertools.count(2 if extension.strip(". ") else 3):
        yield f"{long if extension.strip('. ') else short} ({number}){suffix}"


def is_note(name: str) -> bool:
    """True if a file of this name may be a note."""
    return name.lower().endswith(NOTE_ENDINGS)


def is_text(name: str) -> bool:
    """True if a file of this name may hold words that were taken from a note."""
    return name.lower().endswith(TEXT_ENDINGS) or "." not in name.lstrip(".")


def earlier(audio_name: str) -> str:
    """What notes are named after while their recording's file has other content: `memo (earlier).wav`."""
    stem, extension = os.path.splitext(audio_name)  # noqa: PTH122 - a name, not a path
    return f"{stem} (earlier){extension}"


def _newer(audio_name: str) -> str:
    """What former versions of earmark named one after that has to go beside a note that its owner changed."""
    stem, extension = os.path.splitext(audio_name)  # noqa: PTH122 - a name, not a path
    return f"{stem} (new){extension}"


def later(audio_name: str, kind: Kind | str) -> Iterator[str]:
    """Names for a later version that has to go beside a note that its owner changed, best first, without end. None of them
    is what a namesake's note is called: `memo (new).md`, `memo (new 2).md` ...
    """
    stem, _ = os.path.splitext(audio_name)  # noqa: PTH122 - a name, not a path
    for number in itertools.count(1):
        yield safe_stem(stem, ending=f" (new {number})" if number > 1 else " (new)") + _suffix(kind)


def _is_later(note: str, audio_name: str, kind: Kind | str) -> bool:
    found = re.search(rf" \(new(?: [1-9]\d{{0,3}})?\)(?={re.escape(_suffix(kind))}\Z)", note)
    stem, _ = os.path.splitext(audio_name)  # noqa: PTH122 - a name, not a path
    return found is not None and note == safe_stem(stem, ending=found[0]) + _suffix(kind)


def _suffix(kind: Kind | str) -> str:
    return SUFFIX[kind] if isinstance(kind, Kind) else f".{kind.removeprefix('.')}"


def belongs(note: str, audio_name: str, kind: Kind | str) -> bool:
    """True if a note of this kind may be called so for the recording `audio_name`, also as a later version."""
    named_after = (audio_name, _newer(audio_name))
    return _is_later(note, audio_name, kind) or any(_belongs(note, name, kind) for name in named_after)


def _belongs(note: str, audio_name: str, kind: Kind | str) -> bool:
    *named, numbered = itertools.islice(candidates(audio_name, kind), 3)
    before, _, after = numbered.rpartition("(")
    number = note.removeprefix(f"{before}(").removesuffix(after.lstrip("0123456789"))
    return note in named or (number.isdecimal() and note == f"{before}({number}{after.lstrip('0123456789')}")


def safe_stem(stem: str, ending: str = "") -> str:
    """`stem` + `ending` as a name that every system accepts, with room for our suffixes within `LONGEST` bytes."""
    text = _clean(stem).strip(". ")
    text = _cut(text, LONGEST - _LONGEST_SUFFIX - len(ending.encode())) or "recording"
    return (
        _DEVICE.sub(lambda found: f"{found[0]}_", text + ending, count=1)
        if _DEVICE.match(text + ending)
        else text + ending
    )


def _clean(text: str) -> str:
    return " ".join(normalize(text).translate(_REPLACED).split())


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes, never within a character, a combining sequence or a joined emoji."""
    if len(text.encode()) <= limit:
        return text
    mark = "…"
    cut = text.encode()[: limit - len(mark.encode())].decode(errors="ignore")
    following = text[len(cut)]
    while cut and (
        unicodedata.combining(following) or following in "\u200c\u200d\ufe0e\ufe0f" or cut[-1] == "\u200d"
    ):
        following, cut = cut[-1], cut[:-1]
    return cut.rstrip(". ") + mark if cut else ""
