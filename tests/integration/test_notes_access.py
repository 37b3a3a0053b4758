"""For whom notes are: the recording's group and permissions decide, whatever the umask of the service."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.files import digest, move_without_loss, opened, put_in_place
from earmark.verbs.opening import opened_context
from earmark.verbs.sweeping import sweep

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig
from tests.folding_disk import folding_disk

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")
OTHER_GROUP = 100
ACL = "system.posix_acl_access"
USER, NAMED_USER, GROUP, MASK, EVERYBODY = 1, 2, 4, 16, 32  # linux/posix_acl.h


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    before = os.umask(0o077)
    yield Rig(tmp_path)
    os.umask(before)


def access(rig: Rig) -> set[tuple[str, int]]:
    """Mode and group of every note."""
    found = [file.stat() for file in rig.folder.rglob("*.md")]
    assert len(found) == 2
    return {(f"{stat.S_IMODE(one.st_mode):o}", one.st_gid) for one in found}


def acl(*entries: tuple[int, int, int]) -> bytes:
    """An access-control list as Linux keeps it (linux/posix_acl_xattr.h): (tag, permissions, id), in the kernel's order."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
FOR_ONE_MORE = acl(
    (USER, 6, NOBODY), (NAMED_USER, 4, 12345), (GROUP, 0, NOBODY), (MASK, 4, NOBODY), (EVERYBODY, 0, NOBODY)
)


def set_acl(file: Path, value: bytes, name: str = ACL) -> None:
    try:
        os.setxattr(file, name, value)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise
        pytest.skip("this disk keeps no access-control lists")


@pytest.mark.parametrize(
    ("recording", "notes"), [(0o664, "664"), (0o640, "640"), (0o600, "600"), (0o755, "644"), (0o444, "644")]
)
@pytest.mark.shows("service:access")
def test_notes_are_as_readable_as_the_recording(rig: Rig, recording: int, notes: str) -> None:
    file = rig.drop("one.m4a")
    file.chmod(recording)
    assert rig.run_once() == 0
    assert access(rig) == {(notes, file.stat().st_gid)}


@as_root
@pytest.mark.shows("service:access")
def test_notes_get_the_group_of_the_recording_and_from_root_its_owner(rig: Rig) -> None:
    file = rig.drop("one.m4a")
    os.chown(file, 12345, OTHER_GROUP)
    file.chmod(0o660)
    assert rig.run_once() == 0
    assert access(rig) == {("660", OTHER_GROUP)}
    assert {note.stat().st_uid for note in rig.folder.glob("*.md")} == {12345}


@as_root
@pytest.mark.parametrize(("recording", "notes"), [(0o660, "600"), (0o664, "644")])
@pytest.mark.shows("service:access")
def test_where_the_group_cannot_be_given_its_rights_go_to_no_other_group(
    rig: Rig, recording: int, notes: str
) -> None:
    file = rig.drop("one.m4a")
    os.chown(file, 0, OTHER_GROUP)
    file.chmod(recording)
    with Live(rig, plain=True):
        wait_for(lambda: len(rig.notes()) == 2, 20)
        assert access(rig) == {(notes, os.getegid())}


@pytest.mark.shows("service:access")
def test_who_is_named_in_the_recording_s_list_may_read_its_notes_and_nobody_else(rig: Rig) -> None:
    set_acl(rig.drop("one.m4a"), FOR_ONE_MORE)
    assert rig.run_once() == 0
    for note in rig.folder.glob("*.md"):
        assert os.getxattr(note, ACL) == FOR_ONE_MORE


@as_root
@pytest.mark.parametrize(("recording", "notes", "named"), [(0o640, "640", 4), (0o660, "660", 6)])
@pytest.mark.shows("service:access")
def test_whose_recording_it_is_may_read_its_notes_where_they_cannot_be_given_to_them(
    rig: Rig, recording: int, notes: str, named: int
) -> None:
    file = rig.drop("one.m4a")
    set_acl(file, FOR_ONE_MORE)  # skips where there are no lists
    os.removexattr(file, ACL)
    os.chown(file, 12345, os.getegid())
    file.chmod(recording)
    with Live(rig, plain=True):
        wait_for(lambda: len(rig.notes()) == 2, 20)
        assert access(rig) == {(notes, os.getegid())}
        for note in rig.folder.glob("*.md"):
            assert os.getxattr(note, ACL) == acl(
                (USER, 6, NOBODY),
                (NAMED_USER, named, 12345),
                (GROUP, recording >> 3 & 7, NOBODY),
                (MASK, recording >> 3 & 7 | named, NOBODY),
                (EVERYBODY, recording & 7, NOBODY),
            )


