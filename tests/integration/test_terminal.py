"""What a person sees: a line a file, on a narrow terminal and in a pipe; nothing wrapped, no reason cut."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from earmark.cli import main
from earmark.cli.terminal import Screen
from earmark.domain import ArtifactState, Gone, Instant, Stage
from earmark.events import Event
from earmark.files import Identity, counted
from earmark.pipeline.queued import Hearing, progress
from earmark.report import roughly
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

REASON = (
    "holds no sound that can be decoded: its index is missing, as it is when a recorder runs out of power"
)


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text("[retention.audio]\nkeep_for = '30d'\n")
    return World(root, {"audio": {"keep_for": "30d"}})


def said(*words: str, code: int = 0) -> str:
    """What a verb says to a program that reads along, however wide it believes its terminal to be."""
    result = CliRunner().invoke(main.app, words, env={"COLUMNS": "80"})
    assert result.exit_code == code, result.output
    return result.output


def on_a_terminal(*words: str, width: int = 80, until: Collection[str] = ()) -> list[str]:
    """The lines that a verb sends to a terminal of that width. `until`: of one that goes on, until it has said all that."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {
        "NO_COLOR": "1",
        "TERM": "xterm",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "earmark", *words], stdout=theirs, stderr=theirs, stdin=theirs, env=environment,
        # A shell that starts the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one call, no lock
    ) as process:  # fmt: skip
        os.close(theirs)
        written = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # Linux says so at the end of a terminal
                break
            if not more:
                break
            written += more
            said_so_far = " ".join(written.decode(errors="replace").split())
            if until and all(text in said_so_far for text in until):
                process.send_signal(signal.SIGINT)
                until = ()
    os.close(ours)
    assert process.returncode == 0, written
    plain = written.decode().replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "")
    return plain.replace("\r\n", "\n").splitlines()


def fail(world: World, *names: str) -> None:
    for name in names:
        job = world.ledger.jobs.of(world.place(name).recording_id, Stage.TRANSCRIBE)
        assert job is not None
        world.ledger.jobs.fail(job.id, REASON, world.now)


def test_a_silent_recording_is_called_silent_wherever_it_is_counted(world: World) -> None:
    world.record("silence.wav", loudest=-120.0)
    world.record("far.wav", loudest=-60.0)
    listed = said("list")
    assert "1 file, silent (earmark why FILE says more)" in listed
    assert "1 file, very quiet (earmark why FILE says more)" in listed
    status = said("status")
    assert "1 recording is silent" in status
    assert "1 recording is very quiet" in status
    found = json.loads(said("status", "--json"))
    assert (found["silent"], found["very_quiet"]) == (1, 1)
    assert "The recording is silent" in said("why", "silence.wav")


@pytest.mark.shows("retention:a-line-a-file")
def test_a_plan_of_three_hundred_files_is_their_sums_and_three_hundred_lines(world: World) -> None:
    with world.ledger.transaction():
        for number in range(300):
            world.record(f"a folder with a name of some length/recording number {number:03}.wav")
    first, by_rule, *others = said("retention", "plan").splitlines()
    assert first.startswith("300 files, ")
    assert first.endswith(" would go:")
    assert by_rule.startswith("  (1) 300 files, ")
    assert by_rule.endswith(" by audio: keep_for 30d (class)")
    goes = [line for line in others if line.startswith("goes (1)")]
    assert len(goes) == 300
    assert [line for line in others if line.startswith("goes")] == others[-300:]
    assert all(
        line.endswith(".wav") and "  a folder with a name of some length/recording" in line for line in goes
    )
    listed = said("list").splitlines()
    assert len(listed) == 302
    assert listed[0] == "300 recordings: 300 done, 0 waiting, 0 failed"
    assert all(line.startswith("done ") and line.endswith(".wav") for line in listed[2:])


ODD = [
    "two\nlines.wav", 'quo"te\'s.wav', "😀👩.wav", "会議の録音.wav", "[red]x[/].wav", "\x1b[31mred.wav", "bad\udcff.wav",
    "-x.wav", ":smile:.wav",
]  # fmt: skip


