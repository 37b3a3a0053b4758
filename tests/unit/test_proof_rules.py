"""The judge of `earmark privacy check`, by what it might see: pure functions, no daemon."""

from __future__ import annotations

import json
import os
import resource
import socket
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from earmark.config import Config
from earmark.locality.confinement import door
from earmark.locality.policy.consent import Consent, fingerprint, written
from earmark.power import CAFFEINATE, awake_command
from earmark.proof.running.filters import MUST_REFUSE, not_refused
from earmark.proof.running.folders import untold
from earmark.proof.running.heard import heard
from earmark.proof.running.holder import holder_of
from earmark.proof.running.holdings import Holding, Others, names_of
from earmark.proof.running.leads import Leads, nameservers
from earmark.proof.running.manager import manager_of
from earmark.proof.running.noting import Notes, Thread
from earmark.proof.running.own_numbers import limit_told, lock_told
from earmark.proof.running.prove import why_not_now
from earmark.proof.running.reach import Reach
from earmark.proof.running.roles import SUMMARIZER, TRANSCRIBER
from earmark.proof.running.rules import Judge
from earmark.proof.running.seen import PASSED_ON, Act, Process, Seen
from earmark.proof.running.setting import Setting
from earmark.proof.running.structs import address_of
from earmark.proof.running.whereabouts import Found, words_stay
from earmark.proof.running.words import IN_NAMES, found_in, runs_of

from tests.conftest import wait_for

SAID = "We decided to move the release to the tenth of March. Anna brings the café’s ledger."
RUNS = runs_of([SAID])


@pytest.mark.parametrize(
    "text",
    [
        'x "decided to move" y',
        "DECIDED_TO_MOVE",
        "decided\nto\tmove",
        json.dumps({"heard": SAID}),
        quote(SAID),
        "brings the café",
    ],
)
def test_words_are_found_whatever_stands_between_them(text: str) -> None:
    assert found_in(text, RUNS)


@pytest.mark.parametrize("text", ["to the tenth", "decided that the release", "", "move", "to%20the%20tenth"])
def test_words_that_anybody_says_are_nothing_strange(text: str) -> None:
    assert found_in(text, RUNS) is None


def test_in_names_two_words_are_enough() -> None:
    assert found_in("café’s-ledger.txt", RUNS) is None
    assert found_in("the release.txt", RUNS, IN_NAMES) == "the release"


def _steps(*steps: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


ALLOW, REFUSE = (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)


def test_a_filter_that_allows_everything_refuses_nothing() -> None:
    assert set(not_refused([_steps(ALLOW)])) == set(MUST_REFUSE)
    assert set(not_refused([])) == set(MUST_REFUSE)


def test_a_program_that_cannot_be_understood_refuses_nothing() -> None:
    for code in (b"", b"\xff" * 8, _steps((0x05, 0, 0, 99)), _steps((0x20, 0, 0, 4096), REFUSE)):
        assert set(not_refused([code])) == set(MUST_REFUSE)


def test_filters_are_run_for_their_calls_and_add_up() -> None:
    """Refuse one call by its number, and everything but that in a second filter."""
    from earmark.proof.running.calls import NAMES

    number = next(n for n, name in NAMES.items() if name == "connect")
    one = _steps((0x20, 0, 0, 0), (0x15, 0, 1, number), REFUSE, ALLOW)
    rest = _steps((0x20, 0, 0, 0), (0x15, 1, 0, number), REFUSE, ALLOW)
    assert "connecting" not in not_refused([one])
    assert "starting a program" in not_refused([one])
    assert not_refused([rest]) == ["connecting"]
    assert not_refused([one, rest]) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (struct.pack("=H", 2) + struct.pack("!H", 53) + bytes([192, 0, 2, 1]), "192.0.2.1:53"),
        (struct.pack("=H", 10) + struct.pack("!H", 80) + bytes(4) + bytes(15) + b"\x01", "[::1]:80"),
        (struct.pack("=H", 1) + b"/run/x\0rest", "unix /run/x"),
        (struct.pack("=H", 1) + b"/run/nscd/../../tmp//x\0", "unix /tmp/x"),
        (struct.pack("=H", 1) + b"bus\0", "unix bus"),
        (struct.pack("=H", 1) + b"\0name", "unix @name"),
        (struct.pack("=H", 40) + bytes(14), "AF_VSOCK"),
        (b"", "nothing"),
    ],
)
def test_an_address_is_read_as_the_kernel_reads_it(data: bytes, said: str) -> None:
    assert address_of(data) == said


