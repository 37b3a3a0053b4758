"""Every act of earmark on a file, against everything the world may do meanwhile, at every step of the act.

Whatever happens: nothing goes that was not named, a guard that came before the take keeps, and a person's bytes are
afterwards somewhere a person looks (in the folder, or in the trash that `earmark trash list` shows).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from earmark.domain import Kind, Owed, Segment, Transcript, TrashState
from earmark.errors import EarmarkError
from earmark.export import export, verify
from earmark.files import Identity, OtherContent
from earmark.files.renaming import hidden_kind
from earmark.pipeline.publishing import Elsewhere, publish_place
from earmark.retention.sweep.apply import purge_due
from earmark.retention.trash.recovery import recover
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.sweeping import sweep
from earmark.verbs.trash import bring_back, empty

from tests.retention_world import World

pytestmark = pytest.mark.shows("durability:somebody-does-any-step")

MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
RULES = {
    "audio": {"keep_for": "30d"}, "transcript": {"keep_for": "30d"}, "trash": {"keep_for": "1d"},
    "fuse_items": 0, "fuse_percent": 0,
}  # fmt: skip
MINE = "what a person wrote, {}\n"


# --- the world ---


@dataclass
class Scene:
    """Two recordings in a folder below the drop folder; `talk` is what the act is about, `other` is nobody's business.

    `precious`: what a person wrote meanwhile. `guarded`: files that were still in their place when something came to hold
    them.
    """

    world: World
    sub: Path
    precious: list[bytes] = field(default_factory=list)
    guarded: dict[Path, bytes] = field(default_factory=dict)
    replaced: set[bytes] = field(default_factory=set)
    writers: list[threading.Thread] = field(default_factory=list)

    @property
    def audio(self) -> Path:
        return self.sub / "talk.wav"

    @property
    def note(self) -> Path:
        return self.sub / "talk.transcript.md"

    def names(self) -> list[Path]:
        """Wherever the act may find something: the places of the recording's files, and of those in the trash."""
        trash = self.world.context.home.state / "trash"
        there = [p for p in trash.rglob("*") if p.is_file()] if trash.is_dir() else []
        return [self.audio, self.note, self.sub / "talk.md", *there]

    def saved(self, path: Path, data: bytes) -> None:
        """A person's program puts data under a name, with a file of its own that it renames."""
        if path.is_file() and not path.is_symlink():
            self.replaced.add(path.read_bytes())  # the person's own doing
        temp = self.world.root / "saved by a person"
        temp.write_bytes(data)
        with suppress(FileNotFoundError, NotADirectoryError):
            temp.replace(path)
            self.precious.append(data)
        temp.unlink(missing_ok=True)

    def known(self) -> list[str]:
        """The id of the recording, as long as the ledger knows it."""
        return [p.recording_id for p in self.world.ledger.places.all() if p.path.stem != "other"][:1]

    def guard(self) -> None:
        """Something holds the recording from now on. What was moved but not confirmed yet is put back."""
        for path in self.names():
            if path.is_file():
                self.guarded[path] = path.read_bytes()


@contextmanager
def scene(act: str) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="earmark-pairs-") as root:
        world = World(Path(root).resolve(), dict(RULES))
        here = Scene(world, world.drop / "sub")
        world.record("sub/talk.wav")
        world.record("sub/other.wav")
        # The bystander is held, so that only the one recording is due.
        world.ledger.protection.hold(world.place("sub/other.wav").recording_id, "", world.now)
        world.pass_days(40)
        PREPARE.get(act, nothing)(here)
        yield here
        world.ledger.close()


# --- the acts ---


def in_trash(here: Scene) -> None:
    here.world.apply()
    here.world.pass_days(2)


def another_transcript(here: Scene) -> None:
    """The notes on disk are those of an earlier revision."""
    world = here.world
    recording = world.place("sub/talk.wav").recording_id
    said = Transcript(
        recording, (Segment(0.0, 9.5, "heard anew", 0.9),), "en", 0.9, 10.0, 9.0, "base", "whisper"
    )
    world.ledger.words.store_transcript(said, "{}", world.now)


