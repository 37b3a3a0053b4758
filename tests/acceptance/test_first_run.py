"""What a new person sees: one command, a recording, two notes with the right words in them. Real model, real speech."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from earmark import errors

from tests.conftest import SAMPLE, SAMPLE_WORDS, Installation, word_errors, words
from tests.shown import README


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after its first `earmark run --with-sample --once` with the model that scripts/run brings, and what
    that printed.
    """
    made = Installation(tmp_path_factory.mktemp("first"), model="base")
    done = made.earmark("run", "--with-sample", made.folder, "--once")
    assert done.returncode == 0, done.stderr
    return made, done.stderr


def test_the_sample_becomes_two_notes_and_the_person_is_told_where(first: tuple[Installation, str]) -> None:
    made, printed = first
    assert made.notes() == ["sample.md", "sample.transcript.md"]
    assert str(made.folder / "sample.transcript.md") in printed
    assert str(made.folder / "sample.md") in printed


def of_the_readme(kind: str, begins: str) -> list[str]:
    """The pieces of a code block of README.md between the `…` where it leaves something out."""
    blocks = re.findall(
        rf"^```{kind}\n({begins}.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (block,) = blocks
    return [piece.strip("\n") for piece in re.split("…", block) if piece.strip()]


def stand_in_order(pieces: list[str], text: str) -> str:
    """The first piece that the text does not have behind the ones before; "" if it has them all."""
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return piece
        at = found + len(piece)
    return ""


@pytest.mark.shows("readme:printed")
def test_the_readme_shows_what_the_first_run_prints(first: tuple[Installation, str]) -> None:
    made, printed = first
    (shown,) = of_the_readme("", "Watching")
    shown = shown.replace("/home/you/earmark/Recordings", str(made.folder)) + "\nNothing left to do.\n"
    # It was run with --once, which has a heading of its own.
    shown = shown.replace("Watching", "Once through").replace("(Ctrl-C stops)", "(ends when all is done)")
    # A machine that has a summary server says another sentence, or none.
    server = re.compile(r"(?m)^  sample\.m4a  (?!transcribing|0:39|summary by).*\n")
    assert server.sub("", shown) == server.sub("", printed)
    assert len(server.findall(shown)) == 1


@pytest.mark.shows("readme:note")
def test_the_readme_shows_the_note_that_comes_out(first: tuple[Installation, str]) -> None:
    note = (first[0].folder / "sample.md").read_text()
    pieces = of_the_readme("markdown", "---")
    assert len(pieces) > 5
    assert stand_in_order(pieces, note) == ""
    assert note.startswith(pieces[0])
    transcript = (first[0].folder / "sample.transcript.md").read_text()
    assert "[[sample.m4a#t=" in transcript


def test_the_words_are_right(first: tuple[Installation, str]) -> None:
    made, _ = first
    shown = made.earmark("transcribe", made.folder / "sample.m4a").stdout
    spoken = words(SAMPLE_WORDS.read_text())
    assert word_errors(spoken, words(shown)) / len(spoken) < 0.12
    note = (made.folder / "sample.transcript.md").read_text()
    for said in ("spring release", "billing bugs by Wednesday", "budget to Maria by Friday"):
        assert said in note


@pytest.mark.shows("readme:links")
def test_the_summary_has_decisions_and_tasks_that_were_said_with_links_into_the_audio(
    first: tuple[Installation, str],
) -> None:
    note = (first[0].folder / "sample.md").read_text()
    tasks = [line for line in note.splitlines() if line.startswith("- [ ] ")]
    assert any("budget" in t and "Friday" in t and "sample.m4a#t=" in t for t in tasks), tasks
    overview, *sections = note.partition("![[sample.m4a]]")[2].split("\n## ")
    assert "sample.m4a#t=" not in overview
    lines = {s.splitlines()[0]: [x for x in s.splitlines() if x.startswith("- ")] for s in sections}
    for section in ("Key points", "Decisions", "Tasks"):
        assert lines[section], section
        assert [line for line in lines[section] if "[[sample.m4a#t=" not in line] == [], section
    assert "## Decisions" in note
    assert "summary_by: extractive" in note
    assert "![[sample.m4a]]" in note
    assert "[[sample.transcript" in note


def test_starting_again_does_nothing_twice(first: tuple[Installation, str]) -> None:
    made, _ = first
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in made.folder.iterdir()}
    again = made.earmark("run", "--with-sample", made.folder, "--once")
    assert again.returncode == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in made.folder.iterdir()} == before
    assert "transcribing" not in again.stderr


