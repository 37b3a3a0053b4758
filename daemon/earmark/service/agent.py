"""launchd's word on the agent, and what it means in a sentence: is it there, does it run, is it off, why did it end."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from earmark.service.launchd import LABEL, domain, launchctl, target
from earmark.service.story import why_it_ended
from earmark.service.systemctl import Run

NOT_FOUND = 113
"""launchctl's status for a service that launchd does not know ("Could not find service ... in domain ...")."""

COULD_NOT_START = 78
"""EX_CONFIG, which launchd also gives for a program that it could not start; earmark's own 78 is a wrong configuration."""

TURNED_OFF = (
    "it is turned off (System Settings, General, Login Items, or launchctl disable);"
    " to turn it on: earmark service restart"
)


@dataclass(frozen=True, slots=True)
class AgentState:
    """What `launchctl print` says of the agent (launchctl(1); its output is for people), and `launchctl print-disabled`.

    `unasked`: why launchd could not be asked; "". `installed`: its file is there. `loaded`: launchd knows it. `state` and
    `job`: launchd's words ("running", "not running", "spawn scheduled", "SIGTERMed"; "exited", "spawn failed"). `code`: the
    exit status of the daemon that ran last. `killed`: the signal that ended it. `off`: somebody has turned it off; None:
    unknown.
    """

    installed: bool
    loaded: bool = False
    state: str = ""
    job: str = ""
    pid: int = 0
    code: int | None = None
    killed: str = ""
    off: bool | None = None
    unasked: str = ""

    @property
    def running(self) -> bool:
        return self.state == "running" and self.pid > 0

    @property
    def ending(self) -> bool:
        """It was told to end and has not ended: launchd calls that by the signal ("SIGTERMed", "SIGKILLed")."""
        return self.state.startswith("SIG")

    @property
    def failed(self) -> bool:
        """It does not run, and what ran last did not end well."""
        bad = self.code not in (None, 0) or bool(self.killed) or self.job == "spawn failed"
        return self.loaded and bad and not self.running and not self.ending


_FIELDS = ("state", "job state", "pid", "last exit code", "last terminating signal")
_FIELD = re.compile(rf"^(?:\t| {{4}})({'|'.join(_FIELDS)}) = (.+?)\r?$", re.MULTILINE)
"""Fields of the agent itself have one tab before them; what is further in is of its endpoints and coalitions."""

_STARTING = ("spawn scheduled", "xpcproxy")
"""launchd's words for an agent that is to start, or that does so just now (xpcproxy becomes its program)."""

_SWITCH = re.compile(rf'(?<![\w.])"?{re.escape(LABEL)}"? => (disabled|enabled|true|false)\b')
"""A line of `print-disabled`: "disabled", in older macOS "true"; no line: nobody has turned it on or off."""


def agent_state(file: Path, run: Run = subprocess.run, *, switch: bool = True) -> AgentState:
    """Ask launchd about the agent whose file this is; with `switch` also whether somebody has turned it off."""
    installed = file.exists()
    answer = launchctl(run, "print", target())
    off = _off(run) if switch else None
    if answer.code == NOT_FOUND or "Could not find service" in answer.words:
        return AgentState(installed, off=off)
    if not answer.done:
        return AgentState(installed, off=off, unasked=answer.words)
    found = dict(_FIELD.findall(answer.text))
    # "0", "78: EX_CONFIG", "(never exited)", or "-9" for a signal, which has a line of its own elsewhere.
    ended = found.get("last exit code", "")
    signal = ended.removeprefix("-") if re.fullmatch(r"-\d+", ended) else ""
    return AgentState(
        installed,
        loaded=True,
        state=found.get("state", ""),
        job=found.get("job state", ""),
        pid=_number(found.get("pid")) or 0,
        code=_number(ended),
        killed=found.get("last terminating signal", signal),
        off=off,
    )


def _off(run: Run) -> bool | None:
    answer = launchctl(run, "print-disabled", domain())
    if not answer.done:
        return None
    found = _SWITCH.search(answer.text)
    return found is not None and found[1] in ("disabled", "true")


def _number(words: str | None) -> int | None:
    found = re.match(r"\d+", words or "")
    return int(found[0]) if found else None


def why(agent: AgentState, program: Path | None = None) -> str:
    """Why an agent failed, as the end of a sentence that begins with "because". `program`: what its file starts."""
    if program is not None and not program.exists():
        return f"{program} is not there any more; install the service again"
    if agent.job == "spawn failed":
        return f"launchd could not start {program or 'its program'}; install the service again"
    if agent.killed:
        return f"it was ended by a signal ({agent.killed})"
    code = agent.code or 0
    or_else = ", or launchd could not start it" if code == COULD_NOT_START else ""
    return f"{why_it_ended(code)}{or_else}"


def told(agent: AgentState, program: Path | None = None) -> tuple[bool, str]:
    """Whether all is well with the agent, and a sentence. `program`: what its file starts, if that is known."""
    if agent.unasked:
        return False, f"launchd cannot be asked about the service ({agent.unasked})."
    if not agent.loaded:
        return _told_of_its_file(agent)
    if not agent.installed:
        runs = f"runs on (pid {agent.pid})" if agent.running else "does not run"
        return False, (
            f"The service {runs}, and its file is gone; earmark service install FOLDER, or: earmark service uninstall"
        )
    if agent.running:
        if agent.off:
            return (
                True,
                f"The service runs (pid {agent.pid}); at the next login it does not start: {TURNED_OFF}",
            )
        return True, f"The service runs (pid {agent.pid})."
    if agent.ending:
        return True, "The service is stopping."
    if agent.failed:
        again = "; launchd tries again" if agent.state in _STARTING else ""
        return (
            False,
            f"The service failed, because {why(agent, program)}{again}. Its words: earmark service logs",
        )
    if agent.state in _STARTING:
        return True, "The service is starting."
    if not (agent.state or agent.job):
        return False, f"launchd has the service, and does not say how it is: launchctl print {target()}"
    return True, "The service is stopped. To start it: earmark service restart"


def _told_of_its_file(agent: AgentState) -> tuple[bool, str]:
    if not agent.installed:
        return True, "The service is not installed: earmark service install FOLDER"
    if agent.off:
        return False, f"The service does not start, because {TURNED_OFF}"
    return True, "The service is stopped. To start it: earmark service restart"
