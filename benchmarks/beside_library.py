"""earmark beside faster-whisper alone: one long recording and up to a hundred short ones, in one run.

    python benchmarks/beside_library.py [--model NAME] [--long SECONDS] [--short N] [--rounds N] [--parts]

Needs ../shared/corpus. The library in a process of its own: `transcribe(FILE)` as it is, with its voice detector and no
text carried over, and `BatchedInferencePipeline` with 8 windows; each from cold, the files one after the other. earmark:
its daemon, from the moment that it has taken the first file to the last note, its workers' start in it. Runs take turns.
`--parts`: what one thread of earmark's worker spends on what, in one process without a daemon.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from earmark.transcription.models import find_model
from measuring.daemon import Daemon
from measuring.speech import ROOT, cut, find_speech, word_error_rate
from measuring.table import Table, machine, megabytes, percent, ratio, seconds

HERE = Path(__file__).parent
CORPUS = ROOT.parent / "shared/corpus"
WAYS = ("default", "voice", "batched")
"""Ways of the library: see measuring/library.py."""

READ = "librispeech/"
"""The folder of the corpus with sentences that were read aloud."""

LONG, SHORT = 2.5, 3.5
"""How much quicker than the library's default one long recording and many short ones should be, on two cores."""

Said = list[tuple[Path, str]]


def _short(count: int) -> Said:
    """The first sentences of the corpus that were read aloud, each a file of some seconds."""
    with (CORPUS / "manifest.tsv").open(newline="") as rows:
        listed = list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [
        (CORPUS / row["file"], row["ref"])
        for row in sorted(listed, key=lambda row: row["file"])
        if row["file"].startswith(READ) and row["ref"] and (CORPUS / row["file"]).exists()
    ]
    return found[:count]


def _errors(heard: list[str], said: Said) -> float:
    """Word errors in percent of all words."""
    words = [len(text.split()) for _, text in said]
    wrong = [word_error_rate(text, mine) * n for mine, (_, text), n in zip(heard, said, words, strict=True)]
    return sum(wrong) / max(1, sum(words))


def _library(model: Path, way: str, said: Said) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "measuring/library.py"), str(model), way]
    done = subprocess.run(
        command, input="\n".join(str(file) for file, _ in said), stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "errors": _errors(found["texts"], said)}


def _earmark(root: Path, model: Path, said: Said) -> dict[str, Any]:
    with Daemon(root, model=model) as daemon:
        drops = daemon.drop(*(file for file, _ in said))
        first = min(drop.settled for drop in drops)
        return {
            "wall": max(drop.settled + drop.worked for drop in drops) - first,
            "cpu": drops[0].supervisor + drops[0].workers,
            "peak": daemon.peak(),
            "errors": _errors([drop.text for drop in drops], said),
        }


def _compare(table: Table, root: Path, model: Path, said: Said, rounds: int, least: float) -> None:
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in (*WAYS, "earmark")}
    for number in range(rounds):
        for way in WAYS:
            runs[way].append(_library(model, way, said))
        runs["earmark"].append(_earmark(root / f"{len(said)}-{number}", model, said))
    for way, each in runs.items():
        table.add(f"{way}: wall", [run["wall"] for run in each], seconds)
        table.add(f"{way}: processor time", [run["cpu"] for run in each], seconds)
        table.add(f"{way}: peak memory", [run["peak"] for run in each], megabytes)
        table.add(f"{way}: word errors", [run["errors"] for run in each], percent)
    for way in WAYS:
        quicker = [a["wall"] / b["wall"] for a, b in zip(runs[way], runs["earmark"], strict=True)]
        table.add(f"earmark's wall time is that of {way} divided by", quicker, ratio)
    goal = [least * b["wall"] / a["wall"] for a, b in zip(runs["default"], runs["earmark"], strict=True)]
    table.add(f"share of the time that default / {least} is", goal, ratio, 1.0)


def _parts(model: Path, file: Path) -> Iterator[tuple[str, float]]:
    """Seconds of processor time of one thread, by what they went to."""
    from earmark.domain import Segment
    from earmark.transcription import decode, hearing, limits, whisper
    from earmark.transcription.container import open_recording

    limits.keep_freed_memory()
    engine = whisper.WhisperEngine(model, "cpu", "int8", 1)
    spent: dict[str, float] = {}

    def counted(name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **more: Any) -> Any:
            began = time.process_time()
            try:
                return do(*args, **more)
            finally:
                spent[name] = spent.get(name, 0.0) + time.process_time() - began

        return counting

    library: Any = engine._model
    inner = library.model
    library.feature_extractor = counted("features", library.feature_extractor)
    library.encode = counted("encoder", library.encode)

    class Counted:
        """The model, with its search counted."""

        generate = staticmethod(counted("decoder", inner.generate))

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    library.model = Counted()
    setattr(engine, "_voice", counted("voice detection", engine._voice))  # noqa: B010
    began = time.process_time()
    with file.open("rb") as source:
        recording = open_recording(source.fileno())
        decoded = list(decode.Decoder(recording, 36_000.0, engine.voice).blocks())
    spent["decoding"] = time.process_time() - began - sum(spent.values())
    found: list[Segment] = []
    for passage in hearing.listen(engine, iter(decoded), hearing.Asked("en")):
        found += passage.segments
    whole = time.process_time() - began
    yield from sorted(spent.items(), key=lambda item: -item[1])
    yield "the rest", whole - sum(spent.values())


def main() -> int:
    """Print a table; 1 if a target was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--long", type=float, default=900.0, help="seconds of the long recording; 0: none")
    parser.add_argument("--short", type=int, default=100, help="short recordings; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", action="store_true", help="what a thread of earmark spends on what, only")
    chosen = parser.parse_args()
    beside = Path(sys.prefix) / "share/earmark/for-tests" / chosen.model  # scripts/test brings it
    model = find_model(chosen.model, None, Path("/nonexistent"), beside).dir
    table = Table()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="earmark-bench-") as name:
        root = Path(name)
        long = [cut(find_speech(), root / "long.m4a", chosen.long)] if chosen.long else []
        if chosen.parts:
            table.heading(f"{chosen.long:.0f} s with {chosen.model}, processor time of one thread")
            for what, spent in _parts(model, long[0][0]):
                table.add(what, [spent], seconds)
            return 0
        for said, least in ((long, LONG), (_short(chosen.short), SHORT)):
            if said:
                table.heading(f"{len(said)} recordings with {chosen.model}, {chosen.rounds} rounds")
                _compare(table, root, model, said, chosen.rounds, least)
    print(machine())
    return 1 if table.missed() else 0


if __name__ == "__main__":
    sys.exit(main())
