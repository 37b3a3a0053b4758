"""The worker that tells voices apart: `python -m earmark.diarization.worker`, JSON lines in on stdin, out on stdout.

It lives behind the same walls as the transcription worker, by the same means, and opens recordings as that does; its first
line must be LoadSpeakers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from earmark.errors import MediaError, ModelError
from earmark.files import Identity, unpack_path
from earmark.locality.confinement.sandbox import if_refused, shut_the_doors
from earmark.messages import (
    LoadSpeakers,
    Message,
    Ready,
    Started,
    TellApart,
    ToldApart,
    parse_speaker_request,
)
from earmark.transcription import limits
from earmark.transcription.as_asked import Refused, as_asked, must_be, still_that
from earmark.transcription.serving import Pulse, Say, answered, serve

if TYPE_CHECKING:
    from earmark.diarization.hearing import Voices
    from earmark.diarization.pieces import Stretch
    from earmark.messages import Stretch as Told
    from earmark.transcription.between import Between

LONGEST = 60.0
"""Seconds of sound between signs of life, at most."""


def main() -> int:
    """Serve requests until stdin ends; the return value is the exit status."""
    return serve(parse_speaker_request, LoadSpeakers, prepare, _tell_apart, _too_large)


def prepare(load: LoadSpeakers) -> tuple[Voices, Ready]:
    """Shut the doors, then load both models. Raises EarmarkError or MemoryError."""
    segmentation, encoder = unpack_path(load.segmentation), unpack_path(load.encoder)
    readable = [*map(unpack_path, load.readable), encoder.parent]
    limits.cap_memory(load.memory_limit_mb)  # behind the doors no limit but that of processor time can be set
    sandbox = shut_the_doors(readable, segmentation.parent, load.sandbox)
    limits.keep_freed_memory()
    limits.allow_cpu(0.0, load.threads)
    # Before numpy is imported: its threads count while they wait, a sixth of all processor time with two of them.
    os.environ |= {name: str(load.threads) for name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")}
    try:
        from earmark.diarization.hearing import Voices
    except ImportError as error:
        what_to_do = if_refused(error) or "Install earmark again."
        raise ModelError(f"What tells voices apart cannot be loaded: {error}. {what_to_do}") from error
    voices = Voices(segmentation, encoder, load.features, load.threads)
    return voices, Ready(engine=voices.name, device="cpu", compute_type="int8", sandbox=sandbox)


def tell_apart(
    voices: Voices,
    request: TellApart,
    say: Callable[[Message], None],
    alive: Callable[[float, float | None], None],
) -> None:
    """Do what `request` asks and say so; anything the file can do wrong ends in one Failed. MemoryError is raised."""

    from earmark.diarization.told import voices as voices_of

    def tell(fd: int) -> None:
        before, beat = Identity.of(os.fstat(fd)), partial(alive, 0.0, None)
        beat()
        must_be(fd, request.recording_id, beat)
        wanted = (request.fewest, request.most)
        begun, keep = partial(_begun, request, say), partial(_keep, request, say)
        try:
            found = voices.of(fd, request.max_seconds, wanted, begun, keep, alive, request.done)
        except (MediaError, Refused):
            # A file that was being replaced reads like a damaged one; what it is now decides which it was.
            still_that(fd, before, request.recording_id, beat)
            raise
        still_that(fd, before, request.recording_id, beat)
        say(
            ToldApart(
                job=request.job, turns=found.turns, people=found.count, unsure=found.unsure,
                voices=voices_of(found.prints, found.seconds) if request.voices else (),
            )
        )  # fmt: skip

    as_asked(request.job, request.path, say, tell)


def _tell_apart(voices: Voices, load: LoadSpeakers, request: TellApart, say: Say, _: Between) -> None:
    pulse = Pulse(request.job, 0.0, say)
    with answered(request.job, say, "telling voices apart"):
        tell_apart(voices, request, say, partial(_alive, pulse, load.threads))


def _too_large(load: LoadSpeakers) -> str:
    return f"The models that tell voices apart do not fit into {load.memory_limit_mb} MiB of memory."


def _begun(request: TellApart, say: Say, total: float | None) -> None:
    say(Started(job=request.job, declared_duration=total))


def _keep(request: TellApart, say: Say, stretch: Stretch, upto: float) -> Told:
    from earmark.diarization.told import told

    message = told(request.job, stretch, upto)
    say(message)
    return message


def _alive(pulse: Pulse, threads: int, at: float, total: float | None) -> None:
    limits.allow_cpu(LONGEST, threads)
    pulse.at(at, total)


if __name__ == "__main__":
    sys.exit(main())