def test_a_deleted_sample_does_not_come_back(first: tuple[Installation, str], tmp_path: Path) -> None:
    made = Installation(tmp_path)
    made.folder.mkdir()
    assert made.earmark("run", "--with-sample", made.folder, "--once").returncode == 0
    assert not list(made.folder.iterdir())


@pytest.mark.shows("readme:every-day")
def test_list_and_why_and_status_tell_the_story(first: tuple[Installation, str]) -> None:
    made, _ = first
    (row,) = json.loads(made.earmark("list", "--json").stdout)["recordings"]
    assert row["state"] == "done"
    assert {Path(n).name for n in row["notes"]} == {"sample.md", "sample.transcript.md"}
    story = json.loads(made.earmark("why", made.folder / "sample.m4a", "--json").stdout)
    assert [e["what"] for e in story["events"]][:3] == ["accepted", "transcribed", "written"]
    by_note = json.loads(made.earmark("why", made.folder / "sample.md", "--json").stdout)
    assert by_note["recording"] == story["recording"]
    status = made.status()
    assert status["counts"] == {"recordings": 1, "transcribed": 1, "waiting": 0, "failed": 0}
    assert status["running"] is False
    assert "1 transcribed" in made.earmark("status").stdout


@pytest.mark.shows("readme:every-day")
def test_a_bare_name_is_enough_where_it_is_the_only_one(first: tuple[Installation, str]) -> None:
    made, _ = first
    assert "done" in made.earmark("why", "sample.m4a").stdout
    assert "done" in made.earmark("why", "sample.transcript.md").stdout


