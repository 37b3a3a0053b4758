"""What `earmark status` and the first page know: read from the ledger and from the daemon's own report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earmark.allowance import allowance
from earmark.config import digest_of, load_config
from earmark.context import Context
from earmark.domain import JobState, Misheard, Stage
from earmark.errors import ConfigError, EnvironmentFault, ModelError
from earmark.files import is_locked
from earmark.intake.untaken import CLOSED, untaken
from earmark.ledger import Artifact, Job, Place
from earmark.ledger.lock import holder
from earmark.notes.damage import is_quiet, is_silent
from earmark.paths import Home
from earmark.pipeline import drafts
from earmark.pipeline.earlier import Theirs, what_is_theirs
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.names_there import why_names_not_read, why_stays
from earmark.pipeline.queued import queue
from earmark.pipeline.words_given import is_behind
from earmark.pipeline.words_unread import changed_elsewhere, said_besides, why_not_read
from earmark.readable import moment
from earmark.report import Queue, Report, other_config, read_report
from earmark.supervisor.sizing import model_size, worker_count
from earmark.transcription.models import find_model
from earmark.verbs import states, vocabulary
from earmark.verbs.listing import copied, copy_of
from earmark.verbs.retrying import outdated_summaries

Shown = Callable[[Path], str]

EDITED = "was edited by you and stays as it is; newer versions go beside it"
BEHIND = "was edited by you before its words became others; words that you correct are read in the newest note, not in it"
ELSEWHERE = "was moved, renamed or copied: it is yours, and words or names that you change in it are not read"
UNREAD = "was edited by you and stays as it is, and words that you correct in it are not read"
KEPT = "was changed by you; your words and properties are kept in each later version, and no rule takes it"


AT_ONCE = 1.0
"""Seconds between the time that a file system gives a note that we write and that in the ledger."""


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
    into because they are a program's own. `words_offered`: words that were corrected so often that they are offered.
    `copies`: files with the content of another one, and of which. `folders`: drop folders, of now and of before, that paths
    are shown relative to. `queue`: what is to be heard, and how long that takes. `config_newer`: that another configuration
    is on the disk than in force.
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
    wordless: int
    wordless_seconds: float
    drafts: int = 0
    drafts_wait: str = ""
    drafts_kept: tuple[Line, ...] = ()
    closed: dict[str, int] = field(default_factory=dict)
    copies: tuple[Line, ...] = ()
    remedy: str = ""
    elsewhere: tuple[str, ...] = ()
    words_offered: int = 0
    folders: tuple[str, ...] = ()
    queue: Queue | None = None
    config_newer: str = ""
    silent: int = 0


def said_of_edited(context: Context, artifact: Artifact) -> str:
    """What is said of a note that a person changed; "" of one in which they changed no word, which is as good as ours."""
    if why := why_not_read(context, artifact):
        return f"{UNREAD}: {why}"
    if odds := why_names_not_read(context, artifact):
        return f"{EDITED}; of who speaks, {odds}"
    if mistake := why_stays(context, artifact):
        return f"{EDITED}; {mistake}"
    theirs = what_is_theirs(context, artifact)
    if theirs is Theirs.PROPERTIES:
        return ""
    said = KEPT if theirs is Theirs.WORDS else BEHIND if is_behind(context, artifact) else EDITED
    besides = said_besides(context, artifact)
    return f"{said}; {besides}" if besides else said


def _saved_by_them(context: Context, artifact: Artifact) -> float | None:
    """When a person saved a note last; None if a later version of ours has taken its place since, or nobody can tell."""
    path = lies_at(context, artifact)
    saved = _saved_at(path) if context.answers(path) else None
    return None if saved is None or abs(saved - artifact.written_at) < AT_ONCE else saved


def _saved_at(path: Path) -> float | None:
    try:
        return path.lstat().st_mtime
    except OSError:
        return None


def _as_copy(read: Sequence[Path], shown: Shown) -> str:
    where = " and ".join(map(shown, read))
    return f"{ELSEWHERE}{f'; those in {where} are' if where else ''}"


def gather(context: Context, shown: Shown, at_once: int = 0) -> Status:
    """Read the ledger and the daemon's report. `shown`: how a path is said in a sentence; `at_once`: how many recordings are
    heard at once where no daemon says it, 0: look for that.
    """
    home, ledger = context.home, context.ledger
    running = is_locked(home.lock_file)
    report = read_report(home.status_file)
    by_recording: dict[str, list[Place]] = {}
    for place in ledger.places.all():
        by_recording.setdefault(place.recording_id, []).append(place)
    known = states.everything(context)
    waiting, failed, parked, kept = [], [], [], []
    draft_of = known.drafts
    for job in known.jobs.values():
        found = by_recording.get(job.recording_id, [])
        present = next((p for p in found if p.here), found[0] if found else None)
        name = str(present.path) if present else job.recording_id[:12]
        draft = draft_of.get(job.recording_id) if job.stage is Stage.TRANSCRIBE else None
        if draft is not None:
            if draft.kept:
                kept.append(Line(name, f"its draft stays: {draft.kept}", job.changed_at))
        elif job.state is JobState.FAILED:
            failed.append(Line(name, states.failed_reason(job), job.changed_at))
        elif job.state is JobState.PARKED:
            parked.append(Line(name, job.reason or "", job.changed_at))
        elif job.state is JobState.WAITING and not _comes_later(job, known):
            waiting.append(Line(name, _waiting_reason(job, present, context.now()), job.changed_at))
    edited = [
        Line(str(a.path), reason, _saved_by_them(context, a))
        for a in ledger.artifacts.edited()
        if (reason := said_of_edited(context, a))
    ]
    edited += [
        Line(str(path), _as_copy(read, shown), _saved_at(path)) for path, read in changed_elsewhere(context)
    ]
    troubles = _troubles(context, by_recording)
    counts = _counts(context, known, by_recording)
    last = ledger.trash.last_sweep()
    sweep = Line(last.outcome, last.sentence, last.began_at) if last else None
    heard = ledger.words.conditions().values()
    other = other_config(report, home.config_file) if running and report else None
    return Status(
        running, holder(home.lock_file) if running else None, report, counts, tuple(waiting), tuple(failed),
        tuple(parked), tuple(edited), tuple(troubles), sweep,
        report.next_sweep if running and report else None, sum(1 for _ in outdated_summaries(context)), untaken(ledger),
        sum(not c.whole for c in heard),
        # Plain ones: `asdict` takes a counter apart.
        dict(Counter(c.model for c in heard if c.misheard == Misheard.LANGUAGE and not c.owed)),
        dict(Counter(c.model for c in heard if c.untranslated)),
        sum(is_quiet(c.loudest) and not is_silent(c.loudest) for c in heard), sum(c.wordless > 0 for c in heard),
        round(sum(c.wordless for c in heard), 1),
        sum(not draft.kept for draft in draft_of.values()), drafts.waiting(context, [*draft_of.values()]), tuple(kept),
        closed=untaken(ledger, CLOSED), copies=_copies(by_recording, shown), elsewhere=(other,) if other else (),
        words_offered=_offered(context) if any(c.corrected for c in heard) else 0,
        queue=queue(context, report.workers if running and report and report.workers else at_once or hears_at_once(context)),
        silent=sum(is_silent(c.loudest) for c in heard),
        folders=tuple(sorted({*map(str, context.folders), *map(str, ledger.places.folders())})),
        config_newer=_newer(report, home) if running and report and not other else "",
    )  # fmt: skip


def _troubles(context: Context, by_recording: Mapping[str, Iterable[Place]]) -> list[Line]:
    """What is wrong, and the recordings whose notes cannot be written."""
    troubles = [Line(t.subject, t.sentence, t.since) for t in context.ledger.journal.troubles()]
    said = {t.reason for t in troubles}
    return troubles + [
        Line(str(p.path), "its notes cannot be written" + (f": {p.trouble}" if p.trouble not in said else ""))
        for found in by_recording.values()
        for p in found
        if p.trouble and p.here and p.watched
    ]


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


def _offered(context: Context) -> int:
    try:
        return len(vocabulary.offered(context, vocabulary.known(context.home)))
    except EnvironmentFault:
        return 0  # the doctor says what is wrong with the file


def _copies(by_recording: Mapping[str, list[Place]], shown: Shown) -> tuple[Line, ...]:
    """Files with the content of another one that is there, too."""
    return tuple(
        Line(str(place.path), copied(of, shown))
        for same in by_recording.values()
        for place in same
        if (of := copy_of(place, same))
    )


def hears_at_once(context: Context) -> int:
    """How many recordings a daemon would hear at once."""
    speech, may_use = context.config.transcription, allowance()
    try:
        size = model_size(find_model(speech.model, speech.model_dir, context.home.models))
    except (ModelError, OSError):
        return 1
    return worker_count(speech.workers, may_use.cores, size, may_use.memory)


def _counts(context: Context, known: states.Knowledge, places: Mapping[str, list[Place]]) -> dict[str, int]:
    """How many recordings there are, and how many in each state; each is in one."""
    found = Counter(
        known.of(recording.id, here=any(p.here for p in places.get(recording.id, ()))).group
        for recording in context.ledger.recordings.all()
    )
    return {
        "recordings": found.total(), "transcribed": found[states.Group.DONE], "waiting": found[states.Group.WAITING],
        "failed": found[states.Group.FAILED],
    }  # fmt: skip


def _comes_later(job: Job, known: states.Knowledge) -> bool:
    """True if what waits is not the next thing that is to happen to its recording, which is listed once."""
    stages = list(Stage)
    before = (known.jobs.get((job.recording_id, stage)) for stage in stages[: stages.index(job.stage)])
    return any(
        b is not None
        and (
            b.state in (JobState.WAITING, JobState.CLAIMED)
            or (b.stage is Stage.TRANSCRIBE and b.state is JobState.FAILED)
        )
        and b.recording_id not in known.drafts
        for b in before
    )


def _waiting_reason(job: Job, place: Place | None, now: float) -> str:
    if job.stage is Stage.TRANSCRIBE and (place is None or not place.here):
        return states.AWAY
    again = f"; next try at {moment(job.not_before)}" if job.not_before > now else ""
    return f"waits {_FOR[job.stage]}{f' ({job.reason})' if job.reason else ''}{again}"


_FOR = {
    Stage.TRANSCRIBE: "for its transcription",
    Stage.DIARIZE: "to be told who says what",
    Stage.SUMMARIZE: "for its summary",
}
