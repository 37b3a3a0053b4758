"""`earmark privacy`, `privacy check` and `privacy allow`, by real processes."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.cli.status import walls as walls_in_words
from earmark.config import Config
from earmark.locality.confinement import landlock
from earmark.locality.confinement.sockets import internet_sockets, own_families
from earmark.paths import platform_home
from earmark.proof.installation import PIECE, modes, words_elsewhere
from earmark.proof.listeners import trap
from earmark.proof.walls import walls
from earmark.report import Report, read_report

from tests.conftest import QUICK, Installation, wait_for

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")

NO_NETWORK = ["unshare", "--map-root-user", "--net"]

AWAY = QUICK.replace(
    "'none'", "'http://earmark-test.invalid:1234/v1'\nallowed_hosts = ['earmark-test.invalid']"
)


@pytest.mark.shows("privacy:no-daemon", "privacy:kept")
@linux_only
def test_on_a_sound_installation_every_claim_holds_and_the_page_says_when(
    installation: Installation, tmp_path: Path
) -> None:
    """Meanwhile a daemon runs with another home."""
    installation.earmark("run", "--once", installation.folder)
    other = Installation(tmp_path / "other", started=installation.started)
    other.folder.mkdir(parents=True)
    other.daemon()
    done = installation.earmark("privacy", "check", "--json")
    found = json.loads(done.stdout)
    failed = [c for c in found["claims"] if c["held"] is False]
    if not landlock.version():
        failed = [c for c in failed if "other files" not in c["claim"]]
    assert failed == []
    assert {c["held"] for c in found["claims"] if "network" in c["claim"]} == {True}
    (nobody,) = [c for c in found["claims"] if "no daemon is running" in c["detail"]]
    assert nobody["held"] is None
    # Only root may read the variables of a daemon.
    how = (
        r"EARMARK_HOME=\S+ .*privacy check"
        if os.geteuid() == 0
        else "with the variables that it was started with"
    )
    assert re.search(rf"Another earmark of yours runs \(pid \d+\b.* {how}", nobody["detail"])
    assert all("started for this check" in c["claim"] for c in found["claims"] if "walls" in c["claim"])
    page = json.loads(installation.earmark("privacy", "--format", "json").stdout)
    assert "never" not in page["quick"]["last_verified"]
    kept = {place for row in page["kept"] for place in re.split(r", | \(", row["where"])}
    there = {re.sub(r"-(wal|shm)$", "", str(file)) for file in installation.state.iterdir()}
    assert there - kept == set()
    assert installation.environment["EARMARK_MODELS"] in kept


@pytest.mark.shows("privacy:private-files")
@linux_only
def test_a_claim_that_does_not_hold_is_named_and_the_exit_status_is_1(installation: Installation) -> None:
    installation.earmark("run", "--once", installation.folder)
    (installation.state / "ledger.db").chmod(0o644)
    (installation.state / "name\npass  Nothing leaves").touch(0o644)
    done = installation.earmark("privacy", "check")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert "ledger.db (644)" in line
    assert "name\\npass  Nothing leaves (644)" in line
    assert "not every claim held" in installation.earmark("privacy", "--format", "md").stdout


@pytest.mark.shows("privacy:no-daemon")
@linux_only
def test_in_namespaces_of_its_own_the_check_says_what_cannot_be_tried_and_tries_the_rest(
    installation: Installation,
) -> None:
    """In a network of its own, whose loopback nobody has brought up, and with a /proc of others, whose numbers of
    processes are others there.
    """
    installation.daemon()
    done = subprocess.run(
        [*NO_NETWORK, "--pid", "--fork", sys.executable, "-m", "earmark", "privacy", "check"],
        env=installation.environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip(f"no network of its own can be made here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "if loopback is down: ip link set lo up" in line]
    assert line.startswith(" ?    Processes with the walls of each worker, started for this check, cannot")
    unlooked = [
        line for line in done.stdout.splitlines() if "of another pid namespace than this shell's" in line
    ]
    assert [line[:17] for line in unlooked] == [" ?    The running", " ?    The real tr"]
    assert "State and keys are readable by you only" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("could not be tried.")


@pytest.mark.shows("macos:unknown")
@pytest.mark.shows("privacy:macos-check")
@linux_only
def test_where_the_system_shows_no_processes_nothing_that_needs_it_is_said_to_hold(
    installation: Installation,
) -> None:
    """The whole check in a file system of its own, with an empty folder at /proc, as where there is none (macOS)."""
    hidden = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none /proc && exec "$@"',
        "sh",
    ]
    done = subprocess.run(
        [*hidden, sys.executable, "-m", "earmark", "privacy", "check", "--json"],
        env=installation.environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    if not done.stdout:
        pytest.skip(f"no file system of its own can be made here: {done.stderr}")
    said = {claim["claim"]: claim for claim in json.loads(done.stdout)["claims"]}
    assert done.returncode == 0, said

    def of(*words: str) -> list[tuple[bool | None, str]]:
        return [(c["held"], c["detail"]) for claim, c in said.items() if all(word in claim for word in words)]

    network = of("cannot reach the network")
    assert len(network) == 3
    for held, detail in [*network, *of("The real transcription worker"), *of("opens no socket but")]:
        assert held is None
        assert "this system does not" in detail
    assert {held for held, _ in of("cannot read or write your other files")} == {True}


@pytest.mark.shows("privacy:from-anywhere")
@linux_only
def test_the_check_runs_nothing_that_lies_in_the_folder_in_which_somebody_asks(
    installation: Installation, tmp_path: Path
) -> None:
    """Root may ask in a folder that is somebody else's."""
    installation.daemon()
    here = tmp_path / "here"
    here.mkdir()
    for name in ("json", "select", "earmark"):
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("earmark"), "privacy", "check", "--no-recording"],
        env=installation.environment, cwd=here, capture_output=True, text=True, timeout=180,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.shows("privacy:full-disk")
