"""Renames that cannot clobber, and the exchange of two names: system calls, and the narrowest way where there are none."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import stat
import sys

from earmark.files.copying import copy_to_free_name
from earmark.files.durable import NO_SUCH_CALL
from earmark.files.folders import Folder

_EXCLUSIVE = 4 if sys.platform == "darwin" else 1
"""RENAME_EXCL (macOS sys/stdio.h), RENAME_NOREPLACE (linux/fs.h)."""
_EXCHANGE = 2
"""RENAME_SWAP and RENAME_EXCHANGE: 2 on both."""

NO_HARD_LINKS = NO_SUCH_CALL | {errno.EPERM, errno.EMLINK, errno.EACCES}
"""How FAT and exFAT (EPERM on Linux, ENOTSUP on macOS), some FUSE, SMB and Android filesystems say that they know no hard
links (man 2 link of both systems), and folders that they get none.
"""

LONGEST_NAME = 255
"""Bytes of a file name on every disk that is in use (NAME_MAX); APFS counts characters, of which there are no more."""

_OURS = re.compile(r"\.earmark-[0-9a-f]{16}\.(?:tmp|swap)(?:\.(?P<name>.+))?", re.DOTALL)


def hidden_name(kind: str, name: str = "") -> str:
    """A new name for a file of ours that nobody else uses: `.earmark-0123456789abcdef.tmp`; `kind` is "tmp" (bytes that we
    are writing) or "swap" (what stood, or is to stand, under `name`; only the end of one that would be too long for a disk).
    """
    prefix = f".earmark-{secrets.token_hex(8)}.{kind}"
    return f"{prefix}.{_end(name, LONGEST_NAME - len(prefix) - 1)}" if name else prefix


def _end(name: str, most: int) -> str:
    """The last bytes of a name, so many at most, from the first of a character on: with its ending it is found again."""
    raw = os.fsencode(name)
    if len(raw) <= most:
        return name
    cut = raw[-most:]
    while cut and cut[0] & 0xC0 == 0x80:  # in the middle of a character in UTF-8 (RFC 3629)
        cut = cut[1:]
    return os.fsdecode(cut or raw[-most:]).lstrip(".")


def hidden_kind(name: str) -> tuple[str, str] | None:
    """("tmp" or "swap", the name that it is about) of a name made by `hidden_name`; None for any other."""
    found = _OURS.fullmatch(name)
    return None if found is None else (name.split(".")[2], found["name"] or "")


def rename_exclusively(old: Folder, name: str, new: Folder, target: str, *, alone: bool = False) -> None:
    """Rename a file to a name that must be free. Raises FileExistsError, or OSError; then nothing was renamed.

    In one step where the system has one (renameat2, renameatx_np; the kernel of a Mac refuses a name that is taken on every
    disk, and a disk that does not know the flag refuses one that is free: xnu, bsd/vfs/vfs_syscalls.c). Elsewhere `name` has
    to be a name that only we use (`hidden_name`, the trash): the file is linked under its new name before the old one goes.
    Where there are no hard links either, one that we have `alone`, which no other program can have open, is copied to its
    new name (copying.py); any other has to stay the file that it is, or what its program goes on writing would be lost
    (`_over_a_claim`).
    """
    if rename_if_free(old, name, new, target):
        return
    found = old.look_at(name)
    if found is not None and stat.S_ISDIR(found.st_mode):
        _rename_folder(old, name, new, target)
        return
    try:
        os.link(name, target, src_dir_fd=old.fd, dst_dir_fd=new.fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        (copy_to_free_name if alone else _over_a_claim)(old, name, new, target)
    else:
        os.unlink(name, dir_fd=old.fd)


def _over_a_claim(old: Folder, name: str, new: Folder, target: str) -> None:
    """Renamed over an empty file of ours that claims the name. A crash in between leaves that; who puts a file of their own
    in its place within these microseconds loses it, and there is no call by which such a disk could refuse that.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=new.fd))
    found = new.look_at(target)
    if found is None or found.st_size:
        raise FileExistsError(errno.EEXIST, "somebody wrote to the new file at once", target)
    os.rename(name, target, src_dir_fd=old.fd, dst_dir_fd=new.fd)


def _rename_folder(old: Folder, name: str, new: Folder, target: str) -> None:
    """A folder takes the place of nothing but an empty folder (rename(2)), with which nothing is lost."""
    try:
        if new.look_at(target) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        os.rename(name, target, src_dir_fd=old.fd, dst_dir_fd=new.fd)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ENOTEMPTY):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
        raise


def rename_if_free(old: Folder, name: str, new: Folder, target: str) -> bool:
    """Rename any file to a name that must be free; False where the system or filesystem cannot. Raises OSError."""
    return _renameat(old, name, new, target, _EXCLUSIVE)


def rename_to_hidden(old: Folder, name: str, new: Folder, target: str) -> None:
    """Rename whatever has a name, in one step, to a name that only we use. Raises FileExistsError if a crash left something
    under that, OSError; then nothing was renamed.
    """
    if not rename_if_free(old, name, new, target):
        if new.look_at(target) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        os.rename(name, target, src_dir_fd=old.fd, dst_dir_fd=new.fd)


def exchange(folder: Folder, one: str, other: str) -> bool:
    """Let two files change names in one step; False where the system or filesystem cannot. Raises OSError."""
    return _renameat(folder, one, folder, other, _EXCHANGE)


def _renameat(old: Folder, name: str, new: Folder, target: str, flag: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    if call is None:
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if call(old.fd, os.fsencode(name), new.fd, os.fsencode(target), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in NO_SUCH_CALL:
        return False
    raise OSError(number, os.strerror(number), name)
