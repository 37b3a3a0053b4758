"""launchd: the agent that `earmark service install` writes. launchd has no sd_notify and no watchdog."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from earmark.errors import EnvironmentFault

LABEL = "org.earmark.daemon"


def domain() -> str:
    """The session of the user at the screen, as launchctl names it."""
    return f"gui/{os.getuid()}"


def target() -> str:
    """The agent, as launchctl names it."""
    return f"{domain()}/{LABEL}"


def refusal(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> str | None:
    """Why launchd has no session for this user at the screen, in its words; None if it has."""
    try:
        answer = run(["launchctl", "print", domain()], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    words = " ".join((answer.stderr or answer.stdout or "").split()).rstrip(".")
    return None if answer.returncode == 0 else words or f"exit status {answer.returncode}"


def installed(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> bool:
    """Whether launchd knows the agent."""
    try:
        return (
            run(["launchctl", "print", target()], capture_output=True, text=True, timeout=10).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def told(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> tuple[bool, str]:
    """Whether all is well with the agent, and a sentence (launchctl(1), `print`, whose output is for people)."""
    try:
        answer = run(["launchctl", "print", target()], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return False, f"launchd cannot be asked about the service ({problem})."
    if answer.returncode != 0:
        return True, "The service is not installed: earmark service install FOLDER"
    found = dict(re.findall(r"(?m)^\t(state|pid|last exit code) = (.+)$", answer.stdout))
    if found.get("state") == "running":
        return True, f"The service runs (pid {found.get('pid', 'unknown')})."
    code = found.get("last exit code", "")
    if code.isdigit() and code != "0":
        return (
            False,
            f"The service does not run; it ended with exit status {code}. Its words: earmark service logs",
        )
    return True, "The service is stopped. To start it: earmark service restart"


def restart(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> None:
    """Stop the agent, if it runs, and start it. Raises EnvironmentFault with launchd's words."""
    try:
        answer = run(["launchctl", "kickstart", "-k", target()], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise EnvironmentFault(f"launchctl kickstart failed: {problem}") from problem
    if answer.returncode != 0:
        words = (answer.stderr or answer.stdout).strip().rstrip(".")
        raise EnvironmentFault(
            f"The service cannot be started: {words}. Is it installed (earmark service install)?"
        )


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
