"""The verbs as a person or a script meets them: output, questions, exit codes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from earmark.cli import export, receipts, retention, status, trash
from earmark.cli.console import short
from earmark.cli.forget import forget
from earmark.cli.hold import hold
from earmark.domain import Kind
from earmark.pipeline.acceptance import note_missing
from earmark.retention.erasure import tombstones
from earmark.standing import gathered
from typer.testing import CliRunner

from tests.retention_world import World, as_somebody

pytest_plugins = ("tests.retention_root",)

app = typer.Typer()
app.add_typer(retention.app, name="retention")
app.add_typer(trash.app, name="trash")
app.add_typer(receipts.app, name="receipts")
app.add_typer(export.app, name="export")
app.command("forget")(forget)
app.command("hold")(hold)

CONFIG = "[retention.audio]\nkeep_for = '30d'\n"


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Recordings of October 2025, looked at today; EARMARK_HOME is this world."""
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(CONFIG)
    world = World(root, {"audio": {"keep_for": "30d"}})
    world.record("a.wav", said="the walrus signs at noon")
    world.record("b.wav", speech_seconds=400.0)
    return world


def run(*words: str, answer: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, words, input=answer, env={"COLUMNS": "300"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def run_json(*words: str) -> Any:
    code, output = run(*words, "--json")
    assert code == 0, output
    return json.loads(output)


@pytest.mark.shows("retention:plan")
@pytest.mark.shows("privacy:plan", "readme:every-day")
def test_the_plan_says_what_goes_by_which_rule_and_what_stays_and_why(world: World) -> None:
    plan = run_json("retention", "plan")
    assert [Path(d["path"]).name for d in plan["goes"]] == ["a.wav"]
    assert plan["goes"][0]["rule"] == "audio: keep_for 30d (class)"
    stays = {Path(d["path"]).name: d["reason"] for d in plan["stays"]}
    assert stays["b.wav"].startswith("quality gate: only 2% of the speech is transcribed")
    assert stays["a.md"] == "kept by summary: no rule (class)"
    code, output = run("retention", "plan")
    assert code == 0
    assert "a.wav" in output
    assert "goes" in output


@pytest.mark.shows("retention:plan")
def test_the_plan_looks_ahead(world: World) -> None:
    assert run_json("retention", "plan", "--at", "2025-10-15")["goes"] == []
    assert len(run_json("retention", "plan", "--at", "2027-01-01")["goes"]) == 1


@pytest.mark.shows("retention:new-rule")
def test_a_new_rule_covers_what_is_there_already(world: World) -> None:
    (world.root / "config" / "config.toml").write_text("[retention.summary]\nkeep_for = '1d'\n")
    assert len(run_json("retention", "plan")["goes"]) == 2
    assert run("retention", "apply", answer="n\n")[0] == 1
    assert run_json("retention", "apply", "--yes")["trashed"] == 2
    assert run("retention", "plan", "--retroactive")[0] == 0, "a script of an earlier version still runs"


def test_without_any_rule_the_plan_says_where_one_would_stand(world: World) -> None:
    (world.root / "config" / "config.toml").write_text("")
    assert "No rule in [retention] lets anything go" in run("retention", "plan")[1]


def test_the_last_sweep_and_the_next_one_are_one_sentence(world: World) -> None:
    found = replace(
        gathered.gather(world.context, short),
        last_sweep=gathered.Line("nothing", "No rule lets anything go.", 1.0),
        next_sweep=2.0,
    )
    shown = "\n".join(str(line) for line in status.show(found).renderables)
    assert "No rule lets anything go; next one" in shown


def test_a_plan_can_be_narrowed_to_a_path(world: World) -> None:
    assert run_json("retention", "plan", "drop/b.wav")["goes"] == []
    assert len(run_json("retention", "plan", "drop")["goes"]) == 1


@pytest.mark.shows("retention:apply")
def test_apply_asks_and_does_nothing_on_a_no(world: World) -> None:
    code, output = run("retention", "apply", answer="n\n")
    assert code == 1
    assert "Move 1 file " in output
    assert "a.wav" in world.files()
    code, output = run("retention", "apply", answer="y\n")
    assert code == 0
    assert "a.wav" not in world.files()
    assert run_json("retention", "status")["last_sweep"]["trashed"] == 1


@pytest.mark.shows("retention:apply")
def test_a_saved_plan_is_refused_when_the_world_has_changed(world: World) -> None:
    assert run("retention", "plan", "--save", "plan.json")[0] == 0
    assert run("retention", "plan", "--save", "plan.json")[0] == 2
    (world.root / "config" / "config.toml").write_text(CONFIG + "keep_last = 1\n")
    code, output = run("retention", "apply", "--plan", "plan.json", "--yes")
    assert code == 65
    assert "another retention policy" in output
    (world.root / "config" / "config.toml").write_text(CONFIG)
    run("hold", "drop/a.wav")
    code, output = run("retention", "apply", "--plan", "plan.json", "--yes")
    assert code == 65
    assert "no longer matches the world" in output
    run("hold", "--release", "drop/a.wav")
    assert run("retention", "apply", "--plan", "plan.json", "--yes")[0] == 0
    assert "a.wav" not in world.files()


@pytest.mark.shows("retention:quality-gate")
def test_a_recording_that_fails_the_gate_is_shown_and_can_be_let_go(world: World) -> None:
    assert run_json("retention", "apply", "--yes")["trashed"] == 1
    (blocked,) = run_json("retention", "status")["blocked"]
    assert Path(blocked["path"]).name == "b.wav"
    assert blocked["reason"].startswith("quality gate: only 2%")
    assert blocked["way_out"] == "earmark retention accept FILE"
    shown = run("retention", "status")[1]
    assert "  2025-11-08  quality gate  b.wav\n" in shown
    assert "  quality gate: only 2% of the speech" in shown
    assert "earmark retention accept FILE" in shown
    assert run("retention", "accept", "drop/b.md")[0] == 0
    assert len(run_json("retention", "plan")["goes"]) == 1
    assert run("retention", "accept", "--undo", "drop/b.wav")[0] == 0
    assert run_json("retention", "plan")["goes"] == []


def test_without_rules_in_the_configuration_a_plan_does_not_say_that_all_is_kept_if_a_recording_has_one(
    world: World,
) -> None:
    (world.root / "config" / "config.toml").write_text("")
    assert run("retention", "set", "drop/a.wav", "--kind", "audio", "--delete-after-done")[0] == 0
    said = run("retention", "plan")[1]
    assert "one of a single recording may" in said
    assert "kept for ever" not in said
    assert "1 file" in said
    assert "would go:" in said


def test_a_recording_can_have_a_rule_of_its_own(world: World) -> None:
    assert run("retention", "set", "drop/a.wav", "--kind", "audio", "--never")[0] == 0
    assert run_json("retention", "plan")["goes"] == []
    assert run("retention", "set", "drop/a.wav", "--clear")[0] == 0
    assert len(run_json("retention", "plan")["goes"]) == 1
    assert run("retention", "set", "drop/a.wav", "--keep-for", "soon")[0] == 2
    assert run("retention", "set", "drop/a.wav")[0] == 2
    assert run("retention", "set", "drop/unknown.wav", "--never")[0] == 66


@pytest.mark.shows("retention:restore")
def test_trash_is_listed_restored_and_emptied(world: World) -> None:
    run("retention", "apply", "--yes")
    (row,) = run_json("trash", "list")["files"]
    assert Path(row["original"]).name == "a.wav"
    assert run("trash", "restore", "drop/nothing.wav")[0] == 66
    assert run("trash", "restore", "drop/a.wav")[0] == 0
    assert "a.wav" in world.files()
    assert run_json("hold")["held"][0]["why"] == "restored from the trash"
    run("hold", "--release", "drop/a.wav")
    run("retention", "apply", "--yes")
    assert run("trash", "empty", answer="n\n")[0] == 1
    assert run("trash", "empty", "--yes")[0] == 0
    assert run_json("trash", "list")["files"] == []
    acts = [r["act"] for r in run_json("receipts", "list")["receipts"]]
    assert acts == ["trashed", "restored", "trashed", "purged"]


@pytest.mark.shows("retention:forget")
@pytest.mark.shows("privacy:forget-stays")
def test_forget_shows_asks_for_typed_words_erases_and_says_what_it_cannot_reach(world: World) -> None:
    dry = run_json("forget", "drop/a.wav", "--dry-run")
    assert len(dry["copies"]) == 3
    code, output = run("forget", "drop/a.md", answer="yes\n")
    assert code == 1
    assert "Nothing was erased" in output
    assert "a.wav" in world.files()
    code, output = run("forget", "drop/a.md", answer="forget 1\n")
    assert code == 0, output
    assert "backups" in output
    assert world.files() == {"b.wav", "b.md", "b.transcript.md"}
    assert run("forget", "drop/a.wav", "--yes")[0] == 66


def test_forget_by_words_by_date_and_everything(world: World) -> None:
    assert run_json("forget", "--matching", "WALRUS SIGNS", "--yes")["recordings"] == 1
    assert run_json("forget", "--before", "2025-01-01", "--yes")["recordings"] == 0
    assert run("forget")[0] == 2
    assert run("forget", "--all", "drop/b.wav")[0] == 2
    result = run_json("forget", "--all", "--yes")
    assert (result["recordings"], result["complete"]) == (1, True)
    assert world.files() == set()
    assert run("receipts", "verify")[0] == 0


def test_a_damaged_ledger_that_was_set_aside_is_named_and_goes_with_everything(world: World) -> None:
    state = world.root / "state"
    world.ledger.db.fold()
    aside = state / "ledger.db.damaged-20260101T000000"
    aside.write_bytes((state / "ledger.db").read_bytes())
    code, output = run("forget", "drop/a.wav", "--yes")
    assert code == 65
    assert "set aside" in output
    assert run("forget", "--all", "--yes")[0] == 0
    assert not aside.exists()


@pytest.mark.shows("retention:forget")
@pytest.mark.shows("privacy:forget-held")
def test_forget_refuses_what_is_held_unless_told_so(world: World) -> None:
    run("hold", "drop/a.wav", "--why", "court case")
    code, output = run("forget", "drop/a.wav", "--yes")
    assert code == 65
    assert "held" in output
    assert run("forget", "drop/a.wav", "--yes", "--even-held")[0] == 0


def test_what_was_forgotten_can_be_welcomed_back_by_its_owner(world: World) -> None:
    copy = world.root / "copy.wav"
    copy.write_bytes((world.drop / "a.wav").read_bytes())
    run("forget", "drop/a.wav", "--yes")
    assert "may be taken again" in run("forget", "--lift", "copy.wav")[1]
    code, output = run("forget", "--lift", "copy.wav")
    assert code == 66
    assert "copy.wav: was never erased" in output
    assert run("forget", "--lift")[0] == 2


def test_lifting_forgets_every_refusal_of_that_content_and_no_other(world: World) -> None:
    content, other = (world.drop / "a.wav").read_bytes(), (world.drop / "b.wav").read_bytes()
    run("forget", "drop/a.wav", "drop/b.wav", "--yes")
    for name, what in (("a.wav", content), ("again.wav", content), ("b.wav", other)):
        (world.drop / name).write_bytes(what)
        world.ledger.journal.trouble(world.drop / name, "file", tombstones.REFUSED, world.now, "1:2:3:4")
    assert run("forget", "--lift", "drop/a.wav")[0] == 0
    assert [t.subject for t in world.ledger.journal.troubles()] == [str(world.drop / "b.wav")]


def test_forget_says_of_every_other_file_with_the_same_content_why_it_goes(world: World) -> None:
    copy = world.drop / "copy.wav"
    shutil.copyfile(world.drop / "a.wav", copy)
    outside = world.root / "outside.wav"
    shutil.copyfile(copy, outside)
    why = {Path(c["path"]).name: c["why"] for c in run_json("forget", "drop/copy.wav", "--dry-run")["copies"]}
    assert why["copy.wav"] is None
    assert why["a.wav"] == "the same content is also here"
    assert why["a.md"] == "made for the same content, which is also there"
    code, output = run("forget", "drop/a.wav", answer="no\n")
    assert code == 1
    (line,) = [line for line in output.splitlines() if "copy.wav" in line]
    assert "the same content is also here" in line
    assert output.index("every file that holds it goes") < output.index("This cannot be undone")
    left = run_json("forget", "outside.wav", "--dry-run")["left"]
    assert left == [{"path": str(outside), "why": "it is in no drop folder; delete it yourself"}]


def test_receipts_are_exported_and_verified_anywhere(world: World) -> None:
    run("retention", "apply", "--yes")
    assert run("receipts", "export", "--out", "receipts.jsonl")[0] == 0
    assert run_json("receipts", "verify", "receipts.jsonl") == {
        "version": 1, "receipts": 1, "problems": [], "cannot_be_told": [],
    }  # fmt: skip
    assert len(run_json("receipts", "list", "drop/a.wav")["receipts"]) == 1
    assert run_json("receipts", "list", "drop/b.wav")["receipts"] == []
    file = world.root / "receipts.jsonl"
    file.write_text(file.read_text().replace("audio", "radio"))
    assert run("receipts", "verify", "receipts.jsonl")[0] == 1
    file.write_text("nonsense\n")
    assert run("receipts", "verify", "receipts.jsonl")[0] == 65


def test_export_and_its_verification(world: World) -> None:
    result = run_json("export", "--out", "all.zip")
    assert result["recordings"] == 2
    assert run("export", "--out", "all.zip")[0] == 2
    assert run("export")[0] == 2
    assert run("export", "verify", "all.zip")[0] == 0
    (world.root / "all.zip").write_bytes(b"not a zip")
    assert run("export", "verify", "all.zip")[0] == 65


def test_only_one_actor_works_on_the_files_at_a_time(world: World) -> None:
    with world.ledger.acting():
        code, output = run("retention", "apply", "--yes")
    assert code == 75
    assert "right now" in output


@pytest.mark.shows("retention:forget", "json:outputs")
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("trash restore ²", 66, "is not in the trash"),
        ("trash restore 99999999999999999999", 66, "is not in the trash"),
        ("trash restore -- -1", 66, "is not in the trash"),
        ("trash restore ~nosuch/x", 66, "is not in the trash"),
        ("trash empty ~nosuch/x --yes", 66, "is not in the trash"),
        ("forget ~nosuch/x --yes", 66, "does not know this recording"),
        ("forget --lift ~nosuch/x", 66, "cannot be read"),
        ("forget --lift", 2, "say which FILE"),
        ("forget --lift a.wav --dry-run", 2, "say one of them"),
        ("forget", 2, "say what to forget"),
        ("forget --all a.wav", 2, "one of them"),
        ("forget --matching= --yes", 2, "the text is empty"),
        ("forget --before 0001-01-01 --yes", 2, "a day that no clock knows"),
        ("hold ~nosuch/x", 66, "does not know this recording"),
        ("retention plan ~nosuch/x", 66, "no recording and no note of one"),
        ("retention plan nosuch", 66, "no recording and no note of one"),
        ("retention apply --plan nosuch.json --yes", 66, "there is no such file"),
        ("retention apply --plan config/config.toml --yes", 65, "is not a plan saved by"),
        ("retention set drop/a.wav --never --kind audios", 2, "there is no such class"),
        ("retention plan --at 0001-01-01", 2, "a day that no clock knows"),
        ("receipts report --out nosuch/x.html", 74, "cannot be written: No such file or directory"),
        ("receipts report --out config/config.toml --format md", 2, "exists already; name another file"),
        ("receipts export --out nosuch/x", 74, "cannot be written: No such file or directory"),
        ("receipts export --out config/config.toml", 2, "exists already; name another file"),
        ("export --out config/config.toml", 2, "name a new folder"),
        ("export --out config/config.toml/x.zip", 74, "could not be written"),
        ("export recording drop/a.wav -o nosuch/x.html", 74, "cannot be written: No such file or directory"),
        ("export recording drop/a.wav -o config/config.toml", 2, "exists already"),
        ("export --out new.zip --since 2999-01-01", 2, "has not begun"),
        ("retention plan --save ~nosuch/x", 74, "cannot be written: No such file or directory"),
        ("retention set ~nosuch/x --never", 66, "does not know this recording"),
        ("retention set drop/a.wav", 2, "say exactly one"),
        ("retention set drop/a.wav --keep-for soon", 2, "is not a length of time"),
        ("receipts list ~nosuch/x", 0, ""),
        ("receipts verify ~nosuch/x", 66, "there is no such file"),
        ("export --out ~nosuch/x/y --since 0001-01-01", 2, "a day that no clock knows"),
        ("export --out there --folder nosuch", 66, "no recording is or was at or below it"),
        ("export", 2, "say where to"),
    ],
)
def test_a_command_line_that_cannot_be_meant_ends_in_a_sentence(
    world: World, words: str, code: int, says: str
) -> None:
    before = world.files()
    found, output = run(*words.split())
    assert (found, says in output) == (code, True), output
    assert world.files() == before


