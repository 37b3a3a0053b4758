"""What recorders, phones and calls leave behind, one case of each kind, made here and heard by the installed program.

Each case is a file, or some, in a drop folder; all are heard in one `earmark run --once`. What is expected is what stands in
the notes: words, properties, sentences.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from earmark.notes.frontmatter import read_frontmatter
from earmark.transcription.engine import RATE, Samples

from tests.conftest import Installation
from tests.media import Decoded, write, write_poly_wav, write_tracks
from tests.speech import SAMPLE

pytestmark = pytest.mark.speech

SEARCH, BILLING, MARCH, FIX, THANKS, CUSTOMER = (
    (5.0, 6.8), (7.0, 9.7), (10.3, 13.5), (17.65, 18.45), (20.6, 21.4), (28.05, 31.45),
)  # fmt: skip
"""Seconds of the sample in which something is said (sample.txt)."""

COPIED = datetime(2025, 5, 6, 7, 8, 9)  # noqa: DTZ001 - local
"""The files' own time."""


class Voice:
    """The sample's speech."""

    def __init__(self) -> None:
        self._samples = Decoded(SAMPLE).samples

    def says(self, what: tuple[float, float], gain: float = 1.0) -> Samples:
        first, last = (round(second * RATE) for second in what)
        return np.asarray(self._samples[first:last] * np.float32(gain), dtype=np.float32)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def noise(length: int, level: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, level, length).clip(-1, 1).astype(np.float32)


def tone(length: int, hertz: float, level: float) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(length) / RATE)).astype(np.float32)


def one_of(channels: int, which: int, sound: Samples) -> Samples:
    planes = np.stack([noise(len(sound), 0.001, seed) for seed in range(channels)])
    planes[which] = sound
    return planes


def renamed(path: Path, suffix: str, sound: Samples, codec: str) -> None:
    """A file whose ending says nothing of what writes it."""
    write(path.with_suffix(suffix), sound, codec).rename(path)


def joined(path: Path, *parts: bytes) -> None:
    path.write_bytes(b"".join(parts))


def written(path: Path, sound: Samples, codec: str, rate: int = RATE) -> bytes:
    """The bytes of a file that is gone again."""
    data = write(path.with_name(f"part{path.suffix}"), sound, codec, rate=rate).read_bytes()
    path.with_name(f"part{path.suffix}").unlink()
    return data


def with_rate(data: bytes, rate: int) -> bytes:
    """A wav whose header says another sample rate."""
    return data[:24] + struct.pack("<I", rate) + data[28:]


def without_sizes(data: bytes) -> bytes:
    """A wav as it is after a power cut."""
    at = data.index(b"data")
    return data[:4] + bytes(4) + data[8 : at + 4] + bytes(4) + data[at + 8 :]


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])


def damaged(path: Path) -> None:
    data = path.read_bytes()
    first, last = len(data) * 9 // 20, len(data) * 13 // 20
    path.write_bytes(data[:first] + bytes(last - first) + data[last:])


def melody(seconds: float) -> Samples:
    at, rng = np.arange(RATE // 2) / RATE, np.random.default_rng(4)
    notes = [
        sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * h * at) / h for h in range(1, 8)) * np.exp(-5 * at)
        for step in rng.integers(0, 13, round(2 * seconds))
    ]
    return (np.concatenate(notes) * 0.1).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """`said` (each so many `times`) and `not_said`: words of the transcript, in lower case.

    `top`: properties of the summary note, None for one that it must not have. `sentences` stand in both notes. `taken` is
    false for what is no recording yet.
    """

    kind: str
    file: str
    make: Callable[[Path, Voice], object]
    said: tuple[str, ...] = ()
    not_said: tuple[str, ...] = ()
    top: Mapping[str, object] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    taken: bool = True
    times: int = 1


