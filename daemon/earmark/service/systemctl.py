"""Asking systemd: what it says of earmark's unit, in the user's own manager or the system's, and telling it what to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from earmark.errors import EnvironmentFault
from earmark.service.story import Scope, UnitState, told, why_it_failed
from earmark.service.systemd import UNIT

Run = Callable[..., "subprocess.CompletedProcess[str]"]

ADVICE: dict[Scope, str] = {
    "user": "The unit is for a session of your own under systemd; elsewhere use `earmark run` under what you have.",
    "system": "The system's services are root's: put sudo before it.",
}

_OF_A_UNIT = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "FragmentPath")
_OF_A_SERVICE = ("Result", "ExecMainStatus", "MainPID", "NRestarts", "StatusText", "User", "Environment")

NO_TOOL = "there is no systemctl"

_OBJECT = f"/org/freedesktop/systemd1/unit/{UNIT.replace('.', '_2e')}"
"""The unit's D-Bus path, escaped as such paths are."""


def unit_state(scope: Scope, run: Run = subprocess.run) -> UnitState | None:
    """What the manager says; None where there is none to ask."""
    wanted = ",".join(_OF_A_UNIT + _OF_A_SERVICE)
    words = _answer(run, ["systemctl", f"--{scope}", "show", UNIT, f"--property={wanted}"], scope)
    if words is None:
        words = _one_by_one(scope, run)
    said = dict(line.split("=", 1) for line in words.splitlines() if "=" in line)
    if "ActiveState" not in said:
        return None
    return UnitState(
        load=said.get("LoadState", ""),
        active=said["ActiveState"],
        sub=said.get("SubState", ""),
        enabled=said.get("UnitFileState", "").startswith("enabled"),
        result=said.get("Result", ""),
        status=_number(said.get("ExecMainStatus")),
        pid=_number(said.get("MainPID")),
        restarts=_number(said.get("NRestarts")),
        said=said.get("StatusText", ""),
        outdated=said.get("NeedDaemonReload") == "yes",
        file=said.get("FragmentPath", ""),
        gone=bool(said.get("FragmentPath")) and not os.path.lexists(said["FragmentPath"]),
        user=said.get("User", ""),
        environment=dict(word.split("=", 1) for word in _words(said.get("Environment", "")) if "=" in word),
    )


def _one_by_one(scope: Scope, run: Run) -> str:
    """The same where `systemctl show`, which asks for everything, is refused: a folder's name that is no text (POSIX allows
    it) cannot be said on D-Bus. "" where there is no manager.
    """
    lines = []
    for interface, names in (("Unit", _OF_A_UNIT), ("Service", _OF_A_SERVICE)):
        answers = (_property(scope, interface, names, run) or "").splitlines()
        for name, answer in zip(names, answers, strict=False):
            value = json.loads(answer)["data"]
            if isinstance(value, list):
                value = " ".join(f'"{_ESCAPED.sub(_BACKSLASH, str(word))}"' for word in value)
            lines.append(f"{name}={'yes' if value is True else value}")
    return "\n".join(lines)


def _property(scope: Scope, interface: str, names: Sequence[str], run: Run) -> str | None:
    bus = "org.freedesktop.systemd1"
    asked = ["get-property", bus, _OBJECT, f"{bus}.{interface}", *names]
    return _answer(run, ["busctl", f"--{scope}", "--json=short", *asked], scope)


