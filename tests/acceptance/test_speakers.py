"""Who says what, on real voices: mixed by script out of readers of the corpus, through the command that a person types."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from earmark.diarization import pieces
from earmark.diarization.hearing import Voices
from earmark.diarization.told import told
from earmark.diarization.turns import Turns
from earmark.messages import Stretch

from tests import onnx_files
from tests.conftest import CORPUS, MODELS, QUICK, Installation
from tests.mixes import Said, Sound, chapters, mixed, telephone, words_right, written
from tests.speech import TellingWorker, speaker_model


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
    """Share of the words that come with the right speaker."""
    segments = document["segments"]
    assert isinstance(segments, list)
    known, found = words_right(said, [(segment["speaker"], segment["text"]) for segment in segments])
    return found / known


@pytest.mark.shows("transcription:who-speaks")
@pytest.mark.parametrize(
    ("people", "narrow", "least"),
    [(3, False, 0.98), (2, True, 0.75)],  # over a telephone tiny.en understands a third
    ids=["a room", "a telephone"],
)
def test_the_people_in_a_recording_are_told_apart(
    telling: Installation, tmp_path: Path, people: int, narrow: bool, least: float
) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    overlap = 0.0 if narrow else 0.3
    mix, said = mixed(*chapters(CORPUS), people, 100 * people, 150.0, overlap, whole=True)
    document = transcribed(telling, written(tmp_path / "talk.wav", telephone(mix) if narrow else mix))
    assert document["speakers"] == [""] * people
    assert "speakers_unsure" not in document or not document["speakers_unsure"]
    assert right(document, said) >= least


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


@pytest.mark.shows("transcription:speakers-go-on")
def test_what_was_found_before_a_kill_is_gone_on_with_and_nothing_is_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    monkeypatch.setattr(pieces, "SETTLES", 20.0)
    monkeypatch.setattr(pieces, "STRETCH", 5)
    mix, _ = mixed(*chapters(CORPUS), 3, 300, 90.0)
    file, models = written(tmp_path / "talk.wav", mix), speaker_model()
    voices = Voices(models.segmentation, models.encoder, models.features, threads=1)

    def of(done: list[Stretch]) -> tuple[Turns, list[Stretch]]:
        found: list[Stretch] = []

        def keep(stretch: pieces.Stretch, upto: float) -> Stretch:
            found.append(Stretch.model_validate_json(told(1, stretch, upto).line()))
            return found[-1]

        with file.open("rb") as sound:
            turns = voices.of(
                sound.fileno(), 3600.0, (1, 20), lambda _: None, keep, lambda *_: None, tuple(done)
            )
        return turns, found

    whole, stretches = of([])
    assert len(stretches) >= 3
    assert whole.count == 3
    for kept in (1, 2, len(stretches)):
        again, more = of(stretches[:kept])
        assert (again.turns, again.count, again.unsure) == (whole.turns, whole.count, whole.unsure)
        assert [m.windows for m in more] == [s.windows for s in stretches[kept:]]


def noted(telling: Installation, name: str, mix: Sound) -> str:
    """The transcript note that a daemon writes of a recording."""
    telling.folder.mkdir(exist_ok=True)
    written(telling.folder / f"{name}.wav", mix)
    ran = telling.earmark("run", "--once", telling.folder, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return (telling.folder / f"{name}.transcript.md").read_text()


@pytest.mark.shows(
    "transcription:speakers-in-the-note", "readme:speakers", "transcription:voices-recognized",
    "transcription:names-seen",
)  # fmt: skip
def test_notes_say_who_says_what_and_who_was_named_in_one_note_is_known_in_the_next_until_somebody_forgets_them(
    telling: Installation,
) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    sound, said = chapters(CORPUS)
    first, second = (mixed(sound, said, 2, seed, 125.0) for seed in (200, shares_one_reader(said, 200)))
    telling.configure(f"remember_voices = true\n{QUICK}")
    note = telling.folder / "talk.transcript.md"
    text = noted(telling, "talk", first[0])
    assert "speakers:\n  - Speaker 1\n  - Speaker 2\n" in text
    turns = re.findall(r"^\*\*Speaker ([12])\*\* \[\[talk\.wav#t=(\d+)", text, re.MULTILINE)
    by = Counter(
        (speaker, max(first[1], key=lambda one: one.start <= int(at) + 1.5 and one.start).who)
        for speaker, at in turns
    )
    # What a model hears, and so where turns begin, differs by processor: 22 to 25 of 25 so far.
    assert sum(n for _, n in by.most_common(2)) >= 0.8 * len(turns)
    both = next(who for one in first[1] if (who := one.who) in {other.who for other in second[1]})
    number = list(dict.fromkeys(one.who for one in first[1])).index(both) + 1
    note.write_text(text.replace(f"  - Speaker {number}\n", "  - Anna Lindgren\n", 1))
    names = re.search(r"^speakers:\n((?:  - .*\n)+)", noted(telling, "again", second[0]), re.MULTILINE)
    assert names is not None
    place = list(dict.fromkeys(one.who for one in second[1])).index(both)
    assert names[1].splitlines()[place] == "  - Anna Lindgren"
    assert names[1].count("Anna") == 1
    assert "**Anna Lindgren**" in note.read_text()
    assert telling.earmark("speakers", "forget", "Anna Lindgren", "--yes").returncode == 0
    listed = json.loads(telling.earmark("speakers", "list", "--json").stdout)
    assert all(person["voices"] == 0 for person in listed["people"])


def shares_one_reader(said: Sequence[Said], seed: int) -> int:
    """Another seed whose two readers are one of this seed's and another."""

    def readers(of: int) -> set[str]:
        return set(random.Random(of).sample(sorted({one.who for one in said}), 2))

    return next(n for n in range(seed + 1, seed + 100) if len(readers(n) & readers(seed)) == 1)


