"""What the command costs before it does anything, and how it answers wrong usage."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest


def processor_time(*words: str) -> float:
    """Seconds of the quickest of five: a busy machine makes each of them slower, never quicker."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "earmark", *words], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.parametrize(("word", "seconds"), [("--version", 0.15), ("--help", 0.4)])
def test_version_and_help_load_no_verb(word: str, seconds: float) -> None:
    assert processor_time(word) < seconds
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "earmark", word],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in listed.splitlines()}
    assert not loaded & {"pydantic", "structlog", "ruamel", "watchdog", "ctranslate2", "av", "sqlite3"}
