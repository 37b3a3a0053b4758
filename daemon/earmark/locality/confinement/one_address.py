"""What the summarization worker gives up before it sees a word: every connection but to the address that was checked.

seccomp cannot look at addresses and Landlock only at ports, so the worker keeps no way to connect at all. A process of
its own (door.py), which never sees a word, opens connections to the pinned addresses and passes them in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from earmark.errors import PrivacyError
from earmark.locality.confinement import calls
from earmark.locality.confinement.doorway import (
    AddressAndPort,
    Doorway,
    Remembered,
    lead_through,
    open_doorway,
)
from earmark.locality.confinement.process import SUMMARIZER_MEMORY, cap_memory, harden_process
from earmark.locality.confinement.sandbox import Mode, shut_the_doors
from earmark.locality.policy import forwarding
from earmark.locality.policy.destination import permitted
from earmark.locality.policy.endpoint import NameNotFound, Privacy, Resolver

LINK_STATUS = Path(__file__).with_name("linkstatus.py")
LISTENER = Path(__file__).with_name("listener.py")


def pinned_addresses(
    endpoint: str,
    privacy: Privacy,
    allowed_hosts: Iterable[str],
    local_ports: Iterable[int],
    resolver: Resolver | None = None,
    consent: str = "",
) -> tuple[AddressAndPort, ...]:
    """The addresses that a configured endpoint stands for, looked up once; none for "none" or a refused endpoint.

    `consent`: as in `policy.destination.permitted`.
    """
    if endpoint == "none":
        return ()
    if endpoint == "auto":
        return tuple(("127.0.0.1", port) for port in local_ports)
    try:
        pinned = permitted(endpoint, privacy, allowed_hosts, consent, resolver)
    except (PrivacyError, NameNotFound):
        return ()
    return tuple((ip, pinned.port) for ip in (pinned.ip, *pinned.others))


def confine(
    endpoint: str,
    privacy: Privacy,
    allowed_hosts: Sequence[str],
    local_ports: Iterable[int],
    readable: Sequence[Path] = (),
    mode: Mode = "auto",
    consent: str = "",
) -> tuple[str, ...]:
    """Shut every way out of this process but the one to the endpoint; returns what holds, in words.

    Call it first thing, before other threads exist. It cannot be undone. `readable`: the user's summary templates.
    With mode "require" PrivacyError is raised where the system cannot enforce it.
    """
    harden_process()
    os.umask(0o077)
    resolver = Remembered()
    addresses = pinned_addresses(endpoint, privacy, allowed_hosts, local_ports, resolver, consent)
    doorway = open_doorway(addresses)
    tool = forwarding.lms_tool() if addresses else None
    if tool is not None:
        # From here on no program can be started, and this one's answer decides whether words may go at all.
        forwarding.lms_link_status = LinkStatusAsker(tool)
    if addresses:
        forwarding.who_listens = ListenerAsker()
    cap_memory(SUMMARIZER_MEMORY)
    enforced = shut_the_doors(readable, None, mode, what="the summary templates", may=calls.SUMMARIES)
    lead_through(doorway, resolver)
    return (*enforced, way_out(doorway))


def way_out(doorway: Doorway) -> str:
    """Where connections can still end, in words."""
    if not doorway.addresses:
        return "connections: none"
    named = ", ".join(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in doorway.addresses)
    return f"connections: only to {named}, opened by a process that sees no words"


class Asker:
    """A process that answers a line with a line of JSON, started before this one may start none."""

    def __init__(self, script: Path, *arguments: str, environ: Sequence[str] = ()) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in environ if name in os.environ},
        )

    def ask(self, line: str) -> Any:
        """The answer, parsed; None if there is none."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            with self._lock:
                stdin.write(line.encode() + b"\n")
                stdin.flush()
                return json.loads(stdout.readline() or b"null")
        except (OSError, ValueError):
            return None


class LinkStatusAsker(Asker):
    """Runs `lms` when it is asked. Calling it returns the tool's JSON, parsed, or None."""

    def __init__(self, tool: str) -> None:
        super().__init__(LINK_STATUS, tool, environ=("HOME", "PATH", "LANG"))

    def __call__(self) -> Any:
        return self.ask("?")


class ListenerAsker(Asker):
    """Looks which program listens at a port of this device. Calling it is calling `listener.who_listens`."""

    def __init__(self) -> None:
        super().__init__(LISTENER)

    def __call__(self, ip: str, port: int) -> forwarding.Listener | None:
        found = self.ask(f"{ip} {port}")
        return found if isinstance(found, dict) and isinstance(found.get("names"), list) else None