def test_no_recording_is_dropped_where_a_rule_might_count_it() -> None:
    rules = Config.model_validate({"retention": {"audio": {"keep_last": 3}}})
    assert "a sweep is due" in why_not_now(rules, 1100.0, 1000.0, 60.0)
    assert why_not_now(rules, 1130.0, 1000.0, 60.0) == ""
    assert why_not_now(Config(), 1100.0, 1000.0, 60.0) == ""


def judge_of(
    *acts: tuple[int, str, str, bool],
    manager: str = "/run/notify",
    held: tuple[Holding, ...] = (),
    full: bool = False,
) -> Judge:
    """Of a daemon (1), its summarization worker (2) and the door (3) that did this. `held`: what the daemon has open."""
    python = "/usr/bin/python3"
    seen = Seen(True, "", began=0.0, ended=1.0)
    for pid, parent, arguments in (
        (1, 0, (python, "-m", "earmark", "run")),
        (2, 1, (python, "-m", "earmark.summarization.worker")),
        (3, 2, (python, "-I", "-S", "-B", door.__file__, "5", "127.0.0.1:8080")),
    ):
        seen.processes[pid] = Process(pid, parent, arguments, python, looks=1)
    seen.acts = [Act(i, *act) for i, act in enumerate(acts)]
    setting = Setting(1, (Path("/drop"),), Path("/state"), (("127.0.0.1", 8080),), manager=manager)
    seen.processes[1].held, seen.full = list(held), full
    return Judge(seen, setting)


def test_what_keeps_a_mac_awake_is_known_and_another_program_of_that_name_is_not() -> None:
    def programs(
        *arguments: str, program: str = CAFFEINATE, parent: int = 1, act: str = ""
    ) -> tuple[bool | None, str]:
        judge = judge_of(*([(9, act, "AF_INET 1", True)] if act else []))
        judge.seen.processes[9] = Process(9, parent, arguments, program, looks=1)
        found = Judge(judge.seen, judge.setting)._programs()
        return found.held, found.detail

    assert programs(*awake_command(1))[0] is True
    assert programs(*awake_command(2))[0] is False, "for another process"
    assert programs(*awake_command(1), program="/tmp/caffeinate")[0] is False
    assert programs(*awake_command(1), parent=2)[0] is False, "of a worker"
    held, detail = programs(*awake_command(1), act="socket")
    assert (held, "caffeinate of macOS (pid 9): it opened a socket" in detail) == (False, True)


def judged(*acts: tuple[int, str, str, bool], held: tuple[Holding, ...] = ()) -> dict[str, str]:
    """Failed claims and why."""
    return {o.claim: o.detail for o in judge_of(*acts, held=held).claims() if o.held is False}


@pytest.mark.parametrize(
    "act",
    [
        (1, "connect", "unix /run/notify", True),
        (1, "send", "unix /run/notify", True),
        (1, "connect", "unix /run/nscd/socket", True),
        (1, "opened", "/state/ledger.db-wal", True),
        (1, "opened", "/drop/.earmark-0123456789abcdef.tmp", True),
        (1, "named", "/drop/standup.md", True),
        (1, "opened", "/tmp/x", False),
        (2, "aim", "127.0.0.1:8080", True),
        (2, "socket", "AF_INET 1", False),
        (3, "connect", "127.0.0.1:8080", True),
        (3, "connect", "[::ffff:127.0.0.1]:8080", True),
        (1, "wrote", "/state/status.json", True),
        (1, "wrote", "/drop/.earmark-0123456789abcdef.tmp (deleted)", True),
        (1, "changed", "/drop/.earmark-0123456789abcdef.tmp", True),
        (1, "mapped", "/state/ledger.db-shm", True),
        (1, "wrote", "/proc/1/comm", True),
        (1, "wrote", "/proc/1/task/7/comm", True),
        (1, "access", "/drop/.earmark-0123456789abcdef.tmp", True),
        (1, "access", "/state/ledger.db", True),
        (2, "odd", "RLIMIT_AS", True),
        (1, "odd", "msgsnd", False),
        (3, "odd", PASSED_ON, True),
    ],
)
def test_what_the_daemon_has_to_do_is_no_breach(act: tuple[int, str, str, bool]) -> None:
    assert judged(act) == {}


