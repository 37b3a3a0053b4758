"""Installing and removing the service. systemctl and loginctl are stand-ins that write down how they were
called: a test must not start services in the session of whoever runs it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from earmark.errors import EarmarkError, EnvironmentFault, LedgerBusy, NotFound, UsageError
from earmark.ledger import DaemonLock
from earmark.paths import Home
from earmark.service.install import (
    install,
    kind_for,
    no_more_watched,
    require_alone,
    require_folders,
    uninstall,
    unit_path,
)
from earmark.service.story import told
from earmark.service.systemctl import bus_environment, command, lingers, unit_folders, unit_state
from earmark.service.unit_files import MARK


class Manager:
    def __init__(self, **answers: tuple[int, str]) -> None:
        self.calls: list[str] = []
        self.answers = answers

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(" ".join(command))
        code, words = next((self.answers[word] for word in command if word in self.answers), (0, ""))
        return subprocess.CompletedProcess(command, code, stdout=words, stderr=words)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


PROGRAM = Path("/opt/earmark/bin/earmark")


def test_installing_writes_the_unit_and_starts_it(home: dict[str, str], tmp_path: Path) -> None:
    manager = Manager()
    done = install("systemd", PROGRAM, [Path("/srv/rec")], run=manager, environ=home)
    unit = tmp_path / ".config/systemd/user/earmark.service"
    assert done[0] == f"Wrote {unit}."
    assert 'ExecStart="/opt/earmark/bin/earmark" run --service "/srv/rec"\n' in unit.read_text()
    assert MARK in unit.read_text()
    assert manager.calls[:4] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable earmark.service",
        "systemctl --user daemon-reload",
        "systemctl --user restart earmark.service",
    ]


def test_installing_again_replaces_what_the_last_time_wrote(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    manager = Manager()
    install("systemd", Path("/elsewhere/earmark"), run=manager, environ=home)
    assert "/elsewhere/earmark" in unit_path("systemd", home).read_text()
    assert "systemctl --user restart earmark.service" in manager.calls
    assert [path.name for path in unit_path("systemd", home).parent.iterdir()] == ["earmark.service"]


@pytest.mark.shows("service:changed")
def test_a_unit_that_somebody_wrote_into_is_kept_beside_what_takes_its_place(home: dict[str, str]) -> None:
    unit = unit_path("systemd", home)

    def again(*folders: str) -> list[str]:
        done = install("systemd", PROGRAM, [*map(Path, folders)], run=Manager(), environ=home)
        return [line for line in done if "was changed" in line]

    def kept() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in unit.parent.iterdir() if path != unit}

    assert again("/srv/rec") == again("/srv/rec") == again("/srv/other") == []
    mine = unit.read_bytes() + b"\n[Service]\nNice=5 # \xe9\n"
    unit.write_bytes(mine)
    with pytest.raises(EarmarkError):
        install("systemd", PROGRAM, run=Manager(enable=(1, "No.")), environ=home)
    assert (unit.read_text("utf-8", "replace").count("Nice=5"), kept()) == (1, {})
    unit.write_bytes(mine)
    assert again("/srv/rec") == [
        f"{unit} was changed since it was written, or is an earlier version's: what it said is in {unit}.changed."
    ]
    assert "Nice=5" not in unit.read_text()
    assert kept() == {"earmark.service.changed": mine}
    assert again("/srv/other") == []
    former = unit.read_text().replace("as written", "of an earlier version")
    unit.write_text(former)
    assert f"what it said is in {unit}.changed-2." in " ".join(
        uninstall("systemd", run=Manager(), environ=home)
    )
    assert kept() == {"earmark.service.changed": mine, "earmark.service.changed-2": former.encode()}


@pytest.mark.shows("service:again")
def test_folders_that_a_new_unit_does_not_name_are_said_with_what_watches_all(tmp_path: Path) -> None:
    assert no_more_watched([], [tmp_path]) is None
    assert no_more_watched([tmp_path], [tmp_path, Path("/b")]) is None
    assert no_more_watched([Path("/a b"), Path("/c")], [Path("/c"), Path("/d")]) == (
        "Not watched any more: /a b; to watch all of them: earmark service install '/a b' /c /d"
    )


def test_the_service_finds_the_ledger_that_the_shell_uses(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ={**home, "EARMARK_HOME": "/data/ear mark"})
    assert 'Environment="EARMARK_HOME=/data/ear mark"' in unit_path("systemd", home).read_text()
    install("systemd", PROGRAM, run=Manager(), environ={**home, "EARMARK_HOME": "here"})
    assert f'Environment="EARMARK_HOME={Path.cwd()}/here"' in unit_path("systemd", home).read_text()
    install("systemd", PROGRAM, run=Manager(), environ={**home, "EARMARK_MODELS": "/m"})
    assert 'Environment="EARMARK_MODELS=/m"' in unit_path("systemd", home).read_text()


def test_somebody_s_own_unit_is_neither_replaced_nor_removed(home: dict[str, str]) -> None:
    unit = unit_path("systemd", home)
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/mine\n")
    manager = Manager()
    with pytest.raises(EarmarkError, match="was not written by earmark"):
        install("systemd", PROGRAM, run=manager, environ=home)
    with pytest.raises(EarmarkError, match="was not written by earmark"):
        uninstall("systemd", run=manager, environ=home)
    assert unit.read_text() == "[Service]\nExecStart=/mine\n"
    assert manager.calls == []


def test_a_service_that_would_stop_at_logout_is_said_to(home: dict[str, str]) -> None:
    no = install("systemd", PROGRAM, run=Manager(loginctl=(0, "no\n")), environ=home)
    yes = install("systemd", PROGRAM, run=Manager(loginctl=(0, "yes\n")), environ=home)
    assert any("loginctl enable-linger" in sentence for sentence in no)
    assert not any("linger" in sentence for sentence in yes)


def test_a_machine_without_a_user_session_is_told_what_systemctl_said(home: dict[str, str]) -> None:
    refusal = Manager(systemctl=(1, "Failed to connect to bus: No medium found\n"))
    with pytest.raises(EnvironmentFault, match="Failed to connect to bus: No medium found"):
        install("systemd", PROGRAM, run=refusal, environ=home)


def test_a_machine_without_systemctl_is_told_so(home: dict[str, str]) -> None:
    def absent(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    with pytest.raises(EnvironmentFault, match="systemctl is not on this machine"):
        install("systemd", PROGRAM, run=absent, environ=home)
    assert lingers(absent) is None


def test_removing_the_service_stops_it_first(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    manager = Manager()
    uninstall("systemd", run=manager, environ=home)
    assert not unit_path("systemd", home).exists()
    assert manager.calls == [
        "systemctl --user disable --now earmark.service",
        "systemctl --user daemon-reload",
        "systemctl --user reset-failed earmark.service",
    ]
    assert "nothing to do" in uninstall("systemd", run=manager, environ=home)[0]


def test_macos_gets_launchd_and_everything_else_systemd() -> None:
    assert (kind_for("darwin"), kind_for("linux")) == ("launchd", "systemd")


# --- nothing is written that could not work, and nothing of what failed stays ---


def test_without_a_folder_or_with_one_that_is_not_there_nothing_is_installed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="no folder to watch"):
        require_folders([], [])
    with pytest.raises(NotFound, match="does not exist"):
        require_folders([tmp_path / "mistyped"], [])
    with pytest.raises(UsageError, match="is not a folder"):
        require_folders([tmp_path / "file"], [])
    require_folders([tmp_path], [])
    require_folders([], [tmp_path / "a disk that is away"])


@pytest.mark.parametrize("step", ["daemon-reload", "enable", "restart"])
@pytest.mark.shows("service:nothing-installed")
def test_an_install_that_fails_leaves_nothing_behind(home: dict[str, str], tmp_path: Path, step: str) -> None:
    manager = Manager(**{step: (1, "no such luck.\n")})
    with pytest.raises(EnvironmentFault, match=r"no such luck\. The unit is for"):
        install("systemd", PROGRAM, run=manager, environ=home)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shows("service:nothing-installed")
def test_a_second_install_that_fails_leaves_the_first_one(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    before = unit_path("systemd", home).read_text()
    manager = Manager(restart=(1, "no\n"))
    with pytest.raises(EnvironmentFault):
        install("systemd", Path("/elsewhere/earmark"), run=manager, environ=home)
    assert unit_path("systemd", home).read_text() == before
    assert "systemctl --user disable --now earmark.service" not in manager.calls


def test_why_a_service_does_not_start_is_said_in_a_sentence(home: dict[str, str]) -> None:
    state = "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=78\n"
    manager = Manager(restart=(1, "Job for earmark.service failed."), show=(0, state))
    with pytest.raises(EnvironmentFault, match="did not start, because its configuration is wrong"):
        install("systemd", PROGRAM, run=manager, environ=home)


def test_a_service_is_not_installed_beside_a_daemon_that_runs(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path, tmp_path)
    require_alone(home, "systemd", Manager())
    with DaemonLock(home.lock_file):
        with pytest.raises(LedgerBusy, match=f"pid {os.getpid()}.*stop that one first"):
            require_alone(home, "systemd", Manager())
        service = "LoadState=loaded\nActiveState=active\nMainPID=4711\n"
        require_alone(home, "systemd", Manager(show=(0, service)))


def test_changes_of_the_user_s_own_stay_and_are_named(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    own = unit_path("systemd", home).with_name("earmark.service.d")
    own.mkdir()
    assert any(str(own) in sentence for sentence in uninstall("systemd", run=Manager(), environ=home))
    assert own.is_dir()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_under_the_unit_s_name_is_told_and_waited_on_by_nobody(
    home: dict[str, str], make: Callable[[Path], None]
) -> None:
    unit = unit_path("systemd", home)
    unit.parent.mkdir(parents=True)
    make(unit)
    with pytest.raises(OSError, match="is not an ordinary file"):
        install("systemd", PROGRAM, run=Manager(), environ=home)
    with pytest.raises(OSError, match="is not an ordinary file"):
        uninstall("systemd", run=Manager(), environ=home)


@pytest.mark.parametrize(
    ("target", "words"),
    [("/dev/null", "systemctl --user unmask earmark"), ("/nowhere", "was not written by")],
)
def test_a_masked_unit_and_a_link_of_somebody_s_own_are_left_alone(
    home: dict[str, str], target: str, words: str
) -> None:
    unit = unit_path("systemd", home)
    unit.parent.mkdir(parents=True)
    unit.symlink_to(target)
    with pytest.raises(EarmarkError, match=words):
        install("systemd", PROGRAM, run=Manager(), environ=home)
    with pytest.raises(EarmarkError, match=words):
        uninstall("systemd", run=Manager(), environ=home)
    assert str(unit.readlink()) == target


@pytest.mark.shows("service:nothing-installed")
def test_a_disk_that_is_full_keeps_no_half_written_unit(home: dict[str, str], tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(EnvironmentFault, match="cannot be written: File too large"):
            install("systemd", PROGRAM, run=Manager(), environ=home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_the_unit_goes_where_the_user_s_manager_looks_whatever_the_shell_s_profile_says(
    home: dict[str, str], tmp_path: Path
) -> None:
    elsewhere = {**home, "XDG_CONFIG_HOME": str(tmp_path / "cfg")}
    usual, other = (tmp_path / name / "systemd/user" for name in (".config", "cfg"))
    looks_there = Manager(**{"--property=UnitPath": (0, f"/run/x {usual} /etc/systemd/user\n")})
    assert unit_path("systemd", elsewhere, looks_there) == usual / "earmark.service"
    looks_here = Manager(**{"--property=UnitPath": (0, f"{other} {usual}\n")})
    assert unit_path("systemd", elsewhere, looks_here) == other / "earmark.service"
    assert unit_path("systemd", elsewhere, Manager()) == other / "earmark.service"


RUNS_ON = "LoadState=not-found\nActiveState=active\nMainPID=4711\n"


def test_a_service_whose_unit_was_removed_by_hand_is_told_and_can_be_removed(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    unit = unit_path("systemd", home)
    link = unit.parent / "default.target.wants" / unit.name
    link.parent.mkdir()
    link.symlink_to(unit)
    unit.unlink()
    manager = Manager(show=(0, RUNS_ON))
    state = unit_state("user", manager)
    assert state is not None
    assert told(state, "user")[0] is False
    assert "runs on (pid 4711), and its unit file is gone" in told(state, "user")[1]
    assert "stopped the service" in uninstall("systemd", run=manager, environ=home)[0]
    assert "systemctl --user stop earmark.service" in manager.calls
    assert not link.parent.exists()
    assert "nothing to do" in uninstall("systemd", run=Manager(), environ=home)[0]
    packaged = Manager(show=(0, "LoadState=loaded\nActiveState=active\nMainPID=1\nFragmentPath=/etc\n"))
    with pytest.raises(EarmarkError, match="/etc was not written by earmark"):
        uninstall("systemd", run=packaged, environ=home)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Failed to restart earmark.service: Unit earmark.service is masked.", False),
        ("Failed to connect to bus: No medium found", True),
    ],
)
def test_advice_is_given_where_it_helps(words: str, advice: bool) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        command("user", "restart", "earmark.service", run=Manager(restart=(1, words)))
    assert ("earmark run" in str(caught.value)) is advice
    assert "failed: Failed" not in str(caught.value)


def test_what_to_type_for_a_folder_that_is_not_there_can_be_typed(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        require_folders([tmp_path / "it's $mine"], [])
    typed = str(caught.value).split("make it first: ")[1]
    assert subprocess.run(typed, shell=True).returncode == 0
    require_folders([tmp_path / "it's $mine"], [])
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotFound, match="is a link that leads to nothing"):
        require_folders([tmp_path / "link"], [])


# --- what the service manager is asked ---


def test_the_folders_of_the_service_are_those_of_the_unit_as_it_is_loaded() -> None:
    arguments = ["/opt/earmark", "run", "--service", "/srv/a b", "/srv/$$x"]
    answer = {"type": "a(sasbttttuii)", "data": [["/opt/earmark", arguments, False, 0, 0, 0, 0, 0, 0, 0]]}
    assert unit_folders("user", Manager(busctl=(0, json.dumps(answer)))) == (
        Path("/srv/a b"),
        Path("/srv/$x"),
    )
    assert unit_folders("user", Manager(busctl=(0, "{}"))) == ()
    assert unit_folders("user", Manager(busctl=(1, ""))) == ()


def test_a_unit_s_variables_are_read_as_systemd_quotes_them() -> None:
    show = 'LoadState=loaded\nActiveState=active\nEnvironment=XDG_CONFIG_HOME=/etc "EARMARK_HOME=/a b"\n'
    state = unit_state("system", Manager(show=(0, show)))
    assert state is not None
    assert state.environment == {"XDG_CONFIG_HOME": "/etc", "EARMARK_HOME": "/a b"}
    assert unit_state("system", Manager(show=(1, ""))) is None


def test_a_unit_with_a_folder_whose_name_is_no_text_is_asked_about_one_by_one() -> None:
    unit = ['"loaded"', '"active"', '"running"', '"enabled"', "false", '"/etc"']
    service = ['"success"', "0", "4711", "0", '"Watching"', '""', '["A=/a b"]']
    manager = Manager(
        show=(1, "Failed to get properties: Invalid argument"),
        **{
            f"org.freedesktop.systemd1.{name}": (
                0,
                "\n".join(f'{{"type":"x","data":{one}}}' for one in found),
            )
            for name, found in (("Unit", unit), ("Service", service))
        },
    )
    state = unit_state("user", manager)
    assert state is not None
    assert told(state, "user") == (True, "The service runs (pid 4711).")
    assert (state.enabled, state.outdated, state.environment) == (True, False, {"A": "/a b"})


def test_the_user_s_manager_is_found_where_su_left_out_the_way_to_it(tmp_path: Path) -> None:
    assert bus_environment({"HOME": "/x"}, tmp_path) == {"HOME": "/x"}
    (tmp_path / str(os.getuid()) / "systemd").mkdir(parents=True)
    assert bus_environment({}, tmp_path) == {"XDG_RUNTIME_DIR": str(tmp_path / str(os.getuid()))}
    assert bus_environment({"XDG_RUNTIME_DIR": "/mine"}, tmp_path) == {"XDG_RUNTIME_DIR": "/mine"}
