"""Looks at a daemon's processes many times a second: walls, sockets, command lines and environments, as /proc has it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.locality.confinement.sockets import TABLES, address_and_port
from earmark.proof.running.descriptors import open_in, status_of, tasks_of
from earmark.proof.running.holdings import Others, holdings, names_of
from earmark.proof.running.roles import STRANGER, roles
from earmark.proof.running.seen import Process, Seen

EVERY, WHEN_FOLLOWED = 0.05, 0.2
"""Seconds between two looks; where system calls are followed, nothing depends on them being close."""

STARTING = 5.0
"""Seconds in which a worker that was just started may be without walls: what it needs for them is imported first."""

_FIELDS = ("PPid", "Seccomp", "Seccomp_filters", "NoNewPrivs", "Uid", "Name")
_NO_ADDRESS = ("unix", "packet", "netlink")
_LISTENS = "0A"  # TCP_LISTEN (net/tcp_states.h)
_INODE = {"unix": 6, "packet": 8, "netlink": 9}
"""Column of the inode in these tables of /proc/net; in the others it is the tenth."""


@dataclass
class Sampler:
    """`root`: the supervisor. `processes` fills with what was seen; `texts` with the versions of a file that change."""

    root: int
    processes: dict[int, Process] = field(default_factory=dict)
    guests: dict[int, str] = field(default_factory=dict)
    """Children that it had before it became the daemon, and how they are called: a shell's that then became it (`exec`)."""
    _met: dict[int, float] = field(default_factory=dict)
    _born_at: dict[int, bytes] = field(default_factory=dict)
    """When each process was started, in the kernel's ticks: another one may get its number."""

    def look(self) -> None:
        """One look at everybody who is there now, also at those whose parent ended meanwhile."""
        for pid in family(self.root, self.guests):
            self.meet(pid, 0, False)
        for pid, process in list(self.processes.items()):
            if self._born_at.get(pid) == _born_at(pid):
                self.meet(pid, 0, False)
                self._look_at(process)

    def part_from_guests(self, since: float) -> None:
        """Know which other programs were its children before the daemon began, which was then: they are none of its own, and
        what it has open to one of them leads elsewhere.
        """
        seen = Seen(False, "", {pid: p for pid, p in self.processes.items() if p.arguments})
        for pid, role in roles(seen, self.root).items():
            if role == STRANGER and 0 < started_at(pid) < since:
                self.guests[pid] = names_of([pid])
                del self.processes[pid]

    def settle(self) -> None:
        """Look on until whoever was started a moment ago has put on its walls, or has had the time to."""
        until = time.monotonic() + STARTING
        while time.monotonic() < until and any(map(self._is_starting, family(self.root, self.guests)[1:])):
            time.sleep(EVERY)
            self.look()

    def _is_starting(self, pid: int) -> bool:
        """Without a filter but the daemon's, which a service manager may have put on, and met a moment ago."""
        process, root = self.processes.get(pid), self.processes[self.root]
        if process is None or time.monotonic() - self._met[pid] > STARTING:
            return False
        filters = [int(p.status.get("Seccomp_filters", 0)) for p in (process, root)]
        return process.status.get("Seccomp") == "0" or 0 < filters[0] <= filters[1]

    def open_now(self, logs: Iterable[str]) -> None:
        """What everybody has open now, beside what they had open before."""
        everybody = family(self.root, self.guests)
        others = Others.now(everybody)
        for pid in everybody:
            self.meet(pid, 0, False)
            found = holdings(pid, others, logs)
            if found is not None:
                known = self.processes[pid]
                known.held = list(dict.fromkeys([*(known.held or ()), *found]))

    def meet(self, pid: int, parent: int, born: bool) -> None:
        """Know of a process from now on. `born`: it was just started, or just became another program."""
        known = self.processes.get(pid)
        if known is None:
            known = self.processes[pid] = Process(pid, parent, born=born)
            self._met[pid], self._born_at[pid] = time.monotonic(), _born_at(pid)
        known.parent = parent or known.parent
        self._name(known)

    def _name(self, process: Process) -> None:
        arguments = _read(process.pid, "cmdline")
        if arguments:
            process.arguments = tuple(os.fsdecode(a) for a in arguments.rstrip(b"\0").split(b"\0"))
            _once(process.titles, "command line:" + arguments.replace(b"\0", b" ").decode(errors="replace"))
        with contextlib.suppress(OSError):
            process.program = os.readlink(f"/proc/{process.pid}/exe")  # noqa: PTH115
        for name, what in (("comm", "name"), ("environ", "environment")):
            found = _read(process.pid, name).replace(b"\0", b"\n").strip()
            if found:
                _once(process.titles, f"{what}:" + found.decode(errors="replace"))

    def _look_at(self, process: Process) -> None:
        pid = process.pid
        lines = status_of(Path(f"/proc/{pid}"))
        if not lines or lines.get("State", "")[:1] in "ZX":
            return
        process.looks += 1
        process.status = {name: lines[name] for name in _FIELDS if name in lines}
        followers = {lines["TracerPid"]} if "TracerPid" in lines else set()
        for one in _walls_of_threads(pid):
            followers.add(one.pop("TracerPid", "0"))
            fewest = min(int(one.get("Seccomp_filters", 0)), int(process.status.get("Seccomp_filters", 0)))
            process.status |= one | ({"Seccomp_filters": str(fewest)} if "Seccomp_filters" in one else {})
        if others := sorted(followers - {"0", str(os.getpid())}):
            process.followed_by = names_of([int(others[0])])
        process.parent = process.parent or int(process.status.get("PPid", 0))
        if limit := re.search(rb"^Max core file size +(\S+) +(\S+)", _read(pid, "limits"), re.M):
            process.status["core"] = limit[1].decode()
        process.status["memory"] = _memory_of(pid)
        inodes = _inodes(pid)
        process.readable = process.readable and inodes is not None
        if inodes:
            for row in rows(pid, inodes):
                _once(process.sockets, row)


