"""`earmark speakers`: naming, listing, merging and forgetting, said by a person beside what the daemon wrote.

Stand-in workers; speakers and their voices are put into the ledger as their stage does it, and voices are numbers of our
own: how alike real ones are, tests/unit/test_recognizing.py says.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from array import array
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.context import Context
from earmark.diarization.models import SpeakerModel
from earmark.ledger import Ledger
from earmark.ledger.voices import Print
from earmark.pipeline.diarizing import settings_of
from earmark.pipeline.recognizing import remember
from earmark.speaking import Turn, with_speakers
from earmark.verbs import remembering
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, run_child

TURNS = (Turn(0.0, 9.5, 1), Turn(9.5, 19.5, 2), Turn(19.5, 30.0, 1))
ENCODER = "an encoder"
ANNA, BEN, CLEO = range(3)


def voice(person: int, noise: float = 0.0) -> bytes:
    """Somebody's voice as numbers; with noise it is less like them and like nobody else."""
    numbers = [0.00001 * (n + 1) for n in range(256)]
    numbers[person * 8] = 1.0
    numbers[200 + person * 8] = noise
    return array("f", numbers).tobytes()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def said(rig: Rig, *words: str | Path, status: int = 0, typed: str = "", verb: str = "speakers") -> str:
    """What a verb says."""
    (rig.home / "config").mkdir(exist_ok=True)
    on = "remember_voices = true\n" if "remember_voices" in rig.sections else ""
    (rig.home / "config" / "config.toml").write_text(f"{on}[[folder]]\npath = '{rig.folder}'\n")
    environment = {"EARMARK_HOME": str(rig.home), "COLUMNS": "300"}
    ended = CliRunner().invoke(app, [verb, *map(str, words)], env=environment, input=typed)
    assert ended.exit_code == status, ended.output
    return ended.output


def as_json(rig: Rig, *words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(rig, *words, "--json"))
    return found


def hear(rig: Rig, name: str, *voices: bytes, seconds: float = 60.0, encoder: str = ENCODER) -> Path:
    """A recording arrives, and its stage finds out whose turns these are."""
    file = rig.drop(name, name)
    assert run_child(rig) == 0
    with Ledger(rig.installed.ledger_file) as ledger, ledger.transaction():
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,), logs=False)
        place = ledger.places.at(file)
        assert place is not None
        before = ledger.words.transcript(place.recording_id)
        assert before is not None
        prints = [Print(n, encoder, print_, seconds) for n, print_ in enumerate(voices, start=1)]
        after = with_speakers(before, TURNS, before.speakers)
        names = remember(context, place.recording_id, prints, after.speakers)
        ledger.words.store_speakers(replace(after, speakers=names), context.now())
    assert run_child(rig) == 0
    return file


def listed(rig: Rig, name: str) -> str:
    """The list of speakers in a note, as it stands there."""
    text = rig.notes()[name]
    return text[text.index("speakers:") :].split("model:")[0]