@linux_only
def test_where_nothing_can_be_written_each_claim_that_needs_it_is_said_not_to_be_tried_and_the_rest_is(
    installation: Installation,
) -> None:
    """A limit stands for the full disks: drop folder, state, and temporary files."""
    installation.daemon()
    done = subprocess.run(
        [sys.executable, "-m", "earmark", "privacy", "check"],
        env=installation.environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{installation.folder} takes no recording: File too large" in done.stdout
    assert any("The real transcription worker" in line and line.endswith("File too large") for line in said)
    assert "That this was checked is not kept for the page: " in done.stderr
    assert said[-1].endswith("could not be tried.")


@pytest.mark.parametrize("size", [10, 1 << 40])
def test_a_file_that_is_too_large_to_be_searched_is_said_not_to_be(tmp_path: Path, size: int) -> None:
    home = platform_home({"EARMARK_HOME": str(tmp_path)})
    home.state.mkdir(parents=True, mode=0o700)
    (home.state / "core").touch(0o600)
    os.truncate(home.state / "core", size)
    searched = words_elsewhere(home, ["decided to move the"])
    assert (searched.held, "to the end: core" in searched.detail) == (
        (True, False) if size < 99 else (None, True)
    )


def test_words_across_two_pieces_of_a_file_are_found(tmp_path: Path) -> None:
    home = platform_home({"EARMARK_HOME": str(tmp_path)})
    home.state.mkdir(parents=True, mode=0o700)
    (home.state / "debug.log").write_bytes(bytes(PIECE - 5) + b"decided to move the")
    assert words_elsewhere(home, ["decided to move the"]).held is False


@linux_only
def test_the_check_notices_a_worker_without_walls(tmp_path: Path) -> None:
    """The check's own teeth: with the sandbox off, leaving works, and is called a failure."""
    fresh = "A process with the transcription worker's walls, started for this check,"
    open_to_all = Config.model_validate({"transcription": {"sandbox": "off"}})
    with trap() as caught:
        outcomes = {o.claim: o for o in walls("transcription", open_to_all, caught, tmp_path)}
    network = outcomes[f"{fresh} cannot reach the network"]
    assert network.held is False
    assert "connect to another program of this device" in network.detail
    files = outcomes[f"{fresh} cannot read or write your other files"]
    assert files.held is False


def test_words_outside_the_ledger_are_found(installation: Installation) -> None:
    home = platform_home({"EARMARK_HOME": str(installation.root / "home")})
    home.state.mkdir(parents=True, mode=0o700)
    (home.state / "debug.log").write_text("heard: we decided to move the release")
    assert words_elsewhere(home, ["decided to move the"]).held is False
    assert modes(Config(), home).held is False


def test_the_page_is_printed_in_each_format(installation: Installation) -> None:
    assert installation.earmark("privacy", "--format", "md").stdout.startswith("# Privacy of this earmark")
    assert installation.earmark("privacy", "-f", "html").stdout.startswith("<!doctype html>")
    assert json.loads(installation.earmark("privacy", "-f", "json").stdout)["privacy"] == "device"


@pytest.mark.shows("privacy:consent")
@pytest.mark.speech
def test_words_wait_for_consent_and_are_asked_about_again_when_the_host_changes(
    installation: Installation,
) -> None:
    installation.configure("privacy = 'lan'\n" + AWAY)
    installation.drop()
    installation.earmark("run", "--once", installation.folder)
    (waiting,) = installation.status()["wants_better_summary"]
    assert "earmark privacy allow" in waiting["reason"]
    assert "summary_by: extractive" in (installation.folder / "standup.md").read_text()

    allowed = installation.earmark("privacy", "allow", "--yes")
    assert allowed.returncode == 0, allowed.stderr
    assert "earmark-test.invalid" in allowed.stdout
    installation.earmark("run", "--once", installation.folder)
    (waiting,) = installation.status()["wants_better_summary"]
    assert "does not resolve" in waiting["reason"]

    installation.configure("privacy = 'lan'\n" + AWAY.replace("earmark-test", "other-test"))
    installation.earmark("run", "--once", installation.folder)
    (waiting,) = installation.status()["wants_better_summary"]
    assert "changed since you allowed it" in waiting["reason"]


def test_there_is_nothing_to_allow_on_this_device(installation: Installation) -> None:
    installation.earmark("run", "--once", installation.folder)
    assert "nothing to allow" in installation.earmark("privacy", "allow", "--yes").stdout


@pytest.mark.shows("privacy:supervisor-sockets")
@linux_only
def test_a_running_daemon_says_what_holds_its_workers_and_which_sockets_it_has(
    installation: Installation,
) -> None:
    daemon = installation.daemon()
    report = wait_for(lambda: read_report(installation.state / "status.json"), 20, "the daemon's report")
    assert set(report.sockets) <= {"AF_UNIX"}
    assert internet_sockets(daemon.pid) in ([], None)
    assert installation.stop(daemon) == 0


@linux_only
def test_socket_tables_show_what_is_connected() -> None:
    import os
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        found = internet_sockets(os.getpid())
        assert found
        assert {s.remote for s in found} >= {"127.0.0.1"}
        assert not any(s.leaves for s in found)
        assert "AF_INET" in own_families()


@pytest.mark.shows("privacy:require")
@linux_only
@pytest.mark.speech
def test_with_require_sandbox_nothing_is_worked_on_where_the_network_cannot_be_given_up(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without seccomp is played by a machine name that nothing is known of, in all processes."""
    recording = installation.drop()
    assert installation.earmark("run", "--once", installation.folder).returncode == 0
    installation.configure("require_sandbox = true\n" + QUICK)
    installation.earmark("retry", "--summary", recording)
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import platform\nplatform.machine = lambda: 'vax'\n")
    monkeypatch.setenv("PYTHONPATH", str(other))
    daemon = installation.daemon()

    def refused() -> list[str]:
        status = installation.status()
        return [line["reason"] for line in (*status["troubles"], *status["wants_better_summary"])]

    wait_for(lambda: sum("require_sandbox" in reason for reason in refused()) == 2, 60, "both refusals")
    assert installation.stop(daemon) == 0


def test_require_sandbox_and_a_sandbox_that_is_off_contradict_each_other(installation: Installation) -> None:
    installation.configure('require_sandbox = true\n[transcription]\nsandbox = "off"\n')
    done = installation.earmark("config", "check")
    assert done.returncode == 78
    assert "remove one of the two" in done.stderr


@pytest.mark.shows("privacy:off-is-said")
@linux_only
@pytest.mark.speech
def test_a_sandbox_that_is_off_is_said_to_be_off_wherever_one_looks(installation: Installation) -> None:
    installation.configure(QUICK + '[transcription]\nsandbox = "off"\n')
    daemon = installation.daemon()
    wait_for(lambda: read_report(installation.state / "status.json"), 20, "the daemon's report")
    unheard = installation.earmark("status").stdout
    assert "workers' network: not enforced: the sandbox is turned off" in unheard
    installation.drop()
    wait_for(lambda: "standup.md" in installation.notes(), 60, "the note")
    assert "not enforced" in installation.earmark("status").stdout
    assert installation.stop(daemon) == 0
    page = json.loads(installation.earmark("privacy", "--format", "json").stdout)
    assert any("turned off" in sentence for sentence in page["not_enforced"])


@pytest.mark.shows("privacy:off-is-said")
def test_of_a_worker_that_was_not_started_yet_nothing_is_said_to_hold_it() -> None:
    bare = Report(pid=1, version="0", started_at=0, folders=(), config_file="")
    shut = ("no network: no call", "files: none")
    assert walls_in_words(bare) == "not measured yet: none was started"
    one = walls_in_words(bare.model_copy(update={"summary_sandbox": shut}))
    assert one == "shut by the system; not measured yet for transcription"
    both = bare.model_copy(update={"summary_sandbox": shut, "sandbox": shut})
    assert walls_in_words(both) == "shut by the system"


@pytest.mark.shows("privacy:require")
@linux_only
@pytest.mark.speech
def test_a_single_run_ends_with_a_reason_when_the_required_sandbox_is_not_to_be_had(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.configure("require_sandbox = true\n" + QUICK)
    installation.drop()
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import platform\nplatform.machine = lambda: 'vax'\n")
    monkeypatch.setenv("PYTHONPATH", str(other))
    done = installation.earmark("run", "--once", installation.folder, timeout=180)
    assert done.returncode == 69
    assert "require_sandbox" in done.stderr
    assert installation.notes() == []


@pytest.mark.shows("privacy:full-disk")
def test_a_proof_whose_process_cannot_be_started_is_no_breach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where root, who became the owner, has an earmark that the owner may not run."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with trap() as caught:
        (outcome,) = walls("door", Config(), caught, tmp_path)
    assert (outcome.held, "could not be tried" in outcome.detail) == (None, True)
