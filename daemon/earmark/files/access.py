"""Who may do what with a file: a note is as readable as the recording that it lies beside, whatever the umask."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.files.content import open_regular
from earmark.files.folders import Folder

_ACL = "system.posix_acl_access"
"""Where Linux keeps a file's access-control list (acl(5)); the mode's group bits are then its mask."""

_REFUSED = frozenset(
    {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA}
)
"""How filesystems and call filters say that owner, mode or list cannot be set (exFAT, SMB, FUSE, a service)."""


_OWNER, _NAMED_USER, _GROUP, _MASK, _EVERYBODY = 0x01, 0x02, 0x04, 0x10, 0x20
"""Tags of a list's entries (linux/posix_acl.h); only users and groups that are named have a number."""

_NO_NUMBER = 0xFFFFFFFF

UNKNOWN = -1
"""An owner or a group that has no number here; fchown(2) takes it for "leave it"."""


@dataclass(frozen=True, slots=True)
class Access:
    """Owner, group (or UNKNOWN), permission bits (no set-id bits), and the access-control list as the system keeps it
    (None: there is none).
    """

    uid: int
    gid: int
    mode: int
    acl: bytes | None = None


def access_of(name: str, folder: Folder) -> Access:
    """Of an ordinary file. Raises OSError (NotRegular included)."""
    with open_regular(name, folder) as fd:
        found = os.fstat(fd)
        uid, gid = _number(found.st_uid, "uid"), _number(found.st_gid, "gid")
        return Access(uid, gid, found.st_mode & 0o777, _acl(fd))


def for_a_note(recording: Access) -> Access:
    """What a note beside the recording gets: who may read or write that may read or write this; its owner may both."""
    return replace(recording, mode=0o600 | recording.mode & 0o066)


def grant(fd: int, wanted: Access, *, exactly: bool = False) -> None:
    """Give a file of ours this access, as far as this process may. Never a wider one: in another group than the wanted one
    its members get what everybody gets, and so do all who are named in a list that cannot be set. An owner to whom the file
    cannot be given is named in its list.

    `exactly`: a list that the file inherited from its folder goes, if none is wanted; the owner may write as before.
    """
    _tolerated(os.fchown, fd, wanted.uid, wanted.gid)
    if os.fstat(fd).st_gid != wanted.gid:
        _tolerated(os.fchown, fd, UNKNOWN, wanted.gid)
    found = os.fstat(fd)
    same = found.st_gid == wanted.gid
    if same and wanted.acl is not None:
        same = _tolerated(_give_acl, fd, wanted.acl)
    elif exactly and _acl(fd) is not None:
        _tolerated(_drop_acl, fd)
    everybody = wanted.mode & 0o007
    group = wanted.mode & 0o070 if same else wanted.mode & everybody << 3
    _tolerated(os.fchmod, fd, wanted.mode & 0o707 | group)
    if wanted.uid not in (UNKNOWN, 0, found.st_uid):
        _name_the_owner(fd, wanted.uid, 6 if exactly else 4 | group >> 3 & 2, wanted.mode & 0o707 | group)


def _name_the_owner(fd: int, uid: int, rights: int, mode: int) -> None:
    """Let this user read (and write) as well, and nobody else get more by it."""
    before = _acl(fd)
    if before is None:
        entries = {
            (_OWNER, _NO_NUMBER): mode >> 6,
            (_GROUP, _NO_NUMBER): mode >> 3 & 7,
            (_EVERYBODY, _NO_NUMBER): mode & 7,
        }
    else:
        entries = {(tag, number): may for tag, may, number in struct.iter_unpack("<HHI", before[4:])}
    mask = entries.get((_MASK, _NO_NUMBER), mode >> 3 & 7)
    for tag, number in entries:
        if tag not in (_OWNER, _EVERYBODY):
            entries[tag, number] &= mask  # a wider mask must not wake what it kept out
    entries[_MASK, _NO_NUMBER] = mask | rights
    entries[_NAMED_USER, uid] = rights
    packed = (struct.pack("<HHI", tag, may, number) for (tag, number), may in sorted(entries.items()))
    _tolerated(_give_acl, fd, struct.pack("<I", 2) + b"".join(packed))


def _number(number: int, kind: str) -> int:
    """The number, or UNKNOWN for the one that stands for all that a user namespace does not know (user_namespaces(7)).

    Two files with it need not be in one group. Where every number is known, it is one like any other (`nogroup`).
    """
    try:
        overflow = int(Path(f"/proc/sys/fs/overflow{kind}").read_text())
        known = int(Path(f"/proc/self/{kind}_map").read_text().split()[-1])
    except (OSError, ValueError, IndexError):
        return number
    return UNKNOWN if number == overflow and known < _NO_NUMBER else number


if sys.platform == "linux":

    def _acl(fd: int) -> bytes | None:
        try:
            return os.getxattr(fd, _ACL)
        except OSError:
            return None

    def _give_acl(fd: int, acl: bytes) -> None:
        os.setxattr(fd, _ACL, acl)

    def _drop_acl(fd: int) -> None:
        os.removexattr(fd, _ACL)

else:  # macOS has other calls, and lists of another kind, which the next version of a file gets whole (carrying.py)

    def _acl(fd: int) -> bytes | None:
        return None

    def _give_acl(fd: int, acl: bytes) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    def _drop_acl(fd: int) -> None:
        return None


def _tolerated(act: Callable[..., None], *arguments: object) -> bool:
    """Whether it could be done. Raises OSError for what is no refusal."""
    try:
        act(*arguments)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        return False
    return True
