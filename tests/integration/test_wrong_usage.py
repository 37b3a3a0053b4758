"""Wrong usage ends with one code, whoever notices it: the parser, or a verb that knows what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.cli.voice import CODES
from earmark.errors import UsageError
from typer.testing import CliRunner

from tests.conftest import Installation
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


@pytest.mark.parametrize(
    "group", ["trash", "models", "config", "receipts", "speakers", "vocabulary", "service"]
)
def test_an_option_without_its_verb_is_said_to_be_one_of_which(group: str) -> None:
    done = CliRunner().invoke(app, [group, "--json"])
    assert done.exit_code == 2
    sentence = json.loads(done.stdout)["error"]["sentence"]
    assert re.match(
        rf"--json is for a verb, which is not said; say it as in: earmark {group} [a-z]+ --json", sentence
    )
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "No such option: --nonsense" in CliRunner().invoke(app, [group, "--nonsense"]).stderr


def test_a_service_that_is_told_no_folder_has_a_wrong_configuration(tmp_path: Path) -> None:
    assert Installation(tmp_path).earmark("run", "--service").returncode == 78


def test_the_table_of_exit_codes_is_on_the_page() -> None:
    page = (DOCS / "json.md").read_text()
    assert all(f"| {code} | {meaning} |" in page for code, meaning in CODES.items())