@pytest.mark.shows("readme:lines")
def test_on_a_narrow_terminal_every_line_fits_and_the_path_comes_last(world: World) -> None:
    for name in ODD:
        world.record(name)
    world.record("b/late.wav", done=False)
    world.record("broken.wav", done=False)
    fail(world, "broken.wav")
    for words in (["list"], ["retention", "plan", "--all"], ["status"], ["list", "--sort", "title"]):
        lines = on_a_terminal(*words)
        # A command to be copied stays whole, and daemons of tests beside this one come and go.
        too_long = [
            line
            for line in lines
            if cell_len(line) > 80 and "EARMARK_HOME=" not in line and "/pytest-of-" not in line
        ]
        assert too_long == [], words
        assert words[0] == "retention" or REASON in " ".join(" ".join(lines).split()), words
        assert any(line.endswith("  b/late.wav") for line in lines), (words, lines)
    listed = on_a_terminal("list")
    ends = {line.rsplit("  ", 1)[-1] for line in listed}
    assert {r"two\nlines.wav", "会議の録音.wav", "[red]x[/].wav", r"\x1b[31mred.wav"} <= ends
    begins = {cell_len(line[: -len(line.rsplit("  ", 1)[-1])]) for line in listed if line.endswith(".wav")}
    assert len(begins) == 1, "each column begins below itself, whatever is as wide as two"


@pytest.mark.shows("readme:lines")
def test_on_a_very_narrow_terminal_no_word_is_broken_and_a_path_has_a_line_of_its_own(world: World) -> None:
    name = "a longer folder name/what was said.wav"
    world.record(name, speakers=("Annemarie", ""))
    world.record("会議の録音.wav", done=False)
    for words in (["list"], ["retention", "plan", "--all"], ["speakers", "list"], ["speakers", "list", name],
                  ["why", name], ["status"]):  # fmt: skip
        lines, wide = on_a_terminal(*words, width=38), on_a_terminal(*words, width=200)
        # Daemons of tests beside this one come and go; status has them in the end.
        said, whole = (
            " ".join(" ".join(each).split()).split("Another earmark of yours")[0] for each in (lines, wide)
        )
        assert {word for word in said.split() if not word.endswith("…")} <= set(whole.split()), words
        if words[0] in ("list", "retention"):
            assert f"  {name}" in lines, (words, lines)
            paths = f"  {name.removesuffix('.wav')}"
            assert [line for line in lines if cell_len(line) > 38 and not line.startswith(paths)] == [], words


def test_status_says_each_reason_whole_and_its_numbers_add_up(world: World) -> None:
    for number in range(20):
        world.record(f"{number}.wav", done=False)
    world.record("done.wav")
    fail(world, *(f"{number}.wav" for number in range(15)))
    shown = said("status")
    assert shown.count(REASON) == 1
    assert "21 recordings: 1 transcribed, 5 waiting, 15 failed" in shown
    assert "and 3 more (earmark list --state failed)" in shown
    counts = json.loads(said("status", "--json"))["counts"]
    assert counts["recordings"] == counts["transcribed"] + counts["waiting"] + counts["failed"] == 21
    assert "21 recordings: 1 done, 5 waiting, 15 failed" in said("list")
    # Nothing of a claim is left when nobody works: it is what happens next that is said.
    world.ledger.jobs.claim(Stage.TRANSCRIBE, "gone", world.now, newest_first=True)
    assert "5 waiting" in said("list")
    assert "earmark does not run; it goes on where it was when it does" in said("list", "--state", "waiting")


def test_a_count_and_what_is_counted_agree(world: World) -> None:
    for number in range(4):
        world.record(f"gone {number}.wav", dated=world.now - number)
    world.record("broken.wav", done=False)
    fail(world, "broken.wav")
    for count in (1, 4):
        for number in range(count):
            place = world.place(f"gone {number}.wav")
            world.ledger.places.gone(place.path, place.recording_id, world.now, Gone.MISSING)
        shown = said("list")
        assert f"{counted(count, 'file')}, gone: not in the folder any more" in shown
        assert f"1 file, failed: {REASON}" in shown


def test_what_is_watched_is_cut_by_no_screen(world: World) -> None:
    with world.ledger.transaction():
        for number in range(40):
            world.record(f"{number}.wav", done=False)
            job = world.ledger.jobs.of(world.place(f"{number}.wav").recording_id, Stage.TRANSCRIBE)
            assert job is not None
            world.ledger.jobs.fail(job.id, f"cannot be read, for reason number {number} of forty", world.now)
    until = [f"cannot be read, for reason number {number} of forty" for number in range(40)]
    assert on_a_terminal("status", "--watch", until=until)


