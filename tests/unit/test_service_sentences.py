"""What the daemon says of itself in a line, and what a person reads of its log."""

from __future__ import annotations

import io
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import scope
from earmark.cli.console import Voice
from earmark.cli.main import app
from earmark.cli.scope import act_for_the_system
from earmark.cli.service_log import for_a_person
from earmark.errors import EnvironmentFault, NotFound, UsageError
from earmark.paths import VARIABLES
from earmark.report import Report, Working, in_a_line, other_version
from rich.console import Group
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

IDLE = Report(pid=1, version="1.0", started_at=0.0, folders=("/srv/a", "/srv/b"), config_file="/x")


def working(stage: str, at: float, total: float | None) -> Working:
    return Working(stage=stage, file="/srv/a/Divorce.m4a", at=at, total=total)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "Watching 2 folders"),
        ({"folders": ("/srv/a",)}, "Watching 1 folder"),
        ({"working": (working("transcribe", 30, 120),), "waiting": 3}, "Transcribing (25 %), 3 waiting"),
        ({"working": (working("summarize", 0, None),)}, "Summarizing"),
        ({"settling": ("/srv/a/x.m4a",)}, "1 arriving"),
        ({"wrong": ("/srv/a is not there.",)}, "Watching 2 folders; wrong: /srv/a is not there"),
        ({"wrong": tuple("abcd")}, "Watching 2 folders; wrong: a; b; c; and 1 more"),
        ({"paused": "The disk is full."}, "Paused; wrong: The disk is full"),
        (
            {"config_error": "..."},
            "Watching 2 folders; wrong: the configuration is broken and the old one kept",
        ),
    ],
)
@pytest.mark.shows("service:line")
def test_a_line_says_what_is_done_and_what_is_wrong(changes: dict[str, Any], line: str) -> None:
    assert in_a_line(IDLE.model_copy(update=changes)) == line


@pytest.mark.shows("service:line")
def test_no_recording_is_named_in_the_line_that_everybody_on_the_machine_may_read() -> None:
    busy = IDLE.model_copy(
        update={
            "working": (working("transcribe", 1, 2),),
            "settling": ("/srv/a/Divorce.m4a",),
            "being_written": ("/srv/a/Divorce.m4a",),
        }
    )
    assert "Divorce" not in in_a_line(busy)


def test_a_daemon_of_another_version_is_told_from_this_command() -> None:
    assert other_version(IDLE, "", "1.0") is None
    told = other_version(IDLE, "earmark service restart", "1.1") or ""
    assert "the running daemon is earmark 1.0, and this command is 1.1" in told
    assert "earmark service restart" in told


def journal(message: Any) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": "1772443800000000", "MESSAGE": message})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (journal('{"event": "accepted", "file": "/srv/a/talk.m4a", "level": "info"}'), "talk.m4a"),
        (journal("Started earmark.service - earmark."), "Started earmark.service"),
        (journal(list(b"caf\xc3\xa9 \xff")), "café"),
        (journal('{"event": "written"}'), "written"),
        (journal('{"event": "of-a-later-version", "sentence": "So it is."}'), "So it is."),
        ('{"event": "accepted", "file": "/a/talk.m4a", "timestamp": "2026-03-02T09:30:00Z"}', "talk.m4a"),
        ("Traceback (most recent call last):\n", "Traceback (most recent call last):"),
        (journal("[bold]no markup[/]"), "\\[bold]no markup"),
        ("17\n", "17"),
    ],
)
def test_every_line_of_the_log_can_be_read_by_a_person(line: str, words: str) -> None:
    assert words in (for_a_person(line) or "")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"event": "summarized", "name": "/r/a.m4a", "coverage": 1.0}, "a.m4a  summarized"),
        (
            {"event": "not-transcribed", "file": "/r/a.m4a", "fault": "media"},
            "a.m4a: the reason is in: earmark why",
        ),
        (
            {"event": "not-summarized", "name": "/r/a.m4a", "fault": "endpoint"},
            "a.m4a  the reason is in: earmark why",
        ),
    ],
)
def test_what_a_worker_says_is_not_in_the_log_and_its_line_can_be_read_all_the_same(
    event: dict[str, Any], words: str
) -> None:
    shown = for_a_person(journal(json.dumps(event)))
    assert shown is not None
    assert words in shown


def test_what_a_person_need_not_see_is_left_out_of_the_log() -> None:
    assert for_a_person(journal('{"event": "sandbox", "enforced": "nothing"}')) is None