@pytest.mark.shows("transcription:names-verb", "transcription:names-list")
def test_who_speaks_is_listed_and_named_by_number_or_by_name_and_notes_follow_without_a_daemon(
    rig: Rig,
) -> None:
    file = hear(rig, "talk.m4a")
    found = as_json(rig, "list", file)
    assert (found["version"], found["unsure"]) == (1, False)
    assert [(s["number"], s["called"], s["name"], s["seconds"]) for s in found["speakers"]] == [
        (1, "Speaker 1", "", 18.0),
        (2, "Speaker 2", "", 9.0),
    ]
    assert "speaker 2 is Anna" in said(rig, "name", file, "2", "Anna")
    assert "**Anna** [" in rig.notes()["talk.transcript.md"]
    # A name that somebody has just written into a note is not overlooked.
    note = rig.folder / "talk.md"
    note.write_text(note.read_text().replace("  - Speaker 1\n", "  - Ben\n"))
    assert "speaker 2 is Anna Schmidt" in said(rig, "name", note, "anna", " Anna\nSchmidt ")
    assert "  - Ben\n  - Anna Schmidt\n" in rig.notes()["talk.md"]
    assert "nobody goes by 3 there; who speaks: 1 (Ben), 2 (Anna Schmidt)" in said(
        rig, "name", file, "3", "Zoe", status=66
    )
    assert "nobody goes by Carl" in said(rig, "name", file, "Carl", "Zoe", status=66)
    assert [p["name"] for p in as_json(rig, "list")["people"]] == ["Anna Schmidt", "Ben"]
    assert "Anna Schmidt" in said(rig, "list")
    assert "speaker 1 has no name" in said(rig, "name", file, "ben", "")
    assert "  - Speaker 1\n  - Anna Schmidt\n" in rig.notes()["talk.transcript.md"]
    # The number of another is no name, and one's own is none.
    assert "is the number of another speaker" in said(rig, "name", file, "2", "Speaker 1", status=2)
    assert "two names that differ" in said(rig, "merge", "Anna Schmidt", "Speaker 1", status=2)
    assert "  - Speaker 1\n  - Anna Schmidt\n" in rig.notes()["talk.transcript.md"]
    assert "speaker 2 has no name" in said(rig, "name", file, "2", " speaker  2")
    assert as_json(rig, "list")["people"] == []
    said(rig, "name", file, "2", "Anna Schmidt")
    lonely = rig.drop("memo.m4a", "memo")
    assert run_child(rig) == 0
    assert "nobody is told apart there" in said(rig, "name", lonely, "1", "Anna", status=66)
    with Ledger(rig.installed.ledger_file) as ledger:
        transcript = ledger.words.transcript(ledger.words.spoken_by("Anna Schmidt")[0])
        assert transcript is not None
        ledger.words.rename_speakers(replace(transcript, speakers_unsure=True))
    assert "not known well enough" in said(rig, "name", file, "1", "Anna", status=66)


@pytest.mark.shows("transcription:voices-off", "privacy:voices-off", "transcription:voices-recognized")
def test_a_voice_is_kept_only_where_it_is_asked_for_and_a_name_makes_it_known_in_later_recordings(
    rig: Rig,
) -> None:
    first = hear(rig, "first.m4a", voice(BEN), voice(ANNA))
    said(rig, "name", first, "2", "Anna")
    assert rig.query("SELECT count(*) FROM voiceprints") == [(0,)], "nobody has asked for it"
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    second = hear(rig, "second.m4a", voice(BEN), voice(ANNA))
    assert rig.query("SELECT count(*) FROM voiceprints") == [(2,)]
    assert "  - Speaker 1\n  - Speaker 2\n" in listed(rig, "second.transcript.md"), "nobody is known yet"
    said(rig, "name", second, "2", "Anna")
    assert [(p["name"], p["recordings"], p["voices"]) for p in as_json(rig, "list")["people"]] == [
        ("Anna", 2, 1)
    ]
    # Surely hers, perhaps hers, and nobody's.
    hear(rig, "third.m4a", voice(ANNA, 0.2), voice(CLEO))
    assert "  - Anna\n  - Speaker 2\n" in listed(rig, "third.transcript.md")
    assert "**Anna** [" in rig.notes()["third.transcript.md"]
    fourth = hear(rig, "fourth.m4a", voice(ANNA, 0.85), voice(CLEO))
    assert '  - "Speaker 1 (Anna?)"\n  - Speaker 2\n' in listed(rig, "fourth.transcript.md")
    assert "**Speaker 1** [" in rig.notes()["fourth.transcript.md"], "who it may be is not said to be so"
    assert "sounds like Anna" in said(rig, "list", fourth)
    # A person's word is taken, and counts; what was only recognized does not.
    note = rig.folder / "fourth.transcript.md"
    note.write_text(note.read_text().replace('"Speaker 1 (Anna?)"', "Anna"))
    assert run_child(rig) == 0
    assert "**Anna** [" in rig.notes()["fourth.transcript.md"]
    assert as_json(rig, "list")["people"][0]["voices"] == 2
    # Somebody else after all: the voice is theirs from now on.
    said(rig, "name", fourth, "1", "Dora")
    assert [(p["name"], p["voices"]) for p in as_json(rig, "list")["people"]] == [("Anna", 1), ("Dora", 1)]
    said(rig, "name", fourth, "1", "")
    assert [p["name"] for p in as_json(rig, "list")["people"]] == ["Anna"]
    assert "6 stored, of 1 person who was named" in said(rig, verb="privacy")
    # Off again: what is there is not used, and said to lie there.
    rig.sections.clear()
    hear(rig, "fifth.m4a", voice(ANNA), voice(CLEO))
    assert "  - Speaker 1\n  - Speaker 2\n" in listed(rig, "fifth.transcript.md")
    assert "earmark speakers forget --all" in said(rig, "list")
    assert rig.query("SELECT count(*) FROM voiceprints") == [(6,)]
    page = said(rig, "--format", "json", verb="privacy")
    assert "`remember_voices` is off: none is made, and these are not used" in page
    assert "`earmark speakers forget NAME`" in page
    # A rule takes what is older than it says, with the next sweep.
    rig.sections["retention"] = {"voiceprints": {"keep_for": "1h"}}
    assert run_child(rig) == 0
    assert rig.query("SELECT count(*) FROM voiceprints") == [(6,)]
    with sqlite3.connect(rig.installed.ledger_file) as db:
        db.execute("UPDATE voiceprints SET stored_at = stored_at - 7200")
        db.execute("DELETE FROM sweeps")
    assert run_child(rig) == 0
    assert rig.query("SELECT count(*) FROM voiceprints") == [(0,)]
    assert rig.query("SELECT act FROM receipts") == [("forgotten",)]


