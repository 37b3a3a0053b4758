"""`earmark config edit`: the configuration in one's own editor; only what is right takes the place of what is in force."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import typer
from rich.markup import escape

from earmark.cli.console import err, out, readable
from earmark.errors import ConfigError, EnvironmentFault, NotFound
from earmark.files import opened, read_bytes, remove, write_own
from earmark.paths import Home
from earmark.verbs import configuring

EDITORS = ("sensible-editor", "nano", "vi")
"""Where neither $VISUAL nor $EDITOR says which: Debian's own choice, one that tells its keys, one that is everywhere."""


def edit(home: Home) -> bool:
    """Open a copy in the editor until it is right or given up; True if the file was changed. A copy that is not taken
    stays in the state folder, and the next edit of the same file goes on with it. Raises ConfigError, NotFound,
    EnvironmentFault, OSError.
    """
    editor = _editor()
    before, begin = configuring.written(home), configuring.sample_or_written(home)
    copy = home.state / f"config.edited-{hashlib.sha256(before.encode()).hexdigest()[:8]}.toml"
    for other in sorted(home.state.glob("config.edited-*.toml")):
        if other != copy:
            err.print(f"Of another version of the file this was not taken: {escape(readable(other))}")
    if copy.exists():
        err.print(f"This goes on with what was not taken the last time ({escape(readable(copy))}).")
    else:
        write_own(copy, begin.encode())
    text = _edited(editor, copy, begin)
    while (problems := _problems(text, before, home)) is not None:
        for line in problems.splitlines():
            err.print(f"[bold red]earmark:[/] {escape(readable(line))}")
        if not (sys.stdin.isatty() and typer.confirm("Edit it again?", default=True, err=True)):
            raise ConfigError(
                f"Nothing was changed; what you wrote is {copy}, and earmark config edit goes on with it"
            )
        text = _edited(editor, copy, begin)
    changed = text not in (before, begin)
    if changed:
        try:
            configuring.replace(home, before, text)
        except EnvironmentFault as fault:
            raise EnvironmentFault(f"{fault}; what you wrote is {copy}") from None
    _drop(copy)
    out.print(f"{escape(readable(home.config_file))}: {'changed' if changed else 'not changed'}")
    return changed


def _editor() -> list[str]:
    wished = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not wished:
        found = next((name for name in EDITORS if shutil.which(name)), None)
        if found is None:
            raise NotFound("There is no editor here that I know; name yours: EDITOR=... earmark config edit")
        return [found]
    try:
        words = shlex.split(wished)
    except ValueError:
        words = [wished]
    if not words or not shutil.which(words[0]):
        raise NotFound(
            f"{wished}: there is no such editor; VISUAL or EDITOR names one: EDITOR=nano earmark config edit"
        )
    return words


def _edited(editor: list[str], copy: Path, begin: str) -> str:
    """What the copy says when the editor has ended. Raises EnvironmentFault if that failed, or left nothing of the file: a
    full disk or a slip of a script is no wish to have no settings and no rules.
    """
    done = subprocess.run([*editor, str(copy)])
    try:
        text = read_bytes(copy).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise EnvironmentFault("The editor left no file; nothing was changed") from None
    empty = bool(begin.strip()) and not text.strip()
    if empty or (done.returncode != 0 and text == begin):
        _drop(copy)
    if done.returncode != 0:
        kept = f"; what you wrote is {copy}" if copy.exists() else ""
        raise EnvironmentFault(f"The editor ended with {done.returncode}; nothing was changed{kept}")
    if empty:
        raise EnvironmentFault(
            "The editor left an empty file; nothing was changed. To have no settings, remove the file itself"
        )
    return text


def _problems(text: str, before: str, home: Home) -> str | None:
    """What is wrong with a text; of what it names and is not there only what the file did not name before."""
    try:
        text.encode()
        configuring.checked(text, home)
        named = configuring.unnamed(before, home)
        wrong = [one for one in configuring.unnamed(text, home) if not one.comes and one not in named]
        return "\n".join(f"{home.config_file}: {one}" for one in wrong) or None
    except ConfigError as error:
        return str(error)
    except UnicodeEncodeError:
        return f"{home.config_file}: is not UTF-8 text"


def _drop(copy: Path) -> None:
    """What stands in the copy is in the configuration by now, or nobody changed it."""
    with opened(copy.parent) as folder:
        remove(folder, copy.name, hashlib.sha256(read_bytes(copy)).hexdigest())
