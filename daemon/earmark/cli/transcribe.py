"""`earmark transcribe`: one file, no daemon, no ledger; the same worker and the same sandbox."""

from __future__ import annotations

import json as jsonlib
import os
import queue
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.progress import Progress

from earmark.cli.console import err, here, one_line, plain_errors, print_answer, span
from earmark.cli.put_out import fit_for_output, put_out
from earmark.cli.telling_apart import COLUMNS, how_many, speaker_models, told_apart
from earmark.config import folder_settings
from earmark.context import Clock
from earmark.domain import Fault, Instant, Segment, Transcript
from earmark.errors import MediaError, ModelError, NotFound
from earmark.files import StillChanging, fingerprint, open_regular, pack_path
from earmark.formats import HEAD
from earmark.log import configure_logging
from earmark.messages import Failed, Finished, Heard, LoadModel, Ready, Started, TranscribeRequest
from earmark.messages import Progress as Sign
from earmark.notes.damage import misheard_as, untranslated_as
from earmark.notes.dates import date_of
from earmark.notes.forms import in_one_language, written
from earmark.notes.render import render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.notes.titles import titles
from earmark.paths import whole
from earmark.pipeline.verdict import End, describe
from earmark.pipeline.vocabulary import expected
from earmark.replacing import replaced
from earmark.report import in_bytes
from earmark.supervisor.sizing import falls_back, load_order
from earmark.supervisor.stages.transcription import MODULE
from earmark.transcription.models import find_model
from earmark.workers import Left, Said, Worker

Format = Literal["md", "txt", "srt", "vtt", "json", "html", "docx"]
Wanted = Literal["transcribe", "translate"]


