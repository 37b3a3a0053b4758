"""What `earmark privacy check` says on a system without /proc (macOS): "?" with a sentence, never that a claim holds."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from earmark.cli.privacy import not_looked_at
from earmark.config import Config
from earmark.domain import Fault
from earmark.locality.confinement import sockets
from earmark.locality.confinement.listener import nobody_listens, who_listens
from earmark.locality.confinement.macos import services
from earmark.locality.confinement.macos import walls as macos_walls
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.messages import Failed, Ready, Started
from earmark.proof import claims, inside
from earmark.proof.installation import sockets_of
from earmark.proof.running import holder
from earmark.proof.running.descriptors import has_proc
from earmark.proof.running.fresh import judged_by_itself
from earmark.proof.walls import ALL, WALLS, judged

WITHOUT = Path("/nowhere/proc")


def answer(worker: str, system: str = "darwin", **other: Any) -> dict[str, Any]:
    """What a process says of itself behind walls that hold, with what is said otherwise."""
    ways = [*ALL, inside.READ, inside.WRITE, *([inside.SERVICE] if system == "darwin" else [])]
    attempts = dict.fromkeys(ways, "EPERM") | other.pop("attempts", {})
    sound = {
        "attempts": attempts,
        "dumpable": system == "darwin",
        "core": 0,
        "environment": [],
        "offline": True,
    }
    return sound | {"sockets": ["AF_UNIX"]} | other


@pytest.mark.shows("privacy:macos-check")
@pytest.mark.parametrize("worker", WALLS)
def test_of_sound_walls_the_network_and_the_files_hold_and_the_memory_is_not_known(worker: str) -> None:
    *shut, memory = judged(worker, answer(worker), 0, "darwin")
    assert {outcome.held for outcome in shut} == {True}
    assert memory.held is None
    assert "whether other programs can read its memory, this system does not tell" in memory.detail
    assert {outcome.held for outcome in judged(worker, answer(worker, "linux"), 0, "linux")} == {True}


@pytest.mark.shows("privacy:macos-check")
@pytest.mark.parametrize(
    ("other", "held", "says"),
    [
        ({"attempts": {inside.SERVICE: "possible"}}, False, "it can ask a service of the system"),
        ({"attempts": {inside.SERVICE: inside.UNTOLD}}, None, "whether it can ask a service of the system, this"),
        ({"sockets": None}, None, "which sockets it had from its start, this system does not tell"),
        ({"sockets": ["AF_INET", "AF_UNIX"]}, False, "it has a socket: AF_INET"),
        ({"attempts": {inside.IPV6: "ECONNREFUSED"}}, False, "it can use IPv6"),
    ],
)  # fmt: skip
def test_what_is_not_refused_is_a_breach_and_what_nobody_can_tell_is_no_proof(
    other: dict[str, Any], held: bool | None, says: str
) -> None:
    network = next(iter(judged("transcription", answer("transcription", **other), 0, "darwin")))
    assert (network.held, says in network.detail) == (held, True), network


def test_who_came_to_those_that_nobody_should_come_to_is_told() -> None:
    network = next(iter(judged("door", answer("door"), 2, "darwin")))
    assert (network.held, network.detail) == (False, "2 connections came from it")


def test_a_file_that_can_be_read_is_a_breach_of_the_sandbox() -> None:
    _, files, _ = judged(
        "summarization", answer("summarization", attempts={inside.READ: "possible"}), 0, "darwin"
    )
    assert files.held is False
    assert "the sandbox is not there or turned off" in files.detail


def test_on_a_mac_a_service_is_asked_for_and_a_socket_is_used_that_can_be_made() -> None:
    try:
        waiting = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"there is no IPv6 here: {error}")
    with waiting as server:
        asked = {"trap": server.getsockname()[1], "unix": "", "secret": "", "write": ""}
        there, elsewhere = inside.attempts(asked, "darwin"), inside.attempts(asked, "linux")
        assert set(there) - set(elsewhere) == {inside.SERVICE}
        assert inside.outcome(there[inside.IPV6]) == "possible"
        server.setblocking(False)
        server.accept()[0].close()
        assert inside.outcome(elsewhere[inside.IPV6]) == "possible"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(services.REFUSED, "EPERM"), (services.FOUND, "possible"), (1102, inside.UNTOLD), (None, inside.UNTOLD)],
)
def test_what_launchd_answers_is_told_as_an_attempt(said: int | None, outcome: str) -> None:
    assert inside.outcome(lambda: inside.ask_a_service(said)) == outcome


def test_the_program_that_is_started_for_a_try_is_one_that_is_there() -> None:
    assert macos_walls.HARMLESS[0] == "/usr/bin/true"  # macOS has no /bin/true
    assert subprocess.run([macos_walls.harmless_program()]).returncode == 0


def test_what_is_open_is_listed_by_dev_fd_where_there_is_no_proc(tmp_path: Path) -> None:
    lists = Path("/dev/fd")
    with socket.socket(socket.AF_INET) as line:
        shown = tmp_path / "fd"
        shown.mkdir()
        (shown / str(line.fileno())).touch()
        assert sockets.open_families((WITHOUT / "self" / "fd", shown)) == {"AF_INET"}
        assert "AF_INET" in (sockets.open_families((WITHOUT, lists)) or set())
        assert sockets.open_families((WITHOUT,)) is None
        assert sockets.UNSEEN in sockets.own_families((WITHOUT,))


def test_no_internet_socket_is_unknown_where_nobody_can_list_them() -> None:
    assert sockets_of("c", ("AF_UNIX",)).held is True
    assert sockets_of("c", ()).held is True
    assert sockets_of("c", ("AF_UNIX", sockets.UNSEEN)).held is None
    assert sockets_of("c", ("AF_INET6", sockets.UNSEEN)).held is False


def test_of_the_real_worker_its_own_word_is_no_proof_and_can_be_a_breach() -> None:
    ready = Ready(engine="e", device="cpu", compute_type="", sandbox=("no network (macOS sandbox)",))
    refused = Failed(job=1, fault=Fault.ACCESS, sentence="macOS does not let earmark read the file")
    assert judged_by_itself("c", ready, refused).held is None
    assert "it has no /proc" in judged_by_itself("c", ready, refused).detail
    assert judged_by_itself("c", ready, Started(job=1, declared_duration=None)).held is False
    open_ = ready.model_copy(update={"sandbox": (f"{NOT_ENFORCED}the network is open",)})
    assert judged_by_itself("c", open_, refused).held is False
    assert judged_by_itself("c", ready, None).held is None


@pytest.mark.shows("privacy:macos-check")
def test_who_listens_is_unknown_and_a_server_here_is_not_said_to_be_where_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (nobody_listens("127.0.0.1", 1234, WITHOUT), who_listens("127.0.0.1", 1234, WITHOUT)) == (
        None,
        None,
    )
    monkeypatch.setattr(claims, "nobody_listens", lambda ip, port: nobody_listens(ip, port, WITHOUT))
    found = SimpleNamespace(
        pinned=SimpleNamespace(ip="127.0.0.1", port=1234),
        chat=SimpleNamespace(where="LM Studio"),
        locality="device",
    )
    monkeypatch.setattr("earmark.summarization.connection.connect", lambda *_: found)
    outcome = claims.configured_endpoint(
        Config.model_validate({"summary": {"endpoint": "http://127.0.0.1:1234/v1"}})
    )
    assert outcome.held is None
    assert "a tunnel to another machine would not be noticed" in outcome.detail


@pytest.mark.parametrize(
    ("runs", "proc", "says"),
    [
        (True, False, "is not looked at: this system shows no process to others (it has no /proc)"),
        (False, False, "no daemon is running for /state"),
        (False, True, "no daemon is running for /state"),
    ],
)
def test_a_daemon_that_runs_is_said_to_run_and_not_to_be_looked_at(runs: bool, proc: bool, says: str) -> None:
    sentence = not_looked_at("/state", runs, proc)
    assert says in sentence
    assert claims.nobody_runs(sentence).held is None


def test_nobody_is_taken_for_the_daemon(tmp_path: Path) -> None:
    assert not has_proc(WITHOUT)
    found = holder.holder_of(tmp_path / "daemon.lock", WITHOUT)
    assert (found.pid, "the kernel does not say who holds" in found.why_not) == (0, True)
