"""How long until the first note, and until the better one, with a quick model beside a larger one, and the errors of both.

    EARMARK_MODELS=FOLDER python benchmarks/drafts.py [--seconds 120]

FOLDER holds tiny.en and base (links will do). The same speech goes to a daemon that writes drafts, and to one that does not,
in turns; the median of three rounds is shown.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

from measuring.daemon import Daemon
from measuring.speech import cut, find_speech, word_error_rate
from measuring.table import Table, machine, percent, seconds

ENGLISH = 'language = "en"\ndraft = "{draft}"\n'

ROUNDS = 3


def heard(root: Path, recording: Path, draft: str) -> tuple[list[float], list[str]]:
    """Seconds from taken to each version of the transcript note, and the words of each version."""
    daemon = Daemon(root, settle=0.5)
    config = daemon.home / "config/config.toml"
    config.write_text(config.read_text() + ENGLISH.format(draft=draft))
    with daemon:
        first = daemon.drop(recording)[0]
        texts = [first.text, daemon._text(recording.name)]
    path = os.fsencode(daemon.folder / recording.name)
    db = sqlite3.connect(f"file:{daemon.home / 'state/ledger.db'}?mode=ro", uri=True)
    rows = db.execute(
        "SELECT at, what FROM events WHERE path = ? AND (what = 'accepted' OR detail LIKE '%.transcript.md%') ORDER BY id",
        (path,),
    ).fetchall()
    db.close()
    taken = next(at for at, what in rows if what == "accepted")
    times = [at - taken for at, what in rows if what == "written"]
    return times, texts[-len(times) :]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="how much speech")
    table, speech = Table(), find_speech()
    length = speech.end_near(parser.parse_args().seconds)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="earmark-bench-") as name:
        recording, reference = cut(speech, Path(name, "recording.m4a"), length)
        table.heading(f"{length:.0f} s of {speech.name}, {ROUNDS} rounds")
        first: list[float] = []
        better: list[float] = []
        alone: list[float] = []
        for number in range(ROUNDS):
            times, texts = heard(Path(name, f"drafts-{number}"), recording, "auto")
            if len(times) != 2:
                raise SystemExit(f"{len(times)} versions; are a small and a larger model in EARMARK_MODELS?")
            first.append(times[0])
            better.append(times[1])
            alone += heard(Path(name, f"alone-{number}"), recording, "none")[0]
    table.add("taken -> draft", first, seconds)
    table.add("taken -> better note in its place", better, seconds)
    table.add("taken -> the same note without drafts", alone, seconds)
    for what, text in zip(("draft", "better note"), texts, strict=True):
        table.add(f"word error rate, {what}", [word_error_rate(reference, text)], percent)
    print(machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
