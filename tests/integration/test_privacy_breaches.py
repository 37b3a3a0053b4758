"""`earmark privacy check` against daemons into which breaches were planted (tests/planted/sitecustomize.py).

Each row of the table names a breach, the claim that has to fail, and what the check has to say of it. Rows share a daemon
where one breach does not hide another.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
from earmark.config import load_config
from earmark.paths import platform_home
from earmark.proof.outcome import Outcome
from earmark.proof.running.descriptors import is_stopped
from earmark.proof.running.holdings import Others, holdings, names_of
from earmark.proof.running.prove import Running
from earmark.proof.running.watching import Watcher
from earmark.report import read_report

from tests.conftest import QUICK, Installation, wait_for
from tests.daemon_rig import without_privileges
from tests.stub_server import LlamaCpp, running

PLANTED = Path(__file__).resolve().parents[1] / "planted"


def _can_follow() -> bool:
    """Whether system calls of another process may be followed here."""
    from earmark.proof.running import ptrace

    if sys.platform != "linux":
        return False
    with subprocess.Popen(["sleep", "5"]) as other:
        try:
            ptrace.seize(other.pid)
        except OSError:
            return False
        finally:
            other.kill()
    return os.geteuid() == 0


pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux", reason="processes are looked into by /proc and ptrace, which are Linux's"
    ),
]
follows = pytest.mark.skipif(not _can_follow(), reason="only root may follow the daemon's system calls")


@contextmanager
def daemon(root: Path, config: str = QUICK, **planted: list[str]) -> Iterator[Installation]:
    """A real daemon with a quick speech model and these breaches in its processes."""
    made = Installation(root)
    made.folder.mkdir()
    made.configure(config)
    (root / "home" / "planted.json").write_text(json.dumps({"quick": [], **planted}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PLANTED))
        patch.setenv("TMPDIR", str(root / "tmp"))
        (root / "tmp").mkdir()
        made.daemon()
    try:
        yield made
    finally:
        for process in made.started:
            process.kill()
            process.wait(10)


def watched(
    made: Installation, *, follow: bool = True, wait: float = 60.0, recording: bool = True
) -> list[Outcome]:
    """What the check says of the running daemon."""
    return list(running_proof(made, follow=follow, wait=wait).prove(recording))


def running_proof(made: Installation, *, follow: bool = True, wait: float = 60.0) -> Running:
    home = platform_home({"EARMARK_HOME": str(made.root / "home")})
    report = wait_for(lambda: read_report(home.status_file), 20, "the daemon's report")
    return Running(
        load_config(home.config_file), home, report, Watcher(report.pid), wait, lambda _: None, follow
    )


@dataclass(frozen=True)
class Row:
    """A breach, the claim that fails, and what is said of it."""

    breach: str
    claim: str
    said: str

    def __str__(self) -> str:
        return self.breach


def missed(rows: list[Row], found: list[Outcome]) -> list[Row]:
    """Rows whose claim did not fail, or failed without saying it."""
    failed = [(o.claim, o.detail) for o in found if o.held is False]
    return [
        row
        for row in rows
        if not any(re.search(row.claim, claim) and re.search(row.said, detail) for claim, detail in failed)
    ]


SOCKETS, FILES, WORDS = (
    "opens no socket but",
    "write to the drop folders and the state",
    "are written to its notes",
)
HELD = "have nothing open that leads elsewhere"
NAMES, PROGRAMS, LIE = "in no command line", "starts its workers and no other", "lie in no other file"

SUPERVISOR = [
    Row("udp", SOCKETS, r"sent to 127\.0\.0\.1:9"),
    Row("lookup", SOCKETS, r"opened a socket \(AF_INET"),
    Row("open_line", SOCKETS, r"had a socket: udp 192\.0\.2\.1:9"),
    Row("forked_child", SOCKETS, r"connected to 127\.0\.0\.1:9"),
    Row("unix_datagram", SOCKETS, r"sent to unix .*/bus"),
    Row("temp", FILES, r"wrote .*/tmp/breach-"),
    Row("temp", WORDS, r"to .*/tmp/breach-"),
    Row("shared_memory", FILES, r"wrote /dev/shm/breach-"),
    Row("shared_memory", WORDS, r"to /dev/shm/breach-"),
    Row("memory_segment", FILES, r"used shmget"),
    Row("log", "in no log line", r"logged “good morning everyone”"),
    Row("status", WORDS, r"to .*/status\.json"),
    Row("state_file", WORDS, r"to .*/state/debug\.txt"),
    Row("state_file", LIE, r"is in .*/state/debug\.txt"),
    # Nothing was transcribed before the check's own recording.
    Row("state_file", "in the ledger and nowhere else", r"found in debug\.txt"),
    Row("drop_folder", LIE, r"is in .*/Recordings/copy\.txt"),
    Row("drop_folder", FILES, r"wrote .*/Recordings/copy\.txt"),
    Row("file_name", NAMES, r"in the name .*/state/Good_morning"),
    Row("program", PROGRAMS, r"/bin/true"),
    Row("knock", "running knock .* looks only whether", r"told to look at 127\.0\.0\.1:9; it connected to"),
    Row("argument", PROGRAMS, r"python\S* -c pass"),
    Row("argument", NAMES, r"in the command line of"),
    Row("environment", NAMES, r"in the environment of"),
    Row("title", NAMES, r"“broken lanterns” was in the name"),
    Row("kept_line", HELD, r"descriptor \d+, a unix socket to .*/bus"),
    Row("kept_pipe", HELD, r"descriptor \d+, a pipe that \S+ \(pid \d+\) reads"),
    Row("kept_memory", HELD, r"memory that it shares by .*/tmp/memory"),
    Row("kept_counter", HELD, r"descriptor \d+ \(anon_inode:\[eventfd\]\) in common with \S+ \(pid \d+\)"),
    Row("kept_place", HELD, r"descriptor \d+ \(.*/planted\.json\) in common with \S+ \(pid \d+\)"),
    Row("kept_pipe", HELD, r"wrote to a pipe that \S+ \(pid \d+\) reads"),
    Row("pipe_by_path", FILES, r"wrote pipe:\["),
    Row("named_pipe", FILES, r"wrote the named pipe .*/state/pipe, which \S+ \(pid \d+\) reads"),
    Row(
        "named_pipe_beside",
        FILES,
        r"wrote the named pipe .*/Recordings/\.earmark-\S+\.tmp\.z\.md( \(deleted\))?;",
    ),
    Row("kept_named_pipe", HELD, r"can write to the named pipe .*/state/pipe, which \S+ \(pid \d+\) reads"),
    Row("device", FILES, r"wrote the device .*/state/device"),
    Row("times_by_link", FILES, r"changed .*/home/linked"),
    Row("passed_on", FILES, "used SCM_RIGHTS"),
    Row("place_of_a_lock", FILES, r"used a lock on bytes \d{15,} to \d{15,} of .*/state/planted\.lock"),
    Row("limits", FILES, "used RLIMIT_SIGPENDING"),
    Row("attributes_beside", FILES, r"changed the times of .*/Recordings/.*\.m4a"),
    Row("attributes_beside", FILES, r"changed who may use .*/Recordings/.*\.m4a"),
    Row("own_file_of_proc", FILES, r"wrote /proc/\d+/oom_score_adj"),
    Row("memory_name", NAMES, "“lanterns before” was in the name of memory of pid"),
    Row("timer_slack", FILES, "used prctl 29"),
    Row("other_families", SOCKETS, r"AF_NETLINK raw.*AF_ALG packets.*AF_VSOCK stream"),
    Row("abstract_name", SOCKETS, "sent to unix @earmark-planted"),
    Row("attribute", FILES, "used setxattr"),
    Row("keystroke", FILES, "used ioctl 0x5412|wrote /dev/ptmx"),
    Row("asks_for", NAMES, "looked for “good morning everyone” by the name .*/mnt/Good morning"),
    Row("own_file_of_memory", FILES, "used memfd_create"),
    Row("hidden_copy", WORDS, r"to .*/Recordings/\.earmark-0123456789abcdef\.tmp\.x\.md"),
    Row("ledger_copy", WORDS, r"to .*/state/ledger\.db-copy"),
    Row("byte_code", FILES, r"wrote .*/__pycache__/x\.pyc"),
    Row("times", FILES, r"changed .*/home/bus"),
    Row("folder_names", NAMES, r"“good morning” was in the name .*/state/cache/Good/morning"),
    Row("few_words", WORDS, r"“lanterns before breakfast” to .*/Recordings/\.earmark-0{14}14\.tmp\.y\.md"),
    Row("seldom_call", FILES, r"used personality"),
    Row("message_queue", FILES, r"used msgsnd"),
    *([Row("key", FILES, "used keyctl")] if platform.machine() == "x86_64" else []),
    Row(
        "folders", "says itself that it is this process", r"watches .*/other, which neither its command line"
    ),
    Row("core", "leaves no core file", r"leaves core files"),
    Row("dumpable", "leaves no core file", r"PR_SET_DUMPABLE"),
    Row("hollow filter", "transcription worker .* is held", "its filter lets through: IPv4 sockets"),
    Row("hollow filter", "transcription worker .* is held", "its filter is not the one that earmark makes"),
    Row("hole", "transcription worker .* is held", "its Landlock leaves it /(;|$)"),
    Row("hole", "transcription worker .* is held", r"it read .*/config\.toml, which its Landlock should not"),
    # Its summarization worker shuts the network only, which a running process does not show to /proc.
    Row("files open", "summarization worker .* is held", "no Landlock"),
    Row("stays dumpable", "summarization worker .* is held", "others can read its memory"),
]


@contextmanager
def open_to_read(pipe: Path) -> Iterator[None]:
    """What another program of this machine does with a named pipe."""
    fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
    finally:
        os.close(fd)


@pytest.mark.shows("privacy:running-daemon", "privacy:running-daemon-as-root", "privacy:open")
@follows
def test_each_breach_in_the_daemon_is_noticed_by_the_claim_that_it_breaks(tmp_path: Path) -> None:
    """All of them in one daemon, by the command line that people use."""
    breaches = list(dict.fromkeys(row.breach for row in SUPERVISOR[:-6]))
    hollow, half = ["hollow filter", "hole"], ["files open", "stays dumpable"]
    state = tmp_path / "home" / "state"
    state.mkdir(parents=True, mode=0o700)
    (tmp_path / "other").mkdir()
    (state / "link").symlink_to(tmp_path / "home" / "linked")
    (tmp_path / "home" / "linked").touch()
    os.mkfifo(state / "pipe", 0o600)
    os.mknod(state / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))  # as /dev/null is
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bus,
        open_to_read(state / "pipe"),
    ):
        bus.bind(os.path.relpath(tmp_path / "home" / "bus"))
        with daemon(tmp_path, daemon=breaches, transcription=hollow, summarization=half) as made:
            done = made.earmark("privacy", "check", "--json", timeout=300)
    found = [Outcome(**claim) for claim in json.loads(done.stdout)["claims"]]
    assert missed(SUPERVISOR, found) == [], found
    assert done.returncode == 1


@pytest.mark.shows("privacy:open")
def test_another_program_that_reads_the_log_by_a_named_pipe_is_named(tmp_path: Path) -> None:
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    with open_to_read(pipe), pipe.open("wb") as log, subprocess.Popen(["sleep", "9"], stdout=log) as one:
        found = holdings(one.pid, Others.now([one.pid]), {str(pipe)})
        one.kill()
    assert [str(thing) for thing in found or () if thing.kind == "log"] == [
        f"its stdout is a pipe to {names_of([os.getpid()])}"
    ]


SHARES = """
import ctypes, mmap, sys
file = open(sys.argv[1], "w+b")
file.truncate(4096)
shared = mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
file.close()
libc = ctypes.CDLL(None)
stack = ctypes.create_string_buffer(1 << 16)
top = ctypes.c_void_p(ctypes.addressof(stack) + (1 << 16) - 64)
print(libc.clone(libc.pause, top, 0x100 | 0x8000 | 17, None), flush=True)  # CLONE_VM, CLONE_PARENT, SIGCHLD
input()
"""


@pytest.mark.shows("privacy:open")
@follows
def test_memory_that_can_be_written_for_a_moment_and_a_process_with_the_same_memory_are_named(
    tmp_path: Path,
) -> None:
    """No system call that is followed shows it: the file is closed, and the process is nobody's child."""
    file = tmp_path / "memory"
    with subprocess.Popen(
        [sys.executable, "-c", SHARES, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as one:
        assert one.stdout is not None
        twin = int(one.stdout.readline())
        found = [str(thing) for thing in holdings(one.pid, Others.now([one.pid]), set()) or ()]
        named = names_of([twin])
        os.kill(twin, signal.SIGKILL)
        os.waitpid(twin, 0)
        one.communicate(b"\n")
    assert f"memory that it shares by {file}" in found
    assert f"all of its memory in common with {named}" in found


WORKERS = [
    Row("never shuts", "running transcription worker .* is held", "no system-call filter"),
    Row("line", "has no socket and sends nothing", r"aimed at 192\.0\.2\.1:9"),
    Row("line", "has no socket and sends nothing", r"opened a socket \(AF_INET datagram\)"),
    Row("shm", FILES, r"the transcription worker wrote /dev/shm/breach-"),
    Row("summary never shuts", "running summarization worker .* is held", "no system-call filter"),
    Row("summary never shuts", "with its helpers", r"opened a socket itself \(AF_INET stream\)"),
    Row("child", PROGRAMS, r"the transcription worker started pid \d+"),
    Row("child", PROGRAMS, r"the summarization worker started pid \d+"),
    Row("second address", "with its helpers", r"connected to 127\.0\.0\.1:{second}"),
]


@pytest.mark.shows("privacy:running-daemon", "privacy:running-daemon-as-root", "readme:network-given-up")
@follows
def test_each_breach_in_a_worker_is_noticed_by_the_claim_that_it_breaks(tmp_path: Path) -> None:
    with running(LlamaCpp()) as stub, socket.create_server(("127.0.0.1", 0)) as second:
        port = int(second.getsockname()[1])
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "second").write_text(str(port))
        config = QUICK.replace("'none'", f"'{stub.url}'")
        breaches: dict[str, list[str]] = {
            "transcription": ["never shuts", "line", "shm", "child"],
            "summarization": ["never shuts", "second address", "child"],
        }  # fmt: skip
        with daemon(tmp_path, config, **breaches) as made:
            found = watched(made)
    rows = [replace(row, said=row.said.replace("{second}", str(port))) for row in WORKERS]
    assert missed(rows, found) == [], found


@pytest.mark.shows("privacy:plain-user")
def test_a_plain_users_check_notices_what_it_can_see_and_says_what_it_cannot(tmp_path: Path) -> None:
    """It has no right to follow calls or to look at descriptors. The daemon was started without a sandbox, and its
    configuration was changed back.
    """
    breaches = ["temp_that_stays", "log", "state_file", "argument", "file_name", "udp"]
    with daemon(tmp_path, QUICK + '[transcription]\nsandbox = "off"\n', daemon=breaches) as made:
        made.configure(QUICK)
        found = without_rights(made)
    rows = [
        Row("sandbox off", "transcription worker .* is held", "no system-call filter"),
        Row("temp_that_stays", LIE, r"is in .*/tmp/breach-"),
        Row("state_file", LIE, r"is in .*/state/debug\.txt"),
        Row("file_name", LIE, "in the name of"),
        # The daemon keeps account of its sockets itself, closed ones too.
        Row("udp", SOCKETS, "says itself that it had AF_INET"),
    ]
    assert missed(rows, found) == [], found
    files = next(o for o in found if FILES in o.claim)
    assert files.held is None
    assert "cannot be followed" in files.detail


def _no_more_than_a_user() -> None:
    """Give up all capabilities, for what is started from here, too."""
    if os.geteuid() == 0:
        for capability in range(64):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
        without_privileges()


def without_rights(made: Installation) -> list[Outcome]:
    """The check by a process that may do no more than any other of this user."""
    here = "from tests.integration.test_privacy_breaches import *; print_watched(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", here, str(made.root)],
        env=os.environ | {"TMPDIR": str(made.root / "tmp")}, cwd=PLANTED.parents[1],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        preexec_fn=_no_more_than_a_user,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Outcome(**claim) for claim in json.loads(done.stdout)]