@pytest.mark.shows("retention:a-line-a-file")
def test_what_is_held_kept_taken_and_proved_is_a_line_a_file_too(world: World) -> None:
    world.record("a.wav")
    world.record("sub/b.wav", speech_seconds=400.0)
    said("hold", "sub/b.wav", "--why", "an audit")
    held = said("hold").splitlines()
    assert held[-2:] == ["  an audit", f"    {held[-1].split()[0]}  sub/b.wav"]
    assert any(
        line.endswith("  held          sub/b.wav") for line in said("retention", "status").splitlines()
    )
    assert "1 file" in said("retention", "apply", "--yes")
    line = said("trash", "list").splitlines()[-1]
    assert line.split()[:2] == ["1", "(1)"]
    assert line.endswith("  a.wav")
    assert "(1) 1 receipt by audio: keep_for 30d (class)" in said("receipts", "list")
    assert said("forget", "sub/b.wav", "--dry-run").splitlines()[1].endswith("drop/sub/b.wav")


def names(*words: str) -> list[str]:
    """Which files a list has."""
    return [Path(row["path"]).name for row in rows(*words)]


def rows(*words: str) -> list[dict[str, Any]]:
    found = json.loads(said("list", *words, "--json"))
    return found if isinstance(found, list) else found["recordings"]


@pytest.mark.shows("json:to-come")
def test_a_list_is_looked_through_by_state_date_folder_speaker_and_tag(world: World) -> None:
    day = 86400.0
    world.record("old.wav", dated=world.now - 90 * day, speakers=("Anna Schmidt", ""))
    world.record("x/new.wav", dated=world.now - 2 * day, truncated=True)
    world.record(
        "x/unsure.wav",
        dated=world.now - 3 * day,
        said="perhaps",
        speech_seconds=9.0,
        language_probability=0.9,
    )
    world.record("waits.wav", done=False)
    world.record("broken.wav", done=False)
    fail(world, "broken.wav")
    said("hold", "old.wav")
    (world.drop / "kept").mkdir()
    world.record("kept/marked.wav", dated=world.now - day)
    (world.drop / "kept" / ".earmark-hold").touch()
    note = world.drop / "old.md"
    note.write_text(
        note.read_text().replace("---\n", "---\ntags: [Work/Budget, private]\n", 1) + "\n# Quarter's end\n"
    )
    assert names("--state", "done") == ["marked.wav", "new.wav", "unsure.wav", "old.wav"]
    assert names("--state", "waiting") == ["waits.wav"]
    assert names("--state", "failed") == ["broken.wav"]
    assert names("--state", "damaged") == ["new.wav"]
    assert sorted(names("--state", "held")) == ["marked.wav", "old.wav"]
    assert names("--folder", "drop/x", "--sort", "path") == ["new.wav", "unsure.wav"]
    assert (
        names("--speaker", "anna schmidt")
        == names("--tag", "#work")
        == names("--tag", "PRIVATE")
        == ["old.wav"]
    )
    assert names("--tag", "nobody's") == names("--speaker", "Ben") == []
    assert "old.wav" not in names("--since", "2025-10-01")
    assert set(names("--since", "2025-10-01", "--state", "done")) == {"marked.wav", "new.wav", "unsure.wav"}
    assert {row["title"] for row in rows("--tag", "private")} == {"Quarter's end"}
    assert "Quarter's end  old.wav" in said("list")
    assert "--since 2999-01-01: has not begun" in said("list", "--since", "2999-01-01", code=2)
    assert "there is no such state; there are: done, waiting, failed, damaged" in said(
        "list", "--state", "lost", code=2
    )
    assert "no recording is or was at or below it" in said("list", "--folder", "elsewhere", code=66)


