"""The moves themselves: into a trash on the same filesystem, back again, or to the system's trash."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from earmark.files import make_private
from earmark.ledger import Ledger

FOLDER = ".earmark-trash"
"""The trash inside a drop folder, used where the state folder is on another filesystem."""

Step = Callable[[str], None]
"""Called with "before:ACT" and "after:ACT" around each durable act, for tests that kill the process there."""


def quiet(_: str) -> None:
    """The step hook of everyday life."""


def place_in_trash(ledger: Ledger, row: int, original: Path, folder: Path) -> Path:
    """Where in which trash: the state folder's if it is on the same filesystem, else the drop folder's."""
    own = make_private(ledger.db.file.parent / "trash")
    same = own.stat().st_dev == original.parent.stat().st_dev
    return (own if same else folder / FOLDER) / str(row) / original.name


def move(ledger: Ledger, row: int, original: Path, target: Path, folder: Path) -> None:
    """Rename a file into the trash; where the kernel says that it is another filesystem after all, into the drop folder's.

    Raises OSError; then the file is where it was.
    """
    try:
        _rename(original, target)
    except OSError as error:
        remove_folder(target.parent)
        if error.errno != errno.EXDEV or target.is_relative_to(folder / FOLDER):
            raise
        # Same device number, yet another mount (bind mounts, hardened services): the drop folder's own trash.
        target = folder / FOLDER / str(row) / original.name
        ledger.trash.aim(row, target)
        _rename(original, target)


def _rename(original: Path, target: Path) -> None:
    make_private(target.parent)
    flush(target.parent.parent)
    original.rename(target)
    flush(target.parent)
    flush(original.parent)


def bring_back(trashed: Path, original: Path, step: Step = quiet) -> None:
    """Put a file where nothing is, and take care that nothing that appears there meanwhile is overwritten."""
    try:
        os.link(trashed, original)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        # No hard links here (exFAT, some network shares); the name was free a moment ago.
        trashed.rename(original)
    else:
        flush(original.parent)
        step("after:link")
        trashed.unlink()
    flush(original.parent)
    remove_folder(trashed.parent)


def hand_over(path: Path) -> None:
    """Give a file to the desktop's trash (freedesktop.org, Finder). Raises OSError."""
    # Pulls in the desktop's libraries, which only those who ask for it should pay for.
    from send2trash import send2trash

    try:
        send2trash(str(path))
    except OSError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, f"the system's trash did not take it: {error}", str(path)) from error


def remove_for_good(trashed: Path) -> None:
    """Unlink a file in the trash and its folder there, so that a power cut does not bring it back unknown to the ledger."""
    with contextlib.suppress(FileNotFoundError):
        trashed.unlink()
        flush(trashed.parent)
    remove_folder(trashed.parent)
    with contextlib.suppress(FileNotFoundError):
        flush(trashed.parent.parent)


def remove_folder(folder: Path) -> None:
    """The row's own folder in the trash, if nothing else is in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def flush(folder: Path) -> None:
    """Make renames and unlinks in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