@pytest.mark.parametrize("settings", [("history", "keep_for"), ("trash", "keep_for"), ("audio", "keep_for")])
def test_a_length_beyond_the_calendar_is_for_ever(world: World, settings: tuple[str, str]) -> None:
    table, key = settings
    (world.root / "config" / "config.toml").write_text(f"[retention.{table}]\n{key} = '9999y'\n")
    assert run("retention", "plan")[0] == 0
    code, output = run("retention", "apply", "--yes")
    assert code == 0, output
    assert run("retention", "status")[0] == 0
    code, output = run("trash", "list")
    assert code == 0, output


def test_a_reason_that_is_no_text_is_kept_as_it_can_be_shown(world: World) -> None:
    assert run("hold", "drop/a.wav", "--why", "Ren\udce9")[0] == 0
    assert "Ren\\udce9" in run("hold")[1]


def test_a_state_folder_that_is_shut_is_one_sentence(world: World) -> None:
    with as_somebody(world.root):
        world.context.home.state.chmod(0)
        for words in (
            "retention plan",
            "retention status",
            "trash list",
            "forget --all --yes",
            "hold",
            "export --out x",
        ):
            code, output = run(*words.split())
            assert (code, "Permission denied" in output) == (74, True), (words, output)
        world.context.home.state.chmod(0o700)


