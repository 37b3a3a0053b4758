"""Calls with a channel for each side, as recorders and codecs leave them, and what looks like a call and is none.

    .venv/bin/pip install 'pyannote.metrics>=4'     # only for this
    python benchmarks/calls.py [--seeds N]

Calls of two readers of ../shared/corpus/longform (nothing is measured without it), and of one and three.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring.voices import HEAD, scored

from tests.conftest import CORPUS
from tests.media import write, write_tracks
from tests.mixes import RATE, Said, Sound, apart, chapters, in_a_room, leaking, telephone


def calls(seed: int, folder: Path) -> Iterator[tuple[str, Path, list[Said]]]:
    """Name, file and reference of calls of a minute (with three on one side four), and of what is none."""
    sound, said = chapters(CORPUS)
    heard, turns = apart(sound, said, 2, seed, 60.0)
    clean = np.stack(list(heard.values()))
    both, over = apart(sound, said, 2, seed, 60.0, overlap=0.5)
    narrow = np.stack([telephone(side)[: clean.shape[1]] for side in clean])
    many, of_many = apart(sound, said, 4, seed, 240.0)
    conference = np.stack([np.sum(side, axis=0) for side in np.split(np.stack(list(many.values())), [1])])
    message, left, greeting = voicemail(sound, said)
    mix = clean.sum(axis=0)
    room = np.stack([in_a_room(mix, 1), in_a_room(mix, 2)])
    for name, sides, reference in (
        ("clean", clean, turns), ("leak -20 dB", leaking(clean, -20.0), turns),
        ("leak -30 dB late", leaking(clean, -30.0, 0.1), turns), ("telephone", narrow, turns),
        ("telephone -20 dB", leaking(narrow, -20.0), turns), ("overlap", np.stack(list(both.values())), over),
        ("overlap -20 dB", leaking(np.stack(list(both.values())), -20.0), over),
        ("soft far side", clean * np.array([[1.0], [0.05]], np.float32), turns),
        ("voicemail", message, [*greeting, *left]), ("1 and 3 people", leaking(conference, -25.0), of_many),
        ("none: mono", np.stack([mix, mix]), turns), ("none: room", room, turns),
        ("none: late copy", np.stack([mix, np.roll(mix, 3 * RATE)]), turns),
        ("none: leak -10 dB", leaking(clean, -10.0), turns),
    ):  # fmt: skip
        yield name, write(folder / "call.wav", sides, "pcm_s16le", layout="stereo"), reference
    for name, file, codec in (
        ("mp3", "a.mp3", "libmp3lame"),
        ("opus", "a.opus", "libopus"),
        ("aac", "b.m4a", "aac"),
    ):
        yield name, write(folder / file, leaking(clean, -20.0), codec, 48_000, "stereo"), turns
    yield "mp3 64 kbit/s", coded(folder, clean, "64k"), turns
    yield "two tracks", write_tracks(folder / "a.m4a", list(clean)), turns


def coded(folder: Path, sides: Sound, rate: str) -> Path:
    """The two channels as joint stereo, by the encoder that everybody uses."""
    whole = write(folder / "whole.wav", sides, "pcm_s16le", layout="stereo")
    joint = ["-b:a", rate, "-joint_stereo", "1", str(folder / "joint.mp3")]
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(whole), *joint], check=True)
    return folder / "joint.mp3"


def voicemail(sound: Sound, said: Sequence[Said]) -> tuple[Sound, list[Said], list[Said]]:
    """A greeting of five seconds and a beep on one channel, and then a message of 30 s on the other."""
    who = said[0].who
    other = next(one for one in said if one.who != who)
    sides = np.zeros((2, 60 * RATE), np.float32)
    first, second = round(said[0].start * RATE), round(other.start * RATE)
    sides[1, RATE : 6 * RATE] = sound[first : first + 5 * RATE]
    sides[1, 6 * RATE : 7 * RATE] = 0.3 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    sides[0, 8 * RATE : 38 * RATE] = sound[second : second + 30 * RATE]
    return sides, [Said(8.0, 38.0, other.who)], [Said(1.0, 6.0, who)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2, help="calls of each kind")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            print(HEAD)
            for name, file, turns in calls(seed + 1, Path(folder)):
                scored(name, file, turns)


if __name__ == "__main__":
    main()
