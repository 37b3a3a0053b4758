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
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from earmark.files import durable, renaming

from tests.as_mac import NUMBERS, RENAME_EXCL, RENAME_SWAP, Library, mac, no_links, refusing, renameatx
from tests.folding_disk import folding_disk

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


@pytest.mark.shows("macos:no-links")
@pytest.mark.parametrize("refusal", NO_LINKS)
def test_on_a_stick_or_a_share_a_note_is_made_replaced_taken_and_restored_and_nothing_is_ever_written_over(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refusal: str
) -> None:
    """exFAT and SMB: RENAME_EXCL and RENAME_SWAP are ENOTSUP (45), link(2) is ENOTSUP or whatever else it is called."""
    files = mac(Library())
    Flushing(monkeypatch, "ENOTSUP", None)
    no_links(monkeypatch, NUMBERS["darwin"][refusal])
    (tmp_path / "trash").mkdir()
    (tmp_path / "mine.md").write_bytes(b"mine")
    with files.opened(tmp_path) as folder, files.opened(tmp_path / "trash") as trash:
        files.put_in_place(folder, "a.md", b"one", None)
        files.put_in_place(folder, "a.md", b"two", sha(b"one"))
        for data in (b"one", b"mine"):
            with pytest.raises(FileExistsError):
                files.put_in_place(folder, "mine.md", data, None)
        with pytest.raises(FileExistsError):
            files.move_without_loss(folder, "a.md", folder, "mine.md", sha(b"two"))
        os.utime(tmp_path / "a.md", ns=(1, 1_700_000_000_123_456_000))
        files.take_out(folder, "a.md", sha(b"two"), trash, "a.md")
        assert files.put_back(trash, "a.md", folder, "mine.md", alone=True) == tmp_path / "mine (2).md"
    left = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"mine.md": b"mine", "mine (2).md": b"two"}
    assert (tmp_path / "mine (2).md").stat().st_mtime_ns == 1_700_000_000_123_456_000


# --- copying where nothing else is safe ---


def copied(files: ModuleType, root: Path, data: bytes) -> None:
    (root / "swap").write_bytes(data)
    with files.opened(root) as folder:
        files.renaming.rename_exclusively(folder, "swap", folder, "a.m4a", alone=True)


@pytest.fixture
def stick(mac: Load, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    files = mac(Library())
    no_links(monkeypatch, NUMBERS["darwin"]["ENOTSUP"])
    Flushing(monkeypatch, "ENOTTY", None)
    return files


@pytest.mark.parametrize("when", ["before", "instead", "into"])
def test_whoever_comes_while_a_file_is_copied_to_its_name_keeps_theirs_and_ours_is_kept_too(
    stick: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    ours, theirs, target = os.urandom(100_000), b"theirs", tmp_path / "a.m4a"
    flush = stick.copying.flush_file

    def come(fd: int) -> None:
        flush(fd)
        if when == "instead":
            (tmp_path / "saved").write_bytes(theirs)
            (tmp_path / "saved").replace(target)
        elif when == "into":
            target.write_bytes(theirs)

    if when == "before":
        target.write_bytes(theirs)
    monkeypatch.setattr(stick.copying, "flush_file", come)
    with pytest.raises(FileExistsError):
        copied(stick, tmp_path, ours)
    assert target.read_bytes() == theirs
    assert (tmp_path / "swap").read_bytes() == ours


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_copy_that_cannot_be_finished_leaves_the_file_where_it_was_and_nothing_under_the_new_name(
    stick: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:7])
        raise OSError(number, "the disk")

    monkeypatch.setattr(stick.copying, "write_all", full)
    with pytest.raises(OSError, match="the disk"):
        copied(stick, tmp_path, b"a recording")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("swap", b"a recording")]


def test_a_file_that_another_program_may_have_open_stays_the_same_file(
    stick: ModuleType, tmp_path: Path
) -> None:
    """What a recorder goes on writing to a file that is given its name back is not written into nowhere."""
    (tmp_path / "swap").write_bytes(b"so far")
    with (tmp_path / "swap").open("ab", buffering=0) as recorder, stick.opened(tmp_path) as folder:
        assert stick.put_back(folder, "swap", folder, "a.m4a") == tmp_path / "a.m4a"
        recorder.write(b" and on")
    assert (tmp_path / "a.m4a").read_bytes() == b"so far and on"


def test_a_folder_takes_a_free_name_and_no_other(stick: ModuleType, tmp_path: Path) -> None:
    for name in ("made", "full", "file"):
        (tmp_path / name).mkdir() if name != "file" else (tmp_path / name).write_bytes(b"x")
    for name in ("made", "full"):
        (tmp_path / name / "x").write_bytes(b"x")
    for taken in ("full", "file"):
        with pytest.raises(FileExistsError):
            stick.name_new(tmp_path / "made", tmp_path / taken)
    stick.name_new(tmp_path / "made", tmp_path / "export")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "export", "export/x", "file", "full", "full/x",
    ]  # fmt: skip


