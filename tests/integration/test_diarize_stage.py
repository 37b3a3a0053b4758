"""Who says what is found out after the transcript is there and before its summary, and never holds that up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from earmark.domain import Kind, Stage
from earmark.ledger.candidates import stream
from earmark.pipeline import diarizing, verdict
from earmark.supervisor.stages import diarization
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import retry, to_retry

from tests.daemon_rig import Rig, quick_waits


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    quick_waits(monkeypatch, verdict, diarizing, diarization)
    rig = Rig(tmp_path)
    rig.speakers()
    return rig


def transcript(rig: Rig, name: str = "a") -> str:
    return rig.notes()[f"{name}.transcript.md"]


def stages(rig: Rig) -> dict[str, str]:
    return dict(rig.query("SELECT stage, state FROM jobs"))


def asked_for_speakers(rig: Rig, *, failed: bool = False) -> list[str]:
    """What `earmark retry --speakers FILE` says, or with `failed` `earmark retry --failed`."""
    with opened_context(rig.installed, rig.config()) as context:
        files = [] if failed else [rig.folder / "a.wav"]
        only = None if failed else Stage.DIARIZE
        return [retry(context, again)[1] for again in to_retry(context, files, failed=failed, only=only)]


@pytest.mark.shows("transcription:speakers-in-the-note")
def test_the_transcript_is_written_at_once_and_again_with_its_speakers_and_the_summary_follows(
    rig: Rig,
) -> None:
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    order = [row[0] for row in rig.query("SELECT what FROM events ORDER BY id")]
    seen = [what for what in order if what in ("transcribed", "told-apart", "written", "summarized")]
    assert seen == ["transcribed", "written", "told-apart", "written", "summarized", "written"]
    assert rig.events("told-apart") == ["2 speakers."]
    assert "speakers:\n  - Speaker 1\n  - Speaker 2\n" in transcript(rig)
    assert transcript(rig).count("**Speaker 1**") == 2
    assert stages(rig) == {"transcribe": "done", "diarize": "done", "summarize": "done"}
    assert rig.query("SELECT count(*) FROM stretches") == [(0,)], "no voice is kept"
    assert rig.query("SELECT done_at IS NULL FROM recordings") == [(False,)]


def test_one_voice_is_nobody_and_an_unsure_answer_is_said_and_not_shown(rig: Rig) -> None:
    rig.drop("a.wav", "alone")
    rig.drop("b.wav", "unsure")
    assert rig.run_once() == 0
    assert sorted(rig.events("told-apart")) == [
        "2 speakers, which is not sure.",
        "One voice says everything, or nobody is heard.",
    ]
    assert not any("Speaker 1" in text for text in rig.notes().values())
    assert "speakers" not in transcript(rig, "a")
    assert "ncertain" in transcript(rig, "b")


@pytest.mark.shows("transcription:speakers-of-a-folder")
def test_where_the_models_are_not_here_or_the_folder_says_off_nobody_asks(rig: Rig) -> None:
    rig.sections["transcription"] = {"speakers": "off"}
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    (rig.installed.models / "speakers").rename(rig.root / "away")
    rig.sections.clear()
    rig.drop("b.wav", "two")
    assert rig.run_once() == 0
    assert {row[0] for row in rig.query("SELECT stage FROM jobs")} == {"transcribe", "summarize"}
    assert asked_for_speakers(rig)[0].startswith("the models that tell voices apart are not here")


@pytest.mark.shows("transcription:speakers-asked-for")
def test_what_was_transcribed_before_is_told_apart_when_somebody_asks(rig: Rig) -> None:
    models = (rig.installed.models / "speakers").rename(rig.root / "away")
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    models.rename(rig.installed.models / "speakers")
    assert rig.run_once() == 0
    assert "Speaker" not in transcript(rig), "nothing old is heard again unasked"
    assert asked_for_speakers(rig) == ["will be tried again (diarize)"]
    assert rig.run_once() == 0
    assert "**Speaker 2**" in transcript(rig)
    assert len(rig.events("summarized")) == 2, "a summary knows who said it"
    assert asked_for_speakers(rig) == ["will be tried again (diarize)"]
    assert rig.run_once() == 0
    assert len(rig.events("summarized")) == 2, "of the same words there is one"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("segv@1 speakers", "the worker crashed (SIGSEGV), 3 times at the same place; given up"),
        ("media speakers", "The file holds no sound."),
        ("kill@1 speakers", "the worker was ended from outside"),
        ("garbage@1 speakers", "the worker said what is no message, 3 times; given up"),
    ],
)
@pytest.mark.shows("transcription:speakers-fail")
def test_where_it_fails_the_transcript_and_its_summary_are_there_and_status_says_it(
    rig: Rig, order: str, reason: str
) -> None:
    rig.drop("a.wav", order)
    assert rig.run_once() == 65
    assert stages(rig) == {"transcribe": "done", "diarize": "failed", "summarize": "done"}
    assert set(rig.notes()) == {"a.md", "a.transcript.md"}
    assert rig.query("SELECT reason FROM jobs WHERE stage = 'diarize'")[0][0].startswith(reason[:30])
    assert rig.query("SELECT done_at IS NULL FROM recordings") == [(False,)]
    assert asked_for_speakers(rig, failed=True) == ["will be tried again (diarize)"]
    assert stages(rig)["diarize"] == "waiting"


@pytest.mark.shows("transcription:speakers-fail")
def test_a_worker_that_does_not_get_ready_is_done_without_and_status_says_why(rig: Rig) -> None:
    (rig.installed.models / "speakers" / "misfit").touch()
    rig.drop("a.wav", "one")
    rig.drop("b.wav", "two")
    assert rig.run_once() == 0
    assert rig.troubles() == {"[speakers]": "Nobody is told apart: The models do not fit here."}
    reasons = [row[0] for row in rig.query("SELECT reason FROM jobs WHERE stage = 'diarize'")]
    assert reasons == ["who says what is not known: The models do not fit here"] * 2
    assert len(rig.notes()) == 4
    (rig.installed.models / "speakers" / "misfit").unlink()
    assert asked_for_speakers(rig) == ["will be tried again (diarize)"]
    assert rig.run_once() == 0
    assert "**Speaker 1**" in transcript(rig)
    assert rig.troubles() == {}


@pytest.mark.shows("transcription:speakers-fail")
def test_a_file_that_goes_meanwhile_costs_its_recording_the_speakers_and_nothing_else(rig: Rig) -> None:
    file = rig.drop("a.wav", "one")
    gone: list[Path] = []

    def step(name: str) -> None:
        if name == "after:transcribed" and not gone:
            gone.append(file.rename(rig.root / "taken.wav"))

    assert rig.run_once(step=step) == 0
    assert rig.query("SELECT reason FROM jobs WHERE stage = 'diarize'")[0][0].startswith(
        "who says what is not known: "
    )
    assert stages(rig)["summarize"] == "done"


def test_a_better_transcript_gets_the_speakers_of_its_draft_without_listening_again(rig: Rig) -> None:
    rig.model("quick", 1_000)
    rig.model("large", 400_000_000)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert len(rig.events("transcribed")) == 2
    assert len(rig.events("told-apart")) == 1
    assert "model: large" in transcript(rig)
    assert "**Speaker 2**" in transcript(rig)
    assert len(rig.events("summarized")) == 2


@pytest.mark.shows("transcription:names-told-again")
def test_whoever_has_a_name_keeps_it_where_the_recording_is_heard_again_for_another_number_of_people(
    rig: Rig,
) -> None:
    def heard_again() -> str:
        with opened_context(rig.installed, rig.config()) as context:
            (again,) = to_retry(context, [rig.folder / "a.wav"], failed=False, only=None)
            retry(context, again)
        assert rig.run_once() == 0
        return transcript(rig)

    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    note = rig.folder / "a.md"
    note.write_text(note.read_text().replace("  - Speaker 2\n", "  - Anna\n"))
    assert rig.run_once() == 0
    rig.sections["transcription"] = {"speakers": 2}
    assert "**Anna** [" in heard_again()
    assert len(rig.events("told-apart")) == 2
    # So they do where nobody can be told apart any more.
    (rig.installed.models / "speakers").rename(rig.root / "away")
    assert "**Anna** [" in heard_again()
    assert "  - Speaker 1\n  - Anna\n" in rig.notes()["a.md"]
    assert len(rig.events("transcribed")) == 3


def test_no_rule_takes_a_recording_of_which_the_speakers_are_being_found_out(rig: Rig) -> None:
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert asked_for_speakers(rig) == ["will be tried again (diarize)"]
    with opened_context(rig.installed, rig.config()) as context:
        (found,) = stream(context.ledger.db, Kind.AUDIO)
    assert found.unfinished == "who says what in it is being found out"


@pytest.mark.shows("transcription:speakers-of-a-folder")
@pytest.mark.parametrize(("said", "people"), [(2, [2, 2]), ("2..4", [2, 4]), ("auto", [1, 20])])
def test_how_many_people_speak_in_a_folder_is_asked_for(rig: Rig, said: object, people: list[int]) -> None:
    rig.sections["transcription"] = {"speakers": said}
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    ((settings,),) = rig.query("SELECT settings FROM turns")
    assert json.loads(settings)["people"] == people


def test_the_audio_of_a_transcript_of_which_retention_took_the_words_keeps_no_turns(rig: Rig) -> None:
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    ((recording,),) = rig.query("SELECT recording_id FROM turns")
    with opened_context(rig.installed, rig.config()) as context:
        assert context.ledger.retention.drop_transcript(recording)
    assert rig.query("SELECT count(*) FROM turns") == [(0,)]
