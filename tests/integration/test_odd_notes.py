"""A FIFO, socket, device or folder with a note's name hangs nothing: neither the daemon nor any verb.

Opening a FIFO for reading waits for a writer, and reading a device may never end. Every verb gets a minute.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig
from tests.forked import said


def a_socket(path: Path) -> None:
    """Sockets have names of 100 bytes at most, so this one is made under a short one and moved."""
    short = Path(f"/tmp/earmark-{os.getpid()}.sock")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(short))
    short.rename(path)


def a_device(path: Path) -> None:
    """The one that never ends to be read."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError:
        os.mkfifo(path)


def a_link(path: Path) -> None:
    """To a FIFO in the same folder."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path.with_name(".fifo"))
    path.symlink_to(path.with_name(".fifo"))


MAKE: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo, "socket": a_socket, "device": a_device, "folder": Path.mkdir, "link to a fifo": a_link,
}  # fmt: skip


def make(kind: str, path: Path) -> None:
    if path.exists() or path.is_symlink():
        path.unlink()
    MAKE[kind](path)


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.shows("durability:odd-notes-hang-nothing")
def test_the_daemon_writes_its_notes_beside_what_has_their_names(tmp_path: Path, kind: str) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["srt"]}})
    for name in ("one.md", "one.transcript.md", "one.srt"):
        make(kind, rig.folder / name)
    rig.drop("one.m4a", "one")
    with Live(rig):
        wait_for(
            lambda: (
                len([p for p in rig.folder.iterdir() if p.is_file() and p.suffix in (".md", ".srt")]) >= 3
            ),
            20,
        )
        rig.drop("two.m4a", "two")
        wait_for((rig.folder / "two.md").exists, 20)
    assert rig.jobs() == {("transcribe", "done", 1), ("summarize", "done", 1)}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.shows("durability:odd-notes-hang-nothing")
def test_the_daemon_goes_on_when_its_notes_become_something_else(tmp_path: Path, kind: str) -> None:
    rig = Rig(tmp_path)
    rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: len(rig.notes()) == 2, 20)
        make(kind, rig.folder / "one.md")
        (rig.folder / "one.m4a").rename(rig.folder / "renamed.m4a")
        rig.drop("two.m4a", "two")
        wait_for(
            lambda: (rig.folder / "two.md").is_file() and (rig.folder / "renamed.transcript.md").is_file(), 20
        )
        assert live.alive()
    assert not (rig.folder / "one.md").is_file(), "it is still what somebody put there"


@pytest.mark.shows("durability:odd-ledger-hangs-nothing")
@pytest.mark.parametrize("end", ["", "-wal"])
def test_nobody_waits_for_what_has_the_ledgers_name(tmp_path: Path, end: str) -> None:
    rig = Rig(tmp_path)
    installation = Installation(tmp_path)
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    odd = rig.installed.ledger_file.with_name(f"ledger.db{end}")
    make("fifo", odd)
    for verb in (["status"], ["run", "--once", rig.folder]):
        ended = installation.earmark(*verb, timeout=60)
        assert ended.returncode == 74, verb
        assert ended.stderr.count(f"{odd}: the ledger cannot be opened: it is not an ordinary file") >= 1
        assert "Traceback" not in ended.stderr
    odd.unlink()
    if end:
        assert rig.run_once() == 0


@pytest.mark.shows("durability:odd-ledger-hangs-nothing")
def test_nobody_waits_for_what_has_the_configurations_name(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    file = installation.configure()
    make("fifo", file)
    ended = installation.earmark("config", "check", timeout=60)
    assert ended.returncode == 78
    assert f"{file}: cannot be read: is not an ordinary file" in ended.stderr


@pytest.mark.shows("durability:odd-notes-hang-nothing")
def test_no_verb_waits_for_what_has_a_notes_name(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["srt"]}})
    installation = Installation(tmp_path)
    installation.configure(
        f"[[folder]]\npath = '{rig.folder}'\n[notes]\nformats = ['srt']\n[summary]\nendpoint = 'none'\n"
        "[retention]\naudio = { keep_for = '10d' }\ntranscript = { keep_for = '20d' }\nsummary = { keep_for = '20d' }\n"
    )
    for kind in MAKE:
        rig.drop(f"{kind}.m4a", kind)
        os.utime(rig.folder / f"{kind}.m4a", (1.5e9, 1.5e9))
    assert rig.run_once() == 0
    for kind in MAKE:
        make(kind, rig.folder / f"{kind}.md")
    make("fifo", rig.folder / "fifo.transcript.md")
    make("fifo", rig.folder / "stranger.md")
    make("device", rig.folder / "stranger.transcript.md")
    note, recording = rig.folder / "fifo.md", rig.folder / "fifo.m4a"
    for verb in (
        ["status"], ["list"], ["why", note], ["why", recording], ["hold", recording], ["hold", note],
        ["hold", "--release", recording], ["retention", "plan"], ["retention", "status"], ["retention", "apply", "--yes"],
        ["retention", "accept", recording], ["retention", "set", recording, "--keep-for", "10d"], ["trash", "list"],
        ["restore", note], ["retry", recording], ["retry", "--summary", note], ["resummarize", note], ["transcribe", note],
        ["resummarize", "--outdated"], ["receipts", "verify"], ["receipts", "list", note],
        ["export", "--out", tmp_path / "out.zip"],
        ["forget", "--matching", "number", "--dry-run"], ["forget", note, "--dry-run"],
        ["forget", recording, "--yes", "--even-held"],
        ["config", "check"], ["privacy"], ["run", "--once"], ["forget", "--all", "--yes", "--even-held"], ["doctor"],
    ):  # fmt: skip
        ended = said(installation, *verb, timeout=60)
        assert "Traceback" not in ended.stderr, verb
        assert ended.returncode in (0, 1, 2, 65, 66, 69, 74, 75, 77), (verb, ended.returncode, ended.stderr)
    assert stat.S_ISFIFO((rig.folder / "stranger.md").stat().st_mode)


@pytest.mark.parametrize("name", ["x" * 251 + ".m4a", "ü" * 125 + ".m4a", "y" * 240 + ".m4a"])
def test_a_recording_with_a_name_as_long_as_names_can_be_is_erased(tmp_path: Path, name: str) -> None:
    rig = Rig(tmp_path)
    installation = Installation(tmp_path)
    installation.configure(f"[[folder]]\npath = '{rig.folder}'\n[summary]\nendpoint = 'none'\n")
    file = rig.drop(name, "one")
    assert rig.run_once() == 0
    ended = installation.earmark("forget", file, "--yes")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert list(rig.folder.iterdir()) == []


def test_a_verb_that_goes_wrong_is_one_sentence_without_a_word_of_the_ledger(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    installation = Installation(tmp_path)
    installation.configure(f"[[folder]]\npath = '{rig.folder}'\n[summary]\nendpoint = 'none'\n")
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    with contextlib.closing(sqlite3.connect(rig.installed.ledger_file)) as db, db:
        db.execute('UPDATE transcripts SET body = \'{"text": "SECRET words"\'')
        db.execute("UPDATE recordings SET duration = 9e999")
    for verb in (["list"], ["forget", "--matching", "number", "--dry-run"], ["why", rig.folder / "one.m4a"]):
        ended = installation.earmark(*verb)
        assert "Traceback" not in ended.stderr + ended.stdout, verb
        assert "SECRET" not in ended.stderr + ended.stdout, verb
        assert ended.returncode == 0 or "this verb went wrong" in ended.stderr, verb


def test_names_that_workers_gave_are_text_in_a_terminal(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    installation = Installation(tmp_path)
    installation.configure(f"[[folder]]\npath = '{rig.folder}'\n[summary]\nendpoint = 'none'\n")
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    with contextlib.closing(sqlite3.connect(rig.installed.ledger_file)) as db, db:
        db.execute("UPDATE events SET what = 'x' || char(27) || ']0;y'")
        db.execute(
            "UPDATE summaries SET body = json_set(body, '$.by', '<script>' || char(27) || '[2J', '$.made_at', '![[x]]')"
        )
    for verb in (
        ["why", rig.folder / "one.m4a"],
        ["privacy"],
        ["privacy", "-f", "md"],
        ["privacy", "-f", "html"],
    ):
        ended = installation.earmark(*verb)
        assert "\x1b]" not in ended.stdout
        assert "\x1b[2J" not in ended.stdout
        assert "<script>" not in ended.stdout
        assert "![[" not in ended.stdout