# --- what a note has beside its bytes ---


@pytest.mark.shows("macos:attributes")
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


@pytest.mark.parametrize("when", ["before it has a name", "while its attributes are copied"])
def test_a_note_that_a_person_let_nobody_delete_stays_as_it_is_and_nothing_is_left_beside_it(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    """`chmod +a "everyone deny delete"`: a rename needs that, too, and the next version gets the list of the last."""
    (tmp_path / "a.md").write_bytes(b"one")
    kept, unlink, rename = {(tmp_path / "a.md").stat().st_ino}, os.unlink, os.rename

    def denied(name: str, dir_fd: int) -> None:
        if os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_ino in kept:
            raise PermissionError(NUMBERS["darwin"]["EACCES"], "deny delete")

    def unlink_(name: str, *, dir_fd: int) -> None:
        denied(name, dir_fd)
        unlink(name, dir_fd=dir_fd)

    def rename_(name: str, target: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        denied(name, src_dir_fd)
        rename(name, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    def copy(old: int, new: int, state: object, flags: int) -> int:
        kept.add(os.fstat(new).st_ino)
        if when == "while its attributes are copied":
            raise OSError(NUMBERS["darwin"]["ENOSPC"], "full")
        return 0

    def set_list(fd: int, entries: int, kind: int) -> int:
        assert (entries, kind) == (7, 0x100)
        kept.discard(os.fstat(fd).st_ino)
        return 0

    files = mac(Library(fcopyfile=copy, acl_init=lambda _: 7, acl_set_fd_np=set_list, acl_free=lambda _: 0))
    Flushing(monkeypatch, None)
    monkeypatch.setattr(os, "unlink", unlink_)
    monkeypatch.setattr(os, "rename", rename_)
    with files.opened(tmp_path) as folder, pytest.raises(OSError, match=r"deny delete|No space left"):
        files.put_in_place(folder, "a.md", b"two", sha(b"one"))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.md", b"one")]


# --- names ---


@pytest.mark.shows("macos:asking")
def test_how_a_folder_is_written_is_known_without_listing_the_one_above_which_macos_may_guard(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`~/Documents/Calls` on a disk that folds: to list Documents waits for the answer to macOS's question."""
    listdir = os.listdir

    def name(path: bytes, wanted: bytes, found: Any, size: int, options: int) -> int:
        assert (wanted, options) == (struct.pack("<HHIIIII", 5, 0, 1, 0, 0, 0, 0), 1)
        above, last = os.path.split(os.fsdecode(path))
        (kept,) = [n for n in listdir(above) if n.casefold() == last.casefold()]
        data = os.fsencode(kept) + b"\0"
        whole = struct.pack("<IiI", 12 + len(data), 8, len(data)) + data
        assert len(whole) <= size
        ctypes.memmove(found, whole, len(whole))
        return 0

    with folding_disk(tmp_path / "backing", tmp_path / "disk", "apfs") as disk:
        (disk / "Documents" / "Calls").mkdir(parents=True)
        files = mac(Library(getattrlist=name))
        monkeypatch.setattr(os, "listdir", lambda path: pytest.fail(f"{path} was listed"))
        monkeypatch.setattr(os, "pathconf", lambda path, what: 0 if what == 11 else pytest.fail("what?"))
        assert files.spelled(disk / "documents" / "calls") == disk / "Documents" / "Calls"
        assert files.really(disk / "DOCUMENTS" / "CALLS") == disk / "Documents" / "Calls"
        assert files.really(disk / "Documents" / "NEW") == disk / "Documents" / "new"


# --- folders ---


def test_a_folder_is_the_same_when_its_disk_has_another_number(
    mac: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stick that is plugged in as the second one today, and was the first yesterday."""
    files, real, births = mac(Library()), os.fstat, {"one": 1_600_000_000.5, "other": 1_600_000_000.25}
    plugged = [1]

    def fstat(fd: int) -> Any:
        found, name = real(fd), Path(f"/proc/self/fd/{fd}").readlink().name
        if name not in births:
            return found
        return SimpleNamespace(st_ino=7, st_dev=plugged[0], st_mode=found.st_mode, st_birthtime=births[name])

    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_fsid=plugged[0]))
    for name in births:
        (tmp_path / name).mkdir()
    before = {name: files.what_is_at(tmp_path / name) for name in births}
    plugged[0] = 2
    assert {name: files.what_is_at(tmp_path / name) for name in births} == before
    assert len(set(before.values())) == 2