@pytest.mark.shows("json:edited-since")
def test_status_says_when_a_note_was_edited_and_not_when_it_was_written(world: World) -> None:
    world.record("old.wav")
    note = world.drop / "old.md"
    note.write_text(note.read_text() + "Mine.\n")
    world.ledger.artifacts.set_state(note, ArtifactState.EDITED)
    saved = time.time() - 3 * 3600
    for at, text in ((saved, "3 h ago"), (world.now, "")):
        os.utime(note, (at, at))
        (line,) = json.loads(said("status", "--json"))["edited"]
        assert (line["since"] and datetime.fromisoformat(line["since"]).timestamp()) == (
            int(at) if text else None
        )
        shown = next(each for each in said("status").splitlines() if each.endswith("old.md"))
        assert shown.split("old.md")[0].strip() == text


def test_low_confidence_is_what_the_quality_gate_calls_unsure(world: World) -> None:
    from earmark.domain import Segment

    world.record("sure.wav")
    world.record("unsure.wav", segments=(Segment(0.0, 9.5, "perhaps a word", 0.3),))
    assert names("--state", "low-confidence") == ["unsure.wav"]


@pytest.mark.parametrize(
    "title", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", 'plain, and "quoted"', "two\nlines"]
)
def test_a_table_for_a_spreadsheet_holds_no_formula(world: World, title: str) -> None:
    world.record("a.wav")
    note = world.drop / "a.md"
    note.write_text(note.read_text() + f"\n# {title}\n")
    (found,) = csv.DictReader(io.StringIO(said("list", "--csv")))
    first = title.splitlines()[0]
    assert found["title"] == (f"'{title}" if title[0] in "=+-@" else first)
    assert found["path"] == str(world.drop / "a.wav")
    assert (found["state"], found["seconds"]) == ("done", "10.0")


def test_a_name_that_several_files_have_is_answered_by_their_paths(world: World) -> None:
    world.record("a/call.wav")
    world.record("b/call.wav")
    told = said("why", "call.wav", code=2)
    assert "call.wav: 2 files are called so; which of them? Say its path:" in told
    assert [line.removeprefix("earmark: ") for line in told.splitlines()[1:]] == [
        str(world.drop / "a/call.wav"),
        str(world.drop / "b/call.wav"),
    ]
    assert "2 files are called so" in said("hold", "call.wav", code=2)
    assert "call: 2 files are called so" in said("why", "call", code=2)
    assert "call.wav: is not in the trash" in said("trash", "restore", "call.wav", code=66)
    world.record("b/c23.flac")
    assert "drop/b/c23.flac: done" in " ".join(said("why", "c23").split())
    assert "2 files are called so" in said("forget", "call", "--yes", code=2)
    assert "drop/b/c23.flac" in said("forget", "c23", "--yes")
    (world.drop / "a/call.wav").unlink()
    assert "b/call.wav: done" in said("why", "call.wav")
    # As it stands in a list, with the name of the folder in front or without.
    assert "b/call.wav: done" in said("why", "b/call.wav")
    assert "b/call.wav: done" in said("why", "drop/b/call.wav")


def test_why_finds_a_file_that_was_not_taken_by_its_name_and_as_it_is_printed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = world.drop / "a/Rec", world.drop / "b/Rec"
    for folder in (one, two):
        (folder / "sub").mkdir(parents=True)
    (world.root / "config" / "config.toml").write_text(
        f'[[folder]]\npath = "{one}"\n[[folder]]\npath = "{two}"\n'
    )
    for name in ("a/Rec/zero.m4a", "b/Rec/sub/notes.txt", "b/Rec/twice.txt", "a/Rec/twice.txt"):
        (world.drop / name).touch()
    world.ledger.journal.trouble(one / "zero.m4a", "file", "it is empty", world.now)
    world.ledger.journal.trouble(one / "gone.m4a", "file", "it was empty", world.now)
    monkeypatch.chdir("/")
    for typed in ("zero.m4a", "ZERO.m4a", "zero", "a/Rec/zero.m4a"):
        assert "a/Rec/zero.m4a: not taken (it is empty)" in " ".join(said("why", typed).split())
    assert "it was empty" in said("why", "gone.m4a")
    assert "it was empty" in said("why", "a/Rec/gone.m4a")
    for typed in ("notes.txt", "sub/notes.txt", "Rec/sub/notes.txt", "b/Rec/sub/notes.txt"):
        assert "b/Rec/sub/notes.txt: not taken" in " ".join(said("why", typed).split())
    assert "2 files are called so" in said("why", "twice.txt", code=2)
    assert "there is no such file" in said("why", "nowhere.txt", code=66)
    assert "folder that is watched" in " ".join(said("why", "a/Rec").split())


