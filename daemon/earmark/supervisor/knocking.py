"""While summaries wait for a server: is anybody home? A tiny process looks now and then; the daemon opens no socket."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from earmark.context import Context
from earmark.domain import Event, Tick
from earmark.locality.confinement import knock
from earmark.pipeline import summarizing

KNOCK_SECONDS = 40.0
"""Between two looks. With the time a look takes, a server that came back is noticed within a minute."""

AFTER_ANSWER = 180.0
"""Seconds of rest after somebody answered: it may still refuse, and is not to be hammered."""

LOCAL_PORTS = (1234, 11434, 8080, 8000, 1337, 8081, 5001, 8033)
"""Where `earmark.summarization.connection.PORTS` looks; a test holds the two together, because importing that module
here would bring the HTTP client into the daemon."""


class Knocking:
    """Times are monotonic seconds. Only the loop's thread calls it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._not_before = Tick(0.0)
        self._process: subprocess.Popen[bytes] | None = None

    def rest(self, now: Tick) -> None:
        """Nobody was home just now; come back later."""
        self._not_before = Tick(max(self._not_before, now + KNOCK_SECONDS))

    def answered(self, now: Tick) -> bool:
        """Look if it is time; true once when somebody listens where the summaries should go."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return False
            self._process = None
            if status == 0:
                self._context.tell(Event.SERVER_ANSWERS)
                self._not_before = Tick(now + AFTER_ANSWER)
            return status == 0
        if now >= self._not_before and summarizing.parked(self._context):
            self._not_before = Tick(now + KNOCK_SECONDS)
            self._start()
        return False

    def next_at(self, now: Tick) -> float | None:
        """When to come here again, if there is anything to come for."""
        if self._process is not None:
            return now + 0.5
        return self._not_before if self._not_before > now else None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _start(self) -> None:
        if summarizing.forbidden(self._context):
            return  # not even a knock, before a person has allowed it
        addresses = knock_addresses(self._context.config.summary.endpoint, self._context.config.privacy)
        if addresses:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(knock.__file__)), *addresses],
                stdin=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )


def knock_addresses(endpoint: str, privacy: str) -> list[str]:
    """Where to see whether somebody listens. In privacy `device` only addresses that are loopback without any lookup."""
    if endpoint == summarizing.EXTRACTIVE:
        return []
    if endpoint == "auto":
        return [f"127.0.0.1:{port}" for port in LOCAL_PORTS]
    parts = urlsplit(endpoint)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if host == "localhost":
        return [f"127.0.0.1:{port}", f"[::1]:{port}"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [f"{host}:{port}"] if privacy != "device" else []
    if not address.is_loopback and privacy == "device":
        return []
    return [f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"]
