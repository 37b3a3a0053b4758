"""What telling voices apart takes: processor time and memory beside transcription with base, and memory against length.

    python benchmarks/speakers_cost.py [--hours HOURS]

The chapters of ../shared/corpus/longform (nothing is measured without it) and a mix of five of their readers; the chapters
over and over for so many hours.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring.voices import spent

from tests.conftest import CORPUS
from tests.mixes import RATE, Sound, chapters, mixed, written
from tests.speech import TellingWorker, WorkerProcess, many_languages


def cost(folder: Path) -> None:
    """Processor time and peak memory of telling apart, beside those of base."""
    sound, said = chapters(CORPUS)
    mix, _ = mixed(sound, said, 5, 500, 300.0)
    print(f"{'':10} {'telling apart':>22}   {'transcribing (base)':>22}")
    for name, heard in (("chapters", sound), ("5 pauses", mix)):
        file = written(folder / "mix.wav", heard)
        with TellingWorker([folder]) as telling, WorkerProcess([folder], model=many_languages()) as hearing:
            telling.ready()
            hearing.ready()
            told = spent(telling, functools.partial(telling.tell, file))
            done = spent(hearing, functools.partial(hearing.transcribe, file, language="en"))
        print(
            f"{name:10} {told[0]:10.1f} s {told[1]:7.0f} MiB   {done[0]:10.1f} s {done[1]:7.0f} MiB"
            f"   {told[0] / done[0]:.0%}",
            flush=True,
        )


def long(folder: Path, hours: float) -> None:
    """Peak memory of the worker against length."""
    sound, _ = chapters(CORPUS)
    for seconds in (600.0, 3_600.0, hours * 3_600):
        file = repeated(folder / "long.wav", sound, seconds)
        with TellingWorker([folder]) as telling:
            telling.ready()
            took, peak = spent(telling, functools.partial(telling.tell, file))
        print(f"{seconds / 3600:5.2f} h {peak:7.0f} MiB {seconds / took:6.0f} x real time", flush=True)


def repeated(file: Path, sound: Sound, seconds: float) -> Path:
    """The sound over and over."""
    once = (np.clip(sound, -1.0, 1.0) * 32_767).astype("<i2").tobytes()
    left = round(seconds * RATE) * 2
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        while left > 0:
            out.writeframes(once[:left])
            left -= len(once)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, help="memory against length instead, up to so many")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.hours:
            long(Path(folder), arguments.hours)
        else:
            cost(Path(folder))


if __name__ == "__main__":
    main()
