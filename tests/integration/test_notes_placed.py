"""Where notes go and how they get there: real files, real kills and a real full disk."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from earmark.domain import Kind
from earmark.errors import EarmarkError
from earmark.files import Listings, OtherContent, digest, opened, put_in_place, recover_hidden, renaming
from earmark.notes import placement as placement_module
from earmark.notes.faults import environment_fault
from earmark.notes.names import candidates
from earmark.notes.placement import Action, Placement, place_note

OLD = "old note\n"
NEW = "new note, grüße 🙂\n"
QUIET: Callable[[str], None] = lambda _: None  # noqa: E731


def sha(text: str) -> str:
    return digest(text.encode())


def place(folder: Path, text: str, wrote: dict[str, str], audio: str = "standup.m4a") -> Placement:
    """Where a note goes for which `wrote` (name to SHA-256) was written before."""
    with opened(folder) as at:
        there = {n: digest((folder / n).read_bytes()) for n in wrote if (folder / n).is_file()}
        ours = {name: sha256 for name, sha256 in wrote.items() if there.get(name) == sha256}
        edited = [name for name in there if name not in ours]
        taken = Listings().taken
        names = candidates(audio, Kind.SUMMARY)
        return place_note(at, names, sha(text), ours, edited, lambda name: taken(at, name))


def put(folder: Path, placed: Placement, text: str, step: Callable[[str], None] = QUIET) -> None:
    if placed.action is not Action.UNCHANGED:
        with opened(folder) as at:
            put_in_place(at, placed.name, text.encode(), placed.replaces, step=step)


def write_note(folder: Path, text: str, wrote: dict[str, str], audio: str = "standup.m4a") -> Placement:
    placed = place(folder, text, wrote, audio)
    put(folder, placed, text)
    assert (folder / placed.name).read_bytes() == text.encode()
    wrote[placed.name] = sha(text)
    return placed


def files(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(folder.iterdir())}


def test_a_first_note_is_created_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    wrote: dict[str, str] = {}
    assert write_note(tmp_path, OLD, wrote).action is Action.CREATE
    before = (tmp_path / "standup.md").stat()
    assert write_note(tmp_path, OLD, wrote).action is Action.UNCHANGED
    assert (tmp_path / "standup.md").stat().st_ino == before.st_ino
    assert files(tmp_path) == {"standup.md": OLD}


def test_our_own_note_as_we_left_it_is_replaced(tmp_path: Path) -> None:
    wrote: dict[str, str] = {}
    write_note(tmp_path, OLD, wrote)
    placed = write_note(tmp_path, NEW, wrote)
    assert (placed.action, placed.replaces) == (Action.REPLACE, sha(OLD))
    assert files(tmp_path) == {"standup.md": NEW}


def test_a_note_that_was_edited_stays_and_the_new_version_goes_beside_it(tmp_path: Path) -> None:
    wrote: dict[str, str] = {}
    write_note(tmp_path, OLD, wrote)
    (tmp_path / "standup.md").write_text(OLD + "my own line\n")
    placed = write_note(tmp_path, NEW, wrote)
    assert placed.action is Action.BESIDE
    assert "standup.md was edited" in placed.reason
    assert files(tmp_path) == {"standup.md": OLD + "my own line\n", "standup.m4a.md": NEW}
    newer = write_note(tmp_path, "newer\n", wrote)
    assert (newer.action, newer.name) == (Action.BESIDE, "standup.m4a.md")
    assert files(tmp_path) == {"standup.md": OLD + "my own line\n", "standup.m4a.md": "newer\n"}
    (tmp_path / "standup.m4a.md").write_text("edited too\n")
    assert write_note(tmp_path, NEW, wrote).name == "standup.m4a (2).md"


def test_a_file_that_we_did_not_write_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "standup.md").write_text("mine")
    placed = write_note(tmp_path, NEW, {})
    assert (placed.action, placed.name) == (Action.CREATE, "standup.m4a.md")
    assert "not written by earmark" in placed.reason
    assert files(tmp_path) == {"standup.md": "mine", "standup.m4a.md": NEW}


def test_two_recordings_of_one_name_do_not_clash(tmp_path: Path) -> None:
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    write_note(tmp_path, "of m4a\n", first, "standup.m4a")
    write_note(tmp_path, "of wav\n", second, "standup.wav")
    write_note(tmp_path, "of wav, again\n", second, "standup.wav")
    assert files(tmp_path) == {"standup.md": "of m4a\n", "standup.wav.md": "of wav, again\n"}


def test_our_note_keeps_its_name_when_a_better_one_becomes_free(tmp_path: Path) -> None:
    wrote: dict[str, str] = {}
    (tmp_path / "standup.md").write_text("mine")
    write_note(tmp_path, OLD, wrote)
    (tmp_path / "standup.md").unlink()
    write_note(tmp_path, NEW, wrote)
    assert files(tmp_path) == {"standup.m4a.md": NEW}


def test_a_note_left_by_a_crash_before_its_ledger_row_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "standup.md").write_text(NEW)
    assert write_note(tmp_path, NEW, {}).action is Action.UNCHANGED
    assert files(tmp_path) == {"standup.md": NEW}


@pytest.mark.parametrize("kind", ["symlink", "dangling", "folder", "fifo"])
def test_anything_but_a_plain_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(OLD)
    folder = tmp_path / "notes"
    folder.mkdir()
    taken = folder / "standup.md"
    if kind == "symlink":
        taken.symlink_to(outside)
    elif kind == "dangling":
        taken.symlink_to("nowhere")
    elif kind == "folder":
        taken.mkdir()
    else:
        os.mkfifo(taken)
    placed = place(folder, NEW, {})
    assert placed.name == "standup.m4a.md"
    put(folder, placed, NEW)
    # Even a hash that fits what the link points to does not make the link ours.
    with pytest.raises((OtherContent, OSError)):
        put(folder, Placement("standup.md", Action.REPLACE, "", sha(OLD)), NEW)
    assert outside.read_text() == OLD
    assert not stat.S_ISREG(taken.lstat().st_mode)


@pytest.mark.shows("architecture:write")
def test_a_name_that_is_taken_between_plan_and_act_is_not_clobbered(tmp_path: Path) -> None:
    placed = place(tmp_path, NEW, {})

    def user_writes(step: str) -> None:
        if step == "before:create":
            (tmp_path / "standup.md").write_text("mine")

    with pytest.raises(FileExistsError):
        put(tmp_path, placed, NEW, user_writes)
    assert files(tmp_path) == {"standup.md": "mine"}


def test_many_writers_of_one_name_all_get_a_place(tmp_path: Path) -> None:
    def one(number: int) -> None:
        text = f"note {number}\n"
        for _ in range(50):
            with contextlib.suppress(FileExistsError):
                put(tmp_path, place(tmp_path, text, {}), text)
                return

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(files(tmp_path).values()) == [f"note {n}\n" for n in range(8)]


def test_a_note_has_the_permissions_of_a_file_that_the_user_saves(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        wrote: dict[str, str] = {}
        write_note(tmp_path, OLD, wrote)
        assert stat.S_IMODE((tmp_path / "standup.md").stat().st_mode) == 0o640
        (tmp_path / "standup.md").chmod(0o600)
        write_note(tmp_path, NEW, wrote)
        assert stat.S_IMODE((tmp_path / "standup.md").stat().st_mode) == 0o600
    finally:
        os.umask(previous)


# --- killed at every step ---

CHILD = """
    import json, os, signal, sys
    from pathlib import Path
    from tests.integration.test_notes_placed import place, put
    folder, text, wrote, die_at = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
    def step(name):
        print(name, flush=True)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    put(folder, place(folder, text, wrote), text, step)
