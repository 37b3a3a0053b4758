"""What the command costs before it does anything, and how it answers wrong usage."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.context import Context
from earmark.domain import Instant, Stage
from earmark.ledger import Ledger
from earmark.supervisor.unfinished import is_open
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner, Result

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig, run_child
from tests.forked import said


def processor_time(*words: str) -> float:
    """Seconds of the quickest of five: a busy machine makes each of them slower, never quicker."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


# Times as long as Python alone takes to start: measured 1.5 and 19.
@pytest.mark.parametrize(("word", "times"), [("--version", 4), ("--help", 40)])
def test_version_and_help_load_no_verb(word: str, times: float) -> None:
    assert processor_time("-m", "earmark", word) < times * processor_time("-c", "pass")
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "earmark", word],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in listed.splitlines()}
    assert not loaded & {"pydantic", "structlog", "ruamel", "watchdog", "ctranslate2", "av", "sqlite3"}


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.configure()
    made.folder.mkdir()
    made.state.mkdir(mode=0o700)
    with Ledger(made.state / "ledger.db"):
        pass
    return made


@pytest.mark.parametrize(
    "words",
    [
        "frobnicate", "retention", "list --bogus", "list --state x", "retry", "retry --summary --speakers x", "resummarize",
        "hold --release", "hold --why audit", "unhold", "export", "forget", "retention set x", "service logs -n x",
        "models add x.onnx --name y", "models download campplus --shared", "config set endpoint none",
        "speakers merge A A", "transcribe .", "privacy check --wait -1",
    ],
)  # fmt: skip
def test_wrong_usage_has_one_exit_code(home: Installation, words: str) -> None:
    (home.root / "x.onnx").write_bytes(b"x")
    done = said(home, *words.split())
    assert done.returncode == 2, done.stdout + done.stderr


@pytest.mark.parametrize("words", ["receipts verify nope", "export verify nope", "models add nope"])
def test_a_named_file_that_is_not_there_has_one_too(home: Installation, words: str) -> None:
    done = said(home, *words.split())
    assert (done.returncode, "nope: there is no such" in done.stderr) == (66, True)


def test_a_typed_folder_that_is_not_there_is_said_at_once(home: Installation) -> None:
    for words, what in (
        (("run", "Recrodings"), "does not exist"),
        (("run", home.folder, "Recrodings"), "does not exist"),
        (("run", "--once", "Recrodings"), "does not exist"),
        (("receipts", "report", "--folder", "Recrodings"), "no recording is or was"),
        (("config", "set", "--folder", "Recrodings", "language", "de"), "no such folder"),
    ):
        done = said(home, *words)
        assert (done.returncode, what in done.stderr) == (66, True), done.stderr
        assert "Watching" not in done.stderr
    shown = said(home, "service", "show", "Recrodings")
    assert (shown.returncode, "does not exist" in shown.stderr) == (0, True)


def test_a_verb_that_had_two_names_has_one_and_answers_to_the_other(home: Installation) -> None:
    helped = said(home, "--help").stdout
    listed = {line.split()[1] for line in helped.splitlines() if line.startswith("│ ") and line[2] != " "}
    assert {"resummarize", "trash", "hold", "unhold"} <= listed
    assert "restore" not in listed
    assert "--release" not in said(home, "hold", "--help").stdout
    assert "--summary" not in said(home, "retry", "--help").stdout
    for words in (("restore", "--help"), ("hold", "--release", "--help"), ("retry", "--summary", "--help")):
        assert said(home, *words).returncode == 0


