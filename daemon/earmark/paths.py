"""Where earmark keeps things. The only place that asks the platform; everything else is handed a `Home`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP = "earmark"

VARIABLES = ("EARMARK_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
"""The environment variables that decide where earmark keeps things."""

MODELS = "EARMARK_MODELS"
"""Where the models are that all share; EARMARK_HOME does not decide that."""

CARRIED = (*VARIABLES, MODELS)
"""Those that a service needs as the shell has them that installs it, which a service does not see."""

TRASH = ".earmark-trash"
"""The trash inside a drop folder, used where the state folder is on another filesystem."""


@dataclass(frozen=True, slots=True)
class Home:
    """The three folders of one installation.

    `config`: config.toml, vocabulary.txt, user templates. `state`: ledger, lock, logs; private (0700), never inside a
    drop folder. `data`: models.
    """

    config: Path
    state: Path
    data: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def vocabulary_file(self) -> Path:
        """The words that a person accepted or ignored: theirs to edit, and there without a ledger, too."""
        return self.config / "vocabulary.txt"

    @property
    def ledger_file(self) -> Path:
        return self.state / "ledger.db"

    @property
    def lock_file(self) -> Path:
        return self.state / "daemon.lock"

    @property
    def status_file(self) -> Path:
        """What the running daemon last said of itself (JSON); how `status` knows what no table holds."""
        return self.state / "status.json"

    @property
    def pages_file(self) -> Path:
        """Where `earmark serve` listens, and the lock that it holds while it does."""
        return self.state / "serve.lock"

    @property
    def pages_key_file(self) -> Path:
        """What whoever opens a page has to know."""
        return self.state / "serve.key"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def templates(self) -> Path:
        return self.config / "templates"


def whole(path: Path) -> Path:
    """The path from the root on, without `..`. `~` is the home folder; `~name` of somebody who is not there is a file of
    that name.
    """
    found = Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - Path.expanduser raises for them
    if ".." not in found.parts:
        return found
    last = len(found.parts) - found.parts[::-1].index("..")
    return Path(os.path.realpath(Path(*found.parts[:last])), *found.parts[last:])


def shared_models(environ: dict[str, str] | None = None) -> Path:
    """The folder for models beside the program, for all who use this installation; EARMARK_MODELS puts it elsewhere."""
    elsewhere = (os.environ if environ is None else environ).get(MODELS)
    return whole(Path(elsewhere)) if elsewhere else Path(sys.prefix) / "share" / APP / "models"


def platform_home(environ: dict[str, str] | None = None) -> Home:
    """XDG folders on Linux, Application Support on macOS; EARMARK_HOME puts all three under one folder."""
    home = (os.environ if environ is None else environ).get("EARMARK_HOME")
    if home:
        root = whole(Path(home))
        return Home(config=root / "config", state=root / "state", data=root / "data")
    dirs = platformdirs.PlatformDirs(APP, appauthor=False)
    return Home(
        config=Path(dirs.user_config_dir), state=Path(dirs.user_state_dir), data=Path(dirs.user_data_dir)
    )


def home_of(variables: Mapping[str, str]) -> Home:
    """Where earmark keeps things in a process on Linux that has these variables, HOME among them."""
    if root := variables.get("EARMARK_HOME"):
        return platform_home({"EARMARK_HOME": root})
    folders = {}
    for name, usual in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_DATA_HOME", ".local/share"),
    ):
        named = Path(variables.get(name, "").strip())
        base = named if named.is_absolute() else Path(variables.get("HOME", "/")) / usual
        folders[name] = base / APP
    return Home(folders["XDG_CONFIG_HOME"], folders["XDG_STATE_HOME"], folders["XDG_DATA_HOME"])


def with_variables(wanted: Mapping[str, str], own: Mapping[str, str], command: str) -> str:
    """A command as a shell with the variables `own` has to say it, so that it keeps things where `wanted` does."""
    if wanted.get("EARMARK_HOME"):  # it alone decides, but for the models
        wanted = {name: wanted[name] for name in ("EARMARK_HOME", MODELS) if wanted.get(name)}
        own = {MODELS: own.get(MODELS, "")}
    names = (*CARRIED, "HOME") if "HOME" in wanted else CARRIED
    left_out = [f"-u {name}" for name in names if own.get(name) and not wanted.get(name)]
    said = [
        f"{name}={shlex.quote(wanted[name])}"
        for name in names
        if wanted.get(name) and wanted[name] != own.get(name)
    ]
    return " ".join([*(["env", *left_out] if left_out else []), *said, command])
