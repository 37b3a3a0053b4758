"""Reading real folders: what is found, what is refused, what nothing may be concluded from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from earmark.domain import Tick
from earmark.files import Identity, being_written, content_of
from earmark.intake.folder import scan
from earmark.intake.rules import Rules
from earmark.intake.watcher import Watcher, is_network
from earmark.report import STALLED
from earmark.supervisor.arriving import Arriving
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import wait_for


def found(folder: Path, recursive: bool = True) -> set[str]:
    return {os.fsdecode(p)[len(str(folder)) + 1 :] for p in scan(folder, Rules(), recursive, {}).new}


def test_recordings_in_all_depths_are_found_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.m4a", "deep/er/b.wav", "@eaDir/c.wav", ".hidden/d.wav", "e.md", "f.m4a.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert found(tmp_path) == {"a.m4a", "deep/er/b.wav"}
    assert found(tmp_path, recursive=False) == {"a.m4a"}


def test_a_name_that_is_no_text_is_found(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.m4a")).write_bytes(b"x")
    assert found(tmp_path) == {os.fsdecode(b"caf\xe9.m4a")}


def test_known_files_are_not_new_and_changed_ones_are(tmp_path: Path) -> None:
    file = tmp_path / "a.m4a"
    file.write_bytes(b"x")
    known = scan(tmp_path, Rules(), True, {}).new
    assert not scan(tmp_path, Rules(), True, known).new
    file.write_bytes(b"xy")
    assert scan(tmp_path, Rules(), True, known).new
    file.unlink()
    assert scan(tmp_path, Rules(), True, known).missing == set(known)


def test_a_folder_that_is_not_there_proves_nothing_about_its_files(tmp_path: Path) -> None:
    known = {os.fsencode(tmp_path / "away" / "a.m4a"): Identity(1, 1, 1, 1)}
    seen = scan(tmp_path / "away", Rules(), True, known)
    assert seen.away is not None
    assert "is not there" in seen.away
    assert not seen.missing


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_in_a_subfolder_that_may_not_be_read_are_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "a.m4a").write_bytes(b"x")
    known = scan(tmp_path, Rules(), True, {}).new
    (tmp_path / "locked").chmod(0)
    try:
        seen = scan(tmp_path, Rules(), True, known)
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert not seen.missing
    assert seen.unread


def test_a_drop_folder_inside_another_is_left_to_itself(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.m4a").write_bytes(b"x")
    seen = scan(tmp_path, Rules(), True, {}, frozenset((os.fsencode(tmp_path / "inner"),)))
    assert not seen.new


def _link_out(folder: Path) -> None:
    outside = folder.parent / "outside.m4a"
    outside.write_bytes(b"x")
    (folder / "a.m4a").symlink_to(outside)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda f: (f / "a.m4a").touch(), "is empty"),
        (lambda f: (f / "a.m4a").symlink_to(f / "nothing"), "not there"),
        (_link_out, "leads out of the folder"),
        (lambda f: os.mkfifo(f / "a.m4a"), "not an ordinary file"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], sentence: str
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    make(folder)
    seen = scan(folder, Rules(), True, {})
    assert not seen.new
    ((reason, _),) = seen.refused.values()
    assert sentence in reason


@pytest.mark.shows("architecture:settle")
def test_a_file_held_open_for_writing_is_seen_as_such(tmp_path: Path) -> None:
    file = tmp_path / "a.m4a"
    with file.open("wb") as writer:
        writer.write(b"x")
        writer.flush()
        if not being_written(file):
            pytest.skip("this system grants no leases here")
    assert not being_written(file)


def test_content_is_known_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"abc")
    content = content_of(tmp_path / "a.m4a")
    assert content.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert content.identity == Identity.of((tmp_path / "a.m4a").stat())


@pytest.mark.shows("architecture:scan")
def test_the_watcher_says_look_now_for_whatever_happens(tmp_path: Path) -> None:
    hints: list[Path] = []
    watcher = Watcher(hints.append)
    try:
        assert watcher.arm(tmp_path, True) is None
        (tmp_path / "a.m4a").write_bytes(b"x")
        wait_for(lambda: hints, 20, "a hint")
    finally:
        watcher.stop()


def test_a_folder_that_was_replaced_is_watched_again(tmp_path: Path) -> None:
    hints: list[Path] = []
    folder = tmp_path / "drop"
    folder.mkdir()
    watcher = Watcher(hints.append)
    try:
        watcher.arm(folder, True)
        folder.rename(tmp_path / "old")
        folder.mkdir()
        watcher.arm(folder, True)
        hints.clear()
        (folder / "a.m4a").write_bytes(b"x")
        wait_for(lambda: folder in hints, 20, "a hint from the new folder")
    finally:
        watcher.stop()


@pytest.mark.parametrize("thread", ["the observer's", "the emitter's", "inotify's"])
def test_a_watch_of_which_a_thread_has_ended_is_dead_and_another_one_begins(
    tmp_path: Path, thread: str
) -> None:
    hints: list[Path] = []
    watcher = Watcher(hints.append)
    try:
        assert watcher.arm(tmp_path, True) is None
        assert watcher.dead() == []
        observer = watcher._watches[tmp_path]._observer
        (emitter,) = observer.emitters
        {"the observer's": observer, "the emitter's": emitter, "inotify's": observer._inotify_fd}[
            thread
        ].stop()
        wait_for(lambda: watcher.dead() == [tmp_path], 20, "its death")
        assert watcher.arm(tmp_path, True) is None
        assert watcher.dead() == []
        hints.clear()
        (tmp_path / "a.m4a").write_bytes(b"x")
        wait_for(lambda: hints, 20, "a hint")
    finally:
        watcher.stop()


def test_network_filesystems_are_told_by_their_mount() -> None:
    mounts = (
        "/dev/sda / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\nrclone: /mnt/my\\040drive fuse.rclone rw 0 0\n"
    )
    assert is_network(Path("/mnt/nas/recordings"), mounts)
    assert is_network(Path("/mnt/my drive"), mounts)
    assert not is_network(Path("/home/me"), mounts)


@pytest.mark.shows("architecture:settle")
@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(0, 90)), min_size=1, max_size=30),
    st.sampled_from([("a.m4a", 2.0), ("a.part.m4a", 60.0), ("Temp-20260302.wav", 60.0)]),
)
def test_a_file_settles_only_after_it_has_stayed_the_same_for_the_settle_time_of_its_name(
    looks: list[tuple[int, float]], named: tuple[str, float]
) -> None:
    name, wanted = named
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        arriving, now, same_since, last = Arriving(2.0), 0.0, 0.0, 0
        for size, wait in looks:
            now += wait
            if size != last:
                same_since, last = now, size
                file.write_bytes(b"x" * size)
                os.utime(file, (1, 1))
            arriving.see(os.fsencode(file), file.parent, Identity.of(file.lstat()), Tick(now))
            settled, _ = arriving.settled(Tick(now))
            assert bool(settled) == (now - same_since >= wanted)


def test_a_run_waits_for_a_file_that_changes_no_more_and_for_no_other(tmp_path: Path) -> None:
    file, arriving, now = tmp_path / "lecture.part.wav", Arriving(2.0), 0.0
    while now < 50:  # a download in pieces
        file.write_bytes(b"x" * (int(now) + 1))
        arriving.see(os.fsencode(file), tmp_path, Identity.of(file.lstat()), Tick(now))
        now += 10
    while not arriving.settled(Tick(now))[0]:
        assert not arriving.idle(Tick(now)), f"given up after {now} s, though it is only waited for"
        now += 1
    assert now == 40 + 60
    while now < 300:  # a log, say
        assert not arriving.idle(Tick(now)) or now > 90
        file.write_bytes(b"x" * (int(now) + 1))
        arriving.see(os.fsencode(file), tmp_path, Identity.of(file.lstat()), Tick(now))
        now += 10
    assert arriving.idle(Tick(now))


def test_a_file_of_that_size_is_awaited_until_it_is_taken_or_has_no_end(tmp_path: Path) -> None:
    """As long as it may be the recording that another one took the place of."""
    file, arriving, now = tmp_path / "b.wav", Arriving(2.0), 0.0
    file.write_bytes(b"1234")

    def awaited(at: float, size: int = 4) -> bool:
        return arriving.awaits(size, Tick(at))

    assert not awaited(now)
    arriving.see(os.fsencode(file), tmp_path, Identity.of(file.lstat()), Tick(now))
    assert awaited(now)
    assert not awaited(now, size=5)
    arriving.silent = {tmp_path}
    assert not awaited(now)
    arriving.silent = ()
    (settled,), _ = arriving.settled(Tick(now + 2))
    arriving.read(settled, Tick(now + 2))
    assert awaited(now + 3)
    assert not awaited(now + 2 + STALLED)
    settled.begin(Tick(now + 2 + STALLED))
    settled.moved = Tick(now + 100 + STALLED)
    assert not awaited(now + 100 + 2 * STALLED)
    arriving.leave(settled.path)
    assert not awaited(now + 3)
