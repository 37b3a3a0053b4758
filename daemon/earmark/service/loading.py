"""Telling launchd to take the agent, to let go of it, and to start it anew.

launchd does all of this later than it says so: `bootout` returns while the daemon is still ending, and until the name is
free `bootstrap` is refused with 5 (Input/output error) or 37 (Operation already in progress). Seen by others for up to 5 s
(headroomlabs-ai/headroom#1289, openclaw/openclaw#136453, ancwrd1/snx-rs#241).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from earmark.errors import EnvironmentFault
from earmark.service.agent import AgentState, agent_state, why
from earmark.service.launchd import LABEL, Answer, domain, launchctl, target, written
from earmark.service.systemctl import Run

GONE_SECONDS = 30.0
"""What launchd has to let go of the agent in: ExitTimeOut of the plist (15 s), after which it kills, and as much again."""

TRIES = 15
"""How often launchd is asked to take the agent, a PAUSE apart: three times as long as others saw it refuse at most."""

PAUSE = 1.0
"""Seconds between two questions to launchd."""

UP_SECONDS = 10.0
"""What a daemon that was just started has to hold its lock in, before the install says that it does not know."""

BUSY = (5, 16, 17, 36, 37)
"""EIO and EALREADY of macOS (sys/errno.h), and what else would say so (EBUSY, EEXIST, EINPROGRESS): launchd has not yet let
go of the agent, or has it already.
"""

NO_SESSION = (3, 112, 113, 125)
"""What launchctl says of a session that is not there, or takes no agents."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The clock that is waited by: monotonic seconds, and how to let some pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def unload(file: Path, run: Run, patience: Patience) -> None:
    """Stop the agent, and wait until launchd does not know it any more. Nothing where it never did. Raises EnvironmentFault
    with launchd's words if it still has it after GONE_SECONDS.
    """
    before = agent_state(file, run, switch=False)
    if not before.loaded and not before.unasked:
        return
    # Its status says little: 36 (Operation now in progress) comes with an agent that is ending as it should.
    said = launchctl(run, "bootout", target())
    until = patience.now() + GONE_SECONDS
    while (state := agent_state(file, run, switch=False)).loaded or state.unasked:
        if patience.now() >= until:
            words = state.unasked or said.words
            raise EnvironmentFault(
                f"launchd has not let go of the service within {GONE_SECONDS:.0f} s (launchctl bootout: {words})."
                f" To end it: launchctl kill SIGKILL {target()}"
            )
        patience.sleep(PAUSE)
        if state.loaded and not state.ending:  # it was not told to end, then
            said = launchctl(run, "bootout", target())


def load(file: Path, run: Run, patience: Patience) -> None:
    """Turn the agent on and have launchd take it, which starts it. Raises EnvironmentFault with launchd's words."""
    launchctl(run, "enable", target())  # what it says against it, `bootstrap` says, too
    said = Answer(None, "")
    for trial in range(TRIES):
        if trial:
            patience.sleep(PAUSE)
        said = launchctl(run, "bootstrap", domain(), str(file))
        if said.done:
            return
        if said.code is not None and said.code not in BUSY:
            break
        state = agent_state(file, run, switch=False)
        if state.loaded and not state.ending:
            return  # this try, or an earlier one, went through after all
        if said.code is None:
            break
    raise EnvironmentFault(f"launchd does not take the service: {said.words}. {_advice(said)}")


def _advice(said: Answer) -> str:
    if said.code in NO_SESSION:
        return "It needs the session of a user who is logged in at the screen."
    return (
        "It says no more than that; what it noted: log show --last 5m --predicate"
        f' \'process == "launchd" AND eventMessage CONTAINS "{LABEL}"\''
    )


def came_up(file: Path, works: Callable[[], int], run: Run, patience: Patience) -> bool:
    """Whether the daemon that launchd has just started works; False if that is not known within UP_SECONDS. `works`: which
    process works on the ledger. Raises EnvironmentFault that says why it ended.
    """
    until = patience.now() + UP_SECONDS
    while not ((state := agent_state(file, run, switch=False)).running and state.pid == works()):
        if state.failed:
            raise EnvironmentFault(f"The service did not start, because {_reason(state, file)}")
        if patience.now() >= until:
            return False
        patience.sleep(min(PAUSE, 0.2))
    return True


def _reason(state: AgentState, file: Path) -> str:
    agent = written(file)
    return why(state, agent.program if agent else None)


def restart(file: Path, run: Run, patience: Patience) -> None:
    """Stop the agent, if it runs, and start it, also one that was turned off. Raises EnvironmentFault with its words."""
    launchctl(run, "enable", target())
    said = Answer(None, "")
    for trial in range(TRIES):
        if trial:
            patience.sleep(PAUSE)
        if not agent_state(file, run, switch=False).loaded:
            load(file, run, patience)
            return
        said = launchctl(run, "kickstart", "-k", target())
        if said.done:
            return
        if said.code not in (*BUSY, *NO_SESSION):
            break  # else it is just ending, or gone since it was asked for
    raise EnvironmentFault(f"The service cannot be started: {said.words}. How it is: earmark service status")


def turn_off_again(run: Run) -> None:
    """Put back that somebody had turned the agent off."""
    launchctl(run, "disable", target())


def forget_the_switch(run: Run) -> None:
    """Leave no "off" behind for an agent that comes later; launchd has no command that takes the entry away."""
    launchctl(run, "enable", target())
