"""Who may do what with a file: a note is as readable as the recording that it lies beside, whatever the umask."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from earmark.files.content import open_regular
from earmark.files.folders import Folder

_ACL = "system.posix_acl_access"
"""Where Linux keeps a file's access-control list (acl(5)); the mode's group bits are then its mask."""

_REFUSED = frozenset(
    {errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA}
)
"""How filesystems and call filters say that owner, mode or list cannot be set (exFAT, SMB, FUSE, a service)."""


@dataclass(frozen=True, slots=True)
class Access:
    """Owner, group, permission bits (no set-id bits), and the access-control list as the system keeps it (None: there is
    none).
    """

    uid: int
    gid: int
    mode: int
    acl: bytes | None = None


def access_of(name: str, folder: Folder) -> Access:
    """Of an ordinary file. Raises OSError (NotRegular included)."""
    with open_regular(name, folder) as fd:
        found = os.fstat(fd)
        return Access(found.st_uid, found.st_gid, found.st_mode & 0o777, _acl(fd))


def for_a_note(recording: Access) -> Access:
    """What a note beside the recording gets: who may read or write that may read or write this; its owner may both."""
    return replace(recording, mode=0o600 | recording.mode & 0o066)


def grant(fd: int, wanted: Access, *, exactly: bool = False) -> None:
    """Give a file of ours this access, as far as this process may. Never a wider one: in another group than the wanted one
    its members get what everybody gets, and so do all who are named in a list that cannot be set.

    `exactly`: a list that the file inherited from its folder goes, if none is wanted.
    """
    _tolerated(os.fchown, fd, wanted.uid, wanted.gid)
    if os.fstat(fd).st_gid != wanted.gid:
        _tolerated(os.fchown, fd, -1, wanted.gid)
    same = os.fstat(fd).st_gid == wanted.gid
    if same and wanted.acl is not None:
        same = _tolerated(os.setxattr, fd, _ACL, wanted.acl)
    elif exactly and _acl(fd) is not None:
        _tolerated(os.removexattr, fd, _ACL)
    everybody = wanted.mode & 0o007
    group = wanted.mode & 0o070
    _tolerated(os.fchmod, fd, wanted.mode & 0o707 | (group if same else group & everybody << 3))


def _acl(fd: int) -> bytes | None:
    try:
        return os.getxattr(fd, _ACL)
    except (AttributeError, OSError):  # macOS has another call, and lists of another kind
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