def test_a_folder_is_taken_as_it_is_printed_and_one_output_has_one_name_for_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for top in ("a/Rec", "b/Rec"):
        path = world.record(f"{top}/call.wav").path
        world.ledger.db.execute(
            "UPDATE places SET folder = ? WHERE path = ?", (os.fsencode(path.parent), os.fsencode(path))
        )
    (world.drop / "b/Rec/copy.wav").write_bytes((world.drop / "b/Rec/call.wav").read_bytes())
    world.take_in(world.drop / "b/Rec/copy.wav")
    world.ledger.db.execute(
        "UPDATE places SET folder = ? WHERE path = ?",
        (os.fsencode(world.drop / "b/Rec"), os.fsencode(world.drop / "b/Rec/copy.wav")),
    )
    for folder in (".", str(world.root), "/"):
        monkeypatch.chdir(folder)
        assert "copy of b/Rec/call.wav" in said("list")
        assert "same content as b/Rec/call.wav" in said("status")
    for words in (["list", "--folder"], ["retention", "plan"]):
        assert "a/Rec" not in said(*words, "b/Rec")
    assert said("list", "--folder", "b/Rec").startswith("2 files of 1 recording")
    assert said("export", "--out", str(world.root / "out.zip"), "--folder", "b/Rec").startswith("1 recording")
    assert "no recording is or was" in said("list", "--folder", "c/Rec", code=66)


def test_what_a_run_prints_tells_files_of_one_name_apart() -> None:
    written = io.StringIO()
    screen = Screen(Console(file=written, width=200))
    for event in (
        {"event": Event.WATCHING, "folders": ["/r/Rec"]},
        {"event": Event.ACCEPTED, "file": "/r/Rec/meeting.m4a"},
        {"event": Event.ACCEPTED, "file": "/r/Rec/sub/meeting.m4a"},
        {"event": Event.SAME_CONTENT, "file": "/r/Rec/copy.m4a", "of": "/r/Rec/sub/meeting.m4a"},
        {"event": Event.WRITTEN, "file": "/r/Rec/sub/meeting.m4a", "note": "meeting.md"},
        {"event": Event.NOT_TRANSCRIBED, "name": "/r/Rec/sub/meeting.m4a", "sentence": "No sound."},
    ):
        screen.render(None, "info", event)
    lines = written.getvalue().splitlines()
    assert lines[1:3] == ["+ meeting.m4a", "+ sub/meeting.m4a"]
    assert "same content as sub/meeting.m4a" in lines[3]
    assert lines[4].startswith("✓ sub/meeting.m4a →")
    assert lines[5].startswith("✗ sub/meeting.m4a: No sound.")


@pytest.mark.shows("readme:lines")
@pytest.mark.parametrize(
    "tops",
    [
        ("a/notes", "b/notes"),
        ("a/x/notes", "b/x/notes"),
        ("p/notes", "p", "b/notes"),
        ("notes", "b/notes", "c"),
    ],
    ids=" ".join,
)
def test_files_of_folders_that_are_called_the_same_are_told_apart_wherever_they_are_named(
    world: World, tops: tuple[str, ...]
) -> None:
    for top in tops:
        world.record(f"{top}/call.wav")
        world.record(f"{top}/broken.wav", done=False)
        folder = world.drop / top
        world.ledger.db.execute(
            "UPDATE places SET folder = ? WHERE path IN (?, ?)",
            (os.fsencode(folder), os.fsencode(folder / "call.wav"), os.fsencode(folder / "broken.wav")),
        )
        fail(world, f"{top}/broken.wav")
    shown = {f"{'drop/notes' if top == 'notes' else top}/call.wav" for top in tops}
    for words in (["list"], ["retention", "plan"], ["status"]):
        lines = [line for line in said(*words).splitlines() if ".wav" in line]
        paths = {line.split()[-1] for line in lines}
        assert len(paths) == len(lines), (words, lines)
        if words != ["status"]:
            assert {path for path in paths if path.endswith("call.wav")} == shown, words
    for path in shown:
        assert f"{path}: done" in said("why", path)


