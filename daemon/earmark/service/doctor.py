"""`earmark doctor`: would the daemon find here what it needs? Every check looks at the real thing, none guesses."""

from __future__ import annotations

import grp
import itertools
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earmark.config import Config, folder_problems
from earmark.paths import Home
from earmark.service import launchd
from earmark.service.agent import agent_state
from earmark.service.agent import told as told_of_the_agent
from earmark.service.agent_install import permissions
from earmark.service.checks import (
    Finding,
    check_folder,
    check_model,
    check_names,
    check_python,
    check_room,
    check_sandbox,
    check_speakers,
    check_state,
    check_summary,
    sentence,
)
from earmark.service.elsewhere import another_home, as_owner
from earmark.service.reach import Absence, Here, absence, starters
from earmark.service.story import Scope, UnitState, lingering, told
from earmark.service.systemctl import lingers, manager_pid, unit_state
from earmark.service.watches import check_watches


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. `find_model` returns the model's folder or raises EarmarkError, and so does
    `find_speakers`, which says what tells voices apart (None: it is not here); `sandbox` names what a running
    daemon's worker is held by (None: nobody has said so yet). `troubles`: what the ledger says is wrong now. `ports`:
    where a summary server is looked for. `scope`: whose service it is.
    """

    folders: Sequence[Path]
    home: Home
    config: Config
    find_model: Callable[[], Path]
    sandbox: Callable[[], Sequence[str] | None]
    find_speakers: Callable[[], str | None] = lambda: None
    troubles: Sequence[str] = ()
    ports: Sequence[int] = ()
    scope: Scope = "user"
    here: Here = field(default_factory=Here)


def diagnose(patient: Patient) -> list[Finding]:
    """All findings, in the order in which a person would mend them.

    macOS gives each program its own permissions, so only a daemon that was started by launchd sees exactly what the service
    sees.
    """
    return list(_findings(patient))


def _findings(patient: Patient) -> Iterator[Finding]:
    folders, here = patient.folders, patient.here
    yield check_python()
    for folder in folders:
        yield check_folder(folder, here.platform)
    if not folders:
        yield Finding(
            "folders", True, "No folder is named in the configuration, and no daemon runs.", note=True
        )
    for problem in folder_problems(folders, patient.home):
        yield Finding("folders", False, sentence(problem))
    yield check_state(patient.home.state, as_owner(patient.home, here, "doctor"))
    for trouble in patient.troubles:
        yield Finding("ledger", False, sentence(trouble))
    yield from check_room((patient.home.state, *folders))
    yield check_model(patient.find_model)
    yield check_speakers(patient.find_speakers)
    yield from check_names(patient.config, patient.home.vocabulary_file)
    yield check_sandbox(patient.sandbox)
    yield check_summary(patient.config, patient.ports)
    if here.platform.startswith("linux"):
        yield check_watches(folders, here.proc)
        yield from check_systemd(folders, patient.scope, here, patient.home)
    elif here.platform == "darwin":
        yield from check_launchd(here)


def in_a_sentence(absent: Absence) -> str:
    """The reason and the first thing that would help."""
    return str(absent).splitlines()[0]


def check_launchd(here: Here) -> Iterator[Finding]:
    """launchd, what it knows of the agent, and the program that the agent's file names."""
    if (absent := absence("user", here)) is not None:
        yield Finding("service", True, in_a_sentence(absent), note=True)
        return
    file = launchd.agent_file(here.environ)
    agent, named = agent_state(file, here.run), launchd.written(file)
    program = named.program if named else None
    ok, said = told_of_the_agent(agent, program)
    yield Finding("service", ok, said, note=ok and not agent.running)
    if agent.installed and program is None:
        said = f"{file} names nothing that launchd could start; earmark service install FOLDER"
        yield Finding("program", False, said)
    elif program is not None and not program.exists():
        said = f"{program}, which the service starts, is not there; install the service again."
        yield Finding("program", False, said)
    elif program is not None:
        for said in itertools.islice(permissions(program, (), here.environ), 1):
            yield Finding("program", True, said, note=True)


def check_systemd(
    folders: Sequence[Path], scope: Scope, here: Here, home: Home | None = None
) -> Iterator[Finding]:
    """The manager, the unit, its groups, whether it outlives the login, and whether its things are in `home`."""
    state = unit_state(scope, here.run)
    if state is None:
        absent = absence(scope, here)
        said = in_a_sentence(absent) if absent else "systemd says nothing of the unit."
        yield Finding("service", True, said, note=True)
        return
    if not state.loaded:
        how = starters(scope, None).rpartition(", or: ")[2]
        yield Finding("service", True, f"No service is installed; {how}", note=True)
        return
    ok, said = told(state, scope)
    yield Finding("service", ok, said, note=ok and not state.pid)
    if scope == "user" and home is not None and (other := another_home(scope, state, home, here)):
        yield Finding("home", True, other, note=True)
    yield from check_groups(folders, scope, state, here)
    if scope == "user":
        match lingers(here.run):
            case True:
                yield Finding("linger", True, "The service goes on when you are logged out.")
            case False:
                stops = f"The service stops when you log out; to keep it running: {lingering()}"
                yield Finding("linger", True, stops, note=True)
            case None:
                asked = "logind cannot be asked whether the service goes on after logout."
                yield Finding("linger", True, asked, note=True)


def check_groups(folders: Sequence[Path], scope: Scope, state: UnitState, here: Here) -> Iterator[Finding]:
    """A service has the groups that its user had when the user's manager (or the service) started, and no later ones."""
    pid = manager_pid(here.run) if scope == "user" else state.pid
    had = _groups_of(pid, here.proc)
    if had is None:
        return
    lacking = _groups_now(state.user if scope == "system" else "") - had
    if not lacking:
        return
    names = ", ".join(sorted(map(_group_name, lacking)))
    needed = [folder for folder in folders if _group_of(folder) in lacking]
    renew = (
        "sudo earmark service restart --system"
        if scope == "system"
        else f"log out of all sessions and in again, or: sudo systemctl restart user@{os.getuid()}"
    )
    since = (
        "before its user was added to the group"
        if len(lacking) == 1
        else "before its user was added to the groups"
    )
    which = f"; {needed[0]} belongs to it" if needed else ""
    yield Finding(
        "groups", not needed, f"The service started {since} {names}{which}; {renew}", note=not needed
    )


def _groups_of(pid: int, proc: Path) -> set[int] | None:
    try:
        lines = (proc / str(pid) / "status").read_text("utf-8", "replace").splitlines()
        return {
            int(word) for line in lines if line.startswith(("Groups:", "Gid:")) for word in line.split()[1:]
        }
    except (OSError, ValueError):
        return None


def _groups_now(user: str) -> set[int]:
    """The groups that a user is in by now, whatever this process has."""
    try:
        entry = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        return set()
    return set(os.getgrouplist(entry.pw_name, entry.pw_gid))


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _group_of(folder: Path) -> int | None:
    try:
        return folder.stat().st_gid
    except OSError:
        return None
