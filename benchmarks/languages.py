"""Languages and models: what is detected on real speech, how many words are wrong, and what base costs beside tiny.en.

    python benchmarks/languages.py [--english N]

Real workers on the corpus in ../shared/corpus (nothing is measured without it): the files of `multilingual` with base, then
every Nth file of LibriSpeech test-other and the sample with both models, in turns. Then those that are not in English once
more and in English, too: there are no English references, so what is counted is how many words are English function words
(text in English has some 45 of 100), and how many seconds no sure or no translation stands for. Words wrong are counted over
all files of a language (characters for Korean and Japanese). Seconds are processor time of the worker.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import unicodedata
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from earmark.domain import Mark, is_speech
from earmark.misheard import FUNCTION_WORDS
from earmark.transcription.models import SpeechModel
from rapidfuzz.distance import Levenshtein

from tests.conftest import CORPUS
from tests.speech import WorkerProcess, many_languages, quick_model

LANGUAGES = re.compile(r"(?:^|_)(de|es|fr|it|ja|ko|pt|nl|pl|ru|zh)(?:_|\.)")


def plain(text: str) -> list[str]:
    spoken = unicodedata.normalize("NFKC", text).lower().replace("'", " ").replace("’", " ")
    words = re.sub(r"[^\w\s]", " ", spoken).split()
    return list("".join(words)) if re.search(r"[\uac00-\ud7a3\u3040-\u9fff]", text) else words


def errors(reference: str, heard: str) -> tuple[int, int]:
    """(words wrong, missing or too many; words of the reference)."""
    wanted = plain(reference)
    return Levenshtein.distance(wanted, plain(heard)), len(wanted)


def multilingual() -> None:
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    with WorkerProcess([CORPUS], model=many_languages()) as worker:
        worker.ready()
        for file in sorted((CORPUS / "multilingual").iterdir()):
            if file.suffix == ".txt":
                continue
            found = LANGUAGES.search(file.name)
            code = found[1] if found else "en"
            heard = worker.transcribe(file)
            wrong, words = errors(file.with_name(f"{file.name}.ref.txt").read_text(), heard.text)
            row = rows[code]
            row[0] += 1
            row[1] += heard.finished.language == code
            row[2] += wrong
            row[3] += words
    print("language  recordings  detected  wrong  of words")
    for code, (files, right, wrong, words) in sorted(rows.items()):
        print(f"{code:9} {files:10} {right:9} {wrong / words:6.1%} {words:9}")


def processor_seconds(worker: WorkerProcess) -> float:
    times = psutil.Process(worker.process.pid).cpu_times()
    return float(times.user + times.system)


def translated() -> None:
    """Each file without and with English, in turns, by a worker each (one that has heard a file remembers its languages)."""
    rows: dict[str, list[float]] = defaultdict(lambda: [0.0] * 6)
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerProcess([CORPUS], model=many_languages())) for _ in range(2)]
        for worker in workers:
            worker.ready()
        for file in sorted((CORPUS / "multilingual").iterdir()):
            found = LANGUAGES.search(file.name)
            if file.suffix == ".txt" or not found:
                continue
            took, heard = [], []
            for worker, wish in zip(workers, (False, True), strict=True):
                before = processor_seconds(worker)
                heard.append(worker.transcribe(file, to_english=wish))
                took.append(processor_seconds(worker) - before)
            if heard[0].segments != heard[1].segments:
                raise SystemExit(f"{file.name}: other words where they are translated")
            english = [s for h in heard[1].heard for s in h.english]
            words = re.findall(r"[a-z']+", " ".join(s.text for s in english if is_speech(s)).lower())
            unsure, none = (
                sum(s.end - s.start for s in english if s.mark is mark)
                for mark in (Mark.LOW_CONFIDENCE, Mark.UNTRANSLATED)
            )
            of_english = float(sum(w in FUNCTION_WORDS for w in words))
            for n, value in enumerate((*took, len(words), of_english, unsure, none)):
                rows[found[1]][n] += value
    print("\nlanguage  processor time  words  function words  unsure  untranslated")
    for code, row in sorted(rows.items()):
        alone, both, spoken, of_english, unsure, none = row
        print(
            f"{code:9} {both / alone:12.2f} x {spoken:7.0f} {of_english / spoken:14.0%} {unsure:6.0f} s {none:11.0f} s"
        )
    first, second = (sum(row[n] for row in rows.values()) for n in (0, 1))
    print(f"all       {second / first:12.2f} x")


class Costs:
    """One model's worker: words wrong, processor seconds and sound so far."""

    def __init__(self, model: SpeechModel) -> None:
        self.name, self.worker = model.name, WorkerProcess([CORPUS], model=model).__enter__()
        self.worker.ready()
        self.process = psutil.Process(self.worker.process.pid)
        self.loaded = self.process.cpu_times()
        self.wrong = self.words = 0
        self.seconds = 0.0

    def hear(self, file: Path, reference: str) -> None:
        heard = self.worker.transcribe(file)
        wrong, words = errors(reference, heard.text)
        self.wrong, self.words = self.wrong + wrong, self.words + words
        self.seconds += heard.finished.duration

    def line(self) -> str:
        times, memory = self.process.cpu_times(), self.process.memory_info()
        took = times.user + times.system - self.loaded.user - self.loaded.system
        return (
            f"{self.name:9} {self.wrong / self.words:6.1%} {self.words:9} {self.seconds / took:10.1f} x "
            f"{memory.rss / 1e6:8.0f} MB"
        )


def english(every: int) -> None:
    rows = csv.DictReader((CORPUS / "manifest.tsv").open(), delimiter="\t")
    files = [(CORPUS / r["file"], r["ref"]) for r in rows if r["set"] == "librispeech"][::every]
    both = [Costs(quick_model()), Costs(many_languages())]
    for file, reference in files:
        for costs in both:
            costs.hear(file, reference)
    print(f"\nLibriSpeech, {len(files)} files")
    print("model      wrong  of words  real time     memory")
    for costs in both:
        print(costs.line())
        costs.worker.__exit__(None, None, None)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--english", type=int, default=1, metavar="N")
    asked = options.parse_args()
    if not CORPUS.is_dir():
        print(f"{CORPUS} is not here: nothing is measured")
        return 69
    multilingual()
    translated()
    english(asked.english)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