@pytest.mark.shows("retention:unhold")
def test_what_was_held_by_hand_is_let_go_by_either_name(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    file = rig.drop("a.wav")
    assert run_child(rig) == 0
    home = Installation(tmp_path)
    for words in (("unhold",), ("hold", "--release")):
        assert "a.wav: held" in said(home, "hold", file).stdout
        assert "earmark unhold FILE" in said(home, "hold").stdout
        assert "a.wav: not held" in said(home, *words, file).stdout
    assert "Nothing is held" in said(home, "hold").stdout


@pytest.mark.shows("durability:retry-without-audio")
def test_a_recording_whose_audio_is_gone_is_not_tried_again_and_the_reason_is_said(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    file, other = rig.drop("a.wav", "one"), rig.drop("b.wav", "two")
    assert run_child(rig) == 0
    home, note = Installation(tmp_path), rig.folder / "a.md"
    file.unlink()
    before = rig.query("SELECT stage, state FROM jobs ORDER BY id")
    done = said(home, "retry", note)
    assert (done.returncode, "its audio is not there any more" in done.stderr) == (66, True), done.stderr
    assert "earmark resummarize" in done.stderr
    assert rig.query("SELECT stage, state FROM jobs ORDER BY id") == before
    assert run_child(rig) == 0  # the daemon has seen it, too
    done = said(home, "retry", file, other)
    assert (done.returncode, "b.wav: will be tried again" in done.stdout) == (66, True)
    assert said(home, "retry", "--summary", note).returncode == 0
    with opened_context(rig.installed, rig.config(), read_only=True) as context:
        assert {j.state.value for j in context.ledger.jobs.all() if j.stage.value == "transcribe"} == {
            "done",
            "waiting",
        }


def test_ctrl_c_speaks_of_unfinished_work_only_where_there_is_some_and_once_has_its_own_heading(
    home: Installation,
) -> None:
    def stopped(until: str) -> str:
        with (home.root / "shown").open("w+") as shown:
            process = subprocess.Popen(
                [sys.executable, "-m", "earmark", "run", home.folder], env=home.environment | {"EARMARK_MODELS": os.devnull},
                stdin=subprocess.DEVNULL, stdout=shown, stderr=shown,
            )  # fmt: skip
            wait_for(lambda: until in (home.root / "shown").read_text(), what=until)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        return (home.root / "shown").read_text()

    assert stopped("Nothing left to do.").endswith("Stopped.\n")
    home.drop()
    waits = stopped("+ standup.m4a")
    assert "Watching" in waits
    assert waits.endswith("Stopped. What was not finished goes on at the next start.\n")
    once = home.earmark("run", "--once", home.folder)
    assert "Once through" in once.stderr
    assert "Watching" not in once.stderr
    assert "Ctrl-C" not in once.stderr


@pytest.mark.parametrize(("rests", "elsewhere"), [(True, False), (False, True), (False, False)])
def test_what_waits_for_a_better_hour_or_lies_in_another_folder_is_nothing_unfinished_of_this_run(
    tmp_path: Path, rests: bool, elsewhere: bool
) -> None:
    rig = Rig(tmp_path)
    rig.drop("a.wav")
    assert rig.run_once() == 0
    now = Instant(time.time())
    with Ledger(rig.installed.ledger_file) as ledger:
        (recording,) = ledger.recordings.all()
        ledger.jobs.requeue(recording.id, Stage.SUMMARIZE, now)
        job = ledger.jobs.of(recording.id, Stage.SUMMARIZE)
        assert job is not None
        if rests:
            ledger.jobs.try_later(job.id, "no summary server answers", Instant(now + 3600), now)
        config, folder = rig.config(), tmp_path / "other" if elsewhere else rig.folder
        context = Context(ledger, rig.installed, config, (folder,))
        assert is_open(context, ()) is (not rests and not elsewhere)
        if not rests:
            ledger.jobs.done(job.id, now)
            assert not is_open(context, ())
        assert is_open(context, ("b.wav",))
    with Live(rig) as live:
        wait_for(lambda: any("watching" in s.lower() for s in live.notifier.said), what="it watches")
    assert not live.supervisor.unfinished


@pytest.mark.parametrize("name", ["talk", "TALK"])
def test_a_name_without_its_ending_is_enough_for_every_verb_that_takes_a_recording(
    tmp_path: Path, name: str
) -> None:
    rig = Rig(tmp_path, {})
    rig.drop("talk.m4a", "hello")
    rig.drop("other.m4a", "another")
    assert run_child(rig) == 0

    def say(*words: str) -> Result:
        return CliRunner().invoke(app, [*words], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"})

    assert "talk.m4a: done" in say("why", name).output
    assert "talk.m4a: held" in say("hold", name).output
    assert "talk.m4a: not held" in say("unhold", name).output
    assert "will be tried again" in say("retry", name).output
    assert say("resummarize", name).exit_code == 0
    assert "number 0" in say("export", "recording", name, "--format", "txt").output
    assert "talk.m4a" in say("forget", name, "--dry-run").output
    # Where several are called so nothing is done to any.
    rig.drop("b/talk.wav", "a third one")
    assert run_child(rig) == 0
    for words in (["hold", name], ["forget", name, "--yes"], ["retry", name]):
        done = say(*words)
        assert done.exit_code == 2, done.output
        assert "2 files are called so; which of them?" in done.output
    (rig.folder / "b" / "talk.wav").unlink()
    assert run_child(rig) == 0
    assert say("forget", name, "--yes").exit_code == 0
    assert sorted(path.name for path in rig.folder.rglob("*.m4a")) == ["other.m4a"]