def print_watched(root: str) -> None:
    """For a process of its own."""
    print(json.dumps([asdict(outcome) for outcome in watched(Installation(Path(root)))]))  # noqa: T201


def others_may_read(folder: Path) -> None:
    """Somebody else (uid 1) may read what is made in this folder, by its default list (acl(5))."""
    everybody, nobody = 0xFFFFFFFF, 0
    entries = [
        (0x01, 7, everybody),
        (0x02, 4, 1),
        (0x04, 5, everybody),
        (0x10, 5, everybody),
        (0x20, nobody, everybody),
    ]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(folder, "system.posix_acl_default", value)


@pytest.mark.shows("privacy:running-daemon", "privacy:running-daemon-as-root")
@pytest.mark.speech
def test_a_sound_daemon_passes_while_it_works_with_a_server_and_nothing_of_the_check_stays(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything real: speech, a summary by a server on loopback, the door, formats beside the notes, an access-control
    list that they inherit. Meanwhile it hears the sample that earmark ships, in which the same is said. The temporary
    folder's path is too long for a socket.
    """
    with contextlib.suppress(OSError):  # not every file system has such lists
        others_may_read(installation.folder)
    temporary = installation.root / ("temporary files " * 6)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running(LlamaCpp()) as stub:
        url = stub.url.replace("127.0.0.1", "localhost")
        installation.configure(QUICK.replace("'none'", f"'{url}'") + "[notes]\nformats = ['srt', 'json']\n")
        process = installation.daemon()
        installation.drop("mine.m4a")
        done = installation.earmark("privacy", "check", "--json", timeout=300)
        assert ("POST", "/v1/chat/completions") in stub.paths
        assert installation.stop(process) == 0
    found = [Outcome(**claim) for claim in json.loads(done.stdout)["claims"]]
    assert {o.claim: o.detail for o in found if o.held is False} == {}
    assert done.returncode == 0
    assert {p.name.partition(".")[0] for p in installation.folder.iterdir()} == {"mine"}
    heard = next(o for o in found if "heard and summarized a recording" in o.claim)
    assert heard.held is True
    assert f"pid {process.pid}" in heard.claim
    if _can_follow():
        running_ones = [o for o in found if "unning" in o.claim]
        assert len(running_ones) > 10
        assert [o for o in found if o.held is None] == []


@pytest.mark.shows("privacy:too-busy", "privacy:json")
def test_a_daemon_that_is_busy_is_said_to_be_and_the_exit_status_is_3(tmp_path: Path) -> None:
    with daemon(tmp_path, QUICK + "[transcription]\nworkers = 1\n") as made:
        pause = made.folder / "pause"
        pause.touch()
        made.drop("long.m4a")
        wait_for(
            lambda: (report := read_report(made.state / "status.json")) and report.working, 30, "the work"
        )
        done = made.earmark("privacy", "check", "--wait", "2", "--json")
        made.started[0].send_signal(signal.SIGSTOP)
        proof = running_proof(made, wait=0.2)
        stopped = [o.detail for o in proof.prove() if o.later]
        pause.unlink()
        names = [p.name for p in made.folder.iterdir()]
    assert done.returncode == 3, done.stdout
    said = json.loads(done.stdout)
    assert set(said) == {"version", "passed", "claims"}
    assert {tuple(claim) for claim in said["claims"]} == {("claim", "held", "detail", "later")}
    (later,) = [c for c in said["claims"] if c["later"]]
    assert later["held"] is None
    assert "long.m4a" in later["detail"]
    assert stopped == [
        f"not within 0 s: the daemon is stopped (SIGSTOP); kill -CONT {proof.report.pid} lets it go on"
    ]
    assert [name for name in names if "privacy check" in name] == []


@pytest.mark.shows("privacy:too-busy")
@pytest.mark.parametrize("followed", [False, pytest.param(True, marks=follows)])
def test_a_daemon_that_somebody_stopped_is_said_to_be_stopped(followed: bool) -> None:
    from earmark.proof.running import ptrace

    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            if followed:
                ptrace.seize(other.pid)
                other.send_signal(signal.SIGSTOP)
                os.waitpid(other.pid, ptrace.WAIT_ALL)
                ptrace.stay_stopped(other.pid)
            else:
                other.send_signal(signal.SIGSTOP)
            wait_for(lambda: is_stopped(other.pid), 20)
        finally:
            other.kill()
    assert not is_stopped(os.getpid())


@pytest.mark.shows("privacy:ended-check")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_check_that_is_ended_takes_its_recording_away_and_another_waits_for_its_turn(
    tmp_path: Path, number: signal.Signals
) -> None:
    with daemon(tmp_path) as made:
        pause = made.folder / "pause"
        pause.touch()
        going = subprocess.Popen(
            [sys.executable, "-m", "earmark", "privacy", "check"],
            env=made.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: list(made.folder.glob("earmark privacy check *.m4a")), 30, "the recording")
        second = made.earmark("privacy", "check", "--no-recording")
        going.send_signal(number)
        going.wait(60)
        left = sorted(path.name for path in made.folder.iterdir())
    assert "Another privacy check" in second.stderr
    assert second.returncode == 75
    assert left == ["pause"]
    assert going.returncode != 0


@pytest.mark.shows("privacy:ended-check")
def test_a_recording_of_a_check_that_was_killed_is_erased_by_the_next_one(tmp_path: Path) -> None:
    from earmark.proof.running import recording

    with daemon(tmp_path) as made:
        left = recording.drop(made.folder).path.rename(
            made.folder / "earmark privacy check 2026-01-02 030405.m4a"
        )
        wait_for(lambda: left.with_suffix(".md").exists(), 30, "its note")
        other = made.folder / "earmark privacy check 2026-01-02 030406.m4a"
        other.write_bytes(b"of somebody who likes the name")
        done = made.earmark("privacy", "check", "--wait", "60")
        names = sorted(path.name for path in made.folder.iterdir())
    assert f"{left} of an earlier check" in done.stderr.replace("\n", "")
    assert other.name in names
    assert not [name for name in names if name.startswith(left.stem)]