def test_the_queue_says_how_much_of_it_is_done_and_how_long_the_rest_takes(world: World) -> None:
    assert "heard" not in said("status"), "where nothing waits there is no queue"
    for number in range(3):
        world.record(f"before {number}.wav")
    world.pass_days(1)
    for number in range(10):
        world.record(f"{number}.wav", done=False, audio=b"RIFF%d" % number + bytes(3000))
    assert json.loads(said("status", "--json"))["queue"] == {"heard": 0, "of": 10, "left": None}
    assert "  0 of 10 heard; how long the rest takes is not measured yet" in said("status")
    model = Path(os.environ["EARMARK_MODELS"]).name
    world.pass_days(0.01)
    for number in range(4):
        job = world.ledger.jobs.of(world.place(f"{number}.wav").recording_id, Stage.TRANSCRIBE)
        assert job is not None
        world.ledger.jobs.done(job.id, world.now)
    # Six are left, of 3 kB each, as long as those were that were heard: 10 s. They took a thousand times as long.
    world.ledger.journal.measured(model, 60.0, 60_000.0, world.now)
    (world.root / "config" / "config.toml").write_text("[transcription]\nworkers = 2\n")
    assert "  4 of 10 heard, about 8 h 20 min left, once it runs" in said("status")
    found = json.loads(said("status", "--json"))["queue"]
    assert found["left"] == pytest.approx(30_000, rel=0.02)
    (world.root / "config" / "config.toml").write_text("[transcription]\nworkers = 1\n")
    assert "about 16 h 40 min left" in said("status")
    # What is told apart beside takes longer, and only what is here is waited for.
    gone = world.place("9.wav")
    world.ledger.places.gone(gone.path, gone.recording_id, world.now, Gone.MISSING)
    assert "  4 of 9 heard" in said("status")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 min"),
        (3000, "50 min"),
        (7800, "2 h 10 min"),
        (3600, "1 h"),
        (86_400, "24 h"),
        (200_000, "2 days 8 h"),
    ],
)
def test_how_long_something_takes_is_said_no_finer_than_it_is_known(seconds: float, text: str) -> None:
    assert roughly(seconds) == text


def test_a_queue_begins_with_what_came_since_it_was_empty_last() -> None:
    def hearing(came: float, over: float | None) -> Hearing:
        return Hearing(Instant(came), None if over is None else Instant(over))

    assert progress([]) == progress([hearing(1, 2)]) == (0, 0)
    early, first, second, late = hearing(1, 2), hearing(10, 30), hearing(11, 40), hearing(35, None)
    assert progress([early, first, second, late]) == (2, 3)
    assert progress([early, late, hearing(36, 50)]) == (1, 2)


def test_why_tells_a_story_in_sentences_and_keeps_two_copies_apart(world: World) -> None:
    first = world.record("one.wav")
    other = world.drop / "copy of one.wav"
    other.write_bytes(first.path.read_bytes())
    world.pass_days(1)
    world.ledger.places.put(other, world.drop, first.recording_id, Identity.of(other.lstat()), world.now)
    world.context.tell(Event.SAME_CONTENT, "Not heard twice.", recording=first.recording_id, file=other)
    world.context.tell(Event.RETRIED, "Asked for by hand (transcribe).", recording=first.recording_id)
    lines = said("why", "drop/one.wav").splitlines()
    also = lines.index("The same recording is also here: drop/copy of one.wav")
    assert lines[0] == "drop/one.wav: done"
    assert [line.split("  ")[2] for line in lines[1:also]] == [
        "It came in: a new recording.", "It is to be tried again: asked for by hand (transcribe).",
    ]  # fmt: skip
    assert [line.split("  ")[2] for line in lines[also + 1 :]] == [
        "It has the content of another recording: Not heard twice."
    ]
    by_copy = said("why", "copy of one.wav").splitlines()
    assert by_copy[0] == "drop/copy of one.wav: done"
    assert by_copy[1] == "  the same content as drop/one.wav, heard once"
    assert "  It has the content of another recording" in by_copy[2]
    assert by_copy[-2].startswith("The same recording is also here: drop/one.wav")
    assert json.loads(said("why", "one.wav", "--json"))["also_at"] == [str(other)]
    raw = [event for event in Event if "-" in event and event in said("why", "one.wav")]
    assert raw == []


