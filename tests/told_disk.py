"""A disk that does as it is told: it hangs while its folders are listed, or has no bytes of its files, as a network folder
whose server is gone, a folder that macOS asks its user about, and a cloud.

Run as a program it mounts one over a real folder (FUSE, Linux): `python tests/told_disk.py BACKING MOUNT TOLD`. The folder
TOLD holds what it is told: while there is a file `hang` nobody gets a list of names; while there is one `hang-all` no call
at all is answered; while there is one `slow` a list takes a tenth of a second; while there is one `cloud` with the number n,
reading gives EDEADLK after n more bytes.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for


@dataclass(frozen=True)
class ToldDisk:
    """A mounted one. `at`: where; `told`: what it is told."""

    at: Path
    told: Path
    backing: Path
    pid: int = 0

    def hang(self, what: str = "hang") -> None:
        (self.told / what).touch()

    def answer(self) -> None:
        for what in ("hang", "hang-all", "slow"):
            (self.told / what).unlink(missing_ok=True)

    def freeze(self) -> None:
        """Answer nothing, as a server that is gone."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def in_cloud(self, after: int = 0) -> None:
        (self.told / "cloud").write_text(str(after))


@contextmanager
def told_disk(root: Path) -> Iterator[ToldDisk]:
    """Mount one below `root`, or skip the test where that cannot be done."""
    disk = ToldDisk(root / "disk", root / "told", root / "backing")
    for folder in (disk.at, disk.told, disk.backing):
        folder.mkdir(parents=True)
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no FUSE here")
    mounted = subprocess.Popen(
        [sys.executable, __file__, str(disk.backing), str(disk.at), str(disk.told)], stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[1], env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    try:
        wait_for(lambda: os.path.ismount(disk.at) or mounted.poll() is not None, 20)
        if mounted.poll() is not None:
            said = (mounted.communicate()[1] or "").strip().splitlines()[-1:]
            pytest.skip(f"no disk of this kind can be mounted here: {said}")
        yield replace(disk, pid=mounted.pid)
    finally:
        mounted.send_signal(signal.SIGCONT)
        disk.answer()
        subprocess.run(["umount", "-l", str(disk.at)], capture_output=True, check=False)
        mounted.kill()
        mounted.wait(10)
        if mounted.stderr is not None:
            mounted.stderr.close()


def mount(backing: str, at: str, told: str) -> None:
    from fuse import FUSE, FuseOSError, Operations

    class Disk(Operations):  # type: ignore[misc]
        """Every call on the file of this name in the real folder."""

        given = 0
        """Bytes since it was told to have none."""

        def __call__(self, op: str, *arguments: Any) -> Any:
            while os.path.exists(f"{told}/hang-all") or (op == "readdir" and os.path.exists(f"{told}/hang")):
                time.sleep(0.01)
            return super().__call__(op, *arguments)

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            found = os.lstat(backing + path) if fh is None else os.fstat(fh)
            return {n: getattr(found, n) for n in dir(found) if n.startswith("st_") and not n.endswith("_ns")}

        def readdir(self, path: str, fh: int) -> list[str]:
            if os.path.exists(f"{told}/slow"):
                time.sleep(0.1)
            return [".", "..", *os.listdir(backing + path)]

        def open(self, path: str, flags: int) -> int:
            return os.open(backing + path, flags)

        def create(self, path: str, mode: int, fi: Any = None) -> int:
            return os.open(backing + path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            data = os.pread(fh, size, offset)
            if os.path.exists(f"{told}/cloud"):
                if self.given >= int(Path(told, "cloud").read_text() or 0):
                    raise FuseOSError(errno.EDEADLK)
                self.given += len(data)
            return data

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            return os.pwrite(fh, data, offset)

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            os.truncate(backing + path, length)

        def fsync(self, path: str, datasync: int, fh: int) -> None:
            os.fsync(fh)

        def release(self, path: str, fh: int) -> None:
            os.close(fh)

        def unlink(self, path: str) -> None:
            os.unlink(backing + path)

        def mkdir(self, path: str, mode: int) -> None:
            os.mkdir(backing + path, mode)

        def rmdir(self, path: str) -> None:
            os.rmdir(backing + path)

        def rename(self, old: str, new: str) -> None:
            os.rename(backing + old, backing + new)

        def chmod(self, path: str, mode: int) -> None:
            os.chmod(backing + path, mode)

        def chown(self, path: str, uid: int, gid: int) -> None:
            os.chown(backing + path, uid, gid)

        def utimens(self, path: str, times: tuple[float, float] | None = None) -> None:
            os.utime(backing + path, times)

        def statfs(self, path: str) -> dict[str, int]:
            found = os.statvfs(backing + path)
            return {n: getattr(found, n) for n in dir(found) if n.startswith("f_") and n != "f_fsid"}

        def link(self, target: str, source: str) -> None:
            raise FuseOSError(errno.ENOTSUP)

    # direct_io: what was read once is not given again from memory.
    FUSE(
        Disk(), at, foreground=True, nothreads=False, raw_fi=False, use_ino=True, attr_timeout=0, entry_timeout=0,
        negative_timeout=0, direct_io=True,
    )  # fmt: skip


if __name__ == "__main__":
    mount(*sys.argv[1:4])