@pytest.mark.parametrize(
    ("act", "claim", "said"),
    [
        ((1, "socket", "AF_INET 2", False), "opens no socket", "opened a socket (AF_INET datagram)"),
        ((1, "connect", "unix /run/dbus", True), "opens no socket", "unix /run/dbus"),
        ((1, "opened", "/tmp/x", True), "write to the drop folders", "the supervisor wrote /tmp/x"),
        ((1, "wrote", "/tmp/x", True), "write to the drop folders", "the supervisor wrote /tmp/x"),
        ((1, "wrote", "/proc/7/mem", True), "write to the drop folders", "wrote /proc/7/mem"),
        ((1, "wrote", "/proc/1/loginuid", True), "write to the drop folders", "wrote /proc/1/loginuid"),
        (
            (1, "access", "/drop/standup.m4a", True),
            "write to the drop folders",
            "changed who may use /drop/standup.m4a",
        ),
        (
            (1, "dated", "/state/ledger.db", True),
            "write to the drop folders",
            "changed the times of /state/ledger.db",
        ),
        ((1, "odd", "RLIMIT_AS", True), "write to the drop folders", "the supervisor used RLIMIT_AS"),
        ((1, "wrote", "/dev/nullx", True), "write to the drop folders", "wrote /dev/nullx"),
        (
            (1, "opened", "/tmp/__pycache__/x.pyc", True),
            "write to the drop folders",
            "/tmp/__pycache__/x.pyc",
        ),
        ((1, "changed", "/tmp/x", True), "write to the drop folders", "the supervisor changed /tmp/x"),
        (
            (1, "mapped", "/state/ledger.db-copy", True),
            "write to the drop folders",
            "shares memory by /state/",
        ),
        ((1, "odd", "accept4", True), "write to the drop folders", "used accept4"),
        (
            (2, "changed", "/drop/standup.m4a", True),
            "write to the drop folders",
            "the summarization worker changed",
        ),
        ((1, "opened", "/drop/copy.txt", True), "write to the drop folders", "/drop/copy.txt"),
        (
            (2, "opened", "/state/ledger.db", True),
            "write to the drop folders",
            "the summarization worker wrote",
        ),
        (
            (3, "connect", "127.0.0.1:8081", True),
            "reaches 127.0.0.1 port 8080",
            "connected to 127.0.0.1:8081",
        ),
        (
            (3, "connect", "192.0.2.1:8080", True),
            "reaches 127.0.0.1 port 8080",
            "connected to 192.0.2.1:8080",
        ),
        ((2, "send", "127.0.0.1:53", True), "reaches 127.0.0.1 port 8080", "sent to 127.0.0.1:53"),
        ((1, "program", "/usr/bin/curl", True), "no other program", "started /usr/bin/curl"),
        ((1, "odd", "RLIMIT_CORE", True), "no core file", "RLIMIT_CORE"),
        (
            (2, "odd", PASSED_ON, True),
            "write to the drop folders",
            "the summarization worker used SCM_RIGHTS",
        ),
        (
            (1, "wrote", "the named pipe /state/x", True),
            "write to the drop folders",
            "the named pipe /state/x",
        ),
        (
            (1, "mapped", "the device /state/ledger.db-shm", True),
            "write to the drop folders",
            "by the device",
        ),
        ((1, "opened", "pipe:[7]", True), "write to the drop folders", "the supervisor wrote pipe:[7]"),
        (
            (1, "piped", "a pipe that sh (pid 7) reads", True),
            "nothing open",
            "wrote to a pipe that sh (pid 7) reads",
        ),
    ],
)
def test_what_it_may_not_do_fails_the_claim_that_says_so(
    act: tuple[int, str, str, bool], claim: str, said: str
) -> None:
    failed = judged(act)
    assert [d for c, d in failed.items() if claim in c and said in d], failed


