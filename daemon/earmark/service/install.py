"""`earmark service install` and `uninstall`: write the unit, tell the service manager, say what was done."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from earmark.errors import EarmarkError, EnvironmentFault
from earmark.files import make_private
from earmark.paths import platform_home
from earmark.service import launchd, systemd
from earmark.service.units import unit_text

Kind = Literal["systemd", "launchd"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]

MARK = "Written by `earmark service install`"
CARRIED = ("EARMARK_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
"""Variables that decide where earmark keeps things; a service would not see the shell's."""


def kind_for(platform: str = sys.platform) -> Kind:
    """The service manager of this platform."""
    return "launchd" if platform == "darwin" else "systemd"


def unit_path(kind: Kind, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own unit goes."""
    home = Path(environ.get("HOME") or Path.home())
    if kind == "launchd":
        return home / "Library" / "LaunchAgents" / f"{launchd.LABEL}.plist"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user" / systemd.UNIT


def render(
    kind: Kind, executable: Path, folders: Sequence[Path] = (), environ: Mapping[str, str] = os.environ
) -> str:
    """The text of the unit that `install` would write."""
    carried = {name: environ[name] for name in CARRIED if environ.get(name)}
    if kind == "systemd":
        text = systemd.fill_in(unit_text("systemd/earmark.service"), executable, folders, carried)
        return f"# {MARK}; changes belong into `systemctl --user edit earmark`.\n{text}"
    # In the state folder: private, swept by [retention.logs], and searched when a recording is erased.
    log_file = platform_home(dict(environ)).state / "earmark.log"
    text = launchd.fill_in(
        unit_text("launchd/org.earmark.daemon.plist"), executable, log_file, folders, carried
    )
    return text.replace("<plist ", f"<!-- {MARK}. -->\n<plist ", 1)


def install(
    kind: Kind,
    executable: Path,
    folders: Sequence[Path] = (),
    *,
    run: Run = subprocess.run,
    environ: Mapping[str, str] = os.environ,
) -> list[str]:
    """Write the user's unit and start it now and at every login; returns what was done, as sentences.

    `folders`: to be watched; none leaves that to config.toml. Doing it again replaces what the last time wrote.
    Raises EarmarkError if a unit is there that earmark did not write, or the service manager refuses.
    """
    path = unit_path(kind, environ)
    _write(path, render(kind, executable, folders, environ))
    done = [f"Wrote {path}."]
    if kind == "launchd":
        make_private(platform_home(dict(environ)).state)
        _launchd_start(path, run)
        done.append("Started it; it starts again at every login and after a crash.")
        done.append(
            "If a folder is under Desktop, Documents, Downloads or iCloud, macOS asks for your permission."
        )
        return done
    _systemctl(run, "daemon-reload")
    _systemctl(run, "enable", "--now", systemd.UNIT)
    # A unit that was there already keeps running on its old text.
    _systemctl(run, "try-restart", systemd.UNIT)
    done.append("Started it; it starts again at every login and after a crash.")
    if lingers(run) is False:
        done.append("It stops when you log out; to keep it running: loginctl enable-linger")
    done.append("Logs: journalctl --user -u earmark")
    return done


def uninstall(kind: Kind, *, run: Run = subprocess.run, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Stop the service and take its unit away; recordings, notes, ledger and configuration stay."""
    path = unit_path(kind, environ)
    if not path.exists():
        return [f"There is no {path}; nothing to do."]
    _refuse_if_foreign(path)
    if kind == "launchd":
        run(["launchctl", "bootout", f"gui/{os.getuid()}/{launchd.LABEL}"], capture_output=True, text=True)
        path.unlink()
    else:
        _systemctl(run, "disable", "--now", systemd.UNIT)
        path.unlink()
        _systemctl(run, "daemon-reload")
    return [f"Stopped it and removed {path}.", "Recordings, notes, ledger and configuration are untouched."]


def lingers(run: Run = subprocess.run) -> bool | None:
    """Whether the user's services go on after logout; None where logind cannot be asked."""
    try:
        answer = run(
            ["loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(answer.stdout.strip()) if answer.returncode == 0 else None


def _refuse_if_foreign(path: Path) -> None:
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        raise EarmarkError(
            f"{path} was not written by earmark service install; move it away first, or go on using it by hand."
        )


def _write(path: Path, text: str) -> None:
    _refuse_if_foreign(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as new:
            new.write(text)
        Path(new.name).replace(path)
    except OSError as problem:
        raise EnvironmentFault(f"{path} cannot be written: {problem.strerror}.") from problem


def _checked(run: Run, command: list[str], advice: str) -> None:
    try:
        answer = run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError as problem:
        raise EnvironmentFault(f"{command[0]} is not on this machine. {advice}") from problem
    except subprocess.TimeoutExpired as problem:
        raise EnvironmentFault(f"{' '.join(command)} did not answer within 120 s. {advice}") from problem
    if answer.returncode != 0:
        words = (answer.stderr or answer.stdout or "").strip() or f"exit status {answer.returncode}"
        raise EnvironmentFault(f"{' '.join(command)} failed: {words}. {advice}")


def _systemctl(run: Run, *arguments: str) -> None:
    _checked(
        run,
        ["systemctl", "--user", *arguments],
        "The unit is for a session of your own under systemd; elsewhere use `earmark run` under what you have.",
    )


def _launchd_start(path: Path, run: Run) -> None:
    domain = f"gui/{os.getuid()}"
    # Not loaded yet is the usual case, and an error.
    run(["launchctl", "bootout", f"{domain}/{launchd.LABEL}"], capture_output=True, text=True)
    _checked(
        run,
        ["launchctl", "bootstrap", domain, str(path)],
        "It needs the session of a user who is logged in at the screen.",
    )
