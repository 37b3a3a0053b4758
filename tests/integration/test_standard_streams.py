"""Verbs whose stdin, stdout or stderr is closed, full or gone: documented exit codes, and nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.ledger import Ledger
from typer.testing import CliRunner

from tests.conftest import Installation

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this machine")


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    """A home with an empty ledger, in which trust can be said."""
    made = Installation(tmp_path)
    made.configure()
    made.state.mkdir(mode=0o700)
    with Ledger(made.state / "ledger.db"):
        pass
    return made


def said(home: Installation, redirected: str, *words: str, **variables: str) -> tuple[int, str]:
    """The exit code, and all that is still printed."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-m", "earmark", *words],
        env=home.environment | variables, cwd=home.root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_question_that_nobody_can_read_or_answer_is_answered_by_no(home: Installation, closed: str) -> None:
    code, words = said(home, closed, "retention", "trust")
    assert code == 1, words
    assert "Rules may delete" not in words


def test_an_answer_counts_whichever_output_is_closed(home: Installation) -> None:
    for closed in (">&-", "2>&-"):
        code, words = said(home, f"{closed} <<END\ny\nEND\n", "retention", "trust")
        assert (code, "went wrong" in words) == (0, False)


@FULL
@pytest.mark.parametrize(
    ("full", "verb", "code"),
    [
        (">/dev/full", "list", 74),
        (">/dev/full", "list --csv", 74),
        (">/dev/full", "list --json", 74),
        (">/dev/full 2>/dev/full", "list", 74),
        ("2>/dev/full", "why nothing", 66),
        (">&- 2>/dev/full", "bogus", 74),
        (">/dev/full", "--help", 74),
    ],
)
def test_an_output_that_is_full_ends_a_verb_with_a_code_that_is_documented(
    home: Installation, full: str, verb: str, code: int
) -> None:
    ended, words = said(home, full, *verb.split())
    assert ended == code, words
    assert "Traceback" not in words


@FULL
@pytest.mark.shows("decisions:log")
def test_a_log_on_a_full_disk_is_no_reason_to_hear_nothing(home: Installation) -> None:
    home.folder.mkdir()
    home.drop()
    assert said(home, "2>/dev/full", "run", "--once", str(home.folder)) == (0, "")
    assert home.notes() != []


@pytest.mark.parametrize(
    "odd",
    [
        {"COLUMNS": "abc", "LINES": "0", "TERM": "dumb", "LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"COLUMNS": "1"},
    ],
)
def test_odd_terminals_and_locales_are_no_reason_to_fail(home: Installation, odd: dict[str, str]) -> None:
    assert said(home, "", "status", **odd)[0] == 0
    assert said(home, "", "forget", "--help", **odd)[0] == 0


def test_a_umask_that_takes_the_owner_s_rights_leaves_no_folder_that_nobody_can_use(tmp_path: Path) -> None:
    made = Installation(tmp_path)
    made.folder.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'umask 777; exec "$@"', "sh", sys.executable, "-m", "earmark", "run", "--once", made.folder],
        env=made.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [path.stat().st_mode & 0o777 for path in (made.root / "home", made.state)] == [0o700, 0o700]


def test_in_a_folder_that_was_removed_whole_paths_work_and_others_are_told_why_not(
    home: Installation,
) -> None:
    gone = home.root / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'cd {gone}; rmdir ../gone; exec "$@"', "sh", sys.executable, "-m", "earmark", "why", "x"],
        env=home.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "the current folder was removed" in done.stderr
    assert done.returncode == 74
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    other = CliRunner().invoke(app, ["why", str(home.root / "x")], env=home.environment)
    assert "has never seen" in other.stderr
    assert other.exit_code == 66


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "import os, sys\nfrom earmark.cli.standard_streams import open_standard_streams\nopen_standard_streams()\n"
        f"opened = os.open({str(told)!r}, os.O_WRONLY | os.O_CREAT)\n"
        "print('lost'); print('lost', file=sys.stderr); assert sys.stdin.read() == ''\n"
        "null = os.stat(os.devnull).st_rdev\n"
        "os.write(opened, repr((opened > 2, [os.fstat(n).st_rdev == null for n in range(3)])).encode())\n"
    )
    subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code], timeout=60)
    assert told.read_text() == "(True, [True, True, True])"
    assert os.path.exists(os.devnull)  # noqa: PTH110
