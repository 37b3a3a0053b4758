"""Arbitrary worlds on a real disk: whatever afflicts a recording, what must stay stays, and nothing is ever lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Kind, Stage, TrashState
from earmark.retention import receipts
from earmark.retention.trash.restoring import restore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.retention_world import DAY, World

pytestmark = pytest.mark.shows("retention:all-these-once-arbitrary")

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

AFFLICTIONS = (
    "none", "held", "keep: true", "marker", "unfinished", "summary again", "failed", "future", "rubbish",
    "note edited", "note gone", "audio changed", "audio replaced", "symlink", "young", "item never",
)  # fmt: skip
RULES: dict[str, object] = {"keep_for": "30d"}


def afflict(world: World, name: str, what: str) -> None:
    """One finished recording of long ago with one thing that must keep its audio ("none": nothing does)."""
    facts: dict[str, Any] = {"speech_seconds": 500.0} if what == "rubbish" else {}
    dated = world.now + 900 * DAY if what == "future" else None
    place = world.record(f"{name}/{name}.wav", done=what != "unfinished", dated=dated, **facts)
    folder = place.path.parent
    if what == "held":
        world.ledger.protection.hold(place.recording_id, "", world.now)
    elif what == "keep: true":
        note = place.path.with_suffix(".md")
        note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    elif what == "marker":
        (folder / ".earmark-hold").touch()
    elif what == "summary again":
        world.ledger.jobs.requeue(place.recording_id, Stage.SUMMARIZE, world.now)
        # The queue hands out whichever is first, so this one is claimed by name.
        world.ledger.db.execute(
            "UPDATE jobs SET state = 'claimed' WHERE recording_id = ? AND stage = 'summarize'",
            (place.recording_id,),
        )
    elif what == "failed":
        job = world.ledger.jobs.of(place.recording_id, Stage.TRANSCRIBE)
        assert job is not None
        world.ledger.jobs.fail(job.id, "broken", world.now)
    elif what == "note edited":
        with place.path.with_suffix(".transcript.md").open("a") as note_file:
            note_file.write("mine")
    elif what == "note gone":
        place.path.with_suffix(".transcript.md").unlink()
    elif what == "audio changed":
        with place.path.open("ab") as audio:
            audio.write(b"more")
    elif what == "audio replaced":
        other = place.path.with_name("other.tmp")
        other.write_bytes(place.path.read_bytes())
        other.replace(place.path)
    elif what == "symlink":
        real = world.root / f"real-{name}"
        folder.rename(real)
        folder.symlink_to(real)
    elif what == "item never":
        world.ledger.protection.set_item_rule(place.recording_id, "audio", '{"never": true}', world.now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(AFFLICTIONS), min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from(["earmark", "sweep"]),
)
def test_only_what_nothing_keeps_goes_and_it_goes_whole(whats: list[str], notes_too: bool, way: str) -> None:
    policy: dict[str, object] = {"audio": RULES, "fuse_items": 0, "fuse_percent": 0}
    if notes_too:
        policy |= {kind.value: RULES for kind in Kind}
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = World(Path(folder).resolve(), policy)
        for number, what in enumerate(whats):
            if what != "young":
                afflict(world, f"r{number}", what)
        world.pass_days(40)
        for number, what in enumerate(whats):
            if what == "young":
                afflict(world, f"r{number}", what)
        before = {p.read_bytes() for p in world.root.rglob("*") if p.is_file() and "state" not in p.parts}

        due = {n for n in world.plan() if n.endswith(".wav")}
        assert due == {f"r{n}.wav" for n, what in enumerate(whats) if what == "none"}

        if way == "sweep":
            world.sweep()
            world.pass_days(0.5)
            assert world.sweep().outcome in ("swept", "nothing")
        else:
            assert world.apply().errors == []
        assert world.plan() == set()

        after = {p.read_bytes() for p in world.root.rglob("*") if p.is_file() and "ledger" not in p.name}
        assert before <= after, "something is neither in its place nor in the trash"
        assert receipts.verify(world.ledger) == []

        for row in world.ledger.trash.in_state(TrashState.HERE):
            restore(world.context, row)
        assert {
            p.read_bytes() for p in world.root.rglob("*") if p.is_file() and "state" not in p.parts
        } == before
        world.ledger.close()
