"""The doctor on real folders; only the answers of loginctl and of /proc are made up."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.privacy import daemon_that_runs
from earmark.config import Config, load_config
from earmark.diarization.models import find_speaker_model
from earmark.errors import ModelError
from earmark.paths import Home, platform_home
from earmark.service.checks import (
    Finding,
    check_folder,
    check_room,
    check_sandbox,
    check_state,
    check_summary,
    sentence,
)
from earmark.service.doctor import Patient, check_groups, check_systemd, diagnose
from earmark.service.reach import Here
from earmark.service.story import UnitState
from earmark.service.watches import check_watches

from tests import onnx_files
from tests.conftest import Installation, wait_for

as_somebody = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


RUNS = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "Result": "success",
    "MainPID": "4711",
}


def systemd(unit: dict[str, str] = RUNS, *, linger: str = "yes", manager: int = 0) -> Any:
    """What systemctl and loginctl say of this unit."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        words = "\n".join(f"{name}={value}" for name, value in unit.items())
        if command[0] == "loginctl":
            words = linger
        elif any(word.startswith("user@") for word in command):
            words = str(manager)
        return subprocess.CompletedProcess(command, 0, stdout=f"{words}\n", stderr="")

    return run


def limits(folder: Path, watches: int) -> Path:
    inotify = folder / "proc/sys/fs/inotify"
    inotify.mkdir(parents=True)
    (inotify / "max_user_watches").write_text(f"{watches}\n")
    return folder / "proc"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(config=tmp_path / "config", state=tmp_path / "state", data=tmp_path / "data")


def test_a_machine_in_order_has_nothing_wrong_and_the_check_leaves_nothing_behind(
    home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "standup.m4a").write_bytes(b"x")
    (tmp_path / "booted").mkdir()
    findings = diagnose(
        Patient(
            [folder],
            home,
            Config(),
            find_model=lambda: Path("/models/tiny.en"),
            sandbox=lambda: ("no network (seccomp)",),
            here=Here("linux", limits(tmp_path, 65536), tmp_path / "booted", systemd()),
        )
    )
    assert [finding.name for finding in findings if not finding.ok] == []
    assert {"python", "state", "disk", "model", "sandbox", "summary", "watches", "service", "linger"} <= {
        finding.name for finding in findings
    }
    assert [path.name for path in folder.iterdir()] == ["standup.m4a"]
    assert not home.state.exists()


@pytest.mark.shows("service:doctor-speakers")
def test_whether_voices_are_told_apart_is_good_to_know_and_a_broken_model_is_wrong(home: Home) -> None:
    def find() -> str | None:
        models = find_speaker_model(home.models)
        return models.described if models else None

    def speakers() -> Finding:
        (found,) = (
            finding
            for finding in diagnose(Patient([], home, Config(), Path, lambda: (), find, here=Here("plan9")))
            if finding.name == "speakers"
        )
        return found

    assert (speakers().ok, speakers().note) == (True, True)
    assert speakers().sentence.endswith("earmark models download speakers")
    (home.models / "speakers").mkdir(parents=True)
    assert not speakers().ok
    assert "segmentation.onnx and encoder.onnx missing" in speakers().sentence
    (home.models / "speakers" / "segmentation.onnx").write_bytes(onnx_files.segmentation())
    (home.models / "speakers" / "encoder.onnx").write_bytes(onnx_files.encoder())
    assert (speakers().ok, speakers().note) == (True, False)
    (home.models / "speakers" / "encoder.onnx").write_bytes(onnx_files.hearing())
    assert "encoder.onnx 0.1 MB (takes fbank80, sha256 " in speakers().sentence


def test_a_missing_model_and_a_missing_sandbox_are_told_in_their_own_words(home: Home) -> None:
    def absent() -> Path:
        raise ModelError("No speech model; earmark models download base.")

    findings = diagnose(
        Patient([], home, Config(), find_model=absent, sandbox=lambda: (), here=Here("plan9"))
    )
    bad = {finding.name: finding.sentence for finding in findings if not finding.ok}
    assert bad["model"] == "No speech model; earmark models download base."
    assert "takes the network away" in bad["sandbox"]


def test_what_a_worker_calls_not_enforced_is_not_called_a_wall() -> None:
    finding = check_sandbox(
        lambda: ("files: only the recordings", "not enforced: the network is open (no seccomp)")
    )
    assert finding.ok is False
    assert "the network is open" in finding.sentence


def test_a_sandbox_that_no_worker_has_reported_yet_is_not_called_missing() -> None:
    finding = check_sandbox(lambda: None)
    assert finding.ok
    assert "Not known before a daemon runs" in finding.sentence


