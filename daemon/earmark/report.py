"""What the running daemon says of itself: a small JSON file in the state folder that `earmark status` reads.

Only what no table holds: what is being worked on right now, what is settling, whether workers are sandboxed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from earmark import __version__
from earmark.files import counted, overwrite_own, read_bytes, write_own


class Working(BaseModel):
    """One recording or summary under way. `at`/`total`: seconds of audio, or chunks of a summary. `aside`: a short recording
    is heard first that came meanwhile.
    """

    model_config = ConfigDict(frozen=True)

    stage: str
    file: str
    at: float
    total: float | None
    aside: bool = False


class Reading(BaseModel):
    """A file that is read for the first time, to know what it is. `at` and `total`: bytes.

    `left`: seconds that the rest takes as fast as it went so far, None while nobody can tell. `silent`: seconds since the
    last byte came. `waits`: not begun, because others of its size are being read.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    at: int
    total: int
    left: float | None = None
    silent: float = 0.0
    waits: bool = False


class Queue(BaseModel):
    """Recordings that are to be heard. `of`: all that came since the queue was empty last; `heard` of them are over. `left`:
    seconds that the rest takes, None while that was not measured here.
    """

    model_config = ConfigDict(frozen=True)

    heard: int
    of: int
    left: float | None = None


class Report(BaseModel):
    """The daemon's own account. `format` goes up when a field changes its meaning. `paused`: why it does nothing at the
    moment (disk full ...), or None. `waiting`: jobs that are due or will be. `wrong`: troubles of folders and of the system.
    `reading`: files whose reading takes longer than a moment, or whose turn has not come; `settling` has all others.
    `queue`: what is to be heard, of a few seconds ago; `workers`: how many recordings are heard at once, 0 if that is not
    known. `unwatched`: why no change is told of a folder, a sentence each. `sockets`: families of its own sockets, because
    nobody else may look into a process that is not dumpable. `config_digest`: SHA-256 of the configuration file that is in
    force, "" where there was none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    pid: int
    version: str
    started_at: float
    folders: tuple[str, ...]
    config_file: str
    working: tuple[Working, ...] = ()
    reading: tuple[Reading, ...] = ()
    settling: tuple[str, ...] = ()
    being_written: tuple[str, ...] = ()
    sandbox: tuple[str, ...] = ()
    speakers_sandbox: tuple[str, ...] = ()
    search_sandbox: tuple[str, ...] = ()
    summary_sandbox: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    model: str = ""
    paused: str | None = None
    config_error: str | None = None
    config_digest: str | None = None
    next_sweep: float | None = None
    waiting: int = 0
    queue: Queue | None = None
    workers: int = 0
    wrong: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()


def other_version(report: Report, restart: str, own: str = __version__) -> str | None:
    """What to say of a running daemon of another version than this program; None if it is the same. `restart`: what starts
    it anew.
    """
    if report.version == own:
        return None
    return (
        f"the running daemon is earmark {report.version}, and this command is {own}; restart the daemon to have "
        f"one version: {restart}"
    )


def in_queue(queue: Queue) -> str:
    """How far the queue is: `27 of 300 heard, about 2 h 10 min left`."""
    so_far = f"{queue.heard} of {queue.of} heard"
    if queue.left is None:
        return f"{so_far}; how long the rest takes is not measured yet"
    return f"{so_far}, about {roughly(queue.left)} left"


def roughly(seconds: float) -> str:
    """`1 min`, `40 min`, `2 h 10 min`, `3 days 4 h`: no finer than anybody can know."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    tens = round(minutes / 10) * 10
    if tens < 48 * 60:
        return f"{tens // 60} h" + (f" {tens % 60} min" if tens % 60 else "")
    hours = round(minutes / 60)
    return f"{hours // 24} days" + (f" {hours % 24} h" if hours % 24 else "")


STALLED = 60.0
"""Seconds without a byte after which nobody counts on the next one: a disk that spins up takes ten."""


def how_far(reading: Reading) -> str:
    """How far the reading of a file is: `12 GiB of 3.0 TiB read, about 2 h left`."""
    if reading.waits:
        return f"waits to be read ({in_bytes(reading.total)}): others of its size are being read"
    so_far = f"{in_bytes(reading.at)} of {in_bytes(reading.total)} read"
    if reading.silent >= STALLED:
        return f"{so_far}; no byte has come for {in_time(reading.silent)}: its disk or network folder does not answer"
    return so_far if reading.left is None else f"{so_far}, about {in_time(reading.left)} left"


def in_bytes(count: float) -> str:
    """`512 MiB`, `3.0 TiB`."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min(max(0, int(count).bit_length() - 1) // 10, len(units) - 1)
    value = count / 1024**power
    return f"{value:.1f} {units[power]}" if power and value < 10 else f"{value:.0f} {units[power]}"


def in_time(seconds: float) -> str:
    """`40 s`, `5 min`, `2 h`, `3 days`."""
    for limit, unit, size in ((90.0, "s", 1), (5400.0, "min", 60), (129_600.0, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def other_config(report: Report, own: Path) -> str | None:
    """What to say of a running daemon that reads another configuration than this program; None if it is the same."""
    if os.path.realpath(report.config_file) == os.path.realpath(own):
        return None
    return f"the running daemon reads {report.config_file}, and this command {own}"


def in_a_line(report: Report) -> str:
    """What is being done and what is wrong, for `systemctl status`. Counts and folders only: whoever is on the machine may
    read the line of a system service, and a recording's name may say much.
    """
    doing = [
        f"{'transcribing' if work.stage == 'transcribe' else 'summarizing'}"
        + (f" ({min(100, round(100 * work.at / work.total))} %)" if work.total else "")
        for work in report.working
    ]
    if under_way := [reading for reading in report.reading if not reading.waits]:
        shares = ", ".join(f"{100 * r.at // max(1, r.total)} %" for r in under_way[:4])
        doing.append(f"reading ({shares})")
    if report.settling:
        doing.append(f"{len(report.settling)} arriving")
    if report.waiting:
        doing.append(f"{report.waiting} waiting")
    folders = f"watching {counted(len(report.folders), 'folder')}"
    line = ", ".join(doing or [folders])
    wrong = list(report.wrong)
    if report.config_error:
        wrong.insert(0, "the configuration is broken and the old one kept")
    if report.paused:
        line, wrong = "paused", [report.paused, *wrong]
    more = [f"and {len(wrong) - 3} more"] if len(wrong) > 3 else []
    told = f"{line}; wrong: {'; '.join([*(w.rstrip('.') for w in wrong[:3]), *more])}" if wrong else line
    return told[:1].upper() + told[1:]


def write_report(file: Path, report: Report) -> None:
    """Put the report in place of the last one, whole. On a full disk, which is no reason to stop, it is written over the
    last one: that the disk is full is what it has to say.
    """
    # Names may hold bytes that are no text, which only escapes carry there and back.
    data = json.dumps(report.model_dump()).encode()
    with contextlib.suppress(OSError):
        try:
            write_own(file, data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            overwrite_own(file, data)


def read_report(file: Path) -> Report | None:
    """The last report, or None if there is none that can be read."""
    try:
        report = Report.model_validate(json.loads(read_bytes(file)))
        return None if any("\0" in folder for folder in report.folders) else report
    except (OSError, ValueError):
        return None
