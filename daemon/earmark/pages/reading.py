"""What the pages say, read from the ledger and from the daemon's report, as plain values; templates say how they look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.filesize import decimal

from earmark.below import below
from earmark.config import Config
from earmark.context import Context
from earmark.errors import EarmarkError
from earmark.ledger.trash import IN_TRASH
from earmark.locality.policy.destination import Destination
from earmark.locality.policy.page import split
from earmark.locality.policy.snapshot import snapshot
from earmark.models.catalog import Device
from earmark.models.inventory import inventory, usage_here
from earmark.pages.now import now
from earmark.pages.presence import heard_at
from earmark.paths import Home
from earmark.retention.trash.rows import purged_from
from earmark.search.query import parse
from earmark.verbs.found_said import by_words_only, how_many, left_out, of_passage, unread
from earmark.verbs.meaning import MeaningWorker
from earmark.verbs.opening import opened_context
from earmark.verbs.policy_facts import facts_now
from earmark.verbs.searching import Result, search

FOUND = 40
"""Passages that one search shows."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One that was found. `name`: of its file; `said`: of it besides its words; `sounds`: its file can be heard."""

    found: Result
    name: str
    said: list[str]
    sounds: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """One installation, as whoever serves its pages may see it. `end`: where summaries go, as it was looked up before the
    walls went up; `standing`: who says what a query means; `device`: what earmark may use here; `at_once`: recordings
    that it would hear at once.
    """

    home: Home
    config: Config
    end: Destination | None
    standing: MeaningWorker
    device: Device
    at_once: int

    @contextmanager
    def looking(self) -> Iterator[Context]:
        """The ledger at one moment."""
        with (
            opened_context(self.home, self.config, read_only=True) as context,
            context.ledger.one_moment(),
        ):
            yield context

    def work(self) -> dict[str, Any]:
        """What is being done, what waits and why, what failed and what is wrong."""
        with self.looking() as context:
            return now(context, self.at_once)

    def found(self, query: str) -> dict[str, Any]:
        """Passages for a query, with what is to be said of them and of what is not found."""
        nothing: dict[str, Any] = {"results": [], "notes": [], "said": ""}
        if not query.strip():
            return nothing
        try:
            found = search(self.home, self.config, parse(query), FOUND, standing=self.standing)
        except EarmarkError as error:
            return nothing | {"notes": [str(error)]}
        named = partial(below, folders=found.tops)
        notes = [f"not read: {reason}" for reason in unread(found.not_read)]
        notes += left_out(found, named)
        notes += filter(None, [by_words_only(found)])
        with self.looking() as context:
            ids = {r.hit.recording_id for r in found.results}
            sounds = {each: heard_at(context, each) is not None for each in ids}
        rows = [
            Passage(r, named(r.place.path), of_passage(r), sounds[r.hit.recording_id]) for r in found.results
        ]
        return {
            "results": rows,
            "notes": notes,
            "said": how_many(found, FOUND) if rows else "Nothing was found.",
        }

    def trash(self) -> dict[str, Any]:
        """What lies in the trash, and when it will be purged."""
        with self.looking() as context:
            rows = context.ledger.trash.in_state(*IN_TRASH)
        return {
            "rows": [(row, purged_from(self.config, row)) for row in reversed(rows[-1000:])], "count": len(rows),
            "size": decimal(sum(row.size for row in rows)),
        }  # fmt: skip

    def receipts(self, skip: int, most: int = 200) -> dict[str, Any]:
        """Receipts, the newest first."""
        with self.looking() as context:
            rows = context.ledger.receipts.all()
        part = rows[::-1][skip : skip + most]
        more = skip + most if len(rows) > skip + most else None
        return {"rows": [(row, json.loads(row.body)) for row in part], "count": len(rows), "more": more}

    def models(self) -> dict[str, Any]:
        """Models on this device, with size and speed."""
        with self.looking() as context:
            usage = usage_here(context.ledger)
        configured = self.config.transcription.model_dir
        return {
            "entries": inventory(self.home.models, self.device, usage, configured),
            "device": self.device,
        }

    def privacy(self) -> dict[str, Any]:
        """The policy page."""
        page = snapshot(self.config, facts_now(self.home, self.config, lambda _: self.end))
        offline, online = split(page.operations)
        return {"page": page, "offline": offline, "online": online}
