"""Names that are known (`vocabulary_from`): how many more words come out right, how many are spoiled, and what it costs.

    python benchmarks/names.py [--every N]

A real worker with base on every Nth file of LibriSpeech in ../shared/corpus (nothing is measured without it), three
times: with no names; with the names of all files; and with the names of all files but the one that is heard, which can
only do harm. Names are the words of the references with six letters and more that the first hearing missed. Most are no
names, and were heard as nothing like them, so that few come right. Seconds are processor time of the worker.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from rapidfuzz.distance import Levenshtein

from tests.conftest import CORPUS
from tests.speech import WorkerProcess, many_languages, words

LEAST = 6
"""Letters of a reference word that is made a name of."""


def references(every: int) -> dict[Path, list[str]]:
    rows = [line.split("\t") for line in (CORPUS / "manifest.tsv").read_text().splitlines()[1:]]
    spoken = {CORPUS / row[1]: words(row[3]) for row in rows if "librispeech/test-" in row[1]}
    long = CORPUS / "longform" / "libri_10speakers_chapters.m4a"
    return {
        **dict(list(spoken.items())[::every]),
        long: words(long.with_name(f"{long.name}.ref.txt").read_text()),
    }


def right(wanted: list[str], heard: list[str], names: set[str]) -> int:
    there = Counter(heard)
    return sum(min(n, there[word]) for word, n in Counter(wanted).items() if word in names)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1)
    spoken = references(parser.parse_args().every)
    heard: dict[str, dict[Path, list[str]]] = {"none": {}, "all": {}, "others": {}}
    took: Counter[str] = Counter()
    missed: dict[Path, set[str]] = {}
    with WorkerProcess([CORPUS], model=many_languages()) as worker:
        worker.ready()
        process = psutil.Process(worker.process.pid)

        def hear(kind: str, file: Path, names: set[str]) -> None:
            before = process.cpu_times()
            titles = tuple(name.title() for name in sorted(names))
            heard[kind][file] = words(worker.transcribe(file, language="en", names=titles).text)
            after = process.cpu_times()
            took[kind] += after.user + after.system - before.user - before.system

        for file, wanted in spoken.items():
            hear("none", file, set())
            lost = Counter(wanted) - Counter(heard["none"][file])
            missed[file] = {word for word in lost if len(word) >= LEAST and re.fullmatch("[a-z]+", word)}
        every = set().union(*missed.values())
        for file in spoken:
            hear("all", file, every)
        for file in spoken:  # not right after it: the worker would remember the passage
            hear("others", file, every - set(spoken[file]))
    count = sum(map(len, spoken.values()))
    asked = sum(n for wanted in spoken.values() for word, n in Counter(wanted).items() if word in every)
    print(f"{len(spoken)} files, {count} words, {len(every)} names that occur {asked} times")
    print("names given  word errors  names right  changed files  processor time")
    for kind, found in heard.items():
        wrong = sum(Levenshtein.distance(spoken[file], found[file]) for file in spoken)
        names = sum(right(spoken[file], found[file], every) for file in spoken)
        changed = sum(found[file] != heard["none"][file] for file in spoken)
        print(f"{kind:11} {wrong / count:12.2%} {names:12} {changed:14} {took[kind] / took['none']:13.2f} x")


if __name__ == "__main__":
    main()
