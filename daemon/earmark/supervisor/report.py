"""What the running daemon says of itself: a small JSON file in the state folder that `earmark status` reads.

Only what no table holds: what is being worked on right now, what is settling, whether workers are sandboxed.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Working:
    """One recording or summary under way. `at`/`total`: seconds of audio, or chunks of a summary."""

    stage: str
    file: str
    at: float
    total: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The daemon's own account. `paused`: why it does nothing at the moment (disk full ...), or None."""

    pid: int
    version: str
    started_at: float
    folders: tuple[str, ...]
    config_file: str
    working: tuple[Working, ...] = ()
    settling: tuple[str, ...] = ()
    being_written: tuple[str, ...] = ()
    sandbox: tuple[str, ...] = ()
    summary_sandbox: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    """Families of the daemon's own sockets: nobody else may look into a process that is not dumpable."""
    model: str = ""
    paused: str | None = None
    config_error: str | None = None
    next_sweep: float | None = None
    extra: dict[str, str] = field(default_factory=dict)


def write_report(file: Path, report: Report) -> None:
    """Put the report in place of the last one, whole. A full disk is not a reason to stop: the old report stays."""
    temp = file.with_suffix(".tmp")
    with contextlib.suppress(OSError):
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as out:
            json.dump(asdict(report), out)
        temp.replace(file)


def read_report(file: Path) -> Report | None:
    """The last report, or None if there is none that can be read."""
    try:
        found = json.loads(file.read_text("utf-8"))
        found["working"] = tuple(Working(**w) for w in found["working"])
        for name in ("folders", "settling", "being_written", "sandbox", "summary_sandbox", "sockets"):
            found[name] = tuple(found.get(name, ()))
        return Report(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None
