"""The recording that the check drops: the speech that earmark ships, made unique, and taken away by `forget` afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from earmark.config import Config
from earmark.context import Context
from earmark.domain import JobState, Stage
from earmark.errors import EarmarkError
from earmark.files import counted, sha256_of, write_new
from earmark.ledger import Ledger, Recording
from earmark.paths import Home
from earmark.proof.running.words import AMONG_OTHERS, found_in, runs_of
from earmark.verbs import forgetting
from earmark.verbs.forgetting import Which
from earmark.verbs.opening import opened_context, wake_daemon

RECENT = 20
"""Transcripts, the latest, whose notes may be written while the check goes on."""

NAME = "earmark privacy check %Y-%m-%d %H%M%S.m4a"


def unique_speech() -> bytes:
    """The sample with a box of random bytes at its end, which every player passes over (ISO/IEC 14496-12, `free`)."""
    spoken = files("earmark").joinpath("sample", "sample.m4a").read_bytes()
    return spoken + struct.pack(">I4s", 24, b"free") + secrets.token_bytes(16)


def is_ours(path: Path) -> bool:
    """True for a file that is this sample with such a box at its end, and so nobody's recording."""
    spoken = files("earmark").joinpath("sample", "sample.m4a").read_bytes()
    try:
        if path.is_symlink() or path.stat().st_size != len(spoken) + 24:
            return False
        return path.read_bytes().startswith(spoken + struct.pack(">I4s", 24, b"free"))
    except OSError:
        return False


def reference() -> str:
    """What is said in the sample."""
    lines = files("earmark").joinpath("sample", "sample.txt").read_text("utf-8").splitlines()
    return " ".join(line.partition(": ")[2] for line in lines if ": " in line)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A recording of ours in a drop folder."""

    path: Path
    recording_id: str


def drop(folder: Path) -> Dropped:
    """Put a recording into a drop folder, under a name that says what it is. Raises OSError."""
    content = unique_speech()
    path = folder / datetime.now().astimezone().strftime(NAME)
    write_new(path, content)
    return Dropped(path, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Standing:
    """How far it is: `known` to the ledger, `done` with all notes, or `failed` with a sentence."""

    known: bool
    heard: bool
    done: bool
    failed: str


def standing(context: Context, dropped: Dropped) -> Standing:
    """What the ledger says of it now."""
    ledger = context.ledger
    recording = ledger.recordings.get(dropped.recording_id)
    jobs = [ledger.jobs.of(dropped.recording_id, stage) for stage in Stage]
    failed = next((job.reason or "failed" for job in jobs if job and job.state is JobState.FAILED), "")
    heard = recording is not None and recording.transcript_rev > 0
    done = recording is not None and (recording.done_at is not None or _draft_written(ledger, recording))
    return Standing(recording is not None, heard, done, failed)


def _draft_written(ledger: Ledger, recording: Recording) -> bool:
    """True if its notes are there and only a better transcription is to come, perhaps at night."""
    revisions = (recording.transcript_rev, recording.summary_rev)
    written = [
        (place.transcript_rev, place.summary_rev) == revisions for place in ledger.places.of(recording.id)
    ]
    return ledger.drafts.owed(recording.id) and recording.summary_rev > 0 and all(written)


def texts(context: Context, dropped: Dropped) -> list[str]:
    """What is said in it, as we know and as it was heard, and what was made of it, as far as the ledger has that."""
    found = context.ledger.words.transcript(dropped.recording_id)
    summary = context.ledger.words.summary(dropped.recording_id)
    segments = found.segments if found else context.ledger.words.heard_so_far(dropped.recording_id)
    said = [reference(), " ".join(s.text for s in segments), *(s.text for s in segments)]
    if summary is None:
        return said
    points = (*summary.key_points, *summary.decisions, *summary.open_questions, *summary.jump_marks)
    told = [*(point.text for point in points), *(task.text for task in summary.tasks)]
    return [*said, summary.title, summary.overview, *told]


def notes(context: Context, dropped: Dropped) -> set[Path]:
    """The files that earmark wrote for it, and for recordings in which the same is said: people drop the sample, too."""
    runs = runs_of([reference()])
    heard = context.ledger.words.latest_transcripts(RECENT)
    same = {t.recording_id for t in heard if found_in(t.text, runs, AMONG_OTHERS)}
    return {
        Path(os.path.realpath(artifact.path))
        for recording_id in {dropped.recording_id, *same}
        for artifact in context.ledger.artifacts.of_recording(recording_id)
    }


def take_away(home: Home, config: Config, dropped: Dropped) -> tuple[bool, str]:
    """Erase it with all that was made of it, as `earmark forget` does; whether that went well, and what stays."""
    try:
        with opened_context(home, config) as context:
            if context.ledger.recordings.get(dropped.recording_id) is None:
                return _only_the_file(dropped)
            which = Which(files=(_where(context, dropped),))
            done = forgetting.forget(
                context, which, lambda wanted, _: wanted == [dropped.recording_id], even_held=True
            )
        wake_daemon(home)
    except (EarmarkError, OSError) as error:
        return False, f"it could not be erased ({error}); do it by: earmark forget '{dropped.path}'"
    if done is None:
        return False, f"the ledger knows {dropped.path} as another recording; nothing was erased"
    erased, _ = done
    left = [*erased.remaining, *(f"{p}: {why}" for p, why in erased.stays), *map(str, erased.found_again)]
    if left or not erased.recordings:
        return False, f"still there: {', '.join(left) or dropped.path}"
    numbers = ", ".join(map(str, erased.receipts))
    return (
        True,
        f"{counted(erased.files, 'file')} erased; what stays is receipt {numbers} and a keyed hash of the content",
    )


def _where(context: Context, dropped: Dropped) -> Path:
    """Where it is now: somebody may have given it another name meanwhile."""
    known = [place.path for place in context.ledger.places.of(dropped.recording_id)]
    there = [path for path in (dropped.path, *known) if sha256_of(path) == dropped.recording_id]
    return next(iter([*there, *known]), dropped.path)


def _only_the_file(dropped: Dropped) -> tuple[bool, str]:
    """The daemon has not taken it: the file is all there is, under whatever name."""
    beside = [path for path in dropped.path.parent.iterdir() if path != dropped.path and is_ours(path)]
    removed = []
    for path in (dropped.path, *beside):
        if sha256_of(path) == dropped.recording_id:
            with contextlib.suppress(OSError):
                path.unlink()
            if path.exists():
                return False, f"the daemon had not taken it; {path} could not be removed"
            removed.append(path)
    if removed:
        return True, "the daemon had not taken it; the file was removed"
    if os.path.lexists(dropped.path):
        return False, f"{dropped.path} is not what it was when it was dropped; it was left alone"
    return True, "it was gone before the daemon took it"