def without_notes(here: Scene) -> None:
    """The words are there and the notes have never been written."""
    place = here.world.place("sub/talk.wav")
    for artifact in here.world.ledger.artifacts.of_place(place):
        artifact.path.unlink()
        here.world.ledger.artifacts.forget(artifact.path)
    here.world.ledger.places.owe(place.path, place.recording_id, Owed.BACK)


def renamed(here: Scene) -> None:
    """Somebody renamed the recording, and the ledger has just learned of it."""
    world, new = here.world, here.sub / "renamed.wav"
    place = world.place("sub/talk.wav")
    here.audio.rename(new)
    world.ledger.places.move(place, new, world.drop, Identity.of(new.lstat()), world.now)


PREPARE: dict[str, Callable[[Scene], None]] = {
    "purge": in_trash, "trash empty": in_trash, "restore": in_trash, "note first written": without_notes,
    "note replaced": another_transcript, "note follows": renamed,
}  # fmt: skip


def prompted(here: Scene) -> bool:
    """A person thinks before they say yes."""
    here.world.context.step("prompt")
    return True


def act_take(here: Scene) -> None:
    sweep(here.world.context, None, lambda _: prompted(here))


def act_purge(here: Scene) -> None:
    with here.world.ledger.acting():
        purge_due(here.world.context)


def act_empty(here: Scene) -> None:
    context = here.world.context
    empty(context, context.ledger.trash.in_state(TrashState.HERE), even_held=False)


def act_forget(here: Scene) -> None:
    forget(here.world.context, Which(files=(here.audio,)), lambda *_: prompted(here))


def act_restore(here: Scene) -> None:
    bring_back(here.world.context, [str(here.audio)], lambda _: None)


def act_publish(here: Scene) -> None:
    context = here.world.context
    place = next(p for p in context.ledger.places.all() if p.here and p.path.stem != "other")
    with context.ledger.acting():
        publish_place(context, place)


def act_export(here: Scene) -> None:
    export(here.world.context, here.world.root / "export")


ACTS: dict[str, Callable[[Scene], None]] = {
    "take": act_take, "purge": act_purge, "trash empty": act_empty, "forget": act_forget, "restore": act_restore,
    "note first written": act_publish, "note replaced": act_publish, "note follows": act_publish, "export": act_export,
}  # fmt: skip
LETS_GO = ("purge", "trash empty", "forget")
"""Acts after which the recording's own bytes may be gone for good: that is what was asked for."""


NOTES = ("talk.md", "talk.transcript.md")
WRITTEN_ANEW = {
    "take": NOTES, "note first written": NOTES, "note replaced": NOTES, "note follows": NOTES, "restore": NOTES,
}  # fmt: skip
"""Notes that an act makes anew, so that their former bytes, which were ours, may be nowhere."""


# --- what the world does ---


def nothing(here: Scene) -> None:
    pass


def a_new_recording_takes_the_name(here: Scene) -> None:
    here.saved(here.audio, b"RIFF of another day")


def a_strangers_file_takes_the_names(here: Scene) -> None:
    for path in here.names():
        here.saved(path, MINE.format(path.name).encode())


def edited_in_place(here: Scene) -> None:
    """Another program writes to what has the name; while a lease lasts, the kernel lets it wait."""

    def write(path: Path) -> None:
        with suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.write(fd, MINE.format("an edit").encode())
            os.close(fd)
            here.precious.append(MINE.format("an edit").encode())

    for path in here.names():
        if path.is_file():
            here.replaced.add(path.read_bytes())
            writer = threading.Thread(target=write, args=(path,))
            writer.start()
            writer.join(0.02)
            here.writers.append(writer)


def saved_by_rename(here: Scene) -> None:
    for path in (here.note, here.sub / "talk.md"):
        old = path.read_bytes() if path.is_file() else b""
        here.saved(path, old + MINE.format(path.name).encode())


