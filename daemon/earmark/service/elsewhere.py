"""Daemons and services on this machine whose things are not where this command looks, and how each is looked at.

A service has the home that its unit says, which need not be that of a shell; another user has one of his own.
"""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.errors import EarmarkError
from earmark.files import is_locked, read_bytes
from earmark.paths import CARRIED, Home, home_of, with_variables
from earmark.service.reach import Here, name_of, program, through_sudo
from earmark.service.story import Scope, UnitState
from earmark.service.systemctl import files_of_variables, manager_environment, unit_command, unit_state

USUAL = ("/usr/local/bin", "/usr/bin", "/bin")
"""Where everybody's shell looks for programs."""

SHOWN = 3
"""Daemons that are named; of more, the number is said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that is an earmark daemon. `variables`: those that say where it keeps things; None where they may not be
    read, which is so for everybody but root. `typed`: its earmark, as a shell is told to run it.
    """

    pid: int
    uid: int
    folders: tuple[str, ...]
    variables: Mapping[str, str] | None
    typed: str = "earmark"


def elsewhere(
    home: Home, here: Here, services: Sequence[Scope] = ("user", "system"), verb: str = "status"
) -> list[str]:
    """A sentence for each of these services and each other daemon whose things are not in `home`, with what shows them, by
    this verb.
    """
    if not here.platform.startswith("linux"):
        return []
    told: list[str] = []
    known: set[int] = set()
    scopes: tuple[Scope, ...] = ("user", "system")
    for scope in scopes:
        state = unit_state(scope, here.run)
        if state is None or not state.loaded:
            continue
        known.add(state.pid)
        theirs = variables_of(scope, state, here)
        if scope in services and not same_place(home_of(theirs), home):
            told.append(_of_a_service(scope, state, theirs, here, verb))
    others = [found for found in running(here) if not _is_told(found, known, home)]
    told += [_of_a_process(found, here, verb) for found in others[:SHOWN]]
    if len(others) > SHOWN:
        more = len(others) - SHOWN
        told.append(f"And {more} more daemon{'s run' if more > 1 else ' runs'} on this machine")
    if not told and (user := through_sudo(here)):
        told.append(f"This looks for what root has; what {user} has: earmark {verb}, without sudo")
    return told


def another_home(scope: Scope, state: UnitState, home: Home, here: Here) -> str | None:
    """Where the service keeps its things and what shows them, if that is not `home`."""
    theirs = variables_of(scope, state, here)
    return None if same_place(home_of(theirs), home) else _of_a_service(scope, state, theirs, here)


def variables_of(scope: Scope, state: UnitState, here: Here) -> dict[str, str]:
    """The variables of the service's process that say where it keeps things: of its manager, its unit with drop-ins and the
    files these name, and of `env` in its command; the later ones win (systemd.exec(5), Environment=).
    """
    if scope == "system":
        found = _home_of_user(state.user or "root")
    else:
        found = {**_home_of_user(here.uid), **manager_environment(here.run)}
    found |= state.environment
    for file in files_of_variables(scope, here.run):
        found |= _in_a_file(file)
    for word in unit_command(scope, here.run):
        if word == "run":
            break
        found |= _assigned(word)
    return {name: found[name] for name in (*CARRIED, "HOME") if found.get(name)}


def same_place(one: Home, other: Home) -> bool:
    """Whether two homes have their ledger in the same folder."""
    return os.path.realpath(one.state) == os.path.realpath(other.state)


def running(here: Here) -> Iterator[Running]:
    """The earmark daemons of this machine that may be seen, those with the highest numbers first."""
    numbers = sorted((int(f.name) for f in here.proc.glob("[1-9]*") if f.name.isdigit()), reverse=True)
    for folder in (here.proc / str(number) for number in numbers):
        try:
            words = read_bytes(folder / "cmdline").decode("utf-8", "surrogateescape").split("\0")[:-1]
            if (after := _daemon(words)) is None:
                continue
            status = read_bytes(folder / "status").decode("utf-8", "replace")
        except OSError:
            continue
        if len(_numbers(status, "NSpid")) > 1:
            continue  # of a container, which has its own
        folders = tuple(word for word in after if not word.startswith("-"))
        typed = _program(words, folder)
        yield Running(int(folder.name), _numbers(status, "Uid")[1], folders, _variables(folder), typed)


def _daemon(words: Sequence[str]) -> Sequence[str] | None:
    """What follows `run`, if this is the command line of `earmark run`."""
    verb = [word for word in verb_of(words) if word != "--system"]
    return verb[1:] if verb[:1] == ["run"] and "--help" not in verb else None


def verb_of(words: Sequence[str]) -> Sequence[str]:
    """What follows `earmark` in a command line that starts it as a script, by Python or as a module; () in any other."""
    if not words:
        return ()
    rest = list(words)
    if Path(rest[0]).name.startswith("python"):
        rest = rest[1:]
        while rest and rest[0].startswith("-") and rest[0] != "-m":
            rest = rest[1:]
        if rest[:1] == ["-m"]:
            rest = rest[1:]
    return rest[1:] if rest and Path(rest[0]).name == "earmark" else ()


