"""What is a recording, by name alone. Pure, and able to say why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from earmark.config.closed import package
from earmark.files import fold
from earmark.formats import ENDINGS, NO_SOUND

if TYPE_CHECKING:
    from pathspec import PathSpec

LITTER_FOLDERS = frozenset(
    name.lower()
    for name in (
        "@eaDir", "@Recycle", "@Recently-Snapshot", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information",
        "lost+found", "__MACOSX", "RECYCLER", "Network Trash Folder", "Temporary Items", "TheVolumeSettingsFolder",
    )
)  # fmt: skip
"""Folders that NAS systems and operating systems put everywhere (Synology, QNAP, Windows, macOS servers)."""

LITTER_FILES = frozenset(("thumbs.db", "desktop.ini", "icon\r"))

_PARTIAL = re.compile(
    r"""(?ix) \.(part|partial|crdownload|download|opdownload|filepart|aria2|!ut|!qb|tmp|temp|unconfirmed|
                 icloud|ocdownload|dropboxtemp|sb-[0-9a-z-]+|!sync|incomplete|ytdl|part-frag\d+|bc!|jc!|xltd|
                 fdmdownload) $
      | ^~\$ | ^~syncthing~ | ^\.~ | \.tmp\.drive(up|down)load | ~$""",
)
"""Names under which browsers (Chrome, Firefox, Opera, Safari), sync clients (Syncthing, Nextcloud, Dropbox, Drive,
iCloud, Resilio), download managers and editors keep what is not finished yet."""

_PERHAPS_PARTIAL = re.compile(
    r"(?i)^(onedrive)?temp-[0-9a-f]{8,} | ^_unpack_ | \.(part|tmp|temp|partial)\.\w{2,5}$", re.VERBOSE
)
"""Names that OneDrive, SABnzbd and some downloaders give to what is not finished, and people to what is."""

_AN_ENDING = re.compile(r"[a-z0-9!_+-]{1,8}")

_WITHOUT_ENDING = frozenset(
    "authors changelog copying dockerfile license makefile notice readme version".split()
)
"""What projects have."""

HOLD_MARKER = ".earmark-hold"
"""A file of this name holds everything in its folder and below."""

HOLD_MARKERS = (
    HOLD_MARKER, f"{HOLD_MARKER}.txt", f"{HOLD_MARKER}.md", ".earmark_hold", ".EARMARK-HOLD", "earmark-hold",
    "earmark-hold.txt", "earmark-hold.md",
)  # fmt: skip
"""What a person may have called it where an editor adds an ending or hides no file with a dot."""


DOUBTFUL = 30
"""Settle times of a file whose name may be that of one that is not finished."""


def settle_times(name: str) -> int:
    """How many settle times a recording has to stay the same: more if its name may be that of one still being made."""
    return DOUBTFUL if _PERHAPS_PARTIAL.search(name) else 1


@dataclass(frozen=True)
class Rules:
    """The naming rules of one drop folder. `ignore`: patterns as in .gitignore, relative to the folder. `containers`: where
    in it macOS keeps what is a program's own (`config.closed.containers_below`).
    """

    ignore: Sequence[str] = ()
    containers: frozenset[str] = frozenset()
    _spec: PathSpec[Any] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.ignore:
            from pathspec import PathSpec  # whoever ignores nothing does not wait for it

            object.__setattr__(self, "_spec", PathSpec.from_lines("gitignore", map(_composed, self.ignore)))

    def why_not_folder(self, name: str, relative: str) -> str | None:
        """Why a subfolder is not looked into, or None if it is. `relative`: path from the drop folder."""
        if name.startswith("."):
            return "its name begins with a dot (hidden)"
        if name.lower() in LITTER_FOLDERS:
            return "the system or a NAS keeps its own things there"
        if self._ignores(relative + "/"):
            return "an ignore pattern in the configuration matches it"
        if (kind := self._closed(name, relative)) is not None:
            return (
                "it is a download that is not finished"
                if of_a_download(name)
                else f"it is a program's own ({kind}); if it is not, give it another name"
            )
        return None

    def closed(self, name: str, relative: str) -> str | None:
        """By which ending, or under which name, a subfolder belongs to a program, which alone looks into it; None if it
        does not, or is not looked into for another reason.
        """
        kind = self._closed(name, relative)
        ignored = self._ignores(relative + "/")
        return None if ignored or name.startswith(".") else kind

    def why_not(self, name: str, relative: str) -> str | None:
        """Why a file is not a recording, or None if it is one. `relative`: path from the drop folder."""
        if name.startswith("."):
            return "its name begins with a dot (hidden)"
        lower = name.lower()
        if lower in LITTER_FILES:
            return "the system or a NAS put it there"
        if _PARTIAL.search(name):
            return "its name says that it is still being downloaded, copied or synced"
        suffix = _ending(lower)  # called for 100,000 names in a scan
        if suffix not in ENDINGS:
            return f"{'.' + suffix if suffix else 'a name without an ending'} is not an audio or video format earmark takes"
        if self._ignores(relative):
            return "an ignore pattern in the configuration matches it"
        return None

    def untaken(self, name: str, relative: str) -> str | None:
        """The ending of a file that may be a recording of a kind that is not known here ("" for none); None otherwise."""
        ending = _ending(name.lower())
        if (
            ending in ENDINGS
            or ending in NO_SOUND
            or name.lower() in LITTER_FILES
            or name.lower() in _WITHOUT_ENDING
        ):
            return None
        if name.startswith((".", "~")) or _PARTIAL.search(name) or name in HOLD_MARKERS:
            return None
        if self._ignores(relative):
            return None
        # "Call with Dr. Miller" has no ending, and a name is not to be read in a count.
        return ending if _AN_ENDING.fullmatch(ending) else ""

    def _ignores(self, relative: str) -> bool:
        return self._spec is not None and self._spec.match_file(_composed(relative))

    def _closed(self, name: str, relative: str) -> str | None:
        if (ending := package(name) or of_a_download(name)) != "":
            return f".{ending}"
        return name if self.containers and fold(relative) in self.containers else None


def _composed(name: str) -> str:
    """One spelling for what looks the same: names that the Finder gives are decomposed, what is typed is not."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def of_a_download(name: str) -> str:
    """The ending of a folder in which a program keeps a recording until it is downloaded (Safari: `talk.m4a.download`),
    which says the same of it as of a file; "" for any other.
    """
    stem, _, ending = name.lower().rpartition(".")
    return ending if _ending(stem) in ENDINGS and _PARTIAL.search(name) else ""


def _ending(lower: str) -> str:
    return lower.rpartition(".")[2] if "." in lower else ""
