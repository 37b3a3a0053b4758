"""One recording from request to Finished or Failed: is it what was asked for, what is said in it, is it still that?"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from earmark.domain import Fault
from earmark.errors import MediaError
from earmark.files import Identity, NotRegular, StillChanging, fingerprint, open_regular, unpack_path
from earmark.locality.confinement.sandbox import if_refused
from earmark.messages import Failed, Finished, Heard, Message, Started, TranscribeRequest
from earmark.transcription import limits
from earmark.transcription.container import open_recording
from earmark.transcription.declared import Declared
from earmark.transcription.decode import Decoder
from earmark.transcription.engine import RATE, Engine, Samples
from earmark.transcription.hearing import Asked, Passage, listen
from earmark.transcription.lanes import Lanes
from earmark.transcription.languages import Main, settle
from earmark.transcription.names import names_of
from earmark.transcription.windows import LONGEST

Alive = Callable[[float, float | None], None]
"""Called often with the seconds reached and the seconds there are, if known."""


class _Refused(Exception):
    """The answer to a request that cannot be met; not a fault of the program."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault, self.sentence = fault, sentence


def transcribe(
    engine: Engine, request: TranscribeRequest, say: Callable[[Message], None], alive: Alive, threads: int
) -> None:
    """Do what `request` asks and say so; anything the file can do wrong ends in one Failed. MemoryError is raised."""
    try:
        with open_regular(unpack_path(request.path)) as fd:
            _read_ahead(fd)
            _transcribe(fd, engine, request, say, alive, threads)
    except _Refused as refusal:
        say(Failed(job=request.job, fault=refusal.fault, sentence=refusal.sentence))
    except MediaError as error:
        say(Failed(job=request.job, fault=Fault.MEDIA, sentence=str(error)))
    except NotRegular:
        sentence = "It is not a file that holds a recording (a folder, link, pipe or device)."
        say(Failed(job=request.job, fault=Fault.MEDIA, sentence=sentence))
    except OSError as error:
        fault, sentence = _blame(error)
        say(Failed(job=request.job, fault=fault, sentence=sentence))


def _transcribe(
    fd: int,
    engine: Engine,
    request: TranscribeRequest,
    say: Callable[[Message], None],
    alive: Alive,
    threads: int,
) -> None:
    before = Identity.of(os.fstat(fd))

    def beat(at: float, total: float | None) -> None:
        limits.allow_cpu(LONGEST, threads)
        alive(at, total)

    beat(request.resume_at, None)
    _must_be(fd, request.recording_id, lambda: beat(request.resume_at, None))
    asked = _asked(engine, request)
    try:
        main = _main_language(fd, engine, asked, request, beat)
        asked = replace(asked, main=main.language)
        recording = open_recording(fd)
        try:
            declared = recording.declared
            say(Started(job=request.job, declared_duration=declared.duration))
            lanes = Lanes()
            decoder = Decoder(
                recording, request.max_seconds, engine.voice, round(request.resume_at * RATE), lanes
            )
            speech_seconds = 0.0
            blocks = _beating(decoder, request.resume_at, declared.duration, beat)
            at_work = partial(beat, request.resume_at, declared.duration)
            for passage in listen(engine, blocks, asked, request.resume_at, lanes, at_work):
                speech_seconds += passage.speech_seconds
                say(_heard(request, passage, main, speech_seconds, decoder.bad_packets))
                beat(passage.upto, declared.duration)
            finished = _finished(request, decoder, declared, main, speech_seconds, not engine.multilingual)
        finally:
            recording.close()
    except (MediaError, _Refused):
        # A file that was being replaced reads like a damaged one; what it is now decides which it was.
        _still_that(fd, before, request, beat)
        raise
    _still_that(fd, before, request, beat)
    say(finished)


def _heard(request: TranscribeRequest, passage: Passage, main: Main, speech: float, bad: int) -> Heard:
    return Heard(
        job=request.job,
        upto=passage.upto,
        segments=passage.segments,
        language=main.language,
        language_probability=main.probability,
        speech_seconds=round(speech, 3),
        bad_packets=bad,
        english=passage.english,
    )


