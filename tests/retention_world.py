"""A small real world for the retention tests: a drop folder with files, a real ledger that knows them, a clock."""

from __future__ import annotations

import codecs
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from earmark.config import parse_config
from earmark.context import Clock, Context
from earmark.domain import Date, Dated, Instant, Kind, Segment, Stage, Summary, Tick, Transcript
from earmark.events import Event
from earmark.files import Identity, content_of, digest
from earmark.ledger import Digests, Ledger, Place
from earmark.ledger.note_ids import short
from earmark.notes.comparing import digests
from earmark.paths import Home
from earmark.retention import plan_now, remember_policy, sweep_by_clock
from earmark.retention.rules.decide import Plan
from earmark.retention.sweep.apply import SweepReport, apply

from tests.new_ledger import lay_ledger

DAY = 86400.0
NOBODY = 65534
T0 = Instant(1_760_000_000.0)
"""9 October 2025."""


@contextmanager
def as_somebody(root: Path) -> Iterator[None]:
    """Everything below `root` is theirs, and they may not read what is shut to them (root may read everything)."""
    if os.geteuid() != 0:
        yield
        return
    codecs.lookup("utf-16-le")  # Python's own files may be shut to them
    for path in (root, *root.rglob("*")):
        os.lchown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def say_keep(note: Path) -> None:
    """A person writes `keep: true` on top of a note."""
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))


class World:
    """Everything is under `root`: `drop/` and `state/`. `now` moves only when a test moves it."""

    made: ClassVar[list[World]] = []
    """Those whose ledger is open; where they are built, they are closed (tests/retention_root.py)."""

    def __init__(self, root: Path, retention: dict[str, Any] | None = None) -> None:
        self.root = root
        self.drop = root / "drop"
        self.drop.mkdir(parents=True, exist_ok=True)
        self.now = T0
        self.boots = 0.0
        home = Home(root / "config", root / "state", root / "data")
        clock = Clock(wall=lambda: self.now, monotonic=lambda: Tick(0.0))
        lay_ledger(home.ledger_file)
        self.context = Context(
            Ledger(home.ledger_file), home, parse_config({}, "test"), (self.drop,), clock=clock
        )
        self.made.append(self)
        self.set_policy(retention or {})

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def reopen(self) -> None:
        """As a new process finds it."""
        self.ledger.close()
        self.context.ledger = Ledger(self.context.home.ledger_file)

    def set_policy(self, retention: dict[str, Any], folder: list[dict[str, Any]] | None = None) -> None:
        """These are the rules from now on."""
        self.context.config = parse_config({"retention": retention, "folder": folder or []}, "test")
        remember_policy(self.context)

    def record(
        self,
        name: str,
        *,
        done: bool = True,
        dated: float | None = None,
        audio: bytes | None = None,
        **transcript: Any,
    ) -> Place:
        """A recording that was dropped now, transcribed, summarized and (if `done`) finished, with its two notes."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if audio is None:
            audio = b"RIFF" + os.fsencode(name) + random.Random(os.fsencode(name)).randbytes(3000)
        path.write_bytes(audio)
        return self.take_in(path, done=done, dated=dated, **transcript)

    def take_in(
        self, path: Path, *, done: bool = True, dated: float | None = None, **transcript: Any
    ) -> Place:
        """The same for a file that is there already."""
        content, ledger, now = content_of(path), self.ledger, self.now
        recording_id = content.sha256
        at = now if dated is None else Instant(dated)
        with ledger.transaction():
            ledger.recordings.add(
                recording_id, content.size, now, Date(at, "", Dated.FILE), 0, content.body_sha256
            )
            ledger.places.put(path, self.drop, recording_id, content.identity, now)
            for stage in Stage:
                ledger.jobs.add(recording_id, stage, now)
            self.context.tell(Event.ACCEPTED, "A new recording.", recording=recording_id, file=path)
        if not done:
            return self.place(path)
        said = transcript.pop("said", f"the secret of {path.name!a} is a purple walrus")
        facts: dict[str, Any] = {
            "segments": (Segment(0.0, 9.5, said, 0.9),), "language": "en", "language_probability": 0.99,
            "duration": 10.0, "speech_seconds": 9.0, "model": "tiny.en", "engine": "whisper",
        }  # fmt: skip
        ledger.words.store_transcript(Transcript(recording_id, **(facts | transcript)), "{}", now)
        summary = Summary(recording_id, "extractive", ascii(path.name), f"Overview: {said}")
        ledger.words.store_summary(summary, now)
        for job in ledger.jobs.all():
            if job.recording_id == recording_id:
                ledger.jobs.done(job.id, now)
        place = self.place(path)
        self.note(place, Kind.TRANSCRIPT, ".transcript.md", said)
        self.note(place, Kind.SUMMARY, ".md", f"Overview: {said}")
        ledger.places.caught_up(place, 1, 1)
        ledger.recordings.mark_done(recording_id, now)
        return self.place(path)

    def place(self, path: Path | str) -> Place:
        """What the ledger knows of the recording at a path."""
        found = self.ledger.places.at(self.drop / path)
        assert found is not None
        return found

    def note(self, place: Place, kind: Kind, ending: str, text: str, extra: str = "") -> Path:
        """Write a note as the pipeline does: announced, on disk, confirmed."""
        path = place.path.with_suffix(ending)
        data = f"---\nearmark_id: {short(place.recording_id)}\ntype: {kind}\n{extra}---\n{text}\n"
        form = ending.rsplit(".", 1)[-1]
        known = digests(data) if form == "md" else Digests(digest(data.encode()))
        self.ledger.artifacts.writing(place, kind, form, path, 1, known.sha256, self.now)
        path.write_text(data)
        assert self.ledger.artifacts.written(path, known, self.now)
        return path

    def pass_days(self, days: float) -> None:
        """Time goes by, on every clock."""
        self.now = Instant(self.now + days * DAY)
        self.boots += days * DAY

    def planned(self, **options: Any) -> Plan:
        """What a sweep of this moment would do."""
        return plan_now(self.context, **options)

    def plan(self, **options: Any) -> set[str]:
        """Names of what would go."""
        return {d.item.path.name for d in self.planned(**options).goes}

    def why(self, name: str, **options: Any) -> str:
        """Why a file stays."""
        found = self.planned(keep_all=True, **options)
        return next(d.reason for d in [*found.kept, *found.goes] if d.item.path.name == name)

    def apply(self, **options: Any) -> SweepReport:
        """Plan and carry out at once."""
        with self.ledger.acting():
            return apply(self.context, self.planned(**options))

    def sweep(self, **options: Any) -> SweepReport:
        """A sweep by clock, of which the first after a policy change only reports."""
        return sweep_by_clock(self.context, **({"boot": lambda: (self.boots, "boot-1")} | options))

    def let_the_report_be_read(self) -> None:
        """The sweep that only reports a new policy, and the day until the next one."""
        assert self.sweep().outcome == "reported"
        self.pass_days(1)

    def files(self) -> set[str]:
        """Names of the visible files in the drop folder."""
        return {p.name for p in self.drop.rglob("*") if p.is_file() and ".earmark-trash" not in p.parts}

    def restat(self, path: Path) -> None:
        """The ledger learns the present size, time and inode of a file whose content it knows."""
        place = self.place(path)
        self.ledger.places.put(path, place.folder, place.recording_id, Identity.of(path.lstat()), self.now)

    def stepping(self, step: Any) -> None:
        """Call this at each step from now on."""
        self.context = replace(self.context, step=step)
