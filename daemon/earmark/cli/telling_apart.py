"""Who says what in one file, for `earmark transcribe`: a worker of its own, behind the same walls."""

from __future__ import annotations

import queue
from pathlib import Path

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from earmark import speaking
from earmark.cli.console import err, here, span
from earmark.diarization.models import SpeakerModel, find_speaker_model
from earmark.domain import Transcript
from earmark.errors import ModelError
from earmark.files import pack_path
from earmark.messages import Failed, Ready, Started, TellApart, ToldApart
from earmark.messages import Progress as Sign
from earmark.pipeline.plausible import implausible_turns
from earmark.pipeline.verdict import End, describe
from earmark.speaking import with_speakers
from earmark.supervisor.sizing import speakers_order
from earmark.workers import Left, Said, Worker

MODULE = "earmark.diarization.worker"

COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[where]}"))
"""What is shown while one file is read, heard and told apart."""


def how_many(speakers: str) -> tuple[int, int] | None:
    """The fewest and the most people of an option; None if nobody is to be told apart. Raises BadParameter."""
    try:
        return speaking.how_many(speakers)
    except ValueError as error:
        raise typer.BadParameter(f"--speakers {error}") from None


def speaker_models(*, asked: bool) -> SpeakerModel | None:
    """The models that tell voices apart; None where they are not here and nobody asked. Raises ModelError."""
    home, _ = here()
    models = find_speaker_model(home.models)
    if models is None and asked:
        raise ModelError(
            "Nobody can be told apart without the models for it: earmark models download speakers"
        )
    return models


def told_apart(
    transcript: Transcript, path: Path, models: SpeakerModel, wanted: tuple[int, int]
) -> Transcript:
    """The transcript with who says what. That it could not be found out is said, and stops nothing."""
    _, config = here()
    inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
    worker = Worker(MODULE, inbox.put)
    worker.send(speakers_order(config, models, (path.parent,)))
    worker.send(
        TellApart(
            job=1, path=pack_path(path), recording_id=transcript.recording_id, fewest=wanted[0], most=wanted[1],
            max_seconds=config.transcription.max_hours * 3600,
        )
    )  # fmt: skip
    try:
        told = _listen(inbox, path)
    finally:
        worker.kill()
    if isinstance(told, ToldApart) and (wrong := implausible_turns(told, transcript.duration)) is not None:
        told = f"The worker said {wrong}."
    if isinstance(told, str):
        err.print(f"[yellow]{escape(f'Who says what is not known: {told}')}[/]")
        return transcript
    return with_speakers(transcript, told.turns, unsure=told.unsure)


def _listen(inbox: queue.SimpleQueue[Said | Left], path: Path) -> ToldApart | str:
    """What the worker found, or the sentence that says why it did not."""
    ready = False
    with Progress(*COLUMNS, console=err, transient=True) as bar:
        task = bar.add_task(path.name, total=None, where="who speaks")
        while True:
            note = inbox.get()
            if isinstance(note, Left):
                return describe(End(note.exit_status, note.oom_kills, ready, broke=note.broke))
            note.taken()
            match note.message:
                case Ready():
                    ready = True
                case Started(declared_duration=total):
                    bar.update(task, total=total)
                case Sign(at=at, total=total):
                    far = f"{span(at)} / {span(total)}" if total else span(at)
                    bar.update(task, completed=at, where=f"who speaks: {far}")
                case Failed(sentence=sentence):
                    return sentence
                case ToldApart() as told:
                    return told
