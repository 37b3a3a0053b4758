"""What the pages say, read from the ledger and from the daemon's report, as plain values; templates say how they look."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.config import Config
from earmark.context import Context
from earmark.domain import Instant, JobState, Stage
from earmark.errors import EarmarkError
from earmark.files import is_locked
from earmark.intake.untaken import in_words, untaken
from earmark.ledger import Job
from earmark.ledger.lock import UNKNOWN, holder
from earmark.locality.policy.destination import Destination
from earmark.locality.policy.page import split
from earmark.locality.policy.snapshot import snapshot
from earmark.models.catalog import Device
from earmark.models.inventory import inventory, usage_here
from earmark.paths import Home
from earmark.report import how_far, in_bytes, in_queue, read_report
from earmark.retention.trash.rows import purged_from
from earmark.search.query import parse
from earmark.verbs import states
from earmark.verbs.meaning import MeaningWorker
from earmark.verbs.opening import opened_context
from earmark.verbs.policy_facts import facts_now
from earmark.verbs.searching import search
from earmark.verbs.trash import IN_TRASH

SHOWN = 100
"""Lines of each list on the first page; more are only counted."""

FOUND = 40
"""Passages that one search shows."""

_STAGES = {
    Stage.TRANSCRIBE: "its transcription",
    Stage.DIARIZE: "who says what",
    Stage.SUMMARIZE: "its summary",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """One installation, as whoever serves its pages may see it. `end`: where summaries go, as it was looked up before the
    walls went up; `standing`: who says what a query means; `device`: what earmark may use here.
    """

    home: Home
    config: Config
    end: Destination | None
    standing: MeaningWorker
    device: Device

    @contextmanager
    def looking(self) -> Iterator[Context]:
        """The ledger at one moment."""
        with (
            opened_context(self.home, self.config, read_only=True) as context,
            context.ledger.one_moment(),
        ):
            yield context

    def work(self) -> dict[str, Any]:
        """What is being done, what waits and why, what failed and what is wrong."""
        home = self.home
        running, report = is_locked(home.lock_file), read_report(home.status_file)
        with self.looking() as context:
            ledger = context.ledger
            waiting = ledger.jobs.not_done((JobState.WAITING, JobState.PARKED), SHOWN)
            failed = ledger.jobs.not_done((JobState.FAILED,), SHOWN)
            last = ledger.trash.last_sweep()
            found = {
                "running": running, "by": (holder(home.lock_file) or UNKNOWN) if running else "",
                "since": report.started_at if running and report else None,
                "folders": report.folders if report else tuple(map(str, context.folders)),
                "paused": report.paused if running and report else None,
                "counts": _counts(context), "troubles": ledger.journal.troubles(), "untaken": in_words(untaken(ledger)),
                "waiting": [_waits(context, job) for job in waiting],
                "failed": [_line(context, job, states.failed_reason(job)) for job in failed],
                "last_sweep": last, "doing": [], "queue": "",
            }  # fmt: skip
        if running and report is not None:
            found["doing"] = [
                *((w.stage, Path(w.file).name, w.at / w.total if w.total else None) for w in report.working),
                *((how_far(r), Path(r.file).name, None) for r in report.reading[:SHOWN]),
                *(("another program writes it", Path(f).name, None) for f in report.being_written[:SHOWN]),
            ]
            found["queue"] = in_queue(report.queue) if report.queue else ""
        return found

    def found(self, query: str) -> dict[str, Any]:
        """Passages for a query, or why there are none."""
        if not query.strip():
            return {"results": [], "notes": []}
        try:
            found = search(self.home, self.config, parse(query), FOUND, standing=self.standing)
        except EarmarkError as error:
            return {"results": [], "notes": [str(error)]}
        notes = []
        if found.missing:
            notes.append(f"{found.missing} recordings are not in the index yet, and not found.")
        if found.why:
            notes.append("Looked for by its words only; earmark search says on a terminal why.")
        if found.not_read:
            notes.append(f"{len(found.not_read)} notes were changed and not read yet.")
        return {"results": found.results, "notes": notes}

    def trash(self) -> dict[str, Any]:
        """What lies in the trash, and when it will be purged."""
        with self.looking() as context:
            rows = context.ledger.trash.in_state(*IN_TRASH)
        return {
            "rows": [(row, purged_from(self.config, row)) for row in reversed(rows[-1000:])], "count": len(rows),
            "size": in_bytes(sum(row.size for row in rows)),
        }  # fmt: skip

    def receipts(self, skip: int, most: int = 200) -> dict[str, Any]:
        """Receipts, the newest first."""
        with self.looking() as context:
            rows = context.ledger.receipts.all()
        part = rows[::-1][skip : skip + most]
        more = skip + most if len(rows) > skip + most else None
        return {"rows": [(row, json.loads(row.body)) for row in part], "count": len(rows), "more": more}

    def models(self) -> dict[str, Any]:
        """Models on this device, with size and speed."""
        with self.looking() as context:
            usage = usage_here(context.ledger)
        configured = self.config.transcription.model_dir
        return {
            "entries": inventory(self.home.models, self.device, usage, configured),
            "device": self.device,
        }

    def privacy(self) -> dict[str, Any]:
        """The policy page."""
        page = snapshot(self.config, facts_now(self.home, self.config, lambda _: self.end))
        offline, online = split(page.operations)
        return {"page": page, "offline": offline, "online": online}


def _counts(context: Context) -> dict[str, int]:
    by_state = context.ledger.jobs.count()
    return {
        "recordings": context.ledger.shelf.count(),
        "waiting": by_state.get((Stage.TRANSCRIBE, JobState.WAITING), 0),
        "failed": sum(count for (_, state), count in by_state.items() if state is JobState.FAILED),
    }


def _waits(context: Context, job: Job) -> tuple[str, str, str, Instant]:
    again = ""
    if job.not_before > context.now():
        again = f"; next try at {time.strftime('%Y-%m-%d %H:%M', time.localtime(job.not_before))}"
    why = f" ({job.reason})" if job.reason else ""
    return _line(context, job, f"waits for {_STAGES[job.stage]}{why}{again}")


def _line(context: Context, job: Job, sentence: str) -> tuple[str, str, str, Instant]:
    """Id and name of a recording, what is to be said of it, and since when that is so."""
    places = context.ledger.places.of(job.recording_id)
    name = places[0].path.name if places else job.recording_id[:12]
    return job.recording_id, name, sentence, job.changed_at
