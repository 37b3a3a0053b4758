"""What a query means, as a vector: made in a process behind the walls of that which makes those of passages."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager

from earmark.config import Config
from earmark.errors import EnvironmentFault, ModelError
from earmark.messages import Embed, Embedded, Failed
from earmark.paths import Home
from earmark.pipeline.verdict import End, describe
from earmark.search.models import MeaningModel, find_meaning_model
from earmark.search.order import MODULE, meaning_order
from earmark.search.vectors import Meaning, checked
from earmark.workers import Left, Said, Worker

PATIENCE = 20.0
"""Seconds to wait for it; it takes one."""


class Asked:
    """A query whose vector is made while something else is done. `model`: what makes it, None if it cannot be used; `why`:
    why there is no vector, as a sentence without its end.
    """

    def __init__(self, model: MeaningModel | None, text: str, why: str = "") -> None:
        self.model, self.why = model, why
        self._text = text
        self._inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
        self._worker: Worker | None = None
        self._meaning: Meaning | None = None

    def begin(self, config: Config) -> None:
        """Start the process."""
        if self.model is None:
            return
        try:
            self._worker = Worker(MODULE, self._inbox.put)
        except EnvironmentFault as error:
            self.why = str(error).rstrip(".")
            return
        self._worker.send(meaning_order(config, self.model, once=True))
        self._worker.send(Embed(job=1, texts=(self._text,)))

    def meaning(self) -> Meaning | None:
        """Wait for it; None if there is none."""
        if self._meaning is None and self.model and self._worker and not self.why:
            vector = self._wait()
            if isinstance(vector, bytes):
                self._meaning = Meaning(self.model.digest, vector)
            else:
                self.why = vector.rstrip(".")
        return self._meaning

    def end(self) -> None:
        if self._worker is not None:
            self._worker.kill()

    def _wait(self) -> bytes | str:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                note = self._inbox.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return f"the process for it says nothing for {PATIENCE:.0f} seconds"
            if isinstance(note, Left):
                return describe(End(note.exit_status, note.oom_kills, ready=True, broke=note.broke))
            note.taken()
            match note.message:
                case Embedded() as told:
                    found = checked(told, 1)
                    return found[0] if isinstance(found, list) else f"the process for it said {found}"
                case Failed(sentence=sentence):
                    return sentence
                case _:
                    pass


@contextmanager
def asked_for(home: Home, text: str) -> Iterator[Asked | None]:
    """The meaning of a text, to be asked for; None where there is no model for it, or no text."""
    asked = None
    if text:
        try:
            model = find_meaning_model(home.models)
            asked = Asked(model, text) if model is not None else None
        except ModelError as error:
            asked = Asked(None, text, str(error).rstrip("."))
    try:
        yield asked
    finally:
        if asked is not None:
            asked.end()