def held(here: Scene) -> None:
    here.guard()
    for recording_id in here.known():
        here.world.ledger.protection.hold(recording_id, "", here.world.now)


def keep_true(here: Scene) -> None:
    note = here.note if here.note.is_file() else here.sub / "talk.md"
    if note.is_file():
        here.guard()
        data = note.read_bytes().replace(b"---\n", b"---\nkeep: true\n", 1)
        here.saved(note, data)
        here.guarded[note] = data


def marked(here: Scene) -> None:
    if here.sub.is_dir():
        here.guard()
        (here.sub / ".earmark-hold").touch()


def given_its_own_rule(here: Scene) -> None:
    here.guard()
    for recording_id in here.known():
        for kind in Kind:
            here.world.ledger.protection.set_item_rule(recording_id, kind, '{"never": true}', here.world.now)


def _strangers(folder: Path, here: Scene) -> None:
    folder.mkdir()
    for name in ("talk.wav", "talk.transcript.md", "talk.md", "renamed.wav", "other.wav"):
        data = MINE.format(f"{folder.name}/{name}").encode()
        (folder / name).write_bytes(data)
        here.precious.append(data)


def the_parent_becomes_a_symlink(here: Scene) -> None:
    if here.sub.is_dir() and not here.sub.is_symlink():
        _strangers(here.world.root / "elsewhere", here)
        here.sub.rename(here.world.root / "kept aside")
        here.sub.symlink_to(here.world.root / "elsewhere")


def the_folder_becomes_another(here: Scene) -> None:
    if here.sub.is_dir() and not here.sub.is_symlink():
        here.sub.rename(here.world.root / "kept aside")
        _strangers(here.sub, here)


def the_file_becomes_a_fifo(here: Scene) -> None:
    for path in here.names():
        if path.is_file():
            path.rename(here.world.root / f"kept {path.parent.name} {path.name}")
            os.mkfifo(path)


GUARDS = (held, keep_true, marked, given_its_own_rule)
DISTURBANCES = (
    nothing, a_new_recording_takes_the_name, a_strangers_file_takes_the_names, edited_in_place, saved_by_rename, *GUARDS,
    the_parent_becomes_a_symlink, the_file_becomes_a_fifo, the_folder_becomes_another,
)  # fmt: skip


# --- the table ---


def seen(here: Scene) -> list[bytes]:
    """What a person can find: everything but hidden files of ours, the ledger and what the export copied."""
    found = []
    for path in here.world.root.rglob("*"):
        below = path.relative_to(here.world.root).parts
        if below[0] == "export" or (below[0] == "state" and "trash" not in below):
            continue
        if path.is_file() and not path.is_symlink() and hidden_kind(path.name) is None:
            found.append(path.read_bytes())
    return found


def _holds_property(content: bytes, data: bytes) -> bool:
    """Whether it is a later version of a note to which a person added `keep: true`, with that in it."""
    keep = b"---\nkeep: true\n"
    if not (data.startswith(keep) and content.startswith(keep)):
        return False
    whose = data.splitlines()[2].removeprefix(b"earmark_id: ").strip(b'"')
    return whose in content


def wrong(
    here: Scene, act: str, disturb: Callable[[Scene], None], own: dict[str, bytes], at: str
) -> list[str]:
    """What is not as it must be afterwards."""
    world, found = here.world, seen(here)
    faults = []
    for data in here.precious:
        if act == "forget" and at == "prompt" and b"earmark_id" in data:
            continue  # a note of the recording that was edited while the person thought is found again, and is meant
        if not any(data in content or _holds_property(content, data) for content in found):
            faults.append(f"lost: {data[:60]!r}")
    for name, data in own.items():
        bystander = name.startswith("other")
        if data not in found and data not in here.replaced and (bystander or act not in LETS_GO):
            if name in WRITTEN_ANEW.get(act, ()):
                continue
            faults.append(f"gone: {name}")
    # The decision of an erasure is made in one transaction; a guard that comes after it comes too late.
    if disturb in GUARDS and act in ("take", "purge", "trash empty", "forget") and not too_late(act, at):
        for path, data in here.guarded.items():
            # A note of ours that was made anew under its name did not go.
            anew = path.is_file() or (path.suffix == ".md" and (here.sub / path.name).is_file())
            if data not in found and data not in here.replaced and not anew:
                faults.append(f"held, and went: {path.name}")
            elif path.is_relative_to(world.drop) and not path.is_file():
                faults.append(f"held, and was moved: {path.name}")
    faults += [f"left: {p.name}" for p in world.root.rglob(".earmark-*") if hidden_kind(p.name)]
    if act == "export" and (world.root / "export").is_dir():
        faults += exported_wrongly(here)
    return faults


