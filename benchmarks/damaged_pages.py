"""Single damaged pages of a ledger with holds, rules of single recordings, kept notes, tombstones and a policy that is due.

    .venv/bin/python benchmarks/damaged_pages.py              # 240 damages; the seeds begin with the day
    .venv/bin/python benchmarks/damaged_pages.py --count 1000 --first 20260801000

Each damages one page in one of five ways (noise, zeros, flipped bits, a missing end, another page of the file), lets the
daemon run to its end, and asks whether something protected was taken, something erased was heard again, or the repair came
to no end. Exits 1 if one of them was. A second or two for each.
"""

from __future__ import annotations

import argparse
import datetime
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from earmark.log import configure_logging

from tests.conftest import in_memory
from tests.damaged_pages import made_in, pages, tried


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    today = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%d")
    parser.add_argument("--count", type=int, default=240, help="how many damages")
    parser.add_argument("--first", type=int, default=int(today) * 1000, help="the first seed")
    chosen = parser.parse_args()
    logging.disable()
    with in_memory() as folder, Path("/dev/null").open("w") as nowhere:
        configure_logging(nowhere, json=True, verbose=False)
        world = made_in(folder)
        world.bring_back("before")
        count, size = pages(world.installed.ledger_file)
        print(
            f"A ledger of {count} pages of {size} bytes; seeds {chosen.first} to {chosen.first + chosen.count - 1}."
        )
        result = tried(world, range(chosen.first, chosen.first + chosen.count))
    print(f"{result}.")
    for kind in ("taken", "heard again", "did not end", "repaired again"):
        print(f"{kind}: {sum(kind in fault for fault in result.faults)}")
    print(*result.faults, sep="\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
