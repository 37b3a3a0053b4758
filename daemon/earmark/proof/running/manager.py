"""The service manager's socket. What the daemon's environment calls so is one if whoever has it started the daemon."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.proof.running.descriptors import status_of
from earmark.proof.running.holdings import Others, names_of
from earmark.proof.running.structs import straight

_VARIABLE = b"NOTIFY_SOCKET="


def manager_of(daemon: int, others: Others) -> tuple[str, str]:
    """The address that is named in the daemon's environment, and who has it if that is a stranger; "" for what is not there.

    Whom this pid namespace does not show is none: from inside of a container the manager cannot be seen.
    """
    address = _named(daemon)
    file = _file(daemon, address)
    inodes = [
        i for i, about in others.unix.items() if address and (about.name == address or about.file == file > 0)
    ]
    owners = {pid for inode in inodes for pid in others.owners(f"socket:[{inode}]")}
    if not owners or any(_is_manager(pid, _ancestors(daemon)) for pid in owners):
        return address, ""
    return address, names_of(sorted(owners))


def _named(pid: int) -> str:
    """As /proc shows the name of a socket: a path, or @ and an abstract name (sd_notify(3))."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    named = [v.removeprefix(_VARIABLE) for v in variables if v.startswith(_VARIABLE)]
    return straight(os.fsdecode(named[0])) if named else ""


def _file(pid: int, address: str) -> int:
    """The inode of a socket's file, as sock_diag(7) has it; 0 where there is none."""
    try:
        return os.stat(f"/proc/{pid}/root{address}").st_ino & 0xFFFFFFFF  # noqa: PTH116
    except OSError:
        return 0


def _is_manager(pid: int, ancestors: list[int]) -> bool:
    try:
        program = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115
    except OSError:
        program = ""
    # One of a user's has no longer started what its terminals and multiplexers left to the first process.
    return pid == 1 or pid in ancestors or program.rpartition("/")[2] == "systemd"


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    while (pid := int(status_of(Path(f"/proc/{pid}")).get("PPid", 0))) > 0 and pid not in found:
        found.append(pid)
    return found
