"""Opening a file of the user's, and what is in it: SHA-256 and identity of the very bytes that were read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from earmark.files.cloud import InCloud, in_cloud, says_in_cloud
from earmark.files.folders import Folder
from earmark.files.identity import Identity

CHUNK = 1 << 20

SPARSE = 1 << 30
"""Bytes from which on it is worth asking where the holes of a file are."""

_ZEROS = bytes(CHUNK)

HEADER = 4096
"""Bytes at the front of a recording that a recorder may write anew when it goes on (RIFF and mdat sizes, durations)."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StillChanging(Exception):
    """The file changed while it was read; look at it again later."""


class Stopped(Exception):
    """Reading was given up because the daemon stops."""


class NotRegular(OSError):
    """A FIFO, socket, device, folder or symlink has the name; nothing of it was opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "is not an ordinary file", str(path))


@dataclass(frozen=True, slots=True)
class Begin:
    """The first bytes of a file up to some length: SHA-256 of all of them, and of those after `HEADER`."""

    sha256: str
    body_sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """What was read. `identity` is of the very bytes that `sha256` is of; `body_sha256` is of those after `HEADER`.

    `begins`: the same for the first n bytes, by n, where that was asked for.
    """

    identity: Identity
    sha256: str
    size: int
    body_sha256: str = ""
    begins: Mapping[int, Begin] = field(default_factory=dict, compare=False)


@contextmanager
def open_regular(path: Path | str, folder: Folder | None = None) -> Iterator[int]:
    """A descriptor for reading a regular file; closed afterwards.

    Follows no symlink, never waits. Raises NotRegular for a FIFO, socket, device, folder or link under that name, InCloud
    for a file whose bytes are not here (also while it is read), else OSError.
    """
    shown = Path(path) if folder is None else folder.at(str(path))
    dir_fd = None if folder is None else folder.fd
    if in_cloud(path, dir_fd):
        raise InCloud(shown)
    try:
        fd = os.open(path, _FLAGS, dir_fd=dir_fd)
    except OSError as error:
        # ENXIO: a socket, or a device without a driver.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotRegular(shown) from None
        if says_in_cloud(error):
            raise InCloud(shown) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotRegular(shown)
        yield fd
    except OSError as error:
        if says_in_cloud(error) and not isinstance(error, InCloud):
            raise InCloud(shown) from error
        raise
    finally:
        os.close(fd)


def may_be_read(path: Path) -> bool:
    """True if this process may open the file, and it is a regular one."""
    try:
        with open_regular(path):
            return True
    except OSError:
        return False


def fingerprint(
    fd: int, stop: Callable[[int], bool] = lambda _: False, begins: Collection[int] = ()
) -> Content:
    """Read the whole file, wherever the descriptor stands, which it leaves there. `stop` is asked often, and told how many
    bytes have been read.

    Raises StillChanging if the file changed meanwhile, Stopped if `stop` said so.
    """
    status = os.fstat(fd)
    before, read = Identity.of(status), _Holes(fd, status).read
    whole, body = hashlib.sha256(), hashlib.sha256()
    cuts = sorted({n for n in begins if 0 < n <= before.size})
    found: dict[int, Begin] = {}
    at = 0
    while chunk := read(min(CHUNK, cuts[0] - at) if cuts else CHUNK, at):
        if stop(at):
            raise Stopped
        whole.update(chunk)
        body.update(chunk[max(0, HEADER - at) :])
        at += len(chunk)
        while cuts and cuts[0] == at:
            found[cuts.pop(0)] = Begin(whole.hexdigest(), body.hexdigest())
    after = Identity.of(os.fstat(fd))
    if before != after or at != after.size:
        raise StillChanging
    return Content(after, whole.hexdigest(), at, body.hexdigest(), found)


class _Holes:
    """Reads a file, without having the system make pages of zeros for its holes where it is mostly holes: that is three
    times as quick, and keeps everything else in memory. A file that is whole is asked nothing.
    """

    def __init__(self, fd: int, status: os.stat_result) -> None:
        self._fd, self._size = fd, status.st_size
        blocks = getattr(status, "st_blocks", 0) * 512
        sparse = status.st_size > SPARSE and blocks < status.st_size // 2 and hasattr(os, "SEEK_DATA")
        self._data_from: int = 0
        self._data_to: float = 0 if sparse else float("inf")

    def read(self, count: int, at: int) -> bytes:
        """Up to `count` bytes from there on; none at the end."""
        if at >= self._data_to:
            self._find(at)
        if at < self._data_from:
            return _ZEROS[: min(count, self._data_from - at)]
        return os.pread(self._fd, int(min(count, self._data_to - at)), at)

    def _find(self, at: int) -> None:
        """The next bytes that were written."""
        stands = os.lseek(self._fd, 0, os.SEEK_CUR)
        try:
            self._data_from = os.lseek(self._fd, at, os.SEEK_DATA)
            self._data_to = os.lseek(self._fd, self._data_from, os.SEEK_HOLE)
        except OSError as error:
            # ENXIO: nothing but a hole is left. Anything else: a system that knows no holes.
            self._data_from = max(at, self._size) if error.errno == errno.ENXIO else at
            self._data_to = float("inf")
        finally:
            os.lseek(self._fd, stands, os.SEEK_SET)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def content_of(path: Path | str, folder: Folder | None = None) -> Content:
    """What a file holds now. Raises OSError (NotRegular included) and StillChanging."""
    with open_regular(path, folder) as fd:
        return fingerprint(fd)


def sha256_of(path: Path | str, folder: Folder | None = None) -> str | None:
    """SHA-256 of a regular file that can be read and stands still; None for anything else under that name."""
    try:
        return content_of(path, folder).sha256
    except (OSError, StillChanging):
        return None


def read_bytes(path: Path | str, folder: Folder | None = None, most: int = -1) -> bytes:
    """The bytes of a regular file, at most `most` of them. Raises OSError."""
    with open_regular(path, folder) as fd, os.fdopen(os.dup(fd), "rb") as file:
        return file.read(most)
