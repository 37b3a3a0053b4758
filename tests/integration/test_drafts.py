"""A quick first version, and the better one later: who is heard when, what becomes of notes, and what is never lost.

Stand-in workers, and models that are nothing but names and sizes; tests/acceptance/test_drafts.py has the real ones.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.config.retention import Retention
from earmark.context import Context
from earmark.ledger import Ledger, connection
from earmark.proof.running.recording import Dropped, standing
from earmark.retention.sweep.planning import plan_now
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, run_child, steps_of
from tests.older_ledger import take_speakers_out

QUICK, LARGE = "quick", "large"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, {"transcription": {"workers": 1}})
    made.model(QUICK, 10)
    made.model(LARGE, 100)
    return made


def hours(start: int, end: int) -> str:
    """A stretch of the day, in hours from now."""
    now = datetime.now().astimezone()
    return "-".join((now + timedelta(hours=h)).strftime("%H:%M") for h in (start, end))


def only(rig: Rig, **transcription: Any) -> None:
    rig.sections["transcription"] = {"workers": 1} | transcription


def at_night(rig: Rig) -> None:
    """Drafts are not heard again now."""
    only(rig, better_between=hours(2, 4))


def heard(rig: Rig) -> list[str]:
    """What was heard, by name and model, in order."""
    rows = rig.query(
        "SELECT p.path, e.detail FROM events e JOIN places p ON p.recording_id = e.recording_id"
        " WHERE e.what = 'transcribed' GROUP BY e.id ORDER BY e.id"
    )
    return [
        f"{Path(path.decode()).stem} {said.partition('with ')[2].partition('.')[0]}" for path, said in rows
    ]


def drafts(rig: Rig) -> list[tuple[Any, ...]]:
    return rig.query("SELECT kept FROM drafts")


def verb(rig: Rig, *words: str) -> str:
    (rig.home / "config").mkdir(exist_ok=True)
    folders: Any = rig.sections.get("folder", [{"path": str(rig.folder)}])
    lines = []
    for heading, chosen in (
        ("[transcription]", rig.sections["transcription"]),
        *(("[[folder]]", folder) for folder in folders),
    ):
        lines += [heading, *(f"{key} = {value!r}" for key, value in chosen.items())]
    (rig.home / "config" / "config.toml").write_text("\n".join(lines))
    ended = CliRunner().invoke(app, list(words), env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"})
    assert ended.exit_code == 0, ended.output
    return " ".join(ended.output.split())


def plan(rig: Rig, keep_for: str = "0d") -> tuple[list[str], set[str]]:
    """What would go by rules that let everything go after so long, and why the rest stays."""
    retention = Retention.model_validate(
        {kind: {"keep_for": keep_for} for kind in ("audio", "transcript", "summary")}
    )
    config = rig.config().model_copy(update={"retention": retention})
    with Ledger(rig.installed.ledger_file, read_only=True) as ledger:
        context = Context(ledger, rig.installed, config, (rig.folder,), logs=False)
        found = plan_now(context, writes=False, keep_all=True)
    return sorted(d.item.path.name for d in found.goes), set(found.kept_because)


@pytest.mark.shows("transcription:draft", "transcription:better-when", "transcription:draft-retention")
def test_a_draft_is_there_at_once_and_waits_for_its_hour_and_no_rule_takes_anything_meanwhile(
    rig: Rig,
) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    rig.drop("copy.wav", "one")
    assert rig.run_once() == 0
    assert heard(rig) == ["a quick"] or heard(rig) == ["copy quick"]
    notes = rig.notes()
    assert set(notes) == {"a.md", "a.transcript.md", "copy.md", "copy.transcript.md"}
    start, _, end = rig.sections["transcription"]["better_between"].partition("-")
    for text in notes.values():
        assert "draft: true\n" in text
        assert f"This is a draft. A better version follows between {start} and {end}, and takes" in text
    waits = f"1 draft waits for the better model (between {start} and {end})"
    assert waits in verb(rig, "status")
    assert "0 waiting, 0 failed" in verb(rig, "status")
    assert '"drafts": 1' in verb(rig, "status", "--json")
    assert f"draft (the better transcript follows between {start} and {end})" in verb(
        rig, "why", str(rig.folder / "a.wav")
    )
    assert plan(rig) == ([], {"it waits for its better transcription"})
    before = rig.jobs()
    assert rig.run_once() == 0
    assert (heard(rig), rig.jobs()) == (heard(rig)[:1], before), "nothing is done before its hour"
    only(rig, better_between=hours(-1, 1))
    assert rig.run_once() == 0
    assert [line.split()[1] for line in heard(rig)] == [QUICK, LARGE]
    assert set(rig.notes()) == set(notes)
    assert not any("draft" in text for text in rig.notes().values())
    assert drafts(rig) == []
    assert len(plan(rig)[0]) == 6
    assert rig.run_once() == 0
    assert len(heard(rig)) == 2
    assert len(rig.events("written")) == 8


@pytest.mark.shows("transcription:draft")
def test_a_draft_that_was_misheard_advises_no_download_while_a_better_one_is_to_come(rig: Rig) -> None:
    rig.model("quick.en", 20)
    only(rig, draft="quick.en", better_between=hours(2, 4))
    rig.drop("a.wav", "foreign quick.en")
    assert rig.run_once() == 0
    says = [*rig.notes().values(), verb(rig, "why", str(rig.folder / "a.wav"))]
    assert len(says) == 3
    for text in says:
        assert "the model quick.en knows nothing else" in text.replace("\u2060", "")
        assert "models download" not in text
    assert "not look like English" not in verb(rig, "status")
    away = (rig.installed.models / LARGE).rename(rig.root / "away")
    (rig.installed.models / QUICK).rename(away.with_name("too"))
    only(rig, draft="quick.en")
    assert rig.run_once() == 0
    for text in (*rig.notes().values(), verb(rig, "why", str(rig.folder / "a.wav"))):
        assert "earmark models download base" in text, "none is to come any more"
    assert "1 recording does not look like English, as quick.en heard it" in verb(rig, "status")


@pytest.mark.shows("transcription:draft-retention")
def test_rules_apply_to_the_notes_of_a_draft_whose_recording_was_deleted_and_not_once_it_is_back(
    rig: Rig,
) -> None:
    at_night(rig)
    file = rig.drop("a.wav", "one")
    copy = rig.drop("copy.wav", "one")
    assert rig.run_once() == 0
    waits: tuple[list[str], set[str]] = ([], {"it waits for its better transcription"})
    file.unlink()
    assert rig.run_once() == 0
    assert plan(rig) == waits, "the copy can be heard again"
    copy.unlink()
    assert rig.run_once() == 0
    assert plan(rig)[0] == ["a.md", "a.transcript.md", "copy.md", "copy.transcript.md"]
    assert plan(rig, "1d")[0] == [], "counted from when it went"
    assert "of 1 the file is not in its folder" in verb(rig, "status")
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert plan(rig) == waits
    only(rig)
    assert rig.run_once() == 0
    assert heard(rig)[1:] == ["a large"]


@pytest.mark.shows("transcription:better-when")
def test_on_battery_drafts_wait_unless_they_need_not(rig: Rig) -> None:
    rig.drop("a.wav")
    assert rig.run_once(on_battery=lambda: True) == 0
    assert heard(rig) == ["a quick"]
    only(rig, better_on_battery=True)
    assert rig.run_once(on_battery=lambda: True) == 0
    assert heard(rig) == ["a quick", "a large"]


@pytest.mark.shows("transcription:better-when")
def test_new_recordings_come_first_and_a_better_one_gives_way_at_its_next_checkpoint(rig: Rig) -> None:
    (rig.folder / "a.wav.pause").touch()
    rig.drop("a.wav", "pause@1 large")
    with Live(rig) as live:
        wait_for(
            lambda: (
                rig.query("SELECT 1 FROM drafts") and rig.query("SELECT 1 FROM checkpoints WHERE upto = 10")
            )
        )
        rig.drop("b.wav", "two")
        rig.drop("c.wav", "three")
        wait_for(lambda: len(rig.events("accepted")) == 3)
        (rig.folder / "a.wav.pause").unlink()
        wait_for(lambda: len(heard(rig)) == 6 and not drafts(rig))
        assert live.alive()
    order = heard(rig)
    assert order[0] == "a quick"
    assert set(order[1:3]) == {"b quick", "c quick"}
    assert set(order[3:]) == {"a large", "b large", "c large"}
    assert rig.query("SELECT count(*) FROM jobs WHERE attempts > 1") == [(0,)], (
        "giving way is charged to nobody"
    )


@pytest.mark.shows("transcription:better-when")
def test_when_the_plug_is_pulled_a_better_one_stops_at_its_next_checkpoint_and_goes_on_there(
    rig: Rig,
) -> None:
    plugged = True
    (rig.folder / "a.wav.pause").touch()
    rig.drop("a.wav", "pause@1 large")
    with Live(rig, on_battery=lambda: not plugged):
        wait_for(
            lambda: (
                rig.query("SELECT 1 FROM drafts") and rig.query("SELECT 1 FROM checkpoints WHERE upto = 10")
            )
        )
        plugged = False
        (rig.folder / "a.wav.pause").unlink()
        wait_for(lambda: rig.query("SELECT 1 FROM jobs WHERE stage = 'transcribe' AND state = 'waiting'"))
        assert rig.query("SELECT upto FROM checkpoints") == [(20.0,)]
        rig.drop("b.wav", "two")
        wait_for(lambda: heard(rig) == ["a quick", "b quick"])
    assert rig.run_once() == 0
    assert sorted(heard(rig)[2:]) == ["a large", "b large"]
    assert rig.notes()["a.transcript.md"].count("says number") == 3


@pytest.mark.shows("transcription:draft-edited")
def test_an_edited_draft_stays_and_a_removed_one_does_not_come_back(rig: Rig) -> None:
    at_night(rig)
    rig.drop("a.wav")
    rig.sections["notes"] = {"formats": ("srt",)}
    assert rig.run_once() == 0
    edited = rig.folder / "a.transcript.md"
    edited.write_text(edited.read_text() + "\nMine.\n")
    (rig.folder / "a.md").unlink()
    (rig.folder / "a.srt").unlink()
    only(rig)
    assert rig.run_once() == 0
    assert heard(rig) == ["a quick", "a large"]
    notes = rig.notes()
    assert set(notes) == {"a.transcript.md", "a (new).transcript.md"}
    assert "Mine." in notes["a.transcript.md"]
    assert "model: large" in notes["a (new).transcript.md"]
    assert not (rig.folder / "a.srt").exists()
    with sqlite3.connect(rig.installed.ledger_file) as db:  # as when a summary server answers later
        db.execute("UPDATE jobs SET state = 'waiting' WHERE stage = 'summarize'")
    assert rig.run_once() == 0
    assert set(rig.notes()) == set(notes), "what was removed stays so until a person asks"
    verb(rig, "retry", str(rig.folder / "a.wav"))
    assert rig.run_once() == 0
    assert "a.md" in rig.notes()
    assert (rig.folder / "a.srt").exists()


@pytest.mark.shows("transcription:draft-stays")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("segv@1 large", "the worker crashed (SIGSEGV), 3 times at the same place; given up"),
        ("media large", "The file holds no sound."),
    ],
)
def test_where_the_better_one_fails_the_draft_stays_and_says_why(rig: Rig, order: str, reason: str) -> None:
    at_night(rig)
    rig.drop("a.wav", order)
    assert rig.run_once() == 0
    only(rig)
    for _ in range(3):
        assert rig.run_once() == 0
    assert drafts(rig) == [(reason,)]
    assert rig.query("SELECT state FROM jobs") == [("done",), ("done",)]
    assert not any("draft" in text for text in rig.notes().values())
    assert "model: quick" in rig.notes()["a.transcript.md"]
    said = verb(rig, "status")
    assert "0 waiting, 0 failed" in said
    assert "Drafts that stay (earmark retry FILE has them heard again)" in said
    assert f"its draft stays: {reason}" in said
    assert f"its transcript is a draft and stays one: {reason}" in verb(rig, "why", str(rig.folder / "a.wav"))
    assert len(plan(rig)[0]) == 3
    assert rig.run_once() == 0
    assert heard(rig) == ["a quick"], "it is not tried for ever"


@pytest.mark.shows("transcription:draft-stays")
def test_a_model_that_does_not_fit_here_holds_up_no_draft_and_is_named(rig: Rig) -> None:
    rig.model("misfit", 1000)
    only(rig, draft=QUICK)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    rig.drop("b.wav", "two")
    assert rig.run_once() == 0
    assert heard(rig) == ["a quick", "b quick"]
    assert rig.troubles() == {}
    assert (
        "2 drafts wait for the better model (when nothing else waits); The model misfit does not fit here"
        in verb(rig, "status")
    )
    only(rig, model=LARGE)
    assert rig.run_once() == 0
    assert heard(rig)[2:] == ["b large", "a large"] or heard(rig)[2:] == ["a large", "b large"]


@pytest.mark.shows("transcription:draft-stays")
def test_a_model_for_drafts_that_does_not_load_is_done_without(rig: Rig) -> None:
    rig.model("misfit", 5)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert heard(rig) == ["a large"]
    assert rig.troubles() == {}


@pytest.mark.shows("transcription:draft-stays", "transcription:draft-asked")
def test_without_a_larger_model_the_draft_is_the_transcript_and_old_recordings_are_heard_again_only_by_hand(
    rig: Rig,
) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    large = rig.installed.models / LARGE
    away = large.rename(rig.root / "away")
    only(rig)
    assert rig.run_once() == 0
    assert drafts(rig) == [("no larger model than the one that wrote it is here any more",)]
    assert not any("draft" in text for text in rig.notes().values())
    anew = "a.wav: will be tried again (transcribe)"
    assert anew in verb(rig, "retry", str(rig.folder / "a.wav"))
    assert rig.run_once() == 0
    assert (heard(rig), drafts(rig)) == (["a quick", "a quick"], []), "by the model in use now"
    away.rename(large)
    assert rig.run_once() == 0
    assert len(heard(rig)) == 2, "a model that comes later changes nothing by itself"
    at_night(rig)
    assert anew in verb(rig, "retry", str(rig.folder / "a.wav"))
    assert rig.run_once(on_battery=lambda: True) == 0
    assert heard(rig)[2:] == ["a large"]


@pytest.mark.shows("transcription:draft-stays")
def test_without_a_larger_model_a_draft_that_is_to_be_in_english_gets_its_english_by_the_one_that_is_here(
    rig: Rig,
) -> None:
    only(rig, better_between=hours(2, 4), task="translate")
    rig.drop("a.wav", "spanish")
    rig.drop("b.wav", "two")
    assert rig.run_once() == 0
    assert not any("## In English" in text for text in rig.notes().values())
    (rig.installed.models / LARGE).rename(rig.root / "away")
    only(rig, task="translate")
    assert rig.run_once() == 0
    assert "## In English" in rig.notes()["a.transcript.md"].replace("\u2060", "")
    assert not any("draft" in text for text in rig.notes().values())
    assert heard(rig)[2:] == ["a quick, and in English"]
    assert drafts(rig) == [("no larger model than the one that wrote it is here any more",)]


@pytest.mark.shows("transcription:draft-asked")
def test_a_draft_that_was_asked_for_is_not_said_to_wait_for_its_hour(rig: Rig) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    rig.drop("b.wav", "two")
    assert rig.run_once(on_battery=lambda: True) == 0
    start, _, end = rig.sections["transcription"]["better_between"].partition("-")
    asked = "a.wav: its better transcription is asked for now"
    assert asked in verb(rig, "retry", str(rig.folder / "a.wav"))
    waits = (
        f"2 drafts wait for the better model (between {start} and {end}; 1 of them when what is new is done)"
    )
    assert waits in verb(rig, "status")
    verb(rig, "retry", str(rig.folder / "b.wav"))
    assert "2 drafts wait for the better model (when what is new is done)" in verb(rig, "status")
    assert rig.run_once(on_battery=lambda: True) == 0
    assert sorted(heard(rig)[2:]) == ["a large", "b large"]


def test_after_the_ledger_was_lost_a_draft_is_still_owed_its_better_version(rig: Rig) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    before = rig.notes()
    for file in rig.installed.state.glob("ledger*"):
        file.unlink()
    assert rig.run_once() == 0
    assert (rig.notes(), drafts(rig)) == (before, [("",)])
    assert plan(rig) == ([], {"it waits for its better transcription"})
    only(rig)
    assert rig.run_once() == 0
    after = rig.notes()
    assert before.items() <= after.items(), "whether they were edited nobody can tell"
    assert "model: large" in after["a (new).transcript.md"]
    assert set(after) - set(before) == {"a (new).md", "a (new).transcript.md"}


def test_a_privacy_check_does_not_wait_for_the_night_to_see_the_notes_of_its_recording(rig: Rig) -> None:
    at_night(rig)
    file = rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    ((recording_id,),) = rig.query("SELECT id FROM recordings")
    with Ledger(rig.installed.ledger_file, read_only=True) as ledger:
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,), logs=False)
        found = standing(context, Dropped(file, recording_id))
    assert (found.heard, found.done, found.failed) == (True, True, "")


def test_what_is_forgotten_owes_nothing_any_more(rig: Rig) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    verb(rig, "forget", str(rig.folder / "a.wav"), "--yes")
    only(rig)
    assert rig.run_once() == 0
    assert (drafts(rig), rig.notes(), rig.query("SELECT 1 FROM jobs")) == ([], {}, [])


def test_a_recording_that_was_done_before_there_were_drafts_is_left_alone(rig: Rig) -> None:
    before = connection.MIGRATIONS[: connection.MIGRATIONS.index("0011_drafts.sql")]
    only(rig, draft="none")
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    with sqlite3.connect(rig.installed.ledger_file) as db:
        take_speakers_out(db)
        db.execute("DROP TABLE drafts")
        db.execute(f"PRAGMA user_version = {len(before)}")
    only(rig)
    rig.drop("b.wav", "two")
    assert rig.run_once() == 0
    assert heard(rig) == ["a large", "b quick", "b large"]


def test_the_summary_of_a_draft_that_no_server_made_is_made_anew_of_the_better_words(rig: Rig) -> None:
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert len(rig.events("summarized")) == 2


@pytest.mark.shows("transcription:draft-model")
def test_a_model_that_is_added_beside_a_larger_one_is_said_to_write_drafts(rig: Rig) -> None:
    quick = (rig.installed.models / QUICK).rename(rig.root / QUICK)
    assert "Used: large, and none for drafts." in verb(rig, "models", "list")
    assert "It writes drafts now, which large replaces" in verb(rig, "models", "add", str(quick))
    assert "Used: large; drafts by quick." in verb(rig, "models", "list")
    only(rig, draft="quik")
    assert "There is no speech model named 'quik': " in verb(rig, "models", "list")
    only(rig, model=QUICK, draft=LARGE)
    assert (
        "Used: quick, and none for drafts: [transcription] draft names large, which is not smaller than quick."
        in verb(rig, "models", "list")
    )
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert (heard(rig), drafts(rig)) == (["a quick"], [])


@pytest.mark.shows("transcription:draft")
def test_a_folder_may_have_its_own_draft_or_none(rig: Rig) -> None:
    rig.sections["folder"] = [{"path": str(rig.folder), "draft": "none"}]  # type: ignore[assignment]
    rig.drop("a.wav", "one")
    assert rig.run_once() == 0
    assert heard(rig) == ["a large"]


@pytest.mark.shows("transcription:draft-model")
def test_what_a_folder_uses_that_is_otherwise_than_everywhere_is_listed(rig: Rig) -> None:
    rig.sections["folder"] = [  # type: ignore[assignment]
        {"path": str(rig.root / name), **settings}
        for name, settings in (
            ("calls", {"draft": QUICK}), ("talks", {"model": QUICK}), ("misspelled", {"draft": "quik"}),
            ("larger", {"model": QUICK, "draft": LARGE}), ("usual", {"priority": 1}),
        )
    ]  # fmt: skip
    only(rig, draft="none")
    listed = verb(rig, "models", "list")
    assert "Used: large, and none for drafts." in listed
    assert "calls: Used: large; drafts by quick." in listed
    assert "talks: Used: quick, and none for drafts." in listed
    assert "the draft of [[folder]] cannot be used. There is no speech model named 'quik'" in listed
    assert "[[folder]] draft names large, which is not smaller than quick." in listed
    assert "usual" not in listed


ROWS = (
    "after:checkpoint", "before:transcribed", "after:transcribed", "after:announce", "before:written", "before:summarized",
    "after:summarized",
)  # fmt: skip
"""Steps around the rows of the better pass; what is done to files in between test_durability_crash_points.py kills."""


@pytest.mark.shows("transcription:draft-killed")
def test_a_kill_at_any_row_of_the_better_pass_loses_and_doubles_nothing(rig: Rig) -> None:
    at_night(rig)
    rig.drop("a.wav", "one")
    assert run_child(rig) == 0
    (rig.folder / "a.md").write_text("Mine.\n")
    only(rig)
    rig.keep("draft")
    steps = steps_of(rig)
    expected, jobs = rig.notes(), rig.jobs()
    assert set(expected) == {"a.md", "a (new).md", "a.transcript.md"}
    for name in ROWS:
        rig.bring_back("draft")
        assert run_child(rig, kill_at=steps.index(name) + 1) == -9, name
        assert run_child(rig) == 0, name
        assert (rig.notes(), rig.jobs(), drafts(rig), rig.litter()) == (expected, jobs, [], []), name
