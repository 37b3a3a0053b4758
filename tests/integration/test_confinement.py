"""What the summarization worker can still reach, tried from inside a process that is confined as the worker is."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import earmark
import pytest
from earmark.files import pack_path
from earmark.locality.confinement import landlock
from earmark.messages import Confine

from tests.spoken import request
from tests.stub_server import LlamaCpp, running

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")

TRY = """
import errno, json, os, socket, subprocess, sys
from pathlib import Path
from earmark.locality.confinement.one_address import confine
from earmark.locality.confinement import doorway
from earmark.locality.confinement.process import is_dumpable

here, away, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
started = []
class Watched(subprocess.Popen):
    def __init__(self, *a, **k):
        super().__init__(*a, **k)
        started.append(self.pid)
subprocess.Popen = Watched
enforced = confine(f"http://localhost:{here}/v1", "device", (), (), readable=[folder / "templates"])
outcome = {}

def attempt(name, act):
    try:
        outcome[name] = f"possible: {act()!r}"
    except OSError as error:
        outcome[name] = errno.errorcode.get(error.errno, str(error))

attempt("the endpoint", lambda: socket.create_connection(("127.0.0.1", here), timeout=5).getpeername()[1] == here)
attempt("another port", lambda: socket.create_connection(("127.0.0.1", away), timeout=5))
attempt("another address", lambda: socket.create_connection(("127.0.0.2", here), timeout=5))
attempt("a socket of its own", lambda: socket.socket(socket.AF_INET))
attempt("UDP", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("IPv6", lambda: socket.socket(socket.AF_INET6))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("raw packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
def over_the_door():
    line = socket.create_connection(("127.0.0.1", here), timeout=5)
    line.connect(("127.0.0.1", away))
attempt("sending its connection elsewhere", over_the_door)
attempt("listening", lambda: socket.socket(socket.AF_UNIX).bind("\\0earmark-test"))
attempt("a unix socket", lambda: socket.socket(socket.AF_UNIX).connect(str(folder / "bus")))
attempt("another name", lambda: socket.getaddrinfo("example.org", 80))
attempt("another program", lambda: subprocess.run(["/bin/true"]))
attempt("its template", lambda: (folder / "templates" / "own.toml").read_text())
attempt("a recording", lambda: (folder / "secret.wav").read_bytes())
attempt("writing", lambda: (folder / "templates" / "out").write_text("x"))
attempt("a temporary file", lambda: open("/tmp/earmark-leak", "w"))
outcome["dumpable"] = is_dumpable()
outcome["cores"] = __import__("resource").getrlimit(4)
outcome["enforced"] = enforced
outcome["door"] = started[0] if started else None
json.dump(outcome, sys.stdout); sys.stdout.flush()
sys.stdin.read()
"""


class Listener:
    """A server that should never be reached: counts what comes in."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    @property
    def visitors(self) -> int:
        self.socket.setblocking(False)
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.accept()[0].close()
                count += 1
        return count


@pytest.fixture
def two_servers() -> Iterator[tuple[Listener, Listener]]:
    pair = Listener(), Listener()
    yield pair
    for one in pair:
        one.socket.close()


@contextlib.contextmanager
def confined(folder: Path, here: int, away: int) -> Iterator[dict[str, Any]]:
    """Run the attempts; the process is still there while the block runs."""
    (folder / "templates").mkdir()
    (folder / "templates" / "own.toml").write_text("name = 'own'")
    (folder / "secret.wav").write_bytes(b"RIFF")
    bus = socket.socket(socket.AF_UNIX)
    os.chdir(folder)  # AF_UNIX names end at 108 bytes
    bus.bind("bus")
    bus.listen()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRY), str(here), str(away), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    decoder, said = json.JSONDecoder(), ""
    try:
        while True:
            piece = os.read(process.stdout.fileno(), 65536).decode()
            assert piece, "the confined process ended early"
            said += piece
            with contextlib.suppress(ValueError):
                yield decoder.raw_decode(said)[0]
                break
    finally:
        process.stdin.close()
        process.wait(20)
        bus.close()


@pytest.mark.shows("privacy:one-address")
@linux_only
def test_the_worker_reaches_the_pinned_address_and_nothing_else(
    tmp_path: Path, two_servers: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    endpoint, trap = two_servers
    with confined(tmp_path, endpoint.port, trap.port) as outcome:
        assert outcome["the endpoint"] == "possible: True"
        at_the_door = {"another port", "another address", "another name"}
        by_the_system = {
            "a socket of its own", "UDP", "IPv6", "netlink", "raw packets", "sending its connection elsewhere",
            "listening", "a unix socket", "another program",
        }  # fmt: skip
        assert {name: outcome[name] for name in at_the_door} == dict.fromkeys(at_the_door, "EACCES")
        assert {name: outcome[name] for name in by_the_system} == dict.fromkeys(by_the_system, "EPERM")
        assert trap.visitors == 0
        assert outcome["dumpable"] is False
        assert outcome["cores"] == [0, 0]


@pytest.mark.shows("privacy:one-address")
@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_the_worker_reads_its_templates_and_no_other_file_of_the_user(
    tmp_path: Path, two_servers: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with confined(tmp_path, two_servers[0].port, two_servers[1].port) as outcome:
        assert outcome["its template"].startswith("possible")
        assert outcome["a recording"] == "EACCES"
        assert {outcome[name] for name in ("writing", "a temporary file")} == {"EPERM"}


@pytest.mark.shows("privacy:one-address")
@linux_only
def test_the_door_process_has_no_way_but_tcp_to_the_pinned_port(
    tmp_path: Path, two_servers: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with confined(tmp_path, two_servers[0].port, two_servers[1].port) as outcome:
        status = Path(f"/proc/{outcome['door']}/status").read_text()
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status
        environ = Path(f"/proc/{outcome['door']}/environ")
        if os.geteuid() == 0:
            assert environ.read_bytes() == b""
        else:  # the kernel lets nobody else look into it
            with pytest.raises(PermissionError):
                environ.read_bytes()
        argv = Path(f"/proc/{outcome['door']}/cmdline").read_bytes().split(b"\0")
        assert argv[-2] == f"127.0.0.1:{two_servers[0].port}".encode()


@pytest.mark.shows("privacy:one-address")
@pytest.mark.skipif(landlock.version() < 4, reason="this kernel's Landlock knows no ports")
def test_landlock_holds_the_door_to_its_port_even_if_its_code_did_not(
    two_servers: tuple[Listener, Listener],
) -> None:
    here, away = two_servers
    found = subprocess.run(
        [
            sys.executable, "-c",
            "import socket, sys; from earmark.locality.confinement import door\n"
            "door.confine([('127.0.0.1', int(sys.argv[1]))])\n"
            "print([door.open_one(('127.0.0.1', int(p)), 5.0)[0] for p in sys.argv[1:]])\n"
            "try: open('/etc/hostname'); print('read')\n"
            "except OSError as error: print(error.errno)\n"
            "try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM); print('udp')\n"
            "except OSError as error: print(error.errno)",
            str(here.port), str(away.port),
        ],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert found.stdout.splitlines() == ["[0, 13]", "1", "1"], found.stderr
    assert away.visitors == 0


def worker(*lines: bytes) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "earmark.summarization.worker"],
        input=b"".join(lines), capture_output=True, timeout=60,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@linux_only
def test_the_real_worker_summarises_through_the_door_and_says_what_is_enforced(tmp_path: Path) -> None:
    with running(LlamaCpp()) as stub:
        replies = worker(
            Confine(endpoint=stub.url, template_dir=pack_path(tmp_path)).line(), request(stub.url).line()
        )
    ready, summarized = replies[0], replies[-1]
    assert ready["type"] == "ready"
    assert not [s for s in ready["sandbox"] if s.startswith("not enforced") and "network" in s]
    assert any("connections: only to 127.0.0.1:" in s for s in ready["sandbox"])
    assert summarized["type"] == "summarized"
    assert summarized["summary"]["by"] == "llama.cpp"
    assert summarized["summary"]["locality"] == "unverified"


@pytest.mark.shows("privacy:one-address")
@linux_only
def test_a_worker_that_was_confined_to_one_endpoint_never_reaches_another() -> None:
    with running(LlamaCpp()) as allowed, running(LlamaCpp()) as other:
        replies = worker(Confine(endpoint=allowed.url).line(), request(other.url).line())
        assert replies[-1]["type"] == "failed"
        assert other.paths == []


@linux_only
def test_a_worker_that_nobody_confined_confines_itself_to_its_first_request() -> None:
    with running(LlamaCpp()) as first, running(LlamaCpp()) as second:
        replies = [
            r
            for r in worker(request(first.url).line(), request(second.url).line())
            if r["type"] != "progress"
        ]
        assert [r["type"] for r in replies] == ["summarized", "failed"]
        assert second.paths == []


@linux_only
def test_the_extractive_summary_needs_no_connection_and_has_none() -> None:
    replies = worker(Confine(endpoint="none").line(), request("none").line())
    assert "connections: none" in replies[0]["sandbox"]
    assert replies[-1]["type"] == "summarized"


@linux_only
def test_auto_finds_a_server_on_this_device_through_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = worker(Confine(endpoint="auto").line())
    way_out = replies[0]["sandbox"][-1]
    assert "127.0.0.1:1234" in way_out
    assert "127.0.0.1:11434" in way_out


def test_where_it_cannot_be_enforced_a_required_sandbox_refuses_to_work(tmp_path: Path) -> None:
    """A system without seccomp is played by a machine name that nothing is known of."""
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import platform; platform.machine = lambda: 'vax'\n"
            "from earmark.summarization import worker; raise SystemExit(worker.main())",
        ],
        input=Confine(endpoint="none", require=True).line() + request("none").line(),
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 77
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["type"] for r in replies] == ["failed"]
    assert replies[0]["job"] == 0
    assert "require_sandbox" in replies[0]["sentence"]


LATER = """
import sys
from pathlib import Path
from earmark.locality.confinement.sandbox import shut_the_doors
print("Landlock" in shut_the_doors([], None, "require")[0])
import earmark.domain
try:
    import later
    print("loaded from beside it", Path(later.__file__).parent == Path(earmark.__file__).parents[1])
    print(Path(sys.argv[1]).read_text())
except PermissionError as refused:
    print("refused", Path(refused.filename).name)
"""


@linux_only
@pytest.mark.shows("macos:editable")
@pytest.mark.parametrize("at_home", [False, True], ids=["elsewhere", "right in the home folder"])
def test_packages_beside_earmark_are_loaded_by_a_confined_process_and_no_home_folder_is_opened_for_it(
    tmp_path: Path, at_home: bool
) -> None:
    """As after `pip install --target`, or an editable install: no `site-packages` is near."""
    packages, home = tmp_path / "target", tmp_path / ("target" if at_home else "ada")
    for folder in (packages, home):
        folder.mkdir(exist_ok=True)
    shutil.copytree(Path(earmark.__file__).parent, packages / "earmark")
    (packages / "later.py").write_text("")
    (home / "diary.txt").write_text("dear diary")
    done = subprocess.run(
        [sys.executable, "-c", LATER, str(home / "diary.txt")],
        env={**os.environ, "PYTHONPATH": str(packages), "HOME": str(home)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    found = "refused later.py" if at_home else "loaded from beside it True\nrefused diary.txt"
    assert done.stdout == f"True\n{found}\n"
