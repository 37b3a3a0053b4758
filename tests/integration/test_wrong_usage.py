"""Wrong usage ends with one code, whoever notices it: the parser, or a verb that knows what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.cli.manual.outline import Command
from earmark.cli.manual.parser import outline
from earmark.cli.voice import CODES
from earmark.errors import UsageError
from earmark.ledger import Ledger
from typer.testing import CliRunner

from tests.conftest import Installation
from tests.forked import said
from tests.shown import DOCS


@pytest.mark.shows("json:usage")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nonsense"], "No such command"),
        (["list", "--state", "lost"], "there is no such state"),
        (["models", "download", "NONSENSE"], "'NONSENSE' is not a model that is known here"),
        (["models", "download", "speakers", "--revision", "x"], "leave out --revision"),
        (["models", "add", ".", "--name", "../x"], "cannot be a model's name"),
        (["run"], "Name one (earmark run ~/Recordings)"),
        (["run", "--once"], "Name one (earmark run ~/Recordings)"),
        (["resummarize", "x.m4a", "-t", "nonsense"], "--template 'nonsense': there is none built in"),
        (["config", "set", "summary.endpoint=auto"], "earmark config set summary.endpoint auto"),
        (
            ["config", "set", "transcription.prompt=two words"],
            "earmark config set transcription.prompt 'two words'",
        ),
        (["config", "set", "summary.endpoint"], "earmark config set summary.endpoint VALUE"),
    ],
)
def test_wrong_usage_ends_with_one_code_and_says_what_would_be_right(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    made = Installation(tmp_path)
    made.configure()
    for name in ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin"):
        (tmp_path / name).write_bytes(b"{}")
    done = made.earmark(*words)
    assert done.returncode == UsageError.exit_code == 2, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_a_service_that_is_told_no_folder_has_a_wrong_configuration(tmp_path: Path) -> None:
    assert Installation(tmp_path).earmark("run", "--service").returncode == 78


def test_the_table_of_exit_codes_is_on_the_page() -> None:
    page = (DOCS / "json.md").read_text()
    assert all(f"| {code} | {meaning} |" in page for code, meaning in CODES.items())


GROUPS = [command for command in outline().commands if command.commands]


def _paths_of(command: Command, words: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Each verb with "" where it takes a file or a folder, and what it takes before that."""
    here = (*words, command.name)
    before: list[str] = []
    for argument in command.arguments:
        if argument.takes in ("file", "folder") or "FILE" in argument.name:
            yield [*here, *before, ""]
            break
        before.append("x")
    for option in command.options:
        if option.takes in ("file", "folder"):
            yield [*here, option.names[0], ""]
    for below in command.commands:
        yield from _paths_of(below, here)


EMPTY = [words for command in outline().commands for words in _paths_of(command)]


def test_verbs_that_take_a_file_or_folder_are_found() -> None:
    verbs = {words[0] for words in EMPTY}
    assert verbs >= {
        "why",
        "retry",
        "hold",
        "unhold",
        "forget",
        "trash",
        "receipts",
        "run",
        "list",
        "export",
        "models",
    }
    assert len(EMPTY) > 25