@pytest.mark.shows("transcription:voices-said", "transcription:names-list")
def test_who_was_recognized_is_known_by_that_voice_once_a_person_says_so(rig: Rig) -> None:
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    said(rig, "name", hear(rig, "first.m4a", voice(BEN), voice(ANNA)), "2", "Anna")
    second = hear(rig, "second.m4a", voice(ANNA, 0.2), voice(CLEO))
    assert "  - Anna\n  - Speaker 2\n" in listed(rig, "second.transcript.md")
    found = as_json(rig, "list")
    assert [(p["name"], p["recordings"], p["voices"]) for p in found["people"]] == [("Anna", 2, 1)]
    assert (found["likely_voices"], found["nameless_voices"]) == (1, 2), "hers is not one of nobody"
    assert "1 voice more in which somebody who was named is recognized" in said(rig, "list")
    # The same name as in the note, in which a link is as good.
    assert "speaker 1 is Anna\n" in said(rig, "name", second, "1", "[[People/Anna]]")
    found = as_json(rig, "list")
    assert [(p["name"], p["recordings"], p["voices"]) for p in found["people"]] == [("Anna", 2, 2)]
    assert (found["likely_voices"], found["nameless_voices"]) == (0, 2)


@pytest.mark.shows("transcription:voices-encoder")
def test_voices_that_another_encoder_made_are_never_compared_however_alike_their_numbers_are(
    rig: Rig,
) -> None:
    here = Path("models")
    one, other = (
        settings_of(SpeakerModel(here, here / "s.onnx", here / "e.onnx", "fbank80", digest * 64))
        for digest in "ab"
    )
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    said(rig, "name", hear(rig, "first.m4a", voice(BEN), voice(ANNA), encoder=one), "2", "Anna")
    hear(rig, "second.m4a", voice(ANNA), voice(CLEO), encoder=other)
    assert "  - Speaker 1\n  - Speaker 2\n" in listed(rig, "second.transcript.md")
    hear(rig, "third.m4a", voice(ANNA), voice(CLEO), encoder=one)
    assert "  - Anna\n  - Speaker 2\n" in listed(rig, "third.transcript.md")


