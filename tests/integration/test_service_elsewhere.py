"""What `status` and the doctor say where the daemon that runs is not the one whose folders they look at."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.paths import CARRIED, Home, home_of, platform_home, with_variables
from earmark.service.elsewhere import another_home, elsewhere, running, variables_of
from earmark.service.reach import Here
from earmark.service.systemctl import unit_state
from typer.testing import CliRunner

from tests.conftest import Installation

ME = pwd.getpwuid(os.geteuid())
NAMES = (*CARRIED, "HOME")


@pytest.mark.parametrize(
    "variables",
    [
        {"HOME": "/home/a"},
        {"HOME": "/home/a b", "XDG_STATE_HOME": "/s t", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "/d/"},
        {"HOME": "/home/a", "XDG_STATE_HOME": "relative"},
        {"HOME": "/home/a", "XDG_STATE_HOME": "/s", "EARMARK_HOME": "/e"},
    ],
)
def test_the_home_of_another_process_is_found_as_its_own_command_finds_it(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert home_of(variables) == platform_home()


@pytest.mark.parametrize(
    ("wanted", "own"),
    [
        ({"EARMARK_HOME": "/it's $mine"}, {}),
        ({}, {"EARMARK_HOME": "/x", "XDG_STATE_HOME": "/y"}),
        ({"XDG_STATE_HOME": "/a b", "HOME": "/root"}, {"EARMARK_HOME": "/x", "HOME": "/home/a"}),
        ({"HOME": "/h"}, {"HOME": "/h"}),
        ({"EARMARK_HOME": "/e", "EARMARK_MODELS": "/all of them"}, {}),
        ({"EARMARK_HOME": "/e"}, {"EARMARK_MODELS": "/m"}),
        ({"HOME": "/h", "EARMARK_MODELS": "/m"}, {"HOME": "/h", "EARMARK_MODELS": "/n"}),
    ],
)
def test_the_command_that_is_said_can_be_typed_where_it_is_said(
    wanted: Mapping[str, str], own: Mapping[str, str]
) -> None:
    typed = with_variables(wanted, own, "env")
    done = subprocess.run(
        ["sh", "-c", typed], env={"PATH": os.environ["PATH"], **own}, capture_output=True, text=True
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {name: found[name] for name in NAMES if name in found} == wanted


def test_where_one_variable_decides_the_others_are_not_said() -> None:
    own = {"HOME": "/home/a", "XDG_STATE_HOME": "/s"}
    assert with_variables({"EARMARK_HOME": "/e", "HOME": "/root"}, own, "x") == "EARMARK_HOME=/e x"


def systemd(**answers: Any) -> Any:
    """A systemd in which the user's unit has these properties, as `show` and busctl say them."""
    show = answers.pop("show", "LoadState=loaded\nActiveState=active\nMainPID=4711\n")

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        if command[1] == "--system":
            return subprocess.CompletedProcess(command, 0, "LoadState=not-found\nActiveState=inactive\n", "")
        if command[0] == "systemctl":
            return subprocess.CompletedProcess(command, 0, show, "")
        words = json.dumps({"data": answers[command[-1]]}) if command[-1] in answers else ""
        return subprocess.CompletedProcess(command, 0 if words else 1, words, "")

    return run


def here(tmp_path: Path, run: Any, **environ: str) -> Here:
    return Here("linux", tmp_path / "proc", tmp_path, run, tmp_path, {"HOME": ME.pw_dir, **environ})


def of_the_unit(tmp_path: Path, run: Any) -> dict[str, str]:
    state = unit_state("user", run)
    assert state is not None
    return variables_of("user", state, here(tmp_path, run))


SHOW = "LoadState=loaded\nActiveState=active\nMainPID=4711\n"


