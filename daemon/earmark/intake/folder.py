"""Reading a drop folder through. The folder is the truth; whatever a watcher says is only a hint to come here."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earmark.config.closed import DOCUMENTS, containers_below, package
from earmark.files import Identity, evicted_name, fold, has_flags, hidden_kind, is_dataless, says_in_cloud
from earmark.files.cloud import where
from earmark.intake.copying import COPYING, being_copied, has_births
from earmark.intake.rules import HOLD_MARKERS, Rules, of_a_download
from earmark.notes.names import is_note

A_LOT = 256
"""Names of which the system gives some hundreds at a time."""


@dataclass(slots=True)
class Scan:
    """What was found in one folder.

    `new`: recordings by path whose identity differs from what is known. `missing`: known paths that are not there.
    `refused`: files that are recordings by name but cannot be taken, with a sentence each. `seen`: recordings in all.
    `away`: why the folder itself could not be read; nothing may be concluded from such a scan.
    `unread`: subfolders that could not be read; nothing in them may be called missing. `notes`: files that may be notes,
    by path with the time of their last change. `hidden`: files of ours that a crash left. `marked`: folders with a
    hold marker. `untaken`: how many files have an ending that is not known to hold sound, nor to hold none. `closed`: how
    many folders were not looked into because they are a program's own, by ending or name. `evicted`: files of which iCloud
    left a placeholder.
    """

    folder: Path
    new: dict[bytes, Identity] = field(default_factory=dict)
    missing: set[bytes] = field(default_factory=set)
    refused: dict[bytes, tuple[str, Identity | None]] = field(default_factory=dict)
    unread: dict[bytes, str] = field(default_factory=dict)
    notes: dict[bytes, float] = field(default_factory=dict)
    hidden: list[bytes] = field(default_factory=list)
    marked: set[bytes] = field(default_factory=set)
    untaken: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    evicted: set[bytes] = field(default_factory=set)
    seen: int = 0
    entries: int = 0
    away: str | None = None


def rules_of(folder: Path, ignore: Sequence[str]) -> Rules:
    """The naming rules of the drop folder that is there, with these patterns."""
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    return Rules(ignore, containers_below(Path(os.path.realpath(folder)), Path(home)))


def where_notes_may_be(tops: Iterable[Path]) -> Callable[[str], bool]:
    """What says of a folder in or below drop folders, by its path, whether notes may lie in it: not where a program keeps
    sound, film or itself.
    """
    containers = frozenset(fold(f"{top}/{inner}") for top in tops for inner in rules_of(top, ()).containers)

    def may_be(path: str) -> bool:
        name = path.rpartition("/")[2]
        closed = package(name) not in ("", *DOCUMENTS) or of_a_download(name) != ""
        return not closed and not (containers and fold(path) in containers)

    return may_be


def scan(
    folder: Path,
    rules: Rules,
    recursive: bool,
    known: Mapping[bytes, Identity],
    others: frozenset[bytes] = frozenset(),
    now: float = 0.0,
    sign: Callable[[], None] = lambda: None,
) -> Scan:
    """Read `folder` through and compare with `known`. Never raises for what is in the folder.

    `others`: drop folders of their own; where one lies inside this one, it is left to itself. `now`: Unix seconds; what is
    being copied and was not touched for long by then is taken. `sign`: called as long as names come.
    """
    found = Scan(folder)
    top, marks = os.fsencode(folder), has_flags() or has_births()
    missing = set(known)
    stack = [top]
    while stack:
        here = stack.pop()
        try:
            entries = os.scandir(here)
        except OSError as error:
            if here == top:
                found.away = _why_away(folder, error)
                return found
            if error.errno != errno.ENOENT:
                found.unread[here] = _why_unread(here, error)
            continue
        with entries:
            inside = os.fsdecode(here[len(top) + 1 :] + b"/") if here != top else ""
            for entry in _safely(entries, found, here, sign):
                found.entries += 1
                name = os.fsdecode(entry.name)
                if name in HOLD_MARKERS:
                    found.marked.add(here)
                try:
                    if entry.is_dir(follow_symlinks=False):
                        wanted = recursive and entry.path not in others
                        if wanted and _is_entered(found, entry, rules, inside + name, now):
                            stack.append(entry.path)
                    elif rules.why_not(name, inside + name) is None:
                        missing.discard(entry.path)
                        _recording(found, entry, known, top, now if marks else None)
                    else:
                        _other(found, entry, name)
                        if marks and (file := evicted_name(name)) is not None:
                            found.evicted.add(os.path.join(here, os.fsencode(file)))  # noqa: PTH118 - bytes
                        if (ending := rules.untaken(name, inside + name)) is not None:
                            found.untaken[ending] += 1
                except FileNotFoundError:
                    continue  # it went away between being listed and being looked at
                except OSError as error:
                    missing.discard(entry.path)
                    if not (entry.path in known and says_in_cloud(error)):
                        _not_looked_at(found, entry, error)
    _evicted(found, rules, known, top)
    missing -= found.evicted
    found.missing = {p for p in missing if not any(p.startswith(u + b"/") for u in found.unread)}
    return found


def _not_looked_at(found: Scan, entry: os.DirEntry[bytes], error: OSError) -> None:
    """It is there, and the disk or its cloud does not say what it is: what is in it is not missing."""
    if not entry.name.startswith(b"."):
        found.unread[entry.path] = _why_unread(entry.path, error)


def _is_entered(found: Scan, entry: os.DirEntry[bytes], rules: Rules, relative: str, now: float) -> bool:
    """Whether a subfolder is looked into; that it is a program's own is counted, and that it is being copied is said."""
    name = os.fsdecode(entry.name)
    if rules.why_not_folder(name, relative) is not None:
        if (kind := rules.closed(name, relative)) is not None:
            found.closed[kind] += 1
        return False
    # What is in a folder that the Finder copies has no mark of its own.
    if has_births() and being_copied(entry.stat(follow_symlinks=False), now):
        found.unread[entry.path] = COPYING
        return False
    if has_flags() and is_dataless(entry.stat(follow_symlinks=False)):
        found.unread[entry.path] = where(entry.path)
        return False
    return True