@pytest.mark.parametrize(("named", "told"), [(False, True), (True, False)])
def test_a_door_that_leads_elsewhere_than_the_configuration_is_told_before_it_connects(
    named: bool, told: bool
) -> None:
    """The daemon was started with another configuration, which was changed back."""
    judge = judge_of()
    judge.setting = replace(judge.setting, pinned=(("127.0.0.1", 9999),), named=named)
    failed = [o.detail for o in judge.claims() if o.held is False]
    assert [detail for detail in failed if "its door leads to 127.0.0.1:8080" in detail] == failed
    assert bool(failed) is told


NAMED = {"pinned": (("198.51.100.7", 443),), "named": True, "within": ("cloud", 443)}


@pytest.mark.shows("privacy:rotating-name")
@pytest.mark.parametrize(
    ("where", "within", "held"),
    [
        ("198.51.100.7:443", "cloud", True),
        ("198.51.100.9:443", "cloud", None),  # the name may have led there before; the certificate tells
        ("198.51.100.9:443", "lan", False),
        ("192.168.7.7:443", "lan", None),
        ("198.51.100.9:8443", "cloud", False),
        ("198.51.100.9:443", "", False),  # without TLS
    ],
)
def test_where_a_name_led_before_is_no_breach_with_tls_and_is_told(
    where: str, within: str, held: bool | None
) -> None:
    judge = judge_of((3, "connect", where, True))
    judge.seen.processes[3].arguments = (*judge.seen.processes[3].arguments[:6], where)
    setting: dict[str, Any] = NAMED | {"within": (within, 443) if within else None}
    judge.setting = replace(judge.setting, **setting)
    (found,) = [o for o in judge.claims() if "with its helpers" in o.claim]
    assert found.held is held, found
    assert held is True or where in found.detail


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ((3, "connect", "198.51.100.9:443", True), True),
        ((2, "send", "127.0.0.1:9999", True), False),
        ((3, "connect", "198.51.100.9:9999", True), False),
    ],
)
def test_only_a_connection_to_the_servers_port_may_be_to_where_its_name_led_before(
    act: tuple[int, str, str, bool], told: bool
) -> None:
    judge = judge_of(act)
    setting: dict[str, Any] = NAMED | {"within": None}
    judge.setting = replace(judge.setting, **setting)
    (found,) = [o for o in judge.claims() if "with its helpers" in o.claim]
    assert found.held is False
    assert ("the server's name leads to 198.51.100.7 port 443 now" in found.detail) is told


@pytest.mark.parametrize(
    "address", ["unix /run/systemd/resolve/io.systemd.Resolve", "unix /run/avahi-daemon/socket"]
)
@pytest.mark.parametrize(("named", "told"), [(True, False), (False, True)])
def test_a_name_is_asked_for_before_the_doors_are_shut(address: str, named: bool, told: bool) -> None:
    judge = judge_of((2, "connect", address, True), (2, "wall", "seccomp", True))
    judge.setting = replace(judge.setting, named=named)
    assert any("connected to" in o.detail for o in judge.claims() if o.held is False) is told
    judge = judge_of((2, "wall", "seccomp", True), (2, "connect", address, True))
    judge.setting = replace(judge.setting, named=named)
    assert any("connected to" in o.detail for o in judge.claims() if o.held is False)


ROWS = [[(2, 1, 6, "", ("198.51.100.7", 443))], [(2, 1, 6, "", ("198.51.100.9", 443))]]