WRONG = [
    (["list", "--since", "yesterday"], "'yesterday' is no date; write it like 2026-03-31"),
    (
        ["retention", "plan", "--at", "soon"],
        "'soon' is no date; write it like 2026-03-31 or 2026-03-31T14:30",
    ),
    (["forget", "--before", "x"], "'x' is no date"),
    (["list", "--sort", "size"], "'size' is not one of 'date', 'path'"),
    (["transcribe", "a", "-f", "doc"], "'doc' is not one of"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG)
def test_what_is_wrong_with_a_word_is_said_in_words(words: list[str], sentence: str) -> None:
    told = " ".join(said(*words, code=2).replace("│", " ").split())
    assert sentence in told
    assert "Value error" not in told


def verbs(command: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb there is."""
    yield before
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*before, name))


def test_no_help_speaks_the_language_of_the_parser() -> None:
    for verb in verbs(typer.main.get_command(main.app)):
        help_ = said(*verb, "--help")
        assert not re.search(r"\{\w|<%|%Y|\.\.\.\]?\.\.\.|\(s\)", help_), (verb, help_)


@pytest.mark.shows("readme:lines")
def test_on_a_very_narrow_terminal_sentences_end_between_words_too(world: World) -> None:
    world.record("a longer folder name/what was said.wav")
    for words in (["models", "list"], ["retention", "status"], ["speakers", "list"], ["vocabulary", "list"],
                  ["receipts", "verify"], ["hold", "what was said.wav"], ["forget", "--all", "--dry-run"]):  # fmt: skip
        lines, whole = (
            on_a_terminal(*words, width=38),
            set(" ".join(on_a_terminal(*words, width=300)).split()),
        )
        assert {word for word in " ".join(lines).split() if not word.endswith("…")} <= {*whole, "already"}, (
            words
        )
        assert [
            line for line in lines if cell_len(line) > 38 and len(line.split()) > 1 and "what" not in line
        ] == []


def test_a_folder_around_a_model_is_no_model_and_where_that_lies_is_said(world: World) -> None:
    place = Path(os.environ["EARMARK_MODELS"]) / "tiny.en"
    inner = world.root / "data" / "models" / "outer" / "inner"
    inner.mkdir(parents=True)
    for file in place.iterdir():
        (inner / file.name).symlink_to(file)
    shown = said("models", "list")
    assert not any(line.startswith("outer ") for line in shown.splitlines()), shown
    assert (
        f"outer: {inner.parent} is no model, but {inner} below it is; bring it in with: earmark models add"
        in shown
    )
    assert "inner" not in {entry["name"] for entry in json.loads(said("models", "list", "--json"))["models"]}


@pytest.mark.shows("readme:lines")
def test_a_long_path_is_whole_at_the_end_of_its_line_and_in_a_pipe_nothing_is_broken(world: World) -> None:
    long = f"{'a folder with a long name ' * 3}/{'what was said on that day ' * 2}.wav"
    world.record(long, speech_seconds=400.0)
    world.record("broken.wav", done=False)
    fail(world, "broken.wav")
    said("hold", long, "--why", "a sentence that is a good deal longer than eighty columns " * 3)
    for words in (["list"], ["retention", "plan", "--all"], ["hold"], ["forget", "--all", "--dry-run"]):
        lines = on_a_terminal(*words)
        assert any(line.endswith(long) for line in lines), words
        too_long = [line for line in lines if cell_len(line) > 80]
        assert all(line.endswith((".wav", ".md")) for line in too_long), words
        assert any(line.endswith(long) for line in said(*words).splitlines()), words
    piped = said("list").splitlines()
    assert [line for line in piped if line.endswith(f"failed: {REASON}")] == [
        f"  (1) 1 file, failed: {REASON}"
    ]


def test_what_was_found_again_in_a_row_is_told_once(world: World) -> None:
    place = world.record("a.wav")
    for sentence in ("no server answers", "no server answers", "the disk is full", "no server answers"):
        world.context.tell(Event.NOT_SUMMARIZED, sentence, recording=place.recording_id)
    told = said("why", "a.wav")
    assert told.count("It could not be summarized: no server answers") == 2
    assert told.count("the disk is full") == 1
