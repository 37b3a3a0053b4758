"""What verbs that look cost with many recordings: questions to the ledger are counted; seconds say what else runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import main
from earmark.domain import ArtifactState, Instant, Kind
from earmark.ledger import Artifact, artifacts
from earmark.ledger.connection import Connection
from earmark.retention import markers
from typer.testing import CliRunner

from tests.conftest import in_memory
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

FEW, MANY = 4, 10


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Each statement that is run, by its text."""
    asked: Counter[str] = Counter()
    real = Connection.execute

    def execute(self: Connection, sql: str, values: Sequence[Any] = ()) -> Any:
        asked[" ".join(sql.split())] += 1
        return real(self, sql, values)

    monkeypatch.setattr(Connection, "execute", execute)
    return asked


def world_of(root: Path, count: int) -> World:
    """Recordings in two folders, each with a summary by a model that is another one than is configured."""
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(
        "[summary]\nendpoint = 'none'\n[retention.audio]\nkeep_for = '30d'\n[retention.transcript]\nkeep_for = '40d'\n"
    )
    world = World(root, {"audio": {"keep_for": "30d"}, "transcript": {"keep_for": "40d"}})
    for number in range(count):
        world.record(f"{number % 2}/r{number:03}.wav", speakers=("Anna", ""))
    body = json.dumps({"by": "model", "model": "gemma", "template": "lecture", "title": "T"})
    with world.ledger.transaction():
        world.ledger.db.execute("UPDATE summaries SET body = ?", (body,))
    return world


def asked_with(
    count: int, verbs: Sequence[Sequence[str]], questions: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> list[Counter[str]]:
    found = []
    with in_memory() as root:
        monkeypatch.setenv("EARMARK_HOME", str(root))
        monkeypatch.chdir(root)
        world = world_of(root, count)
        for verb in verbs:
            questions.clear()
            said = CliRunner().invoke(main.app, list(verb))
            assert said.exit_code == 0, said.output
            found.append(Counter(questions))
        monkeypatch.chdir("/")
        world.ledger.close()
        World.made.remove(world)
    return found


def test_status_takes_in_hand_what_it_shows_of_notes_and_no_other(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    world, made = world_of(root, MANY), []
    note = world.drop / "1" / "r001.md"
    note.write_text(f"{note.read_text()}\nA line of mine.\n")
    with world.ledger.transaction():
        world.ledger.artifacts.set_state(note, ArtifactState.EDITED)
    real = vars(artifacts)["artifact_of"]

    def artifact_of(row: Any) -> Artifact:
        found: Artifact = real(row)
        made.append(found)
        return found

    monkeypatch.setattr(artifacts, "artifact_of", artifact_of)
    said = CliRunner().invoke(main.app, ["status", "--json"])
    assert [line["path"] for line in json.loads(said.stdout)["edited"]] == [str(made[0].path)]
    assert len(made) == 1


@pytest.mark.shows("architecture:ten-thousand")
def test_more_recordings_mean_more_rows_and_not_more_questions_to_the_ledger(
    questions: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verbs = (["list"], ["list", "--json"], ["list", "--speaker", "Anna"], ["list", "--tag", "x"], ["status"],
             ["why", "r001.wav"], ["speakers", "list"], ["trash", "list"], ["retry", "--failed"])  # fmt: skip
    few, many = (asked_with(count, verbs, questions, monkeypatch) for count in (FEW, MANY))
    for verb, before, after in zip(verbs, few, many, strict=True):
        assert after - before == Counter(), verb
    (plan, more), folders = (
        (asked_with(c, [["retention", "plan"]], questions, monkeypatch)[0] for c in (FEW, MANY)),
        2,
    )
    # A file that would go is asked about by itself; the folders that it lies in only once.
    each = (more.total() - plan.total()) / (2 * (MANY - FEW))
    assert each <= 20, (more - plan).most_common()
    facts = next(sql for sql in more if "FROM facts WHERE name" in sql)
    assert more[facts] - plan[facts] <= folders * (MANY - FEW), "a question for each folder above each file"


def test_a_plan_of_many_files_whose_folder_is_another_one_now_looks_for_markers_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    world = world_of(root, MANY)
    walks = []
    real = vars(markers)["names_below"]

    def names_below(*words: Any) -> Any:
        walks.append(words)
        return real(*words)

    monkeypatch.setattr(markers, "names_below", names_below)
    world.now = Instant(world.now + 100 * 86400.0)
    with world.ledger.transaction():
        world.ledger.db.execute("UPDATE artifacts SET lay_in = 'what the folder was'")
    assert len(world.planned().goes) == 2 * MANY
    assert len(walks) == 1


def test_a_file_of_many_is_known_as_well_as_one_that_is_asked_about_alone(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}})
    for number in range(9):
        world.record(f"r{number}.wav")
    ledger, ids = world.ledger, sorted(r.id for r in world.ledger.recordings.all())
    with ledger.transaction():
        for sql, number in (
            ("INSERT INTO holds (recording_id, at, why) VALUES (?, 1.0, 'why')", 1),
            ("INSERT INTO item_rules (recording_id, kind, body, at) VALUES (?, 'audio', '{}', 1.0)", 2),
            ("INSERT INTO drafts (recording_id, model_bytes) VALUES (?, 1)", 3),
            ("UPDATE jobs SET state = 'failed' WHERE recording_id = ? AND stage = 'transcribe'", 4),
            ("UPDATE jobs SET state = 'claimed' WHERE recording_id = ? AND stage = 'summarize'", 5),
            ("DELETE FROM jobs WHERE recording_id = ?", 6),
            ("UPDATE recordings SET done_at = NULL WHERE id = ?", 7),
            ("UPDATE places SET transcript_rev = 0, watched = 0 WHERE recording_id = ?", 8),
        ):
            ledger.db.execute(sql, (ids[number],))
    for kind in Kind:
        many = list(ledger.retention.candidates(kind))
        assert len(many) >= 9 * (kind is Kind.AUDIO)
        assert many == [ledger.retention.candidate(kind, each.path, each.recording_id) for each in many]
