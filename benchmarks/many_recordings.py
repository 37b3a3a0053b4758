"""10,000 tiny recordings dropped while the daemon runs: found, ledger right, memory flat. Stand-in workers.

    python benchmarks/many_recordings.py [--count 10000]

What is measured is the supervisor; the words come from tests/standin_worker.py, because real speech would take hours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.daemon_rig import Rig  # noqa: E402 - the tests lie beside this folder

DRIVER = "import sys, json; from tests.daemon_rig import _child; _child(sys.argv[1], json.loads(sys.argv[2]), 0, '', False)"


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=10_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="earmark-many-") as temporary:
        # Read through as often as by default; the rig's half second is for tests that wait for something.
        rig = Rig(Path(temporary), {"transcription": {"workers": 2}, "intake": {"scan_seconds": 60.0}})
        daemon = subprocess.Popen(
            [sys.executable, "-c", DRIVER, temporary, json.dumps(rig.sections)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
        process = psutil.Process(daemon.pid)
        began = time.monotonic()
        for number in range(asked.count):
            rig.drop(f"{number % 100}/{number}.m4a", f"recording {number}")
        dropped = time.monotonic() - began
        print(f"dropped {asked.count} in {dropped:.0f} s", flush=True)
        done, memory, last = 0, [], 0.0
        while done < asked.count and daemon.poll() is None:
            time.sleep(0.5)
            rows = rig.query("SELECT count(*) FROM jobs WHERE stage = 'summarize' AND state = 'done'")
            done = rows[0][0] if rows else done
            memory.append(process.memory_info().rss / 1048576)
            if time.monotonic() - last > 30:
                last = time.monotonic()
                print(
                    f"  {done} done, supervisor {memory[-1]:.0f} MiB, {time.monotonic() - began:.0f} s",
                    flush=True,
                )
        while len(rig.notes()) < 2 * asked.count and daemon.poll() is None:
            time.sleep(0.5)
        took = time.monotonic() - began
        quarter = max(1, len(memory) // 4)
        print(f"recordings           {asked.count}")
        print(f"notes                {len(rig.notes())}")
        print(f"transcribed          {len(rig.events('transcribed'))}")
        print(f"jobs not done        {rig.query('SELECT count(*) FROM jobs WHERE state != ?', 'done')[0][0]}")
        print(f"took                 {took:.0f} s ({took / asked.count * 1000:.0f} ms each)")
        first, end = max(memory[:quarter]), max(memory[-quarter:])
        print(
            f"supervisor           {first:.0f} MiB in the first quarter of the time, {end:.0f} MiB in the last"
        )
        daemon.terminate()
        daemon.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
