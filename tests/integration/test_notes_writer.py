"""Publishing notes with real files, real kills and a real full disk."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.domain import Kind
from earmark.errors import EarmarkError, EnvironmentFault
from earmark.notes import publication, writer
from earmark.notes.names import candidates
from earmark.notes.writer import (
    Plan,
    PlanStale,
    digest,
    file_digest,
    plan_publish,
    publish,
    remove_stale_temps,
)

OLD = "old note\n"
NEW = "new note, grüße 🙂\n"


def names(audio: str = "standup.m4a") -> Iterator[str]:
    return candidates(audio, Kind.SUMMARY)


def write_note(folder: Path, text: str, ours: dict[str, str], audio: str = "standup.m4a") -> Plan:
    plan = plan_publish(folder, names(audio), text, ours)
    published = publish(folder, plan, text)
    assert published.path == folder / plan.name
    assert published.path.read_bytes() == text.encode()
    assert published.sha256 == digest(text) == file_digest(published.path)
    ours[plan.name] = published.sha256
    return plan


def files(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(folder.iterdir())}


def test_a_first_note_is_created_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    assert write_note(tmp_path, OLD, ours).action == "create"
    before = (tmp_path / "standup.md").stat()
    assert write_note(tmp_path, OLD, ours).action == "unchanged"
    assert (tmp_path / "standup.md").stat().st_ino == before.st_ino
    assert files(tmp_path) == {"standup.md": OLD}


def test_our_own_note_as_we_left_it_is_replaced(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    plan = write_note(tmp_path, NEW, ours)
    assert (plan.action, plan.replaces) == ("replace", digest(OLD))
    assert files(tmp_path) == {"standup.md": NEW}


def test_a_note_that_was_edited_stays_and_the_new_version_goes_beside_it(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    (tmp_path / "standup.md").write_text(OLD + "my own line\n")
    plan = write_note(tmp_path, NEW, ours)
    assert plan.action == "beside"
    assert "standup.md was edited" in plan.reason
    assert files(tmp_path) == {"standup.md": OLD + "my own line\n", "standup.m4a.md": NEW}
    newer = write_note(tmp_path, "newer\n", ours)
    assert (newer.action, newer.name) == ("beside", "standup.m4a.md")
    assert files(tmp_path) == {"standup.md": OLD + "my own line\n", "standup.m4a.md": "newer\n"}
    (tmp_path / "standup.m4a.md").write_text("edited too\n")
    assert write_note(tmp_path, NEW, ours).name == "standup.m4a (2).md"


def test_a_file_that_we_did_not_write_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "standup.md").write_text("mine")
    plan = write_note(tmp_path, NEW, {})
    assert (plan.action, plan.name) == ("create", "standup.m4a.md")
    assert "not written by earmark" in plan.reason
    assert files(tmp_path) == {"standup.md": "mine", "standup.m4a.md": NEW}


def test_two_recordings_of_one_name_do_not_clash(tmp_path: Path) -> None:
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    write_note(tmp_path, "of m4a\n", first, "standup.m4a")
    write_note(tmp_path, "of wav\n", second, "standup.wav")
    write_note(tmp_path, "of wav, again\n", second, "standup.wav")
    assert files(tmp_path) == {"standup.md": "of m4a\n", "standup.wav.md": "of wav, again\n"}


def test_our_note_keeps_its_name_when_a_better_one_becomes_free(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    (tmp_path / "standup.md").write_text("mine")
    write_note(tmp_path, OLD, ours)
    (tmp_path / "standup.md").unlink()
    write_note(tmp_path, NEW, ours)
    assert files(tmp_path) == {"standup.m4a.md": NEW}


def test_a_note_left_by_a_crash_before_its_ledger_row_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "standup.md").write_text(NEW)
    assert write_note(tmp_path, NEW, {}).action == "unchanged"
    assert files(tmp_path) == {"standup.md": NEW}


def test_a_note_that_the_user_deleted_can_be_written_again(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    (tmp_path / "standup.md").unlink()
    assert write_note(tmp_path, NEW, ours).action == "create"


@pytest.mark.parametrize("kind", ["symlink", "dangling", "folder", "fifo"])
def test_anything_but_a_plain_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(OLD)
    folder = tmp_path / "notes"
    folder.mkdir()
    taken = folder / "standup.md"
    {
        "symlink": lambda: taken.symlink_to(outside),
        "dangling": lambda: taken.symlink_to("nowhere"),
        "folder": taken.mkdir,
        "fifo": lambda: os.mkfifo(taken),
    }[kind]()
    # Even a hash that fits what the link points to does not make the link ours.
    plan = plan_publish(folder, names(), NEW, {"standup.md": digest(OLD)})
    assert plan.name == "standup.m4a.md"
    publish(folder, plan, NEW)
    assert outside.read_text() == OLD
    assert not stat.S_ISREG(taken.lstat().st_mode)


def test_a_name_that_is_taken_between_plan_and_act_is_not_clobbered(tmp_path: Path) -> None:
    plan = plan_publish(tmp_path, names(), NEW, {})

    def user_writes(step: str) -> None:
        if step == "before:create":
            (tmp_path / "standup.md").write_text("mine")

    with pytest.raises(PlanStale, match="appeared"):
        publish(tmp_path, plan, NEW, step=user_writes)
    assert files(tmp_path) == {"standup.md": "mine"}


def test_an_edit_between_plan_and_act_wins(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    plan = plan_publish(tmp_path, names(), NEW, ours)

    def user_edits(step: str) -> None:
        if step == "before:replace":
            (tmp_path / "standup.md").write_text("edited")

    with pytest.raises(PlanStale, match="was changed"):
        publish(tmp_path, plan, NEW, step=user_edits)
    assert files(tmp_path) == {"standup.md": "edited"}


def test_a_replacement_needs_the_hash_that_the_ledger_expects(tmp_path: Path) -> None:
    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    plan = plan_publish(tmp_path, names(), NEW, ours)
    with pytest.raises(PlanStale):
        publish(tmp_path, plan, NEW, expected_sha=digest("something else"))
    assert files(tmp_path) == {"standup.md": OLD}


def test_an_unchanged_note_that_changes_after_all_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "standup.md").write_text(NEW)
    plan = plan_publish(tmp_path, names(), NEW, {})
    (tmp_path / "standup.md").write_text("edited")
    with pytest.raises(PlanStale):
        publish(tmp_path, plan, NEW)


def test_many_writers_of_one_name_all_get_a_place(tmp_path: Path) -> None:
    def one(number: int) -> None:
        text = f"note {number}\n"
        for _ in range(50):
            with contextlib.suppress(PlanStale):
                publish(tmp_path, plan_publish(tmp_path, names(), text, {}), text)
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
        ours: dict[str, str] = {}
        write_note(tmp_path, OLD, ours)
        assert stat.S_IMODE((tmp_path / "standup.md").stat().st_mode) == 0o640
        (tmp_path / "standup.md").chmod(0o600)
        write_note(tmp_path, NEW, ours)
        assert stat.S_IMODE((tmp_path / "standup.md").stat().st_mode) == 0o600
    finally:
        os.umask(previous)


# --- killed at every step ---

CHILD = """
    import json, os, signal, sys
    from pathlib import Path
    from earmark.domain import Kind
    from earmark.notes.names import candidates
    from earmark.notes.writer import plan_publish, publish
    folder, text, ours, die_at = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
    def step(name):
        print(name, flush=True)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    plan = plan_publish(folder, candidates("standup.m4a", Kind.SUMMARY), text, ours)
    publish(folder, plan, text, step=step)