CASES = (
    Case(
        "channels", "five.wav", lambda p, v: write_poly_wav(p, one_of(5, 4, v.says(SEARCH))), ("search page",)
    ),
    Case(
        "channels",
        "stage.wav",
        lambda p, v: write_poly_wav(p, one_of(18, 11, v.says(BILLING))),
        ("billing page",),
    ),
    Case(
        "phase",
        "balanced.flac",
        lambda p, v: write(p, np.stack([s := v.says(MARCH), -s]), "flac", layout="stereo"),
        ("release", "march"),
    ),
    Case(
        "phase",
        "middle-side.wav",
        lambda p, v: write(
            p,
            np.stack([(n := noise(len(s := v.says(CUSTOMER)), 0.02)) + s, n - s]),
            "pcm_s16le",
            layout="stereo",
        ),
        ("customer",),
    ),
    Case(
        "one side",
        "fan-beside.wav",
        lambda p, v: write(
            p, np.stack([noise(len(s := v.says(SEARCH, 0.3)), 0.2), s]), "pcm_s16le", layout="stereo"
        ),
        ("search page",),
    ),
    Case(
        "tracks",
        "screen.mp4",
        lambda p, v: write_tracks(p, [quiet(3.4), v.says(CUSTOMER)]),
        ("customer", "thursday"),
    ),
    Case(
        "tracks",
        "call.mkv",
        lambda p, v: write_tracks(p, [v.says(SEARCH), v.says(BILLING)], "flac", late=[0.0, 5.0]),
        ("search page", "billing page"),
        top={"duration": "0:08"},
    ),
    Case(
        "tracks",
        "film.mkv",
        lambda p, v: write_tracks(p, [v.says(MARCH), v.says(BILLING)], "flac", languages=["eng", "ger"]),
        ("release",),
        ("billing",),
        {"tracks_unheard": 1},
        ("1 of the 2 sound tracks of the file was not heard",),
    ),
    Case(
        "endings", "Voice 001.3GA", lambda p, v: renamed(p, ".m4a", v.says(BILLING), "aac"), ("billing page",)
    ),
    Case(
        "endings", "note.weba", lambda p, v: renamed(p, ".webm", v.says(SEARCH), "libopus"), ("search page",)
    ),
    Case(
        "endings",
        "New Recording 12.qta",
        lambda p, v: renamed(p, ".mov", v.says(CUSTOMER), "aac"),
        ("customer",),
    ),
    Case("endings", "stream.adts", lambda p, v: renamed(p, ".aac", v.says(MARCH), "aac"), ("release",)),
    Case(
        "rates",
        "dictaphone.wav",
        lambda p, v: write(p, v.says(BILLING), "pcm_mulaw", rate=8_000),
        ("billing page",),
    ),
    Case(
        "rates", "studio.flac", lambda p, v: write(p, v.says(SEARCH), "flac", rate=192_000), ("search page",)
    ),
    Case(
        "joined",
        "two.aiff",
        lambda p, v: joined(
            p, written(p, v.says(SEARCH), "pcm_s16be"), written(p, v.says(BILLING), "pcm_s16be", 44_100)
        ),
        ("search page", "billing page"),
        top={"truncated": None},
    ),
    Case(
        "joined",
        "broken-first.wav",
        lambda p, v: joined(
            p,
            with_rate(written(p, v.says(SEARCH), "pcm_s16le"), 5_000_000),
            written(p, v.says(BILLING), "pcm_s16le"),
        ),
        ("billing page",),
        top={"parts_unheard": 1, "truncated": None},
        sentences=("2 recordings one after the other; 1 of them could not be read and was left out",),
    ),
    Case(
        "joined",
        "broken-last.wav",
        lambda p, v: joined(
            p, written(p, v.says(MARCH), "pcm_s16le"), with_rate(written(p, v.says(BILLING), "pcm_s16le"), 1)
        ),
        ("release",),
        top={"parts_unheard": 1},
    ),
    Case(
        "level",
        "far.flac",
        lambda p, v: write(p, v.says(CUSTOMER, 0.003), "flac"),
        ("customer",),
        sentences=("Very quiet (-6", "was made louder to hear it"),
    ),
    Case(
        "level", "muted.m4a", lambda p, v: write(p, quiet(2.0), "aac"), sentences=("The recording is silent",)
    ),
    Case(
        "offset",
        "offset.wav",
        lambda p, v: write(p, v.says(SEARCH, 0.05) + np.float32(0.2), "pcm_s16le"),
        ("search page",),
    ),
    Case(
        "rumble",
        "in-the-car.wav",
        lambda p, v: write(p, v.says(MARCH, 0.1) + tone(len(v.says(MARCH)), 35, 0.3), "pcm_s16le"),
        ("we decided", "march"),
    ),
    Case(
        "dates",
        "Call 2026-03-02 at 9.05.07 PM.wav",
        lambda p, v: write(p, quiet(0.5), "pcm_s16le"),
        top={"recorded": datetime.fromisoformat("2026-03-02T21:05:07")},
    ),
    Case(
        "dates",
        "REC20260302093015.wav",
        lambda p, v: write(p, quiet(0.6), "pcm_s16le"),
        top={"recorded": datetime.fromisoformat("2026-03-02T09:30:15")},
    ),
    Case(
        "dates",
        "260302_0931.wav",
        lambda p, v: write(p, quiet(0.7), "pcm_s16le"),
        top={"recorded": datetime.fromisoformat("2026-03-02T09:31:00")},
    ),
    Case(
        "conflict",
        "memo.sync-conflict-20261101-120000-ABCDEFG.wav",
        lambda p, v: write(p, quiet(0.8), "pcm_s16le"),
        top={"recorded": COPIED},
    ),
    Case(
        "conflict",
        "memo (Ann's conflicted copy 2026-11-02).wav",
        lambda p, v: write(p, quiet(0.9), "pcm_s16le"),
        top={"recorded": COPIED},
    ),
    Case("partial", "Lecture.part.wav", lambda p, v: write(p, v.says(FIX), "pcm_s16le"), ("fix",)),
    Case(
        "partial",
        "Lecture.wav.crdownload",
        lambda p, v: p.write_bytes(written(p.with_name("x.wav"), v.says(SEARCH), "pcm_s16le")),
        taken=False,
    ),
    Case(
        "truncated",
        "full-card.flac",
        lambda p, v: cut(write(p, np.concatenate([v.says(SEARCH), v.says(BILLING)]), "flac"), 0.6),
        ("search page",),
        ("billing page",),
        {"truncated": True, "unreadable_seconds": pytest.approx(2.1, abs=0.2)},
        ("The recording breaks off",),
    ),
    Case(
        "truncated",
        "lost-call.webm",
        lambda p, v: cut(write(p, np.concatenate([v.says(MARCH), v.says(BILLING)]), "libopus"), 0.6),
        ("release",),
        ("billing page",),
        {"truncated": True},
        ("The recording breaks off",),
    ),
    Case(
        "damaged",
        "bad-sector.ogg",
        lambda p, v: damaged(
            write(p, np.concatenate([v.says(MARCH), noise(2 * RATE, 0.1), v.says(BILLING)]), "libopus")
        ),
        ("release", "billing page"),
        top={"truncated": None, "unreadable_seconds": pytest.approx(3.0, abs=0.2)},
        sentences=("The file is damaged: ", " seconds of it could not be read"),
    ),
    Case(
        "damaged",
        "power-cut.wav",
        lambda p, v: p.write_bytes(without_sizes(written(p, v.says(CUSTOMER), "pcm_s16le"))),
        ("customer",),
        top={"truncated": None, "unreadable_seconds": None},
    ),
    Case(
        "short words",
        "thanks.wav",
        lambda p, v: write(p, np.concatenate([quiet(3), v.says(THANKS), quiet(4)]), "pcm_s16le"),
        ("thank you",),
    ),
    Case(
        "short words",
        "thanks-after-a-minute.flac",
        lambda p, v: write(p, np.concatenate([quiet(60), v.says(THANKS), quiet(20)]), "flac"),
        ("thank you",),
    ),
    Case(
        "repeated",
        "slogan.wav",
        lambda p, v: write(p, np.concatenate([v.says(FIX), quiet(0.35)] * 5), "pcm_s16le"),
        ("i will fix",),
        ("left out",),
        times=5,
    ),
    Case(
        "no speech",
        "rain.wav",
        lambda p, v: write(p, noise(12 * RATE, 0.1), "pcm_s16le"),
        sentences=("No speech was heard",),
    ),
    Case(
        "no speech",
        "melody.wav",
        lambda p, v: write(p, melody(12) * np.float32(0.01), "pcm_s16le"),
        not_said=("thank", "beep"),
    ),
)