# --- sudo earmark --system ---


def system_unit(user: str, load: str = "loaded") -> Any:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        words = f"LoadState={load}\nActiveState=active\nUser={user}\nEnvironment=XDG_STATE_HOME=/var/lib\n"
        return subprocess.CompletedProcess(command, 0, stdout=words, stderr="")

    return run


def test_the_verbs_for_the_system_s_service_take_its_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "/mine")
    act_for_the_system("status", system_unit(pwd.getpwuid(os.geteuid()).pw_name))
    assert [os.environ.get(name) for name in VARIABLES] == [None, None, "/var/lib", None]


def test_without_a_system_s_service_there_is_nothing_to_act_for() -> None:
    with pytest.raises(NotFound, match="no system service of earmark"):
        act_for_the_system("status", system_unit("", "not-found"))
    with pytest.raises(NotFound, match="there is no such user"):
        act_for_the_system("status", system_unit("nobody-of-this-name"))
    with pytest.raises(EnvironmentFault, match="sudo systemctl unmask earmark"):
        act_for_the_system("status", system_unit("", "masked"))


def test_help_is_for_everybody() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "earmark", "--system", "status", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Show what is being done" in done.stdout


def test_who_is_not_the_administrator_is_told_what_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UsageError, match="sudo earmark --system doctor"):
        act_for_the_system("doctor", system_unit("root"))
    act_for_the_system("service", system_unit("root"))  # only asks systemd


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to keep")
def test_root_keeps_its_rights_only_for_what_looks_into_the_services_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the check of the system's service, asked by root, would be told to ask as root."""
    monkeypatch.setenv("HOME", "/root")
    user = pwd.getpwuid(65534)
    taken: list[int] = []
    monkeypatch.setattr(os, "setuid", taken.append)
    for name in ("initgroups", "setgid"):
        monkeypatch.setattr(os, name, lambda *_: None)
    monkeypatch.setattr(scope, "harden_process", lambda: None)  # it would take from all tests that follow
    act_for_the_system("privacy", system_unit(user.pw_name), looks_on=True)
    assert (taken, os.environ["HOME"]) == ([], user.pw_dir)
    act_for_the_system("privacy", system_unit(user.pw_name))
    assert taken == [user.pw_uid]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Failed (earmark retry FILE tries again)", "Failed (sudo earmark --system retry FILE tries again)"),
        ("see: earmark why /srv/earmark list.m4a", "see: sudo earmark --system why /srv/earmark list.m4a"),
        ("say: sudo earmark --system status", "say: sudo earmark --system status"),
        ("earmark service logs", "earmark service logs"),
        ("start it with: earmark run FOLDER", "start it with: sudo earmark service restart --system"),
        ("what earmark wrote", "what earmark wrote"),
    ],
)
def test_what_a_hint_of_the_system_s_service_says_can_be_typed(said: str, shown: str) -> None:
    voice = Voice(file=io.StringIO(), soft_wrap=True, highlight=False)
    voice.print(Group(Text(said)))
    voice.prefix = "sudo earmark --system "
    voice.print(Group(Text(said)))
    voice.print(f"[bold]{said}[/]")
    assert voice.file.getvalue().splitlines() == [said, shown, shown]  # type: ignore[attr-defined]
    table = Table("what")
    table.add_row(said)
    voice.print(table)
    assert f"│ {shown} │" in voice.file.getvalue()  # type: ignore[attr-defined]


def test_root_by_way_of_sudo_is_asked_whose_service_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "alice")
    for verb in ("status", "restart", "logs", "uninstall"):
        answer = CliRunner().invoke(app, ["service", verb])
        assert answer.exit_code == 2
        assert "alice's" in answer.output


@pytest.mark.parametrize(
    "verb",
    [
        ["why"], ["retry"], ["hold"], ["forget"], ["resummarize"], ["retention", "plan"],
        ["receipts", "verify"],
        ["service", "install"], ["models", "add", "--name", "x"],
    ],
)  # fmt: skip
def test_a_file_that_may_not_be_read_is_the_verb_s_business_and_no_wrong_usage(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "talk.m4a"
    file.write_bytes(b"x")
    monkeypatch.setenv("EARMARK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may read everything
    answer = CliRunner().invoke(app, [*verb, str(file)])
    assert "is not readable" not in answer.output
    assert answer.exit_code != 2, answer.output
