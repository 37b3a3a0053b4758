"""Who says what: how many people are found, how much is given to the wrong one, words with the right speaker, and the cost.

    .venv/bin/pip install 'pyannote.metrics>=4'     # only for this
    python benchmarks/speakers.py [--seeds N] [--words] [--encoder FILE.onnx]

The ten readers of ../shared/corpus/longform (nothing is measured without it): the chapters as they are, and mixes of 1, 2,
3, 5 and 8 of them in turns of 2-6 s: with pauses, with overlap, at telephone quality. The corpus counts the silence in a
sentence as spoken, so that much is "missed" that nobody says; confusion is what somebody says and another is named for.
The clips of AMI have no reference here; how many people are found in each is printed. `--words` has the chapters and
mixes of whole sentences (all words of which are known) heard by tiny.en and base instead: the share of the words that
come with the right speaker, once with the times that the model has for them and once without, as if they were spoken
evenly; and the processor time that these times take, of the hearing. `--encoder`: what that one finds is printed below each
line, such as that of `earmark models download campplus`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from earmark.diarization.turns import Turns
from earmark.domain import Transcript
from earmark.speaking import with_speakers
from measuring.voices import HEAD, scored, told

from tests.conftest import CORPUS
from tests.mixes import RATE, Said, Sound, chapters, loaded, mixed, telephone, words_right, written
from tests.speech import WorkerProcess, many_languages, quick_model

warnings.filterwarnings("ignore")


def right_words(said: Sequence[Said], transcript: Transcript, turns: Turns) -> tuple[int, int]:
    """Words of the reference that were heard, and those of them with the right speaker."""
    spoken = with_speakers(transcript, turns.turns)
    return words_right(said, [(s.speaker, s.text) for s in spoken.segments])


def heard_by(worker: WorkerProcess, file: Path, word_times: bool) -> tuple[Transcript, float]:
    """What a worker hears, and its processor time."""
    process = psutil.Process(worker.process.pid)
    before = process.cpu_times()
    hearing = worker.transcribe(file, language="en", word_times=word_times)
    after = process.cpu_times()
    transcript = hearing.finished.transcript("", tuple(hearing.segments), "", "")
    return transcript, after.user + after.system - before.user - before.system


def evenly(transcript: Transcript) -> Transcript:
    return replace(transcript, segments=tuple(replace(s, words=()) for s in transcript.segments))


def count_words(sound: Sound, said: Sequence[Said], seeds: int, folder: Path) -> None:
    """Print the share of words with the right speaker, and what times of words cost."""
    cases = [("chapters", sound, said)]
    for people, seed, (kind, overlap) in product(
        (2, 3, 5, 8), range(seeds), (("pauses", 0.0), ("overlap", 0.3))
    ):
        mix = mixed(sound, said, people, 100 * people + seed, max(150.0, 60.0 * people), overlap, whole=True)
        cases.append((f"{people} {kind} {seed}", *mix))
    files = [written(folder / f"{number}.wav", mix) for number, (_, mix, _) in enumerate(cases)]
    found = [told(file)[0] for file in files]
    for model in (quick_model(), many_languages()):
        print(f"{model.name:16}  words  right   spoken evenly  times of words cost")
        with WorkerProcess([folder], model=model) as worker:
            worker.ready()
            for (name, _, turns), file, voiced in zip(cases, files, found, strict=True):
                plain = heard_by(worker, file, word_times=False)[1] if name == "chapters" else 0.0
                transcript, took = heard_by(worker, file, word_times=True)
                known, right = right_words(turns, transcript, voiced)
                _, guessed = right_words(turns, evenly(transcript), voiced)
                cost = f"{took / plain - 1:.1%}" if plain else ""
                print(
                    f"{name:16}  {known:5}  {right / known:6.1%}  {guessed / known:6.1%}         {cost}",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2, help="mixes of each kind")
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--encoder", type=Path, help="another encoder in ONNX, beside the released one")
    arguments = parser.parse_args()
    sound, said = chapters(CORPUS)
    if arguments.words:
        with tempfile.TemporaryDirectory() as folder:
            count_words(sound, said, arguments.seeds, Path(folder))
        return
    cases: list[tuple[str, Sound, list[Said]]] = [("chapters", sound, list(said))]
    for people in (1, 2, 3, 5, 8):
        for seed in range(arguments.seeds):
            for kind, overlap in (("pauses", 0.0), ("overlap", 0.3)):
                mix, turns = mixed(
                    sound, said, people, 100 * people + seed, max(150.0, 60.0 * people), overlap
                )
                cases.append((f"{people} {kind} {seed}", mix, turns))
                if not overlap:
                    cases.append((f"{people} telephone {seed}", telephone(mix), turns))
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for name, mix, turns in cases:
            file = written(Path(folder) / "mix.wav", mix)
            scored(name, file, turns)
            if arguments.encoder:
                scored("  with the other", file, turns, arguments.encoder)
        for file in sorted((CORPUS / "meeting").glob("ami_*.wav")):
            for encoder in (None, arguments.encoder) if arguments.encoder else (None,):
                found, _ = told(file, encoder)
                print(f"{file.name}: {found.count} people in {len(loaded(file)) / RATE:.0f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all this: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
