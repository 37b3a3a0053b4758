"""The claims about commands of earmark that are at work beside the daemon, with their workers: `earmark mcp`, `ask` ...

Each is watched as a daemon is, while the daemon is, or for a few seconds where none runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from earmark.config import Config
from earmark.errors import EarmarkError
from earmark.locality.confinement import landlock
from earmark.locality.policy import forwarding
from earmark.paths import Home, shared_models
from earmark.proof.outcome import Outcome
from earmark.proof.running.beside import Command, commands_of
from earmark.proof.running.descriptors import status_of
from earmark.proof.running.known import consent_of, readable
from earmark.proof.running.leads import Leads
from earmark.proof.running.open_ends import leads_nowhere
from earmark.proof.running.roles import ASSISTANTS, PAGES, SUMMARIZER, SUPERVISOR, TRANSCRIBER
from earmark.proof.running.rules import A_MOMENT, LEDGER, Judge
from earmark.proof.running.sampler import family
from earmark.proof.running.seen import Act, Seen
from earmark.proof.running.setting import Setting
from earmark.proof.running.shut import LISTS, Before, held, readers, rightful
from earmark.proof.running.telling import pids_of
from earmark.proof.running.watching import Watcher
from earmark.verbs.opening import opened_context, watched_folders

UNKNOWN = "of which home it reads the recordings only root can see"
WITHOUT = 3.0
"""Seconds that they are watched at least."""

OF_A_PERSON = ("socket", "connect", "aim", "send", "bind", "wall", "filter", "standing")
"""Acts of a person's own command that are judged, or tell what held it. It writes where it was told to."""

OWN = {"mcp": ASSISTANTS, "serve": PAGES}
"""Commands that shut their own doors, and by whose list."""

TAKES = ("accept4", "listen")
"""Calls by which pages are served, and which earmark makes nowhere else."""

AT_HOME = ("tcp listens 127.0.0.1:", "tcp accepted 127.0.0.1:")
"""The sockets of pages: one that listens on this device only, and those of browsers of this device."""

STARTING, LULL = 30.0, 0.5
"""Seconds that a worker may take to start, and in which one that waits does nothing."""

STANDARD = (0, 1, 2)
"""Descriptors by which a command speaks with whoever started it."""


