"""What a person writes into the properties of a note counts for the rules, and the note says the day that the rules mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.retention import plan_now
from earmark.retention.notes_seen import NotesSeen
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import retry, to_retry

from tests.daemon_rig import Rig
from tests.retention_world import DAY

RULES = {
    "audio": {"keep_for": "90d"}, "fuse_items": 0, "fuse_percent": 0,
    "tags": {"private": {"audio": {"keep_for": "7d"}}, "archive": {"audio": {"never": True}}},
}  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, {"retention": dict(RULES)})
    for name in ("private.m4a", "archive.m4a"):
        made.drop(name, f"what was said in {name}")
    assert made.run_once() == 0
    for tag in ("private", "archive"):
        note = made.folder / f"{tag}.md"
        note.write_text(note.read_text().replace("tags:\n", f"tags:\n  - {tag}\n  - mine\n", 1))
    assert made.run_once() == 0
    return made


def day_in(note: Path) -> str | None:
    found = re.search(r"^audio_expires: (\S+)$", note.read_text(), re.M)
    return found[1] if found is not None else None


def due(rig: Rig, days: float) -> set[str]:
    """Recordings that would go then."""
    with opened_context(rig.installed, rig.config()) as context:
        context.folders = (rig.folder,)
        NotesSeen(context).inspect_everywhere()  # as each sweep does
        goes = plan_now(context, at=Instant(context.now() + days * DAY)).goes
        return {decision.item.path.name for decision in goes}


@pytest.mark.shows("retention:notes-say")
def test_a_note_in_which_a_person_wrote_a_tag_says_the_day_that_its_rule_means(rig: Rig) -> None:
    private, archive = rig.folder / "private.md", rig.folder / "archive.md"
    day = day_in(private)
    assert day is not None
    assert day == day_in(rig.folder / "private.transcript.md")
    assert day_in(archive) is day_in(rig.folder / "archive.transcript.md") is None
    assert "\n  - private\n  - mine\n" in private.read_text()
    assert due(rig, 6.9) == set()
    assert due(rig, 7.1) == {"private.m4a"}
    assert due(rig, 1000) == {"private.m4a"}


@pytest.mark.shows("retention:tags")
def test_a_tag_or_keep_of_a_persons_counts_in_the_later_version_of_the_note_too(rig: Rig) -> None:
    with opened_context(rig.installed, rig.config()) as context:
        for again in to_retry(
            context, [rig.folder / "archive.m4a", rig.folder / "private.m4a"], failed=False
        ):
            retry(context, again)
    note = rig.folder / "private.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    assert rig.run_once() == 0
    assert "\n  - archive\n  - mine\n" in (rig.folder / "archive.md").read_text()
    assert due(rig, 1000) == set()
    note.write_text(note.read_text().replace("keep: true\n", "", 1))
    assert due(rig, 1000) == {"private.m4a"}
