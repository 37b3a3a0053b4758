"""`earmark service`: running under systemd or launchd, and looking at what runs there."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli import service_agent
from earmark.cli.acts import acting
from earmark.cli.console import (
    FOR_THE_SYSTEM,
    err,
    here,
    one_line,
    plain_errors,
    print_answer,
    readable,
    speak_for,
)
from earmark.cli.lines import print_sentence
from earmark.cli.scope import NONE_OF_THE_MACHINE, scope_of
from earmark.cli.service_log import follow
from earmark.config import require_sound
from earmark.errors import EnvironmentFault, NotFound, UsageError
from earmark.files import spelled
from earmark.paths import platform_home, whole
from earmark.service.elsewhere import another_home
from earmark.service.install import (
    Kind,
    kind_for,
    no_more_watched,
    not_a_folder,
    render,
    require_alone,
    require_folders,
)
from earmark.service.install import install as install_unit
from earmark.service.install import uninstall as uninstall_unit
from earmark.service.installed import installed_folders
from earmark.service.reach import Here, absence, through_sudo
from earmark.service.story import Scope, UnitState, told
from earmark.service.systemctl import start_anew, unit_state
from earmark.service.systemd import UNIT
from earmark.service.units import unit_file, unit_text

app = typer.Typer(no_args_is_help=True, help="Install, remove, restart or show the background service.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
System = Annotated[
    bool, typer.Option("--system", help="The machine's service (systemd/system/), not this user's own.")
]


@app.command()
def install(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            readable=False, help="Folders to watch; none: those of config.toml.", metavar="FOLDER..."
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Start earmark now and at every login, as a service of this user (systemd or launchd).

    Example: [bold]earmark service install ~/Recordings[/]
    """
    with plain_errors(), acting("service install", json) as acts:
        _require_own(context)
        _require_a_manager("user")
        home, config = here()
        named, configured = [spelled(whole(f)) for f in folders or []], [f.path for f in config.folder]
        machine, kind = Here(), _kind()
        require_sound(named or configured, home)  # before anything is opened in them
        require_folders(named, configured, machine.platform)
        require_alone(home, kind)
        before = installed_folders("user", machine) or ()
        for sentence in install_unit(kind, _executable(), named):
            acts.did("service", sentence, shown=escape(readable(sentence)))
        if fewer := no_more_watched(before, named or configured):
            acts.say(fewer, shown=f"[yellow]{escape(readable(fewer))}[/]")
        for folder in () if named else configured:
            if not os.path.isdir(folder):  # noqa: PTH112 - false, too, where nobody may look
                absent = f"{one_line(folder)} is not there; it is watched when it is."
                acts.say(absent, shown=f"[yellow]{escape(absent)}[/]")


@app.command()
def uninstall(context: typer.Context, json: AsJson = False) -> None:
    """Stop the service and remove its unit; recordings, notes and settings stay.

    Example: [bold]earmark service uninstall[/]
    """
    with plain_errors(), acting("service uninstall", json) as acts:
        _require_own(context)
        _require_a_manager("user")
        for sentence in uninstall_unit(_kind()):
            acts.did("service", sentence, shown=escape(readable(sentence)))


@app.command()
def status(
    context: typer.Context,
    system: System = False,
    json: AsJson = False,
) -> None:
    """Say whether the service is installed, runs or failed, and why; exit code 1 if it failed, 66 if there is none.

    Examples: [bold]earmark service status[/] · [bold]earmark service status --system[/]
    """
    with plain_errors():
        whose = _whose(context, system)
        if _kind() == "launchd":
            service_agent.status(Here(), json)
        state = _installed(whose)
        ok, sentence = told(state, whose)
        if json:
            print_answer(
                "service status",
                asdict(state) | {"ok": ok, "sentence": sentence, "environment": dict(state.environment)},
            )
        else:
            print_sentence(f"{'[green]●[/]' if ok else '[red]●[/]'} {escape(readable(sentence))}")
            if state.said and state.pid:
                print_sentence(f"  {escape(readable(state.said))}")
            if state.file:
                print_sentence(f"  [dim]unit: {escape(one_line(state.file))}[/]")
            if whose == "user" and (other := another_home(whose, state, platform_home(), Here())):
                print_sentence(f"  {escape(one_line(other))}")
        raise typer.Exit(0 if ok else 1)


@app.command()
def restart(context: typer.Context, system: System = False, json: AsJson = False) -> None:
    """Stop the service and start it again; what it is transcribing goes on where it was.

    Examples: [bold]earmark service restart[/] · [bold]sudo earmark service restart --system[/]
    """
    with plain_errors(), acting("service restart", json) as acts:
        whose = _whose(context, system)
        if _kind() == "launchd":
            service_agent.restart(Here())
        else:
            state = _installed(whose)
            if not state.startable:
                raise EnvironmentFault(told(state, whose)[1])
            start_anew(whose)
        acts.did("service", "Restarted it.", shown="Restarted it.")


