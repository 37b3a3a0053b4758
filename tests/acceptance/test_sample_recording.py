"""The sample that a first run shows: is it what it says, and does the quick model hear the words?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from rapidfuzz.distance import Levenshtein

SAMPLE = Path(str(files("earmark") / "sample"))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def test_the_sample_is_small_and_carries_its_date() -> None:
    av = pytest.importorskip("av")
    assert (SAMPLE / "sample.m4a").stat().st_size < 200_000
    with av.open(str(SAMPLE / "sample.m4a")) as container:
        assert 20 <= container.duration / av.time_base <= 40
        assert container.metadata["creation_time"] == "2026-03-02T09:30:00.000000Z"
        assert container.streams.audio[0].channels == 1


@pytest.mark.speech
def test_the_quick_model_hears_the_sample_s_words_decisions_and_tasks(tmp_path: Path) -> None:
    answer = subprocess.run(
        [Path(sys.executable).with_name("earmark"), "transcribe", SAMPLE / "sample.m4a"],
        capture_output=True,
        text=True,
        env={**os.environ, "EARMARK_HOME": str(tmp_path)},
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    heard = " ".join(answer.stdout.split())
    turns = (SAMPLE / "sample.txt").read_text().splitlines()
    spoken = words(" ".join(turn.partition(": ")[2] for turn in turns))
    assert Levenshtein.distance(words(heard), spoken) / len(spoken) < 0.05
    for sentence in (
        "We decided to move the release to the 10th of March.",
        "We also decided to drop the old mobile app.",
        "I will fix the billing bugs by Wednesday.",
        "Sarah will send the budget to Maria by Friday.",
        "Peter needs to call the customer in Berlin before Thursday.",
    ):
        assert sentence in heard
