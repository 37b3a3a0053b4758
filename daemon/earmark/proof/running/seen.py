"""What was seen of the running processes, as it travels from the process that watches to the check: JSON both ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from earmark.proof.running.holdings import Holding

PASSED_ON = "SCM_RIGHTS, by which it passed on what it had open"
"""How an act (odd) is told by which a process gives another one of its descriptors."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a process did. `order`: acts of all processes are numbered in the order they were seen in.

    `what`: socket, connect, aim (of a datagram socket), send, bind, opened (for writing), read (a file of a drop folder),
    looked (at another file, to read it), named (a file or folder got this name), moved (from a path to another), changed
    (length or name of a file), access (its mode, owner or list), dated (its times), wrote (to a path), mapped (a file as
    shared memory), answered (into a pipe), piped (into a pipe that somebody else's process reads), program, wall, filter
    (its program), standing (a filter that was there before), landlock (rights and a path), or odd.
    `about`: address, path, name. `done` is False where the system refused it.
    """

    order: int
    pid: int
    what: str
    about: str
    done: bool


@dataclass
class Process:
    """One process of the daemon. `status`: fields of /proc/PID/status and its limit at the last look."""

    pid: int
    parent: int
    arguments: tuple[str, ...] = ()
    program: str = ""
    looks: int = 0
    status: dict[str, str] = field(default_factory=dict)
    sockets: list[str] = field(default_factory=list)
    """`tcp 127.0.0.1:1234`, once each; without a remote address `udp *`."""
    readable: bool = True
    """False where its descriptors could not be looked at."""
    born: bool = False
    """It started while it was followed: all it ever did was seen."""
    held: list[Holding] | None = None
    """What it had open by which words could get out (`holdings`); None where nobody could look."""
    followed_by: str = ""
    """A process, other than the one that watches, that followed it (ptrace), and could read all it knows: `gdb (pid 7)`."""
    titles: list[str] = field(default_factory=list)
    """Command lines, names and environments that it had, one text each, and which of these it is before a colon."""


@dataclass
class Seen:
    """Everything that was seen from the first look to the last. `followed`: by its system calls, else why not."""

    followed: bool
    why_not: str
    processes: dict[int, Process] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    """What was written, by where: `PID target`. Not the ledger, the notes, and the pipes between daemon and worker."""
    packets: int | None = None
    """IP packets that all programs in the daemon's network sent meanwhile, loopback too; None if the kernel does not say."""
    began: float = 0.0
    ended: float = 0.0
    calls: int = 0
    full: bool = False
    """There were more different acts than were kept."""
    manager: str = ""
    """What the daemon's environment calls the service manager's socket."""
    cwd: str = ""
    """The folder that the daemon was started in, where that can be seen."""
    stranger: str = ""
    """Who has that socket, if it is somebody who did not start the daemon."""
    guests: list[str] = field(default_factory=list)
    """Children that the daemon's process had before it was the daemon."""
    asked: dict[str, int] = field(default_factory=dict)
    """Paths that were looked at, and by which process first."""
    cut: list[str] = field(default_factory=list)
    """Targets to which more was written than was kept."""

    @classmethod
    def of(cls, data: dict[str, Any]) -> Seen:
        """From JSON."""
        made = cls(**{k: v for k, v in data.items() if k not in ("processes", "acts")})
        made.processes = {int(pid): Process(**p) for pid, p in data["processes"].items()}
        made.acts = [Act(*row) for row in data["acts"]]
        for process in made.processes.values():
            process.arguments = tuple(process.arguments)
            process.held = None if process.held is None else [Holding(*row) for row in process.held]
        return made

    def by(self, pid: int, *what: str) -> list[Act]:
        """Acts of one process."""
        return [act for act in self.acts if act.pid == pid and (not what or act.what in what)]