def _born_at(pid: int) -> bytes:
    """Field 22 of /proc/PID/stat; what comes before may hold a name with spaces and brackets."""
    return b"".join(_read(pid, "stat").rpartition(b")")[2].split()[19:20])


def _memory_of(pid: int) -> str:
    """Who may read it: "open" to its user's other programs, "shut", or "" for root's own processes, which do not show it.

    The kernel gives the files of /proc/PID to root where a process is not dumpable (proc(5)).
    """
    try:
        owner = Path(f"/proc/{pid}/mem").stat().st_uid
    except OSError:
        return ""
    user = int(status_of(Path(f"/proc/{pid}")).get("Uid", "0 0").split()[1])
    return "" if user == 0 else "open" if owner == user else "shut"


def _walls_of_threads(pid: int) -> Iterable[dict[str, str]]:
    """What is not as it is to be in any thread: a filter holds those only that it was put on."""
    right = {"Seccomp": "2", "NoNewPrivs": "1", "Seccomp_filters": "", "TracerPid": "0"}
    for task in tasks_of(pid):
        lines = status_of(task)
        yield {name: lines[name] for name in right if lines.get(name, right[name]) != right[name]}


def packets_sent(pid: int) -> int | None:
    """How many IP packets the kernel has sent in the network that this process is in, for whomever; None if unknown."""
    counts = []
    lines = [line.split() for line in _read(pid, "net/snmp").decode(errors="replace").splitlines()]
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names[0] == "Ip:" and "OutRequests" in names:
            counts.append(int(values[names.index("OutRequests")]))
    six = re.search(r"^Ip6OutRequests\s+(\d+)", _read(pid, "net/snmp6").decode(errors="replace"), re.M)
    return counts[0] + (int(six[1]) if six else 0) if counts else None


def family(root: int, guests: Collection[int] = ()) -> list[int]:
    """A process and everything that it started, and they, without these and what they started. One that has ended and that
    nobody has asked for (a zombie) is nobody.
    """
    found = [root]
    for parent in found:
        for task in tasks_of(parent):
            with contextlib.suppress(OSError):
                born = [int(child) for child in (task / "children").read_text().split()]
                found += [child for child in born if child not in guests and not has_ended(child)]
    return found


def has_ended(pid: int) -> bool:
    """Whether no thread of a process goes on: the first one may have ended before the others."""
    states = [status_of(task).get("State", "X")[:1] for task in tasks_of(pid)]
    return all(state in "ZX" for state in states)


def started_at(pid: int) -> float:
    """When a process was started, in seconds since the epoch by the clock as it is now; 0 if it is gone."""
    ticks = _born_at(pid)
    if sys.platform == "linux" and ticks:
        since_boot = int(ticks) / os.sysconf("SC_CLK_TCK")
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    return 0.0


def rows(pid: int, inodes: Iterable[str], again: bool = False) -> list[str]:
    """The sockets with these inodes, from every table of the network that the process is in: `tcp 127.0.0.1:80`, or
    `tcp listens 127.0.0.1:80`.
    """
    wanted, found = set(inodes), []
    listening: set[str] = set()
    for table in (*TABLES, "icmp", "icmp6", *_NO_ADDRESS):
        for line in _read(pid, f"net/{table}").decode(errors="replace").splitlines()[1:]:
            columns = line.split()
            inode = columns[_INODE.get(table, 9)] if len(columns) > _INODE.get(table, 9) else ""
            if inode in wanted:
                wanted.discard(inode)
                found.append(f"{table} {_end(table, columns, listening)}".strip())
    if wanted and not again:
        # It may have been closed, or have got its address, between the two looks.
        still = _inodes(pid)
        return found + (rows(pid, wanted & still, again=True) if still and wanted & still else [])
    # Families that have no table here (vsock, Bluetooth, IPv4 without an address) must not pass for nothing.
    return found + [f"socket of a family that is in no table ({inode})" for inode in sorted(wanted)]


def _end(table: str, columns: list[str], listening: set[str]) -> str:
    """Where a socket leads; of one that listens where, and of one that this took whose it is: the kernel lists the former
    first. `listening`: the addresses of those before.
    """
    if table in ("tcp", "tcp6") and columns[3] == _LISTENS:
        listening.add(columns[1])
        return f"listens {_address(columns[1])}"
    if table == "unix":
        return columns[7] if len(columns) > 7 else ""
    if table in _NO_ADDRESS:
        return ""
    return f"{'accepted ' if columns[1] in listening else ''}{_address(columns[2])}"


def _address(column: str) -> str:
    address, port = address_and_port(column)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _inodes(pid: int) -> set[str] | None:
    there = open_in(pid)
    if there is None:
        return None
    return {match[1] for _, to in there if (match := re.fullmatch(r"socket:\[(\d+)\]", to))}


def _once(texts: list[str], text: str) -> None:
    if text not in texts and len(texts) < 200:
        texts.append(text)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def sample(sampler: Sampler, going_on: Callable[[], bool], every: float) -> None:
    """Look until told otherwise."""
    while going_on():
        sampler.look()
        time.sleep(every)
