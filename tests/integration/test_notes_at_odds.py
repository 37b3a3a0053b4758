"""A note whose `earmark_id` was changed to another recording's: no verb takes it for that one, nor does its erasing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from earmark.cli import main
from earmark.ledger.note_ids import short
from typer.testing import CliRunner

from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text("[summary]\nendpoint = 'none'\n")
    world = World(root)
    world.record("mine.wav")
    world.record("other.wav")
    return world


def names_another(world: World, note: str = "mine.md") -> Path:
    """Its id is pasted over."""
    mine, other = (world.place(f"{name}.wav").recording_id for name in ("mine", "other"))
    path = world.drop / note
    path.write_text((world.drop / "mine.md").read_text().replace(short(mine), short(other)))
    return path


def said(*words: str, code: int) -> str:
    result = CliRunner().invoke(main.app, [*words, "--json"], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    answer = json.loads(result.stdout)
    return str(answer["error"]["sentence"] if code else answer.get("reason", answer))


VERBS = (
    ("forget", "--yes"), ("forget", "--dry-run"), ("hold",), ("unhold",), ("retry",), ("resummarize",),
    ("retention", "set", "--never"), ("retention", "accept"), ("speakers", "list"),
)  # fmt: skip


@pytest.mark.shows("retention:whose-note")
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_note_that_names_another_recording_than_it_is_known_for_is_refused_with_both(
    world: World, verb: tuple[str, ...]
) -> None:
    sentences = [said(*verb, str(names_another(world)), code=2)]
    # Moved away and changed, it still has the words that were written for the one.
    moved = names_another(world, "moved.md")
    sentences.append(said(*verb, str(moved), code=2))
    if verb[:2] not in (("speakers", "list"), ("retention", "set")):
        sentences.append(said(*verb, "other.wav", str(moved), code=2))
    for sentence in sentences:
        assert f"a note of {world.drop / 'mine.wav'}" in sentence
        assert f"`earmark_id` is of {world.drop / 'other.wav'}" in sentence
    assert {"mine.wav", "other.wav", "other.md", "mine.md"} <= world.files()
    assert world.ledger.protection.holds() == {}
    assert short(world.place("mine.wav").recording_id) in said("why", str(moved), code=0)


@pytest.mark.shows("retention:whose-note")
def test_erasing_the_other_recording_leaves_a_note_that_only_names_it(world: World) -> None:
    note, moved = names_another(world), names_another(world, "moved.md")
    before = note.read_text()
    sentence = said("forget", "other.wav", "--yes", code=0)
    assert "it is known as a note of mine.wav" in sentence
    assert note.read_text() == moved.read_text() == before
    assert {"other.wav", "other.md", "other.transcript.md"}.isdisjoint(world.files())


@pytest.mark.shows("retention:whose-note")
def test_a_note_that_was_put_in_the_place_of_anothers_means_neither_and_goes_with_its_own(
    world: World,
) -> None:
    other, mine = world.drop / "other.md", world.drop / "mine.md"
    other.write_text(other.read_text().replace("---\n", "---\nmood: good\n", 1))
    other.replace(mine)
    assert "knows it as a note of" in said("forget", "mine.md", "--yes", code=2)
    (world.drop / "mine.transcript.md").write_bytes((world.drop / "other.transcript.md").read_bytes())
    assert "knows it as a note of" in said("hold", "mine.transcript.md", code=2)
    said("forget", "other.wav", "--yes", code=0)
    assert world.files() == {"mine.wav"}