def too_late(act: str, at: str) -> bool:
    return act == "forget" and at not in ("prompt", "before:announce")


def exported_wrongly(here: Scene) -> list[str]:
    """An export is whole, and holds nothing that is not the recording's."""
    top = here.world.root / "export"
    faults = [f"export: {fault}" for fault in verify(top)[1]]
    for path in top.rglob("*"):
        if path.is_file() and path.read_bytes() in here.precious and b"earmark_id" not in path.read_bytes():
            faults.append(f"exported a stranger's file: {path.name}")
    return faults


def pair(act: str, disturb: Callable[[Scene], None], at: int) -> tuple[list[str], list[str]]:
    """One cell: the steps that the act took, and what is wrong afterwards."""
    steps: list[str] = []
    with scene(act) as here:
        own = {p.name: p.read_bytes() for p in [*here.sub.iterdir(), *here.names()] if p.is_file()}

        def step(name: str) -> None:
            steps.append(name)
            if len(steps) == at:
                disturb(here)

        here.world.stepping(step)
        with suppress(EarmarkError, OtherContent, OSError, Elsewhere):
            ACTS[act](here)
        for writer in here.writers:
            writer.join()
        # The next start of the daemon settles what an error left.
        here.world.stepping(lambda _: None)
        with here.world.ledger.acting():
            recover(here.world.context)
        return steps, wrong(here, act, disturb, own, steps[at - 1] if len(steps) >= at else "")


@pytest.mark.shows("retention:held-note-folder-rule")
@pytest.mark.parametrize("act", ACTS)
def test_whatever_the_world_does_at_any_step_nothing_goes_that_was_not_named(
    act: str, record_property: Callable[[str, object], None]
) -> None:
    faults: list[str] = []
    cells: Counter[str] = Counter()
    for disturb in DISTURBANCES:
        for at in range(1, 200):
            steps, found = pair(act, disturb, at)
            faults += [
                f"{act}, {disturb.__name__} at step {at} ({steps[at - 1 : at]}): {fault}" for fault in found
            ]
            if len(steps) < at:
                break
            cells[disturb.__name__] += 1
        else:
            pytest.fail("the steps were not all enumerated")
    cells_in_all = sum(cells.values())
    record_property(
        "said", f"{act}: {len(DISTURBANCES)} disturbances, {cells_in_all} cells, {len(faults)} failures"
    )
    assert faults == []
    assert len(cells) == len(DISTURBANCES)
    assert sum(cells.values()) >= 3 * len(DISTURBANCES)


def test_the_table_would_notice_a_loss() -> None:
    """What judges the cells is itself tried: a file that goes, a hidden one that is left, a held one that is moved."""
    with scene("take") as here:
        own = {"other.wav": b"was there, and is not", "talk.wav": here.audio.read_bytes()}
        here.precious.append(b"written by a person")
        held(here)
        shutil.move(here.audio, here.world.root / "elsewhere.wav")
        (here.sub / ".earmark-0123456789abcdef.swap.talk.md").write_bytes(b"x")
        found = wrong(here, "take", held, own, "before:take")
    assert [f.partition(":")[0] for f in found] == ["lost", "gone", "held, and was moved", "left"]
