"""`earmark service install` and `uninstall`: write the unit, tell the service manager, say what was done."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from earmark.errors import EarmarkError, EnvironmentFault, LedgerBusy, NotFound, UsageError
from earmark.files import is_locked, remove_empty
from earmark.ledger.lock import holder, holder_pid
from earmark.paths import CARRIED, Home, platform_home, whole
from earmark.service import launchd, systemd
from earmark.service.agent import agent_state
from earmark.service.agent_install import install_agent, permissions, require_lasting, uninstall_agent
from earmark.service.checks import check_folder
from earmark.service.loading import Patience
from earmark.service.story import lingering
from earmark.service.systemctl import Run, command, lingers, start_anew, unit_folder, unit_state
from earmark.service.unit_files import MARK, UNSEALED, refuse_if_foreign, sealed, set_aside, text_of, write
from earmark.service.units import unit_text

Kind = Literal["systemd", "launchd"]


def kind_for(platform: str = sys.platform) -> Kind:
    """The service manager of this platform."""
    return "launchd" if platform == "darwin" else "systemd"


def unit_path(kind: Kind, environ: Mapping[str, str] = os.environ, run: Run = subprocess.run) -> Path:
    """Where the user's own unit goes. The user's manager need not have the XDG_CONFIG_HOME of a shell's profile; then it is
    where that manager looks.
    """
    if kind == "launchd":
        return launchd.agent_file(environ)
    home = launchd.user_home(environ)
    usual = home / ".config" / "systemd" / "user"
    if not environ.get("XDG_CONFIG_HOME"):
        return usual / systemd.UNIT
    return (
        unit_folder(whole(Path(environ["XDG_CONFIG_HOME"])) / "systemd" / "user", usual, run) / systemd.UNIT
    )


def render(
    kind: Kind, executable: Path, folders: Sequence[Path] = (), environ: Mapping[str, str] = os.environ
) -> str:
    """The text of the unit that `install` would write."""
    # Whole, because a service starts somewhere else.
    carried = {name: str(whole(Path(environ[name]))) for name in CARRIED if environ.get(name)}
    if kind == "systemd":
        text = systemd.fill_in(unit_text("systemd/earmark.service"), executable, folders, carried)
        return sealed(f"# {MARK}; changes belong into `systemctl --user edit earmark`.\n# {UNSEALED}\n{text}")
    # In the state folder: private, swept by [retention.logs], and searched when a recording is erased.
    log_file = platform_home(dict(environ)).state / "earmark.log"
    text = launchd.fill_in(
        unit_text("launchd/org.earmark.daemon.plist"), executable, log_file, folders, carried
    )
    return sealed(text.replace("<plist ", f"<!-- {MARK}; {UNSEALED}. -->\n<plist ", 1))


def require_folders(named: Sequence[Path], configured: Sequence[Path], platform: str = sys.platform) -> None:
    """Refuse to install a service that would watch nothing. Raises NotFound for a named folder that is not there,
    EnvironmentFault for one that may not be read or written, UsageError for a file and where no folder is named anywhere.

    Folders of the configuration may be away: their disks come and go, and the daemon says so.
    """
    if not named and not configured:
        raise UsageError(
            "There is no folder to watch. Name one (earmark service install ~/Recordings) or put it into the "
            "configuration (earmark config sample shows how)."
        )
    for folder in named:
        if said := not_a_folder(folder):
            raise (UsageError if os.path.exists(folder) else NotFound)(said)  # noqa: PTH110 - never raises
        if not (found := check_folder(folder, platform)).ok:
            raise EnvironmentFault(found.sentence)


def not_a_folder(folder: Path) -> str:
    """What is said of a named folder that is not there, or is none; "" for one that is."""
    if os.path.isdir(folder):  # noqa: PTH112 - false, too, where not allowed
        return ""
    if os.path.exists(folder):  # noqa: PTH110
        return f"{folder} is not a folder; name one"
    if os.path.islink(folder):  # noqa: PTH114
        return f"{folder} is a link that leads to nothing; name a folder that is there"
    make = f"mkdir -p {shlex.quote(str(folder))}"
    return (
        f"{folder} does not exist, or may not be looked at; name one that is there, or make it first: {make}"
    )


def no_more_watched(before: Sequence[Path], after: Sequence[Path]) -> str | None:
    """What to say of folders that the service watched before, and that the new unit does not name; None if it names all."""
    gone = [folder for folder in before if folder not in after]
    if not gone:
        return None
    names = ", ".join(map(str, gone))
    every = shlex.join(str(folder) for folder in (*gone, *after))
    return f"Not watched any more: {names}; to watch all of them: earmark service install {every}"


def require_alone(
    home: Home, kind: Kind, run: Run = subprocess.run, environ: Mapping[str, str] = os.environ
) -> None:
    """Raises LedgerBusy if a daemon runs that is not the service, because the service could not start beside it."""
    if not is_locked(home.lock_file):
        return
    if kind == "systemd":
        state = unit_state("user", run)
        is_the_service = state is not None and state.pid > 0
    else:
        is_the_service = agent_state(launchd.agent_file(environ), run).pid > 0
    if not is_the_service:
        who = holder(home.lock_file) or "unknown process"
        raise LedgerBusy(
            f"Another earmark ({who}) is running; stop that one first (Ctrl-C in its terminal), then install the service."
        )


def install(
    kind: Kind,
    executable: Path,
    folders: Sequence[Path] = (),
    *,
    run: Run = subprocess.run,
    environ: Mapping[str, str] = os.environ,
    patience: Patience | None = None,
) -> list[str]:
    """Write the user's unit and start it now and at every login; returns what was done, as sentences.

    `folders`: to be watched; none leaves that to config.toml. Doing it again replaces what the last time wrote. Raises
    EarmarkError if a unit is there that earmark did not write, or the service does not start; then all is as it was.
    """
    path = unit_path(kind, environ, run)
    text = render(kind, executable, folders, environ)
    if kind == "launchd":
        require_lasting(executable, environ)
        home = platform_home(dict(environ))
        done = install_agent(
            path, text, home.state, lambda: holder_pid(home.lock_file), run, patience or Patience()
        )
        return [*done, *permissions(executable, folders, environ)]
    refuse_if_foreign(path)
    # First of all, because it writes nothing and tells whether there is a manager to talk to.
    command("user", "daemon-reload", run=run)
    with set_aside(path, text) as kept, _undone_if_it_fails(path, run):
        write(path, text)
        command("user", "enable", systemd.UNIT, run=run)
        # It also starts what is stopped; `enable --now` would leave a running one on its old text.
        start_anew("user", run)
    done = [f"Wrote {path}.", *kept, "Started it; it starts again at every login and after a crash."]
    if lingers(run) is False:
        done.append(f"It stops when you log out; to keep it running: {lingering()}")
    done.append("How it is: earmark service status. What it says: earmark service logs")
    return done


def uninstall(
    kind: Kind,
    *,
    run: Run = subprocess.run,
    environ: Mapping[str, str] = os.environ,
    patience: Patience | None = None,
) -> list[str]:
    """Stop the service and take its unit away; recordings, notes, ledger and configuration stay."""
    path = unit_path(kind, environ, run)
    if kind == "launchd":
        return uninstall_agent(path, run, patience or Patience())
    if not os.path.lexists(path):
        return _without_its_file(path, run)
    refuse_if_foreign(path)
    with set_aside(path, None) as kept:
        command("user", "disable", "--now", systemd.UNIT, run=run)
        _take_away(path, run)
    done = [
        f"Stopped it and removed {path}.",
        *kept,
        "Recordings, notes, ledger and configuration are untouched.",
    ]
    own = path.with_name(path.name + ".d")
    if own.is_dir():
        done.append(f"Your own changes of the unit stay in {own}.")
    return done


@contextmanager
def _undone_if_it_fails(path: Path, run: Run) -> Iterator[None]:
    """Put back the unit that was there, or none, and the folders that were not, if the block raises."""
    before = text_of(path) if path.exists() else None
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    except BaseException:
        with contextlib.suppress(EarmarkError, OSError):
            if before is not None:
                write(path, before)
                command("user", "daemon-reload", run=run)
                command("user", "restart", systemd.UNIT, run=run)
            elif path.exists():
                with contextlib.suppress(EarmarkError):
                    command("user", "disable", "--now", systemd.UNIT, run=run)
                _take_away(path, run)
        for folder in made:
            remove_empty(folder)
        raise


def _take_away(path: Path, run: Run) -> None:
    path.unlink()
    remove_empty(path.parent / "default.target.wants")
    _forgotten(run)


def _forgotten(run: Run) -> None:
    command("user", "daemon-reload", run=run)
    # A unit that failed is remembered as "not-found failed" otherwise; one that did not is not known any more.
    with contextlib.suppress(EarmarkError):
        command("user", "reset-failed", systemd.UNIT, run=run)


def _without_its_file(path: Path, run: Run) -> list[str]:
    """Somebody has removed the unit by hand: what runs of it goes on, and what started it at login is still there."""
    nothing = [f"There is no {path}; nothing to do."]
    link = path.parent / "default.target.wants" / path.name
    state = unit_state("user", run)
    if state is not None and state.startable and state.file:
        raise EnvironmentFault(
            f"{state.file} was not written by earmark service install; to stop it: systemctl --user disable --now earmark"
        )
    if not (link.is_symlink() or (state is not None and state.pid)):
        return nothing
    if state is not None and state.pid:
        command("user", "stop", systemd.UNIT, run=run)
    link.unlink(missing_ok=True)
    remove_empty(link.parent)
    _forgotten(run)
    return [f"There was no {path} any more; stopped the service and removed what was left of it."]