def test_everything_that_holds_is_listed_by_what_holds_it(world: World) -> None:
    world.record("sub/c.wav")
    run("hold", "drop/a.wav", "--why", "court case")
    note = world.drop / "b.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    assert run("retention", "set", "drop/b.wav", "--never")[0] == 0
    (world.drop / "sub" / ".earmark-hold").touch()
    (world.root / ".earmark-hold").touch()
    listed = {(h["by"], h["path"], h["why"], *h["paths"]) for h in run_json("hold")["held"]}
    everything = "everything in it and below"
    assert listed == {
        ("hand", None, "court case", str(world.drop / "a.wav")),
        ("note", str(note), "keep: true", str(world.drop / "b.wav")),
        ("rule", None, "all: never", str(world.drop / "b.wav")),
        ("marker", str(world.drop / "sub" / ".earmark-hold"), everything),
        ("marker", str(world.root / ".earmark-hold"), everything),
    }
    code, output = run("hold")
    assert code == 0
    for name in ("a.wav", "b.wav", "b.md", "court case", "all: never", "drop/sub/"):
        assert name in output
    found = run_json("retention", "status")
    assert (found["held"], found["held_folders"], found["own_rules"]) == (2, 2, 1)
    assert "Held: 1 by hand, 1 by note, 1 by rule, 2 by marker" in run("retention", "trust", answer="n\n")[1]