@pytest.mark.shows(
    "transcription:voices-merge", "transcription:voices-forget", "privacy:voices-forget", "retention:voices"
)
def test_two_names_are_one_person_and_a_person_is_forgotten_to_the_last_byte(rig: Rig) -> None:
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    first = hear(rig, "first.m4a", voice(BEN), voice(ANNA))
    second = hear(rig, "second.m4a", voice(CLEO), voice(ANNA, 0.2))
    for file, name in ((first, "Anna"), (second, "Ann")):
        said(rig, "name", file, "2", name)
    said(rig, "name", second, "1", "Cleo")
    assert "Ann is Anna now, in 1 recording" in said(rig, "merge", "Ann", "Anna")
    assert "  - Cleo\n  - Anna\n" in listed(rig, "second.transcript.md")
    assert [(p["name"], p["voices"]) for p in as_json(rig, "list")["people"]] == [("Anna", 2), ("Cleo", 1)]
    assert "nobody was given this name" in said(rig, "merge", "Ann", "Anna", status=66)
    # She is asked about, and stays after a no.
    assert "2 voiceprints of Anna" in said(rig, "forget", "Anna", status=1, typed="n\n")
    needles = [voice(ANNA)[:200], voice(ANNA, 0.2)[-200:]]

    def where(needle: bytes) -> list[str]:
        return [p.name for p in rig.home.rglob("*") if p.is_file() and needle in p.read_bytes()]

    assert all(map(where, needles))
    # Notes say that somebody sounds like her; the vector behind that is hers, too.
    third = hear(rig, "third.m4a", voice(ANNA, 0.95), voice(BEN))
    assert "(Anna?)" in listed(rig, "third.transcript.md")
    needles.append(voice(ANNA, 0.95)[-200:])
    done = as_json(rig, "forget", "Anna", "--yes")
    assert (done["voiceprints"], done["complete"]) == (3, True)
    assert not any(map(where, needles))
    assert where(voice(CLEO)[:200]), "nobody else is forgotten"
    assert "(Anna?)" not in rig.notes()["third.transcript.md"]
    assert "  - Cleo\n  - Anna\n" in listed(rig, "second.transcript.md"), "who said what stays said"
    receipt = rig.query("SELECT act, body FROM receipts WHERE seq = ?", done["receipt"])[0]
    assert (receipt[0], "Anna" in receipt[1]) == ("forgotten", False)
    # With the names: everywhere but where a person has written.
    note = rig.folder / "first.transcript.md"
    note.write_text(note.read_text() + "\nmine, about Anna\n")
    assert "was edited by you" in said(rig, "forget", "Anna", "--names", "--yes")
    assert "Anna" in rig.notes()["first.transcript.md"]
    assert not [name for name, text in rig.notes().items() if "Anna" in text and name != note.name]
    assert "no voice is stored" not in said(rig, "forget", "Zoe", status=66)
    # A recording that is forgotten takes its voices along; then nobody is known any more.
    for file in (first, second, third):
        ended = CliRunner().invoke(app, ["forget", str(file), "--yes"], env={"EARMARK_HOME": str(rig.home)})
        assert ended.exit_code == 0, ended.output
    assert not where(voice(CLEO)[:200])
    assert not where(voice(BEN)[:200])
    assert rig.query("SELECT count(*) FROM people") == [(0,)]


@pytest.mark.shows("transcription:voices-forget")
def test_who_was_forgotten_is_not_known_again_by_a_name_that_was_left_in_a_recording(rig: Rig) -> None:
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    first = hear(rig, "first.m4a", voice(BEN), voice(ANNA))
    said(rig, "name", first, "2", "Anna")
    hear(rig, "second.m4a", voice(ANNA, 0.2), voice(CLEO))
    said(rig, "forget", "Anna", "--yes")
    # The voices of both are told apart again; who said what stays said, and that is all.
    hear(rig, "first.m4a", voice(BEN), voice(ANNA))
    hear(rig, "second.m4a", voice(ANNA, 0.2), voice(CLEO))
    assert "  - Anna\n  - Speaker 2\n" in listed(rig, "second.transcript.md")
    assert [(p["name"], p["recordings"], p["voices"]) for p in as_json(rig, "list")["people"]] == [
        ("Anna", 2, 0)
    ]
    hear(rig, "third.m4a", voice(ANNA), voice(CLEO))
    assert "  - Speaker 1\n  - Speaker 2\n" in listed(rig, "third.transcript.md")
    # Who is named again is known again.
    said(rig, "name", first, "2", "Anna")
    assert [p["voices"] for p in as_json(rig, "list")["people"]] == [1]


def test_whoever_a_person_named_stays_theirs_where_another_only_sounds_like_them(rig: Rig) -> None:
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    said(rig, "name", hear(rig, "one.m4a", voice(BEN), voice(ANNA)), "2", "Anna")
    two = hear(rig, "two.m4a", voice(ANNA, 0.85), voice(CLEO))
    assert "(Anna?)" in listed(rig, "two.transcript.md")
    said(rig, "name", two, "2", "Anna")
    hear(rig, "two.m4a", voice(ANNA, 0.85), voice(CLEO))  # its voices are told apart again
    assert [(p["name"], p["voices"]) for p in as_json(rig, "list")["people"]] == [("Anna", 2)]
    # What a damaged ledger still holds of hers is found, and it is said what to do.
    with closing(sqlite3.connect(rig.installed.ledger_file)) as db:
        db.execute("VACUUM INTO ?", (f"{rig.installed.ledger_file}.damaged-20260101T000000",))
    left = said(rig, "forget", "Anna", "--yes", status=65)
    assert "damaged-20260101T000000 (a damaged ledger that was set aside; delete it when" in left


