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
from earmark.locality.confinement.doorway import (
    AddressAndPort,
    Doorway,
    Remembered,
    lead_through,
    open_doorway,
)
from earmark.locality.confinement.process import harden_process
from earmark.locality.confinement.sandbox import Mode, shut_the_doors
from earmark.locality.policy import forwarding
from earmark.locality.policy.destination import permitted
from earmark.locality.policy.endpoint import NameNotFound, Privacy, Resolver

LINK_STATUS = Path(__file__).with_name("linkstatus.py")


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
    enforced = shut_the_doors(readable, None, mode, what="the summary templates")
    lead_through(doorway, resolver)
    return (*enforced, way_out(doorway))


def way_out(doorway: Doorway) -> str:
    """Where connections can still end, in words."""
    if not doorway.addresses:
        return "connections: none"
    named = ", ".join(f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in doorway.addresses)
    return f"connections: only to {named}, opened by a process that sees no words"


class LinkStatusAsker:
    """The process that runs `lms`, waiting to be asked. Calling it returns the tool's JSON, parsed, or None."""

    def __init__(self, tool: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(LINK_STATUS), tool],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ},
        )

    def __call__(self) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            with self._lock:
                stdin.write(b"?\n")
                stdin.flush()
                return json.loads(stdout.readline() or b"null")
        except (OSError, ValueError):
            return None