def test_where_a_service_keeps_its_things_is_read_from_all_that_gives_it_variables(tmp_path: Path) -> None:
    home = {"HOME": ME.pw_dir}
    assert of_the_unit(tmp_path, systemd()) == home
    manager = systemd(Environment=["XDG_STATE_HOME=/of/the manager", "HOME=/h", "PATH=/bin"])
    assert of_the_unit(tmp_path, manager) == {"HOME": "/h", "XDG_STATE_HOME": "/of/the manager"}
    unit = systemd(show=SHOW + r'Environment=A=b "EARMARK_HOME=/a b\$\"\\c"' + "\n")
    assert of_the_unit(tmp_path, unit) == home | {"EARMARK_HOME": '/a b$"\\c'}
    (tmp_path / "file").write_text('# EARMARK_HOME=/no\nEARMARK_HOME="/in a file"\nOTHER=x\n')
    file = systemd(
        show=SHOW + "Environment=EARMARK_HOME=/first\n",
        EnvironmentFiles=[[str(tmp_path / "none"), True], [str(tmp_path / "file"), False]],
    )
    assert of_the_unit(tmp_path, file) == home | {"EARMARK_HOME": "/in a file"}
    words = ["/usr/bin/env", "EARMARK_HOME=/by/env", "/opt/earmark", "run", "--service", "/EARMARK_HOME=no"]
    command = systemd(ExecStart=[["/usr/bin/env", words, False]])
    assert of_the_unit(tmp_path, command) == home | {"EARMARK_HOME": "/by/env"}


@pytest.mark.shows("service:elsewhere")
def test_a_service_with_another_home_is_told_with_what_shows_it(tmp_path: Path) -> None:
    run = systemd(show=SHOW + "Environment=EARMARK_HOME=/its/own\n")
    mine = home_of({"HOME": ME.pw_dir})
    (said,) = elsewhere(mine, here(tmp_path, run))
    assert "runs (pid 4711), and keeps its things in /its/own/state" in said
    assert said.endswith(": EARMARK_HOME=/its/own earmark status")
    assert elsewhere(home_of({"EARMARK_HOME": "/its/own"}), here(tmp_path, run)) == []
    (said,) = elsewhere(home_of({"EARMARK_HOME": "/x"}), here(tmp_path, systemd(), EARMARK_HOME="/x"))
    assert said.endswith(": env -u EARMARK_HOME earmark status")
    stopped = systemd(show="LoadState=loaded\nActiveState=inactive\nEnvironment=EARMARK_HOME=/its/own\n")
    assert (
        "does not run, and keeps its things in /its/own/state" in elsewhere(mine, here(tmp_path, stopped))[0]
    )
    state = unit_state("user", run)
    assert state is not None
    assert another_home("user", state, mine, here(tmp_path, run)) is not None


def process(proc: Path, pid: int, words: list[str], uid: int = 0, **more: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
    (folder / "status").write_text(
        f"Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nNSpid:\t{more.get('ns', pid)}\n"
    )
    if "environ" in more:
        (folder / "environ").write_text(more["environ"])


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        (["/v/bin/python", "/v/bin/earmark", "run", "--service", "/srv/a b"], True),
        (["python3.11", "-I", "-m", "earmark", "run", "/srv/a b"], True),
        (["/v/bin/earmark", "run", "/srv/a b"], True),
        (["/v/bin/python", "/v/bin/earmark", "--system", "run", "/srv/a b"], True),
        (["sudo", "earmark", "run", "/srv/a b"], False),
        (["sh", "-c", "earmark run"], False),
        (["vim", "earmark", "run"], False),
        (["/v/bin/python", "-m", "earmark.transcription.worker"], False),
        (["/v/bin/python", "/v/bin/earmark", "status"], False),
        (["/v/bin/python", "/v/bin/earmark", "run", "--help"], False),
        (["python"], False),
        ([], False),
    ],
)
def test_a_daemon_is_told_from_whatever_else_runs(words: list[str], is_one: bool, tmp_path: Path) -> None:
    process(tmp_path / "proc", 12, words)
    found = list(running(here(tmp_path, systemd())))
    assert [(one.pid, one.folders) for one in found] == ([(12, ("/srv/a b",))] if is_one else [])


def test_a_daemon_in_a_container_is_the_container_s(tmp_path: Path) -> None:
    process(tmp_path / "proc", 12, ["earmark", "run", "/a"], ns="12\t1")
    assert list(running(here(tmp_path, systemd()))) == []


