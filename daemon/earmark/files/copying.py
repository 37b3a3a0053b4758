"""A file copied to a name that must be free: for disks on which neither a rename nor a hard link refuses to clobber."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from earmark.files.access import access_of, grant
from earmark.files.carrying import carry
from earmark.files.content import CHUNK, StillChanging, content_of, fingerprint, open_regular
from earmark.files.durable import flush_file, write_all
from earmark.files.folders import Folder

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def copy_to_free_name(old: Folder, name: str, new: Folder, target: str) -> None:
    """Copy a file that nobody else has open to a name that must be free, with its access, attributes and times, and take its
    former name away, which only we may use. It is made under the new name itself, so that nothing is ever written over.

    Raises FileExistsError if something has the name, or somebody wrote to it or took it meanwhile (theirs is left there), or
    OSError; in each case the file is where it was. A crash in between leaves the file, and a beginning of it under the new
    name (`is_beginning`).
    """
    with open_regular(name, old) as source:
        fd = os.open(target, _NEW, 0o600, dir_fd=new.fd)
        try:
            grant(fd, access_of(name, old), exactly=True)
            sha256 = _pour(source, fd)
            carry(source, fd)
            found = os.fstat(source)
            with suppress(OSError):
                os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns))
            flush_file(fd)
            there = content_of(target, new)
        except StillChanging:
            raise _somebody_wrote(target) from None
        except BaseException:
            _take_back(source, fd, new, target)
            raise
        finally:
            os.close(fd)
    if there.sha256 != sha256:
        raise _somebody_wrote(target)
    os.unlink(name, dir_fd=old.fd)


def is_beginning(folder: Folder, name: str, of: Folder, whole: str) -> bool:
    """True if all that is in a file is the beginning of another one, or all of it. Raises OSError."""
    try:
        with open_regular(name, folder) as part, open_regular(whole, of) as fd:
            found = fingerprint(part)
            begins = fingerprint(fd, begins=(found.size,)).begins
    except StillChanging:
        return False
    return not found.size or (found.size in begins and begins[found.size].sha256 == found.sha256)


def _pour(source: int, fd: int) -> str:
    """All bytes of a file into another; returns their SHA-256. Raises StillChanging, OSError."""
    at = 0
    while chunk := os.pread(source, CHUNK, at):
        write_all(fd, chunk)
        at += len(chunk)
    return fingerprint(source).sha256


def _take_back(source: int, fd: int, folder: Folder, name: str) -> None:
    """What we have made under the new name goes again, if nobody has done anything to it."""
    with suppress(OSError, StillChanging):
        made = os.fstat(fd)
        found = folder.look_at(name)
        if found is None or not os.path.samestat(found, made):
            return
        part = fingerprint(fd)
        begins = fingerprint(source, begins=(part.size,)).begins
        if not part.size or begins[part.size].sha256 == part.sha256:
            os.unlink(name, dir_fd=folder.fd)


def _somebody_wrote(name: str) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "somebody wrote to the new file at once", name)
