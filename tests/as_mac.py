"""The ground floor as a Mac would load it: its numbers, its name, and calls of its own; on real files of this system.

What is played is what a module asks: `sys.platform`, the numbers in `errno`, and the calls that it finds in the C library.
That macOS answers so is what its pages and sources say, and no test here can show.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

NUMBERS = {
    "linux": {
        "EPERM": 1, "ENOENT": 2, "EIO": 5, "ENXIO": 6, "EBADF": 9, "EACCES": 13, "EEXIST": 17, "EXDEV": 18, "EISDIR": 21,
        "EINVAL": 22, "ENOTTY": 25, "ENOSPC": 28, "EMLINK": 31, "ENOTEMPTY": 39, "ELOOP": 40, "ENODATA": 61, "ENOTSUP": 95,
        "EOPNOTSUPP": 95, "ENOSYS": 38, "EDQUOT": 122, "ESTALE": 116, "ERANGE": 34, "E2BIG": 7, "ENOTDIR": 20,
    },
    "darwin": {
        "EPERM": 1, "ENOENT": 2, "EIO": 5, "ENXIO": 6, "EBADF": 9, "EACCES": 13, "EEXIST": 17, "EXDEV": 18, "EISDIR": 21,
        "EINVAL": 22, "ENOTTY": 25, "ENOSPC": 28, "EMLINK": 31, "ENOTEMPTY": 66, "ELOOP": 62, "ENODATA": 96, "ENOTSUP": 45,
        "EOPNOTSUPP": 102, "ENOSYS": 78, "EDQUOT": 69, "ESTALE": 70, "ERANGE": 34, "E2BIG": 7, "ENOTDIR": 20,
    },
}  # fmt: skip
"""Numbers of both systems (linux/errno.h and asm-generic/errno.h; xnu's bsd/sys/errno.h)."""

RENAME_SWAP, RENAME_EXCL = 2, 4
"""xnu, bsd/sys/stdio.h."""

MAC_CALLS = (
    "renameatx_np", "fcopyfile", "fgetattrlist", "fsetattrlist", "getattrlist", "acl_init", "acl_set_fd_np", "acl_free",
)  # fmt: skip


class Library:
    """A C library with the calls of a Mac; those that a test does not give are refused, as on a disk that knows none."""

    def __init__(self, **calls: Callable[..., int]) -> None:
        self.said = 0
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        unknown = {name: refusing("ENOTSUP") for name in MAC_CALLS}
        for name, call in (unknown | calls).items():
            setattr(self, name, self._asked(name, call))

    def _asked(self, name: str, call: Callable[..., int]) -> Callable[..., int]:
        def ask(*arguments: Any) -> int:
            self.asked.append((name, arguments))
            try:
                return call(*arguments)
            except OSError as error:
                self.said = error.errno or 0
                return -1

        return ask

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # a call of Linux


def renameatx(old: int, name: bytes, new: int, target: bytes, flags: int) -> int:
    """What renameatx_np(2) does, on this system's renameat2: with EXCL and SWAP, as on APFS."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(old, name, new, target, {RENAME_EXCL: 1, RENAME_SWAP: 2}[flags]) == 0:
        return 0
    number = ctypes.get_errno()
    raise OSError(NUMBERS["darwin"].get(errno.errorcode[number], number), "renameatx_np")


def refusing(name: str) -> Callable[..., int]:
    """A call that a Mac's filesystem answers with this error."""

    def refuse(*_: Any) -> int:
        raise OSError(NUMBERS["darwin"][name], name)

    return refuse


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Callable[[Library], ModuleType]:
    """Call it with a library for `earmark.files` as a Mac loads it."""

    def load(library: Library) -> ModuleType:
        numbers = ModuleType("errno")
        vars(numbers).update({name: getattr(errno, name) for name in dir(errno) if name.startswith("E")})
        vars(numbers).update(NUMBERS["darwin"])
        import earmark

        real = {name: module for name, module in sys.modules.items() if name.startswith("earmark.files")}
        package = vars(earmark).get("files")
        for name in real:
            del sys.modules[name]
        with monkeypatch.context() as loading:
            loading.setitem(sys.modules, "errno", numbers)
            loading.setattr(sys, "platform", "darwin")
            try:
                files = importlib.import_module("earmark.files")
                loaded = {n: m for n, m in sys.modules.items() if n.startswith("earmark.files")}
            finally:
                for name in [n for n in sys.modules if n.startswith("earmark.files")]:
                    del sys.modules[name]
                sys.modules.update(real)
                vars(earmark)["files"] = package
        for module in loaded.values():
            if "ctypes" in vars(module):
                monkeypatch.setattr(module, "ctypes", _Ctypes(library))
        monkeypatch.setattr(sys, "platform", "darwin")
        for name in ("getxattr", "setxattr", "listxattr", "removexattr"):
            monkeypatch.delattr(os, name)  # Python has them on Linux only
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
        return files

    return load


class _Ctypes:
    """`ctypes`, but for the library and its error number."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def CDLL(self, *_: Any, **__: Any) -> Library:
        return self._library

    def get_errno(self) -> int:
        return self._library.said

    def __getattr__(self, name: str) -> Any:
        return getattr(ctypes, name)


def no_links(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """From now on a hard link is refused with this number."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, "link")

    monkeypatch.setattr(os, "link", refuse)