@pytest.mark.timeout(300)
@pytest.mark.shows("transcription:quiet")
@pytest.mark.shows("transcription:inventions")
@pytest.mark.shows("transcription:damage")
def test_what_recorders_leave_behind_is_heard_or_named(installation: Installation) -> None:
    # One test, so that all are heard by one daemon, once.
    made, voice = installation, Voice()
    for number, case in enumerate(CASES):
        folder = made.folder / str(number)
        folder.mkdir()
        case.make(folder / case.file, voice)
        for path in folder.iterdir():
            os.utime(path, (COPIED.timestamp(), COPIED.timestamp()))
    done = made.earmark("run", made.folder, "--once", timeout=300)
    assert done.returncode == 0, done.stderr
    wrong = {
        f"{case.kind}: {case.file}": found
        for number, case in enumerate(CASES)
        if (found := missing(case, made.folder / str(number)))
    }
    assert wrong == {}
    list_and_status_name_what_is_quiet_and_what_was_not_heard_whole(made)
    the_verb_that_hears_one_file_says_the_same(made)


def missing(case: Case, folder: Path) -> list[str]:
    """What is not as the case expects it."""
    notes = sorted(folder.glob("*.md"), key=lambda path: path.name.endswith(".transcript.md"))
    if not case.taken or len(notes) != 2:
        return [] if case.taken == bool(notes) else [f"notes: {[note.name for note in notes]}"]
    summary, transcript = (path.read_text() for path in notes)
    words, top = transcript.partition("\n---\n")[2].casefold(), read_frontmatter(summary) or {}
    return [
        *(f"{phrase!r} is not in: {words}" for phrase in case.said if words.count(phrase) < case.times),
        *(f"{phrase!r} is in: {words}" for phrase in case.not_said if phrase in words),
        *(f"{key} is {top.get(key)}" for key, value in case.top.items() if top.get(key) != value),
        *(f"nowhere: {sentence}" for sentence in case.sentences if sentence not in transcript),
        *(
            f"not in the summary: {sentence}"
            for sentence in case.sentences
            if sentence not in summary and not sentence.startswith("No speech")
        ),
    ]


