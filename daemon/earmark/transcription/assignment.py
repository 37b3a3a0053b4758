"""One recording from request to Finished or Failed: is it what was asked for, what is said in it, is it still that?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from earmark.domain import Fault
from earmark.errors import MediaError
from earmark.files import Identity
from earmark.messages import Finished, Heard, Message, PutOff, Started, TranscribeRequest
from earmark.transcription import limits
from earmark.transcription.as_asked import Refused, as_asked, must_be, still_that
from earmark.transcription.between import NOTHING, Between
from earmark.transcription.container import open_recording
from earmark.transcription.declared import Declared
from earmark.transcription.decode import Decoder
from earmark.transcription.engine import RATE, Engine, Samples
from earmark.transcription.hearing import Asked, Passage, listen
from earmark.transcription.lanes import Lanes
from earmark.transcription.languages import Main, settle
from earmark.transcription.names import names_of
from earmark.transcription.versions import mute_tracks
from earmark.transcription.windows import LONGEST

Alive = Callable[[float, float | None], None]
"""Called often with the seconds reached and the seconds there are, if known."""


def transcribe(
    engine: Engine,
    request: TranscribeRequest,
    say: Callable[[Message], None],
    alive: Alive,
    threads: int,
    at_once: int = 1,
    between: Between = NOTHING,
) -> None:
    """Do what `request` asks and say so; anything the file can do wrong ends in one Failed. MemoryError is raised.

    `threads`: all that hear, in `at_once` windows side by side; `between` them other recordings may be heard.
    """

    def do(fd: int) -> None:
        try:
            _transcribe(fd, engine, request, say, alive, threads, at_once, between)
        except _Longer:
            say(PutOff(job=request.job))

    as_asked(request.job, request.path, say, do)


class _Longer(Exception):
    """There is more of the recording than is to be heard of it at this time."""


def _transcribe(
    fd: int,
    engine: Engine,
    request: TranscribeRequest,
    say: Callable[[Message], None],
    alive: Alive,
    threads: int,
    at_once: int,
    between: Between,
) -> None:
    before = Identity.of(os.fstat(fd))

    def beat(at: float, total: float | None) -> None:
        limits.allow_cpu(LONGEST, threads)
        alive(at, total)

    def idle(at: float, total: float | None) -> None:
        """A sign of life where no window is being heard."""
        beat(at, total)
        between.hear()

    at_work = partial(idle, request.resume_at, None)
    at_work()
    must_be(fd, request.recording_id, at_work)
    asked = _asked(engine, request)
    try:
        if request.most is not None and _declared(fd) > request.most:
            raise _Longer
        mute = mute_tracks(fd, request.max_seconds, engine.voice, at_work)
        main = _main_language(fd, mute, engine, asked, request, idle)
        asked = replace(asked, main=main.language)
        recording = open_recording(fd, mute)
        try:
            declared = recording.declared
            say(Started(job=request.job, declared_duration=declared.duration))
            lanes = Lanes()
            decoder = Decoder(
                recording, request.max_seconds, engine.voice, round(request.resume_at * RATE), lanes
            )
            speech_seconds = 0.0
            blocks = _beating(decoder, request.resume_at, declared.duration, beat, idle)
            alive_too = partial(beat, request.resume_at, declared.duration)
            passages = listen(engine, blocks, asked, request.resume_at, lanes, alive_too, at_once, between)
            for passage in passages:
                speech_seconds += passage.speech_seconds
                say(_heard(request, passage, main, speech_seconds, decoder.bad_packets))
                beat(passage.upto, declared.duration)
                if request.most is not None and passage.upto > request.most:
                    raise _Longer
            finished = _finished(request, decoder, declared, main, speech_seconds, not engine.multilingual)
        finally:
            recording.close()
    except (MediaError, Refused):
        # A file that was being replaced reads like a damaged one; what it is now decides which it was.
        still_that(fd, before, request.recording_id, partial(beat, request.resume_at, None))
        raise
    still_that(fd, before, request.recording_id, at_work)
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
        bytes_unheard=decoder.bytes_unheard,
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
            raise Refused(
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
        words=request.word_times,
    )


def _main_language(
    fd: int, mute: frozenset[int], engine: Engine, asked: Asked, request: TranscribeRequest, idle: Alive
) -> Main:
    if asked.language is not None:
        return Main(asked.language, 1.0)
    if request.settled:
        return Main(request.settled, request.settled_probability)
    recording = open_recording(fd, mute)
    try:
        decoder = Decoder(recording, request.max_seconds, engine.voice)
        blocks = _beating(decoder, request.resume_at, recording.declared.duration, idle, idle)
        return settle(engine, blocks, asked.allowed)
    finally:
        recording.close()


def _declared(fd: int) -> float:
    """Seconds that the recording says it has; 0 if it does not say."""
    recording = open_recording(fd, frozenset())
    try:
        return recording.declared.duration or 0.0
    finally:
        recording.close()


def _beating(
    decoder: Decoder, resume_at: float, total: float | None, beat: Alive, idle: Alive
) -> Iterator[Samples]:
    """The decoder's blocks, with a sign of life after each; skipping to where it goes on takes time too, and is `idle`."""
    for block in decoder.blocks():
        at = decoder.samples / RATE
        (idle if at < resume_at else beat)(min(at, resume_at), total)
        yield block
