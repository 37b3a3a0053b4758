"""Where most notes of a folder are missing at once: a vault that was moved, notes that went with another program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from earmark.domain import ArtifactState
from earmark.ledger import Ledger
from earmark.ledger.artifacts import Artifacts
from earmark.pipeline import removed
from earmark.supervisor import sweeping

from tests.daemon_rig import quick_config, supervisor
from tests.retention_world import World


def _without_transcripts(root: Path, recordings: int) -> World:
    """A world in which somebody put notes of their own in place of one of the two of each recording."""
    world = World(root)
    for number in range(recordings):
        world.record(f"{number}.wav")
        (world.drop / f"{number}.transcript.md").rename(world.drop / f"mine {number}.md")
        (world.drop / f"mine {number}.md").write_text("Nothing of yours.\n")
    world.ledger.close()
    return world


def _run(world: World, **options: Any) -> None:
    supervisor(world.context.home, (world.drop,), quick_config(), once=True, **options).run()


def _removed(world: World) -> int:
    with Ledger(world.context.home.ledger_file) as ledger:
        return sum(artifact.state is ArtifactState.GONE for artifact in ledger.artifacts.all())


def test_what_is_asked_for_a_missing_note_does_not_grow_with_how_many_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, at = 0, Artifacts.at

    def counted(self: Artifacts, path: Path) -> Any:
        nonlocal asked
        asked += 1
        return at(self, path)

    monkeypatch.setattr(Artifacts, "at", counted)
    each = {}
    for recordings in (15, 45):
        asked, world = 0, _without_transcripts(tmp_path / str(recordings), recordings)
        _run(world)
        each[recordings] = asked / recordings
        assert _removed(world) == recordings
    assert each[45] < each[15] * 1.3


def test_a_stop_is_taken_while_most_notes_are_missing_and_the_rest_stay_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed, "SHARE", 0.0)  # one note a turn
    world, turns = _without_transcripts(tmp_path, 20), 0
    daemon = supervisor(world.context.home, (world.drop,), quick_config())

    def on_progress(_: object) -> None:
        nonlocal turns
        turns += 1
        if turns == 65:  # 20 asked for, 40 files looked at, 5 written down
            daemon.stop()

    swept: list[int] = []
    monkeypatch.setattr(sweeping, "sweep_by_clock", lambda *_, **__: swept.append(turns))
    daemon.on_progress = on_progress
    daemon.run()
    assert swept == []  # it would have read all of them in one turn
    monkeypatch.undo()
    assert turns <= 67
    assert 0 < _removed(world) < 20
    _run(world)
    assert _removed(world) == 20
    assert not list(world.drop.glob("*.transcript.md"))
