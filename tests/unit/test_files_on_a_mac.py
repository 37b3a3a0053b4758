"""What the ground floor asks of a Mac's kernel and library, and what it does with the answers of disks that know less.

The answers are played (tests/as_mac.py); the files are real.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from earmark.files import durable, renaming

from tests.as_mac import NUMBERS, RENAME_EXCL, RENAME_SWAP, Library, mac, refusing, renameatx

__all__ = ["mac"]

Load = Callable[[Library], ModuleType]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- numbers ---


def test_the_numbers_of_this_system_are_those_of_the_table() -> None:
    wrong = {n: number for n, number in NUMBERS["linux"].items() if getattr(errno, n) != number}
    assert wrong == {}


NO_LINKS = ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK", "EACCES")
"""What link(2) says on FAT, exFAT, SMB and FUSE."""
NO_FOLDER = ("EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EBADF", "EPERM", "EACCES", "EISDIR")
NO_FULL_FLUSH = ("ENOTSUP", "EINVAL", "ENOTTY", "EOPNOTSUPP", "ENOSYS", "EPERM", "EBADF")
LOST = ("EIO", "ENOSPC", "EDQUOT", "ENXIO", "ESTALE")


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_disk_that_does_not_know_a_call_is_told_from_one_that_is_broken_by_the_numbers_of_each_system(
    mac: Load, system: str
) -> None:
    if system == "darwin":
        files = mac(Library())
        here_durable, here_renaming = files.durable, files.renaming
    else:
        here_durable, here_renaming = durable, renaming
    number = NUMBERS[system]
    assert {number[n] for n in NO_LINKS} == set(here_renaming.NO_HARD_LINKS)
    assert {number[n] for n in LOST} == set(here_durable.LOST)
    assert {number[n] for n in ("ENOTSUP", "EOPNOTSUPP")} <= set(here_durable.NO_SUCH_CALL)
    assert len({number["ENOTSUP"], number["EOPNOTSUPP"]}) == (2 if system == "darwin" else 1)
    assert not set(here_durable.LOST) & (set(here_durable.NO_SUCH_CALL) | set(here_renaming.NO_HARD_LINKS))


# --- bringing to the medium ---


class Flushing:
    """Counts fsync and plays F_FULLFSYNC, which this system does not have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, full: str | None, plain: str | None = None) -> None:
        self.asked: list[str] = []

        def full_flush(fd: int, command: int) -> int:
            assert command == 51  # F_FULLFSYNC, xnu's sys/fcntl.h
            self.asked.append("full")
            if full is not None:
                raise OSError(NUMBERS["darwin"][full], full)
            return 0

        def flush(fd: int) -> None:
            self.asked.append("plain")
            if plain is not None:
                raise OSError(NUMBERS["darwin"][plain], plain)

        monkeypatch.setattr(fcntl, "fcntl", full_flush)
        monkeypatch.setattr(os, "fsync", flush)


@pytest.mark.parametrize("answer", [None, *NO_FULL_FLUSH, *LOST])
def test_where_a_disk_does_not_know_a_full_flush_a_plain_one_is_asked_unless_the_bytes_are_lost(
    mac: Load, monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    files, flushing = mac(Library()), Flushing(monkeypatch, answer)
    if answer in LOST:
        with pytest.raises(OSError, match=str(answer)):
            files.durable.flush_file(0)
        assert flushing.asked == ["full"]
    else:
        files.durable.flush_file(0)
        assert flushing.asked == (["full"] if answer is None else ["full", "plain"])


@pytest.mark.parametrize("answer", [*NO_FOLDER, *LOST])
def test_a_folder_that_cannot_be_flushed_stops_nothing_and_one_that_could_not_be_written_does(
    mac: Load, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    files = mac(Library())
    Flushing(monkeypatch, answer, answer)
    if answer in LOST:
        with pytest.raises(OSError, match=answer):
            files.durable.flush_folder(0)
    else:
        files.durable.flush_folder(0)


# --- renames ---


def test_a_note_is_made_by_an_exclusive_rename_and_replaced_by_a_swap(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = Library(renameatx_np=renameatx)
    files = mac(library)
    Flushing(monkeypatch, None)
    with files.opened(tmp_path) as folder:
        files.put_in_place(folder, "a.md", b"one", None)
        files.put_in_place(folder, "a.md", b"two", sha(b"one"))
        with pytest.raises(FileExistsError):
            files.put_in_place(folder, "a.md", b"three", None)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.md", b"two")]
    flags = [arguments[4] for name, arguments in library.asked if name == "renameatx_np"]
    assert flags == [RENAME_EXCL, RENAME_SWAP, RENAME_EXCL]


# --- what a note has beside its bytes ---


def test_the_next_version_of_a_note_gets_list_attributes_and_birth_of_the_last_by_the_calls_of_a_mac(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """COPYFILE_ACL | COPYFILE_XATTR and nothing else; the birth as 16 bytes, without the length that is read before them."""
    born, given = struct.pack("<qq", 1_600_000_000, 123_456_789), []

    def read(fd: int, wanted: Any, found: Any, size: int, options: int) -> int:
        assert bytes(wanted._obj) == struct.pack("<HHIIIII", 5, 0, 0x200, 0, 0, 0, 0)
        assert size == 20
        ctypes.memmove(found, struct.pack("<I", 20) + born, 20)
        return 0

    def write(fd: int, wanted: Any, found: Any, size: int, options: int) -> int:
        assert bytes(wanted._obj) == struct.pack("<HHIIIII", 5, 0, 0x200, 0, 0, 0, 0)
        given.append(ctypes.string_at(found, size))
        return 0

    copies: list[tuple[bytes, bytes, int]] = []

    def copy(old: int, new: int, state: object, flags: int) -> int:
        assert state is None
        copies.append((_read(old), _read(new), flags))
        return 0

    files = mac(Library(renameatx_np=renameatx, fcopyfile=copy, fgetattrlist=read, fsetattrlist=write))
    Flushing(monkeypatch, None)
    (tmp_path / "a.md").write_bytes(b"one")
    with files.opened(tmp_path) as folder:
        files.put_in_place(folder, "a.md", b"two", sha(b"one"))
    assert copies == [(b"one", b"two", 1 | 4)]
    assert given == [born]


def _read(fd: int) -> bytes:
    """By its name: the next version is open for writing only."""
    return Path(f"/proc/self/fd/{fd}").readlink().read_bytes()


@pytest.mark.parametrize(("answer", "kept"), [("EPERM", True), ("ENOTSUP", True), ("ENOSPC", False)])
def test_a_disk_without_attributes_stops_no_note_and_a_full_one_does(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, kept: bool
) -> None:
    files = mac(Library(renameatx_np=renameatx, fcopyfile=refusing(answer)))
    Flushing(monkeypatch, None)
    (tmp_path / "a.md").write_bytes(b"one")
    with files.opened(tmp_path) as folder:
        if kept:
            files.put_in_place(folder, "a.md", b"two", sha(b"one"))
        else:
            with pytest.raises(OSError, match="No space left"):
                files.put_in_place(folder, "a.md", b"two", sha(b"one"))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.md", b"two" if kept else b"one")]