@app.command()
def logs(
    context: typer.Context,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 50,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    system: System = False,
) -> None:
    """Show what the service has said, newest last.

    Examples: [bold]earmark service logs[/] · [bold]earmark service logs -f[/] · [bold]sudo earmark service logs --system[/]
    """
    with plain_errors():
        whose = _whose(context, system)
        if _kind() == "launchd":
            service_agent.logs(Here(), lines, following)
            return
        absent = _not_there(whose)
        unit = f"--unit={UNIT}" if whose == "system" else f"--user-unit={UNIT}"
        # What a service said that is not there any more can be read, but nothing will follow.
        more = ["--quiet"] if absent else ["--follow"] if following else []
        said = follow(["journalctl", unit, "--output=json", f"--lines={lines}", *more], absent is None)
        if absent and (following or not said):
            raise absent


@app.command()
def show(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(readable=False, help="Folders as for `install`.", metavar="FOLDER..."),
    ] = None,
) -> None:
    """Print the unit that `install` would write; with --system, the one for the machine as it is shipped.

    Examples: [bold]earmark service show ~/Recordings[/] · [bold]earmark --system service show[/]
    """
    with plain_errors():
        if scope_of(context) == "system":
            typer.echo(unit_text("systemd/system/earmark.service"), nl=False)
            return
        named = [spelled(whole(f)) for f in folders or []]
        typer.echo(render(_kind(), _executable(), named), nl=False)
        for folder in named:
            if said := not_a_folder(folder):
                err.print(f"[yellow]{escape(one_line(said))}[/]")


def _kind() -> Kind:
    """The service manager of this platform."""
    return kind_for(Here().platform)


def _require_own(context: typer.Context) -> None:
    """Only a user's own service is installed and removed here. Raises UsageError."""
    file = unit_file("systemd/system/earmark.service")
    if scope_of(context) == "system":
        raise UsageError(
            f"The machine's service is installed and removed by hand; the top of {file} says how"
        )
    if user := through_sudo(Here()):
        machines = f" One for the machine: the top of {file}" if _kind() == "systemd" else ""
        raise UsageError(f"The service would be root's and not {user}'s; say it without sudo.{machines}")


def _whose(context: typer.Context, system: bool) -> Scope:
    """Raises UsageError for root's own service by way of sudo, which is not what anybody means."""
    whose: Scope = "system" if system else scope_of(context)
    if whose == "system" and _kind() == "launchd":
        raise UsageError(NONE_OF_THE_MACHINE)
    if whose == "system":
        speak_for(FOR_THE_SYSTEM)
    if whose == "user" and (user := through_sudo(Here())):
        verb = context.info_name
        machines = f"; the machine's: sudo earmark service {verb} --system" if _kind() == "systemd" else ""
        raise UsageError(
            f"This is about root's own service; {user}'s: earmark service {verb}, without sudo{machines}"
        )
    return whose


def _require_a_manager(whose: Scope) -> None:
    """Raises NotFound if there is no service manager to ask."""
    if (absent := absence(whose, Here())) is not None:
        raise NotFound(f"{absent}{_the_machine_s(whose, ' · ')}")


def _installed(whose: Scope) -> UnitState:
    """The unit's state. Raises NotFound if there is none, or nobody to ask."""
    state = unit_state(whose)
    if state is not None and state.loaded:
        return state
    if state is None:
        _require_a_manager(whose)
    if whose == "system":
        raise NotFound(
            f"The service is not installed; how: {unit_file('systemd/system/earmark.service')}, at its top"
        )
    raise NotFound(
        f"The service is not installed: earmark service install FOLDER{_the_machine_s(whose, '; ')}"
    )


def _not_there(whose: Scope) -> NotFound | None:
    """Why nothing can come into the log of the service. Raises NotFound where nothing can have been in it either."""
    try:
        _installed(whose)
    except NotFound as absent:
        if not Here().systemd_booted.is_dir():
            raise
        return absent
    return None


def _the_machine_s(whose: Scope, before: str) -> str:
    machines = unit_state("system") if whose == "user" else None
    there = machines is not None and machines.loaded
    return f"{before}the machine's is there: earmark service status --system" if there else ""


def _executable() -> Path:
    beside = Path(sys.executable).with_name("earmark")
    found = beside if beside.exists() else shutil.which("earmark")
    if not found:
        raise NotFound("The earmark command is not on the PATH; install it with: pipx install earmark")
    return Path(found)