@pytest.mark.shows("transcription:encoder-used")
def test_a_larger_encoder_that_was_added_tells_the_people_apart_and_is_named_where_somebody_looks(
    installation: Installation, tmp_path: Path
) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    folder = tmp_path / "usb"
    folder.mkdir()
    (folder / "segmentation.onnx").write_bytes(speaker_model().segmentation.read_bytes())
    (folder / "encoder.onnx").write_bytes(onnx_files.hearing(("B", "T", 80), "feats", "embs", 256))
    added = installation.earmark("models", "add", folder, "--license", "Apache-2.0")
    assert added.returncode == 0, added.stderr
    installation.configure(f"[transcription]\nspeakers = 2\n{QUICK}")
    listed = " ".join(installation.earmark("models", "list").stdout.split())
    assert re.search(r"encoder\.onnx [\d.]+ kB that takes fbank80", listed), listed
    found = {
        f["name"]: f["sentence"]
        for f in json.loads(installation.earmark("doctor", "--json").stdout)["findings"]
    }
    assert "encoder.onnx 0.1 MB (takes fbank80, sha256 " in found["speakers"]
    mix, _ = mixed(*chapters(CORPUS), 2, 200, 125.0)
    text = noted(installation, "talk", mix)
    assert "speakers:\n  - Speaker 1\n  - Speaker 2\n" in text
    assert {*re.findall(r"^\*\*Speaker (\d)\*\* \[\[talk", text, re.MULTILINE)} == {"1", "2"}


def test_its_worker_has_no_threads_that_count_while_they_wait(tmp_path: Path) -> None:
    """Those of numpy's library, one less than there are processors, took a fifth of its processor time."""
    with TellingWorker([tmp_path]) as worker:
        worker.ready()
        assert psutil.Process(worker.process.pid).num_threads() <= 2, "one that serves, one that reads"


@pytest.mark.shows("transcription:speakers-poor")
def test_three_over_a_telephone_who_come_out_as_two_are_not_surely_two(tmp_path: Path) -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    mix, _ = mixed(*chapters(CORPUS), 3, 300, 130.0)
    models = speaker_model()
    voices = Voices(models.segmentation, models.encoder, models.features, threads=1)

    def keep(stretch: pieces.Stretch, upto: float) -> Stretch:
        return told(1, stretch, upto)

    with written(tmp_path / "talk.wav", telephone(mix)).open("rb") as sound:
        turns = voices.of(sound.fileno(), 3600.0, (1, 20), lambda _: None, keep, lambda *_: None)
    assert turns.count == 3 or turns.unsure