def transcribe(
    file: Annotated[Path, typer.Argument(readable=False, help="An audio or video file.")],
    format: Annotated[Format, typer.Option("--format", "-f", help="What to print.")] = "txt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this new file instead.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Language code; default: the configuration's.")] = None,
    speakers: Annotated[
        str,
        typer.Option(
            help="Say who speaks: auto (if the models for it are here), off, or how many: 2, or 2..4."
        ),
    ] = "auto",
    task: Annotated[
        Wanted | None,
        typer.Option(help="transcribe, or translate into English; default: the configuration's."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with a version; see docs/json.md.")] = False,
) -> None:
    """Transcribe one file and print the result; nothing is kept. What is translated is printed in English as txt, srt or
    vtt, and in both languages in the other formats.

    Examples: [bold]earmark transcribe memo.m4a[/] · [bold]earmark transcribe talk.mp4 -f srt -o talk.srt[/]
    """
    with plain_errors():
        configure_logging(sys.stderr, json=False)
        path = whole(file)
        if path.is_dir():
            watch = f"earmark run {shlex.quote(str(file))}"
            raise typer.BadParameter(f"{path} is a folder; name a file, or watch it with: {watch}")
        if not path.is_file():
            raise NotFound(f"{path}: there is no such file")
        # What is wrong with the wish is said before the file is heard.
        fit_for_output(format, output)
        wanted = how_many(speakers)
        models = None if wanted is None else speaker_models(asked=speakers != "auto")
        transcript = _hear(path, language, task, word_times=models is not None or format == "json")
        if wanted is not None and models is not None:
            transcript = told_apart(transcript, path, models, wanted)
        for sentence in (*misheard_as(transcript), *untranslated_as(transcript)):
            _say(sentence)
        text = _render(transcript, path, "json" if json else format)
        if json and output is None:
            print_answer("transcribe FILE", jsonlib.loads(text))
        else:
            put_out(text, output)


def _hear(path: Path, language: str | None, task: Wanted | None, *, word_times: bool) -> Transcript:
    home, config = here()
    settings = folder_settings(config, path.parent)
    vocabulary = expected(home, settings, _say)
    to_english = settings.to_english if task is None else task == "translate"
    configured = config.transcription
    model = find_model(settings.model, configured.model_dir, home.models)
    recording_id = _read(path.resolve())
    request = TranscribeRequest(
        job=1, path=pack_path(path), recording_id=recording_id, language=language or settings.language,
        languages=settings.languages, to_english=to_english, word_times=word_times,
        hotwords=", ".join(vocabulary) or None,
        names=(*vocabulary, *(titles(settings.vocabulary_from) if settings.vocabulary_from else ())),
        initial_prompt=settings.prompt or None, beam_size=configured.beam_size, max_seconds=configured.max_hours * 3600,
    )  # fmt: skip
    order = load_order(config, model, (path.parent,))
    try:
        heard = _heard_by_worker(order, request, path)
    except ModelError as error:
        if not falls_back(order):
            raise
        _say(f"{error} It is heard on the processor now.")
        heard = _heard_by_worker(load_order(config, model, (path.parent,), on_processor=True), request, path)
    return replaced(heard, settings.replace)


def _heard_by_worker(order: LoadModel, request: TranscribeRequest, path: Path) -> Transcript:
    inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
    worker = Worker(MODULE, inbox.put)
    try:
        worker.send(order)
        worker.send(request)
        return _listen(inbox, request.recording_id, order.model_name, path, request.to_english)
    finally:
        worker.kill()


def _say(sentence: str) -> None:
    err.print(f"[yellow]{escape(one_line(sentence))}[/]")


def _read(path: Path) -> str:
    """SHA-256 of the file; how far that is shows on a terminal. Raises MediaError, OSError."""
    with open_regular(path) as fd, Progress(*COLUMNS, console=err, transient=True) as bar:
        total = os.fstat(fd).st_size
        if total and not os.pread(fd, HEAD, 0).strip(b"\0"):
            raise MediaError(
                f"{path}: begins with nothing but zero bytes: a placeholder of a sync tool, or a copy that went wrong"
            )
        task = bar.add_task(path.name, total=total, where="")

        def read(at: int) -> bool:
            bar.update(task, completed=at, where=f"{in_bytes(at)} of {in_bytes(total)} read")
            return False

        try:
            return fingerprint(fd, read).sha256
        except StillChanging:
            raise MediaError(f"{path}: is still being written; try again when it is complete") from None


def _listen(
    inbox: queue.SimpleQueue[Said | Left], recording_id: str, model: str, path: Path, to_english: bool
) -> Transcript:
    segments: list[Segment] = []
    english: list[Segment] = []
    engine, ready = "", False
    with Progress(*COLUMNS, console=err, transient=True) as bar:
        task = bar.add_task(path.name, total=None, where="loading the model")
        while True:
            note = inbox.get()
            if isinstance(note, Left):
                raise MediaError(
                    f"{path}: {describe(End(note.exit_status, note.oom_kills, ready, broke=note.broke))}"
                )
            note.taken()
            match note.message:
                case Ready() as message:
                    engine, ready = message.engine, True
                case Started(declared_duration=total):
                    bar.update(task, total=total, where=f"0:00 / {span(total)}" if total else "")
                case Sign(at=at, total=total):
                    bar.update(task, completed=at, where=f"{span(at)} / {span(total)}" if total else span(at))
                case Heard() as message:
                    segments += message.segments
                    english += message.english
                case Failed(fault=fault, sentence=sentence):
                    raise (
                        ModelError(sentence)
                        if fault is Fault.ENVIRONMENT
                        else MediaError(f"{path}: {sentence}")
                    )
                case Finished() as end:
                    translated = tuple(english) if to_english else None
                    return end.transcript(recording_id, tuple(segments), model, engine, translated)


def _render(transcript: Transcript, path: Path, format: Format) -> bytes:
    modified_at, now = Instant(path.stat().st_mtime), Clock().wall()
    date = date_of(transcript.recorded_at, path.name, modified_at, now)
    about = NoteContext(transcript.recording_id, path.name, date.text, duration=transcript.duration)
    if format == "md":
        return render_transcript(transcript, about, NoteStyle(times=here()[1].notes.times)).encode()
    return written(in_one_language(transcript, format), about, format)