def _recording(
    found: Scan, entry: os.DirEntry[bytes], known: Mapping[bytes, Identity], top: bytes, now: float | None
) -> None:
    """A file that is a recording by its name. `now`: None where the system neither knows births nor flags."""
    status = entry.stat(follow_symlinks=False)
    found.seen += 1
    identity = Identity.of(status)
    if now is not None and is_dataless(status):
        if known.get(entry.path) != identity:
            found.refused[entry.path] = (where(entry.path), None)
    elif (reason := _why_refused(entry.path, status, top)) is not None:
        found.refused[entry.path] = (reason, identity)
    elif now is not None and being_copied(status, now):
        found.refused[entry.path] = (COPYING, None)  # it grows, and that is no news
    elif known.get(entry.path) != identity:
        found.new[entry.path] = identity


def _evicted(found: Scan, rules: Rules, known: Mapping[bytes, Identity], top: bytes) -> None:
    """Recordings of which there is a placeholder: those that are known are no trouble, others wait."""
    for path in found.evicted:
        name, relative = os.fsdecode(path.rpartition(b"/")[2]), os.fsdecode(path[len(top) + 1 :])
        if path not in known and path not in found.new and rules.why_not(name, relative) is None:
            found.refused[path] = (where(path), None)


def _other(found: Scan, entry: os.DirEntry[bytes], name: str) -> None:
    """A file that is no recording: it may be a note, or something of ours."""
    if name.startswith("."):
        if hidden_kind(name) is not None:
            found.hidden.append(entry.path)
    elif is_note(name):
        status = entry.stat(follow_symlinks=False)
        # The change time moves with a rename, too, which the modification time does not.
        found.notes[entry.path] = max(status.st_ctime, status.st_mtime)


def _safely(
    entries: Iterator[os.DirEntry[bytes]], found: Scan, here: bytes, sign: Callable[[], None]
) -> list[os.DirEntry[bytes]]:
    """What is in a folder. One that is unmounted while it is read, or of which a cloud has the names, raises in the middle:
    what was read still counts, and the rest is not missing.
    """
    result: list[os.DirEntry[bytes]] = []
    try:
        for entry in entries:
            result.append(entry)
            if len(result) % A_LOT == 0:
                sign()
        sign()
    except OSError as error:
        if here == os.fsencode(found.folder):
            found.away = _why_away(found.folder, error)
        found.unread[here] = _why_unread(here, error)
    return result


def _why_refused(path: bytes, status: os.stat_result, top: bytes) -> str | None:
    if stat.S_ISLNK(status.st_mode):
        target = os.path.realpath(path)
        if not os.path.exists(target):  # noqa: PTH110 - bytes path
            return "is a link to something that is not there; put the recording itself into the folder"
        if not target.startswith(os.path.realpath(top) + b"/"):
            return "is a link that leads out of the folder; put the recording itself into the folder"
        return "is a link to another file of this folder, which is taken itself"
    if not stat.S_ISREG(status.st_mode):
        return "is not an ordinary file (a pipe, socket or device)"
    if status.st_size == 0:
        return "is empty (0 bytes); it will be taken when it has content"
    return None


def _why_unread(folder: bytes, error: OSError) -> str:
    if says_in_cloud(error):
        return where(folder)
    return f"cannot be read: {error.strerror}" + (
        "; give earmark read permission on it" if error.errno in (errno.EACCES, errno.EPERM) else ""
    )


def _why_away(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{folder} is not there; create it or mount its disk, and it will be watched again"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{folder} may not be read by this user; allow it (on macOS to Python: System Settings, Privacy & Security,"
            " Files and Folders)"
        )
    if says_in_cloud(error):
        return f"{folder} {where(folder)}"
    return f"{folder} cannot be read: {error.strerror}"
