"""What the judge of a running daemon has to know of the installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """`pinned`: where summaries may go. `named`: the server goes by a
    name that is looked up. `manager`: the service manager's socket. `landlock`: whether this kernel has it.
    """

    supervisor: int
    folders: tuple[Path, ...]
    state: Path
    pinned: tuple[tuple[str, int], ...] = ()
    named: bool = False
    manager: str = ""
    landlock: bool = True
    lms: str | None = None
    account: tuple[str, ...] = ()
    """Families of sockets that the daemon itself says it had."""
    home: Path = Path("/nonexistent")
    """The daemon's owner's home folder."""
    readable: tuple[Path, ...] = ()
    """What workers may read beside the system's own: drop folders, model, templates; empty where the model is not known."""
    program: str = ""
    """The Python that this check runs in. What another one needs is not known here."""
    other_version: str = ""
    """The daemon's version of earmark, where it is not the one of this check."""