@pytest.mark.shows("service:elsewhere")
def test_a_daemon_of_another_user_is_told_with_what_shows_it(tmp_path: Path) -> None:
    none = systemd(show="LoadState=not-found\nActiveState=inactive\n")
    process(
        tmp_path / "proc", 12, ["earmark", "run", "/a"], pwd.getpwnam("daemon").pw_uid,
        environ="HOME=/d\0EARMARK_HOME=/e\0",
    )  # fmt: skip
    (said,) = elsewhere(Home(tmp_path, tmp_path, tmp_path), here(tmp_path, none))
    assert said.startswith("daemon runs earmark (pid 12, watching /a): ")
    if os.geteuid() == 0:
        assert said.endswith("su - daemon -c 'EARMARK_HOME=/e earmark status'")
        (said,) = elsewhere(Home(tmp_path, tmp_path, tmp_path), here(tmp_path, none, SUDO_USER="daemon"))
        assert said.endswith("EARMARK_HOME=/e earmark status, without sudo")
    else:
        assert said.endswith("earmark status, as daemon")


@pytest.mark.shows("service:elsewhere")
@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["/v/bin/python", "/v b/bin/earmark", "run"], "'/v b/bin/earmark'"),
        (["/v/bin/python3.11", "-I", "-m", "earmark", "run"], "/v/bin/python3.11 -m earmark"),
        (["bin/python", "bin/earmark", "--system", "run"], "'/where/it was/bin/earmark'"),
        (["/usr/bin/python3", "/usr/local/bin/earmark", "run"], "earmark"),
        (["earmark", "run"], "earmark"),
    ],
)
def test_the_command_names_the_daemon_s_own_program_and_models(
    words: list[str], typed: str, tmp_path: Path
) -> None:
    none = systemd(show="LoadState=not-found\nActiveState=inactive\n")
    process(tmp_path / "proc", 12, words, ME.pw_uid, environ="HOME=/d\0EARMARK_HOME=/e\0EARMARK_MODELS=/m\0")
    (tmp_path / "proc/12/cwd").symlink_to("/where/it was")
    (said,) = elsewhere(Home(tmp_path, tmp_path, tmp_path), here(tmp_path, none))
    assert said.endswith(f": EARMARK_HOME=/e EARMARK_MODELS=/m {typed} status")


def test_of_many_daemons_some_are_named_and_the_others_counted(tmp_path: Path) -> None:
    none = systemd(show="LoadState=not-found\nActiveState=inactive\n")
    for pid in range(10, 16):
        process(tmp_path / "proc", pid, ["earmark", "run", "/a"], os.geteuid())
    said = elsewhere(Home(tmp_path, tmp_path, tmp_path), here(tmp_path, none))
    assert [words.split(" (")[0] for words in said] == [
        "Another earmark of yours runs", "Another earmark of yours runs", "Another earmark of yours runs",
        "And 3 more daemons run on this machine",
    ]  # fmt: skip


@pytest.mark.shows("service:elsewhere")
def test_status_from_another_home_says_that_a_daemon_runs_and_where(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earmark.service.elsewhere.SHOWN", 1_000)  # those of other tests run, too
    process = installation.daemon()
    here = installation.environment | {"EARMARK_HOME": str(tmp_path / "other")}
    words = CliRunner().invoke(app, ["status"], env=here).stderr
    assert f"(pid {process.pid}, " in words
    assert "earmark has not run here yet" in words
    asked = installation.environment | {"XDG_CONFIG_HOME": str(tmp_path / "cfg"), "EARMARK_HOME": ""}
    state = {"XDG_STATE_HOME": str(tmp_path / "linked")}
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/earmark").symlink_to(installation.state)
    for verb in ("status", "doctor"):
        said = CliRunner().invoke(app, [verb], env=asked | state).stdout
        reads = f"he running daemon reads {installation.root}/home/config/config.toml, and this command {tmp_path}/cfg"
        assert reads in said
    assert installation.stop(process) == 0