@pytest.mark.shows("privacy:rotating-name")
def test_a_name_is_asked_for_more_than_once_and_what_was_allowed_by_its_address_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [*ROWS]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    config = Config.model_validate(
        {
            "privacy": "cloud",
            "summary": {"endpoint": "https://api.example/v1", "allowed_hosts": ["api.example"]},
        }
    )
    allowed = written(Consent(fingerprint(config), "cloud", ("198.51.100.5",)))
    leads = Leads(config, allowed)
    for second in (0, 1, 6):
        leads.look(lambda: second)  # noqa: B023 - it is called at once
    assert set(leads.everywhere) == {("198.51.100.7", 443), ("198.51.100.9", 443), ("198.51.100.5", 443)}
    assert leads.within == ("cloud", 443)
    assert Leads(config, "").within is None


HOLDS = [
    (Holding("file", "/tmp/x", 9), "descriptor 9, by which it can write to /tmp/x"),
    (Holding("file", "/state/ledger.db", 4), ""),
    (Holding("file", "the device /state/x", 9), "descriptor 9, by which it can write to the device /state/x"),
    (Holding("file", "/memfd:x (deleted)", 9), "descriptor 9, by which it can write to /memfd:x (deleted)"),
    (Holding("memory", "/state/ledger.db-shm"), ""),
    (Holding("memory", "/dev/shm/x"), "memory that it shares by /dev/shm/x"),
    (Holding("pipe", "", 63, "bash (pid 7)"), "descriptor 63, a pipe that bash (pid 7) reads"),
    (Holding("unix", "/run/notify", 5), ""),
    (Holding("unix", "/run/systemd/journal/stdout", 5), ""),
    (Holding("unix", "", 3, "bash (pid 7)"), "descriptor 3, a unix socket to bash (pid 7)"),
    (Holding("unix", "@name", 3), "descriptor 3, a unix socket to @name"),
    (
        Holding("shared", "anon_inode:[eventfd]", 3, "code (pid 7)"),
        "descriptor 3 (anon_inode:[eventfd]) in common with code",
    ),
    (Holding("listener", "@name (type 1)", 3), "descriptor 3, a unix socket that listens at @name (type 1)"),
    (Holding("socket", "", 3), ""),
    (Holding("io_uring", "", 3), "descriptor 3, an io_uring"),
    (Holding("log", "a pipe to", 1, "tee (pid 7)"), ""),
]


@pytest.mark.shows("privacy:open")
@pytest.mark.parametrize(("thing", "said"), HOLDS)
def test_what_was_open_before_the_check_is_judged_by_where_it_leads(thing: Holding, said: str) -> None:
    failed = judged(held=(thing,))
    assert (failed == {}) is (said == "")
    assert not said or [d for c, d in failed.items() if "nothing open" in c and f"(pid 1) has {said}" in d]


@pytest.mark.shows("privacy:open")
def test_the_log_as_an_internet_socket_is_a_breach_with_its_number() -> None:
    judge = judge_of(held=(Holding("socket", "", 1), Holding("socket", "", 2)))
    judge.seen.processes[1].sockets = ["tcp 192.0.2.1:514"]
    (said,) = [o.detail for o in judge.claims() if o.held is False]
    assert (
        said
        == "it had a socket: tcp 192.0.2.1:514; that is its descriptor 1, 2, where it was started to log to"
    )


@pytest.mark.shows("privacy:open")
def test_another_program_that_takes_the_log_is_told_and_no_breach() -> None:
    claims = judge_of(held=(Holding("log", "a pipe to", 1, "tee (pid 7)"),)).claims()
    (told,) = [o.detail for o in claims if "nothing open" in o.claim]
    assert "its stdout is a pipe to tee (pid 7), where only the log goes" in told


