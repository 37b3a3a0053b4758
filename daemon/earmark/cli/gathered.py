"""What `earmark status` knows: read from the ledger and from the daemon's own report."""

from __future__ import annotations

from dataclasses import dataclass, field

from earmark.cli.console import moment
from earmark.config import digest_of, load_config
from earmark.context import Context
from earmark.domain import ArtifactState, JobState, Stage
from earmark.errors import ConfigError
from earmark.files import is_locked
from earmark.intake.untaken import CLOSED, untaken
from earmark.ledger import Job, Place
from earmark.ledger.lock import holder
from earmark.notes.damage import QUIET
from earmark.paths import Home
from earmark.pipeline import drafts
from earmark.report import Report, other_config, read_report
from earmark.verbs.retrying import outdated_summaries

EDITED = "was edited by you and stays as it is; newer versions go beside it"
KEPT = "was changed by you; your words and properties are kept in each later version, and no rule takes it"


@dataclass(frozen=True, slots=True)
class Line:
    """One recording or folder and why it is listed."""

    path: str
    reason: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `status` shows, for a person or as JSON. `remedy`: what starts the daemon (service/idle.py).
    `elsewhere`: what other ledgers, or another configuration, are used by what runs. `drafts`: how many transcripts wait for
    a better one, `drafts_wait` for what; `drafts_kept`: those that do not any more. `closed`: folders that are not looked
    into because they are a program's own. `config_newer`: that another configuration is on the disk than in force.
    """

    running: bool
    daemon: str | None
    report: Report | None
    counts: dict[str, int]
    waiting: tuple[Line, ...]
    failed: tuple[Line, ...]
    wants_better_summary: tuple[Line, ...]
    edited: tuple[Line, ...]
    troubles: tuple[Line, ...]
    last_sweep: Line | None
    next_sweep: float | None
    outdated_summaries: int
    untaken: dict[str, int]
    not_whole: int
    not_understood: dict[str, int]
    not_translated: dict[str, int]
    very_quiet: int
    drafts: int = 0
    drafts_wait: str = ""
    drafts_kept: tuple[Line, ...] = ()
    closed: dict[str, int] = field(default_factory=dict)
    remedy: str = ""
    elsewhere: tuple[str, ...] = ()
    config_newer: str = ""


def gather(context: Context) -> Status:
    """Read the ledger and the daemon's report."""
    home, ledger = context.home, context.ledger
    running = is_locked(home.lock_file)
    report = read_report(home.status_file)
    by_recording: dict[str, list[Place]] = {}
    for place in ledger.places.all():
        by_recording.setdefault(place.recording_id, []).append(place)
    waiting, failed, parked, kept, done_count = [], [], [], [], 0
    draft_of = {draft.recording_id: draft for draft in ledger.drafts.all()}
    for job in ledger.jobs.all():
        found = by_recording.get(job.recording_id, [])
        present = next((p for p in found if p.here), found[0] if found else None)
        name = str(present.path) if present else job.recording_id[:12]
        draft = draft_of.get(job.recording_id) if job.stage is Stage.TRANSCRIBE else None
        if draft is not None:
            done_count += 1
            if draft.kept:
                kept.append(Line(name, f"its draft stays: {draft.kept}", job.changed_at))
        elif job.state is JobState.FAILED:
            failed.append(Line(name, _failed_reason(job), job.changed_at))
        elif job.state is JobState.PARKED:
            parked.append(Line(name, job.reason or "", job.changed_at))
        elif job.state is JobState.WAITING:
            waiting.append(Line(name, _waiting_reason(job, present, context.now()), job.changed_at))
        elif job.state is JobState.DONE and job.stage is Stage.TRANSCRIBE:
            done_count += 1
    edited = [
        Line(str(a.path), KEPT if a.mergeable else EDITED, a.written_at)
        for a in ledger.artifacts.all()
        if a.state is ArtifactState.EDITED
    ]
    troubles = [Line(t.subject, t.sentence, t.since) for t in ledger.journal.troubles()]
    said = {t.reason for t in troubles}
    troubles += [
        Line(str(p.path), "its notes cannot be written" + (f": {p.trouble}" if p.trouble not in said else ""))
        for found in by_recording.values()
        for p in found
        if p.trouble and p.here and p.watched
    ]
    counts = {
        "recordings": len(ledger.recordings.all()),
        "transcribed": done_count,
        "waiting": len(waiting),
        "failed": len(failed),
    }
    last = ledger.trash.last_sweep()
    sweep = Line(last.outcome, last.sentence, last.began_at) if last else None
    other = other_config(report, home.config_file) if running and report else None
    return Status(
        running, holder(home.lock_file) if running else None, report, counts, tuple(waiting), tuple(failed),
        tuple(parked), tuple(edited), tuple(troubles), sweep,
        report.next_sweep if running and report else None, sum(1 for _ in outdated_summaries(context)), untaken(ledger),
        len(ledger.words.not_whole()), ledger.words.not_understood(), ledger.words.not_translated(),
        len(ledger.words.softer_than(QUIET)),
        sum(not draft.kept for draft in draft_of.values()), drafts.waiting(context, [*draft_of.values()]), tuple(kept),
        closed=untaken(ledger, CLOSED), elsewhere=(other,) if other else (),
        config_newer=_newer(report, home) if running and report and not other else "",
    )  # fmt: skip


def _newer(report: Report, home: Home) -> str:
    """That the configuration on the disk is another one than that in force, and why; "" if it is the same."""
    if report.config_digest in (None, digest_of(home.config_file)):
        return ""
    try:
        load_config(home.config_file)
    except ConfigError as error:
        return f"{home.config_file} was changed and is broken, so the one before it is in force: {error}"
    return (
        f"{home.config_file} was changed, and the daemon has not read it yet; it does at a reload (systemctl --user reload "
        f"earmark, or kill -HUP {report.pid})"
    )


def _waiting_reason(job: Job, place: Place | None, now: float) -> str:
    if job.stage is Stage.TRANSCRIBE and (place is None or not place.here):
        return "its file is not in the folder any more; it goes on when the file is back"
    again = f"; next try at {moment(job.not_before)}" if job.not_before > now else ""
    return f"waits {_FOR[job.stage]}{f' ({job.reason})' if job.reason else ''}{again}"


_FOR = {
    Stage.TRANSCRIBE: "for its transcription",
    Stage.DIARIZE: "to be told who says what",
    Stage.SUMMARIZE: "for its summary",
}


def _failed_reason(job: Job) -> str:
    reason = job.reason or "failed without a reason (a bug: please report it)"
    return f"who says what is not known: {reason}" if job.stage is Stage.DIARIZE else reason
