"""launchd: the agent that `earmark service install` writes. launchd has no sd_notify and no watchdog."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from pathlib import Path

LABEL = "org.earmark.daemon"


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