@pytest.mark.parametrize(
    ("lock", "path", "told"),
    [
        ((1, 0, 0x40000000, 1), "/state/ledger.db", None),
        ((0, 0, 0x40000002, 510), "/state/ledger.db", None),
        ((1, 0, 120, 8), "/state/ledger.db-shm", None),
        ((0, 0, 128, 1), "/state/ledger.db-shm", None),
        ((2, 0, 0, 0), "/tmp/x", None),
        (
            (1, 0, 0x6D6F6F47, 9),
            "/state/ledger.db",
            "a lock on bytes 1836019527 to 1836019535 of /state/ledger.db",
        ),
        ((1, 0, 120, 0), "/state/ledger.db", "a lock on bytes 120 to the end of /state/ledger.db"),
        ((1, 0, 120, 1), "/state/other", "a lock on bytes 120 to 120 of /state/other"),
    ],
)
def test_a_lock_is_told_by_its_place_unless_it_is_one_of_sqlites(
    lock: tuple[int, int, int, int], path: str, told: str | None
) -> None:
    assert lock_told(struct.pack("=hh4xqq", *lock), path, "ledger" in path) == told


def test_a_limit_is_told_by_its_name_and_whose_it_is() -> None:
    none, some = bytes(16), struct.pack("=QQ", 5, 5)
    core = resource.RLIMIT_CORE
    assert limit_told(7, 0, core, none) == ("wall", "no core")
    assert limit_told(7, 0, core, some) == ("odd", "RLIMIT_CORE")
    assert limit_told(7, 7, resource.RLIMIT_CPU, some) == ("odd", "RLIMIT_CPU")
    assert limit_told(7, 1, core, none) == ("odd", "RLIMIT_CORE of pid 1")


def test_where_more_was_done_than_is_kept_no_claim_that_depends_on_it_passes() -> None:
    claims = {o.claim: o.held for o in judge_of(full=True).claims()}
    for part in ("opens no socket", "reaches 127.0.0.1", "no other program", "write to the drop folders"):
        assert [held for claim, held in claims.items() if part in claim] == [None], part


def _proc(root: Path, holder: int, command: bytes, spaces: str) -> tuple[Path, Path]:
    """A folder as /proc is, and a lock that this process holds by it."""
    lock = root / "daemon.lock"
    lock.touch()
    (root / str(holder)).mkdir()
    (root / "self").symlink_to(str(os.getpid()))
    (root / "locks").write_text(f"1: FLOCK  ADVISORY  WRITE {holder} 00:2a:{lock.stat().st_ino} 0 EOF\n")
    (root / str(holder) / "cmdline").write_bytes(command)
    (root / str(holder) / "status").write_text(f"Name:\tpython\nState:\tS\nNSpid:\t{spaces}\n")
    return lock, root


OURS = b"/usr/bin/python3\0-m\0earmark\0run\0"


def test_the_daemon_is_who_holds_the_lock(tmp_path: Path) -> None:
    assert holder_of(*_proc(tmp_path, 7, OURS, "7")).pid == 7


@pytest.mark.parametrize(
    "command",
    [
        b"/usr/bin/python3\0-X\0importtime\0-X\0dev\0-m\0earmark\0run\0",
        b"coverage\0run\0-p\0-m\0earmark\0run\0",
    ],
)
def test_the_daemon_is_known_whatever_runs_it(tmp_path: Path, command: bytes) -> None:
    assert holder_of(*_proc(tmp_path, 7, command, "7")).pid == 7


@pytest.mark.parametrize(
    ("command", "spaces", "why"),
    [(b"sleep\x00600\0", "7", "no earmark"), (OURS, "7\t1", "in a container")],
)
def test_a_stranger_or_a_process_in_a_container_is_not_looked_at(
    tmp_path: Path, command: bytes, spaces: str, why: str
) -> None:
    found = holder_of(*_proc(tmp_path, 7, command, spaces))
    assert found.pid == 0
    assert why in found.why_not


def test_of_a_daemon_that_is_gone_the_check_names_who_keeps_its_lock(tmp_path: Path) -> None:
    lock, proc = _proc(tmp_path, 7, OURS, "7")
    (proc / "7").rename(proc / "8")
    (proc / "8" / "status").write_text("Name:\tsleep\nState:\tS\n")
    assert "root can see which program" in holder_of(lock, proc).why_not
    (proc / "8" / "fd").mkdir()
    (proc / "8" / "fd" / "3").symlink_to(lock)
    assert holder_of(lock, proc).why_not == (
        f"{lock} was taken by pid 7, which has ended; sleep (pid 8) keeps it; no daemon can be started until that ends"
    )