@dataclass
class OfCommand(Judge):
    """`seen` of one command and its workers, by the rules of `setting`, in which the command has the supervisor's place."""

    verb: str = ""
    starters: int = 0
    """How many filters held whoever started it."""
    models: tuple[Path, ...] = ()
    """Where models are, which who serves pages lists."""
    tops: tuple[Path, ...] = ()
    """Drop folders in which the ledger knows recordings, also where none is watched now."""
    silent: ClassVar[tuple[str, ...]] = (SUPERVISOR, *Judge.silent)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.verb == "serve":
            self.seen = replace(self.seen)
            self.seen.acts = [act for act in self.seen.acts if not self._takes(act)]
        if not self.serves:
            own = {pid for pid, role in self.role.items() if role == SUPERVISOR}
            self.seen = replace(self.seen)
            self.seen.acts = [act for act in self.seen.acts if act.pid not in own or act.what in OF_A_PERSON]

    def claims(self) -> Iterator[Outcome]:
        """All that is to be said of it. A person's own command has open what their shell has, and writes where it is told;
        the workers do not.
        """
        found = [*self._walls(), *self._without_sockets()]
        if self.pids(SUMMARIZER):
            found.append(self._summarizers())
        if self.serves:
            found.append(self._programs())
        if self.serves or len(self.role) > 1:
            found += [self._files(), self._held()]
        for outcome in found:
            yield replace(outcome, detail=outcome.detail.replace(f"the {SUPERVISOR}", f"earmark {self.verb}"))

    @property
    def serves(self) -> bool:
        """Whether it is the one that shuts its own doors; the others are a person's own command, as a shell is."""
        return self.verb in OWN

    def _takes(self, act: Act) -> bool:
        return act.what == "odd" and act.about in TAKES and self.role.get(act.pid) == SUPERVISOR

    def _silent(self, pid: int) -> Outcome:
        if self.verb != "serve" or self.role[pid] != SUPERVISOR:
            return super()._silent(pid)
        claim = f"{self._name(SUPERVISOR, [pid])} listens at 127.0.0.1 only, and connects to nothing"
        return self._outcome(claim, [*self._sockets(pid), *self._sent(pid)], [pid])

    def _may_have(self, pid: int, row: str) -> bool:
        pages = self.verb == "serve" and self.role[pid] == SUPERVISOR
        return super()._may_have(pid, row) or (pages and row.startswith(AT_HOME))

    def _name(self, role: str, pids: list[int]) -> str:
        told = role.replace("daemon", f"earmark {self.verb}").replace(SUPERVISOR, f"earmark {self.verb}")
        of = f" of earmark {self.verb}" if told == role else ""
        return f"The running {told}{of} ({pids_of(pids)})"

    def _walls(self) -> Iterator[Outcome]:
        root, before = self.seen.processes[self.setting.supervisor], self._before()
        if self.serves:
            also = self.models if self.verb == "serve" else ()
            own = replace(
                self.setting, readable=(self.setting.state, *self.setting.folders, *self.tops, *also)
            )
            yield held(self.seen, root, self._name(SUPERVISOR, [root.pid]), OWN[self.verb], own, before)
        elif wrong := readers(root):
            claim = f"{self._name(SUPERVISOR, [root.pid])} lets nobody read its memory"
            yield Outcome(claim, False, "; ".join(wrong))
        for role in LISTS:
            for pid in self.pids(role):
                if self.seen.processes[pid].status:
                    name = self._name(role, [pid])
                    yield held(self.seen, self.seen.processes[pid], name, role, self.setting, before)

    def _children(self) -> Iterator[tuple[int, int]]:
        """Also a double of the command, but for the moment in which it is to become a worker."""
        yield from super()._children()
        for pid in self.pids(SUPERVISOR):
            process = self.seen.processes[pid]
            if pid != self.setting.supervisor and process.looks > A_MOMENT:
                yield process.parent, pid

    def _before(self) -> Before:
        root = self.seen.processes[self.setting.supervisor]
        standing = {a.about for a in self.seen.by(root.pid, "standing", "filter")}
        own = rightful(OWN[self.verb], root.pid) & standing if self.serves else set()
        count = int(root.status.get("Seccomp_filters", 0))
        if self.serves:
            count = count - 1 if own else self.starters
        return Before(count, frozenset(standing - own), "that of whoever started it")

    def _files(self) -> Outcome:
        return replace(super()._files(), claim=f"{self._judged()} change no file")

    def _judged(self) -> str:
        """Whose files are judged."""
        pids = sorted(pid for pid in self.role if self.serves or self.role[pid] != SUPERVISOR)
        what = "daemon and its workers" if self.serves else "workers"
        return self._name(what, pids)

    def _may_write(self, role: str, act: Act) -> bool:
        return super()._may_write(TRANSCRIBER if role == SUPERVISOR else role, act)

    def _held(self) -> Outcome:
        claim = f"{self._judged()} have nothing open that leads elsewhere"
        root = self.seen.processes[self.setting.supervisor]
        if root.held is None:
            return Outcome(claim, None, "what they have open can be seen by root only")
        spoken = [thing for thing in root.held if thing.fd in STANDARD]
        own = [thing for thing in root.held if self.serves and thing.fd not in STANDARD]
        seen = replace(self.seen, processes={**self.seen.processes, root.pid: replace(root, held=own)})
        outcome = leads_nowhere(
            claim,
            seen,
            self.role,
            lambda pid, what, path: self._may_write(self.role[pid], Act(0, pid, what, path, True)),
            lambda _: False,
        )
        whom = dict.fromkeys(thing.whom for thing in spoken if thing.whom and self.serves)
        to = f"but for stdin, stdout and stderr, which {', '.join(whom)} has" if whom else outcome.detail
        return replace(outcome, detail=to) if outcome.held else outcome


