"""Folders that belong to a program: its library, its package, its container. Nobody else reads or writes in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from earmark.files import fold

LIBRARIES: Mapping[str, str] = {
    "aplibrary": "a library of Aperture",
    "band": "a project of GarageBand",
    "cmproj": "a project of Camtasia",
    "dvdmedia": "a film of DVD Player",
    "fcpbundle": "a library of Final Cut Pro",
    "imovielibrary": "a library of iMovie",
    "imovieproject": "a project of iMovie",
    "logicx": "a project of Logic Pro",
    "migratedaplibrary": "a library of Aperture",
    "migratedphotolibrary": "a library of iPhoto",
    "musiclibrary": "a library of Music",
    "photolibrary": "a library of iPhoto",
    "photoslibrary": "a library of Photos",
    "pvt": "a Live Photo",
    "qtpxcomposition": "a composition of QuickTime Player",
    "rcproject": "a project of iMovie",
    "screenflow": "a project of ScreenFlow",
    "theater": "a theater of iMovie",
    "tvlibrary": "a library of TV",
}
"""Endings of folders in which a program keeps sound and film, and finds its way about by a database of its own."""

DOCUMENTS = frozenset("dtbase dtbase2 dtsparse key numbers pages rtfd scriv textbundle".split())
"""Endings of folders in which a program keeps texts: a note may lie there, and no recording that was dropped."""

PACKAGES = (
    frozenset(LIBRARIES)
    | DOCUMENTS
    | frozenset(
        (
            "app appex backupbundle bundle component dsym framework kext mdimporter mpkg pkg playground plugin prefpane pvm "
            "qlgenerator saver sparsebundle utm vmwarevm vst vst3 workflow xcarchive xcodeproj xcworkspace"
        ).split()
    )
)
"""Endings of folders that macOS shows as one file: com.apple.package in each program's Info.plist."""

_CONTAINERS = (
    ("containers",),
    ("daemon containers",),
    ("group containers",),
    ("application support", "com.apple.voicememos"),
)
"""Folders in ~/Library that macOS keeps for one program each (System Integrity Protection asks the user, or refuses)."""

_VOICE_MEMOS = "voicememos"
"""In the names of all folders that Voice Memos has had: com.apple.voicememos, group.com.apple.VoiceMemos.shared."""

_INSTEAD = "into a folder of your own, and watch that one"


def package(name: str) -> str:
    """The ending by which a folder is a program's own, in lower case; "" for any other folder."""
    stem, _, ending = name.lower().rpartition(".")
    return ending if stem.strip(".") and ending in PACKAGES else ""


def containers_below(folder: Path, home: Path) -> frozenset[str]:
    """Where below a folder containers of programs lie: paths from there, folded. `home`: of the user; both as they really
    are.
    """
    top, library = _folded(folder), (*_folded(home), "library")
    if library[: len(top)] != top:
        return frozenset()
    return frozenset("/".join((*library[len(top) :], *inner)) for inner in _CONTAINERS)


def why_no_drop_folder(folder: Path, home: Path) -> str | None:
    """Why nobody but its program is to read and write in a folder, and what to do instead; None for any other. `folder` and
    `home` as they really are.
    """
    folded = _folded(folder)
    if (found := _container(folded, _folded(home))) is not None:
        if _VOICE_MEMOS in "/".join(folded):
            return (
                "is where Voice Memos keeps its recordings, under names and dates that only it knows, and what is written or"
                f" deleted there reaches your other devices; share or drag the recordings out of Voice Memos {_INSTEAD}"
                " (a Shortcut can save them there)"
            )
        verb, where = "is" if found == len(folded) else "lies in", "/".join(folder.parts[found - 2 : found])
        return f"{verb} {where}, which macOS keeps for programs alone; let the program export {_INSTEAD}"
    for part in reversed(folder.parts):
        if (what := LIBRARIES.get(package(part))) is not None:
            return f"{'is' if part == folder.name else f'lies in {part},'} {what}; export what is to be heard {_INSTEAD}"
    return None


def _container(folder: tuple[str, ...], home: tuple[str, ...]) -> int | None:
    """How many parts of a path lead to the container that it is, or lies in."""
    for at, part in enumerate(folder):
        if part != "library" or not (folder[:at] == home or folder[at - 2 : at - 1] == ("users",)):
            continue
        for inner in _CONTAINERS:
            if folder[at + 1 : at + 1 + len(inner)] == inner:
                return at + 1 + len(inner)
    return None


def _folded(path: Path) -> tuple[str, ...]:
    """Its parts, as a disk that folds case compares them."""
    return tuple(fold(part) for part in path.parts)
