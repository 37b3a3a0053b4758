"""launchd: asking its tool, and the agent's file that `earmark service install` writes. It has no sd_notify, no watchdog."""

from __future__ import annotations

import os
import plistlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from earmark.files import read_bytes
from earmark.service.systemctl import Run

LABEL = "org.earmark.daemon"

ANSWER_SECONDS = 60.0
"""What launchctl has to answer in. Some of its commands wait for the end of what runs: ExitTimeOut (15 s) at most."""


def domain() -> str:
    """The session of the user at the screen, as launchctl names it."""
    return f"gui/{os.getuid()}"


def target() -> str:
    """The agent, as launchctl names it."""
    return f"{domain()}/{LABEL}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What launchctl said. `code`: its exit status, which is the error's number (3, 5, 36, 37, 113, 119; `launchctl error N`
    names it); None where it could not be asked. `words`: on one line, without the advice to try it as root, who has another
    session.
    """

    code: int | None
    words: str
    text: str = ""

    @property
    def done(self) -> bool:
        return self.code == 0


def launchctl(run: Run, *arguments: str) -> Answer:
    """Ask launchd something, or tell it to do something."""
    try:
        said = run(
            ["launchctl", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
        )
    except FileNotFoundError:
        return Answer(None, "there is no launchctl")
    except subprocess.TimeoutExpired:
        return Answer(None, f"launchctl {arguments[0]} did not answer within {ANSWER_SECONDS:.0f} s")
    except OSError as problem:
        return Answer(None, str(problem.strerror))
    lines = (said.stderr or said.stdout or "").splitlines()
    words = " ".join(" ".join(line for line in lines if not line.startswith("Try re-running")).split())
    return Answer(said.returncode, words.rstrip(".") or f"exit status {said.returncode}", said.stdout or "")


def refusal(run: Run = subprocess.run) -> str | None:
    """Why launchd has no session for this user at the screen, in its words; None if it has."""
    answer = launchctl(run, "print", domain())
    return None if answer.done else answer.words


@dataclass(frozen=True, slots=True)
class Written:
    """What the agent's file says. `program`: what launchd starts. `folders`: those that it gives to `earmark run`.
    `log_file`: where its words go.
    """

    program: Path
    folders: tuple[Path, ...] = ()
    log_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def user_home(environ: Mapping[str, str]) -> Path:
    """The home folder of a process that has these variables."""
    return Path(environ.get("HOME") or Path.home())


def agent_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own agent is."""
    return user_home(environ) / "Library" / "LaunchAgents" / f"{LABEL}.plist"


_NO_LIST = (
    OSError,
    ValueError,
    ExpatError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
)
"""What plistlib raises for what is no property list: beside its own errors those of its code (a date that is none, an
encoding that nobody knows).
"""


def written(file: Path) -> Written | None:
    """What an agent's file says; None if it is not there, or no agent that launchd could start."""
    try:
        agent = plistlib.loads(read_bytes(file))
    except _NO_LIST:
        return None
    command = _texts(agent.get("ProgramArguments")) if isinstance(agent, dict) else []
    if not command:
        return None
    after = command[command.index("run") + 1 :] if "run" in command else []
    log, environment = agent.get("StandardErrorPath"), agent.get("EnvironmentVariables")
    return Written(
        Path(command[0]),
        tuple(Path(word) for word in after if not word.startswith("-")),
        Path(log) if isinstance(log, str) else None,
        {str(k): str(v) for k, v in environment.items()} if isinstance(environment, dict) else {},
    )


def _texts(words: Any) -> list[str]:
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def fill_in(
    text: str,
    executable: Path,
    log_file: Path,
    folders: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> str:
    """The agent's property list with this executable, log file, folders and variables.

    The shell of the hand-made version goes, because all paths are known. Comments are lost; the shipped file has them.
    """
    agent = plistlib.loads(text.encode())
    agent["ProgramArguments"] = [str(executable), "run", "--service", *(str(folder) for folder in folders)]
    agent["StandardOutPath"] = agent["StandardErrorPath"] = str(log_file)
    agent["EnvironmentVariables"] = {**agent.get("EnvironmentVariables", {}), **(environment or {})}
    return plistlib.dumps(agent, sort_keys=False).decode()
