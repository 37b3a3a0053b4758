"""A made-up study of 40 recordings: dropped by and by, taken by rules in real sweeps, and some kept, erased, brought back.

Every recording has the name of a person; what an ethics board gets has none of them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earmark.domain import Kind
from earmark.retention.erasure.copies import find
from earmark.retention.erasure.erase import erase
from earmark.retention.trash.restoring import restore

from tests.retention_world import World

PEOPLE = [
    f"{given} {family}"
    for family in ("Müller", "Okonkwo", "Smith", "Nguyen", "García", "Kowalski", "Haddad", "Larsen")
    for given in ("Anna", "Ben", "Chloé", "David", "Yusuf")
]
HELD, EDITED, NOISY, ERASED, BROUGHT_BACK, UNLISTED = 3, 7, 12, 15, 19, 23
"""Which recordings (by number from 0) something special happens to; the last is in no table of codes."""

RULES: dict[str, Any] = {
    "audio": {"keep_for": "14d"},
    "summary": {"keep_for": "30d"},
    "trash": {"keep_for": "10d"},
    "tags": {"okonkwo": {"audio": {"keep_for": "9d"}}},
    "fuse_items": 0,
    "fuse_percent": 0,
}

CONFIG = """
[retention]
audio = {{ keep_for = "14d" }}
summary = {{ keep_for = "30d" }}
trash = {{ keep_for = "10d" }}
fuse_items = 0
fuse_percent = 0
tags.okonkwo.audio = {{ keep_for = "9d" }}
[[folder]]
path = "{ward}"
tags = ["okonkwo"]
"""


@dataclass
class Study:
    """`names` of the recordings by number, below the drop folder; `codes` is the table as a spreadsheet writes it."""

    world: World
    names: list[str] = field(default_factory=list)

    def table(self, *, without: tuple[int, ...] = (UNLISTED,)) -> str:
        """Name and code, a line each; accents as another system spells them."""
        lines = [
            f"{unicodedata.normalize('NFD', Path(name).name)};P{number + 1:02}\r\n"
            for number, name in enumerate(self.names)
            if number not in without
        ]
        return "Datei;Code\r\n" + "".join(lines)

    def words(self) -> set[str]:
        """Every word that may name somebody: of the recordings, of their folders, of the tag, of a hold's reason."""
        given = {word for person in PEOPLE for word in person.split()}
        return {*given, "okonkwo", "ward", "Patients", "lawyer"}


def made_up_study(root: Path) -> Study:
    """Six recordings every three days, each time a sweep; for six weeks."""
    world = World(root)
    ward = str(world.drop / "Patients ward 2")
    (root / "config").mkdir(exist_ok=True)
    (root / "config" / "config.toml").write_text(CONFIG.format(ward=ward))
    world.set_policy(RULES, [{"path": ward, "tags": ["okonkwo"]}])
    study = Study(world)
    for day in range(0, 46, 3):
        for number in range(2 * day, min(2 * day + 6, len(PEOPLE))):
            study.names.append(f"Patients ward {number % 3}/Interview {PEOPLE[number]}.m4a")
            _drop(world, study.names[-1], number)
        _act(study, day)
        world.sweep()
        world.pass_days(3)
    return study


def _drop(world: World, name: str, number: int) -> None:
    place = world.record(name, speech_seconds=400.0) if number == NOISY else world.record(name)
    if number % 10 == 0:
        world.note(place, Kind.SIDECAR, ".srt", "a subtitle")
    if number == HELD:
        world.ledger.protection.hold(place.recording_id, "Smith's lawyer asked for it", world.now)
    if number == EDITED:
        note = place.path.with_suffix(".md")
        note.write_text(note.read_text() + "corrected by Anna\n")


def _act(study: Study, day: int) -> None:
    """What a person does on a day."""
    world = study.world
    if day == 24:
        place = world.place(study.names[ERASED])
        found = find(world.context, [place.recording_id])
        with world.ledger.acting():
            assert erase(world.context, found, [place.recording_id]).complete
    if day == 27:
        path = world.drop / study.names[BROUGHT_BACK]
        row = next(r for r in world.ledger.trash.of_original(path))
        restore(world.context, row)
