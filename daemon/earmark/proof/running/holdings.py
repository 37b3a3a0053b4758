"""What a process has open already: files it can write to, shared memory, pipes and sockets to others, what it has in
common with others.

Opened before the check, nothing of it shows as a system call.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from earmark.proof.running.descriptors import has_same_memory, is_same, open_in, status_of
from earmark.proof.running.special import kind_of, told
from earmark.proof.running.unix_sockets import Unix, unix_sockets

_WRITES = os.O_WRONLY | os.O_RDWR


class Holding(NamedTuple):
    """Something that is open: `kind` file, memory, pipe, unix, socket (of another family), shared, listener, io_uring,
    twin (all of its memory) or log, and what it leads to.

    `whom`: who has the other end, or the same thing. `fd`: -1 for memory.
    """

    kind: str
    what: str
    fd: int = -1
    whom: str = ""

    def __str__(self) -> str:
        descriptor = f"descriptor {self.fd}"
        match self.kind:
            case "file":
                return f"{descriptor}, by which it can write to {self.what}"
            case "memory":
                return f"memory that it shares by {self.what}"
            case "pipe":
                return f"{descriptor}, a pipe that {self.whom} reads"
            case "unix":
                return f"{descriptor}, a unix socket to {self.what or self.whom}"
            case "shared":
                return f"{descriptor} ({self.what}) in common with {self.whom}"
            case "listener":
                return f"{descriptor}, a unix socket that listens at {self.what}"
            case "twin":
                return f"all of its memory in common with {self.whom}"
            case "log":
                return f"its {'stdout' if self.fd == 1 else 'stderr'} is {self.what} {self.whom}"
        return f"{descriptor}, an {self.kind}"


@dataclass
class Others:
    """Whose the other ends are: of pipes, sockets and all else. Read once for all processes of a family."""

    family: frozenset[int]
    having: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By what a descriptor leads to: processes that are not of the family, and their descriptors."""
    unix: dict[int, Unix] = field(default_factory=dict)
    everybody: list[int] = field(default_factory=list)
    """All processes that are not of the family."""

    @classmethod
    def now(cls, family: Iterable[int], only: str = "") -> Others:
        """As things are. `only`: of this one thing."""
        found = cls(frozenset(family))
        if not only:
            with contextlib.suppress(OSError, struct.error):
                found.unix = unix_sockets()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in found.family:
                continue
            found.everybody.append(int(entry.name))
            for fd, to in open_in(int(entry.name)) or ():
                if only in ("", to):
                    found.having.setdefault(to, []).append((int(entry.name), fd))
        return found

    def readers(self, pipe: str) -> list[int]:
        """Who could read from this pipe."""
        return sorted(
            {pid for pid, fd in self.having.get(pipe, ()) if _flags(pid, fd) & os.O_ACCMODE != os.O_WRONLY}
        )

    def owners(self, to: str) -> list[int]:
        """Who has this open."""
        return sorted({pid for pid, _ in self.having.get(to, ())})

    def sharing(self, pid: int, fd: int, to: str) -> list[int]:
        """Who has the very same open file: whatever one of them does to it, its position too, the other sees."""
        return sorted({other for other, theirs in self.having.get(to, ()) if is_same(pid, fd, other, theirs)})


def holdings(pid: int, others: Others, logs: Iterable[str]) -> list[Holding] | None:
    """What this process has open by which words could get out; None where nobody may see. `logs`: where it logs to."""
    there = open_in(pid)
    if there is None:
        return None
    found: list[Holding] = []
    quiet = set(logs)
    for fd, to in there:
        if to in quiet:
            found += _log(pid, fd, to, others)
            continue
        known = len(found)
        if to.startswith("socket:["):
            found += _socket(fd, to, others)
        elif to.startswith("pipe:"):
            readers = others.readers(to) if _flags(pid, fd) & _WRITES else []
            found += [Holding("pipe", "", fd, names_of(readers))] if readers else []
        elif "io_uring" in to:
            found.append(Holding("io_uring", "", fd))
        elif to.startswith("/") and _flags(pid, fd) & _WRITES and not _is_folder(pid, fd):
            kind = kind_of(pid, fd, to)
            found.append(Holding("file", told(kind, to, names_of(others.readers(to))) if kind else to, fd))
        if all(thing.kind == "socket" for thing in found[known:]) and (
            sharing := others.sharing(pid, fd, to)
        ):
            found.append(Holding("shared", to, fd, names_of(sharing)))
    if twins := sorted(other for other in others.everybody if has_same_memory(pid, other)):
        found.append(Holding("twin", "", -1, names_of(twins)))
    return list(dict.fromkeys([*found, *_maps(pid)]))


def names_of(pids: Iterable[int]) -> str:
    """`tee (pid 7)`, the first few."""
    told = [f"{status_of(Path(f'/proc/{pid}')).get('Name', 'a process')} (pid {pid})" for pid in pids]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _log(pid: int, fd: int, to: str, others: Others) -> Iterator[Holding]:
    """Where a process of the daemon logs to, if another program takes it from there."""
    if fd not in (1, 2):
        return
    pipe = to.startswith("pipe:") or kind_of(pid, fd, to)
    if pipe and (readers := others.readers(to)):
        yield Holding("log", "a pipe to", fd, names_of(readers))
    elif to.startswith("socket:["):
        for thing in _socket(fd, to, others):
            other = thing.kind == "socket"
            yield thing if other else Holding("log", "a unix socket to", fd, thing.what or thing.whom)


def _socket(fd: int, to: str, others: Others) -> Iterator[Holding]:
    about = others.unix.get(int(to[len("socket:[") : -1]))
    if about is None:
        # Of another family: the claims about sockets say where it leads, and take its number from here.
        yield Holding("socket", "", fd)
    elif about.listens:
        yield Holding("listener", f"{about.name or 'no name'} (type {about.kind})", fd)
    elif about.peer:
        end = others.unix.get(about.peer)
        strangers = others.owners(f"socket:[{about.peer}]")
        if strangers or (end is not None and end.name):
            yield Holding("unix", end.name if end is not None else "", fd, names_of(strangers))
    elif strangers := others.owners(to):
        yield Holding("shared", "a unix socket", fd, names_of(strangers))


def _maps(pid: int) -> Iterator[Holding]:
    """Memory that is shared with whoever has the same file: writing to it is no system call. That it can be made writable is
    enough, because it may be so for a moment only (`sh` and `mw` of VmFlags, proc_pid_smaps(5)).
    """
    path = ""
    with contextlib.suppress(OSError), Path(f"/proc/{pid}/smaps").open(errors="surrogateescape") as lines:
        for line in lines:
            if line.startswith("VmFlags:"):
                if path and {"sh", "mw"} <= set(line.split()[1:]):
                    yield Holding("memory", path)
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                columns = line.rstrip("\n").split(None, 5)
                path = columns[5] if len(columns) > 5 else ""


def _flags(pid: int, fd: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines():
            if line.startswith("flags:"):
                return int(line.split()[1], 8)
    return 0


def _is_folder(pid: int, fd: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/fd/{fd}").is_dir()
    return False
