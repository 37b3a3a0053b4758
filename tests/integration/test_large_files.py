"""Files that take long to be read: how far that is, what ends it, and that nobody waits for one of which no byte comes."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark.cli.main import app
from earmark.errors import NotFound
from earmark.events import Event
from earmark.files import Content, content, digest, fingerprint, sha256_of
from earmark.log import configure_logging
from earmark.report import Reading, Report, how_far, read_report
from earmark.supervisor import arriving, readers, taking
from earmark.verbs import resolve
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig

TERABYTES = 3 << 40


@pytest.fixture(autouse=True)
def _logs_nowhere() -> Iterator[None]:
    """Else what a daemon in this process logs would be among the words of a verb in it."""
    with Path(os.devnull).open("w") as nowhere:
        configure_logging(nowhere, json=True)
        yield


def blank(rig: Rig, name: str = "big.wav", size: int = TERABYTES) -> Path:
    """A file of zero bytes that takes no room: what a downloader makes first."""
    file = rig.drop(name, b"")
    os.truncate(file, size)
    return file


def begun(rig: Rig, name: str = "big.wav", size: int = TERABYTES) -> Path:
    """The same with its first bytes there."""
    file = rig.drop(name, b"RIFF and what follows it")
    os.truncate(file, size)
    return file


def report(rig: Rig) -> Report | None:
    return read_report(rig.installed.status_file)


def being_read(rig: Rig) -> tuple[Reading, ...]:
    found = report(rig)
    return () if found is None else found.reading


def verb(rig: Rig, *words: str | Path) -> tuple[int, str]:
    """A verb in this process, beside the daemon that may run in it; no verb that logs."""
    ended = CliRunner().invoke(app, [*map(str, words)], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"})
    return ended.exit_code, " ".join(ended.output.split())


def told_by(rig: Rig, capfd: pytest.CaptureFixture[str], **options: Any) -> tuple[int, str]:
    """A run that is to end: its exit code, and all that it says."""
    configure_logging(sys.stdout, json=False)
    try:
        return rig.run_once(**options), capfd.readouterr().out
    finally:
        structlog.reset_defaults()


@contextmanager
def a_reading_that_stands(monkeypatch: pytest.MonkeyPatch, least: int) -> Iterator[threading.Event]:
    """Files of this size or more are read up to half, and go on when the event is set; the double of a slow disk."""
    go_on = threading.Event()

    def slow(fd: int, stop: Callable[[int], bool], begins: Collection[int]) -> Content:
        size = os.fstat(fd).st_size
        while size >= least and not go_on.wait(0.02):
            if stop(size // 2):
                raise content.Stopped
        return fingerprint(fd, stop, begins)

    monkeypatch.setattr(readers, "fingerprint", slow)
    monkeypatch.setattr(readers, "LOOK", 0.05)
    monkeypatch.setattr(taking, "A_MOMENT", 0.1)
    yield go_on
    go_on.set()


# --- what begins with nothing ---


@pytest.mark.shows("durability:placeholders")
def test_a_sparse_file_of_terabytes_is_called_a_placeholder_at_once_and_holds_up_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(tmp_path)
    file = blank(rig)
    blank(rig, "bigger.m4a", TERABYTES * 2)
    rig.drop("small.m4a", "small")
    for _ in range(2):
        code, told = told_by(rig, capfd)
        assert code == 74
        assert "2 files or folders could not be taken" in told
        assert "begins with nothing but zero bytes" in told
        assert Event.CAUGHT_UP not in told
    assert len(rig.notes()) == 2
    assert "begins with nothing but zero bytes" in verb(rig, "status")[1]
    assert "begins with nothing but zero bytes" in verb(rig, "why", file)[1]
    for word in ("hold", "retry", "forget", "resummarize"):
        assert verb(rig, word, file)[0] == 66, word
    file.unlink()
    (rig.folder / "bigger.m4a").unlink()
    assert rig.run_once() == 0
    assert not rig.troubles()


@pytest.mark.shows("durability:placeholders")
def test_a_placeholder_is_heard_once_its_content_is_there_although_its_size_and_time_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "LARGE", 1_000)
    rig = Rig(tmp_path)
    file = blank(rig, size=2_000)
    os.utime(file, (1e9, 1e9))
    with Live(rig):
        wait_for(lambda: str(file) in rig.troubles(), 20)
        with file.open("r+b") as out:
            out.write(b"something that was said")
        os.utime(file, (1e9, 1e9))
        wait_for(lambda: len(rig.notes()) == 2, 20)
        wait_for(lambda: not rig.troubles(), 20)
    assert rig.run_once() == 0


@pytest.mark.shows("durability:placeholders")
def test_what_was_wrong_with_a_placeholder_or_an_empty_file_is_over_when_its_content_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "LARGE", 1_000)
    rig = Rig(tmp_path)
    sparse, empty = blank(rig, size=2_000), rig.drop("empty.m4a", b"")
    with a_reading_that_stands(monkeypatch, 1_000) as go_on, Live(rig):
        wait_for(lambda: set(rig.troubles()) == {str(sparse), str(empty)}, 20)
        with sparse.open("r+b") as out:
            out.write(b"something that was said")
        empty.write_bytes(b"x" * 3_000)
        wait_for(lambda: {r.file for r in being_read(rig)} == {str(sparse), str(empty)}, 20)
        assert not rig.troubles()
        status = verb(rig, "status")[1]
        assert "Wrong right now" not in status
        assert "waits to be read" in status
        for file in (sparse, empty):
            said = verb(rig, "why", file)[1]
            assert "it is being read: " in said or "it waits to be read" in said
            assert "when it has content" not in said
        go_on.set()
        wait_for(lambda: len(rig.notes()) == 4, 20)


@pytest.mark.shows("durability:placeholders")
def test_a_placeholder_that_stays_one_keeps_its_trouble_over_a_restart_and_is_named_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(tmp_path)
    file = blank(rig)

    def seen_with(size: int) -> bool:
        return any(seen.startswith(f"{size}:") for (seen,) in rig.query("SELECT seen FROM troubles"))

    assert told_by(rig, capfd)[0] == 74
    since = rig.query("SELECT since FROM troubles")
    assert told_by(rig, capfd)[0] == 74
    assert rig.query("SELECT since FROM troubles") == since
    configure_logging(sys.stdout, json=False)
    try:
        with Live(rig):
            for size in (TERABYTES + 1, TERABYTES + 2):
                os.truncate(file, size)
                wait_for(partial(seen_with, size), 20)
    finally:
        structlog.reset_defaults()
    assert capfd.readouterr().out.count("begins with nothing") <= 1


@pytest.mark.shows("durability:large-files")
def test_why_tells_how_far_a_file_is_that_is_read_again_after_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, failed = Rig(tmp_path), threading.Event()
    file = rig.drop("bad.m4a", "x" * 2_000)
    with a_reading_that_stands(monkeypatch, 2_000) as go_on:
        slow: Callable[..., Content] = vars(readers)["fingerprint"]

        def at_first_broken(fd: int, stop: Callable[[int], bool], begins: Collection[int]) -> Content:
            if not failed.is_set():
                failed.set()
                raise OSError(errno.EIO, "Input/output error")
            return slow(fd, stop, begins)

        monkeypatch.setattr(readers, "fingerprint", at_first_broken)
        with Live(rig):
            wait_for(lambda: [r.file for r in being_read(rig) if r.at] == [str(file)], 20)
            assert "it is being read: 1000 bytes of 2.0 KiB read" in verb(rig, "why", file)[1]
            go_on.set()
            wait_for(lambda: len(rig.notes()) == 2, 20)
            wait_for(lambda: not rig.troubles(), 20)


@pytest.mark.shows("durability:placeholders")
def test_the_holes_of_a_file_are_read_as_the_zero_bytes_that_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "SPARSE", 1_000)
    file, plain = tmp_path / "sparse", tmp_path / "plain"
    size = 5 << 20
    for extents in ((), (0,), (3 << 20,), (0, size - 10), (4_000, 100_000, 2 << 20)):
        file.unlink(missing_ok=True)
        with file.open("wb") as out:
            out.truncate(size)
            for at in extents:
                out.seek(at)
                out.write(b"said here!")
        assert file.stat().st_blocks * 512 < size // 2
        plain.write_bytes(file.read_bytes())
        cuts = (1, 4_096, 99_999, 3 << 20, size)
        with content.open_regular(file) as fd, content.open_regular(plain) as other:
            os.lseek(fd, 7, os.SEEK_SET)
            found, wanted = fingerprint(fd, begins=cuts), fingerprint(other, begins=cuts)
            assert os.lseek(fd, 0, os.SEEK_CUR) == 7
        assert (found.sha256, found.body_sha256, found.begins) == (
            wanted.sha256, wanted.body_sha256, wanted.begins
        )  # fmt: skip


# --- what takes long ---


@pytest.mark.shows("durability:large-files")
def test_a_file_that_takes_long_to_be_read_is_told_of_everywhere_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(taking, "FIRST_TOLD", 0.2)
    monkeypatch.setattr(readers, "LARGE", 1_000)
    rig = Rig(tmp_path)
    first = rig.drop("first.m4a", "x" * 2_000)
    rig.drop("second.m4a", "y" * 2_100)
    configure_logging(sys.stdout, json=False)
    try:
        with a_reading_that_stands(monkeypatch, 1_000) as go_on, Live(rig):
            wait_for(lambda: len(being_read(rig)) == 2, 20)
            one, other = being_read(rig)
            assert (one.at, one.total, one.waits) == (one.total // 2, one.total, False)
            assert (other.at, other.waits) == (0, True)
            rig.drop("small.m4a", "small")
            wait_for(lambda: len(rig.notes()) == 2, 20)
            wait_for(lambda: (read := being_read(rig)) and read[0].left is not None, 20)
            code, status = verb(rig, "status")
            assert code == 0
            assert "KiB read, about" in status or "bytes of" in status
            assert "waits to be read" in status
            said = verb(rig, "why", first)[1]
            assert (
                "it is being read: 1000 bytes of 2.0 KiB read, about" in said or "it waits to be read" in said
            )
            go_on.set()
            wait_for(lambda: len(rig.notes()) == 6, 20)
            wait_for(lambda: not being_read(rig), 20)
    finally:
        structlog.reset_defaults()
    assert "bytes of 2.0 KiB read" in capfd.readouterr().out


@pytest.mark.shows("durability:reading-cut-short")
def test_a_file_that_is_removed_or_replaced_while_it_is_read_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    removed = rig.drop("removed.m4a", "x" * 2_000)
    with a_reading_that_stands(monkeypatch, 2_000), Live(rig):
        wait_for(lambda: [r.file for r in being_read(rig)] == [str(removed)], 20)
        removed.unlink()
        wait_for(lambda: not being_read(rig), 20)
        replaced = rig.drop("replaced.m4a", "y" * 2_001)
        wait_for(lambda: [r.file for r in being_read(rig)] == [str(replaced)], 20)
        new = rig.drop("new.tmp", "what it is now")
        new.rename(replaced)
        wait_for(lambda: len(rig.notes()) == 2, 20)
    assert rig.query("SELECT id FROM recordings") == [(digest(b"what it is now"),)]
    assert not rig.troubles()


@pytest.mark.shows("durability:reading-cut-short")
def test_a_file_of_a_folder_that_is_watched_no_longer_is_neither_read_on_nor_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    other = tmp_path / "Other"
    other.mkdir()
    (other / "long.m4a").write_text("x" * 2_000)
    with a_reading_that_stands(monkeypatch, 2_000) as go_on, Live(rig) as live:
        config = rig.config()
        folders: list[tuple[Path, ...]] = [(rig.folder, other)]
        live.supervisor.load_config = lambda: (config, folders[0])
        live.reload()
        wait_for(lambda: len(being_read(rig)) == 1, 20)
        folders[0] = (rig.folder,)
        live.reload()
        wait_for(lambda: not being_read(rig), 20)
        go_on.set()
        rig.drop("small.m4a", "small")
        wait_for(lambda: len(rig.notes()) == 2, 20)
    assert rig.query("SELECT count(*) FROM recordings") == [(1,)]


@pytest.mark.shows("durability:reading-cut-short")
def test_the_daemon_stops_at_once_in_the_middle_of_terabytes_and_begins_anew(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    begun(rig)
    for _ in range(2):
        with Live(rig):
            wait_for(lambda: any(r.at > 0 for r in being_read(rig)), 20)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 5
    assert rig.query("SELECT count(*) FROM recordings") == [(0,)]


@pytest.mark.shows("durability:large-files")
def test_a_run_that_is_told_to_stop_says_what_it_was_reading(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(tmp_path)
    begun(rig)
    supervisor = rig.supervisor(once=True)

    def stop_it() -> None:
        wait_for(lambda: any(r.at > 0 for r in being_read(rig)), 20)
        supervisor.stop()

    threading.Thread(target=stop_it).start()
    configure_logging(sys.stdout, json=False)
    try:
        assert supervisor.run() == 74
    finally:
        structlog.reset_defaults()
    told = capfd.readouterr().out
    assert "It was told to stop before all was done" in told
    assert "big.wav is not taken yet" in told
    assert "of 3.0 TiB read" in told


# --- what gives no byte ---


@pytest.mark.shows("durability:no-byte-comes")
def test_a_file_of_which_no_byte_comes_holds_up_neither_others_nor_a_run_that_is_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for module in (arriving, readers, taking):
        monkeypatch.setattr(module, "STALLED", 0.5)
    monkeypatch.setattr("earmark.supervisor.session.STALLED", 0.5)
    monkeypatch.setattr("earmark.report.STALLED", 0.5)
    monkeypatch.setattr(taking, "A_MOMENT", 0.1)
    over = threading.Event()

    def stuck(fd: int, stop: Callable[[int], bool], begins: Collection[int]) -> Content:
        if os.fstat(fd).st_size == 2_000:
            over.wait(60)
        return fingerprint(fd, stop, begins)

    monkeypatch.setattr(readers, "fingerprint", stuck)
    rig = Rig(tmp_path)
    rig.drop("a stuck.m4a", "x" * 2_000)
    rig.drop("another stuck.m4a", "y" * 2_000)
    for number in range(3):
        rig.drop(f"small {number}.m4a", f"small {number}")
    code, told = told_by(rig, capfd)
    over.set()
    assert code == 74
    assert len(rig.notes()) == 6
    assert "a stuck.m4a is not taken yet: 0 bytes of 2.0 KiB read; no byte has come for" in told
    assert "another stuck.m4a is not taken yet" in told
    assert rig.run_once() == 0
    assert len(rig.notes()) == 10


@pytest.mark.shows("durability:large-files")
def test_a_small_file_does_not_wait_for_one_whose_bytes_come_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "STALLED", 0.5)
    rig = Rig(tmp_path)
    with a_reading_that_stands(monkeypatch, 2_000), Live(rig):
        rig.drop("slow.m4a", "x" * 2_000)
        wait_for(lambda: being_read(rig), 20)
        rig.drop("small.m4a", "small")
        wait_for(lambda: len(rig.notes()) == 2, 20)
        assert being_read(rig)


@pytest.mark.shows("durability:no-byte-comes")
def test_a_file_that_cannot_be_read_to_its_end_is_not_read_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(tmp_path)
    tries: list[float] = []

    def broken(fd: int, stop: Callable[[int], bool], begins: Collection[int]) -> Content:
        if os.fstat(fd).st_size == 2_000:
            tries.append(time.monotonic())
            time.sleep(0.3)  # what lies before the bad spot
            stop(1_000)
            raise OSError(errno.EIO, "Input/output error")
        return fingerprint(fd, stop, begins)

    monkeypatch.setattr(readers, "fingerprint", broken)
    bad = rig.drop("bad.m4a", "x" * 2_000)
    rig.drop("good.m4a", "good")
    with Live(rig):
        wait_for(lambda: len(tries) > 1, 30)
    assert tries[1] - tries[0] > 3
    assert len(rig.notes()) == 2
    sentence = rig.troubles()[str(bad)]
    assert (
        "Input/output error, after 1000 bytes of 2.0 KiB; its disk or network folder has a fault" in sentence
    )
    code, told = told_by(rig, capfd)
    assert code == 74
    assert "1 file or folder could not be taken" in told


@pytest.mark.shows("durability:large-files")
def test_a_verb_reads_no_file_that_no_recording_can_be_by_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    known = rig.drop("known.m4a", "known")
    assert rig.run_once() == 0
    copy = rig.drop("copy.m4a", "known")
    other = rig.drop("other.m4a", "something else")
    read: list[Path] = []
    original = sha256_of

    def counted(path: Path) -> str | None:
        read.append(path)
        return original(path)

    monkeypatch.setattr(resolve, "sha256_of", counted)
    with opened_context(rig.installed, rig.config(), read_only=True) as context:
        meant = resolve.resolve(context, known).recording_id
        assert resolve.resolve(context, copy).recording_id == meant
        with pytest.raises(NotFound):
            resolve.resolve(context, other)
    assert other not in read
    assert copy in read


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (
            Reading(file="x", at=12 << 30, total=TERABYTES, left=7_300),
            "12 GiB of 3.0 TiB read, about 2 h left",
        ),
        (Reading(file="x", at=0, total=5 << 30), "0 bytes of 5.0 GiB read"),
        (Reading(file="x", at=1, total=2, left=30.0), "1 bytes of 2 bytes read, about 30 s left"),
        (
            Reading(file="x", at=12 << 30, total=TERABYTES, left=7_300, silent=300),
            "12 GiB of 3.0 TiB read; no byte has come for 5 min: its disk or network folder does not answer",
        ),
        (
            Reading(file="x", at=0, total=TERABYTES, waits=True),
            "waits to be read (3.0 TiB): others of its size are being read",
        ),
    ],
)
@pytest.mark.shows("durability:large-files")
def test_how_far_a_reading_is_is_said_in_words(reading: Reading, words: str) -> None:
    assert how_far(reading) == words
