"""The doors tried from inside: what a transcription worker can still reach after it has shut them."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from earmark.locality.confinement import landlock
from earmark.locality.confinement.sandbox import NOT_ENFORCED, may_use_gpu

from tests.speech import SAMPLE, WorkerProcess, quick_model, sample_reference, word_error_rate

linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="seccomp and Landlock are Linux's; what macOS has cannot be run here (tests/unit/test_macos_profile.py)",
)

TRIES = """
import ctypes, errno, json, os, socket, subprocess, sys, threading
from pathlib import Path
from earmark.locality.confinement.sandbox import shut_the_doors
allowed, model, secret, port, scratch = sys.argv[1:]
before = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
said = shut_the_doors([Path(allowed)], Path(model), "require")
found = {"said": said}
def attempt(name, act):
    try:
        result = act()
        found[name] = "yes" if result is None else str(result)
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, str(error.errno))
def system(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
def in_thread():
    caught = []
    def run():
        try: socket.socket(socket.AF_INET)
        except OSError as error: caught.append(error)
    thread = threading.Thread(target=run); thread.start(); thread.join()
    if caught: raise caught[0]
attempt("inet", lambda: socket.socket(socket.AF_INET).close())
attempt("inet6", lambda: socket.socket(socket.AF_INET6).close())
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())
attempt("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close())
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close())
attempt("vsock", lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close())
attempt("inet in a thread", in_thread)
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(port)), 2).close())
attempt("unix pair", lambda: [s.close() for s in socket.socketpair()] and None)
attempt("unix connect", lambda: socket.socket(socket.AF_UNIX).connect(scratch + "/server"))
attempt("unix datagram", lambda: before.sendto(b"words", scratch + "/datagrams") and None)
attempt("exec", lambda: subprocess.run(["/bin/true"]) and None)
attempt("read allowed", lambda: (Path(allowed) / "a.wav").read_bytes() and None)
attempt("read model", lambda: (Path(model) / "config.json").read_bytes() and None)
attempt("read other", lambda: Path(secret).read_bytes() and None)
attempt("list other", lambda: os.listdir(Path(secret).parent) and None)
attempt("read by ..", lambda: (Path(allowed) / ".." / Path(secret).parent.name / Path(secret).name).read_bytes() and None)
attempt("read passwd", lambda: Path("/etc/passwd").read_bytes() and None)
attempt("write allowed", lambda: (Path(allowed) / "new").write_bytes(b"x") and None)
attempt("change allowed", lambda: open(Path(allowed) / "a.wav", "r+b").close())
attempt("delete allowed", lambda: os.unlink(Path(allowed) / "a.wav"))
attempt("write tmp", lambda: Path(scratch, "out").write_bytes(b"x") and None)
attempt("write null", lambda: Path(os.devnull).write_bytes(b"x") and None)
numbers = {"x86_64": (425, 101, 310, 321, 323), "aarch64": (425, 117, 270, 280, 282)}[os.uname().machine]
for name, number in zip(("io_uring", "ptrace", "process_vm_readv", "bpf", "userfaultfd"), numbers):
    attempt(name, lambda: system(number, 0, 0, 0, 0, 0, 0))
