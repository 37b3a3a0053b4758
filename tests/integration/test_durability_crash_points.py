"""kill -9 at every durable step there is, one after the other, and then an ordinary run: nothing lost, nothing doubled.

The steps are not listed here: an undisturbed run says which there are, and each of them is tried. Stand-in workers (see
tests/standin_worker.py) keep each try at a fraction of a second; the kills with real speech are in benchmarks/chaos.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.domain import Instant, Stage
from earmark.ledger import Ledger

from tests.daemon_rig import Prepare, Rig, moments_of, run_child, steps_of

pytest_plugins = ("tests.retention_root",)


def nothing(rig: Rig) -> None:
    """A fresh recording that nobody has seen."""
    rig.drop("standup.m4a", "one")


def renamed(rig: Rig) -> None:
    """A finished recording that was given another name while the daemon was down."""
    rig.drop("standup.m4a", "one")
    assert run_child(rig) == 0
    (rig.folder / "standup.m4a").rename(rig.folder / "Monday.m4a")


def moved_to_a_subfolder(rig: Rig) -> None:
    """The same, but to another folder."""
    rig.drop("standup.m4a", "one")
    assert run_child(rig) == 0
    (rig.folder / "2026").mkdir()
    (rig.folder / "standup.m4a").rename(rig.folder / "2026" / "standup.m4a")


def replaced(rig: Rig) -> None:
    """A finished recording whose file has other content now."""
    rig.drop("standup.m4a", "one")
    assert run_child(rig) == 0
    rig.folder.joinpath("new").write_text("another one")
    rig.folder.joinpath("new").rename(rig.folder / "standup.m4a")


def edited_and_heard_again(rig: Rig) -> None:
    """One note edited, one untouched, and a person asked for a new transcription."""
    rig.drop("standup.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "standup.md"
    text = note.read_text()
    note.unlink()
    note.write_text(text + "\nMy own thoughts.\n")
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            ledger.jobs.requeue(recording.id, Stage.TRANSCRIBE, Instant(1.0))


def two_copies(rig: Rig) -> None:
    """The same content under two names."""
    rig.drop("standup.m4a", "one")
    rig.drop("copy.wav", "one")


def brought_back_from_its_copy(rig: Rig) -> None:
    """A recording was overwritten, and its copy takes its name again."""
    two_copies(rig)
    assert run_child(rig) == 0
    rig.drop("standup.m4a", "two")
    assert run_child(rig) == 0
    (rig.folder / "copy.wav").rename(rig.folder / "standup.m4a")


def several_people(rig: Rig) -> None:
    """A fresh recording, and what tells voices apart is here."""
    rig.speakers()
    rig.drop("standup.m4a", "one")


def corrected(rig: Rig) -> None:
    """A note in which a person corrected a word and added a tag, and nobody has read it."""
    rig.drop("standup.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "standup.transcript.md"
    text = (
        note.read_text()
        .replace("number 1", "number one")
        .replace("  - recording\n", "  - recording\n  - mine\n")
    )
    assert text != note.read_text()
    note.write_text(text)


def corrected_and_heard_again(rig: Rig) -> None:
    """The same, read, and a person asked for a new transcription."""
    corrected(rig)
    assert run_child(rig) == 0
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            ledger.jobs.requeue(recording.id, Stage.TRANSCRIBE, Instant(1.0))


@pytest.mark.shows("durability:daemon-killed-each-durable")
@pytest.mark.parametrize(
    "scene",
    [
        nothing, renamed, moved_to_a_subfolder, replaced, edited_and_heard_again, two_copies,
        brought_back_from_its_copy, several_people, corrected, corrected_and_heard_again,
    ],
)  # fmt: skip
def test_a_kill_at_any_step_changes_nothing_about_how_it_ends(root: Path, scene: Prepare) -> None:
    rig = Rig(root)
    scene(rig)
    rig.keep("before")
    steps = steps_of(rig)
    assert len(steps) >= 10, steps
    undisturbed, jobs = rig.notes(), rig.jobs()
    for number in moments_of(steps):
        rig.bring_back("before")
        where = f"killed at step {number} ({steps[number - 1]})"
        assert run_child(rig, kill_at=number) == -9, where
        assert run_child(rig) == 0, where
        assert rig.notes() == undisturbed, where
        assert rig.litter() == [], where
        assert rig.jobs() == jobs, where
        assert run_child(rig) == 0, where
        assert rig.notes() == undisturbed, f"{where}, and one more run"
