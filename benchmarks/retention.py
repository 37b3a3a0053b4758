"""How long a retention plan takes over a big ledger, and how much memory: `python benchmarks/retention.py [ARTIFACTS]`.

A ledger of 1,000,000 artifacts (a quarter each of audio, transcripts, summaries, subtitles; ten drop folders, five
years) is filled, then planned by processes of their own under policies of growing price. One thousand of the files
are due and really on disk, so that looking at them (hash, holds, quality gate) is in the time. Prints ratios of one run
on one machine; memory is the peak resident size of the planning process, less that of one planning an empty ledger.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from earmark.config import parse_config
from earmark.context import Clock, Context
from earmark.domain import Instant, Segment, Tick, Transcript
from earmark.files import Identity
from earmark.ledger import Ledger
from earmark.paths import Home
from earmark.retention import plan_now

DAY = 86400.0
NOW = Instant(1_790_000_000.0)
ON_DISK = 1000
FOLDERS = 10

POLICIES: dict[str, dict[str, Any]] = {
    "no rule at all": {},
    "keep_for, nothing due": {"audio": {"keep_for": "20y"}, "transcript": {"keep_for": "20y"}},
    "keep_for, 1,000 files due": {"audio": {"keep_for": "5y"}},
    "every kind of rule, all classes": {
        kind: {"keep_for": "10y", "keep_last": 100, "keep_daily": 30, "keep_weekly": 20, "keep_monthly": 60}
        for kind in ("audio", "transcript", "summary", "sidecar")
    },
}


def fill(root: Path, artifacts: int) -> None:
    """A ledger as five years of heavy use would leave it; the oldest recordings are real files."""
    recordings = artifacts // 4
    ledger = Ledger(root / "state" / "ledger.db")
    db = ledger.db
    db.execute("PRAGMA synchronous = OFF")
    span = 5 * 365 * DAY
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in ("r", "p", "j", "a", "u")}
    for n in range(recordings):
        folder = root / "drop" / f"{n % FOLDERS}"
        name = f"2026 recording number {n:07}"
        real = n < ON_DISK and artifacts >= 4 * ON_DISK
        done = NOW - span - 10 * DAY if real else NOW - span + 30 * DAY + (span - 40 * DAY) * n / recordings
        path = folder / f"{name}.m4a"
        note = folder / f"{name}.transcript.md"
        digest, note_digest = sha256(name.encode()).hexdigest(), sha256(b"note").hexdigest()
        identity = Identity(500_000, 1, n, 1)
        if real:
            folder.mkdir(parents=True, exist_ok=True)
            data = name.encode() * 2000
            path.write_bytes(data)
            text = f"---\nearmark_id: x\n---\n{name}\n".encode()
            note.write_bytes(text)
            digest, note_digest = sha256(data).hexdigest(), sha256(text).hexdigest()
            identity = Identity.of(path.stat())
        rows["r"].append((digest, identity.size, done, done, "", "file date", 0, 600.0, 1, 1, done))
        rows["p"].append(
            (os.fsencode(path), os.fsencode(folder), digest, identity.size, identity.mtime_ns, identity.inode,
             identity.device, done, 1, 1)
        )  # fmt: skip
        rows["j"] += [(digest, stage, "done", done) for stage in ("transcribe", "summarize")]
        for kind, form, file, sha in (
            ("transcript", "md", note, note_digest),
            ("summary", "md", folder / f"{name}.md", digest),
            ("sidecar", "srt", folder / f"{name}.srt", digest),
        ):
            rows["a"].append((digest, os.fsencode(path), kind, form, os.fsencode(file), 1, sha, "here", done))
        if real:
            said = Transcript(
                digest, (Segment(0, 599, name, 0.9),), "en", 1.0, 600.0, 590.0, "tiny.en", "whisper"
            )
            rows["u"].append((digest, said))
        if n % 20_000 == 19_999 or n == recordings - 1:
            _store(ledger, rows)
    db.fold()
    ledger.close()


def _store(ledger: Ledger, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    db = ledger.db
    with ledger.transaction():
        db.execute_many(
            "INSERT INTO recordings (id, size, accepted_at, recorded_at, recorded_text, recorded_from, priority,"
            " duration, transcript_rev, summary_rev, done_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows["r"],
        )
        db.execute_many(
            "INSERT INTO places (path, folder, recording_id, size, mtime_ns, inode, device, accepted_at, transcript_rev,"
            " summary_rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows["p"],
        )
        db.execute_many(
            "INSERT INTO jobs (recording_id, stage, state, changed_at) VALUES (?, ?, ?, ?)", rows["j"]
        )
        db.execute_many(
            "INSERT INTO artifacts (recording_id, place, kind, form, path, rev, sha256, state, written_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows["a"],
        )
        for digest, said in rows["u"]:
            ledger.words.store_transcript(said, "{}", NOW)
            db.execute("UPDATE recordings SET transcript_rev = 1 WHERE id = ?", (digest,))
    for found in rows.values():
        found.clear()


def plan_once(root: Path, policy: str) -> None:
    """In a process of its own: plan, and print what it took as JSON."""
    config = parse_config({"retention": POLICIES[policy]}, "benchmark")
    home = Home(root / "config", root / "state", root / "data")
    clock = Clock(wall=lambda: NOW, monotonic=lambda: Tick(0.0))
    folders = tuple(root / "drop" / str(number) for number in range(FOLDERS))
    with Ledger(home.ledger_file, read_only=True) as ledger:
        context = Context(ledger, home, config, folders, clock=clock)
        start, cpu = time.perf_counter(), time.process_time()
        plan = plan_now(context, writes=False)
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 * 1024 if sys.platform == "darwin" else 1024
    )
    print(
        json.dumps(
            {"seconds": took, "cpu": cpu, "mib": peak, "goes": len(plan.goes), "looked": plan.total_items}
        )
    )


def run(root: Path, policy: str) -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, __file__, "--plan", str(root), policy], capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(found.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    parser.add_argument(
        "artifacts", nargs="?", type=int, default=1_000_000, help="files in the ledger (default 1000000)"
    )
    artifacts: int = parser.parse_args().artifacts
    with tempfile.TemporaryDirectory(prefix="earmark-benchmark-") as name:
        root = Path(name).resolve()
        fill(root / "empty", 0)
        idle = run(root / "empty", "no rule at all")["mib"]
        start = time.perf_counter()
        fill(root / "big", artifacts)
        size = (root / "big" / "state" / "ledger.db").stat().st_size / 1e6
        print(
            f"{artifacts:,} artifacts, ledger of {size:.0f} MB (filled in {time.perf_counter() - start:.0f} s)"
        )
        print(f"{'policy':<34} {'plan':>8} {'of it CPU':>10} {'per artifact':>13} {'memory':>10} {'goes':>8}")
        for policy in POLICIES:
            found = run(root / "big", policy)
            each = found["cpu"] / max(1, found["looked"]) * 1e6
            memory = found["mib"] - idle
            times = f"{found['seconds']:>6.1f} s {found['cpu']:>8.1f} s {each:>10.1f} µs"
            print(f"{policy:<34} {times} {memory:>6.0f} MiB {found['goes']:>8,}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plan"]:
        plan_once(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