found["no_new_privs"] = next(l.split()[1] for l in open("/proc/self/status") if l.startswith("NoNewPrivs"))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a sandboxed child could do and what it could not, by name; and whether anybody was reached."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "recordings").mkdir()
    (folder / "recordings" / "a.wav").write_bytes(b"RIFF")
    (folder / "private").mkdir()
    (folder / "private" / "diary.txt").write_text("nobody's business")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        here = Path.cwd()
        os.chdir(folder)  # a unix socket's path may have 107 bytes only
        unix.bind("server")
        datagrams.bind("datagrams")
        os.chdir(here)
        unix.listen()
        for listening in (server, unix, datagrams):
            listening.setblocking(False)
        done = subprocess.run(
            [
                sys.executable, "-c", textwrap.dedent(TRIES), str(folder / "recordings"), str(quick_model().dir),
                str(folder / "private" / "diary.txt"), str(server.getsockname()[1]), str(folder),
            ],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        reached = 0
        for listening in (server, unix):
            with contextlib.suppress(BlockingIOError):
                listening.accept()[0].close()
                reached += 1
        with contextlib.suppress(BlockingIOError):
            reached += len(datagrams.recv(100)) > 0
    said: dict[str, Any] = json.loads(done.stdout)
    return said | {"reached": reached, "folder": folder}


@pytest.mark.shows("privacy:worker-no-network", "readme:network-given-up")
@linux
@pytest.mark.parametrize(
    "way", ["inet", "inet6", "udp", "raw", "netlink", "vsock", "inet in a thread", "connect"]
)
def test_no_socket_to_anywhere_can_be_made(tried: dict[str, Any], way: str) -> None:
    assert tried[way] == "EPERM"


@pytest.mark.shows("privacy:worker-no-network")
@linux
def test_no_unix_socket_reaches_another_program_not_even_one_that_was_open_before(
    tried: dict[str, Any],
) -> None:
    assert tried["unix pair"] == tried["unix connect"] == tried["unix datagram"] == "EPERM"
    assert tried["reached"] == 0


@pytest.mark.shows("privacy:worker-no-network")
@linux
@pytest.mark.parametrize("call", ["exec", "io_uring", "ptrace", "process_vm_readv", "bpf", "userfaultfd"])
def test_no_other_program_can_be_started_read_or_asked_to_act(tried: dict[str, Any], call: str) -> None:
    assert tried[call] == "EPERM"


@pytest.mark.shows("privacy:worker-no-network")
@linux
def test_privileges_cannot_be_gained(tried: dict[str, Any]) -> None:
    assert tried["no_new_privs"] == "1"


def landlocked(tried: dict[str, Any]) -> None:
    if any(s.startswith(NOT_ENFORCED) for s in tried["said"]):
        pytest.skip(f"this kernel has no Landlock: {tried['said']}")


@linux
def test_recordings_and_the_model_can_be_read(tried: dict[str, Any]) -> None:
    assert tried["read allowed"] == tried["read model"] == "yes"


@pytest.mark.shows("privacy:worker-files")
@linux
@pytest.mark.parametrize("what", ["read other", "list other", "read by ..", "read passwd"])
def test_no_other_file_can_be_read(tried: dict[str, Any], what: str) -> None:
    landlocked(tried)
    assert tried[what] == "EACCES"


@pytest.mark.shows("privacy:worker-files")
@linux
@pytest.mark.parametrize(
    "what", ["write allowed", "change allowed", "delete allowed", "write tmp", "write null"]
)
def test_nothing_can_be_written_not_even_among_the_recordings(tried: dict[str, Any], what: str) -> None:
    assert tried[what] == "EPERM"
    assert (tried["folder"] / "recordings" / "a.wav").read_bytes() == b"RIFF"


@linux
@pytest.mark.speech
def test_a_real_recording_is_transcribed_behind_shut_doors(tmp_path: Path) -> None:
    with WorkerProcess([SAMPLE.parent], sandbox="require") as worker:
        ready = worker.ready()
        assert any("seccomp" in sentence for sentence in ready.sandbox)
        assert word_error_rate(sample_reference(), worker.transcribe(SAMPLE).text) < 0.05
        outside = tmp_path / "elsewhere.m4a"
        outside.write_bytes(SAMPLE.read_bytes())
        if not any(s.startswith(NOT_ENFORCED) for s in ready.sandbox):
            failed = worker.transcribe(outside).failed
            assert "may not be read" in failed.sentence


@linux
@pytest.mark.skipif(
    not Path("/usr/bin/setpriv").exists() or os.geteuid() != 0, reason="needs root and setpriv"
)
def test_an_ordinary_user_can_shut_the_doors_too() -> None:
    python = Path(sys.executable)
    code = (
        "from pathlib import Path; from earmark.locality.confinement.sandbox import *; "
        "print(shut_the_doors([], None, 'require'), network_is_shut())"
    )
    other = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(python), "-c"]
    if subprocess.run([*other, "import earmark"], capture_output=True, cwd="/").returncode != 0:
        pytest.skip("this Python or this checkout lies where another user may not read")
    done = subprocess.run([*other, code], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("True")


@linux
@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_where_a_gpu_may_be_used_cudas_calls_are_left_and_no_file_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    code = (
        "import errno, os, socket, sys; from pathlib import Path\n"
        "from earmark.locality.confinement.sandbox import shut_the_doors\n"
        "print(shut_the_doors([Path(sys.argv[1]).parent], None, 'require', gpu=True)[1])\n"
        "line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); line.bind('\\0cuda-uvmfd'); line.listen()\n"
        "Path('/proc/self/task', str(os.getpid()), 'comm').write_text('cuda')\n"
        "name = sys.argv[1]\n"
        "for act in (lambda: os.open(name, os.O_RDWR), lambda: os.open(name + '2', os.O_WRONLY | os.O_CREAT),\n"
        "            lambda: os.unlink(name), lambda: os.chmod(name, 0o600), lambda: line.accept(),\n"
        "            lambda: line.connect('x'), lambda: socket.socket(), os.fork):\n"
        "    try: act(); print('possible')\n"
        "    except OSError as error: print(errno.errorcode[error.errno])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.wav")], capture_output=True, text=True, timeout=60
    )
    said, *rest = done.stdout.splitlines()
    assert "CUDA's among them" in said
    assert rest == ["EACCES", "EACCES", "ENOENT", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM"], done.stderr


@pytest.mark.parametrize(("device", "may"), [("cpu", False), ("cuda", True), ("auto", False)])
def test_only_a_worker_that_may_use_a_gpu_gets_its_calls(device: str, may: bool) -> None:
    if Path("/dev/nvidiactl").exists() and device == "auto":
        pytest.skip("this machine has an NVIDIA GPU")
    assert may_use_gpu(device) is may


def test_turned_off_says_that_nothing_is_enforced() -> None:
    with WorkerProcess([SAMPLE.parent], sandbox="off") as worker:
        (sentence,) = worker.ready().sandbox
    assert sentence.startswith(NOT_ENFORCED)
