"""Log files in the state folder (launchd keeps one there; under systemd and in a terminal there is none)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from json import loads
from pathlib import Path

from earmark.domain import Instant
from earmark.files import flush_file


def is_log(path: Path) -> bool:
    """By name: `earmark.log`, `earmark.log.1`, `chaos.jsonl`."""
    return path.suffix in (".log", ".jsonl") or ".log." in path.name


def log_files(state: Path) -> list[Path]:
    """The log files of an installation."""
    return sorted(p for p in state.iterdir() if is_log(p) and p.is_file() and not p.is_symlink())


def trim(file: Path, before: Instant) -> int:
    """Take the lines that were logged before `before` out of a log; returns how many went.

    A line without a time of its own (a traceback's) goes with the line above it.
    """
    kept, going, gone = [], False, 0
    for line in file.read_bytes().splitlines(keepends=True):
        logged_at = _time_of(line)
        if logged_at is not None:
            going = logged_at < before
        if going:
            gone += 1
        else:
            kept.append(line)
    if gone:
        rewrite(file, kept)
    return gone


def drop_lines(file: Path, needles: set[bytes]) -> None:
    """Take the lines that hold any of these out of a log."""
    lines = file.read_bytes().splitlines(keepends=True)
    rewrite(file, [line for line in lines if not any(needle in line for needle in needles)])


def remove(file: Path) -> None:
    """Remove a file of ours that is written again."""
    file.unlink(missing_ok=True)


def rewrite(file: Path, lines: Iterable[bytes]) -> None:
    """Put these lines in the place of a log's content: in place, because whoever has it open for appending goes on
    writing to this very file.
    """
    with file.open("r+b") as log:
        log.write(b"".join(lines))
        log.truncate()
        flush_file(log.fileno())


def _time_of(line: bytes) -> Instant | None:
    try:
        return Instant(datetime.fromisoformat(loads(line)["timestamp"]).timestamp())
    except (ValueError, KeyError, TypeError):
        return None
