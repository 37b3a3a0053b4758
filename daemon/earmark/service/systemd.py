"""systemd: what the daemon tells it (sd_notify), and the unit that `earmark service install` writes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import sdnotify

UNIT = "earmark.service"
USEC = 1_000_000
PATIENCE = 1.0
"""Seconds that a message waits for a service manager that reads none; then it is lost, and the work goes on."""


class SystemdNotifier:
    """Tells the service manager how the daemon is; silent where none listens (no NOTIFY_SOCKET).

    Nothing here raises or waits for long: a service manager that has gone away, or reads nothing, is no reason to stop
    transcribing.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._sender = sdnotify.SystemdNotifier() if environ.get("NOTIFY_SOCKET") else None
        if self._sender is not None and self._sender.socket is not None:
            self._sender.socket.settimeout(PATIENCE)

    @property
    def listening(self) -> bool:
        """Whether a service manager gave us a socket."""
        return self._sender is not None and self._sender.socket is not None

    def ready(self, status: str = "") -> None:
        """Lock, ledger and watcher are up (also after a reload)."""
        self._send("READY=1", status)

    def reloading(self) -> None:
        """The configuration is being read again; `ready` must follow."""
        # sd_notify(3): the time lets systemd tell this reload from an earlier one.
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`. Names and numbers only, never what was said."""
        self._send("", status)

    def watchdog(self) -> None:
        """A sign of life; send it from the main loop, every `watchdog_interval` seconds."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon is on its way down on purpose."""
        self._send("STOPPING=1")

    def _send(self, state: str, status: str = "") -> None:
        if self._sender is None:
            return
        if status:
            one_line = " ".join(status.split())
            state = f"{state}\nSTATUS={one_line}".lstrip("\n")
        # sdnotify encodes as latin-1 and drops what does not fit, systemd reads UTF-8.
        self._sender.notify(state.encode("utf-8", "replace").decode("latin-1"))


def watchdog_interval(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """Seconds between signs of life: half of what systemd allows, as sd_watchdog_enabled(3) advises.

    None when no watchdog is set, or when it is meant for another process.
    """
    allowed = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", "")
    if not allowed.isdigit() or int(allowed) == 0:
        return None
    if meant_for and meant_for != str(os.getpid() if pid is None else pid):
        return None
    return int(allowed) / USEC / 2


def quoted(word: str | Path, *, variables: bool = True) -> str:
    """A word as systemd.syntax(7) and systemd.service(5) want it: quoted, with `%` and `$` doubled.

    Bytes that are not text (a POSIX name need not be) and control characters become `\\xNN`. `variables`: whether
    `$` is special here, which it is in arguments but not in the program's own path nor in Environment=.
    """
    escaped = []
    for char in str(word):
        if char in '"\\':
            escaped.append("\\" + char)
        elif char == "%":
            escaped.append("%%")
        elif char == "$" and variables:
            escaped.append("$$")
        elif char < " " or char == "\x7f" or "\udc80" <= char <= "\udcff":
            escaped.append("".join(f"\\x{byte:02x}" for byte in os.fsencode(char)))
        else:
            escaped.append(char)
    return '"' + "".join(escaped) + '"'


def fill_in(
    text: str, executable: Path, folders: Sequence[Path] = (), environment: Mapping[str, str] | None = None
) -> str:
    """The unit's text with this executable, these folders (none: those of config.toml) and these variables.

    Raises ValueError if the text has no ExecStart line.
    """
    start = [quoted(executable, variables=False), "run", "--service", *(quoted(folder) for folder in folders)]
    lines = [f"ExecStart={' '.join(start)}"]
    for name, value in sorted((environment or {}).items()):
        lines.append(f"Environment={quoted(f'{name}={value}', variables=False)}")
    filled, count = re.subn(r"(?m)^ExecStart=.*$", lambda _: "\n".join(lines), text)
    if count != 1:
        raise ValueError(f"the unit's text has {count} ExecStart lines; it must have one")
    return filled
