"""What the service wrote to its log, as lines for a person."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.markup import escape

from earmark.cli.console import out, readable
from earmark.cli.terminal import sentence
from earmark.errors import EnvironmentFault
from earmark.service.systemctl import bus_environment


def follow(command: list[str], say_nothing: bool = True) -> bool:
    """Print what `journalctl` or `tail` prints, until it ends or Ctrl-C; returns whether that was anything. `say_nothing`:
    say so if it was not. Raises EnvironmentFault if the program is not there.
    """
    try:
        reading = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, errors="replace", env=bus_environment()
        )
    except OSError as problem:
        raise EnvironmentFault(f"{command[0]} cannot be started: {problem.strerror}") from problem
    assert reading.stdout is not None
    nothing = True
    try:
        for line in reading.stdout:
            nothing = False
            if (shown := for_a_person(line)) is not None:
                out.print(shown)
    except KeyboardInterrupt:
        reading.terminate()
        nothing = False
    finally:
        reading.wait()
    if nothing and say_nothing:
        out.print("Nothing is in its log, or nothing that this user may read.")
    return not nothing


def for_a_person(line: str) -> str | None:
    """A line of the journal (JSON around the daemon's own JSON) or of the log file, as markup; None: not for people."""
    entry = _object(line)
    if entry is None:
        return escape(readable(line.rstrip("\n")))
    told, at = entry, str(entry.get("timestamp", ""))
    if "__REALTIME_TIMESTAMP" in entry:
        message = entry.get("MESSAGE", "")
        # journald gives bytes that are no text as a list of numbers.
        text = bytes(message).decode("utf-8", "replace") if isinstance(message, list) else str(message)
        at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6).astimezone().isoformat()
        told = _object(text) or {"text": text}
    when = f"[dim]{_moment(at)}[/]  " if at else ""
    if "event" not in told:
        return when + escape(readable(told.get("text", line.rstrip("\n"))))
    event = {name: value for name, value in told.items() if name != "timestamp"}
    trace = event.pop("exception", None)
    try:
        shown = sentence(None, str(event.get("level", "info")), event)
    except (KeyError, TypeError, ValueError):  # a line of another version
        shown = escape(readable(json.dumps(event)))
    if shown is None:
        return None
    shown = shown.replace("  [dim](Ctrl-C stops)[/]", "")
    return f"{when}{shown}" + (f"\n{escape(readable(json.dumps(trace)))}" if trace else "")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return dict(found) if isinstance(found, Mapping) else None


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%b %d %H:%M:%S")
    except ValueError:
        return escape(text)
