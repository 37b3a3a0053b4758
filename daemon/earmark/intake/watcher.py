"""The operating system's change events, used for one thing only: to say "look now".

inotify loses events (queue overflow), stays silent at the watch limit and after an unmount, and knows nothing of
other clients of a network share; so nothing is concluded from an event, and none is needed for a file to be found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from watchdog.events import EVENT_TYPE_MODIFIED, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from earmark.config.closed import package
from earmark.intake.rules import of_a_download

NETWORK_FILESYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "sshfs", "fuse", "davfs", "vboxsf", "vmhgfs")
)  # fmt: skip
"""Filesystem types (as /proc/mounts names them) whose changes by others raise no event here."""

_QUIET_EVENTS = frozenset(("opened", "closed_no_write"))


class Hinting(FileSystemEventHandler):
    """Leaves a hint and returns; a handler that raised would end the observer for good."""

    def __init__(self, folder: Path, leave_note: Callable[[Path], None]) -> None:
        self._folder = folder
        self._leave_note = leave_note

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _QUIET_EVENTS and not self._is_in_closed(event):
            self._leave_note(self._folder)

    def _is_in_closed(self, event: FileSystemEvent) -> bool:
        """True if all that happened is in folders which are a program's own, and not looked into."""
        top = f"{self._folder}/"
        for path in (os.fsdecode(each) for each in (event.src_path, event.dest_path) if each):
            parts = path.removeprefix(top).split("/")
            inside = parts if event.event_type == EVENT_TYPE_MODIFIED else parts[:-1]
            if not path.startswith(top) or not any(package(part) or of_a_download(part) for part in inside):
                return False
        return True


class Watcher:
    """One observer over all drop folders, armed again whenever there is doubt that it still sees anything."""

    def __init__(self, leave_note: Callable[[Path], None]) -> None:
        self._leave_note = leave_note
        self._observer: Any = None
        self._armed: dict[Path, tuple[int, int]] = {}

    def arm(self, folders: Iterable[tuple[Path, bool]]) -> dict[Path, str]:
        """Watch these (folder, recursive) pairs, keeping watches that are still good.

        Returns the folders that cannot be watched, with the reason; those are found by scanning alone.
        """
        wanted = {folder: _root(folder) for folder, _ in folders}
        good = {f: root for f, root in wanted.items() if root is not None and not is_network(f)}
        if self._observer is not None and self._observer.is_alive() and good == self._armed:
            return {}
        self.stop()
        if not good:
            return {}
        self._observer = Observer()
        failed: dict[Path, str] = {}
        recursive = dict(folders)
        for folder in good:
            try:
                self._observer.schedule(
                    Hinting(folder, self._leave_note), str(folder), recursive=recursive[folder]
                )
            except OSError as error:
                failed[folder] = (
                    f"change events are not available for {folder} ({error.strerror}); it is read through on a timer instead"
                )
        try:
            self._observer.start()
        except OSError as error:
            failed |= {
                f: f"change events are not available for {f} ({error.strerror}); it is read on a timer"
                for f in good
            }
            self._observer.unschedule_all()  # those of its threads that did start would stay for ever
            self._observer = None
        self._armed = good
        return failed

    def stop(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer = None
        self._armed = {}


def _root(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_network(folder: Path, mounts: str | None = None) -> bool:
    """True if the folder lies on a network or FUSE filesystem, as far as the system tells (Linux)."""
    if mounts is None:
        if not sys.platform.startswith("linux"):
            return False
        try:
            mounts = Path("/proc/mounts").read_text(errors="surrogateescape")
        except OSError:
            return False
    here = os.path.realpath(folder)
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if (here == point or here.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind in NETWORK_FILESYSTEMS or kind.startswith("fuse.")