@dataclass
class Beside:
    """The `commands` of an installation, each with who watches it."""

    config: Config
    home: Home
    commands: Sequence[Command]
    _watchers: dict[int, Watcher] = field(default_factory=dict)
    _starters: dict[int, int] = field(default_factory=dict)
    _began: float = 0.0

    def __post_init__(self) -> None:
        """Started with the rights that the check was started with; they look at nothing before `begin`."""
        for command in self.commands:
            if command.known:
                self._watchers[command.pid] = Watcher(command.pid)
                parent = status_of(Path(f"/proc/{command.pid}")).get("PPid", "0")
                of_parent = status_of(Path(f"/proc/{parent}"))
                self._starters[command.pid] = int(of_parent.get("Seccomp_filters", 0))

    def begin(self, follow: bool = True) -> None:
        """Watch from now on. One that is gone, or whose watcher does not come up, is told at the end."""
        self._began = time.monotonic()
        # Whoever reads it locks parts of it, as SQLite does.
        ledger = [f"{os.path.realpath(self.home.state)}/{name}" for name in LEDGER]
        for pid, watcher in list(self._watchers.items()):
            try:
                watcher.begin((), ledger, follow, 0.0)
            except OSError:
                watcher.close()
                del self._watchers[pid]

    def close(self) -> None:
        """Let everybody go."""
        for watcher in self._watchers.values():
            watcher.close()

    def claims(self) -> Iterator[Outcome]:
        """What was seen since `begin`, judged."""
        self._settle()
        setting = self._setting()
        for command in self.commands:
            claim = f"The running {command} (pid {command.pid}) keeps to all this"
            if not command.known:
                yield Outcome(claim, None, f"it was not looked at: {UNKNOWN}")
            elif isinstance(seen := self._seen(command), str):
                yield Outcome(claim, None, seen)
            else:
                placed = replace(setting, supervisor=command.pid)
                judge = OfCommand(
                    seen, placed, verb=command.verb, starters=self._starters[command.pid], models=self._models(),
                    tops=self._tops(),
                )  # fmt: skip
                yield from judge.claims()
        met = {command.pid for command in self.commands}
        for command in commands_of(self.home, met):
            if command.known:
                claim = f"The running {command} (pid {command.pid}) keeps to all this"
                yield Outcome(claim, None, "it began while this check ran, and was not looked at; ask again")

    def _settle(self) -> None:
        """Look on until whoever was started a moment ago has put on its walls, or waits for something without them."""
        before: dict[int, bytes] = {}
        while self._watchers and (lasted := time.monotonic() - self._began) < STARTING:
            everybody = [pid for root in self._watchers for pid in family(root)]
            now = {pid: work_of(pid) for pid in everybody if not has_filter(pid)}
            if lasted > WITHOUT and all(work and before.get(pid) == work for pid, work in now.items()):
                break
            before = now
            time.sleep(LULL)

    def _seen(self, command: Command) -> Seen | str:
        """What was seen of it, or why nothing was."""
        if command.pid not in self._watchers:
            return "it was not looked at: the process that watches did not come up"
        try:
            seen = self._watchers.pop(command.pid).end()
        except OSError as error:
            return f"it was not looked at: {error}"
        there = seen.processes.get(command.pid)
        return seen if there and there.looks else "it had ended before it could be looked at"

    def _models(self) -> tuple[Path, ...]:
        configured = self.config.transcription.model_dir
        return (self.home.models, shared_models(), *([configured] if configured else []))

    def _tops(self) -> tuple[Path, ...]:
        with (
            contextlib.suppress(EarmarkError),
            opened_context(self.home, self.config, read_only=True) as context,
        ):
            return tuple(Path(os.path.realpath(folder)) for folder in context.ledger.places.folders())
        return ()

    def _setting(self) -> Setting:
        """By the configuration in force; a command keeps that with which it was started."""
        folders = tuple(Path(os.path.realpath(f)) for f in watched_folders(self.home, self.config))
        leads = Leads(self.config, consent_of(self.config, self.home))
        leads.look()
        return Setting(
            0, folders, Path(os.path.realpath(self.home.state)), leads.everywhere, named=leads.named, within=leads.within,
            resolvers=tuple(leads.resolvers), landlock=bool(landlock.version()), lms=forwarding.lms_tool(),
            home=Path(os.path.realpath(Path.home())), readable=readable(self.config, self.home, folders),
            installation=str(Path(sys.executable).parent),
        )  # fmt: skip


def has_filter(pid: int) -> bool:
    """Whether a system-call filter holds a process, or it is gone."""
    return status_of(Path(f"/proc/{pid}")).get("Seccomp", "2") == "2"


def work_of(pid: int) -> bytes:
    """How much a process has worked, where it waits for something; empty while it works (proc_pid_stat(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return b"-"
    # Who is followed and waits is asleep, too.
    return b" ".join(fields[11:13]) if fields[:1] == [b"S"] else b""
