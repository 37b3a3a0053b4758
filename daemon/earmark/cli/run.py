"""`earmark run`: the daemon, in a terminal or under a service manager."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import MutableMapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer

from earmark.cli.acts import Acts, acting
from earmark.cli.console import err, here, plain_errors
from earmark.cli.standard_streams import log_to_stderr
from earmark.cli.terminal import Screen
from earmark.cli.told import NO_ACTS, TROUBLE, as_sentence
from earmark.config import Config, load_config, require_sound
from earmark.errors import ConfigError, NotFound, UsageError
from earmark.events import Event
from earmark.files import never_download, really, spelled, write_new
from earmark.locality.confinement.inherited import close_inherited
from earmark.locality.confinement.sockets import keep_account
from earmark.log import Renderer, configure_logging
from earmark.paths import Home, platform_home, whole
from earmark.service.install import not_a_folder
from earmark.service.systemd import watchdog_interval
from earmark.supervisor.loop import Supervisor

SAMPLE = "sample.m4a"
NO_FOLDER = (
    "There is no folder to watch. Name one (earmark run ~/Recordings) or put it into the configuration "
    "(earmark config sample shows how)."
)
"""Wrong usage for whoever types it; of a service, where nobody does, a wrong configuration."""

PATIENCE = 5.0
"""Seconds within which a folder says whether it is there: a disk that spins up takes that long."""


def run(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            readable=False, help="Folders to watch; without any, those of config.toml.", metavar="FOLDER..."
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, then exit.")] = False,
    service: Annotated[
        bool, typer.Option("--service", help="Log JSON lines, as under systemd or launchd.")
    ] = False,
    with_sample: Annotated[
        bool,
        typer.Option("--with-sample", help="Create FOLDER with a sample recording if it is not there yet."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="With --once: say as JSON, in the end, what was done.")
    ] = False,
) -> None:
    """Watch folders and write notes beside the recordings in them.

    Examples: [bold]earmark run ~/Recordings[/] · [bold]earmark run ~/Recordings --once[/]
    """
    close_inherited()
    with plain_errors(), acting("run --once", json) as acts:
        home, config = here()
        _require_sense(folders or config.folder, json=json, once=once, service=service)
        chosen = _folders(config, folders or [], home)
        if with_sample:
            _put_sample(chosen[0])
        if folders and not service:
            _require_there(chosen)
        if once and not any(os.path.isdir(folder) for folder in chosen):  # noqa: PTH112 - false, too, where not allowed
            raise NotFound(f"{chosen[0]}: there is no such folder, or it may not be looked at")
        never_download()
        keep_account()
        log_to_stderr()
        screen = Screen(err)
        # Who runs for months keeps no list of all that was done.
        _log(None if service else _shown(screen, acts) if json else screen.render, verbose)

        def reload() -> tuple[Config, tuple[Path, ...]]:
            fresh = load_config(platform_home().config_file)
            return fresh, _folders(fresh, folders or [], home)

        supervisor = Supervisor(
            home,
            config,
            chosen,
            load_config=reload,
            once=once,
            watchdog_seconds=watchdog_interval(),
            on_progress=(lambda _: None) if service else screen.progress,
        )
        try:
            status = supervisor.run()
        finally:
            screen.close()
        raise typer.Exit(status)


def _require_sense(folders: Sequence[object], *, json: bool, once: bool, service: bool) -> None:
    """Raises UsageError for what does not go together, and where somebody has typed it for no folder at all."""
    if json and (service or not once):
        raise UsageError("--json says in the end what was done: it goes with --once, and not with --service")
    if not folders and not service:
        raise UsageError(NO_FOLDER)


def _log(shown: Renderer | None, verbose: bool) -> None:
    """Have events shown, or, as under a service manager, written to stderr as JSON lines."""
    if shown is None:
        configure_logging(sys.stderr, json=True, verbose=verbose)
    else:
        configure_logging(_Nowhere(), json=False, verbose=verbose, renderer=shown)  # type: ignore[arg-type]


def _shown(screen: Screen, acts: Acts) -> Renderer:
    """What shows an event to a person, and keeps what was done with which file for the answer in JSON."""

    def render(logger: Any, level: str, event: MutableMapping[str, Any]) -> str:
        name, file = event.get("event"), event.get("file")
        if file and name in set(Event) - NO_ACTS:
            tell = acts.refused if name in TROUBLE else acts.did
            tell(file, as_sentence(Event(name), event.get("sentence", "")), shown="")
        return screen.render(logger, level, event)

    return render


def _folders(config: Config, named: list[Path], home: Home) -> tuple[Path, ...]:
    """The folders to watch: those that were named, else those of the configuration. Raises ConfigError.

    One that the configuration has under another name (a link, another spelling) goes by that: its rules hold for it.
    """
    known = {really(f.path): f.path for f in config.folder}
    chosen = tuple(dict.fromkeys(known.get(really(p), spelled(p)) for p in map(whole, named)))
    chosen = chosen or tuple(f.path for f in config.folder)
    if not chosen:
        raise ConfigError(NO_FOLDER)
    require_sound(chosen, home)
    return chosen


def _require_there(named: Sequence[Path]) -> None:
    """Raises NotFound for a typed folder that is not there, UsageError for what is none. A service waits for its disk
    instead, and so does whoever names the folder in the configuration; a folder that does not answer is left to the scan,
    which waits in a thread.
    """
    found: dict[Path, str] = {}
    files: list[Path] = []

    def look() -> None:
        found.update({folder: said for folder in named if (said := not_a_folder(folder))})
        files.extend(folder for folder in found if os.path.exists(folder))  # noqa: PTH110 - never raises

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(PATIENCE)
    if found:
        kind = UsageError if files else NotFound
        raise kind("\n".join(found.values()))


def _put_sample(folder: Path) -> None:
    """A first recording to try things with. Only into a folder that is being made just now, so never a second time."""
    if folder.exists():
        return
    folder.mkdir(parents=True)
    with as_file(files("earmark").joinpath("sample", SAMPLE)) as sample:
        write_new(folder / SAMPLE, sample.read_bytes())


class _Nowhere:
    """The screen prints by itself; what structlog writes after it goes nowhere."""

    def write(self, _: str) -> int:
        return 0

    def flush(self) -> None: ...
