"""Who says what, on real voices: mixed by script out of readers of the corpus, through the command that a person types."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import CORPUS, MODELS, Installation
from tests.mixes import Said, chapters, mixed, telephone, written


@pytest.fixture
def telling(installation: Installation) -> Installation:
    """An installation that has the models that tell who speaks."""
    place = installation.root / "home" / "data" / "models" / "speakers"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(MODELS / "speakers" / "speakers")
    return installation


def transcribed(installation: Installation, file: Path, *options: str) -> dict[str, object]:
    found = installation.earmark("transcribe", file, "--format", "json", *options)
    assert found.returncode == 0, found.stderr
    document: dict[str, object] = json.loads(found.stdout)
    return document


def right(document: dict[str, object], said: list[Said]) -> float:
    """Share of the seconds of segments whose speaker is the one who says most of them."""
    segments = document["segments"]
    assert isinstance(segments, list)
    seconds: Counter[tuple[int, str]] = Counter()
    for segment in segments:
        for one in said:
            shared = min(segment["end"], one.end) - max(segment["start"], one.start)
            if shared > 0:
                seconds[segment["speaker"], one.who] += shared
    best = {speaker: max(n for (s, _), n in seconds.items() if s == speaker) for speaker, _ in seconds}
    return sum(best.values()) / sum(seconds.values())


@pytest.mark.shows("transcription:who-speaks")
@pytest.mark.parametrize(("people", "narrow"), [(3, False), (2, True)], ids=["a room", "a telephone"])
def test_the_people_in_a_recording_are_told_apart(
    telling: Installation, tmp_path: Path, people: int, narrow: bool
) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    mix, said = mixed(*chapters(CORPUS), people, 100 * people, 150.0)
    document = transcribed(telling, written(tmp_path / "talk.wav", telephone(mix) if narrow else mix))
    assert document["speakers"] == [""] * people
    assert "speakers_unsure" not in document or not document["speakers_unsure"]
    assert right(document, said) >= 0.85  # where one takes over is guessed, in long segments of tiny.en


@pytest.mark.shows("transcription:who-speaks")
def test_one_person_is_no_speaker(telling: Installation, tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    mix, _ = mixed(*chapters(CORPUS), 1, 50, 125.0)
    assert "speakers" not in transcribed(telling, written(tmp_path / "memo.wav", mix))


@pytest.mark.shows("transcription:who-speaks-asked")
def test_how_many_people_there_are_can_be_said_and_what_is_no_number_is_refused(
    telling: Installation, tmp_path: Path
) -> None:
    sample = telling.drop()
    document = transcribed(telling, sample, "--speakers", "2")
    assert document["speakers"] == ["", ""]
    assert document["speakers_unsure"] is True  # it is shorter than two minutes
    assert "speakers" not in transcribed(telling, sample, "--speakers", "off")
    refused = telling.earmark("transcribe", sample, "--speakers", "many")
    assert (refused.returncode, "auto, off, a number up to 20" in " ".join(refused.stderr.split())) == (
        2,
        True,
    )


@pytest.mark.shows("transcription:who-speaks-asked")
def test_without_the_models_it_is_said_what_to_do_where_somebody_asked(installation: Installation) -> None:
    sample = installation.drop()
    asked = installation.earmark("transcribe", sample, "--speakers", "2")
    assert asked.returncode == 69
    assert "earmark models download speakers" in asked.stderr
    assert installation.earmark("transcribe", sample).returncode == 0
