"""How the command line speaks: one console, times and sizes as people write them, errors as one sentence."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from earmark.cli.voice import FOR_THE_SYSTEM as FOR_THE_SYSTEM
from earmark.cli.voice import NOBODY_READS, answer_with_error, complain, say_no_more
from earmark.cli.voice import Voice as Voice
from earmark.cli.voice import err as err
from earmark.cli.voice import one_line as one_line
from earmark.cli.voice import out as out
from earmark.cli.voice import readable as readable
from earmark.cli.voice import speak_for as speak_for
from earmark.config import Config, load_config
from earmark.domain import Instant
from earmark.errors import (
    ConfigError,
    EarmarkError,
    EnvironmentFault,
    LedgerTooOld,
    NeverRan,
    UsageError,
    place_of,
)
from earmark.files import why
from earmark.notes.style import length
from earmark.paths import Home, platform_home
from earmark.readable import day as day
from earmark.readable import moment as moment
from earmark.service.idle import finishes, idle
from earmark.service.reach import Here
from earmark.verbs.found_said import unread

_TYPERS: tuple[type[Exception], ...] = (
    *(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException" and issubclass(c, Exception)),
    typer.Exit,
    typer.Abort,
)
"""What typer raises for itself; wrong usage is click's, or of its own copy of click."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn our errors into a sentence on stderr and their exit code."""
    try:
        yield
    except EarmarkError as error:
        answer_with_error(error.exit_code, str(error))
        for line in str(error).splitlines():
            complain(f"[bold red]earmark:[/] {escape(readable(line))}")
        if isinstance(error, NeverRan):
            _say_what_runs_instead()
        if isinstance(error, LedgerTooOld):
            found = finishes("system" if out.prefix else "user", platform_home(), Here())
            complain(escape(readable(found)))
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:
        say_no_more(1)
        raise typer.Exit(NOBODY_READS) from None
    except OSError as error:
        # The machine's trouble with a file that nobody has a better sentence for.
        what = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        if not what and isinstance(error, FileNotFoundError) and not _current_folder():
            what = "the current folder was removed (cd to one that is there): "
        answer_with_error(EnvironmentFault.exit_code, what + why(error))
        complain(f"[bold red]earmark:[/] {escape(one_line(what + why(error)))}")
        raise typer.Exit(EnvironmentFault.exit_code) from None
    except _TYPERS:
        raise
    except Exception as error:
        # Never its text, which may hold what was said. Rows of a damaged ledger come out as errors of any kind.
        where = place_of(error)
        answer_with_error(
            EarmarkError.exit_code, f"this verb went wrong ({type(error).__name__} at {where[-1]})"
        )
        complain(
            f"[bold red]earmark:[/] this verb went wrong ({type(error).__name__} at {escape(where[-1])}). If the ledger is"
            " damaged, `earmark run` finds that out and repairs it; else please report it with this:"
            f" {escape(' '.join(where))}"
        )
        raise typer.Exit(EarmarkError.exit_code) from None


def _say_what_runs_instead() -> None:
    """Why the service has no ledger yet, if there is one, and what runs on other ledgers."""
    found = idle("system" if out.prefix else "user", platform_home(), Here())
    of_a_service = [] if found.remedy.startswith("start it with: ") else [found.remedy]
    for line in (*of_a_service, *found.elsewhere):
        complain(escape(one_line(line[:1].upper() + line[1:] if line in of_a_service else line)))


def print_answer(verb: str, document: Mapping[str, Any]) -> None:
    """What a verb has to say, as one JSON object on stdout that is as docs/json.md has it. `verb`: a key of ANSWERS."""
    from earmark.cli.answers import ANSWERS  # who asks for no JSON waits for no schema

    answer = ANSWERS[verb].model_validate(document)
    out.answers = False  # it has
    typer.echo(json.dumps(answer.model_dump(by_alias=True), indent=2, ensure_ascii=True, default=str))


def span(seconds: float | None) -> str:
    """`0:32`, `48:00`, `1:02:03`."""
    return "" if seconds is None else length(seconds)


def iso(instant: float | None) -> str | None:
    """Local time with its offset, as ISO 8601 has it, for programs; None for none, and for one that no calendar knows."""
    try:
        return datetime.fromtimestamp(instant).astimezone().isoformat(timespec="seconds") if instant else None
    except (OverflowError, ValueError, OSError):
        return None


def instant_of(day: datetime) -> Instant:
    """The beginning of a local day that was given on the command line. Raises UsageError."""
    try:
        return Instant(day.timestamp())
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{day.date()}: is a day that no clock knows; name a later one") from None


def to_come(day: datetime | None) -> bool:
    """Whether a local day that was given on the command line has not begun."""
    return day is not None and instant_of(day) > time.time()


def nothing_since(day: datetime) -> UsageError:
    """Of a day that has not begun nothing can be told."""
    return UsageError(
        f"--since {day:%Y-%m-%d}: has not begun, so nothing is from then on; name today or an earlier day"
    )


def ago(instant: float, now: float | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `12 days ago`."""
    seconds = (time.time() if now is None else now) - instant
    for limit, unit, size in ((90, "", 0), (5400, "min", 60), (129600, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit} ago" if size else "just now"
    return f"{seconds / 86400:.0f} days ago"


def here() -> tuple[Home, Config]:
    """This installation's folders and configuration."""
    home = platform_home()
    return home, load_config(home.config_file)


def here_to_look() -> tuple[Home, Config]:
    """Like `here`, for verbs that only look: they must work with a broken configuration, when they are needed most."""
    home = platform_home()
    try:
        return home, load_config(home.config_file)
    except ConfigError as error:
        err.print(
            f"[yellow]earmark: the configuration is broken (earmark config check):[/] {escape(readable(error))}"
        )
        return home, Config()


def _current_folder() -> str:
    """ "" where it was removed under this process."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def short(path: str | Path) -> str:
    """A path as one would type it: relative to the current folder or the home folder where that is shorter."""
    text = str(path)
    for base, prefix in ((_current_folder(), ""), (os.path.expanduser("~"), "~/")):  # noqa: PTH111 - never raises
        if len(base) > 1 and text.startswith(base + "/"):
            text = prefix + text[len(base) + 1 :]
            break
    return one_line(text)


def say_what_is_left(paths: Iterable[Path]) -> None:
    """Files that still hold bytes of what was erased, and what can be done about it."""
    for path in paths:
        aside = " (a damaged ledger that was set aside; delete it when you do not need it)"
        hint = aside if ".damaged-" in path.name else ""
        err.print(f"[red]still holds bytes of it:[/] {escape(short(path))}{hint}")


def say_unread(reasons: Sequence[str]) -> None:
    """Why notes are not read that people changed."""
    for line in unread(reasons):
        err.print(f"[yellow]not read:[/] {escape(readable(line))}")
