"""What was seen of the running processes, judged: one claim each, and in it on which processes it was tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from earmark.files import counted, hidden_kind
from earmark.proof.outcome import Outcome
from earmark.proof.running.descriptors import is_byte_code
from earmark.proof.running.knocks import DOES, astray
from earmark.proof.running.open_ends import leads_nowhere
from earmark.proof.running.own_numbers import WORKERS
from earmark.proof.running.reach import LOOKUPS, ROTATES, Reach
from earmark.proof.running.roles import (
    AWAKE,
    DIARIZER,
    DOOR,
    EMBEDDER,
    HELPER,
    KNOCK,
    LINK,
    LISTENER,
    STRANGER,
    SUMMARIZER,
    SUPERVISOR,
    TRANSCRIBER,
    is_ours,
    roles,
)
from earmark.proof.running.seen import PASSED_ON, Act, Seen
from earmark.proof.running.setting import Setting, plain, shown
from earmark.proof.running.shut import LISTS, TOO_MUCH, held, is_leaky, readers
from earmark.proof.running.special import is_special
from earmark.proof.running.telling import command, did, pids_of

OF_WORKERS = (TRANSCRIBER, DIARIZER, EMBEDDER, SUMMARIZER)

LEDGER = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal")
"""SQLite's files (sqlite.org/tempfiles.html), which are to hold words."""

A_MOMENT = 10
"""Looks at a process between its fork and its becoming another program."""

_TYPES = {"1": "stream", "2": "datagram", "3": "raw", "5": "packets"}


