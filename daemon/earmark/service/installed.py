"""The service that is installed here, whichever manager has it: is there one, and which folders does it name?"""

from __future__ import annotations

from pathlib import Path

from earmark.service.agent import agent_state
from earmark.service.launchd import agent_file, written
from earmark.service.reach import Here
from earmark.service.story import Scope
from earmark.service.systemctl import unit_folders, unit_state


def installed_folders(scope: Scope, here: Here) -> tuple[Path, ...] | None:
    """The folders that the installed service gives to `earmark run`; none where it names none, None where there is none."""
    if here.platform == "darwin":
        file = agent_file(here.environ)
        state = agent_state(file, here.run)
        if not (state.installed or state.loaded):
            return None
        agent = written(file)
        return agent.folders if agent else ()
    state_of_unit = unit_state(scope, here.run)
    if state_of_unit is None or not state_of_unit.loaded:
        return None
    return unit_folders(scope, here.run)
