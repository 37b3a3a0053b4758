"""Files as a Mac shows them: with a time of birth, and with the flag of those whose bytes are in iCloud only.

`Mac` gives `os.stat` and its like what Linux has not; whatever opens a file of which the bytes are not here is written down
by the kernel (inotify), whichever process it is.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from typing import Any

import pytest

IN_OPEN = 0x20
"""sys/inotify.h"""

SF_DATALESS = 0x40000000
"""sys/stat.h of macOS"""


class _Status:
    """A stat result with fields that Linux has not."""

    st_birthtime = 0.0
    st_flags = 0

    def __init__(self, real: os.stat_result, birth: float, flags: int) -> None:
        self._real, self.st_birthtime, self.st_flags = real, birth, flags

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Entry:
    def __init__(self, real: Any, mac: Mac) -> None:
        self._real, self._mac = real, mac

    def stat(self, *, follow_symlinks: bool = True) -> Any:
        return self._mac.shown(self._real.stat(follow_symlinks=follow_symlinks))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Entries:
    def __init__(self, real: Any, mac: Mac) -> None:
        self._real, self._mac = real, mac

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> _Entry:
        return _Entry(next(self._real), self._mac)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def close(self) -> None:
        self._real.close()


class Mac:
    """Looks at files as macOS does, while the test runs. `evict` and `download` a file, `copying` and `copied` by the
    Finder.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.births: dict[int, float] = {}
        self.flags: dict[int, int] = {}
        self.refused: dict[int, int] = {}
        for name in ("stat", "lstat", "fstat"):
            monkeypatch.setattr(os, name, self._seen_through(getattr(os, name)))
        monkeypatch.setattr(os, "scandir", self._scandir(os.scandir))
        monkeypatch.setattr(os, "stat_result", _Status)  # where the program asks what a system can say

    def shown(self, real: os.stat_result) -> Any:
        if real.st_ino in self.refused:
            raise OSError(self.refused[real.st_ino], os.strerror(self.refused[real.st_ino]))
        birth = self.births.get(real.st_ino, real.st_ctime)
        return _Status(real, birth, self.flags.get(real.st_ino, 0))

    def evict(self, *files: Path) -> None:
        self.flags |= {file.lstat().st_ino: SF_DATALESS for file in files}

    def refuse(self, number: int, *files: Path) -> None:
        """Nobody is told what these are: looking one up is answered with this errno."""
        self.refused |= {file.lstat().st_ino: number for file in files}

    def download(self, *files: Path) -> None:
        for file in files:
            del self.flags[file.lstat().st_ino]

    def copying(self, file: Path, birth: float) -> None:
        self.births[file.lstat().st_ino] = birth

    def copied(self, file: Path) -> None:
        del self.births[file.lstat().st_ino]

    def _seen_through(self, call: Any) -> Any:
        def seen(*arguments: Any, **named: Any) -> Any:
            return self.shown(call(*arguments, **named))

        return seen

    def _scandir(self, call: Any) -> Any:
        def scandir(path: Any = ".") -> Any:
            return _Entries(call(path), self)

        return scandir


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Mac:
    return Mac(monkeypatch)


class Opened:
    """Says which of some files anybody has opened since."""

    def __init__(self, *files: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._files = {
            self._libc.inotify_add_watch(self._fd, os.fsencode(file), IN_OPEN): file for file in files
        }

    def files(self) -> set[Path]:
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return set()
        found, at = set(), 0
        while at < len(data):
            watch, _, _, length = struct.unpack_from("iIII", data, at)
            found.add(self._files[watch])
            at += 16 + length
        return found

    def close(self) -> None:
        os.close(self._fd)
