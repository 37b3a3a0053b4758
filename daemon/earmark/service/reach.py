"""Is there a service manager to ask, and if not, why, what would help, and what else can start earmark here?

The one answer for every verb of `earmark service` and every hint: where a service could not be installed, nobody is told to.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from earmark.files import read_bytes
from earmark.service import launchd
from earmark.service.story import Scope
from earmark.service.systemctl import NO_TOOL, Run, refusal


@dataclass(frozen=True, slots=True)
class Here:
    """The machine as it is seen from here; tests hand in another one. `root`: where its files are. `environ`: of this
    process; `uid`: its effective user.
    """

    platform: str = sys.platform
    proc: Path = Path("/proc")
    systemd_booted: Path = Path("/run/systemd/system")
    run: Run = subprocess.run
    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    uid: int = field(default_factory=lambda: os.geteuid())  # noqa: PLW0108 - asked of `os` when it is needed


@dataclass(frozen=True, slots=True)
class Absence:
    """No service manager answers. `why`: the reason. `remedy`: what starts earmark all the same, or brings the manager."""

    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}; {self.remedy}"


def absence(scope: Scope, here: Here) -> Absence | None:
    """Why no service manager answers, or None if it does. systemd's is asked, whatever runs the machine (sd_booted(3) looks
    for the same folder): a user's own may be there without the machine's.
    """
    if here.platform == "darwin":
        words = launchd.refusal(here.run)
        if words is None:
            return None
        return Absence(f"launchd has no session at the screen for this user ({words})", in_the_background())
    words = refusal(scope, here.run, here.environ)
    if words is None:
        return None
    if not here.systemd_booted.is_dir():
        none = "No service manager that earmark works with (systemd, launchd) runs here"
        return Absence(f"{none}; `earmark run` needs none", otherwise(here))
    if words == NO_TOOL:
        return Absence("systemd runs this machine, and its systemctl is not on the PATH", in_the_background())
    user = name_of(here.uid)
    if scope == "user" and not _has_a_manager(here):
        return Absence(
            f"No service manager of {user} runs, because {user} is not logged in (su, sudo and cron are no login)",
            f"log in as {user}, or: sudo loginctl enable-linger {user}",
        )
    whose = f"The service manager of {user}" if scope == "user" else "systemd"
    again = f"; sudo systemctl restart user@{here.uid}" if scope == "user" else ""
    return Absence(f"{whose} does not answer ({words}){again}", "`earmark run` needs none")


def name_of(uid: int) -> str:
    """The user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def starters(scope: Scope, absent: Absence | None) -> str:
    """What starts earmark where no unit is installed: only what works here."""
    if scope == "system":
        return "see systemd/system/earmark.service"
    return "earmark run FOLDER" + ("" if absent else ", or: earmark service install FOLDER")


def in_the_background() -> str:
    """What starts earmark for as long as the machine runs, by POSIX alone."""
    return "in the background: nohup earmark run FOLDER >/dev/null 2>&1 &"


def otherwise(here: Here) -> str:
    """What starts earmark without a service manager that it knows, by what there is here; one line each."""
    command = f"{program()} run --service FOLDER"
    lines = [in_the_background()]
    first = _first_process(here)
    if any((here.root / mark).exists() for mark in (".dockerenv", "run/.containerenv")):
        lines.append(f"or as the command of this container: {command}")
    if first == "runit" or (here.root / "run/runit").is_dir():
        lines.append(f"or in a run script of runit: exec chpst -u USER {command}")
    if first == "s6-svscan" or (here.root / "run/s6").is_dir():
        lines.append(f"or in a run script of s6: exec s6-setuidgid USER {command}")
    if (here.root / "run/openrc").is_dir():
        lines.append(
            f'or in a service script of OpenRC: command={program()} command_args="run --service FOLDER"'
            " command_user=USER command_background=yes pidfile=/run/earmark.pid"
        )
    if any((here.root / "run" / file).exists() for file in ("crond.pid", "cron.pid", "crond.reboot")):
        lines.append(f"or at each boot, in crontab -e: @reboot {command} >/dev/null 2>&1")
    return "\n".join(lines)


def through_sudo(here: Here) -> str:
    """Who became root by sudo; "" if nobody did."""
    user = here.environ.get("SUDO_USER", "") if here.uid == 0 else ""
    return "" if user == "root" else user


def _has_a_manager(here: Here) -> bool:
    folder = here.root / "run/user" / str(here.uid)
    return (folder / "bus").exists() or (folder / "systemd").is_dir()


def _first_process(here: Here) -> str:
    try:
        return read_bytes(here.proc / "1" / "comm").decode(errors="replace").strip()
    except OSError:
        return ""


def program() -> str:
    """This earmark's own, whole, because what starts programs has another PATH."""
    beside = Path(sys.executable).with_name("earmark")
    return str(beside) if beside.exists() else shutil.which("earmark") or "earmark"
