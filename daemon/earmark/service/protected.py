"""Places that macOS keeps from programs until its user says yes (TCC), and places that a service must not be started from.

Pure: paths in, words out. Source: Apple's Platform Security guide, "Controlling app access to files in macOS" (Desktop,
Documents, Downloads, iCloud Drive, network and removable volumes; other apps' data since macOS 14; Full Disk Access).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from earmark.files import fold

SETTINGS = "System Settings, Privacy & Security"

FILES, FULL = "Files and Folders", "Full Disk Access"


@dataclass(frozen=True, slots=True)
class Guard:
    """`what` macOS guards, and under which `setting` it is allowed. `asks`: macOS asks by itself; else it only refuses."""

    what: str
    setting: str
    asks: bool

    def of_a_folder(self, folder: Path) -> str:
        """What a drop folder there costs."""
        if self.asks:
            return (
                f"{folder} lies in {self.what}: macOS asks once more, for the service's Python"
                f" ({SETTINGS}, {self.setting})"
            )
        return (
            f"{folder} lies in {self.what}, which macOS keeps from the service unless its Python has"
            f" {self.setting} ({SETTINGS}); a folder like ~/Recordings needs no permission"
        )

    def of_a_program(self, program: Path) -> str:
        """What a program there costs."""
        return (
            f"{program} lies in {self.what}, from where macOS may keep launchd from starting it;"
            " install earmark with pipx or uv tool, and the service again"
        )


_IN_HOME = {
    ("Desktop",): Guard("the Desktop", FILES, True),
    ("Documents",): Guard("Documents", FILES, True),
    ("Downloads",): Guard("Downloads", FILES, True),
    ("Library", "Mobile Documents"): Guard("iCloud Drive", FILES, True),
    ("Library", "CloudStorage"): Guard("the folder of a cloud service", FILES, True),
    ("Library", "Containers"): Guard("the data of an app", FULL, False),
    ("Library", "Group Containers"): Guard("the data of apps", FULL, False),
}
VOLUME = Guard("another volume", FILES, True)
PHOTOS = Guard("a photo library", FULL, False)
ANOTHER_USER = Guard("another user's home", FULL, False)

_DATA = ("System", "Volumes", "Data")
"""Where the data volume really is; what is below is the same under / (firmlinks)."""


def guard_of(path: Path, home: Path) -> Guard | None:
    """What guards a whole path, if anything does. Names are compared as the usual APFS compares them: without case, and
    without the way in which accents are written.
    """
    parts, own = _parts(path), _parts(home)
    if any(part.endswith(".photoslibrary") for part in parts):
        return PHOTOS
    if parts[: len(own)] == own:
        below = parts[len(own) :]
        return next((guard for where, guard in _IN_HOME.items() if _begins(below, where)), None)
    if parts[:1] == ("volumes",) and len(parts) > 1:
        return VOLUME
    if parts[:1] == ("users",) and len(parts) > 1 and parts[1] != "shared":
        return ANOTHER_USER
    return None


def guard_there(path: Path, home: Path) -> Guard | None:
    """The same, also where a link leads to such a place."""
    return guard_of(path, home) or guard_of(Path(os.path.realpath(path)), Path(os.path.realpath(home)))


def parts_of_program(program: Path) -> tuple[Path, ...]:
    """Where an installed `earmark` really is: itself, and the Python beside it, whose link may lead elsewhere."""
    python = program.with_name("python")
    return tuple(dict.fromkeys((program, Path(os.path.realpath(program)), Path(os.path.realpath(python)))))


def passing(program: Path, home: Path, temporary: Path) -> str | None:
    """Why a program will not be there at the next login, as the end of a sentence that begins with its path; None if it
    will. `temporary`: the folder of this session's temporary files ($TMPDIR).
    """
    parts, own = _parts(program), _parts(home)
    here_today = [_parts(temporary), ("tmp",), ("private", "tmp"), ("var", "tmp"), ("private", "var", "tmp")]
    here_today += [("var", "folders"), ("private", "var", "folders")]
    if any(place and parts[: len(place)] == place for place in here_today):
        return "lies among temporary files, which macOS removes"
    at_home = parts[: len(own)] == own
    below = parts[len(own) :] if at_home else ()
    if below and (below[0] == ".cache" or _begins(below, ("Library", "Caches")) or ".cache" in below):
        return "lies in a cache (uvx, pipx run), which is emptied without a word"
    if below[:1] == (".trash",):
        return "lies in the Trash"
    if parts[:1] == ("volumes",) and len(parts) > 1 and not at_home:
        return "lies on a volume that need not be there at login"
    return None


def _begins(parts: tuple[str, ...], where: tuple[str, ...]) -> bool:
    return parts[: len(where)] == tuple(map(fold, where))


def _parts(path: Path) -> tuple[str, ...]:
    """The names of a whole path below /, as APFS compares them."""
    names = path.parts[1:] if path.is_absolute() else path.parts
    if names[:3] == _DATA:
        names = names[3:]
    return tuple(map(fold, names))
