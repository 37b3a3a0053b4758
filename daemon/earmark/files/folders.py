"""A folder held by descriptor: what is done in it is done in that very folder, whatever its path leads to meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from earmark.files.cloud import InCloud, says_in_cloud
from earmark.files.durable import flush_folder
from earmark.files.handles import what_is
from earmark.files.naming import why

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

_Found = TypeVar("_Found")

OF_THE_SYSTEM = frozenset(
    {
        "lost+found", "System Volume Information", "$RECYCLE.BIN", ".Trashes", ".Spotlight-V100", ".fseventsd",
        ".DocumentRevisions-V100", ".TemporaryItems",
    }
)  # fmt: skip
"""Folders at the root of a disk that no user may read, and in which nobody keeps anything."""


class SymlinkInTheWay(OSError):
    """A component of the path that has to be a real folder is a symlink; `filename` says which."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ELOOP, f"{path} is a symlink; what is behind one is left alone", str(path))


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder. `path` is how it was reached, for messages; every act goes through `fd`."""

    path: Path
    fd: int

    def look_at(self, name: str) -> os.stat_result | None:
        """What has this name (itself, not what a link points to); None if nothing has."""
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        return os.listdir(self.fd)

    @property
    def what(self) -> str:
        """What it is, whatever it is called (handles.py)."""
        return what_is(self.fd)

    def is_at(self, path: Path) -> bool:
        """True if a path leads to this very folder, however it is spelled (disks that fold case, links, mounts)."""
        try:
            return os.path.samestat(os.fstat(self.fd), os.stat(path))
        except OSError:
            return False

    def at(self, name: str) -> Path:
        return self.path / name


@contextmanager
def opened(
    path: Path, top: Path | None = None, *, follow_top: bool = True, make: bool = False
) -> Iterator[Folder]:
    """Open a folder without following a symlink below `top` (default: the folder itself).

    `follow_top`: `top` itself may be reached through a symlink (a drop folder is where its owner says). `make`: folders
    that are missing below `top` are made. Raises SymlinkInTheWay, or OSError if there is no such folder.
    """
    top = path if top is None or not path.is_relative_to(top) else top
    fd = _open(top, top, None, follow_top)
    here = top
    try:
        for part in path.relative_to(top).parts:
            here = here / part
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=fd)
            inner = _open(Path(part), here, fd, False)
            os.close(fd)
            fd = inner
        yield Folder(path, fd)
    finally:
        os.close(fd)


def _open(name: Path, shown: Path, at: int | None, follow: bool) -> int:
    try:
        return os.open(name, _FLAGS | (0 if follow else os.O_NOFOLLOW), dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode) and not follow:
                raise SymlinkInTheWay(shown) from None
        if says_in_cloud(error):
            raise InCloud(shown) from None
        raise OSError(error.errno, error.strerror, str(shown)) from None


def flush(*folders: Folder) -> str | None:
    """Bring renames in folders to the medium. A failure is a doubt, returned as a sentence, because the renames happened."""
    for folder in folders:
        try:
            flush_folder(folder.fd)
        except OSError as error:
            return f"{folder.path}: {why(error)}"
    return None


def flush_folder_of(file: Path) -> None:
    """Bring the names in a file's folder to the medium. Raises OSError."""
    with opened(file.parent) as folder:
        flush_folder(folder.fd)


def make_private(folder: Path) -> Path:
    """Create the folder (and parents) readable by its owner only, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        folder.chmod(0o700)
    return folder


def remove_empty(folder: Path) -> None:
    """Remove a folder of ours, if nothing is in it."""
    with suppress(OSError):
        folder.rmdir()


Enter = Callable[[str], bool]
"""Says of a folder below, by its path, whether it is looked into."""


def names_below(
    tops: list[Path], names: Collection[str], unread: list[Path] | None = None, enter: Enter = lambda _: True
) -> Iterator[Path]:
    """Whatever has one of these names in and below folders, be it a file, a link or a folder. As `files_below` otherwise."""
    return _below(tops, unread, enter, lambda entry: Path(entry.path) if entry.name in names else None)


def files_below(
    tops: list[Path], unread: list[Path] | None = None, enter: Enter = lambda _: True
) -> Iterator[tuple[Path, os.stat_result]]:
    """Every regular file in and below folders, hidden ones included, with its stat. Follows no symlink.

    Folders that are there and cannot be read are passed over; they are added to `unread`.
    """
    return _below(tops, unread, enter, _file)


def _file(entry: os.DirEntry[str]) -> tuple[Path, os.stat_result] | None:
    # One that vanishes meanwhile, as editors' temporary files do, is none; the others of its folder are.
    with suppress(FileNotFoundError):
        if entry.is_file(follow_symlinks=False):
            return Path(entry.path), entry.stat(follow_symlinks=False)
    return None


def _below(
    tops: list[Path],
    unread: list[Path] | None,
    enter: Enter,
    look: Callable[[os.DirEntry[str]], _Found | None],
) -> Iterator[_Found]:
    """What `look` makes of the entries of all folders in and below `tops`."""
    pending = list(tops)
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False) and enter(entry.path):
                        pending.append(Path(entry.path))
                    if (found := look(entry)) is not None:
                        yield found
        except FileNotFoundError:
            continue
        except OSError:
            if unread is not None and folder.name not in OF_THE_SYSTEM:
                unread.append(folder)