"""


def child(
    folder: Path, text: str, ours: dict[str, str], die_at: str = ""
) -> subprocess.CompletedProcess[str]:
    import json

    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(folder), text, json.dumps(ours), die_at],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("replacing", [False, True])
def test_killed_at_any_step_the_note_is_old_or_new_and_a_rerun_completes_it(
    tmp_path: Path, replacing: bool
) -> None:
    ours = {"standup.md": digest(OLD)} if replacing else {}

    def fresh(name: str) -> Path:
        folder = tmp_path / name.replace(":", "-")
        folder.mkdir()
        if replacing:
            (folder / "standup.md").write_text(OLD)
        return folder

    steps = child(fresh("whole"), NEW, ours).stdout.split()
    assert len(steps) == len(set(steps)) == 12
    for step in steps:
        folder = fresh(step)
        assert child(folder, NEW, ours, die_at=step).returncode == -signal.SIGKILL
        note = folder / "standup.md"
        assert not note.exists() or note.read_text() in (OLD, NEW)
        assert replacing <= note.exists()
        # What the daemon does when it comes back: the ledger still says what it said before.
        write_note(folder, NEW, dict(ours))
        remove_stale_temps(folder, older_than=0, now=4e9)
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

    ours: dict[str, str] = {}
    write_note(tmp_path, OLD, ours)
    plan = plan_publish(tmp_path, names(), NEW, ours)
    monkeypatch.setattr(os, call, fails)  # these cannot all be provoked for real here
    with pytest.raises(EnvironmentFault, match=words) as caught:
        publish(tmp_path, plan, NEW)
    monkeypatch.undo()
    assert str(tmp_path) in str(caught.value)
    assert files(tmp_path) == {"standup.md": OLD}


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
        with pytest.raises(EnvironmentFault, match="disk is full"):
            publish(folder, plan_publish(folder, names(), big, {}), big)
        assert files(folder) == {}
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(EnvironmentFault, match="read-only"):
            publish(folder, plan_publish(folder, names(), NEW, {}), NEW)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_is_gone_is_the_machines_trouble(tmp_path: Path) -> None:
    plan = plan_publish(tmp_path, names(), NEW, {})
    with pytest.raises(EnvironmentFault, match="is not there"):
        publish(tmp_path / "gone", plan, NEW)
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="not a folder"):
        publish(tmp_path / "file", plan, NEW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_the_machines_trouble(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentFault, match="permission"):
            publish(tmp_path, plan_publish(tmp_path, names(), NEW, {}), NEW)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_renamed_meanwhile_still_gets_its_note(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    plan = plan_publish(folder, names(), NEW, {})
    publish(
        folder,
        plan,
        NEW,
        step=lambda s: folder.rename(tmp_path / "b") and None if s == "before:write" else None,
    )
    assert files(tmp_path / "b") == {"standup.md": NEW}


@pytest.mark.parametrize("also_no_renameat2", [False, True])
def test_without_hard_links_nothing_is_clobbered_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, also_no_renameat2: bool
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no hard links here, as on exFAT")

    monkeypatch.setattr(os, "link", no_links)
    if also_no_renameat2:
        monkeypatch.setattr(publication, "_rename_exclusively", lambda *_: False)
    write_note(tmp_path, NEW, {})
    with pytest.raises(PlanStale):
        publish(tmp_path, Plan("standup.md", "create", ""), OLD)
    assert files(tmp_path) == {"standup.md": NEW}


def test_only_our_own_old_temp_files_are_swept(tmp_path: Path) -> None:
    ours = tmp_path / ".earmark-0123456789abcdef.tmp"
    young = tmp_path / ".earmark-fedcba9876543210.tmp"
    others = [
        ".earmark-0123.tmp",
        ".earmark-0123456789ABCDEF.tmp",
        "earmark-0123456789abcdef.tmp",
        "notes.tmp",
    ]
    for name in (ours.name, young.name, *others):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1000, 1000))
    os.utime(young, (5000, 5000))
    (tmp_path / ".earmark-00000000000000ff.tmp").mkdir()
    (tmp_path / ".earmark-000000000000ffff.tmp").symlink_to(tmp_path / "notes.tmp")
    assert remove_stale_temps(tmp_path, older_than=3600, now=5000) == [ours]
    assert not ours.exists()
    assert young.exists()
    assert all((tmp_path / name).exists() for name in others)


def test_a_folder_full_of_foreign_notes_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_NAMES", 3)
    for name in ("standup.md", "standup.m4a.md", "standup.m4a (2).md"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(EarmarkError, match="move some of them"):
        plan_publish(tmp_path, names(), NEW, {})