def test_a_folder_that_is_not_there_and_a_file_in_its_place_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "does not exist" in check_folder(tmp_path / "nothing").sentence
    assert "is not a folder" in check_folder(tmp_path / "file").sentence


@as_somebody
def test_a_folder_that_may_not_be_read_or_written_is_found(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    for mode, words in ((0o000, "may not be read"), (0o500, "cannot be written")):
        closed.chmod(mode)
        finding = check_folder(closed, "linux")
        closed.chmod(0o700)
        assert not finding.ok
        assert words in finding.sentence


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc on this machine")
def test_a_folder_in_which_no_file_can_be_made_is_found_even_by_root() -> None:
    finding = check_folder(Path("/proc/self"))
    assert not finding.ok


def test_a_state_folder_that_others_can_open_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = check_state(tmp_path)
    assert not finding.ok
    assert f"chmod 700 {tmp_path}" in finding.sentence
    tmp_path.chmod(0o700)
    assert check_state(tmp_path).ok


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks at what another user owns")
@pytest.mark.parametrize(("whole", "runs"), [(True, False), (False, True), (False, False)])
def test_root_is_told_to_ask_as_the_owner_of_a_home_and_not_to_take_it(
    tmp_path: Path, whole: bool, runs: bool
) -> None:
    them = pwd.getpwnam("daemon")
    home = Home(tmp_path / "config", tmp_path / "state", tmp_path / "data")
    home.state.mkdir(mode=0o700)
    home.lock_file.touch()
    for path in (home.state, *([tmp_path] if whole else [])):
        os.chown(path, them.pw_uid, them.pw_gid)
    environ = {"EARMARK_HOME": str(tmp_path), "EARMARK_MODELS": "/m", "HOME": pwd.getpwuid(0).pw_dir}
    with home.lock_file.open() as lock:
        if runs:
            fcntl.flock(lock, fcntl.LOCK_EX)
        for sudo in ({}, {"SUDO_USER": "daemon"}):
            here = Here("plan9", environ=environ | sudo)
            patient = Patient([], home, Config(), find_model=lambda: tmp_path, sandbox=lambda: (), here=here)
            (said,) = [finding.sentence for finding in diagnose(patient) if finding.name == "state"]
            assert ("chown" in said) is not (whole or runs)
            if whole or runs:
                asked = f"EARMARK_HOME={tmp_path} EARMARK_MODELS=/m "
                prefix = "" if sudo else "su - daemon -c '"
                assert f"ask as that user: {prefix}{asked}" in said
                assert said.endswith("earmark doctor, without sudo" if sudo else "earmark doctor'")


def test_more_folders_than_watches_is_found_with_the_number_to_set(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "tree" / str(number)).mkdir(parents=True)
    few = check_watches([tmp_path / "tree"], limits(tmp_path, 8))
    assert not few.ok
    assert "sudo sysctl fs.inotify.max_user_watches=524288" in few.sentence
    assert check_watches([tmp_path / "tree" / "1"], tmp_path / "proc").ok


def test_free_space_is_looked_at_once_for_each_filesystem(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert len(list(check_room((tmp_path / "a", tmp_path / "not yet" / "there", tmp_path)))) == 1


def told(tmp_path: Path, unit: dict[str, str], **answers: Any) -> dict[str, Any]:
    here = Here("linux", tmp_path, tmp_path, systemd(unit, **answers))
    return {finding.name: finding for finding in check_systemd([], "user", here)}


@pytest.mark.parametrize(("answer", "note"), [("yes", False), ("no", True)])
def test_a_service_that_ends_with_the_login_is_worth_a_note_and_not_wrong(
    tmp_path: Path, answer: str, note: bool
) -> None:
    found = told(tmp_path, RUNS, linger=answer)["linger"]
    assert (found.ok, found.note) == (True, note)


@pytest.mark.shows("service:doctor")
def test_a_machine_without_systemd_is_not_wrong_and_told_that_run_needs_none(tmp_path: Path) -> None:
    def absent(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    here = Here("linux", tmp_path, tmp_path / "no", absent, tmp_path)
    (finding,) = check_systemd([], "user", here)
    assert (finding.ok, finding.note) == (True, True)
    assert "`earmark run` needs none" in finding.sentence


def test_a_machine_on_which_no_service_is_installed_is_not_wrong(tmp_path: Path) -> None:
    found = told(tmp_path, {"LoadState": "not-found", "ActiveState": "inactive"})
    assert (found["service"].ok, found["service"].note) == (True, True)
    assert "earmark service install FOLDER" in found["service"].sentence


@pytest.mark.parametrize(
    ("result", "status", "reason"),
    [
        ("exit-code", "78", "its configuration is wrong"),
        ("exit-code", "75", "another earmark uses the same ledger"),
        ("exit-code", "203", "the earmark command is not where the unit says"),
        ("exit-code", "226", "ReadWritePaths="),
        ("exit-code", "42", "it ended with exit status 42"),
        ("watchdog", "0", "it gave no sign of life"),
        ("oom-kill", "0", "memory ran out"),
        ("timeout", "0", "in time"),
        ("start-limit-hit", "78", "its configuration is wrong"),
        ("a-later-systemd-s-word", "0", "a-later-systemd-s-word"),
    ],
)
@pytest.mark.shows("service:doctor")
def test_a_service_that_failed_is_wrong_and_the_reason_is_said(
    tmp_path: Path, result: str, status: str, reason: str
) -> None:
    unit = RUNS | {"ActiveState": "failed", "Result": result, "ExecMainStatus": status}
    found = told(tmp_path, unit)["service"]
    assert not found.ok
    assert "The service failed, because " in found.sentence
    assert reason in found.sentence
    assert "earmark service logs" in found.sentence


def test_a_service_that_is_stopped_is_worth_a_note_and_not_wrong(tmp_path: Path) -> None:
    found = told(tmp_path, RUNS | {"ActiveState": "inactive", "MainPID": "0"})["service"]
    assert (found.ok, found.note) == (True, True)
    assert "earmark service restart" in found.sentence


def test_a_service_that_comes_and_goes_is_wrong(tmp_path: Path) -> None:
    unit = RUNS | {
        "ActiveState": "activating",
        "SubState": "auto-restart",
        "Result": "exit-code",
        "ExecMainStatus": "1",
    }
    assert "systemd tries again" in told(tmp_path, unit)["service"].sentence
    assert not told(tmp_path, unit)["service"].ok


@pytest.mark.parametrize("load", ["masked", "bad-setting", "error"])
def test_a_unit_that_systemd_cannot_start_is_wrong(tmp_path: Path, load: str) -> None:
    found = told(tmp_path, RUNS | {"LoadState": load, "ActiveState": "inactive"})["service"]
    assert not found.ok
    assert "systemctl --user" in found.sentence


def test_a_unit_that_was_changed_since_systemd_read_it_is_wrong(tmp_path: Path) -> None:
    assert not told(tmp_path, RUNS | {"NeedDaemonReload": "yes"})["service"].ok


def test_the_system_s_service_is_asked_for_no_lingering(tmp_path: Path) -> None:
    here = Here("linux", tmp_path, tmp_path, systemd(RUNS | {"User": "root"}, linger="no"))
    assert [finding.name for finding in check_systemd([], "system", here)] == ["service"]


@pytest.mark.shows("service:doctor")
def test_a_group_that_the_user_s_manager_lacks_is_wrong_where_a_folder_belongs_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (tmp_path / "815").mkdir()
    (tmp_path / "815" / "status").write_text("Name:\tsystemd\nGid:\t99999 99999\nGroups:\t99998 \n")
    here = Here("linux", tmp_path, tmp_path, systemd(manager=815))
    (needed,) = check_groups([folder], "user", UnitState("loaded", "active"), here)
    assert not needed.ok
    assert f"{folder} belongs to it" in needed.sentence
    (elsewhere,) = check_groups([], "user", UnitState("loaded", "active"), here)
    assert (elsewhere.ok, elsewhere.note) == (True, True)
    mine = " ".join(
        map(str, {*os.getgrouplist(pwd.getpwuid(os.geteuid()).pw_name, os.getgid()), os.getegid()})
    )
    (tmp_path / "815" / "status").write_text(f"Groups:\t{mine}\n")
    assert list(check_groups([folder], "user", UnitState("loaded", "active"), here)) == []


@pytest.mark.shows("service:doctor")
def test_a_container_s_own_limit_of_watches_counts_where_it_is_the_smaller_one(tmp_path: Path) -> None:
    proc = limits(tmp_path, 65536)
    (proc / "sys/user").mkdir()
    (proc / "sys/user/max_inotify_watches").write_text("3\n")
    for number in range(5):
        (tmp_path / "tree" / str(number)).mkdir(parents=True)
    found = check_watches([tmp_path / "tree"], proc)
    assert not found.ok
    assert "sudo sysctl user.max_inotify_watches=524288" in found.sentence
    (proc / "sys/user/max_inotify_instances").write_text("0\n")
    assert "user.max_inotify_instances=128" in check_watches([], proc).sentence


@pytest.mark.shows("service:doctor")
def test_a_summary_server_that_was_chosen_and_does_not_listen_is_wrong_and_the_default_one_is_not() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        chosen = Config.model_validate({"summary": {"endpoint": url}})
        auto = Config.model_validate({"summary": {"endpoint": "auto"}})
        assert not check_summary(chosen, ()).ok
        assert check_summary(auto, (port,)).note
        server.listen()
        assert check_summary(chosen, ()).ok
        assert f"at port {port}" in check_summary(auto, (port,)).sentence
    unchosen = Config().summary.model_copy()
    unchosen.__dict__["endpoint"] = url  # as if that were the default; nobody listens there any more
    default = Config().model_copy(update={"summary": unchosen})
    assert (check_summary(default, ()).ok, check_summary(default, ()).note) == (True, True)
    none = Config.model_validate({"summary": {"endpoint": "none"}})
    assert (check_summary(none, ()).ok, check_summary(none, ()).note) == (True, False)


def test_a_summary_server_that_the_privacy_setting_forbids_is_wrong_and_not_knocked_at() -> None:
    found = check_summary(Config.model_validate({"summary": {"endpoint": "http://192.0.2.7/v1"}}), ())
    assert not found.ok
    allowed = {
        "privacy": "cloud",
        "summary": {"endpoint": "https://192.0.2.7/v1", "allowed_hosts": ["192.0.2.7"]},
    }
    assert check_summary(Config.model_validate(allowed), ()).note


def test_a_sentence_of_another_part_has_one_dot_at_its_end() -> None:
    assert [sentence(s) for s in ("It is so", "It is so.", "It is so..", "Is it?")] == [
        "It is so.", "It is so.", "It is so.", "Is it?",
    ]  # fmt: skip


# --- the verb ---


@pytest.mark.shows("service:doctor")
def test_doctor_does_not_judge_the_folders_of_a_daemon_that_has_ended(installation: Installation) -> None:
    assert installation.earmark("run", "--once", installation.folder).returncode == 0
    installation.folder.rmdir()
    answer = installation.earmark("doctor", "--json")
    assert str(installation.folder) not in "".join(
        f["sentence"] for f in json.loads(answer.stdout)["findings"]
    )
    assert answer.returncode == 0, answer.stdout


def test_doctor_says_what_is_wrong_with_the_configuration_and_looks_on(installation: Installation) -> None:
    installation.configure("[intak]\n")
    answer = installation.earmark("doctor")
    assert answer.returncode == 1
    assert "✗ configuration: " in answer.stdout
    assert "✓ python" in answer.stdout
    assert not [line for line in answer.stdout.splitlines() if line.endswith("..")]


def test_doctor_says_what_a_running_daemon_has_trouble_with(installation: Installation) -> None:
    process = installation.daemon()
    found = {f["name"]: f for f in json.loads(installation.earmark("doctor", "--json").stdout)["findings"]}
    assert f"pid {process.pid}" in found["daemon"]["sentence"]
    installation.stop(process)


@pytest.mark.shows("privacy:silent")
def test_a_daemon_that_says_nothing_of_itself_is_not_said_to_be_none(installation: Installation) -> None:
    """As where its disk is full from the start; the lock says that it runs, and who it is."""
    installation.configure()
    process = installation.daemon()
    home = platform_home({"EARMARK_HOME": str(installation.root / "home")})
    wait_for(home.status_file.exists, 20, "the daemon's report")
    process.send_signal(signal.SIGSTOP)
    home.status_file.unlink()
    found = {f["name"]: f for f in json.loads(installation.earmark("doctor", "--json").stdout)["findings"]}
    assert (found["daemon"]["ok"], found["daemon"]["note"]) == (True, True)
    assert "has just started" in found["daemon"]["sentence"]
    home.lock_file.write_text("")
    found = {f["name"]: f for f in json.loads(installation.earmark("doctor", "--json").stdout)["findings"]}
    assert found["daemon"]["ok"] is False
    assert f"A daemon runs (pid {process.pid}), and says nothing of itself" in found["daemon"]["sentence"]
    assert f"running (pid {process.pid})  it says nothing" in installation.earmark("status").stdout
    report, why = daemon_that_runs(home, load_config(home.config_file))
    assert (report and report.pid, report and report.folders, why) == (
        process.pid,
        (str(installation.folder),),
        "",
    )
    process.send_signal(signal.SIGCONT)
    installation.stop(process)