def test_the_rules_of_folders_and_tags_are_shown_beside_those_of_classes(world: World) -> None:
    (world.root / "config" / "config.toml").write_text(
        f"[retention.tags.private.audio]\nkeep_for = '7d'\n"
        f"[[folder]]\npath = '{world.drop}'\nretention.transcript = {{ keep_last = 3 }}\n"
    )
    found = run_json("retention", "status")
    assert found["tag_rules"] == {"private": {"audio": "keep_for 7d"}}
    assert found["folder_rules"] == {str(world.drop): {"transcript": "keep_last 3"}}
    output = run("retention", "status")[1]
    assert "tag private: audio: keep_for 7d" in output
    assert "folder drop: transcript: keep_last 3" in output


def test_an_edited_note_that_is_held_says_both(world: World) -> None:
    note = world.drop / "a.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1) + "mine\n")
    (world.root / "config" / "config.toml").write_text("[retention.summary]\nkeep_for = '1d'\n")
    stays = {Path(d["path"]).name: d["reason"] for d in run_json("retention", "plan")["stays"]}
    assert stays["a.md"] == "edited by you, and held by `keep: true` in a.md"


@pytest.mark.shows("retention:plan-there")
def test_a_plan_counts_no_file_that_its_owner_took_away_and_notes_stay_only_where_they_are(
    world: World,
) -> None:
    place = world.ledger.places.at(world.drop / "a.wav")
    assert place is not None
    sidecar = world.note(place, Kind.SIDECAR, ".srt", "1\n")
    before = run_json("retention", "plan")
    assert before["stays_because"]["kept by sidecar: no rule (class)"] == 1
    sidecar.unlink()
    assert "kept by sidecar: no rule (class)" not in run_json("retention", "plan")["stays_because"]
    assert "kept by sidecar: no rule" not in run("retention", "plan")[1]
    gone = before["stays_because"]["kept by transcript: no rule (class)"]
    (world.drop / "a.wav").unlink()
    note_missing(world.context, {world.drop / "a.wav"})
    for note in world.drop.glob("a.*md"):
        note.unlink()
    world.record("c.wav")
    for file in world.drop.glob("c.*"):
        file.unlink()
    note_missing(world.context, {world.drop / "c.wav"})
    assert run_json("retention", "plan")["stays_because"]["kept by transcript: no rule (class)"] == gone - 1
    told = [row.detail for row in world.ledger.journal.latest() if row.what == "missing"]
    assert told == [
        "The file is not in the folder any more; its notes stay.",
        "The file is not in the folder any more.",
    ]