@dataclass
class Judge:
    """`seen` by the rules of `setting`."""

    seen: Seen
    setting: Setting
    role: dict[int, str] = field(init=False)
    _reach: Reach = field(init=False)
    silent: ClassVar[tuple[str, ...]] = (TRANSCRIBER, DIARIZER, EMBEDDER)
    """Who has no socket at all."""

    def __post_init__(self) -> None:
        self.role = roles(self.seen, self.setting.supervisor, self.setting.lms)

    def claims(self) -> Iterator[Outcome]:
        """All that does not need to know what was said."""
        yield from self._walls()
        yield self._supervisor()
        yield from self._without_sockets()
        yield self._summarizers()
        yield from self._knocks()
        yield self._programs()
        yield self._files()
        yield self._held()

    @property
    def how(self) -> str:
        """How wide the proof is."""
        seconds = max(0.0, self.seen.ended - self.seen.began)
        if self.seen.followed:
            return f"each of {counted(self.seen.calls, 'system call')} seen, for {seconds:.0f} s"
        looks = self.seen.processes[self.setting.supervisor].looks
        return f"{counted(looks, 'look')} in {seconds:.0f} s; what came and went between two of them was not seen"

    def pids(self, *wanted: str) -> list[int]:
        return sorted(pid for pid, role in self.role.items() if role in wanted)

    def _name(self, role: str, pids: list[int]) -> str:
        return f"The running {role} ({pids_of(pids)})"

    def _walls(self) -> Iterator[Outcome]:
        for role in LISTS:
            pids = [pid for pid in self.pids(role) if self.seen.processes[pid].status]
            if not pids and role in (TRANSCRIBER, SUMMARIZER):
                yield Outcome(
                    f"The running {role} is held by the kernel", None, "none was there to be looked at"
                )
            for pid in pids:
                yield held(self.seen, self.seen.processes[pid], self._name(role, [pid]), role, self.setting)
        core = self.seen.processes[self.setting.supervisor].status.get("core")
        wrong = [] if core in ("0", None) else ["it leaves core files"]
        acts = [act for pid in self.pids(SUPERVISOR) for act in self.seen.by(pid, "odd")]
        wrong += [f"it set {act.about}" for act in acts if is_leaky(act)]
        wrong += readers(self.seen.processes[self.setting.supervisor])
        yield Outcome(
            f"{self._name(SUPERVISOR, [self.setting.supervisor])} leaves no core file, and nobody follows it",
            None if core is None and not wrong else not wrong,
            "; ".join(wrong) or ("its limit is 0" if core else "its limits cannot be read"),
        )

    def _supervisor(self) -> Outcome:
        claim = (
            f"{self._name(SUPERVISOR, [self.setting.supervisor])} opens no socket but the service manager's"
        )
        wrong = []
        for pid in self.pids(SUPERVISOR):
            wrong += self._sockets(pid, tried=True)
            wrong += [
                f"{did(a)} {a.about}"
                for a in self.seen.by(pid, "connect", "aim", "send", "bind")
                if not self._manager(a.about)
            ]
        if wrong and self.seen.stranger:
            who = f"{self.seen.stranger}, which has it, did not start the daemon"
            wrong.append(f"NOTIFY_SOCKET names {self.seen.manager}, and {who}")
        account = [f for f in self.setting.account if f != "AF_UNIX"]
        wrong += [f"it says itself that it had {', '.join(account)}"] if account and not wrong else []
        return self._outcome(claim, wrong, self.pids(SUPERVISOR))

    def _without_sockets(self) -> Iterator[Outcome]:
        for pid in self.pids(*self.silent):
            yield self._silent(pid)

    def _silent(self, pid: int) -> Outcome:
        claim = f"{self._name(self.role[pid], [pid])} has no socket and sends nothing"
        return self._outcome(claim, [*self._sockets(pid), *self._sent(pid)], [pid])

    def _sent(self, pid: int) -> list[str]:
        """Where it connected to, aimed at, or sent something."""
        acts = self.seen.by(pid, "connect", "aim", "send", "bind")
        return [f"{did(act)} {act.about}" for act in acts if act.done]

    def _summarizers(self) -> Outcome:
        pids = self.pids(SUMMARIZER, DOOR, LINK, LISTENER, HELPER)
        only = ", ".join(f"{ip} port {port}" for ip, port in self.setting.pinned) or "nobody"
        if len(self.setting.pinned) > 2:
            only = f"{self.setting.pinned[0][0]}, {len(self.setting.pinned)} ports"
        claim = f"{self._name(f'{SUMMARIZER} with its helpers', pids)} reaches {only}"
        if not self.pids(SUMMARIZER):
            return Outcome(f"The running {SUMMARIZER} reaches {only}", None, "none was there to be looked at")
        wrong, self._reach = [], Reach(self.setting)
        for pid in pids:
            wrong += [
                f"it is connected to {row}"
                for row in self.seen.processes[pid].sockets
                if not self._reach.allowed_row(row)
            ]
            wrong += self._astray(pid)
        wrong += self._doors()
        if self._reach.former and not wrong:
            return Outcome(claim, None, f"it went to {', '.join(sorted(self._reach.former))}; {ROTATES}")
        if any(self._may_be_the_name(one) for one in wrong):
            wrong.append(
                f"the server's name leads to {only} now; a worker keeps what it was when it was started"
            )
        return self._outcome(claim, wrong, pids)

    def _may_be_the_name(self, wrong: str) -> bool:
        """Whether a connection may be to where the server's name led before: to the server's own port."""
        ports = "|".join(str(port) for _, port in self.setting.pinned)
        return self.setting.named and re.search(rf"connected to (tcp6? )?\S+:({ports})$", wrong) is not None

    def _knocks(self) -> Iterator[Outcome]:
        """One claim for all of them; none where no summary waited for a server."""
        if pids := self.pids(KNOCK):
            wrong = [w for pid in pids for w in astray(self.seen, self.seen.processes[pid], self.setting)]
            yield self._outcome(f"{self._name(KNOCK, pids)} {DOES}", wrong, pids)

    def _doors(self) -> list[str]:
        """Where a door may lead, by its own command line: the daemon may have been started with another configuration.

        What a name led to when it was started is not known now.
        """
        if self.setting.named:
            return []
        pinned = {plain(shown(ip, port)) for ip, port in self.setting.pinned}
        given = [a for pid in self.pids(DOOR) for a in self.seen.processes[pid].arguments[6:]]
        return [f"its door leads to {a}" for a in given if plain(a) not in pinned]

    def _astray(self, pid: int) -> list[str]:
        """What a summarization worker or its helper did that it may not. Before its doors are shut it may ask for names."""
        acts = self.seen.by(pid)
        shut = next((a.order for a in acts if a.what == "wall" and a.about == "seccomp" and a.done), None)
        wrong = []
        for act in acts:
            before = shut is None or act.order < shut
            if act.what in ("connect", "aim", "send") and act.done and not self._reach.allowed(act, before):
                wrong.append(f"{did(act)} {act.about}")
            elif act.what == "bind" and act.done and before and act.about.startswith("AF_NETLINK"):
                continue  # the C library looks which addresses this machine has
            elif act.what == "bind" and act.done:
                wrong.append(f"{did(act)} {act.about}")
            elif act.what == "socket" and act.done and self.role[pid] == SUMMARIZER:
                family, _, kind = act.about.partition(" ")
                looking = before and (family == "AF_NETLINK" or kind == "2")
                if family != "AF_UNIX" and not looking:
                    wrong.append(f"it opened a socket itself ({family} {_TYPES.get(kind, kind)})")
        return wrong

    def _sockets(self, pid: int, tried: bool = False) -> list[str]:
        """Sockets that are not unix sockets, had or opened; with `tried` also those that were refused."""
        process = self.seen.processes[pid]
        wrong = [f"it had a socket: {row}" for row in process.sockets if not self._may_have(pid, row)]
        if wrong and (numbers := [str(h.fd) for h in process.held or () if h.kind == "socket"]):
            given = ", where it was started to log to" if {"1", "2"} & set(numbers) else ""
            wrong.append(f"that is its descriptor {', '.join(numbers)}{given}")
        for act in self.seen.by(pid, "socket"):
            family, _, kind = act.about.partition(" ")
            if family != "AF_UNIX" and (act.done or tried):
                wrong.append(f"it opened a socket ({family} {_TYPES.get(kind, kind)})")
        return wrong

    def _may_have(self, pid: int, row: str) -> bool:
        """Whether a process may have this socket; unix sockets are judged by where they lead (open_ends.py)."""
        del pid
        return row.startswith("unix")

    def _manager(self, address: str) -> bool:
        return address.startswith(LOOKUPS) or address == f"unix {self.setting.manager}"

    def _outcome(self, claim: str, wrong: list[str], pids: list[int]) -> Outcome:
        if wrong:
            return Outcome(claim, False, "; ".join(dict.fromkeys(wrong)))
        if self.seen.full:
            return Outcome(claim, None, TOO_MUCH)
        blind = [pid for pid in pids if not self.seen.processes[pid].readable]
        if not blind or self.seen.followed:
            return Outcome(claim, True, self.how)
        if self.seen.packets == 0:
            seconds = self.seen.ended - self.seen.began
            how = f"the kernel counted no IP packet of any program for {seconds:.0f} s; its sockets only root can see"
            return Outcome(f"{claim.partition(' (pid')[0]} ({pids_of(pids)}) sends nothing by IP", True, how)
        return Outcome(
            claim, None, "its sockets can be seen by root only, and other programs sent packets, too"
        )

    def _programs(self) -> Outcome:
        claim = f"{self._name(SUPERVISOR, [self.setting.supervisor])} starts its workers and no other program"
        if not self.seen.followed:
            claim = f"{self._name(SUPERVISOR, [self.setting.supervisor])} was not seen to start any program but its workers"
        root = self.seen.processes[self.setting.supervisor]
        strangers = [
            f"it started {command(process)} (pid {pid})"
            for pid, process in sorted(self.seen.processes.items())
            if self.role[pid] == STRANGER or (self.role[pid] != SUPERVISOR and not is_ours(process, root))
        ]
        strangers += [f"the {self.role[parent]} started pid {pid}" for parent, pid in self._children()]
        for pid in self.pids(AWAKE):
            went = [f"{did(a)} {a.about}" for a in self.seen.by(pid, "connect", "aim", "send", "bind")]
            strangers += [f"{AWAKE} (pid {pid}): {what}" for what in (*self._sockets(pid), *went)]
        ours = {self.seen.processes[pid].program for pid in self.role if self.role[pid] != STRANGER}
        for act in self.seen.acts:
            if act.what == "program" and act.done and self.role.get(act.pid) != STRANGER:
                real = str(Path(act.about).resolve())
                if act.about != self.setting.lms and real not in ours:
                    strangers.append(f"it started {act.about} (pid {act.pid})")
        if strangers and self.setting.other_version:
            strangers.append(
                f"the daemon is {self.setting.other_version}, whose programs this check does not know"
            )
        guests = f"; {', '.join(self.seen.guests)} was its child before it began" if self.seen.guests else ""
        return self._unless_full(claim, strangers, guests)

    def _children(self) -> Iterator[tuple[int, int]]:
        """Whom somebody started who starts none. A summarization worker's helper is for a moment the worker's double."""
        for pid, process in sorted(self.seen.processes.items()):
            of = self.role.get(process.parent)
            double = of == self.role[pid] == SUMMARIZER and process.looks > A_MOMENT
            if of in (TRANSCRIBER, DIARIZER, EMBEDDER, DOOR, KNOCK, LISTENER, AWAKE) or double:
                yield process.parent, pid

    def _files(self) -> Outcome:
        pids = sorted(pid for pid, role in self.role.items() if role != STRANGER)
        claim = f"{self._name('daemon and its workers', pids)} write to the drop folders and the state folder only"
        if not self.seen.followed:
            return Outcome(claim, None, f"system calls cannot be followed: {self.seen.why_not}")
        wrong = []
        for act in self.seen.acts:
            role = self.role.get(act.pid, STRANGER)
            if act.what in WRITING and act.done and role != STRANGER:
                if not self._may_write(role, act):
                    wrong.append(f"the {role} {WRITING[act.what]} {act.about}")
            elif act.what == "odd" and act.done and not is_leaky(act) and not _is_its_work(role, act):
                wrong.append(f"the {role} used {act.about}")
        return self._unless_full(claim, wrong)

    def _unless_full(self, claim: str, wrong: list[str], more: str = "") -> Outcome:
        if self.seen.full and not wrong:
            return Outcome(claim, None, TOO_MUCH)
        return Outcome(claim, not wrong, "; ".join(dict.fromkeys(wrong)) or self.how + more)

    def _may_write(self, role: str, act: Act) -> bool:
        path = act.about.removesuffix(" (deleted)")
        if is_special(path):
            return False
        if not path.startswith("/"):
            return act.what != "opened"  # a pipe or the like; by a path (/proc/PID/fd) nobody opens one here
        own_name = re.fullmatch(rf"/proc/{act.pid}/(task/\d+/)?comm", path)
        if path == "/dev/null" or path.startswith("/dev/nvidia") or own_name or is_byte_code(path):
            return act.what != "dated"
        if role != SUPERVISOR:
            return False
        if act.what == "dated":
            return False
        if act.what == "mapped":
            return path in {f"{self.setting.state}/{name}" for name in LEDGER}
        if path == str(self.setting.state) or path.startswith(f"{self.setting.state}/"):
            return True
        beside = any(path.startswith(f"{folder}/") for folder in self.setting.folders)
        # A note is written under a hidden name first, and then gets its own.
        return beside and (
            act.what in ("named", "changed") or hidden_kind(path.rpartition("/")[2]) is not None
        )

    def _held(self) -> Outcome:
        """What was open before the check: the calls by which it was opened are past."""
        pids = sorted(pid for pid, role in self.role.items() if role != STRANGER)
        claim = f"{self._name('daemon and its workers', pids)} have nothing open that leads elsewhere"
        if self.seen.processes[self.setting.supervisor].held is None:
            return Outcome(claim, None, "what they have open can be seen by root only")

        def may_write(pid: int, what: str, path: str) -> bool:
            return self._may_write(self.role[pid], Act(0, pid, what, path, True))

        return leads_nowhere(claim, self.seen, self.role, may_write, self._manager)


WRITING = {
    "opened": "wrote", "wrote": "wrote", "named": "wrote", "changed": "changed", "mapped": "shares memory by",
    "dated": "changed the times of", "access": "changed who may use",
}  # fmt: skip


def _is_its_work(role: str, act: Act) -> bool:
    """A door is there to pass on the connection that it opened; a worker sets limits for itself."""
    return act.about in {DOOR: (PASSED_ON,)}.get(role, WORKERS if role in OF_WORKERS else ())