def list_and_status_name_what_is_quiet_and_what_was_not_heard_whole(made: Installation) -> None:
    status = made.status()
    assert status["very_quiet"] >= 1
    assert status["silent"] >= 1
    said = {"truncated", "unreadable_seconds", "parts_unheard", "tracks_unheard"}
    assert status["not_whole"] == sum(
        any(c.top[key] is not None for key in said.intersection(c.top)) for c in CASES
    )
    listed = made.earmark("list").stdout
    assert "very quiet" in listed
    assert "silent (earmark why" in listed
    assert "not all of it heard" in listed
    shown = made.earmark("status").stdout
    assert "very quiet" in shown
    assert "silent" in shown


def the_verb_that_hears_one_file_says_the_same(made: Installation) -> None:
    number = next(n for n, case in enumerate(CASES) if case.file == "film.mkv")
    said = json.loads(made.earmark("transcribe", made.folder / str(number) / "film.mkv", "-f", "json").stdout)
    assert (said["tracks"], said["tracks_unheard"], said["parts"], said["unreadable_seconds"]) == (
        2,
        1,
        1,
        0.0,
    )
    assert -40 < said["loudest"] < -10


def test_there_are_cases_of_many_kinds() -> None:
    assert len(CASES) >= 20
    assert len({case.file for case in CASES}) == len(CASES)
    assert len({case.kind for case in CASES}) >= 15
