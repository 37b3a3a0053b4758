"""Putting a file in place: whole or not at all, and never over anything but what it is to replace.

The recipe (facts.md, "Durability", tried with power cuts): write under a hidden name in the same folder, fsync, rename,
fsync the folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.files.access import Access, access_of, grant
from earmark.files.carrying import carry, unlist
from earmark.files.content import StillChanging, content_of, fingerprint, open_regular, read_bytes, sha256_of
from earmark.files.durable import flush_file, flush_folder, write_all
from earmark.files.folders import Folder, flush, make_private, opened
from earmark.files.listing import respelled
from earmark.files.renaming import (
    exchange,
    hidden_name,
    rename_exclusively,
    rename_if_free,
    rename_to_hidden,
)
from earmark.files.taking import OtherContent, Step, put_back, quiet, remove, remove_own

TIDIED = 3
"""How often what is being written may be taken for what a crash left, by another earmark that looks through the folder."""

CAME_BETWEEN = "it was saved at that very moment"


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a file is now. `doubt`: why a power cut might undo the move, or None."""

    where: Path
    doubt: str | None = None


def put_in_place(
    folder: Folder,
    name: str,
    data: bytes,
    expected: str | None,
    *,
    access: Access | None = None,
    like: tuple[Folder, str] | None = None,
    step: Step = quiet,
) -> None:
    """Make `name` a file with this content; when this returns, it survives a power cut.

    `expected` None: the name must be free, else FileExistsError; `access` or the umask says who may read it, or it gets what
    the file `like` has. A SHA-256: the file with that content is replaced, which keeps its access and attributes; anything
    else under that name keeps it, and OtherContent says so. FileNotFoundError: nothing has the name any more. Leaves no
    hidden file behind, whatever it raises.
    """
    if expected is not None:
        _must_be(folder, name, expected)
        like = (folder, name)
    hidden = _written(folder, data, access, like, step)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        if expected is None:
            step("before:create")
            rename_exclusively(folder, hidden, folder, name, alone=True)
            step("after:create")
        else:
            swap = hidden_name("swap", name)
            os.rename(hidden, swap, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
            hidden = swap
            _replace(folder, name, swap, sha256, expected, step)
    finally:
        if folder.look_at(hidden) is not None and sha256_of(hidden, folder) == sha256:
            with open_regular(hidden, folder) as fd:
                unlist(fd)
            os.unlink(hidden, dir_fd=folder.fd)
    step("before:fsync-folder")
    flush_folder(folder.fd)
    step("after:fsync-folder")


def make_durable(folder: Folder, name: str, expected: str, *, step: Step = quiet) -> None:
    """Bring a file with this content to the medium, as a crash may not have. Raises OtherContent, OSError."""
    with open_regular(name, folder) as fd:
        try:
            same = fingerprint(fd).sha256 == expected
        except StillChanging:
            same = False
        if not same:
            raise OtherContent(folder.at(name), "other content is there now")
        step("before:fsync")
        flush_file(fd)
        step("after:fsync")
    step("before:fsync-folder")
    flush_folder(folder.fd)
    step("after:fsync-folder")


def move_without_loss(
    old: Folder, name: str, new: Folder, target: str, expected: str, *, step: Step = quiet
) -> Moved:
    """Move the file with the SHA-256 `expected` to a name that must be free; returns where it is now.

    Whatever came along instead is moved back. Where a rename cannot refuse to clobber, the file has a hidden name for a
    moment; to another disk it is copied, and the copy under the old name goes as `remove` does it. Raises
    FileExistsError, OtherContent, FileNotFoundError or OSError; then it is where it was (or where OtherContent says).
    """
    _must_be(old, name, expected)
    step("before:move")
    if respelled(old, name, new, target):
        # Another spelling on a disk that folds case: one inode is one file.
        os.rename(name, target, src_dir_fd=old.fd, dst_dir_fd=new.fd)
    else:
        try:
            _rename(old, name, new, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            put_in_place(new, target, read_bytes(name, old), None, like=(old, name), step=step)
            remove(old, name, expected, step=step)
            return Moved(new.at(target))
    step("after:move")
    if sha256_of(target, new) != expected:
        raise OtherContent(put_back(new, target, old, name), "it was changed at that very moment")
    return Moved(new.at(target), flush(new, old))


def write_own(file: Path, data: bytes) -> None:
    """Put a file of ours (state folder, mode 0600) in place of its last version, durably. Raises OSError."""
    make_private(file.parent)
    temp = file.with_name(hidden_name("tmp"))
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        write_all(fd, data)
        flush_file(fd)
        os.replace(temp, file)
    except BaseException:
        os.unlink(temp)
        raise
    finally:
        os.close(fd)
    with opened(file.parent) as folder:
        flush_folder(folder.fd)


def overwrite_own(file: Path, data: bytes) -> None:
    """Write over a file of ours in its own place, which a full disk still has: not durably, and a reader may find a mixture.

    Bytes that it had more become spaces. Raises OSError.
    """
    fd = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.pwrite(fd, data.ljust(os.fstat(fd).st_size), 0)
    finally:
        os.close(fd)


def write_new(file: Path, data: bytes, *, step: Step = quiet) -> None:
    """Write a file that a person asked for under a name that must be free. Raises FileExistsError, OSError."""
    with opened(file.parent) as folder:
        for _ in range(TIDIED):
            with suppress(FileNotFoundError):
                put_in_place(folder, file.name, data, None, step=step)
                return
        put_in_place(folder, file.name, data, None, step=step)


def name_new(temp: Path, target: Path) -> None:
    """Give a file or folder that we made beside `target` that name, which must be free. Raises FileExistsError, OSError."""
    with opened(target.parent) as folder:
        rename_exclusively(folder, temp.name, folder, target.name, alone=True)
        flush_folder(folder.fd)


def _written(
    folder: Folder, data: bytes, access: Access | None, like: tuple[Folder, str] | None, step: Step
) -> str:
    """The data, on the medium, under a hidden name."""
    hidden = hidden_name("tmp")
    if like is not None:
        access = access_of(like[1], like[0])
    step("before:create-temp")
    # 0666 lets the kernel apply umask and the folder's default ACL, as for a file that the user saves there. What gets its
    # access from another file is nobody's but ours until then.
    fd = os.open(
        hidden,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW,
        0o666 if access is None else 0o600,
        dir_fd=folder.fd,
    )
    try:
        step("after:create-temp")
        if access is not None:
            grant(fd, access, exactly=like is not None)
        write_all(fd, data)
        if like is not None:
            with open_regular(like[1], like[0]) as before:
                carry(before, fd)
        step("before:fsync")
        flush_file(fd)
        step("after:fsync")
    except BaseException:
        unlist(fd)
        os.unlink(hidden, dir_fd=folder.fd)
        raise
    finally:
        os.close(fd)
    return hidden


def _replace(folder: Folder, name: str, swap: str, sha256: str, expected: str, step: Step) -> None:
    """Exchange `swap` (ours, with `sha256`) with `name`, look at what came out, and let it go if it is the old version."""
    step("before:exchange")
    if not exchange(folder, swap, name):
        return _replace_by_two_renames(folder, name, swap, expected, step)
    step("after:exchange")
    try:
        remove_own(folder, swap, expected)
    except (OtherContent, OSError):
        step("before:give-back")
        raise OtherContent(_exchanged_back(folder, name, swap, sha256), CAME_BETWEEN) from None
    step("after:drop-old")
    return None


def _replace_by_two_renames(folder: Folder, name: str, swap: str, expected: str, step: Step) -> None:
    """Where two names cannot be exchanged, the old version is taken out first, and nothing has the name for a moment."""
    out = hidden_name("swap", name)
    rename_to_hidden(folder, name, folder, out)
    step("after:take")
    if sha256_of(out, folder) != expected:
        step("before:give-back")
        raise OtherContent(put_back(folder, out, folder, name), CAME_BETWEEN)
    try:
        rename_exclusively(folder, swap, folder, name, alone=True)
    except FileExistsError:
        raise OtherContent(folder.at(name), CAME_BETWEEN) from None
    finally:
        step("before:drop-old")
        try:
            remove_own(folder, out, expected)
        except OtherContent:
            put_back(folder, out, folder, name)
        step("after:drop-old")


def _exchanged_back(folder: Folder, name: str, swap: str, sha256: str) -> Path:
    """A person's version came out: it gets its name back. If they saved once more in between, the later one has the name
    and the other goes beside it.
    """
    try:
        exchange(folder, swap, name)
        if sha256_of(swap, folder) != sha256:
            exchange(folder, swap, name)
            put_back(folder, swap, folder, name)
    except FileNotFoundError:
        return put_back(folder, swap, folder, name)
    return folder.at(name)


def _must_be(folder: Folder, name: str, expected: str) -> None:
    try:
        same = content_of(name, folder).sha256 == expected
    except StillChanging:
        same = False
    if not same:
        raise OtherContent(folder.at(name), "other content is there now")


def _rename(old: Folder, name: str, new: Folder, target: str) -> None:
    """Rename one of the user's names to another: through a hidden name where only that cannot clobber."""
    if rename_if_free(old, name, new, target):
        return
    hidden = hidden_name("swap", name)
    rename_to_hidden(old, name, old, hidden)
    try:
        rename_exclusively(old, hidden, new, target)
    except OSError:
        put_back(old, hidden, old, name)
        raise
