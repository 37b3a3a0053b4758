"""The first page: what `earmark status` says, by the same code, with links to the recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from earmark.below import below
from earmark.context import Context
from earmark.domain import Instant
from earmark.files import counted
from earmark.intake.untaken import closed_in_words, in_words
from earmark.ledger.lock import UNKNOWN
from earmark.readable import moment
from earmark.report import Report, how_far, in_queue
from earmark.standing.gathered import Line, gather
from earmark.standing.saying import counts, grouped, heard, parts, swept

SHOWN = 100
"""Files below each heading, and of what is being done; more are only counted."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that something is said of. `recording`: its id, "" where it is none."""

    name: str
    recording: str
    since: Instant | float | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """What is done with a file. `share`: how much of it is, from 0 to 1, None where nobody can say."""

    what: str
    file: File
    share: float | None = None


def now(context: Context, at_once: int) -> dict[str, Any]:
    """What is being done, what waits and why, what failed and what is wrong. `at_once`: recordings that would be heard at
    once, where no daemon runs.
    """
    tops = {*context.folders, *context.ledger.places.folders()}
    found = gather(context, partial(below, folders=tops), at_once)
    report = found.report if found.running else None
    return {
        "running": found.running, "by": (found.daemon or UNKNOWN) if found.running else "",
        "since": report.started_at if report else None,
        "folders": report.folders if report else tuple(map(str, context.folders)),
        "paused": report.paused if report else None, "counts": counts(found), "heard": list(heard(found)),
        "queue": f"{in_queue(found.queue)}{'' if found.running else ', once it runs'}" if found.queue else "",
        "said": [s for s in (found.drafts_wait, in_words(found.untaken), closed_in_words(found.closed)) if s],
        "doing": list(_doing(context, report, tops)) if report else [],
        "more_doing": _more(report) if report else "",
        "parts": [
            (part.heading, part.command, [
                (sentence, [_file(context, line, tops) for line in lines], more)
                for sentence, lines, more in grouped(part.lines, SHOWN)
            ])
            for part in parts(found)
        ],
        "swept": swept(found, moment),
    }  # fmt: skip


def _doing(context: Context, report: Report, tops: Collection[Path]) -> Iterator[Doing]:
    for work in report.working:
        share = work.at / work.total if work.total else None
        yield Doing(work.stage, _named(context, Path(work.file), tops), share)
    yield from (Doing(how_far(r), _named(context, Path(r.file), tops)) for r in report.reading[:SHOWN])
    for path in report.being_written[:SHOWN]:
        yield Doing("is still being written by another program", _named(context, Path(path), tops))


def _more(report: Report) -> str:
    """How many more there are of what may be long."""
    more = (
        (
            len(report.reading) - SHOWN,
            "more large file that waits",
            "more large files that wait",
            "to be read",
        ),
        (len(report.being_written) - SHOWN, "more", "more", "still being written by another program"),
    )
    return "; ".join(f"and {counted(n, one, many)} {what}" for n, one, many, what in more if n > 0)


def _file(context: Context, line: Line, tops: Collection[Path]) -> File:
    return _named(context, Path(line.path), tops, line.since)


def _named(context: Context, path: Path, tops: Iterable[Path], since: float | None = None) -> File:
    """A recording, or a note of one, or another file or folder."""
    ledger, tops = context.ledger, set(tops)
    place, artifact = ledger.place_of(path), ledger.artifacts.at(path)
    known = place or artifact
    return File(below(path, tops), known.recording_id if known else "", since)
