"""Anything a person, a sync client and the power company can do to a folder, in any order, and what must hold after each.

hypothesis drives the real supervisor (stand-in workers, tests/standin_worker.py says why) through drops, growth, renames,
replacements, deletions, edits, kills and restarts. A kill is the daemon's own process stopping dead at one of its durable
steps, as test_durability_crash_points.py does; here it is made by an exception at that step that nothing in between
may handle, because a process per step would be too slow for thousands of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.ledger.note_ids import short
from earmark.log import configure_logging
from earmark.notes.frontmatter import recording_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.daemon_rig import Rig

pytestmark = pytest.mark.shows("durability:any-order-drops-growth")

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
NAMES = ("a.m4a", "b.wav", "a.wav", "sub/a.m4a")
CONTENTS = ("one", "two", "three")


class Dead(BaseException):
    """The process is no more. Not an Exception, so that nothing in the daemon takes it for an error."""


class Folder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="earmark-machine-", dir=MEMORY))
        self.rig = Rig(self.root)
        self.edited: dict[Path, str] = {}
        """Notes that the user changed, with their text; they must stay as they are."""
        self.foreign: dict[Path, str] = {}
        """Markdown files that earmark never wrote."""
        self.settled = False
        """The daemon has drained the queue since the last change."""
        self.removed = False
        """Some note of ours was removed by the user, and stays so."""

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    # --- what happens to the folder ---

    def _path(self, name: str) -> Path:
        path = self.rig.folder / name
        path.parent.mkdir(exist_ok=True)
        return path

    @rule(name=st.sampled_from(NAMES), content=st.sampled_from(CONTENTS))
    def drop(self, name: str, content: str) -> None:
        path = self._path(name)
        temporary = self.rig.root / "incoming"
        temporary.write_text(content)
        temporary.replace(path)
        self.settled = False

    @rule(name=st.sampled_from(NAMES))
    def grow(self, name: str) -> None:
        path = self._path(name)
        if path.exists():
            with path.open("a") as file:
                file.write(" and more")
            self.settled = False

    @rule(old=st.sampled_from(NAMES), new=st.sampled_from(NAMES))
    def rename(self, old: str, new: str) -> None:
        if old != new and self._path(old).exists():
            self._path(old).rename(self._path(new))
            self.settled = False

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        if self._path(name).exists():
            self._path(name).unlink()
            self.settled = False

    @rule(which=st.integers(0, 7), text=st.sampled_from(("Mine.", "keep: true")))
    def edit_a_note(self, which: int, text: str) -> None:
        notes = [n for n in sorted(self.rig.folder.rglob("*.md")) if n not in self.foreign]
        if notes:
            note = notes[which % len(notes)]
            note.write_text(note.read_text() + f"\n{text}\n")
            self.edited[note] = note.read_text()

    @rule(name=st.sampled_from(("a.md", "a.transcript.md", "b.md")))
    def write_a_note_of_ones_own(self, name: str) -> None:
        path = self.rig.folder / name
        if not path.exists():
            path.write_text(f"# {name} of my own\n")
            self.foreign[path] = path.read_text()

    @precondition(lambda self: self.edited)
    @rule(which=st.integers(0, 7))
    def remove_an_edited_note(self, which: int) -> None:
        path = sorted(self.edited)[which % len(self.edited)]
        path.unlink()
        del self.edited[path]
        self.removed = True

    # --- what happens to the daemon ---

    @rule()
    def run(self) -> None:
        assert self.rig.run_once() == 0
        self.settled = True

    @rule(at=st.integers(1, 60))
    def die(self, at: int) -> None:
        steps = 0

        def step(_: str) -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                raise Dead

        supervisor = self.rig.supervisor(once=True, step=step)
        try:
            supervisor.run()
            self.settled = True
        except Dead:
            self.settled = False

    @rule()
    def lose_the_ledger(self) -> None:
        """The state folder is removed while the daemon is down. What can no longer be told, is not asked any more."""
        if self.settled:
            shutil.rmtree(self.rig.home)
            self.settled = False

    # --- what must hold ---

    @invariant()
    def nothing_of_the_users_is_touched(self) -> None:
        for path, text in {**self.edited, **self.foreign}.items():
            assert path.exists(), f"{path.name} is gone"
            assert path.read_text() == text, f"{path.name} was changed"

    @invariant()
    def a_settled_folder_is_complete(self) -> None:
        if not self.settled:
            return
        assert self.rig.litter() == []
        audio = [p for p in self.rig.folder.rglob("*") if p.suffix in (".m4a", ".wav")]
        texts = self.rig.notes()
        for path in audio:
            identity = hashlib.sha256(path.read_bytes()).hexdigest()
            beside = [
                text
                for name, text in texts.items()
                if (self.rig.folder / name).parent == path.parent and recording_of(text) == short(identity)
            ]
            kinds = sorted("transcript" if "type: transcript" in text else "summary" for text in beside)
            # A note that the user removed stays removed, so there may be fewer; never none of what was never there.
            assert "transcript" in kinds or "summary" in kinds or self.removed, (path.name, sorted(texts))
            for text in beside:
                if "type: transcript" in text:
                    assert f"Recording {identity[:12]} says number 0 here." in text
                    assert text.count("says number 2 here.") == 1
        states = set(self.rig.query("SELECT DISTINCT state FROM jobs WHERE stage = 'summarize'"))
        assert states <= {("done",)}, states
        bad = self.rig.query("SELECT recording_id, attempts FROM jobs WHERE attempts > 1")
        assert bad == []
        live = self.rig.query("SELECT count(*) FROM places WHERE gone_at IS NULL")
        assert live == [(len(audio),)]

    @invariant()
    def no_two_notes_of_ours_say_the_same(self) -> None:
        if self.settled:
            ours = [(str(Path(n).parent), t) for n, t in self.rig.notes().items() if "earmark_id" in t]
            names = {(folder, text) for folder, text in ours}
            assert len(names) == len(ours)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with Path(os.devnull).open("w") as nowhere:
        configure_logging(nowhere, json=True)
        yield


TestFolder = Folder.TestCase
TestFolder.settings = settings(
    max_examples=50,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
