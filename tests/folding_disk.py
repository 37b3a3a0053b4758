"""A disk that folds case and Unicode form in names and keeps how they were written, as every Mac's and every exFAT stick's.

Run as a program it mounts such a disk over a real folder (FUSE, Linux): `python tests/folding_disk.py BACKING MOUNT LIKE`.
It speaks the kernel's protocol itself (linux/fuse.h, 7.31), because what matters here are the renames with flags, and no
library that pip has passes them on. What one kind of disk knows and another does not is in `LIKE`.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import stat
import struct
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

NOREPLACE, EXCHANGE = 1, 2


@dataclass(frozen=True)
class Like:
    """What a disk answers: the errno of a call that it does not know, 0 for one that it does."""

    link: int = 0
    renames_with_flags: int = 0
    flush_folder: int = 0
    attributes: int = 0
    permissions: int = 0
    decomposes: bool = False
    """Whether a name is kept in its decomposed form (NFD), however it was written."""


KINDS = {
    "apfs": Like(),
    "hfs": Like(decomposes=True),
    # A call that FUSE does not know is EINVAL to who calls renameat2(2), as it is on vfat (fs/fuse/dir.c, fs/fat).
    "exfat": Like(errno.ENOTSUP, errno.ENOSYS, 0, errno.ENOTSUP, errno.EPERM),
    "smb": Like(errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM),
    "vfat": Like(errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.ENOTSUP, errno.EPERM),
}


@contextmanager
def folding_disk(backing: Path, at: Path, like: str = "exfat") -> Iterator[Path]:
    """Mount one at `at`, or skip the test where that cannot be done."""
    import pytest

    from tests.conftest import wait_for

    backing.mkdir(parents=True, exist_ok=True)
    at.mkdir(parents=True, exist_ok=True)
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
        pytest.skip("no disk can be mounted here: that takes root and /dev/fuse")
    disk = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(backing), str(at), like],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: os.path.ismount(at) or disk.poll() is not None, 20)
        if disk.poll() is not None:
            said = (disk.communicate()[1] or "").strip().splitlines()[-1:]
            pytest.skip(f"no disk of this kind can be mounted here: {said}")
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], capture_output=True, check=False)
        disk.kill()
        disk.wait(10)
        if disk.stderr is not None:
            disk.stderr.close()


def clobbered(backing: Path) -> list[str]:
    """Names of files with something in them that went because another was renamed over them."""
    log = _log_of(str(backing))
    return log.read_text("utf-8", "surrogateescape").splitlines() if log.exists() else []


def _log_of(backing: str) -> Path:
    return Path(f"{backing}.clobbered")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


@dataclass
class Node:
    """What the kernel knows by a number: a name in a folder, as it was asked for."""

    number: int
    parent: int
    name: str | None
    asked: int = 0
    open: list[int] = field(default_factory=list)


class Disk:
    """Answers the kernel, one request after the other."""

    def __init__(self, backing: str, fd: int, like: Like) -> None:
        self.backing, self.fd, self.like = backing, fd, like
        self.root = os.open(backing, os.O_RDONLY | os.O_DIRECTORY)
        self.nodes = {1: Node(1, 1, "", 1)}
        self.numbers: dict[tuple[int, str], int] = {}
        self.next = itertools.count(2)
        self.listings: dict[int, list[tuple[str, int, int]]] = {}
        self.handles = itertools.count(1 << 32)
        self.calls: dict[int, Callable[[int, bytes], bytes | None]] = {
            1: self.lookup, 3: self.getattr, 4: self.setattr, 5: self.readlink, 6: self.symlink, 8: self.mknod,
            9: self.mkdir, 10: self.unlink, 11: self.rmdir, 12: self.rename, 13: self.link, 14: self.open, 15: self.read,
            16: self.write, 17: self.statfs, 18: self.release, 20: self.fsync, 21: self.setxattr, 22: self.getxattr,
            23: self.listxattr, 24: self.removexattr, 26: self.init, 27: self.opendir, 28: self.readdir,
            29: self.releasedir, 30: self.fsyncdir, 35: self.create, 45: self.rename2,
        }  # fmt: skip

    def serve(self) -> None:
        while True:
            try:
                request = os.read(self.fd, 1 << 18)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                return  # unmounted
            _, call, unique, node = struct.unpack_from("<IIQQ", request)
            body = request[40:]
            if call in (2, 42):  # nobody waits for an answer to these
                self.forget(call, node, body)
                continue
            try:
                wanted = self.calls.get(call)
                answer, wrong = (b"", errno.ENOSYS) if wanted is None else (wanted(node, body) or b"", 0)
            except OSError as error:
                answer, wrong = b"", error.errno or errno.EIO
            with suppress(FileNotFoundError):  # who asked was killed meanwhile
                os.write(self.fd, struct.pack("<IiQ", 16 + len(answer), -wrong, unique) + answer)

    # Names

    def real(self, folder: str, name: str) -> str:
        """The path of what has this name, however it is spelled; as it is spelled here if nothing has."""
        if os.path.lexists(f"{folder}/{name}"):
            return f"{folder}/{name}"  # there never are two spellings of one name
        with suppress(OSError):
            for there in os.listdir(folder):
                if _fold(there) == _fold(name):
                    return f"{folder}/{there}"
        return f"{folder}/{self.kept(name)}"

    def kept(self, name: str) -> str:
        return unicodedata.normalize("NFD", name) if self.like.decomposes else name

    def path(self, number: int) -> str:
        if number == 1:
            return self.backing
        node = self.nodes[number]
        if node.name is None:
            raise FileNotFoundError(errno.ENOENT, "")
        return self.real(self.path(node.parent), node.name)

    def at(self, number: int) -> str | int:
        """The file, also one that has no name any more and is open."""
        with suppress(FileNotFoundError):
            os.lstat(path := self.path(number))
            return path
        if self.nodes[number].open:
            return self.nodes[number].open[0]
        raise FileNotFoundError(errno.ENOENT, "")

    def node(self, parent: int, name: str) -> Node:
        number = self.numbers.get((parent, name))
        if number is None:
            number = next(self.next)
            self.nodes[number], self.numbers[parent, name] = Node(number, parent, name), number
        return self.nodes[number]

    def nameless(self, parent: int, name: str) -> None:
        number = self.numbers.pop((parent, name), None)
        if number is not None:
            self.nodes[number].name = None

    def forget(self, call: int, node: int, body: bytes) -> None:
        many = (
            [(node, *struct.unpack_from("<Q", body))]
            if call == 2
            else list(struct.iter_unpack("<QQ", body[8:]))
        )
        for number, times in many:
            known = self.nodes.get(number)
            if known is None or number == 1:
                continue
            known.asked -= times
            if known.asked <= 0:
                del self.nodes[number]
                if known.name is not None:
                    self.numbers.pop((known.parent, known.name), None)

    # Answers

    def init(self, _: int, body: bytes) -> bytes:
        big_writes, atomic_truncation = 1 << 5, 1 << 3
        sizes = (7, 31, 1 << 17, big_writes | atomic_truncation, 12, 9, 1 << 17, 1, 0, 0)
        return struct.pack("<IIIIHHIIHH", *sizes) + bytes(32)

    def attributes(self, where: str | int) -> bytes:
        s = os.fstat(where) if isinstance(where, int) else os.lstat(where)
        times = [divmod(t, 10**9) for t in (s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns)]
        return struct.pack(
            "<6Q10I", s.st_ino, s.st_size, s.st_blocks, *(t[0] for t in times), *(t[1] for t in times),
            s.st_mode, s.st_nlink, s.st_uid, s.st_gid, 0, 4096, 0,
        )  # fmt: skip

    def entry(self, parent: int, name: str) -> bytes:
        attributes = self.attributes(self.real(self.path(parent), name))
        node = self.node(parent, name)
        node.asked += 1
        return struct.pack("<QQQQII", node.number, 0, 0, 0, 0, 0) + attributes

    def lookup(self, node: int, body: bytes) -> bytes:
        return self.entry(node, _text(body)[0])

    def getattr(self, node: int, body: bytes) -> bytes:
        flags, _, fh = struct.unpack_from("<IIQ", body)
        return bytes(16) + self.attributes(fh if flags & 1 else self.at(node))

    def setattr(self, node: int, body: bytes) -> bytes:
        valid, _, fh, size, _, atime, mtime, _, atimens, mtimens, _, mode, _, uid, gid, _ = (
            struct.unpack_from("<IIQQQQQQIIIIIIII", body)
        )
        where = fh if valid & 64 else self.at(node)
        if valid & 7 and self.like.permissions:
            raise OSError(self.like.permissions, "")
        if valid & 1:
            os.chmod(where, stat.S_IMODE(mode))
        if valid & 6:
            os.chown(where, uid if valid & 2 else -1, gid if valid & 4 else -1)
        if valid & 8:
            os.truncate(where, size)
        if valid & (16 | 32 | 128 | 256):
            s = os.stat(where)
            now = time.time_ns()
            a = now if valid & 128 else atime * 10**9 + atimens if valid & 16 else s.st_atime_ns
            m = now if valid & 256 else mtime * 10**9 + mtimens if valid & 32 else s.st_mtime_ns
            os.utime(where, ns=(a, m))
        return bytes(16) + self.attributes(where)

    def readlink(self, node: int, body: bytes) -> bytes:
        return os.fsencode(os.readlink(self.path(node)))

    def symlink(self, node: int, body: bytes) -> bytes:
        if self.like.link:
            raise OSError(self.like.link, "")
        name, to = _text(body)
        os.symlink(to, self.real(self.path(node), name))
        return self.entry(node, name)

    def mknod(self, node: int, body: bytes) -> bytes:
        mode, device, _ = struct.unpack_from("<III", body)
        name = _text(body[16:])[0]
        os.mknod(self.real(self.path(node), name), mode, device)
        return self.entry(node, name)

    def mkdir(self, node: int, body: bytes) -> bytes:
        mode, _ = struct.unpack_from("<II", body)
        name = _text(body[8:])[0]
        os.mkdir(self.real(self.path(node), name), mode)
        return self.entry(node, name)

    def unlink(self, node: int, body: bytes) -> None:
        name = _text(body)[0]
        os.unlink(self.real(self.path(node), name))
        self.nameless(node, name)

    def rmdir(self, node: int, body: bytes) -> None:
        name = _text(body)[0]
        os.rmdir(self.real(self.path(node), name))
        self.nameless(node, name)

    def rename(self, node: int, body: bytes) -> None:
        self._rename(node, struct.unpack_from("<Q", body)[0], _text(body[8:]), 0)

    def rename2(self, node: int, body: bytes) -> None:
        if self.like.renames_with_flags:
            raise OSError(self.like.renames_with_flags, "")
        to, flags, _ = struct.unpack_from("<QII", body)
        self._rename(node, to, _text(body[16:]), flags)

    def _rename(self, node: int, to: int, names: list[str], flags: int) -> None:
        old, new = names
        source, folder = self.real(self.path(node), old), self.path(to)
        target = self.real(folder, new)
        there = os.lstat(target) if os.path.lexists(target) else None
        if flags & EXCHANGE:
            aside = f"{folder}/.aside"
            os.rename(target, aside)
            os.rename(source, target)
            os.rename(aside, source)
            one, other = self.node(node, old), self.node(to, new)
            self.numbers[node, old], self.numbers[to, new] = other.number, one.number
            (one.parent, one.name), (other.parent, other.name) = (to, new), (node, old)
            return
        if there is not None and source != target:
            if flags & NOREPLACE:
                raise FileExistsError(errno.EEXIST, "")
            if stat.S_ISREG(there.st_mode) and there.st_size:
                with _log_of(self.backing).open("a", encoding="utf-8", errors="surrogateescape") as log:
                    log.write(f"{new}\n")
            os.rmdir(target) if stat.S_ISDIR(there.st_mode) else os.unlink(target)
        # The name is written as it was asked for, also when only its case changes.
        os.rename(source, f"{folder}/{self.kept(new)}")
        self.nameless(to, new)
        number = self.numbers.pop((node, old), None)
        if number is not None:
            self.nodes[number].parent, self.nodes[number].name = to, new
            self.numbers[to, new] = number

    def link(self, node: int, body: bytes) -> bytes:
        if self.like.link:
            raise OSError(self.like.link, "")
        name = _text(body[8:])[0]
        os.link(self.path(struct.unpack_from("<Q", body)[0]), self.real(self.path(node), name))
        return self.entry(node, name)

    def opened(self, node: int, fd: int) -> bytes:
        self.nodes[node].open.append(fd)
        return struct.pack("<QIi", fd, 0, 0)

    def open(self, node: int, body: bytes) -> bytes:
        flags = struct.unpack_from("<I", body)[0] & ~(os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        return self.opened(node, os.open(self.path(node), flags | os.O_CLOEXEC))

    def create(self, node: int, body: bytes) -> bytes:
        flags, mode = struct.unpack_from("<II", body)
        name = _text(body[16:])[0]
        fd = os.open(self.real(self.path(node), name), flags | os.O_CREAT | os.O_CLOEXEC, mode & 0o7777)
        entry = self.entry(node, name)
        return entry + self.opened(self.numbers[node, name], fd)

    def read(self, _: int, body: bytes) -> bytes:
        fh, offset, size = struct.unpack_from("<QQI", body)
        return os.pread(fh, size, offset)

    def write(self, _: int, body: bytes) -> bytes:
        fh, offset, size = struct.unpack_from("<QQI", body)
        return struct.pack("<II", os.pwrite(fh, body[40 : 40 + size], offset), 0)

    def statfs(self, _: int, body: bytes) -> bytes:
        s = os.statvfs(self.backing)
        return struct.pack(
            "<5Q4I24x", s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree, s.f_bsize, 255, s.f_frsize, 0
        )  # fmt: skip

    def release(self, node: int, body: bytes) -> None:
        fh = struct.unpack_from("<Q", body)[0]
        os.close(fh)
        if node in self.nodes:
            self.nodes[node].open.remove(fh)

    def fsync(self, _: int, body: bytes) -> None:
        os.fsync(struct.unpack_from("<Q", body)[0])

    def opendir(self, node: int, body: bytes) -> bytes:
        return struct.pack("<QIi", next(self.handles), 0, 0)

    def readdir(self, node: int, body: bytes) -> bytes:
        fh, offset, size = struct.unpack_from("<QQI", body)
        if not offset:  # also one that is held open is read anew from its beginning
            with os.scandir(self.path(node)) as entries:
                found = [(e.name, 4 if e.is_dir(follow_symlinks=False) else 8, e.inode()) for e in entries]
            self.listings[fh] = [(".", 4, 1), ("..", 4, 1), *found]
        answer = b""
        for number, (name, kind, inode) in enumerate(self.listings.get(fh, [])[offset:], offset + 1):
            raw = os.fsencode(name)
            one = struct.pack("<QQII", inode, number, len(raw), kind) + raw
            one += bytes(-len(one) % 8)
            if len(answer) + len(one) > size:
                break
            answer += one
        return answer

    def releasedir(self, _: int, body: bytes) -> None:
        self.listings.pop(struct.unpack_from("<Q", body)[0], None)

    def fsyncdir(self, _: int, body: bytes) -> None:
        if self.like.flush_folder:
            raise OSError(self.like.flush_folder, "")

    def extended(self, node: int) -> str | int:
        if self.like.attributes:
            raise OSError(self.like.attributes, "")
        return self.at(node)

    def setxattr(self, node: int, body: bytes) -> None:
        size, flags = struct.unpack_from("<II", body)
        name, _, value = body[8:].partition(b"\0")
        os.setxattr(self.extended(node), name, value[:size], flags)

    def getxattr(self, node: int, body: bytes) -> bytes:
        return self._sized(body, os.getxattr(self.extended(node), _text(body[8:])[0]))

    def listxattr(self, node: int, body: bytes) -> bytes:
        names = [os.fsencode(name) + b"\0" for name in os.listxattr(self.extended(node))]
        return self._sized(body, b"".join(names))

    def _sized(self, body: bytes, found: bytes) -> bytes:
        room = struct.unpack_from("<I", body)[0]
        if not room:
            return struct.pack("<II", len(found), 0)
        if len(found) > room:
            raise OSError(errno.ERANGE, "")
        return found

    def removexattr(self, node: int, body: bytes) -> None:
        os.removexattr(self.extended(node), _text(body)[0])


def _text(body: bytes) -> list[str]:
    """The names in a request, each of which ends with a zero byte."""
    return [os.fsdecode(name) for name in body.split(b"\0")[:-1]]


def mount(backing: str, at: str, like: str) -> None:
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    nosuid_nodev = 6
    if libc.mount(b"folding", os.fsencode(at), b"fuse.folding", nosuid_nodev, options):
        raise OSError(ctypes.get_errno(), "mount(2)")
    Disk(backing, fd, KINDS[like]).serve()


if __name__ == "__main__":
    mount(*sys.argv[1:4])
