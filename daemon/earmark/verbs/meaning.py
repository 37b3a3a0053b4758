"""What a query means, as a vector: made in a process behind the walls of that which makes those of passages."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from earmark.config import Config
from earmark.errors import EnvironmentFault, ModelError
from earmark.messages import Embed, Embedded, Failed, Message, parse_reply
from earmark.paths import Home
from earmark.pipeline.verdict import End, describe
from earmark.search.models import MeaningModel, find_meaning_model
from earmark.search.order import MODULE, meaning_order
from earmark.search.vectors import Meaning, checked
from earmark.verbs.probing import Starts
from earmark.workers import Left, Said, Worker, start_process

PATIENCE = 20.0
"""Seconds to wait for it; it takes one."""

SILENT = f"the process for it says nothing for {PATIENCE:.0f} seconds"

LONGEST_REPLY = 64 * 1024
"""Bytes of one line of its; the largest vector takes 2,800."""


class MeaningWorker:
    """A process that makes the vector of one query after the other, for a process that can start none any more and cannot
    look into the models folder. It reads what it needs when it is made, and ends with the process that made it.
    """

    def __init__(self, home: Home, config: Config, start: Starts = start_process) -> None:
        self.model: MeaningModel | None = None
        self.why = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._job, self._rest, self._one = 0, b"", threading.Lock()
        try:
            self.model = find_meaning_model(home.models)
            if self.model is not None:
                self._process = start(MODULE, stderr=subprocess.DEVNULL)
                self._send(meaning_order(config, self.model))
        except (ModelError, OSError) as error:
            self.why = str(error).rstrip(".")

    def asked(self, text: str) -> Asked | None:
        """The meaning of a text, to be asked for; None where there is no model."""
        return Asked(self.model, text, self.why, self) if self.model is not None or self.why else None

    def vector(self, text: str) -> bytes | str:
        """The vector, or why there is none, as the beginning of a sentence. May be called from any thread."""
        with self._one:
            if not self.why:
                try:
                    self._job += 1
                    self._send(Embed(job=self._job, texts=(text,)))
                    return self._wait()
                except OSError as error:
                    self.why = f"the process for it cannot be spoken to: {error.strerror or error}"
            return self.why

    def stop(self) -> None:
        """End it. Where this process may end none any more, it ends by itself, as it has no parent."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()
                self._process.wait()

    def _send(self, message: Message) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(message.line())
        self._process.stdin.flush()

    def _wait(self) -> bytes | str:
        """What it says to the last request; another one is not answered with what comes too late."""
        until = time.monotonic() + PATIENCE
        while True:
            line = self._line(until)
            if not line:
                return self.why or SILENT
            try:
                told = parse_reply.validate_json(line)
            except ValidationError:
                self.why = "the process for it said what is no message"
                return self.why
            if isinstance(told, Failed) and told.job == 0:
                self.why = told.sentence
            if isinstance(told, Failed) and told.job in (0, self._job):
                return told.sentence
            if isinstance(told, Embedded) and told.job == self._job:
                found = checked(told, 1)
                return found[0] if isinstance(found, list) else f"the process for it said {found}"

    def _line(self, until: float) -> bytes:
        """The next line; b"" where it says none in time, or ended, or says more than any line can be (`why`)."""
        assert self._process is not None
        assert self._process.stdout is not None
        told = self._process.stdout.fileno()
        waiting = select.poll()
        waiting.register(told, select.POLLIN)
        while b"\n" not in self._rest:
            if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
                return b""
            more = os.read(told, LONGEST_REPLY)
            self._rest += more
            if not more or len(self._rest) > LONGEST_REPLY:
                self.why = "the process for it ended" if not more else "the process for it said too much"
                return b""
        line, _, self._rest = self._rest.partition(b"\n")
        return line


class Asked:
    """A query whose vector is made while something else is done. `model`: what makes it, None if it cannot be used; `why`:
    why there is no vector, as a sentence without its end.
    """

    def __init__(
        self, model: MeaningModel | None, text: str, why: str = "", standing: MeaningWorker | None = None
    ) -> None:
        self.model, self.why = model, why
        self._standing, self._begun = standing, False
        self._text = text
        self._inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
        self._worker: Worker | None = None
        self._meaning: Meaning | None = None

    def begin(self, config: Config) -> None:
        """Start the process, unless there is one."""
        self._begun = True
        if self.model is None or self._standing is not None:
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
        there = self._standing if self._begun and self._standing else self._worker
        if self._meaning is None and self.model and there and not self.why:
            vector = self._standing.vector(self._text) if self._standing else self._wait()
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
                return SILENT
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
def asked_for(home: Home, text: str, standing: MeaningWorker | None = None) -> Iterator[Asked | None]:
    """The meaning of a text, to be asked for; None where there is no model for it, or no text. `standing`: who makes it, for
    a process that can start nobody.
    """
    asked = None
    if text and standing is not None:
        asked = standing.asked(text)
    elif text:
        try:
            model = find_meaning_model(home.models)
            asked = Asked(model, text) if model is not None else None
        except (ModelError, OSError) as error:
            asked = Asked(None, text, str(error).rstrip("."))
    try:
        yield asked
    finally:
        if asked is not None:
            asked.end()
