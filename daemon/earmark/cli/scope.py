"""`earmark --system ...`: the verbs, for the service that systemd runs for everybody on this machine, as its own user."""

from __future__ import annotations

import os
import pwd
import subprocess

import typer

from earmark.errors import EnvironmentFault, NotFound, UsageError
from earmark.locality.confinement.process import harden_process
from earmark.paths import CARRIED
from earmark.service.reach import Here, absence
from earmark.service.story import Scope, told
from earmark.service.systemctl import Run, unit_state
from earmark.service.units import unit_file

NONE_OF_THE_MACHINE = "On a Mac there is no service for the whole machine; yours goes without --system"


def scope_of(context: typer.Context) -> Scope:
    """Whose service a command is about."""
    return "system" if context.find_root().obj == "system" else "user"


def act_for_the_system(verb: str | None, run: Run = subprocess.run, looks_on: bool = False) -> None:
    """Take the folders of the system's unit and, as root, its user: what root wrote into the ledger, the service could not
    read any more. `earmark service` only talks to systemd and keeps its rights; so does what only root may look into
    (`looks_on`), and gives them up by itself. Raises NotFound, UsageError.
    """
    if Here(run=run).platform == "darwin":
        raise UsageError(NONE_OF_THE_MACHINE)
    state = unit_state("system", run)
    if state is None and (absent := absence("system", Here(run=run))) is not None:
        raise NotFound(str(absent))
    if state is None or not state.loaded:
        raise NotFound(
            "There is no system service of earmark on this machine; how to install it is said at the top of "
            f"{unit_file('systemd/system/earmark.service')}. Your own service goes without --system"
        )
    if state.load != "loaded" and verb != "service":
        # Neither its user nor its folders are known.
        raise EnvironmentFault(told(state, "system")[1])
    for name in CARRIED:
        os.environ.pop(name, None)
        if name in state.environment:
            os.environ[name] = state.environment[name]
    if verb == "service" or not state.user:
        return
    try:
        user = pwd.getpwnam(state.user)
    except KeyError:
        raise NotFound(
            f"The system service runs as {state.user}, and there is no such user on this machine"
        ) from None
    if os.geteuid() == user.pw_uid:
        return
    if os.geteuid() != 0:
        raise UsageError(
            f"The system service is {state.user}'s; say: sudo earmark --system {verb or 'status'}"
        )
    os.environ["HOME"] = user.pw_dir
    if looks_on:
        return
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    harden_process()  # the kernel undoes it when the user changes
