"""A disk that folds case and Unicode form in names and keeps how they were written, as every Mac's and every exFAT stick's.

Run as a program it mounts such a disk over a real folder (FUSE, Linux): `python tests/folding_disk.py BACKING MOUNT`. Like
exFAT it knows no hard links, and like any FUSE of version 2 no rename that refuses to clobber.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for


@contextmanager
def folding_disk(backing: Path, at: Path) -> Iterator[Path]:
    """Mount one at `at`, or skip the test where that cannot be done."""
    backing.mkdir(parents=True, exist_ok=True)
    at.mkdir(parents=True, exist_ok=True)
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no FUSE here")
    disk = subprocess.Popen(
        [sys.executable, __file__, str(backing), str(at)], stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[1], env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    try:
        wait_for(lambda: os.path.ismount(at) or disk.poll() is not None, 10)
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


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def mount(backing: str, at: str) -> None:
    from fuse import FUSE, FuseOSError, Operations

    class Disk(Operations):  # type: ignore[misc]
        """Every call on the file that has this name, however it is spelled."""

        def real(self, path: str) -> str:
            here = backing
            for part in path.strip("/").split("/"):
                if not part:
                    continue
                names = os.listdir(here) if os.path.isdir(here) else []
                same = (name for name in names if _fold(name) == _fold(part))
                here = f"{here}/{next(same, part)}"
            return here

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            found = os.lstat(self.real(path)) if fh is None else os.fstat(fh)
            names = (
                "st_atime",
                "st_ctime",
                "st_gid",
                "st_ino",
                "st_mode",
                "st_mtime",
                "st_nlink",
                "st_size",
                "st_uid",
            )
            return {name: getattr(found, name) for name in names}

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", *os.listdir(self.real(path))]

        def statfs(self, path: str) -> dict[str, int]:
            found = os.statvfs(self.real(path))
            return {
                n: getattr(found, n)
                for n in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_namemax")
            }

        def open(self, path: str, flags: int) -> int:
            return os.open(self.real(path), flags)

        def create(self, path: str, mode: int, fi: Any = None) -> int:
            return os.open(self.real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            return os.pread(fh, size, offset)

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            return os.pwrite(fh, data, offset)

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            os.truncate(self.real(path), length)

        def fsync(self, path: str, datasync: int, fh: int) -> None:
            os.fsync(fh)

        def release(self, path: str, fh: int) -> None:
            os.close(fh)

        def unlink(self, path: str) -> None:
            os.unlink(self.real(path))

        def mkdir(self, path: str, mode: int) -> None:
            os.mkdir(self.real(path), mode)

        def rmdir(self, path: str) -> None:
            os.rmdir(self.real(path))

        def rename(self, old: str, new: str) -> None:
            source, target = self.real(old), self.real(new)
            if source != target and os.path.lexists(target):
                os.unlink(target)
            # The name is written as it was asked for, also when only its case changes.
            os.rename(source, f"{os.path.dirname(target)}/{new.rpartition('/')[2]}")

        def chmod(self, path: str, mode: int) -> None:
            os.chmod(self.real(path), mode)

        def chown(self, path: str, uid: int, gid: int) -> None:
            os.chown(self.real(path), uid, gid)

        def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
            os.utime(self.real(path), times)

        def link(self, target: str, source: str) -> None:
            raise FuseOSError(errno.ENOTSUP)

        def symlink(self, target: str, source: str) -> None:
            raise FuseOSError(errno.ENOTSUP)

    options = {"use_ino": True, "attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0}
    FUSE(Disk(), at, foreground=True, nothreads=True, raw_fi=False, **options)


if __name__ == "__main__":
    mount(sys.argv[1], sys.argv[2])
