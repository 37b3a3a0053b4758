"""`earmark service status`, `restart` and `logs` on a Mac, where launchd has the service."""

from __future__ import annotations

from dataclasses import asdict
from typing import NoReturn

import typer
from rich.markup import escape

from earmark.cli.console import one_line, print_answer, readable
from earmark.cli.lines import print_sentence
from earmark.cli.service_log import follow
from earmark.errors import NotFound
from earmark.paths import platform_home
from earmark.service.agent import AgentState, agent_state, told
from earmark.service.launchd import agent_file, written
from earmark.service.loading import Patience
from earmark.service.loading import restart as restart_agent
from earmark.service.reach import Here, absence


def status(here: Here, json: bool) -> NoReturn:
    """Say how the agent is. Raises NotFound if there is none; ends with 1 if something is wrong with it."""
    state = _installed(here)
    named = written(agent_file(here.environ))
    ok, sentence = told(state, named.program if named else None)
    if json:
        print_answer("service status", asdict(state) | {"ok": ok, "sentence": sentence})
    else:
        print_sentence(f"{'[green]●[/]' if ok else '[red]●[/]'} {escape(readable(sentence))}")
        if state.installed:
            print_sentence(f"  [dim]agent: {escape(one_line(agent_file(here.environ)))}[/]")
    raise typer.Exit(0 if ok else 1)


def restart(here: Here) -> None:
    """Stop the agent, if it runs, and start it. Raises NotFound if there is none."""
    _installed(here)
    restart_agent(agent_file(here.environ), here.run, Patience())


def logs(here: Here, lines: int, following: bool) -> None:
    """Print what the agent has said. Raises NotFound if there is nothing, or nothing will come."""
    file = agent_file(here.environ)
    named = written(file)
    log = (named.log_file if named else None) or platform_home().state / "earmark.log"
    if not file.exists() and (following or not log.exists()):
        _installed(here)  # it may run on without its file
    if not log.exists():
        raise NotFound(f"There is no {log}; the service has said nothing yet")
    follow(["tail", "-n", str(lines), *(["-F"] if following else []), str(log)])


def _installed(here: Here) -> AgentState:
    """The agent's state. Raises NotFound if there is none, or no launchd to ask."""
    if (absent := absence("user", here)) is not None:
        raise NotFound(str(absent))
    state = agent_state(agent_file(here.environ), here.run)
    if not (state.installed or state.loaded or state.unasked):
        raise NotFound("The service is not installed: earmark service install FOLDER")
    return state
