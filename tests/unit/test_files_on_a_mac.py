"""What the ground floor asks of a Mac's kernel and library, and what it does with the answers of disks that know less.

The answers are played (tests/as_mac.py); the files are real.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from types import ModuleType

import pytest
from earmark.files import durable, renaming

from tests.as_mac import NUMBERS, Library, mac

__all__ = ["mac"]

Load = Callable[[Library], ModuleType]


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