@pytest.mark.shows("privacy:told-folders")
def test_a_folder_that_a_report_names_has_to_be_one_that_the_daemon_was_told_of(tmp_path: Path) -> None:
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    for folder in (here, there, other):
        folder.mkdir()
    (tmp_path / "link").symlink_to(there)
    run = ("python", "-m", "earmark", "run", "--service")

    def strange(*arguments: str, cwd: str = "", configured: tuple[Path, ...] = ()) -> list[str]:
        said = [str(here), str(there), str(other), str(tmp_path / "not mounted")]
        return [Path(f).name for f in untold(said, (*run, *arguments), cwd, configured)]

    assert strange(str(here), str(tmp_path / "link")) == ["other"]
    assert strange("here", "../here/../there", cwd=str(tmp_path / "x")) == ["here", "other"]
    assert strange("here", "there/", cwd=str(tmp_path)) == ["other"]
    assert strange("here", "there") == ["other"]
    assert strange(".") == []
    assert strange(configured=(here, there, other)) == []
    assert strange() == ["here", "there", "other"]


@pytest.mark.shows("privacy:who-heard")
def test_what_no_worker_of_the_daemon_opened_somebody_else_has_heard() -> None:
    """Who holds the lock need not be who works."""
    opened = (2, "read", "/drop/earmark privacy check.m4a", True)
    judge = judge_of(opened)
    assert heard(judge, "done", 9.0).held is False
    assert "by nobody of this daemon" in heard(judge, "done", 9.0).detail
    judge.role[2] = TRANSCRIBER
    assert heard(judge, "done", 9.0).held is True
    judge.seen.acts, judge.seen.followed = [], False
    assert heard(judge, "done", 9.0).held is True
    judge.role[2] = SUMMARIZER
    assert heard(judge, "done", 9.0).held is False
    assert heard(judge_of(full=True), "done", 9.0).held is True
    assert heard(judge_of(), "busy: it is being worked on", 9.0).later


def test_a_note_that_is_written_twice_had_several_hidden_names_before_its_own() -> None:
    """A new version is written, made ready for the exchange, and exchanged."""
    said = "good morning everyone let us begin with the numbers of the quarter"
    note, new, swap = (
        "/drop/a.transcript.md",
        "/drop/.earmark-0123456789abcdef.tmp",
        "/drop/.earmark-fedcba9876543210.swap",
    )

    def written(*moves: str) -> bool | None:
        judge = judge_of(*((1, "moved", move, True) for move in moves))
        judge.seen.said[f"1 {new}"] = said
        found = Found({Path(note)}, files={Path(note): said})
        claims = {o.claim: o for o in words_stay(judge, runs_of([said]), found)}
        return next(o.held for claim, o in claims.items() if "are written to its notes" in claim)

    assert written(f"{new}\0{swap}", f"{swap}\0{note}") is True
    assert written(f"{new}\0{swap}", f"{swap}\0/drop/elsewhere.md") is False
    assert written(f"{new}\0{swap}") is False
    assert written(f"{swap}\0{note}", f"{new}\0{swap}") is False, "it got that name when the note had gone on"


def test_a_socket_of_somebody_who_did_not_start_the_daemon_is_no_service_managers() -> None:
    judge = judge_of((1, "send", "unix /tmp/x", True), manager="")
    judge.seen.manager, judge.seen.stranger = "/tmp/x", "nc (pid 7)"
    (told,) = [o.detail for o in judge.claims() if o.held is False]
    assert (
        told
        == "it sent to unix /tmp/x; NOTIFY_SOCKET names /tmp/x, and nc (pid 7), which has it, did not start the daemon"
    )


BINDS = """
import os, socket, sys
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.chdir(sys.argv[1])
line.bind("notify")
print(flush=True)
input()
"""


