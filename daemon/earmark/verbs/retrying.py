"""Trying recordings again, and writing summaries again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.config import folder_settings
from earmark.context import Context
from earmark.diarization.models import NAME, speaker_folder
from earmark.domain import JobState, Kind, Owed, Stage, TrashState
from earmark.errors import NotFound
from earmark.events import Event
from earmark.files import in_cloud, is_locked, read_bytes
from earmark.ledger import Place
from earmark.notes.frontmatter import read_frontmatter
from earmark.pipeline import fitting
from earmark.pipeline.words_unread import why_not_read
from earmark.speaking import how_many
from earmark.verbs.resolve import resolve


@dataclass(frozen=True, slots=True)
class Again:
    """One stage of one recording that is to be done again; `name` for people."""

    recording_id: str
    stage: Stage
    name: str


def to_retry(context: Context, files: list[Path], *, failed: bool, only: Stage | None = None) -> list[Again]:
    """What is meant: these files, and with `failed` everything that failed; `only`: of what has a transcript, this stage."""
    wanted = []
    for file in files:
        meant = resolve(context, file)
        wanted.append(Again(meant.recording_id, Stage.TRANSCRIBE, str(meant.shown)))
    if failed:
        for job in context.ledger.jobs.all():
            if job.state is JobState.FAILED:
                places = context.ledger.places.of(job.recording_id)
                wanted.append(
                    Again(job.recording_id, job.stage, str(places[0].path) if places else job.recording_id)
                )
    if only is None:
        return wanted
    return [
        Again(w.recording_id, only, w.name) if context.ledger.words.transcript(w.recording_id) else w
        for w in wanted
    ]


def why_not(context: Context, again: Again) -> str:
    """Why a recording cannot be heard again: its audio is gone, and where it went; "" if nothing is in the way."""
    places = context.ledger.places.of(again.recording_id)
    if again.stage is not Stage.TRANSCRIBE or any(_perhaps_there(place) for place in places):
        return ""
    rows = context.ledger.trash.in_state(TrashState.HERE)
    taken = next((r for r in rows if r.recording_id == again.recording_id and r.kind is Kind.AUDIO), None)
    if taken is not None:
        where = f"its audio lies in the trash and cannot be heard; bring it back first: earmark trash restore {taken.id}"
    else:
        where = "its audio is not there any more, so it cannot be heard again; put the file back first"
    if context.ledger.words.transcript(again.recording_id) is None:
        return where
    return f"{where}. Its summary alone is written again by: earmark resummarize {shlex.quote(again.name)}"


def why_unread(context: Context, again: Again) -> str:
    """Why words that a person changed in a note would not be in the transcript that is asked for; "" if nothing is so."""
    if again.stage is not Stage.TRANSCRIBE:
        return ""
    for artifact in context.ledger.artifacts.of_recording(again.recording_id):
        if why := why_not_read(context, artifact):
            return (
                f"your words in {artifact.path.name} are not read: {why}. Then say earmark retry again; or have the words"
                " that are heard written beside it without yours: earmark retry --anyway"
            )
    return ""


def _perhaps_there(place: Place) -> bool:
    """True unless the file is known to be gone: one whose disk or folder is away, or that its cloud has, may come back."""
    if not place.here:
        return os.path.isfile(place.path)  # noqa: PTH113 - false, too, where nobody may look
    return os.path.lexists(place.path) or in_cloud(place.path) or not os.path.isdir(place.path.parent)  # noqa: PTH112


def retry(context: Context, again: Again) -> tuple[bool | None, str]:
    """Put one back into the queue, from the start of its attempts; returns whether that was done (False: it needs no doing,
    None: it cannot be), and in words what is done now. Of a draft that waits the better transcription is made, whatever the
    hour and the plug; one that stays is heard anew like any other transcript.
    """
    ledger = context.ledger
    with ledger.transaction():
        draft = again.stage is Stage.TRANSCRIBE and _better_is_owed(context, again.recording_id)
        if again.stage is Stage.DIARIZE and (why_not := _cannot_be_told(context, again.recording_id)):
            return None, why_not
        kinds = (Kind.SUMMARY,) if again.stage is Stage.SUMMARIZE else tuple(Kind)
        if again.stage is Stage.SUMMARIZE:
            fitting.ask_again(context)
        _write_again(context, again.recording_id, kinds)
        under_way = again.stage is not Stage.SUMMARIZE and _is_heard_now(context, again)
        if again.stage is Stage.TRANSCRIBE and not draft and not under_way:
            ledger.words.drop_checkpoint(again.recording_id)
        if again.stage is Stage.DIARIZE and not under_way:
            ledger.turns.drop(again.recording_id)
        if not under_way and not ledger.jobs.add(again.recording_id, again.stage, context.now()):
            ledger.jobs.requeue(again.recording_id, again.stage, context.now())
        context.tell(Event.RETRIED, f"Asked for by hand ({again.stage}).", recording=again.recording_id)
    if draft:
        return True, "its better transcription is asked for now"
    if under_way and again.stage is Stage.DIARIZE:
        return False, "who says what is being found out at this moment"
    if under_way:
        return (
            False,
            "is being transcribed at this moment; ask again when that is done, if it is to be done anew",
        )
    return True, f"will be tried again ({again.stage})"


def _better_is_owed(context: Context, recording_id: str) -> bool:
    """Ask for the better transcription of a draft that waits for it; a draft that stays is none from now on."""
    if context.ledger.drafts.ask(recording_id):
        return True
    context.ledger.drafts.over(recording_id)
    return False


def _cannot_be_told(context: Context, recording_id: str) -> str:
    """Why nobody can find out who says what in it; "" if somebody can try."""
    places = context.ledger.places.of(recording_id)
    if not any(place.here for place in places):
        return "its file is not there any more, so nobody can hear who says what"
    if how_many(context.settings(places[0].folder).speakers) is None:
        return 'nobody is told apart in its folder (speakers = "off")'
    if speaker_folder(context.home.models) is None:
        return f"the models that tell voices apart are not here: earmark models download {NAME}"
    return ""


def _is_heard_now(context: Context, again: Again) -> bool:
    """True if a worker of a daemon hears it: a second one would go on at its checkpoint, and double its words."""
    job = context.ledger.jobs.of(again.recording_id, again.stage)
    return job is not None and job.state is JobState.CLAIMED and is_locked(context.home.lock_file)


def _write_again(context: Context, recording_id: str, kinds: tuple[Kind, ...]) -> None:
    """Whoever asks for a note wants it, also if they removed it before."""
    context.ledger.artifacts.want_again(recording_id, kinds)
    context.ledger.places.owe_recording(recording_id, Owed.POLICY)
    context.ledger.places.try_now(recording_id)


def resummarize(context: Context, recording_id: str, name: str, template: str | None) -> str | None:
    """Write a summary again; returns the template that was chosen, if not the folder's. Raises NotFound.

    Without `template`, a `summary_template` that the person changed in the note's frontmatter counts.
    """
    ledger = context.ledger
    chosen = template or _template_in_note(context, recording_id)
    with ledger.transaction():
        if chosen is not None:
            ledger.words.wish(recording_id, chosen, context.now())
        if not ledger.jobs.requeue(recording_id, Stage.SUMMARIZE, context.now()):
            raise NotFound(f"{name}: has no transcript yet; it gets its summary when it has one")
        _write_again(context, recording_id, (Kind.SUMMARY,))
        fitting.ask_again(context)
        what = chosen or "the template of its folder"
        context.tell(Event.RESUMMARIZE, f"Asked for by hand ({what}).", recording=recording_id)
    return chosen


def outdated_summaries(context: Context) -> Iterator[tuple[str, str, str]]:
    """(recording, path, why) of summaries made with another template or model than the configuration asks for now.

    An extractive summary is not counted: it is replaced by itself when a server answers.
    """
    ledger, model_wanted = context.ledger, context.config.summary.model
    made = [row for row in ledger.words.summaries_made_with() if row[1] != "extractive"]
    place_of: dict[str, Place] = {}
    for place in ledger.places.all() if made else ():
        known = place_of.setdefault(place.recording_id, place)
        if place.here and not known.here:
            place_of[place.recording_id] = place
    for recording_id, _, model, template, wished in made:
        if (found := place_of.get(recording_id)) is None:
            continue
        wanted = wished or folder_settings(context.config, found.folder).template
        if template != wanted:
            yield recording_id, str(found.path), f"made as {template}, now {wanted}"
        elif model_wanted not in ("auto", model):
            yield recording_id, str(found.path), f"made by {model}, now {model_wanted}"


def _template_in_note(context: Context, recording_id: str) -> str | None:
    """A template that the person wrote into the summary note, if it is another than the one the note was made with."""
    summary = context.ledger.words.summary(recording_id)
    for artifact in context.ledger.artifacts.of_recording(recording_id):
        if artifact.kind is not Kind.SUMMARY or not artifact.note:
            continue
        try:
            properties = read_frontmatter(read_bytes(artifact.path).decode()) or {}
        except (OSError, UnicodeDecodeError):
            continue
        wanted = properties.get("summary_template")
        if isinstance(wanted, str) and (summary is None or wanted != summary.template):
            return wanted
    return None
