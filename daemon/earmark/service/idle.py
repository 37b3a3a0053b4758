"""What starts the daemon of a ledger, or starts it anew; why its service does not run, and what runs elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from earmark import __version__
from earmark.files import is_locked
from earmark.paths import Home
from earmark.report import read_report
from earmark.service.agent import AgentState, agent_state
from earmark.service.agent import told as told_of_the_agent
from earmark.service.elsewhere import another_home, elsewhere
from earmark.service.launchd import agent_file
from earmark.service.reach import Here, absence, starters
from earmark.service.story import Scope, told, verbs
from earmark.service.systemctl import unit_state
from earmark.service.systemd import UNIT


@dataclass(frozen=True, slots=True)
class Idle:
    """`remedy`: what starts the daemon, or what keeps its service from running; "" where nothing of it is known here.
    `elsewhere`: what runs on other ledgers, and what shows it.
    """

    remedy: str
    elsewhere: tuple[str, ...]


def is_there(environ: Mapping[str, str]) -> bool:
    """Whether the user's own unit is installed, as far as that is known without a manager."""
    folders = (environ.get("XDG_CONFIG_HOME"), os.path.join(environ.get("HOME", "/"), ".config"))  # noqa: PTH118
    units = (Path(folder) / "systemd" / "user" / UNIT for folder in folders if folder)
    return any(os.path.exists(unit) for unit in units)  # noqa: PTH110 - false, too, where nobody may look


def idle(scope: Scope, home: Home, here: Here) -> Idle:
    """What there is to say of a home on which no daemon runs."""
    return Idle(_remedy(scope, home, here), tuple(elsewhere(home, here)) if scope == "user" else ())


def restarts(scope: Scope, pid: int, here: Here) -> str:
    """What starts a daemon that runs anew: a service by its verb, any other as it was started."""
    state = unit_state(scope, here.run) if here.platform.startswith("linux") else _agent(here)
    if state is not None and state.pid == pid:
        return verbs(scope)[0]
    return f"end it (Ctrl-C in its terminal, or: kill {pid}) and start it again"


def finishes(scope: Scope, home: Home, here: Here) -> str:
    """What brings a ledger up to date that was not finished, or is of an older version: only what there is here."""
    report = read_report(home.status_file)
    if is_locked(home.lock_file):
        if report is None:
            return "The daemon that runs finishes it: try again in a moment"
        if report.version == __version__ and report.paused:
            return f"The daemon that runs finishes it when it can; it is paused: {report.paused}"
        again = f"start the daemon anew: {restarts(scope, report.pid, here)}"
        if report.version == __version__:
            return f"The daemon that runs finishes it: try again in a moment; if that does not help, {again}"
        return f"A daemon of earmark {report.version} runs, and one of {__version__} finishes it; {again}"
    if scope == "system":
        return f"`{verbs(scope)[0]}` finishes it"
    state = unit_state(scope, here.run) if here.platform.startswith("linux") else None
    agent = _agent(here)
    is_ours = state is not None and state.loaded and not another_home(scope, state, home, here)
    if is_ours or (agent is not None and agent.installed):
        return f"`{verbs(scope)[0]}` finishes it, or `earmark run`"
    return "`earmark run` finishes it"


def _agent(here: Here) -> AgentState | None:
    """launchd's word on the agent; None where no launchd can be asked."""
    if here.platform != "darwin" or absence("user", here) is not None:
        return None
    return agent_state(agent_file(here.environ), here.run)


def _remedy(scope: Scope, home: Home, here: Here) -> str:
    if (agent := _agent(here)) is not None and (agent.installed or agent.loaded):
        if agent.running:
            return f"the service runs (pid {agent.pid}), and not on the ledger in {home.state}"
        said = told_of_the_agent(agent)[1]
        return said[:1].lower() + said[1:]
    state = unit_state(scope, here.run) if here.platform.startswith("linux") else None
    if state is None:
        absent = absence(scope, here)
        if scope == "user" and absent and here.systemd_booted.is_dir() and is_there(here.environ):
            return f"the service waits for its manager: {str(absent)[:1].lower()}{str(absent)[1:]}"
        return f"start it with: {starters(scope, absent)}"
    if not state.loaded:
        return f"start it with: {starters(scope, None)}"
    if scope == "user" and another_home(scope, state, home, here):
        return "start it with: earmark run FOLDER"
    if state.active in ("active", "reloading"):
        return f"the service runs (pid {state.pid}), and not on the ledger in {home.state}"
    said = told(state, scope)[1]
    return said[:1].lower() + said[1:]