def _finished(
    request: TranscribeRequest,
    decoder: Decoder,
    declared: Declared,
    main: Main,
    speech: float,
    only_english: bool,
) -> Finished:
    return Finished(
        job=request.job,
        duration=round(decoder.seconds, 3),
        declared_duration=declared.duration,
        language=main.language,
        language_probability=main.probability,
        speech_seconds=round(speech, 3),
        bad_packets=decoder.bad_packets,
        truncated=decoder.truncated,
        tracks=decoder.tracks,
        tracks_unheard=decoder.tracks_unheard,
        parts=decoder.parts,
        parts_unheard=decoder.parts_unheard,
        unreadable_seconds=round(decoder.unreadable_seconds, 1),
        loudest=round(decoder.loudest, 1),
        only_english=only_english,
        recorded_at=declared.recorded_at,
    )


def _asked(engine: Engine, request: TranscribeRequest) -> Asked:
    language, allowed = request.language, request.languages
    if not engine.multilingual:
        language, allowed = "en", ()
    elif language is None and len(allowed) == 1:
        language = allowed[0]
    known = engine.languages()
    for code in (*allowed, *([language] if language else [])):
        if code not in known:
            raise _Refused(
                Fault.ENVIRONMENT,
                f"The model does not know the language {code!r}. Set language to a code it knows (such as en, "
                "de, fr, es), or leave it out to have it detected.",
            )
    return Asked(
        language,
        allowed=allowed,
        hotwords=request.hotwords,
        names=names_of(request.names) if request.names else None,
        initial_prompt=request.initial_prompt,
        beam_size=request.beam_size,
        english=request.to_english and engine.multilingual,
    )


def _main_language(fd: int, engine: Engine, asked: Asked, request: TranscribeRequest, beat: Alive) -> Main:
    if asked.language is not None:
        return Main(asked.language, 1.0)
    if request.settled:
        return Main(request.settled, request.settled_probability)
    recording = open_recording(fd)
    try:
        decoder = Decoder(recording, request.max_seconds, engine.voice)
        blocks = _beating(decoder, request.resume_at, recording.declared.duration, beat)
        return settle(engine, blocks, asked.allowed)
    finally:
        recording.close()


def _beating(decoder: Decoder, resume_at: float, total: float | None, beat: Alive) -> Iterator[Samples]:
    """The decoder's blocks, with a sign of life after each; skipping to where it goes on takes time too."""
    for block in decoder.blocks():
        beat(min(decoder.samples / RATE, resume_at), total)
        yield block


def _read_ahead(fd: int) -> None:
    """Tell the kernel that the file is read from front to end."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)


def _must_be(fd: int, recording_id: str, alive: Callable[[], None]) -> None:
    def beat(_: int) -> bool:
        alive()
        return False

    try:
        same = fingerprint(fd, beat).sha256 == recording_id
    except StillChanging:
        same = False
    if not same:
        raise _Refused(
            Fault.CHANGED,
            "The file is no longer what it was when it was taken; its new content gets its own turn.",
        )


def _still_that(fd: int, before: Identity, request: TranscribeRequest, beat: Alive) -> None:
    """Refuse unless the file that was read holds the bytes that were asked for, to the end."""
    if Identity.of(os.fstat(fd)) != before:
        _must_be(fd, request.recording_id, lambda: beat(request.resume_at, None))


def _blame(error: OSError, system: str = sys.platform) -> tuple[Fault, str]:
    """Whose fault a failed system call is, in words."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return Fault.GONE, "The file is not there any more."
    if system == "darwin" and error.errno == errno.EPERM:
        # So say both macOS, where the user has not allowed a folder, and this worker's own walls, if they are older than it.
        return Fault.ACCESS, (
            "macOS does not let earmark read the file: allow it under System Settings > Privacy & Security > Files and "
            "Folders, or Full Disk Access, for the Python that runs it."
        )
    if refused := if_refused(error):
        return Fault.INTERNAL, refused
    if error.errno == errno.EACCES:
        return Fault.ACCESS, "The file may not be read: give the user who runs earmark the right to read it."
    if error.errno == errno.ENOMEM:
        return Fault.MEMORY, "The machine has no memory left to read the file."
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return (
        Fault.ENVIRONMENT,
        f"The file could not be read ({reason}); the disk or the network folder has a fault.",
    )