@as_root
def test_naming_whose_recording_it_is_wakes_nobody_whom_the_list_kept_out(rig: Rig) -> None:
    file = rig.drop("one.m4a")
    os.chown(file, 12345, OTHER_GROUP)
    file.chmod(0o604)
    # What the folder gives a new file; its mask becomes what the group gets, which is nothing.
    inherited = ((USER, 6, NOBODY), (NAMED_USER, 6, 54321), (GROUP, 6, NOBODY))
    set_acl(
        rig.folder, acl(*inherited, (MASK, 6, NOBODY), (EVERYBODY, 0, NOBODY)), "system.posix_acl_default"
    )
    with Live(rig, plain=True):
        wait_for(lambda: len(rig.notes()) == 2, 20)
    for note in rig.folder.glob("*.md"):
        assert os.getxattr(note, ACL) == acl(
            (USER, 6, NOBODY), (NAMED_USER, 4, 12345), (NAMED_USER, 0, 54321), (GROUP, 0, NOBODY),
            (MASK, 4, NOBODY), (EVERYBODY, 4, NOBODY),
        )  # fmt: skip


@as_root
@pytest.mark.shows("service:access")
def test_groups_that_a_user_namespace_does_not_know_are_not_taken_for_one(tmp_path: Path) -> None:
    recording, note = tmp_path / "one.m4a", tmp_path / "one.md"
    for file, group in ((recording, 100), (note, 200)):
        file.touch()
        os.chown(file, 0, group)
        file.chmod(0o660)
    look = (
        "import os, sys; from pathlib import Path; from earmark.files import access_of, opened\n"
        "from earmark.files.access import grant\n"
        "with opened(Path(sys.argv[1])) as folder: wanted = access_of('one.m4a', folder)\n"
        "grant(os.open(sys.argv[1] + '/one.md', os.O_RDWR), wanted)"
    )
    inside = ["unshare", "--user", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"]).returncode != 0:
        pytest.skip("no user namespace can be made here")
    subprocess.run([*inside, sys.executable, "-c", look, str(tmp_path)], check=True)
    assert (stat.S_IMODE(note.stat().st_mode), note.stat().st_gid) == (0o600, 200)


@pytest.mark.shows("service:access")
def test_a_note_that_is_replaced_keeps_the_access_that_its_owner_gave_it(tmp_path: Path) -> None:
    note = tmp_path / "one.md"
    note.write_text("old")
    note.chmod(0o606)
    # What the folder would give a new file.
    set_acl(tmp_path, FOR_ONE_MORE, "system.posix_acl_default")
    with opened(tmp_path) as folder:
        put_in_place(folder, "one.md", b"new", digest(b"old"))
    assert note.read_text() == "new"
    assert stat.S_IMODE(note.stat().st_mode) == 0o606
    with pytest.raises(OSError, match="No data"):
        os.getxattr(note, ACL)


def test_a_note_keeps_its_access_on_its_way_to_another_disk(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk")
    (tmp_path / "one.md").write_text("text")
    (tmp_path / "one.md").chmod(0o640)
    target = f"earmark-test-{os.getpid()}.md"
    with opened(tmp_path) as old, opened(elsewhere) as new:
        moved = move_without_loss(old, "one.md", new, target, digest(b"text")).where
    try:
        assert stat.S_IMODE(moved.stat().st_mode) == 0o640
    finally:
        moved.unlink()


@pytest.mark.shows("service:attributes")
def test_a_note_that_is_written_anew_keeps_its_tags_and_its_list(rig: Rig) -> None:
    """After its recording went on, and after a rule took the audio: the note says so, and is another file each time."""
    rig.sections = {"retention": {"audio": {"delete_after_done": True}}}
    file = rig.drop("a.m4a", b"x" * 70_000)
    assert rig.run_once() == 0
    notes = [rig.folder / "a.md", rig.folder / "a.transcript.md"]
    for note in notes:
        set_acl(note, FOR_ONE_MORE)
        set_acl(note, b"work,todo", "user.xdg.tags")
    written = []
    for _ in range(2):
        written.append([(note.read_text(), note.stat().st_ino) for note in notes])
        if len(written) == 1:
            file.write_bytes(b"x" * 70_000 + b" and on")
            assert rig.run_once() == 0
        else:
            with opened_context(rig.installed, rig.config()) as context:
                swept = sweep(context, None, lambda _: True)
            assert swept is not None
            assert not file.exists()
        for note, (text, inode) in zip(notes, written[-1], strict=True):
            assert note.read_text() != text
            assert note.stat().st_ino != inode
            assert os.getxattr(note, ACL) == FOR_ONE_MORE
            assert os.getxattr(note, "user.xdg.tags") == b"work,todo"


@pytest.mark.shows("service:attributes")
def test_a_note_keeps_its_tags_on_its_way_to_another_disk(tmp_path: Path) -> None:
    backing, at = tmp_path / "backing", tmp_path / "disk"
    (tmp_path / "one.md").write_text("text")
    set_acl(tmp_path / "one.md", b"work", "user.xdg.tags")
    with folding_disk(backing, at, "apfs"), opened(tmp_path) as old, opened(at) as new:
        moved = move_without_loss(old, "one.md", new, "one.md", digest(b"text")).where
        assert os.getxattr(moved, "user.xdg.tags") == b"work"
        assert not (tmp_path / "one.md").exists()