def test_wrong_usage_is_said_and_not_taken_for_nothing_to_do(first: tuple[Installation, str]) -> None:
    made, _ = first
    for arguments in (
        ["retry"],
        ["resummarize"],
        ["list", "--state", "bogus"],
        ["transcribe", str(made.folder)],
    ):
        done = made.earmark(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr


def test_a_date_that_is_only_the_files_own_is_called_so(
    first: tuple[Installation, str], tmp_path: Path
) -> None:
    import av

    made = Installation(tmp_path)
    made.folder.mkdir()
    with av.open(str(made.folder / "memo.wav"), "w") as target, av.open(str(SAMPLE)) as source:
        stream = target.add_stream("pcm_s16le", rate=16000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
    assert made.earmark("run", made.folder, "--once").returncode == 0
    assert "recorded_from: file date" in (made.folder / "memo.md").read_text()
    assert "recorded_from: container" in (first[0].folder / "sample.md").read_text()


def test_why_says_why_a_file_was_not_taken(first: tuple[Installation, str]) -> None:
    made, _ = first
    (made.folder / "draft.m4a.part").write_bytes(b"x")
    assert "being downloaded" in made.earmark("why", made.folder / "draft.m4a.part").stdout
    (made.folder / "2026").mkdir()
    assert "it is a folder; ask about a file in it" in made.earmark("why", made.folder / "2026").stdout
    assert "it is a folder that is watched" in made.earmark("why", made.folder).stdout
    assert "see: earmark why 'my talk.m4a'" in made.earmark("hold", "my talk.m4a").stderr
    missing = made.earmark("why", made.folder / "never.m4a")
    assert missing.returncode == 66
    assert "no such file" in missing.stderr


@pytest.mark.parametrize(
    ("format", "mark"), [("srt", "00:00:0"), ("vtt", "WEBVTT"), ("json", '"segments"'), ("md", "earmark_id")]
)
def test_transcribe_prints_every_format(first: tuple[Installation, str], format: str, mark: str) -> None:
    done = first[0].earmark("transcribe", first[0].folder / "sample.m4a", "--format", format)
    assert done.returncode == 0, done.stderr
    assert mark in done.stdout


def test_a_note_that_transcribe_prints_has_a_time_where_notes_are_to_have_them(
    first: tuple[Installation, str],
) -> None:
    made, _ = first

    def times() -> int:
        done = made.earmark("transcribe", made.folder / "sample.m4a", "--format", "md")
        assert done.returncode == 0, done.stderr
        return done.stdout.count("[[sample.m4a#t=")

    few = times()
    assert made.earmark("config", "set", "notes.times", "sentence").returncode == 0
    try:
        assert times() > few
    finally:
        made.earmark("config", "unset", "notes.times")


def test_transcribe_says_what_is_wrong_with_a_bad_file(
    first: tuple[Installation, str], tmp_path: Path
) -> None:
    bad = tmp_path / "letter.mp3"
    bad.write_text("Dear Sir or Madam,\n" * 50)
    done = first[0].earmark("transcribe", bad)
    assert done.returncode == 65
    assert "text" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "verb",
    [
        ["list"],
        ["status", "--json"],
        ["config", "reference"],
        ["--help"],
        ["--version"],
        [],
        ["run", "--help"],
        ["status", "--watch"],
        ["status", "--watch", "--json"],
    ],
)
def test_a_reader_that_goes_away_ends_a_verb_as_it_ends_any_program(
    first: tuple[Installation, str], verb: list[str]
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = first[0].earmark(*verb, stdout=writes, timeout=60)
    finally:
        os.close(writes)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_a_verb_whose_output_was_closed_by_its_caller_does_its_work(first: tuple[Installation, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "earmark", "receipts", "export"],
        env=first[0].environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.shows("architecture:supervisor")
def test_the_supervisor_never_loads_the_heavy_libraries() -> None:
    import subprocess

    code = (
        "import sys, earmark.supervisor.loop, earmark.cli.run;"
        "heavy = {'faster_whisper','ctranslate2','av','onnxruntime','numpy','openai','httpx2','huggingface_hub'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_first_help_fits_a_screen_and_documents_exit_codes(first: tuple[Installation, str]) -> None:
    shown = first[0].earmark("--help").stdout
    assert len(shown.splitlines()) <= 50
    assert "Exit codes" in shown
    listed = {int(code) for code in re.findall(r"(\d+)\s+[a-z]", shown.partition("Exit codes")[2])}
    assert {0, 1, 2, 3} <= listed
    assert {kind.exit_code for kind in kinds_of_errors(errors.EarmarkError)} <= listed


def kinds_of_errors(kind: type[errors.EarmarkError]) -> set[type[errors.EarmarkError]]:
    return {kind}.union(*(kinds_of_errors(inner) for inner in kind.__subclasses__()))


def test_running_without_any_folder_says_what_to_do(tmp_path: Path) -> None:
    done = Installation(tmp_path).earmark("run", "--once")
    assert done.returncode == 2
    assert "earmark run ~/Recordings" in done.stderr


def test_a_missing_model_says_exactly_what_to_do(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    made.folder.mkdir()
    made.configure("[intake]\nsettle_seconds = 0.3\n[transcription]\nmodel = 'large-v3'\n")
    made.drop()
    done = made.earmark("run", made.folder, "--once")
    assert done.returncode != 0
    (trouble,) = [t for t in made.status()["troubles"] if t["path"] == "[model]"]
    assert "large-v3" in trouble["reason"]
    assert str(made.root / "home" / "data" / "models" / "large-v3") in trouble["reason"]
