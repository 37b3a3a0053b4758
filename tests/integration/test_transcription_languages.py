"""Languages, with the real multilingual model: each recording in its own, each passage in its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.messages import Heard
from earmark.misheard import FUNCTION_WORDS
from earmark.notes.escape import JOINER
from rapidfuzz.distance import Levenshtein

from tests.conftest import QUICK, Installation
from tests.speech import CORPUS, WorkerProcess, corpus, many_languages, text_of

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
FOUR = FIXTURES / "four_languages.opus"
SAID = dict(line.split(": ", 1) for line in FOUR.with_suffix(".txt").read_text().splitlines())

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    with WorkerProcess([FIXTURES, CORPUS], model=many_languages()) as started:
        started.ready()
        yield started


def error_rate(reference: str, heard: str) -> float:
    """Words wrong per word; characters where words are not set apart by spaces the way Whisper sets them."""
    wanted, found = (re.sub(r"[^\w\s]", " ", text.lower()).split() for text in (reference, heard))
    if re.search(r"[\uac00-\ud7a3\u3040-\u9fff]", reference):
        wanted, found = list("".join(wanted)), list("".join(found))
    return Levenshtein.distance(wanted, found) / len(wanted)


@pytest.fixture(scope="module")
def four(worker: WorkerProcess) -> list[Heard]:
    return worker.transcribe(FOUR, to_english=True).heard


@pytest.mark.shows("transcription:each")
@pytest.mark.parametrize("code", SAID)
def test_a_recording_in_four_languages_is_heard_in_each(four: list[Heard], code: str) -> None:
    said = text_of([s for h in four for s in h.segments if s.language == code])
    assert error_rate(SAID[code], said) < 0.45, said


def test_going_on_in_the_middle_hears_the_same_in_the_same_languages(
    worker: WorkerProcess, four: list[Heard]
) -> None:
    middle = four[len(four) // 2]
    again = worker.transcribe(
        FOUR, resume_at=middle.upto, settled=middle.language, settled_probability=middle.language_probability,
        to_english=True,
    )  # fmt: skip
    rest = four[len(four) // 2 + 1 :]
    assert [(h.segments, h.english) for h in again.heard] == [(h.segments, h.english) for h in rest]
    assert again.finished.language == middle.language


@pytest.mark.shows("transcription:translate")
def test_what_is_not_english_is_heard_in_english_too(four: list[Heard]) -> None:
    english = [s for h in four for s in h.english]
    assert {s.language for s in english} == {"es", "de", "fr"}
    assert "new contract" in text_of([s for s in english if s.language == "es"])
    words = re.findall(r"[a-z']+", text_of(english).lower())
    assert sum(w in FUNCTION_WORDS for w in words) > 0.35 * len(words), words
    for window in four:
        said = {s.language for s in window.segments}
        assert {s.language for s in window.english} <= said - {"en"}
        assert all(s.end <= window.upto + 0.01 for s in window.english)


@pytest.mark.shows("transcription:translate-same-words")
def test_what_was_said_is_heard_the_same_whether_it_is_translated_or_not(worker: WorkerProcess) -> None:
    plain, both = (worker.transcribe(FIXTURES / "french.opus", to_english=wish) for wish in (False, True))
    assert plain.segments == both.segments
    assert [h.upto for h in plain.heard] == [h.upto for h in both.heard]
    assert not any(h.english for h in plain.heard)
    assert any(h.english for h in both.heard)


@pytest.mark.shows("transcription:translate-verb")
def test_the_verb_translates_a_file_that_is_not_watched(tmp_path: Path) -> None:
    made = Installation(tmp_path, model="base")
    made.configure()
    done = made.earmark("transcribe", FIXTURES / "french.opus", "--task", "translate")
    assert done.returncode == 0, done.stderr
    # base makes up much of the rest, and what depends on a sample and on the processor.
    assert any(greeting in done.stdout for greeting in ("Good morning", "Hello")), done.stdout
    assert "Bonjour" not in done.stdout


@pytest.mark.shows("transcription:named")
def test_only_the_languages_that_are_named_are_heard(worker: WorkerProcess) -> None:
    found = worker.transcribe(FOUR, languages=("es", "en"))
    assert {s.language for s in found.segments} <= {"es", "en"}
    assert error_rate(SAID["es"], text_of([s for s in found.segments if s.language == "es"][:2])) < 0.8


def test_a_language_that_the_model_does_not_know_is_named(worker: WorkerProcess) -> None:
    assert "'tlh'" in worker.transcribe(FOUR, languages=("en", "tlh")).failed.sentence


@pytest.mark.parametrize(
    ("name", "code", "most"),
    [
        ("aeneas_de.mp3", "de", 0.25), ("asterisk_fr_conf-usermenu.wav", "fr", 0.2), ("leopard_test_ko.wav", "ko", 0.35),
        ("mls_es_13697_11991_000000.opus", "es", 0.3), ("leopard_test_it.wav", "it", 0.5),
        ("asterisk_es_conf-adminmenu.wav", "es", 0.6),
    ],
)  # fmt: skip
def test_real_speech_is_heard_in_its_language(
    worker: WorkerProcess, name: str, code: str, most: float
) -> None:
    file = corpus(f"multilingual/{name}")
    found = worker.transcribe(file, word_times=True)
    assert all(len(s.words) == len(s.text.split()) for s in found.segments)
    assert found.finished.language == code
    assert {s.language for s in found.segments} == {code}
    assert error_rate(file.with_name(f"{name}.ref.txt").read_text(), found.text) < most, found.text


@pytest.mark.shows("transcription:each", "transcription:named")
def test_notes_list_the_languages_and_a_folder_can_fix_one(tmp_path: Path) -> None:
    made = Installation(tmp_path, model="base")
    made.folder.mkdir()
    (made.root / "Interviews").mkdir()
    made.configure(
        QUICK + f"[notes]\nformats = ['json']\n[[folder]]\npath = '{made.folder}'\n"
        f"[[folder]]\npath = '{made.root / 'Interviews'}'\nlanguage = 'es'\n"
    )
    made.drop("talk.opus", FOUR)
    done = made.earmark("run", "--once")
    assert done.returncode == 0, done.stderr
    note = (made.folder / "talk.transcript.md").read_text()
    listed = re.search(r"^language:\n((?:  - \w+\n)+)", note, re.MULTILINE)
    assert listed, note[:500]
    assert set(listed[1].split()) - {"-"} == set(SAID)
    sidecar = json.loads((made.folder / "talk.json").read_text())
    assert set(sidecar["languages"]) == set(SAID)
    assert sidecar["language"] == sidecar["languages"][0]
    made.drop("../Interviews/talk2.opus", FIXTURES / "french.opus")
    assert made.earmark("run", "--once").returncode == 0
    assert "\nlanguage: es\n" in (made.root / "Interviews" / "talk2.transcript.md").read_text()


@pytest.mark.shows("transcription:misheard", "transcription:translate-not")
def test_a_model_that_knows_english_only_does_not_pass_its_inventions_for_words(
    installation: Installation,
) -> None:
    installation.configure(QUICK + "[transcription]\ntask = 'translate'\n")
    installation.drop("charla.opus", FIXTURES / "french.opus")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    summary = (installation.folder / "charla.md").read_text()
    assert "\n# charla\n" in summary
    assert "was not understood" in summary
    assert "## Key points" not in summary
    for note in (summary, (installation.folder / "charla.transcript.md").read_text()):
        assert "\nmisheard: language\n" in note
        assert "earmark models download base" in note
    transcript = (installation.folder / "charla.transcript.md").read_text().replace(JOINER, "")
    assert "\n## In English\n" not in transcript
    assert "\ntranslated:" not in transcript
    assert "Nothing was translated into English: the model tiny.en knows no other language." in transcript
    assert installation.status()["not_understood"] == {"tiny.en": 1}
    assert installation.status()["not_translated"] == {"tiny.en": 1}
    shown = installation.earmark("status").stdout
    assert "1 recording does not look like English, as tiny.en heard it" in shown
    assert "1 recording could not be translated by tiny.en" in shown
    told = installation.earmark("why", installation.folder / "charla.opus").stdout
    assert "does not look like English" in told
    assert "Nothing was translated" in told
    heard = installation.earmark("transcribe", installation.folder / "charla.opus", "-f", "txt").stderr
    assert "does not look like English" in heard
