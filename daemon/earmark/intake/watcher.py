"""The operating system's change events, used for one thing only: to say "look now".

inotify loses events (queue overflow), stays silent at the watch limit and after an unmount, and knows nothing of
other clients of a network share; so nothing is concluded from an event, and none is needed for a file to be found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from watchdog.events import EVENT_TYPE_MODIFIED, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from earmark.config.closed import package
from earmark.intake.rules import of_a_download

NETWORK_FILESYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "sshfs", "fuse", "davfs", "vboxsf", "vmhgfs")
)  # fmt: skip
"""Filesystem types (as /proc/mounts names them) whose changes by others raise no event here."""

LONGEST_GOODBYE = 1.0
"""Seconds that threads have to end; they take a fraction of it, unless their folder hangs."""

_QUIET_EVENTS = frozenset(("opened", "closed_no_write"))


class Hinting(FileSystemEventHandler):
    """Leaves a hint and returns; a handler that raised would end the observer for good."""

    def __init__(self, folder: Path, leave_hint: Callable[[Path], None]) -> None:
        self._folder = folder
        self._leave_hint = leave_hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _QUIET_EVENTS and not self._is_in_closed(event):
            self._leave_hint(self._folder)

    def _is_in_closed(self, event: FileSystemEvent) -> bool:
        """True if all that happened is in folders which are a program's own, and not looked into."""
        top = f"{self._folder}/"
        for path in (os.fsdecode(each) for each in (event.src_path, event.dest_path) if each):
            parts = path.removeprefix(top).split("/")
            inside = parts if event.event_type == EVENT_TYPE_MODIFIED else parts[:-1]
            if not path.startswith(top) or not any(package(part) or of_a_download(part) for part in inside):
                return False
        return True


def stopped(folder: Path) -> str:
    """The sentence for a folder whose watch has died."""
    return f"change events of {folder} have stopped; it is read through on a timer instead"


class Watcher:
    """An observer for each drop folder, armed again whenever there is doubt that it still sees anything.

    Whatever is asked of a folder that does not answer hangs: `arm` is called where that holds up nobody but that folder, and
    nothing else here waits.
    """

    def __init__(self, leave_hint: Callable[[Path], None]) -> None:
        self._leave_hint = leave_hint
        self._watches: dict[Path, _Watch] = {}
        self._unproven: set[Path] = set()

    def arm(self, folder: Path, recursive: bool) -> str | None:
        """Watch a folder, unless its watch is still good. Returns why it cannot be, and is read through on a timer alone."""
        root, watch = _root(folder), self._watches.get(folder)
        self._unproven.discard(folder)
        if watch is not None and (watch.root, watch.recursive) == (root, recursive):
            if watch.alive():
                return None
            self._unproven.add(folder)
        self.drop(folder)
        if root is None or is_network(folder):
            return None
        try:
            self._watches[folder] = _Watch(folder, recursive, root, self._leave_hint)
        except Exception as error:  # no more watches, or threads; FSEvents has SystemError and others for it
            why = error.strerror if isinstance(error, OSError) else error
            return (
                f"change events are not available for {folder} ({why}); it is read through on a timer instead"
            )
        return None

    def in_doubt(self, folder: Path) -> str | None:
        """Why a folder does not count as watched although it was armed: the watch before this one has died, and what ended
        that may end each at once. None once one is found alive when it is armed again.
        """
        return stopped(folder) if folder in self._unproven else None

    def dead(self) -> list[Path]:
        """Folders of which no change is told any more, although they were armed."""
        return [folder for folder, watch in list(self._watches.items()) if not watch.alive()]

    def drop(self, folder: Path) -> None:
        """Watch it no longer."""
        if (watch := self._watches.pop(folder, None)) is not None:
            watch.stop()

    def keep_to(self, folders: Collection[Path]) -> None:
        """Watch no others any longer."""
        for folder in [folder for folder in self._watches if folder not in folders]:
            self.drop(folder)

    def stop(self) -> None:
        self.keep_to(())


class _Watch:
    """One observer, of the folder that has this root (device and inode). Raises OSError, RuntimeError or what else watchdog
    does (SystemError for FSEvents), if there is none to be had.
    """

    def __init__(
        self, folder: Path, recursive: bool, root: tuple[int, int], leave_hint: Callable[[Path], None]
    ) -> None:
        self.root, self.recursive = root, recursive
        self._observer: Any = Observer()
        try:
            self._observer.schedule(Hinting(folder, leave_hint), str(folder), recursive=recursive)
            self._observer.start()
        except Exception:
            self.stop()  # those of its threads that did start would stay for ever
            raise

    def alive(self) -> bool:
        """True if all the threads live that bring events here: the observer's, its emitter's (FSEvents), and what they have
        of their own (the one that reads inotify). One that ended says so to nobody.
        """
        emitters = list(self._observer.emitters)
        owners = (self._observer, *emitters)
        held = (thing for owner in owners for thing in list(vars(owner).values()))
        threads = (*owners, *(thing for thing in held if isinstance(thing, Thread)))
        return bool(emitters) and all(thread.is_alive() for thread in threads)

    def stop(self) -> None:
        """Its threads end, and are waited for as long as nothing hangs."""

        def end() -> None:
            with suppress(Exception):
                self._observer.stop()

        try:
            ending = Thread(target=end, name="unwatch", daemon=True)
            ending.start()
        except RuntimeError:
            return  # no more threads here
        ending.join(LONGEST_GOODBYE)


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
