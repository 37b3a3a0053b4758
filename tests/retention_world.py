"""A small real world for the retention tests: a drop folder with files, a real ledger that knows them, a clock."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path
from typing import Any

from earmark.config import Config, parse_config
from earmark.domain import Kind, Segment, Stage, Summary, Transcript
from earmark.ledger import Identity, Ledger, Place
from earmark.notes.frontmatter import read_frontmatter
from earmark.retention.applying import SweepReport, apply
from earmark.retention.planning import plan_now, remember_policy
from earmark.retention.sweep import scheduled_sweep

DAY = 86400.0
T0 = 1_760_000_000.0
"""9 October 2025."""


class World:
    """Everything is under `root`: `drop/` and `state/`. `now` moves only when a test moves it."""

    def __init__(self, root: Path, retention: dict[str, Any] | None = None) -> None:
        self.root = root
        self.drop = root / "drop"
        self.drop.mkdir(parents=True, exist_ok=True)
        self.now = T0
        self.ledger = Ledger(root / "state" / "ledger.db")
        self.boots = 0.0
        self.config = Config()
        self.set_policy(retention or {})

    def set_policy(self, retention: dict[str, Any], folder: list[dict[str, Any]] | None = None) -> None:
        self.config = parse_config({"retention": retention, "folder": folder or []}, "test")
        remember_policy(self.ledger, self.config, self.now)

    def record(self, name: str, *, done: bool = True, dated: float | None = None, **transcript: Any) -> Place:
        """A recording that was dropped now, transcribed, summarized and (if `done`) finished, with its two notes."""
        path = self.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        audio = b"RIFF" + os.fsencode(name) + random.Random(os.fsencode(name)).randbytes(3000)
        path.write_bytes(audio)
        recording_id = hashlib.sha256(audio).hexdigest()
        ledger, now = self.ledger, self.now
        with ledger.transaction():
            ledger.places.add_recording(recording_id, len(audio), now, now if dated is None else dated, 0)
            ledger.places.put(path, self.drop, recording_id, Identity.of(path.stat()), now)
            for stage in Stage:
                ledger.jobs.add(recording_id, stage, now)
            ledger.journal.note(now, "accepted", "A new recording.", recording_id, path)
        if not done:
            place = ledger.places.at(path)
            assert place is not None
            return place
        said = transcript.pop("said", f"the secret of {name!a} is a purple walrus")
        facts: dict[str, Any] = {
            "segments": (Segment(0.0, 9.5, said, 0.9),), "language": "en", "language_probability": 0.99,
            "duration": 10.0, "speech_seconds": 9.0, "model": "tiny.en", "engine": "whisper",
        }  # fmt: skip
        ledger.words.store_transcript(Transcript(recording_id, **(facts | transcript)), "{}", now)
        ledger.words.store_summary(Summary(recording_id, "extractive", ascii(name), f"Overview: {said}"), now)
        for job in ledger.jobs.all():
            if job.recording_id == recording_id:
                ledger.jobs.done(job.id, now)
        self.note(path, recording_id, Kind.TRANSCRIPT, ".transcript.md", said)
        self.note(path, recording_id, Kind.SUMMARY, ".md", f"Overview: {said}")
        ledger.places.caught_up(path, 1, 1, "")
        ledger.places.mark_done(recording_id, now)
        place = ledger.places.at(path)
        assert place is not None
        return place

    def note(
        self, audio: Path, recording_id: str, kind: Kind, ending: str, text: str, extra: str = ""
    ) -> Path:
        """Write a note as the pipeline does: announced, on disk, confirmed."""
        path = audio.with_suffix(ending)
        data = f"---\nearmark_id: {recording_id}\n{extra}---\n{text}\n".encode()
        sha256 = hashlib.sha256(data).hexdigest()
        form = ending.rsplit(".", 1)[-1]
        self.ledger.artifacts.writing(recording_id, audio, kind, form, path, 1, sha256, self.now)
        path.write_bytes(data)
        self.ledger.artifacts.written(path, sha256, self.now)
        return path

    def pass_days(self, days: float) -> None:
        self.now += days * DAY
        self.boots += days * DAY

    def plan(self, **options: Any) -> set[str]:
        """Names of what would go."""
        found = plan_now(self.ledger, self.config, self.now, read_frontmatter, **options)
        return {d.item.path.name for d in found.goes}

    def why(self, name: str, **options: Any) -> str:
        """Why a file stays."""
        found = plan_now(self.ledger, self.config, self.now, read_frontmatter, keep_all=True, **options)
        return next(d.reason for d in [*found.kept, *found.goes] if d.item.path.name == name)

    def apply(self, **options: Any) -> SweepReport:
        found = plan_now(self.ledger, self.config, self.now, read_frontmatter, **options)
        return apply(self.ledger, self.config, found, self.now)

    def sweep(self, **options: Any) -> SweepReport:
        """A scheduled sweep, of which the first after a policy change only reports."""
        return scheduled_sweep(
            self.ledger,
            self.config,
            self.now,
            lambda: 0.0,
            frontmatter=read_frontmatter,
            **({"clock": lambda: (self.boots, "boot-1")} | options),
        )

    def let_the_report_be_read(self) -> None:
        """The sweep that only reports a new policy, and the day until the next one."""
        assert self.sweep().outcome == "reported"
        self.pass_days(1)

    def files(self) -> set[str]:
        """Names of the visible files in the drop folder."""
        return {p.name for p in self.drop.rglob("*") if p.is_file() and ".earmark-trash" not in p.parts}
