"""Keeping a Mac awake while workers work, where the configuration says so (power.py has how, and where it does nothing)."""

from __future__ import annotations

import os
import subprocess

from earmark.config import Config
from earmark.context import Context
from earmark.domain import Tick
from earmark.events import Event
from earmark.power import CAFFEINATE, KeepAwake, keep_awake

AGAIN_SECONDS = 60.0
"""Between two tries, where it does not start or does not stay."""


def does_nothing(config: Config, platform: str) -> str | None:
    """What to say of a configuration that asks for it where it does nothing; None if it is well."""
    if not config.transcription.stay_awake:
        return None
    if platform != "darwin":
        return "[transcription] stay_awake does nothing here: it is caffeinate's work, which only macOS has"
    if not os.access(CAFFEINATE, os.X_OK):
        return f"[transcription] stay_awake does nothing here: there is no {CAFFEINATE}"
    return None


class Awake:
    """At most one process that keeps the machine awake. Only the loop's thread calls it."""

    def __init__(self, context: Context, keep: KeepAwake = keep_awake) -> None:
        self._context = context
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = Tick(0.0)
        self._told = False

    def turn(self, busy: bool) -> None:
        """Start it when workers work, end it when none does."""
        if not (busy and self._context.config.transcription.stay_awake):
            self.stop()
            return
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._tell(f"{CAFFEINATE} ended with exit status {self._process.returncode}")
            self._process = None
        now = self._context.clock.monotonic()
        if now < self._not_before:
            return
        self._not_before = Tick(now + AGAIN_SECONDS)
        try:
            self._process = self._keep(os.getpid())
        except OSError as problem:
            self._tell(f"{CAFFEINATE} cannot be started ({problem.strerror})")

    def stop(self) -> None:
        """The machine may sleep again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process, self._not_before = None, Tick(0.0)

    def _tell(self, why: str) -> None:
        """Once a session: it is no trouble for the recordings, which go on when the machine does."""
        if not self._told:
            self._told = True
            sentence = f"The Mac may go to sleep while there is work: {why}"
            self._context.tell(Event.NOT_KEPT_AWAKE, sentence, level="warning", journal=False)