@pytest.mark.shows("transcription:voices-forget")
def test_all_voices_are_forgotten_also_where_they_are_just_being_told_apart(rig: Rig) -> None:
    rig.speakers()
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    pause = rig.drop("talk.m4a.pause")
    rig.drop("talk.m4a", "pause@1 speakers\n")
    kept: list[object] = []

    def step(name: str) -> None:
        if name == "before:stretch":
            kept.append(rig.query("SELECT count(*) FROM stretches")[0][0])

    with Live(rig, step=step):
        wait_for(lambda: rig.query("SELECT count(*) FROM stretches") == [(1,)])
        with opened_context(rig.installed, rig.config()) as context:
            remembering.forget(context, None, lambda _: True, everybody=True)
        assert rig.query("SELECT count(*) FROM stretches") == [(0,)]
        pause.unlink()
        wait_for(lambda: rig.events("told-apart"))
    assert kept == [0, 0, 0], "what follows on what was forgotten would pass for all"
    assert rig.query("SELECT count(*) FROM voiceprints") == [(2,)]


def test_the_stage_hands_voices_over_where_that_is_asked_for(rig: Rig) -> None:
    rig.speakers()
    rig.drop("quiet.m4a", "quiet")
    assert run_child(rig) == 0
    assert rig.query("SELECT count(*) FROM voiceprints") == [(0,)]
    rig.sections["remember_voices"] = True  # type: ignore[assignment]
    first = rig.drop("first.m4a", "first")
    assert run_child(rig) == 0
    assert rig.query("SELECT speaker, seconds, length(print) FROM voiceprints") == [
        (1, 10.0, 8),
        (2, 10.0, 8),
    ]
    said(rig, "name", first, "2", "Anna")
    # The stand-in's voices are all alike, so that nobody is surely hers, and one may be.
    rig.drop("second.m4a", "second")
    assert run_child(rig) == 0
    assert '  - "Speaker 1 (Anna?)"\n  - Speaker 2\n' in listed(rig, "second.transcript.md")
    # One who speaks alone is no speaker, and nothing is kept of the voice.
    rig.drop("alone.m4a", "alone speakers\n")
    assert run_child(rig) == 0
    assert rig.query("SELECT count(*) FROM voiceprints") == [(4,)]


@pytest.mark.shows("transcription:voices-merge")
def test_where_two_speak_in_one_recording_who_are_merged_it_is_said(rig: Rig) -> None:
    first = hear(rig, "first.m4a", voice(BEN), voice(ANNA))
    second = hear(rig, "second.m4a", voice(BEN), voice(ANNA))
    for file, number, name in ((first, "1", "Ann"), (first, "2", "Anna"), (second, "2", "Ann")):
        said(rig, "name", file, number, name)
    told = said(rig, "merge", "Ann", "Anna")
    assert (
        "Ann is Anna now, in 2 recordings; in 1 recording both speak, and are one there from now on." in told
    )
    assert "  - Anna\n  - Anna\n" in listed(rig, "first.transcript.md")


@pytest.mark.shows("transcription:names-verb")
@pytest.mark.parametrize("away", [True, False])
def test_a_name_for_which_no_note_can_be_written_yet_is_said_to_be_there_with_the_next_run(
    rig: Rig, away: bool
) -> None:
    file = hear(rig, "talk.m4a", voice(BEN), voice(ANNA))
    if away:
        rig = Rig(Path(shutil.move(rig.root, rig.root.with_name("elsewhere"))))
        file = rig.folder / "talk.transcript.md"
    told = said(rig, "name", file, "2", "Anna")
    assert ("speaker 2 is Anna; its notes say so with the next run" in told) is away
    assert ("Anna" in rig.notes()["talk.transcript.md"]) is not away
    assert run_child(rig) == 0
    assert "Anna" in rig.notes()["talk.transcript.md"]
