"""What is measured of telling voices apart: people found, confusion, and what the work takes."""

from __future__ import annotations

import functools
import os
import re
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from earmark.diarization.hearing import Voices
from earmark.diarization.models import features_told
from earmark.diarization.told import told as as_told
from earmark.diarization.turns import Turns

from tests.mixes import RATE, Said, loaded
from tests.speech import WorkerProcess, speaker_model

warnings.filterwarnings("ignore")

HEAD = f"{'':16} people found   confusion  with 0.25 s collar  missed  false  times real time"

Score = Callable[[Sequence[Said], Turns, float, float], dict[str, float]]


def scorer() -> Score:
    """pyannote.metrics' diarization error rate, in parts of what is spoken."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(spans: Sequence[tuple[float, float, str]]) -> Annotation:
        found = Annotation()
        for number, (start, end, who) in enumerate(spans):
            found[Segment(start, end), number] = who
        return found

    def score(said: Sequence[Said], told: Turns, seconds: float, collar: float) -> dict[str, float]:
        parts = DiarizationErrorRate(collar=collar)(
            annotation([(s.start, s.end, s.who) for s in said]),
            annotation([(t.start, t.end, str(t.speaker)) for t in told.turns]),
            detailed=True, uem=Timeline([Segment(0, seconds)]),
        )  # fmt: skip
        return {k: 100 * parts[k] / parts["total"] for k in ("confusion", "missed detection", "false alarm")}

    return score


@functools.cache
def voices(encoder: Path | None = None) -> Voices:
    """The released models, or another encoder in the place of theirs."""
    models = speaker_model()
    if encoder is None:
        return Voices(models.segmentation, models.encoder, models.features, 1)
    return Voices(models.segmentation, encoder, features_told(encoder), 1)


def scored(name: str, file: Path, turns: Sequence[Said], encoder: Path | None = None) -> None:
    """Print a line on one file."""
    found, took = told(file, encoder)
    seconds = len(loaded(file)) / RATE
    score = scorer()
    plain, collar = score(turns, found, seconds, 0.0), score(turns, found, seconds, 0.5)
    print(
        f"{name:17} {len({t.who for t in turns}):5} {found.count:5} {'unsure' if found.unsure else '':6}"
        f" {plain['confusion']:6.1f} %  {collar['confusion']:10.1f} %        {plain['missed detection']:6.1f}"
        f" {plain['false alarm']:6.1f} {seconds / took:8.0f}", flush=True,
    )  # fmt: skip


def told(file: Path, encoder: Path | None = None) -> tuple[Turns, float]:
    """Turns of a file, and the processor time that they took."""
    before = time.process_time()
    fd = os.open(file, os.O_RDONLY)
    try:
        keep = functools.partial(as_told, 1)
        found = voices(encoder).of(fd, 24 * 3600.0, (1, 20), lambda total: None, keep, lambda at, total: None)
    finally:
        os.close(fd)
    return found, time.process_time() - before


def spent(worker: WorkerProcess, work: Callable[[], object]) -> tuple[float, float]:
    """Processor seconds of a worker's work, and the most memory that it ever had (MiB)."""
    process = psutil.Process(worker.process.pid)
    before = process.cpu_times()
    work()
    after = process.cpu_times()
    peak = re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    assert peak is not None
    return after.user + after.system - before.user - before.system, int(peak[1]) / 1024
