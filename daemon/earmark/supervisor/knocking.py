"""While summaries wait for a server: is anybody home? A tiny process looks now and then; the daemon opens no socket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from earmark.config import Config
from earmark.config.endpoint import parts_of
from earmark.context import Context
from earmark.domain import Tick
from earmark.events import Event
from earmark.locality.confinement import knock
from earmark.locality.policy.addresses import LOCAL_PORTS, literal, scope_of
from earmark.locality.policy.consent import consent_in, fingerprint, is_localhost
from earmark.pipeline import summarizing

KNOCK_SECONDS = 40.0
"""Between two looks. With the time a look takes, a server that came back is noticed within a minute."""

AFTER_ANSWER = 180.0
"""Seconds of rest after somebody answered: it may still refuse, and is not to be hammered. Doubled while nothing
comes of it."""

LONGEST_REST = 3600.0
"""Seconds of rest at most."""


class Knocking:
    """Times are monotonic seconds. Only the loop's thread calls it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._not_before = Tick(0.0)
        self._process: subprocess.Popen[bytes] | None = None
        self._in_vain = 0
        """How often in a row somebody answered, and no summary came of it."""

    def made(self) -> None:
        """A summary came from the server."""
        self._in_vain = 0

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
            if status != 0:
                self._in_vain = 0
                return False
            if not self._in_vain:
                self._context.tell(Event.SERVER_ANSWERS)
            self._not_before = Tick(now + min(LONGEST_REST, AFTER_ANSWER * 2**self._in_vain))
            self._in_vain = min(self._in_vain + 1, 8)
            return True
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
        config = self._context.config
        addresses = knock_addresses(config.summary.endpoint, config.privacy)
        if addresses:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-I", "-S", str(Path(knock.__file__)),
                    *allowed_away(config, summarizing.consent(self._context)), *addresses,
                ],
                stdin=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )  # fmt: skip


def knock_addresses(endpoint: str, privacy: str) -> list[str]:
    """Where to see whether somebody listens, for knock.py, which looks names up and judges what it connects to.

    In privacy `device` only addresses that are loopback, and names that stand for this device. Nothing for an endpoint that
    cannot be read: whoever makes summaries says so.
    """
    if endpoint == summarizing.EXTRACTIVE:
        return []
    if endpoint == "auto":
        return [f"127.0.0.1:{port}" for port in LOCAL_PORTS]
    try:
        scheme, host, named, _ = parts_of(endpoint)
    except ValueError:
        return []
    port = named or (443 if scheme == "https" else 80)
    if host == "localhost":
        return [f"127.0.0.1:{port}", f"[::1]:{port}"]
    address = literal(host)
    if address is None:
        return [f"{host}:{port}"] if privacy != "device" or is_localhost(host) else []
    if scope_of(address) != "device" and privacy == "device":
        return []
    return [f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"]


def allowed_away(config: Config, fact: str | None) -> list[str]:
    """What may be knocked at away from this device, as knock.py's option: what a person allowed, else nothing."""
    consent = consent_in(fact)
    if config.privacy == "device" or consent is None or consent.fingerprint != fingerprint(config):
        return []
    if config.summary.endpoint.startswith("https:"):
        return [f"--allowed={consent.scope}"]
    return [f"--allowed={','.join(consent.addresses)}"] if consent.addresses else []
