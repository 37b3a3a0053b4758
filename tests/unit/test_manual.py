"""The outline of the verbs, from which a wheel's man page and completions are made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from earmark.cli.manual.bash import completion
from earmark.cli.manual.outline import as_text, from_text
from earmark.cli.manual.parser import outline

STORED = Path(__file__).parents[2] / "packaging" / "commands.json"


@pytest.mark.shows("decisions:outline")
def test_the_stored_outline_is_what_the_parser_takes() -> None:
    assert STORED.read_text("utf-8") == as_text(outline()), (
        "run: python -m earmark.cli.manual > /tmp/commands.json && mv /tmp/commands.json packaging/"
    )
    assert from_text(as_text(outline())) == outline()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["list", "--state", ""], {"done", "waiting", "failed", "low-confidence", "held"}),
        (["resummarize", "--template", ""], {"meeting", "memo", "interview", "lecture", "call", "journal"}),
        (["resummarize", "a.wav", "-t", "le"], {"lecture"}),
        (["models", "download", ""], {"base", "small", "speakers", "search", "campplus", "turbo"}),
        (["retention", "set", "a.wav", "--kind", ""], {"audio", "transcript", "all"}),
        (["config", "set", "summary.t"], {"summary.template", "summary.timeout_seconds"}),
        (["export", "recording", "a.wav", "-f", "d"], {"docx"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_completion_offers_what_may_stand_there(typed: list[str], offered: set[str]) -> None:
    script = (
        f'{completion(outline())}\ncompopt() {{ :; }}\nCOMP_WORDS=(earmark "$@"); COMP_CWORD=$#; _earmark; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "earmark", *typed], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) >= offered, done.stderr
    assert all(word.startswith(typed[-1]) for word in done.stdout.split())