@pytest.mark.shows("json:empty")
@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_a_file_without_a_name_is_not_the_folder_that_somebody_is_in(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    assert "it is empty, and names no file and no folder" in " ".join(done.output.replace("│", " ").split())


def _options_of(command: Command, words: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Each option that takes words, behind its verb."""
    here = (*words, command.name)
    yield from ([*here, option.names[0]] for option in command.options if option.takes)
    for below in command.commands:
        yield from _options_of(below, here)


OPTIONS = [words for command in outline().commands for words in _options_of(command)]


@pytest.mark.shows("json:empty")
@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_an_option_without_its_words_is_no_option_left_out(words: list[str]) -> None:
    assert len(OPTIONS) > 30
    for empty in ("", " "):
        done = CliRunner().invoke(app, [*words, empty])
        assert done.exit_code == 2, done.output
        told = " ".join(done.output.replace("│", " ").split())
        assert words[-1] in told
        assert "it is empty" in told


@pytest.mark.parametrize(
    "words",
    [
        ["retry", "a.wav", "--failed"],
        ["resummarize", "a.wav", "--outdated"],
        ["forget", "a.wav", "--all"],
        ["forget", "a.wav", "--before", "2026-01-01"],
        ["forget", "a.wav", "--matching", "x"],
        ["forget", "a.wav", "--lift", "--all"],
        ["forget", "a.wav", "--lift", "--even-held"],
        ["speakers", "forget", "Anna", "--all"],
        ["list", "--csv", "--json"],
    ],
    ids=" ".join,
)
def test_files_and_an_option_that_chooses_files_do_not_go_together(tmp_path: Path, words: list[str]) -> None:
    made = Installation(tmp_path)
    made.configure()
    made.state.mkdir(mode=0o700)
    with Ledger(made.state / "ledger.db"):
        pass
    done = said(made, *words)
    assert done.returncode == 2, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["search", "x", "--limit", "0"], "it must be at least 1"),
        (["serve", "--port", "nope"], "a whole number is needed"),
        (["serve", "--port", "70000"], "it must be at most 65535"),
        (["privacy", "check", "--wait", "x"], "a number is needed"),
        (["status", ""], "There is an empty word too many"),
        (["status", "x", "y"], "There are words too many: x y"),
        (["transcribe"], "Missing argument 'FILE'"),
        (["export", "verify"], "Missing argument 'PATH'"),
        (["why"], "Missing argument 'FILE'"),
    ],
)
def test_what_the_parser_finds_wrong_is_said_in_our_words(words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, words)
    told = " ".join(done.output.replace("│", " ").split())
    assert (done.exit_code, sentence in told) == (2, True), told


def test_every_argument_that_is_missing_is_called_as_the_help_calls_it() -> None:
    for words, command in (pair for verb in outline().commands for pair in verb.walk()):
        if not command.arguments or not command.arguments[0].required:
            continue
        done = CliRunner().invoke(app, words.split())
        assert done.exit_code == 2
        assert f"Missing argument '{command.arguments[0].name}" in " ".join(
            done.output.replace("│", " ").split()
        )


@pytest.mark.parametrize(
    "words",
    [
        ["run", "a.wav"],
        ["run", "--once", "a.wav"],
        ["transcribe", "."],
        ["config", "set", "--folder", "a.wav", "language", "de"],
        ["retry", "Recordings"],
        ["hold", "Recordings"],
        ["forget", "Recordings", "--dry-run"],
        ["export", "recording", "Recordings"],
        ["receipts", "verify", "Recordings"],
        ["retention", "apply", "--plan", "Recordings"],
    ],
    ids=" ".join,
)
def test_a_file_where_a_folder_is_wanted_and_the_reverse_is_wrong_usage(
    tmp_path: Path, words: list[str]
) -> None:
    made = Installation(tmp_path)
    made.configure()
    made.folder.mkdir()
    (tmp_path / "a.wav").touch()
    made.state.mkdir(mode=0o700)
    with Ledger(made.state / "ledger.db"):
        pass
    done = said(made, *words)
    assert done.returncode == 2, done.stdout + done.stderr


@pytest.mark.shows("json:groups")
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.name))
def test_who_says_no_verb_of_several_is_told_which_there_are_in_one_json_object(group: Command) -> None:
    done = CliRunner().invoke(app, [group.name, "nonsense", "--json"])
    answer = json.loads(done.stdout)
    assert done.exit_code == answer["error"]["exit_code"] == 2
    for below in group.commands:
        assert below.name in answer["error"]["sentence"]
    if group.name in ("privacy", "export"):  # these do something without a verb
        return
    done = CliRunner().invoke(app, [group.name, "--json"])
    answer = json.loads(done.stdout)
    assert done.exit_code == answer["error"]["exit_code"] == 2
    assert "No such option: --json; say a verb first: " in answer["error"]["sentence"]
    for below in group.commands:
        assert below.name in answer["error"]["sentence"]


@pytest.mark.shows("json:usage", "search:options")
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["ask", "what", "--in", "a", "--in", "b"], "--in"),
        (["ask", "what", "--limit", "2", "--in", "a", "--limit=3"], "--limit"),
        (["search", "what", "--limit", "2", "else", "--limit", "3"], "--limit"),
        (["forget", "--before", "2026-01-01", "--before", "2026-01-02"], "--before"),
    ],
)
def test_an_option_of_which_one_value_counts_is_refused_where_it_is_said_twice(
    words: list[str], option: str
) -> None:
    done = CliRunner().invoke(app, [*words, "--json", "--json"])
    answer = json.loads(done.stdout)
    assert done.exit_code == answer["error"]["exit_code"] == 2
    sentence = answer["error"]["sentence"]
    assert "is said more than once" in sentence
    assert option in done.stderr
