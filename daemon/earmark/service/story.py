"""What a unit's state means, in a sentence: is it installed, does it run, why did it fail, and what would mend it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scope = Literal["user", "system"]


@dataclass(frozen=True, slots=True)
class UnitState:
    """What systemd says of the unit (systemctl(1), `show`). `load`: "loaded", "not-found", "masked", "bad-setting", "error".
    `status`: the exit status of the daemon that ran last. `said`: the daemon's own line (STATUS=). `outdated`: the file was
    changed since systemd read it. `gone`: somebody has removed it.
    """

    load: str
    active: str
    sub: str = ""
    enabled: bool = False
    result: str = ""
    status: int = 0
    pid: int = 0
    restarts: int = 0
    said: str = ""
    outdated: bool = False
    file: str = ""
    gone: bool = False
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def loaded(self) -> bool:
        """Whether there is such a unit, be it one that cannot be started, or one that runs on without its file."""
        return self.load not in ("not-found", "") or self.pid > 0

    @property
    def startable(self) -> bool:
        """Whether there is a unit that systemd can use."""
        return self.load == "loaded" and not self.gone


_OURS = {
    69: "there is no usable speech model, or no worker could be started (earmark doctor)",
    70: "of a mistake of its own",
    74: "of trouble with the disk of its state folder (earmark doctor)",
    75: "another earmark uses the same ledger; stop that one (earmark status says which)",
    76: "a newer earmark wrote its ledger; upgrade to that version again",
    77: "the configuration asks for what its privacy setting forbids (earmark config check)",
    78: "its configuration is wrong or names no folder (earmark config check)",
}
"""Exit statuses of `earmark run` (errors.py)."""

_SYSTEMDS = {
    200: "its working folder is not there",
    203: "the earmark command is not where the unit says, or may not be run; install the service again",
    217: "the user that the unit names does not exist",
    226: "systemd could not build the unit's view of the files (is each folder in ReadWritePaths= there)",
    228: "systemd could not set the unit's system call filter",
    238: "its state folder could not be made",
    240: "its configuration folder could not be made",
}
"""Exit statuses with which systemd says that it could not start the process (systemd.exec(5))."""

_RESULTS = {
    "timeout": "it did not get ready, or did not stop, in time",
    "watchdog": "it gave no sign of life for the time that the unit allows (WatchdogSec=)",
    "oom-kill": "the kernel ended it because memory ran out",
    "start-limit-hit": "it failed several times in a row, and systemd has given up",
    "core-dump": "it crashed",
    "signal": "it was killed",
    "protocol": "it ended before it was ready",
    "resources": "systemd could not start it for lack of something (memory, processes, files)",
}
"""`Result=` of a service (org.freedesktop.systemd1(5))."""


def why_it_ended(status: int) -> str:
    """What an exit status of `earmark run` means, as the end of a sentence that begins with "because"."""
    return _OURS.get(status) or f"it ended with exit status {status}"


def why_it_failed(state: UnitState) -> str:
    """The reason of a unit that failed or is being started again, as the end of a sentence that begins with "because"."""
    if state.result == "exit-code" or (state.result == "start-limit-hit" and state.status):
        known = _OURS.get(state.status) or _SYSTEMDS.get(state.status)
        return known or f"it ended with exit status {state.status}"
    return _RESULTS.get(state.result, state.result or "nobody says why")


def verbs(scope: Scope) -> tuple[str, str]:
    """What restarts the service, and what shows its log."""
    if scope == "system":
        return "sudo earmark service restart --system", "sudo earmark service logs --system"
    return "earmark service restart", "earmark service logs"


def lingering() -> str:
    """What keeps this user's services running after logout; without sudo it takes a polkit, which many servers lack."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return f"sudo loginctl enable-linger {user}"


def _tool(scope: Scope) -> str:
    return "sudo systemctl" if scope == "system" else "systemctl --user"


def masked(scope: Scope) -> str:
    """What is wrong with a unit that leads to /dev/null."""
    return f"The service is masked, so that nothing can start it; {_tool(scope)} unmask earmark"


def told(state: UnitState, scope: Scope) -> tuple[bool, str]:
    """Whether all is well with a unit that is installed, and a sentence."""
    restart, logs = verbs(scope)
    if state.load == "masked":
        return False, masked(scope)
    if state.gone or state.load == "not-found":
        runs = f"runs on (pid {state.pid})" if state.pid else "does not run"
        remedy = (
            "earmark service install FOLDER, or: earmark service uninstall"
            if scope == "user"
            else f"put it back, or: {_tool(scope)} disable --now earmark"
        )
        return False, f"The service {runs}, and its unit file is gone; {remedy}"
    if state.load != "loaded":
        return (
            False,
            f"systemd cannot use the unit {state.file}; what is wrong with it: {_tool(scope)} status earmark",
        )
    if state.active in ("failed", "activating") and state.result not in ("success", ""):
        again = (
            "; systemd tries again" if state.active == "activating" else f"; when that is mended: {restart}"
        )
        return False, f"The service failed, because {why_it_failed(state)}{again}. Its words: {logs}"
    if state.active == "activating":
        return True, "The service is starting."
    if state.active in ("active", "reloading"):
        if state.outdated:
            return False, f"The service runs, but its unit was changed since. To use it: {restart}"
        often = "once" if state.restarts == 1 else f"{state.restarts} times"
        times = f", and was restarted {often}" if state.restarts else ""
        return True, f"The service runs (pid {state.pid}{times})."
    later = (
        "" if state.enabled else "; it is not started at login either" if scope == "user" else "; nor at boot"
    )
    return True, f"The service is stopped{later}. To start it: {restart}"