"""


def child(
    folder: Path, text: str, wrote: dict[str, str], die_at: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(folder), text, json.dumps(wrote), die_at],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip


@pytest.mark.shows("architecture:write")
@pytest.mark.parametrize("replacing", [False, True])
def test_killed_at_any_step_the_note_is_old_or_new_and_a_rerun_completes_it(
    tmp_path: Path, replacing: bool
) -> None:
    wrote = {"standup.md": sha(OLD)} if replacing else {}

    def fresh(name: str) -> Path:
        folder = tmp_path / name.replace(":", "-")
        folder.mkdir()
        if replacing:
            (folder / "standup.md").write_text(OLD)
        return folder

    steps = child(fresh("whole"), NEW, wrote).stdout.split()
    assert len(steps) == len(set(steps)) >= 8
    for step in steps:
        folder = fresh(step)
        assert child(folder, NEW, wrote, die_at=step).returncode == -signal.SIGKILL
        note = folder / "standup.md"
        assert not note.exists() or note.read_text() in (OLD, NEW)
        assert replacing <= note.exists()
        # What the daemon does when it comes back: leftovers first, then what the ledger still says is owed.
        with opened(folder) as at:
            for name in at.names():
                recover_hidden(at, name, {sha(OLD), sha(NEW)}.__contains__)
        write_note(folder, NEW, dict(wrote) | {"standup.md": sha(note.read_text())} if note.exists() else {})
        assert files(folder) == {"standup.md": NEW}, step


# --- the machine's troubles ---


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "error"),
        (errno.EACCES, "permission"),
        (errno.ENETDOWN, "ENETDOWN"),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_fault_of_the_machine_is_named_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str, call: str
) -> None:
    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    wrote: dict[str, str] = {}
    write_note(tmp_path, OLD, wrote)
    placed = place(tmp_path, NEW, wrote)
    monkeypatch.setattr(os, call, fails)  # these cannot all be provoked for real here
    with pytest.raises(OSError) as caught:  # noqa: PT011 - its errno is what the sentence is about
        put(tmp_path, placed, NEW)
    monkeypatch.undo()
    said = str(environment_fault(caught.value, tmp_path))
    assert words in said
    assert str(tmp_path) in said
    assert files(tmp_path) == {"standup.md": OLD}


def test_a_note_that_is_locked_on_a_mac_is_said_to_be_unlocked_there(tmp_path: Path) -> None:
    said = {
        number: str(environment_fault(OSError(number, ""), tmp_path, "darwin"))
        for number in (errno.EPERM, errno.EACCES, errno.ENOSPC)
    }
    assert "Unlock what is locked (Get Info in the Finder), or allow Python the folder" in said[errno.EPERM]
    assert (
        "write to that folder, and to replace the notes in it (Get Info in the Finder" in said[errno.EACCES]
    )
    for number, system in ((errno.EPERM, "linux"), (errno.ENOSPC, "darwin")):
        assert "Finder" not in str(environment_fault(OSError(number, ""), tmp_path, system))


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:3]))
    write_note(tmp_path, NEW * 10, {})


def test_a_full_disk_for_real(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    try:
        big = "x" * 200_000
        with pytest.raises(OSError) as full:  # noqa: PT011
            put(folder, place(folder, big, {}), big)
        assert full.value.errno == errno.ENOSPC
        assert files(folder) == {}
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(OSError) as read_only:  # noqa: PT011
            put(folder, place(folder, NEW, {}), NEW)
        assert read_only.value.errno == errno.EROFS
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_renamed_meanwhile_still_gets_its_note(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    placed = place(folder, NEW, {})

    def renames(step: str) -> None:
        if step == "before:fsync":
            folder.rename(tmp_path / "b")

    put(folder, placed, NEW, renames)
    assert files(tmp_path / "b") == {"standup.md": NEW}


@pytest.mark.parametrize("hard_links", [True, False])
def test_without_renames_that_refuse_to_clobber_nothing_is_clobbered_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no hard links here, as on exFAT")

    monkeypatch.setattr(renaming, "_renameat", lambda *_: False)
    if not hard_links:
        monkeypatch.setattr(os, "link", no_links)
    write_note(tmp_path, NEW, {})
    with pytest.raises(FileExistsError):
        put(tmp_path, Placement("standup.md", Action.CREATE, ""), OLD)
    assert files(tmp_path) == {"standup.md": NEW}
    write_note(tmp_path, OLD, {"standup.md": sha(NEW)})
    assert files(tmp_path) == {"standup.md": OLD}


def test_only_our_own_hidden_names_are_ever_recovered(tmp_path: Path) -> None:
    ours = ".earmark-0123456789abcdef.tmp"
    others = (
        ".earmark-0123.tmp",
        ".earmark-0123456789ABCDEF.tmp",
        "earmark-0123456789abcdef.tmp",
        ".note.partial",
    )
    for name in (ours, *others):
        (tmp_path / name).write_text("x")
    (tmp_path / ".earmark-00000000000000ff.tmp").mkdir()
    (tmp_path / ".earmark-000000000000ffff.tmp").symlink_to(tmp_path / "notes.tmp")
    with opened(tmp_path) as at:
        for name in at.names():
            recover_hidden(at, name, lambda _: False)
    assert not (tmp_path / ours).exists()
    assert all((tmp_path / name).exists() for name in others)
    assert (tmp_path / ".earmark-000000000000ffff.tmp").is_symlink()


def test_a_folder_full_of_foreign_notes_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement_module, "MOST_NAMES", 3)
    for name in itertools.islice(candidates("standup.m4a", Kind.SUMMARY), 3):
        (tmp_path / name).write_text("mine")
    with pytest.raises(EarmarkError, match="move some of them"):
        place(tmp_path, NEW, {})
