"""Bad media through the whole daemon: how each of many spoiled recordings ends, and what the worker took.

    python benchmarks/bad_media.py [--count 600] [--seed 1] [--seconds 0.8]

Valid clips in ten or more containers are spoiled in eight ways (tests/bad_media.py), the corpus' corrupt files are added if
they lie beside the checkout, and `earmark run --once` drains them with the real worker.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.bad_media import clips, spoil
from tests.conftest import CORPUS, QUICK
from tests.integration.test_durability_bad_media import Peak, outcomes


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=600)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--seconds", type=float, default=0.8)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="earmark-bad-") as temporary:
        root = Path(temporary)
        folder, valid, config = root / "Recordings", root / "valid", root / "home" / "config"
        for made in (folder, valid, config):
            made.mkdir(parents=True)
        (config / "config.toml").write_text(QUICK)
        good = clips(valid, asked.seconds)
        spoil(folder, good, asked.count, asked.seed)
        if CORPUS.is_dir():
            for file in (CORPUS / "corrupt").iterdir():
                shutil.copy2(file, folder / file.name, follow_symlinks=False)
        count = len(list(folder.iterdir()))
        began = time.monotonic()
        with Peak() as peak:
            status = subprocess.run(
                [sys.executable, "-m", "earmark", "run", "--service", "--once", str(folder)],
                env=os.environ | {"EARMARK_HOME": str(root / "home")}, capture_output=True, text=True,
            )  # fmt: skip
        ends = outcomes(root / "home" / "state")
        states = Counter(state for state, _, _ in ends.values())
        died = status.stderr.count('"worker-died"')
        print(f"seed {asked.seed}, {len(good)} containers ({' '.join(sorted(g.suffix[1:] for g in good))})")
        print(f"files                {count}")
        print(f"taken                {len(ends)} (the others are empty, links, or the same bytes again)")
        print(f"done                 {states['done']}")
        print(f"failed               {states['failed']}")
        print(f"neither              {len(ends) - states['done'] - states['failed']}")
        print(f"worker deaths        {died}")
        print(f"daemon's exit        {status.returncode}")
        print(
            f"worker's memory      {peak.mebibytes} MiB at most; limits in force: {', '.join(sorted(peak.limits))}"
        )
        print(f"took                 {time.monotonic() - began:.0f} s")
        for sentence, number in Counter(s for state, _, s in ends.values() if state == "failed").most_common(
            12
        ):
            print(f"  {number:4}  {sentence}")
        return 0 if states["done"] + states["failed"] == len(ends) and status.returncode in (0, 65) else 1


if __name__ == "__main__":
    sys.exit(main())
