"""Who says what: how many people are found, how much is given to the wrong one, words with the right speaker, and the cost.

    .venv/bin/pip install 'pyannote.metrics>=4'     # only for this
    python benchmarks/speakers.py [--seeds N] [--words]

The ten readers of ../shared/corpus/longform (nothing is measured without it): the chapters as they are, and mixes of 1, 2,
3, 5 and 8 of them in turns of 2-6 s: with pauses, with overlap, at telephone quality. The corpus counts the silence in a
sentence as spoken, so that much is "missed" that nobody says; confusion is what somebody says and another is named for.
The clips of AMI have no reference here; how many people are found in each is printed. `--words` has the chapters and
the mixes of whole sentences heard by base, too, and counts the words that come with the right speaker.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from earmark.diarization.hearing import Voices
from earmark.diarization.told import told as as_told
from earmark.diarization.turns import Turns
from earmark.speaking import with_speakers

from tests.conftest import CORPUS
from tests.mixes import RATE, Said, Sound, chapters, loaded, mixed, telephone, written
from tests.speech import WorkerProcess, many_languages, speaker_model, words

warnings.filterwarnings("ignore")

Score = Callable[[Sequence[Said], Turns, float, float], dict[str, float]]


def scorer() -> Score:
    """pyannote.metrics' diarization error rate, in parts of what is spoken."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(spans: Sequence[tuple[float, float, str]]) -> Annotation:
        found = Annotation()
        for number, (start, end, who) in enumerate(spans):
            found[Segment(start, end), number] = who
        return found

    def score(said: Sequence[Said], told: Turns, seconds: float, collar: float) -> dict[str, float]:
        parts = DiarizationErrorRate(collar=collar)(
            annotation([(s.start, s.end, s.who) for s in said]),
            annotation([(t.start, t.end, str(t.speaker)) for t in told.turns]),
            detailed=True, uem=Timeline([Segment(0, seconds)]),
        )  # fmt: skip
        return {k: 100 * parts[k] / parts["total"] for k in ("confusion", "missed detection", "false alarm")}

    return score


def told(voices: Voices, file: Path) -> tuple[Turns, float]:
    """Turns of a file, and the processor time that they took."""
    before = time.process_time()
    fd = os.open(file, os.O_RDONLY)
    try:
        found = voices.of(
            fd, 24 * 3600.0, (1, 20), lambda total: None, partial(as_told, 1), lambda at, total: None
        )
    finally:
        os.close(fd)
    return found, time.process_time() - before


def right_words(
    worker: WorkerProcess, file: Path, said: Sequence[Said], turns: Turns
) -> tuple[int, int, float]:
    """Words of the reference that were heard, those of them with the right speaker, and processor time of the hearing."""
    import psutil

    process = psutil.Process(worker.process.pid)
    before = process.cpu_times()
    hearing = worker.transcribe(file, language="en")
    after = process.cpu_times()
    transcript = hearing.finished.transcript("", tuple(hearing.segments), "base", "")
    spoken = with_speakers(transcript, turns.turns, unsure=False)
    reference = [(word, one.who) for one in said for word in words(one.text)]
    heard = [(word, s.speaker) for s in spoken.segments for word in words(s.text)]
    blocks = SequenceMatcher(
        None, [w for w, _ in reference], [w for w, _ in heard], autojunk=False
    ).get_matching_blocks()
    pairs = Counter((reference[b.a + i][1], heard[b.b + i][1]) for b in blocks for i in range(b.size))
    right = 0
    taken: set[object] = set()
    for (who, speaker), count in pairs.most_common():
        if who not in taken and speaker not in taken:
            taken |= {who, speaker}
            right += count
    return sum(pairs.values()), right, after.user + after.system - before.user - before.system


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2, help="mixes of each kind")
    parser.add_argument("--words", action="store_true")
    arguments = parser.parse_args()
    models, score = speaker_model(), scorer()
    voices = Voices(models.segmentation, models.encoder, models.features, 1)
    sound, said = chapters(CORPUS)
    cases: list[tuple[str, Sound, list[Said]]] = [("chapters", sound, said)]
    for people in (1, 2, 3, 5, 8):
        for seed in range(arguments.seeds):
            for kind, overlap in (("pauses", 0.0), ("overlap", 0.3)):
                mix, turns = mixed(
                    sound, said, people, 100 * people + seed, max(150.0, 60.0 * people), overlap
                )
                cases.append((f"{people} {kind} {seed}", mix, turns))
                if not overlap:
                    cases.append((f"{people} telephone {seed}", telephone(mix), turns))
    print(f"{'':16} people found   confusion  with 0.25 s collar  missed  false  times real time")
    with tempfile.TemporaryDirectory() as folder:
        for name, mix, turns in cases:
            found, took = told(voices, written(Path(folder) / "mix.wav", mix))
            seconds = len(mix) / RATE
            plain, collar = score(turns, found, seconds, 0.0), score(turns, found, seconds, 0.5)
            print(
                f"{name:16} {len({t.who for t in turns}):6} {found.count:5} {'unsure' if found.unsure else '':6}"
                f" {plain['confusion']:6.1f} %  {collar['confusion']:10.1f} %        {plain['missed detection']:6.1f}"
                f" {plain['false alarm']:6.1f} {seconds / took:8.0f}", flush=True,
            )  # fmt: skip
        for file in sorted((CORPUS / "meeting").glob("ami_*.wav")):
            found, _ = told(voices, file)
            print(f"{file.name}: {found.count} people in {len(loaded(file)) / RATE:.0f} s")
        if arguments.words:
            with WorkerProcess([CORPUS, Path(folder)], model=many_languages()) as worker:
                worker.ready()
                for name, mix, turns in cases:
                    if name == "chapters" or name.endswith("pauses 0"):
                        file = written(Path(folder) / "mix.wav", mix)
                        found, took = told(voices, file)
                        heard, right, hearing = right_words(worker, file, turns, found)
                        print(
                            f"{name}: {right / heard:.1%} of {heard} words, {took / hearing:.0%} of the hearing's time"
                        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all this: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