def _program(words: Sequence[str], folder: Path) -> str:
    """The earmark of this daemon's command line, as a shell is told to run it."""
    called = [word for word in words[: words.index("run")] if word != "--system"]
    module = called[-2:-1] == ["-m"]
    said = Path(called[0] if module else called[-1])
    if len(said.parts) > 1 and not said.is_absolute():
        try:
            said = (folder / "cwd").readlink() / said
        except OSError:
            said = Path(said.name)  # where it was started is not to be known
    return as_typed(said, module)


def as_typed(program: Path, module: bool = False) -> str:
    """How anybody's shell runs this earmark: by its name where each finds it, else by its path. `module`: it is Python."""
    usual = str(program.parent) in (".", *USUAL)
    typed = program.name if usual else shlex.quote(str(program))
    return f"{typed} -m earmark" if module else typed


def _numbers(status: str, name: str) -> list[int]:
    """A line of /proc/PID/status (proc(5))."""
    line = next((line for line in status.splitlines() if line.startswith(f"{name}:")), "")
    return [int(word) for word in line.split()[1:]]


def _variables(folder: Path) -> dict[str, str] | None:
    try:
        words = read_bytes(folder / "environ").decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return None
    found = dict(word.split("=", 1) for word in words if "=" in word)
    return {name: found[name] for name in (*CARRIED, "HOME") if found.get(name)}


def _is_told(found: Running, known: set[int], home: Home) -> bool:
    """Whether the daemon is that of a service, or of the very home that is looked at."""
    if found.pid in known or found.pid == os.getpid():
        return True
    return found.variables is not None and same_place(home_of(found.variables), home)


def _of_a_service(
    scope: Scope, state: UnitState, theirs: Mapping[str, str], here: Here, verb: str = "status"
) -> str:
    does = f"runs (pid {state.pid})" if state.pid else "does not run"
    if scope == "system":
        return f"The machine's service {does}, with things of its own: sudo earmark --system {verb}"
    place = home_of(theirs).state
    look = with_variables(theirs, here.environ, f"earmark {verb}")
    return f"Your service {does}, and keeps its things in {place}, as its unit says: {look}"


def _of_a_process(found: Running, here: Here, verb: str) -> str:
    watching = f", watching {', '.join(found.folders)}" if found.folders else ""
    name, look = name_of(found.uid), f"{found.typed} {verb}"
    if found.uid == here.uid:
        if found.variables is None:
            how = "look at it with the variables that it was started with (EARMARK_HOME, XDG_...)"
        else:
            how = with_variables(found.variables, here.environ, look)
        return (
            f"Another earmark of yours runs (pid {found.pid}{watching}) and keeps its things elsewhere: {how}"
        )
    variables = found.variables or {}
    command = with_variables(variables, {"HOME": variables.get("HOME", "")}, look)
    return f"{name} runs earmark (pid {found.pid}{watching}): {_as_them(name, command, here)}"


def _as_them(name: str, command: str, here: Here) -> str:
    if name == through_sudo(here):
        return f"{command}, without sudo"
    return f"su - {name} -c {shlex.quote(command)}" if here.uid == 0 else f"{command}, as {name}"


def as_owner(home: Home, here: Here, verb: str) -> str:
    """How the owner of this home asks, where root looks at somebody's whose daemon runs or who owns all of it; else ""."""
    try:
        owner, above = home.state.stat().st_uid, home.state.parent.stat().st_uid
    except OSError:
        return ""
    if here.uid != 0 or owner == 0 or not (above == owner or is_locked(home.lock_file)):
        return ""
    wanted = {name: here.environ[name] for name in (*CARRIED, "HOME") if here.environ.get(name)}
    if wanted.get("HOME") == _home_of_user(0).get("HOME"):
        del wanted["HOME"]  # what root's shell has, which is no home of theirs
    command = with_variables(wanted, _home_of_user(owner), f"{as_typed(Path(program()))} {verb}")
    return _as_them(name_of(owner), command, here)


def _home_of_user(user: str | int) -> dict[str, str]:
    try:
        entry = pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    except KeyError:
        return {}
    return {"HOME": entry.pw_dir}


def _in_a_file(file: Path) -> dict[str, str]:
    """What a file of EnvironmentFile= assigns; what may not be read says nothing."""
    try:
        lines = read_bytes(file).decode("utf-8", "surrogateescape").splitlines()
    except (OSError, EarmarkError):
        return {}
    found: dict[str, str] = {}
    for line in lines:
        if not line.lstrip().startswith(("#", ";")):
            found |= _assigned(line.strip())
    return found


def _assigned(words: str) -> dict[str, str]:
    name, is_one, value = words.partition("=")
    if not is_one or name not in (*CARRIED, "HOME"):
        return {}
    try:
        return {name: "".join(shlex.split(value))}
    except ValueError:
        return {name: value}