@pytest.mark.shows("privacy:manager")
@pytest.mark.skipif(sys.platform != "linux", reason="whose a socket is, is told by the kernel's sock_diag")
def test_whoever_started_the_daemon_is_its_service_manager_and_nobody_else(tmp_path: Path) -> None:
    """The stranger has bound the socket by a name that begins in its own folder."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours,
        subprocess.Popen(
            [sys.executable, "-c", BINDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
    ):
        ours.bind("\0earmark-test-notify")
        assert other.stdout is not None
        other.stdout.readline()
        found = []
        for address in (str(tmp_path / "notify"), "@earmark-test-notify", str(tmp_path / "none")):
            with subprocess.Popen(["sleep", "60"], env={"NOTIFY_SOCKET": address}) as daemon:
                wait_for(lambda: b"NOTIFY" in Path(f"/proc/{daemon.pid}/environ").read_bytes(), 20)
                found.append(manager_of(daemon.pid, Others.now([daemon.pid])))
                daemon.kill()
        name = names_of([other.pid])
        other.communicate(b"\n")
    assert found == [
        (str(tmp_path / "notify"), name),
        ("@earmark-test-notify", ""),
        (str(tmp_path / "none"), ""),
    ]


@pytest.mark.shows("privacy:resolvers")
def test_names_are_looked_up_where_the_machine_says_and_nowhere_else(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# nameserver 192.0.2.9\nsearch x\nnameserver fe80::1%eth0\nnameserver 192.0.2.53\nnameserver\n"
    )
    assert nameservers(file) == ["fe80::1", "192.0.2.53"]
    assert nameservers(tmp_path / "none") == ["127.0.0.1"]
    setting = Setting(1, (), Path("/state"), named=True, resolvers=("fe80::1", "192.0.2.53"))
    reach = Reach(setting)
    said = {a: reach.allowed(Act(1, 2, "send", a, True), before=True) for a in (
        "192.0.2.53:53", "[fe80::1]:53", "[::ffff:192.0.2.53]:53", "192.0.2.9:53", "192.0.2.53:54",
    )}  # fmt: skip
    assert list(said.values()) == [True, True, True, False, False]
    assert not reach.allowed(Act(1, 2, "send", "192.0.2.53:53", True), before=False)


@pytest.mark.parametrize(("packets", "held"), [(0, True), (3, None), (None, None)])
def test_where_sockets_cannot_be_seen_only_silence_of_the_whole_network_is_a_proof(
    packets: int | None, held: bool | None
) -> None:
    python = "/usr/bin/python3"
    seen = Seen(False, "not allowed", packets=packets, began=0.0, ended=7.0)
    seen.processes[1] = Process(1, 0, (python, "-m", "earmark", "run"), python, looks=9, readable=False)
    claims = {o.claim: o for o in Judge(seen, Setting(1, (Path("/drop"),), Path("/state"))).claims()}
    (sockets,) = [o for c, o in claims.items() if "opens no socket" in c or "sends nothing by IP" in c]
    assert sockets.held is held
    assert ("sends nothing by IP" in sockets.claim) is (held is True)
    (files,) = [o for c, o in claims.items() if "write to the drop folders" in c]
    assert files.held is None


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is read in /proc")
@pytest.mark.parametrize(
    ("name", "seen"), [(".earmark-0123456789abcdef.tmp", "changed"), ("talk.md", "odd"), ("talk.m4a", "odd")]
)
def test_an_attribute_is_given_to_the_next_version_of_a_note_and_to_nothing_else(
    tmp_path: Path, name: str, seen: str
) -> None:
    notes, thread = Notes(lambda _: False, ()), Thread(os.getpid())
    with (tmp_path / name).open("wb") as file:
        notes.called(thread, "fsetxattr", (file.fileno(), 0, 0, 0, 0, 0))
    assert thread.after is not None
    thread.after(0)
    about = str(tmp_path / name) if seen == "changed" else "fsetxattr"
    assert [(act.what, act.about, act.done) for act in notes.acts.values()] == [(seen, about, True)]
