"""Which commands of earmark are at work for an installation, beside its daemon: `earmark mcp`, `serve`, `ask`, and so on.

They read its words, too, and have workers of their own.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from earmark.files import holders
from earmark.paths import CARRIED, Home, home_of
from earmark.proof.running.descriptors import status_of
from earmark.service.elsewhere import same_place, verb_of

ELSEWHERE = ("run", "privacy", "models", "config", "service", "doctor", "open")
"""Verbs that are not meant: a daemon is looked at as such, a check is this one or waits for it, a download is to fetch, and
the others read no word.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of earmark that runs. `known`: whether the kernel shows that it is for the installation asked about."""

    pid: int
    verb: str
    known: bool = True

    def __str__(self) -> str:
        return f"earmark {self.verb}"


def commands_of(home: Home, but: Collection[int] = (), proc: Path = Path("/proc")) -> list[Command]:
    """The commands that run for this home, or of whose home nobody may know, without these processes."""
    try:
        owner = home.state.stat().st_uid
        numbers = sorted(int(name) for name in os.listdir(proc) if name.isdigit())  # noqa: PTH208
    except OSError:
        return []
    # Whoever reads a ledger has a lock on it, or on the file beside it (sqlite.org/lockingv3.html, walformat.html).
    files = (home.ledger_file, home.ledger_file.with_name("ledger.db-shm"))
    readers = {pid for file in files for pid in holders(file, proc, "POSIX") or ()}
    found = []
    for pid in numbers:
        verb = _verb(proc / str(pid))
        if not verb or pid in but or pid == os.getpid():
            continue
        known = True if pid in readers else _is_for(home, proc / str(pid), owner)
        if known is not False:
            found.append(Command(pid, verb, known is True))
    return found


def _verb(folder: Path) -> str:
    """What this process was told to do, if it is an earmark that is meant here; else ""."""
    try:
        words = (folder / "cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return ""
    verb = next((word for word in verb_of(words) if not word.startswith("-")), "")
    return verb if verb.isalpha() and verb not in ELSEWHERE else ""


def _is_for(home: Home, folder: Path, owner: int) -> bool | None:
    """Whether a process keeps its things in this home, by its environment; None where nobody may know."""
    try:
        words = (folder / "environ").read_bytes().decode(errors="surrogateescape").split("\0")
        of_system = b"--system" in (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        uid = status_of(folder).get("Uid", "").split()[1:2]
        return None if uid == [str(owner)] else False
    if of_system:
        return None  # its own environment is not what it goes by
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    if not words[0]:
        return None  # it has only just been started, or ends
    return same_place(home_of({n: variables[n] for n in (*CARRIED, "HOME") if n in variables}), home)
