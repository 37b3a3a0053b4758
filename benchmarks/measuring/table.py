"""Results as rows: what was measured, what it came to, what it should be, and whether it is."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """`ok` is None for a number that has no target; `each` holds the single runs where there were several."""

    what: str
    value: str
    target: str = ""
    ok: bool | None = None
    each: str = ""


@dataclass(slots=True)
class Table:
    """Rows under headings, printed as they come, so that a long run shows what it has."""

    rows: list[Row] = field(default_factory=list)
    widths: tuple[int, int, int, int] = (64, 16, 12, 4)

    def heading(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def add(
        self,
        what: str,
        values: Sequence[float],
        form: Callable[[float], str],
        most: float | None = None,
        middle: Callable[[Sequence[float]], float] = statistics.median,
    ) -> None:
        """The median of `values`, held against `most` if there is a target."""
        value = middle(values)
        row = Row(
            what,
            form(value),
            f"< {form(most)}" if most is not None else "",
            None if most is None else value < most,
            "  ".join(form(v) for v in values) if len(values) > 1 else "",
        )
        self.rows.append(row)
        verdict = {True: "ok", False: "NOT", None: ""}[row.ok]
        cells = (row.what, row.value, row.target, verdict)
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, self.widths, strict=True))
        print(f"  {line}{row.each}".rstrip(), flush=True)

    def missed(self) -> list[Row]:
        return [row for row in self.rows if row.ok is False]


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def megabytes(value: float) -> str:
    """From bytes; 1 MB is 10^6 bytes."""
    return f"{value / 1e6:.1f} MB"


def percent(value: float) -> str:
    return f"{value:.1f} %"


def fine_percent(value: float) -> str:
    return f"{value:.3f} %"


def ratio(value: float) -> str:
    return f"{value:.3f}"


def speed(value: float) -> str:
    return f"{value:.1f} x"


def machine() -> str:
    """When and on what: date, processor, cores, load. A load near the number of cores means that others were at work."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            x.split(":", 1)[1].strip() for x in cpuinfo.read_text().splitlines() if x.startswith("model name")
        ]
        name = models[0] if models else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    when = datetime.now().astimezone().isoformat(" ", "minutes")
    return (
        f"{when} · {platform.system()} {platform.release()} · {name} · {cores} cores · "
        f"Python {sys.version.split()[0]} · load {load}"
    )