def refusal(scope: Scope, run: Run = subprocess.run, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why the manager does not answer, in the words of systemctl; None if it does."""
    asked = ["systemctl", f"--{scope}", "show", "--property=Version"]
    env = bus_environment(environ) if scope == "user" else dict(environ)
    try:
        answer = run(asked, capture_output=True, text=True, errors="replace", timeout=10, env=env)
    except FileNotFoundError:
        return NO_TOOL
    except (OSError, subprocess.TimeoutExpired) as problem:
        return (
            type(problem).__name__
            if isinstance(problem, subprocess.TimeoutExpired)
            else str(problem.strerror)
        )
    words = " ".join((answer.stderr or answer.stdout or "").split()).rstrip(".")
    return None if answer.returncode == 0 else words or f"exit status {answer.returncode}"


def unit_folder(wanted: Path, usual: Path, run: Run = subprocess.run) -> Path:
    """`usual` if the user's manager looks for units there and not in `wanted`; else `wanted`."""
    words = _answer(run, ["systemctl", "--user", "show", "--property=UnitPath", "--value"], "user")
    looked = (words or "").split()
    return usual if str(usual) in looked and str(wanted) not in looked else wanted


def unit_command(scope: Scope, run: Run = subprocess.run) -> tuple[str, ...]:
    """What the unit as it is loaded, drop-ins included, starts; () where there is none."""
    words = _property(scope, "Service", ["ExecStart"], run)
    try:
        # The manager tells a dollar sign as it stands in the unit, and not as it hands it over (systemd.service(5)).
        return tuple(str(word).replace("$$", "$") for word in json.loads(words or "")["data"][-1][1])
    except (ValueError, KeyError, IndexError, TypeError):
        return ()


def unit_folders(scope: Scope, run: Run = subprocess.run) -> tuple[Path, ...]:
    """The folders that the unit gives to `earmark run`; none where none are named."""
    command = unit_command(scope, run)
    after = command[command.index("run") + 1 :] if "run" in command else ()
    return tuple(Path(word) for word in after if not word.startswith("-"))


def files_of_variables(scope: Scope, run: Run = subprocess.run) -> tuple[Path, ...]:
    """The files that the unit takes variables from (EnvironmentFile=)."""
    words = _property(scope, "Service", ["EnvironmentFiles"], run)
    try:
        return tuple(Path(str(file)) for file, _ in json.loads(words or "")["data"])
    except (ValueError, KeyError, TypeError):
        return ()


def manager_environment(run: Run = subprocess.run) -> dict[str, str]:
    """What the user's manager gives to each of its services; {} where it cannot be asked."""
    bus = "org.freedesktop.systemd1"
    asked = ["get-property", bus, "/org/freedesktop/systemd1", f"{bus}.Manager", "Environment"]
    words = _answer(run, ["busctl", "--user", "--json=short", *asked], "user")
    try:
        said = [str(word) for word in json.loads(words or "")["data"]]
        return dict(word.split("=", 1) for word in said if "=" in word)
    except (ValueError, KeyError, TypeError):
        return {}


def lingers(run: Run = subprocess.run) -> bool | None:
    """Whether the user's services go on after logout; None where logind cannot be asked."""
    words = _answer(
        run, ["loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value"], "system"
    )
    return {"yes": True, "no": False}.get((words or "").strip())


def manager_pid(run: Run = subprocess.run) -> int:
    """The process of this user's own service manager; 0 where there is none."""
    unit = f"user@{os.getuid()}.service"
    return _number(_answer(run, ["systemctl", "show", unit, "--property=MainPID", "--value"], "system"))


def command(scope: Scope, *arguments: str, run: Run = subprocess.run) -> None:
    """Tell the manager to do something. Raises EnvironmentFault with its own words if it does not."""
    checked(run, ["systemctl", f"--{scope}", *arguments], ADVICE[scope])


def start_anew(scope: Scope, run: Run = subprocess.run) -> None:
    """Start the unit, or stop and start it, as its file is now. Raises EnvironmentFault that says why it did not start."""
    command(scope, "daemon-reload", run=run)
    try:
        command(scope, "restart", UNIT, run=run)
    except EnvironmentFault as problem:
        state = unit_state(scope, run)
        if state is not None and not state.startable:
            raise EnvironmentFault(told(state, scope)[1]) from problem
        if state is None or state.result in ("success", ""):
            raise
        raise EnvironmentFault(f"The service did not start, because {why_it_failed(state)}") from problem


def checked(run: Run, command: list[str], advice: str) -> None:
    """Run a service manager's tool. Raises EnvironmentFault with its words, and `advice`, if it fails."""
    try:
        answer = run(command, capture_output=True, text=True, timeout=330, env=bus_environment())
    except FileNotFoundError as problem:
        raise EnvironmentFault(f"{command[0]} is not on this machine. {advice}") from problem
    except subprocess.TimeoutExpired as problem:
        raise EnvironmentFault(f"{' '.join(command)} did not answer within 330 s. {advice}") from problem
    if answer.returncode != 0:
        words = (answer.stderr or answer.stdout or "").strip() or f"exit status {answer.returncode}"
        failed = "" if words.startswith("Failed to") else " failed"
        # What is wrong with the unit itself is wrong wherever it is said.
        then = "" if "Unit " in words else f" {advice}"
        raise EnvironmentFault(f"{' '.join(command)}{failed}: {words.rstrip('.')}.{then}")


_WAY = ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


def bus_environment(
    environ: Mapping[str, str] = os.environ, run_user: Path = Path("/run/user")
) -> dict[str, str]:
    """The environment with the way to the user's manager in it, which cron leaves out, and for which `su` leaves that of
    whoever said it.
    """
    folder = run_user / str(os.getuid())
    known = (
        {"XDG_RUNTIME_DIR": str(folder)} if (folder / "bus").exists() or (folder / "systemd").is_dir() else {}
    )
    theirs = _of_another_user(environ.get("XDG_RUNTIME_DIR", ""))
    return {**known, **{name: value for name, value in environ.items() if not (theirs and name in _WAY)}}


def _of_another_user(folder: str) -> bool:
    try:
        return bool(folder) and os.stat(folder).st_uid != os.geteuid()  # noqa: PTH116 - it may be no path at all
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def _answer(run: Run, command: list[str], scope: Scope) -> str | None:
    env = bus_environment() if scope == "user" else dict(os.environ)
    try:
        answer = run(command, capture_output=True, text=True, timeout=10, env=env)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isdigit() else 0


_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED = re.compile(r'(["\\`$])')
_BACKSLASH = r"\\\1"


def _words(line: str) -> list[str]:
    """Words as systemd quotes them: in double quotes where it must, with a backslash before what a shell would take for its
    own (so also `$`, which shlex would leave escaped).
    """
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in _WORD.findall(line)]
