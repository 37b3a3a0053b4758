"""The promise of durability under real conditions: real speech, real workers, and `kill -9` at random times.

    python benchmarks/chaos.py [--seed 1] [--kills 200] [--short 12] [--minutes 21] [--keep FOLDER]

Recordings are cut and joined from speech (the corpus beside the checkout if it is there, else the packaged sample): short
ones, and one of at least 20 minutes. They are dropped in random order while supervisor, workers, or both are killed at
random times; the daemon is started again each time, as a service manager would. When the kills are used up the queue is
drained, and what lies in the folder is compared with what an undisturbed run made of the same recordings.

The same seed drops the same recordings in the same order and draws the same kills; when a kill hits depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
from rapidfuzz.distance import Levenshtein

RATE = 16_000
CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "longform"
SAMPLE = Path(str(files("earmark").joinpath("sample", "sample.m4a")))
RECORDED = 1_772_438_400.0
CONFIG = "[intake]\nsettle_seconds = 0.3\nscan_seconds = 2\n[summary]\nendpoint = 'none'\n"


def speech() -> np.ndarray:
    """Samples (n,) of 16-bit speech at 16 kHz."""
    found = sorted(CORPUS.glob("*.m4a")) if CORPUS.is_dir() else []
    pieces = []
    with av.open(str(found[0] if found else SAMPLE)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(pieces)


def write(path: Path, samples: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        for at in range(0, len(samples), 4096):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 4096], format="s16", layout="mono")
            frame.rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def make_recordings(folder: Path, dice: random.Random, short: int, minutes: float) -> float:
    """Short recordings of 6 to 40 s and a long one; returns the seconds in all."""
    folder.mkdir(parents=True)
    pool = speech()
    total = 0.0
    for number in range(short):
        length = min(int(dice.uniform(6, 40) * RATE), len(pool) // 2)
        start = dice.randrange(len(pool) - length)
        write(folder / f"memo {number:02}.flac", pool[start : start + length])
        total += length / RATE
    long = np.concatenate(
        [np.roll(pool, -i * RATE * 137) for i in range(int(minutes * 60 * RATE / len(pool)) + 1)]
    )
    write(folder / "long meeting.flac", long[: int(minutes * 60 * RATE)])
    return total + minutes * 60


class Home:
    """An installation of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "Recordings"
        self.folder.mkdir(parents=True)
        (root / "home" / "config").mkdir(parents=True)
        (root / "home" / "config" / "config.toml").write_text(CONFIG)
        self.log = (root / "daemon.log").open("ab")
        self.mark = str(root / "home")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "earmark", "run", "--service", *options, str(self.folder)],
            env=os.environ | {"EARMARK_HOME": self.mark}, stdin=subprocess.DEVNULL, stderr=self.log, stdout=self.log,
        )  # fmt: skip

    def workers(self) -> list[int]:
        """Process ids of the workers of this installation."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                    if b".worker\0" in command and self.mark.encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def drop(self, source: Path) -> None:
        """Copy in pieces, so that a kill can come while the file still grows."""
        with source.open("rb") as before, (self.folder / source.name).open("wb") as after:
            while piece := before.read(1 << 18):
                after.write(piece)
                after.flush()
        os.utime(self.folder / source.name, (RECORDED, RECORDED))  # the notes name the day

    def notes(self) -> dict[str, str]:
        return {p.name: p.read_text() for p in sorted(self.folder.rglob("*.md"))}

    def query(self, sql: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(
            f"file:{self.root / 'home' / 'state' / 'ledger.db'}?mode=ro", uri=True, timeout=30
        )
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()


def kill(number: int) -> bool:
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def disturb(home: Home, source: Path, dice: random.Random, kills: int) -> Counter[str]:
    """Drop everything and kill until the number is reached."""
    waiting = sorted(source.iterdir())
    dice.shuffle(waiting)
    waiting.sort(
        key=lambda p: p.name != "long meeting.flac"
    )  # the long one first: it is there for most of the kills
    done: Counter[str] = Counter()
    daemon = home.start()
    while done["kills"] < kills:
        if waiting and done["kills"] >= (len(list(source.iterdir())) - len(waiting)) * kills // (
            len(list(source.iterdir())) + 1
        ):
            home.drop(waiting.pop(0))
        time.sleep(dice.choice((dice.uniform(0.0, 0.6), dice.uniform(0.6, 3.0), dice.uniform(2.0, 6.0))))
        target = dice.choice(("supervisor", "worker", "both"))
        workers = home.workers()
        if target == "worker" and not workers:
            target = "supervisor"
        hit = False
        if target != "supervisor":
            hit = sum(kill(w) for w in (workers if target == "both" else [dice.choice(workers)])) > 0
        if target != "worker":
            hit = kill(daemon.pid) or hit
            daemon.wait()
            daemon = home.start()
        if hit:
            done["kills"] += 1
            done[target] += 1
            if done["kills"] % 20 == 0:
                print(f"  {done['kills']} kills", flush=True)
    for file in waiting:
        home.drop(file)
    kill(daemon.pid)
    daemon.wait()
    return done


def words(note: str) -> list[str]:
    """What was said, without the frontmatter, links and marks."""
    body = re.sub(r"\A---\n.*?\n---\n", "", note, flags=re.S)
    return re.sub(r"!?\[\[[^]]*\]\]", " ", body).lower().split()


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--short", type=int, default=12)
    options.add_argument("--minutes", type=float, default=21.0)
    options.add_argument("--keep", type=Path, help="work in this (new) folder and leave it")
    asked = options.parse_args()
    dice = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="earmark-chaos-") as temporary:
        root = asked.keep or Path(temporary)
        source = root / "source"
        seconds = make_recordings(source, dice, asked.short, asked.minutes)
        count = asked.short + 1

        calm = Home(root / "calm")
        for file in source.iterdir():
            calm.drop(file)
        began = time.monotonic()
        if calm.start("--once").wait():
            print("the undisturbed run failed; see", calm.root / "daemon.log")
            return 1
        calm_took = time.monotonic() - began
        print(
            f"undisturbed: {count} recordings, {seconds / 60:.1f} min of speech, in {calm_took:.0f} s",
            flush=True,
        )

        wild = Home(root / "wild")
        began = time.monotonic()
        done = disturb(wild, source, dice, asked.kills)
        status = wild.start("--once").wait()
        wild_took = time.monotonic() - began
        again = wild.start("--once").wait()

        expected, found = calm.notes(), wild.notes()
        lost = sorted(set(expected) - set(found))
        doubled = sorted(set(found) - set(expected))
        spoken = differing = same = 0
        for name in sorted(set(expected) & set(found)):
            same += expected[name] == found[name]
            if name.endswith(".transcript.md"):
                a, b = words(expected[name]), words(found[name])
                spoken += len(a)
                differing += Levenshtein.distance(a, b)
        temps = [p.name for p in wild.folder.rglob(".earmark-*")]
        attempts = wild.query("SELECT count(*) FROM jobs WHERE state != 'done' OR attempts > 1")[0][0]
        orphans = wild.workers()
        print(f"seed {asked.seed}")
        print(
            f"recordings           {count} ({seconds / 60:.1f} min of speech, the longest {asked.minutes:.0f} min)"
        )
        print(
            f"kills                {done['kills']} "
            f"(supervisor {done['supervisor']}, worker {done['worker']}, both {done['both']})"
        )
        print(f"lost                 {len(lost)} {' '.join(lost)}".rstrip())
        print(f"doubled              {len(doubled)} {' '.join(doubled)}".rstrip())
        print(f"words differing      {differing} of {spoken}")
        print(f"notes identical      {same} of {len(expected)}")
        print(f"temp files left      {len(temps)}")
        print(f"attempts charged     {attempts} jobs")
        print(f"processes left       {len(orphans)}")
        print(f"took                 {wild_took:.0f} s (undisturbed {calm_took:.0f} s)")
        good = not (lost or doubled or differing or temps or attempts or orphans or status or again)
        print("held" if good else "BROKEN")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
