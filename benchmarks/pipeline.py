"""The main job in numbers: overhead, time to the note, idle cost, scan of a large folder, memory over length.

    python benchmarks/pipeline.py [--overhead] [--memo] [--idle] [--scan] [--memory] [--quick] [--long]

Without a part named: all of them. Runs of A and B take turns and medians are shown, because other programs use the
machine too; ratios from one run are worth more than seconds. Exits 1 if a target was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from earmark.allowance import allowance
from earmark.config import Config
from earmark.context import Context
from earmark.domain import Date, Dated, Instant, Stage
from earmark.files import Identity
from earmark.intake.folder import scan as scan_folder
from earmark.intake.rules import Rules
from earmark.ledger import Ledger
from earmark.paths import Home
from earmark.supervisor.sizing import thread_count, worker_count
from earmark.supervisor.stages.transcription import TranscriptionStage
from earmark.transcription.models import find_model
from earmark.workers import start_process
from measuring.daemon import Daemon, Drop
from measuring.speech import Speech, cut, find_speech, other_bytes, word_error_rate
from measuring.table import Table, fine_percent, machine, megabytes, percent, ratio, seconds, speed

HERE = Path(__file__).parent
PARTS = ("overhead", "memo", "idle", "scan", "memory")


def overhead(table: Table, root: Path, speech: Speech, quick: bool) -> None:
    """The daemon against plain faster-whisper on the same recording, from cold and with the model in memory."""
    rounds, length = (1, 120.0) if quick else (3, 600.0)
    length = speech.end_near(length) if speech.duration > length else length
    first, reference = cut(speech, root / "recording.m4a", length)
    second = other_bytes(first, root / "same-sound.m4a", 1)
    pair = [other_bytes(first, root / f"pair-{n}.m4a", 1 + n) for n in (1, 2)]
    model = _model_dir()
    workers = worker_count(0, allowance().cores, (model / "model.bin").stat().st_size)
    threads = thread_count(0, allowance().cores, workers, (model / "model.bin").stat().st_size)
    table.heading(
        f"Overhead on {length:.0f} s of {speech.name}; {threads} thread(s) a worker, {rounds} round(s)"
    )
    plain: list[dict[str, Any]] = []
    default: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    cold: list[Drop] = []
    warm: list[Drop] = []
    both: list[float] = []
    for number in range(rounds):
        plain.append(_process("plain.py", model, threads, first))
        with Daemon(root / f"overhead-{number}") as daemon:
            cold += daemon.drop(first)
            warm += daemon.drop(second)
            both.append(max(drop.worked for drop in daemon.drop(*pair)))
        alone.append(_process("alone.py", model, threads, first))
        default.append(_process("plain.py", model, 0, first))
    table.add(f"plain, {threads} thread(s): import and load the model", [p["load"] for p in plain], seconds)
    table.add(f"plain, {threads} thread(s): transcribe", [p["transcribe"] for p in plain], seconds)
    table.add("plain, library's default threads: transcribe", [p["transcribe"] for p in default], seconds)
    table.add("worker without daemon: transcribe", [a["took"][0] for a in alone], seconds)
    table.add("daemon, cold worker: taken -> transcript note", [d.worked for d in cold], seconds)
    table.add("daemon, warm worker: taken -> transcript note", [d.worked for d in warm], seconds)
    table.add("drop -> taken (hint, settle time of 2 s, hashing)", [d.settled for d in cold + warm], seconds)
    # The target is for ten minutes; on two a busy machine's noise alone is more.
    most = None if quick else 5.0
    over = [100 * (d.worked / (p["load"] + p["transcribe"]) - 1) for d, p in zip(cold, plain, strict=True)]
    table.add("daemon over plain, both from cold", over, percent, most=most)
    over = [100 * (d.worked / p["transcribe"] - 1) for d, p in zip(warm, plain, strict=True)]
    table.add("daemon over plain, both with the model loaded", over, percent, most=most)
    over = [
        100 * ((d.supervisor + d.workers) / p["cpu_transcribe"] - 1) for d, p in zip(warm, plain, strict=True)
    ]
    table.add("the same in processor time (supervisor and worker)", over, percent, most=most)
    share = [100 * d.supervisor / d.workers for d in cold + warm]
    table.add("supervisor's processor time in percent of its worker's", share, percent, most=5.0)
    table.add("speed, plain with default threads", [length / p["transcribe"] for p in default], speed)
    table.add("speed, daemon, one recording", [length / d.worked for d in warm], speed)
    table.add("speed, daemon, two recordings at once", [2 * length / b for b in both], speed)
    table.add("word error rate, plain", [word_error_rate(reference, plain[0]["text"])], percent)
    table.add("word error rate, daemon", [word_error_rate(reference, cold[0].text)], percent)


def memo(table: Table, root: Path, speech: Speech, quick: bool) -> None:
    """From dropping a memo of ten seconds to its transcript note."""
    rounds = 2 if quick else 7
    room = max(0.0, speech.duration - 11.0)
    starts = [room * n / (2 * rounds) for n in range(2 * rounds)]
    memos = [cut(speech, root / f"memo-{n}.m4a", 10.0, start)[0] for n, start in enumerate(starts)]
    table.heading(f"Drop to transcript note, memos of 10 s, {rounds} round(s), default settings")
    cold: list[Drop] = []
    warm: list[Drop] = []
    for number in range(rounds):
        with Daemon(root / f"memo-{number}") as daemon:
            cold += daemon.drop(memos[2 * number])
            warm += daemon.drop(memos[2 * number + 1])
    table.add(
        "drop -> taken (hint 0.3 s, settle time 2 s, hashing)", [d.settled for d in cold + warm], seconds
    )
    table.add("taken -> transcript note, cold worker", [d.worked for d in cold], seconds)
    table.add("taken -> transcript note, warm worker", [d.worked for d in warm], seconds)
    table.add("drop -> transcript note, cold worker", [d.settled + d.worked for d in cold], seconds)
    table.add("drop -> transcript note, warm worker", [d.settled + d.worked for d in warm], seconds)
    model = _model_dir()
    alone = [_process("alone.py", model, 1, *memos[:2]) for _ in range(rounds)]
    table.add("of that: starting a worker and loading the model", [a["ready"] for a in alone], seconds)
    table.add("of that: the worker's own time for a first memo", [a["took"][0] for a in alone], seconds)
    table.add("of that: the worker's own time for a second memo", [a["took"][1] for a in alone], seconds)


def idle(table: Table, root: Path, speech: Speech, quick: bool) -> None:
    """What the daemon costs while there is nothing to do: memory before and after work, processor time, wake-ups."""
    span = 15.0 if quick else 130.0
    one = cut(speech, root / "one.m4a", 10.0)[0]
    table.heading(f"Idle, over {span:.0f} s, after one memo was done and the workers have left")
    with Daemon(root / "idle", idle=1.0) as daemon:
        _memory(table, daemon.process, "before the first recording", None)
        daemon.drop(one)
        daemon.until(lambda: not daemon.process.children(), 60, "the workers' end")
        before = (_cpu(daemon.process), daemon.process.num_ctx_switches().voluntary, time.monotonic())
        time.sleep(span)
        after = (_cpu(daemon.process), daemon.process.num_ctx_switches().voluntary, time.monotonic())
        took = after[2] - before[2]
        _memory(table, daemon.process, "afterwards", 45e6)
        table.add("processor time", [100 * (after[0] - before[0]) / took], fine_percent, most=0.1)
        table.add(
            "main thread's wake-ups a minute", [60 * (after[1] - before[1]) / took], lambda v: f"{v:.1f}"
        )


def _memory(table: Table, process: psutil.Process, when: str, most: float | None) -> None:
    full = process.memory_full_info()
    table.add(f"supervisor's memory {when}, RSS", [full.rss], megabytes, most=most)
    if hasattr(full, "pss"):
        table.add(f"supervisor's memory {when}, PSS", [full.pss], megabytes, most=most)


def _cpu(process: psutil.Process) -> float:
    """Processor seconds; from the scheduler's nanoseconds where there are any, or a hundredth would be the finest step."""
    tasks = Path(f"/proc/{process.pid}/task")
    if tasks.exists():
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def scan(table: Table, root: Path, _: Speech, quick: bool) -> None:
    """Reading a folder of many recordings through, when all of them are known (every minute) and when none is (first)."""
    count = 20_000 if quick else 100_000
    folder = root / "large"
    for number in range(count // 1000):
        (folder / f"{number:03}").mkdir(parents=True)
        for name in range(1000):
            (folder / f"{number:03}/memo {name:04}.m4a").write_bytes(b"m")
    # The target is for 100,000; with fewer it shrinks in proportion.
    most = count / 100_000
    table.heading(f"Scan of {count:,} recordings in {count // 1000} folders")
    rules = Rules(())
    first: list[float] = []
    again: list[float] = []
    rows: list[float] = []
    known = scan_folder(folder, rules, True, {}).new
    turns: list[float] = []
    processor: list[float] = []
    with Ledger(root / "large.db") as ledger:
        _fill(ledger, folder, known)
        context = Context(ledger, Home(root / "config", root / "state", root / "data"), Config(), (folder,))
        stage = TranscriptionStage(context, "bench", lambda _: None, start_process)
        for _round in range(3 if quick else 7):
            first.append(_timed(lambda: scan_folder(folder, rules, True, {})))
            again.append(_timed(lambda: scan_folder(folder, rules, True, known)))
            processor.append(_timed(lambda: scan_folder(folder, rules, True, known), time.process_time))
            rows.append(_timed(lambda: ledger.places.identities(folder)))
            turns.append(_timed(lambda: _turn(context, stage)))
    assert len(known) == count
    assert all(isinstance(identity, Identity) for identity in known.values())
    table.add("look, nothing known", first, seconds, most=most)
    table.add("look, everything known", again, seconds, most=most)
    table.add("look, everything known, in processor time", processor, seconds)
    table.add("what the ledger knows of the folder, read for each look", rows, seconds)
    table.add("one turn of the loop's questions to a ledger of so many, all done", turns, seconds)


def _turn(context: Context, stage: TranscriptionStage) -> None:
    """What the loop asks of the ledger each time it wakes."""
    jobs, now = context.ledger.jobs, context.now()
    stage.turn()
    stage.next_at(context.clock.monotonic())
    jobs.count()
    jobs.without_file()
    jobs.next_due(now)
    context.ledger.places.next_due(now)


def _fill(ledger: Ledger, folder: Path, known: dict[bytes, Identity]) -> None:
    """A ledger in which every one of these files has been transcribed and summarized."""
    start = Instant(0.0)
    with ledger.transaction():
        for number, (path, identity) in enumerate(known.items()):
            recording = f"{number:064x}"
            ledger.recordings.add(recording, 1, start, Date(start, "", Dated.FILE), 0)
            ledger.places.put(Path(os.fsdecode(path)), folder, recording, identity, start)
            for stage in Stage:
                ledger.jobs.add(recording, stage, start)
        for table in ("recordings SET done_at = 1, ", "places SET "):
            ledger.db.execute(f"UPDATE {table} transcript_rev = 1, summary_rev = 1")
        ledger.db.execute("UPDATE jobs SET state = 'done'")


def _timed(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    act()
    return clock() - began


def memory(table: Table, root: Path, speech: Speech, quick: bool, long: bool = False) -> None:
    """Peak memory of a transcription worker against the length of the recording."""
    minutes = (1, 5) if quick else (1, 10, 60, 600) if long else (1, 10, 60)
    table.heading("Peak memory of a transcription worker (speech repeated to length)")
    peaks: dict[int, float] = {}
    for length in minutes:
        file = cut(speech, root / f"long-{length}.m4a", length * 60.0)[0]
        result = _process("alone.py", _model_dir(), 1, file)
        peaks[length] = result["peak"]
        table.add(
            f"{length} min ({sum(result['durations']):.0f} s, {sum(result['durations']) / sum(result['took']):.1f} x)",
            [peaks[length]],
            megabytes,
            most=1.2e9,
        )
        file.unlink()
    longest, shortest = max(minutes), 10 if 10 in peaks else min(minutes)
    table.add(f"{longest} min against {shortest} min", [peaks[longest] / peaks[shortest]], ratio, most=1.25)


def _model_dir() -> Path:
    beside = Path(sys.prefix) / "share" / "earmark" / "for-tests" / "tiny.en"  # scripts/test brings it
    return find_model("tiny.en", None, Path("/nonexistent"), beside).dir


def _process(script: str, *arguments: object) -> dict[str, Any]:
    """Run a measuring script in a process of its own; what it printed."""
    command = [sys.executable, str(HERE / "measuring" / script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for part in PARTS:
        parser.add_argument(
            f"--{part}", action="store_true", help=(globals()[part].__doc__ or "").splitlines()[0]
        )
    parser.add_argument("--quick", action="store_true", help="shorter recordings, fewer rounds: a smoke test")
    parser.add_argument("--long", action="store_true", help="memory on ten hours too (about fifteen minutes)")
    chosen = parser.parse_args()
    parts = [part for part in PARTS if getattr(chosen, part)] or list(PARTS)
    table, speech = Table(), find_speech()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="earmark-bench-") as name:
        for part in parts:
            root = Path(name, part)
            root.mkdir()
            if part == "memory":
                memory(table, root, speech, chosen.quick, chosen.long)
            else:
                globals()[part](table, root, speech, chosen.quick)
    missed = table.missed()
    print(f"\n{machine()}")
    print(
        "every target met"
        if not missed
        else f"{len(missed)} target(s) missed: {'; '.join(r.what for r in missed)}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
