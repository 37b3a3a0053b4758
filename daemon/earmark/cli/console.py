"""How the command line speaks: one console, times and sizes as people write them, errors as one sentence."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

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
from earmark.paths import Home, platform_home
from earmark.service.idle import finishes, idle
from earmark.service.reach import Here

_HINT = re.compile(
    r"(?<![\w/.-])(?<!sudo )earmark (?=(?:status|list|why|retry|resummarize|privacy|retention|hold|trash|restore|forget"
    r"|receipts|export|config|models|summary|speakers|vocabulary|doctor)\b)"
)
"""A verb that a sentence tells to say. `run`, `transcribe` and `service` are said in another way for the system."""

NOBODY_READS = 141
"""Exit code when the reader of stdout has gone (128 + SIGPIPE, as a shell says it of any program): `earmark list | head`."""

_START = ("start it with: earmark run FOLDER", "start it with: sudo earmark service restart --system")


UNFOLDED = 1_000_000
"""Characters of a line where no terminal is. No name is so long (Linux: 4096 bytes a path)."""


class Voice(Console):
    """A console whose hints can be pasted: for the system's service they go with --system, `prefix` before the verb.

    A reader that has gone is left to `plain_errors`: rich would exit with 1, which means that a check failed.
    """

    prefix = ""
    answers = False
    """Whether a verb is to answer in JSON and has not yet."""
    _inside = False

    @property
    def size(self) -> ConsoleDimensions:
        """Of a terminal; nothing is folded or cut for a file or a program that reads along."""
        return super().size if self.is_terminal else ConsoleDimensions(UNFOLDED, 25)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def on_broken_pipe(self) -> None:
        raise  # noqa: PLE0704 - rich calls this while it handles the error

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        segments = super().render(renderable, options)
        # What is inside of something else, as a cell of a table, would be cut off at the width that it was given.
        return self._hinted(segments) if self.prefix and not self._inside else segments

    def _hinted(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        self._inside = True
        try:
            for segment in segments:
                text = _START[1].join(segment.text.split(_START[0]))
                yield segment._replace(text=_HINT.sub(self.prefix, text))
        finally:
            self._inside = False


out = Voice(soft_wrap=True, highlight=False, emoji=False)
err = Voice(stderr=True, soft_wrap=True, highlight=False, emoji=False)

EXIT_CODES = (
    "Exit codes: 0 all well · 1 a check failed · 2 wrong usage · 3 too busy to check · 65 a recording or plan is bad · "
    "66 not found · 69 no model or server · 70 a mistake of earmark's own · 74 disk trouble · 75 another daemon runs · "
    "76 a newer earmark wrote the ledger · 77 not allowed (privacy) · 78 bad configuration · 141 nobody reads the output"
)

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
            _complain(f"[bold red]earmark:[/] {escape(readable(line))}")
        if isinstance(error, NeverRan):
            _say_what_runs_instead()
        if isinstance(error, LedgerTooOld):
            found = finishes("system" if out.prefix else "user", platform_home(), Here())
            _complain(escape(readable(found)))
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:
        _say_no_more(1)
        raise typer.Exit(NOBODY_READS) from None
    except OSError as error:
        # The machine's trouble with a file that nobody has a better sentence for.
        what = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        if not what and isinstance(error, FileNotFoundError) and not _current_folder():
            what = "the current folder was removed (cd to one that is there): "
        answer_with_error(EnvironmentFault.exit_code, what + why(error))
        _complain(f"[bold red]earmark:[/] {escape(one_line(what + why(error)))}")
        raise typer.Exit(EnvironmentFault.exit_code) from None
    except _TYPERS:
        raise
    except Exception as error:
        # Never its text, which may hold what was said. Rows of a damaged ledger come out as errors of any kind.
        where = place_of(error)
        answer_with_error(
            EarmarkError.exit_code, f"this verb went wrong ({type(error).__name__} at {where[-1]})"
        )
        _complain(
            f"[bold red]earmark:[/] this verb went wrong ({type(error).__name__} at {escape(where[-1])}). If the ledger is"
            " damaged, `earmark run` finds that out and repairs it; else please report it with this:"
            f" {escape(' '.join(where))}"
        )
        raise typer.Exit(EarmarkError.exit_code) from None


@contextmanager
def plain_errors_of_typer() -> Iterator[None]:
    """The same for what typer prints itself, outside of any verb: help, the version, wrong usage."""
    try:
        yield
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        _say_no_more(1, 2)
        raise SystemExit(NOBODY_READS) from None  # typer makes it 1, which means that a check failed
    except OSError as error:
        _say_no_more(1)
        _complain(f"[bold red]earmark:[/] {escape(readable(why(error)))}")
        raise SystemExit(EnvironmentFault.exit_code) from None


def _say_what_runs_instead() -> None:
    """Why the service has no ledger yet, if there is one, and what runs on other ledgers."""
    found = idle("system" if out.prefix else "user", platform_home(), Here())
    of_a_service = [] if found.remedy.startswith("start it with: ") else [found.remedy]
    for line in (*of_a_service, *found.elsewhere):
        _complain(escape(one_line(line[:1].upper() + line[1:] if line in of_a_service else line)))


def _complain(line: str) -> None:
    """Say on stderr what went wrong; if that is full or gone, the exit code says it alone."""
    try:
        err.print(line)
    except OSError:
        _say_no_more(2)


def _say_no_more(*streams: int) -> None:
    """What is still in their buffers goes nowhere, when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream)


FOR_THE_SYSTEM = "sudo earmark --system "


def speak_for(prefix: str) -> None:
    """From here on hints are for the service that `prefix` is said to: the system's, or with "" the user's own."""
    out.prefix = err.prefix = prefix


def readable(text: object) -> str:
    """Any path or sentence as text that a terminal can show (names may hold bytes that are no text, or controls)."""
    raw = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in raw)


def one_line(text: object) -> str:
    """The same where a line is one thing that is said: a name with a newline in it says no further line."""
    return readable(text).replace("\n", "\\n")


def print_answer(verb: str, document: Mapping[str, Any]) -> None:
    """What a verb has to say, as one JSON object on stdout that is as docs/json.md has it. `verb`: a key of ANSWERS."""
    from earmark.cli.answers import ANSWERS  # who asks for no JSON waits for no schema

    answer = ANSWERS[verb].model_validate(document)
    out.answers = False  # it has
    typer.echo(json.dumps(answer.model_dump(by_alias=True), indent=2, ensure_ascii=True, default=str))


def answer_with_error(exit_code: int, sentence: str) -> None:
    """In the place of an answer in JSON, if one was asked for and not given: what went wrong."""
    if not out.answers:
        return
    out.answers = False
    error = {"version": 1, "error": {"exit_code": exit_code, "sentence": readable(sentence)}}
    with suppress(OSError):
        typer.echo(json.dumps(error, indent=2, ensure_ascii=True))


def span(seconds: float | None) -> str:
    """`0:32`, `48:00`, `1:02:03`."""
    if seconds is None:
        return ""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def moment(instant: float | None) -> str:
    """Local date and time to the minute; "" for none, and for one that no calendar knows."""
    try:
        return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d %H:%M") if instant else ""
    except (OverflowError, ValueError, OSError):
        return ""


def iso(instant: float | None) -> str | None:
    """Local time with its offset, as ISO 8601 has it, for programs; None for none, and for one that no calendar knows."""
    try:
        return datetime.fromtimestamp(instant).astimezone().isoformat(timespec="seconds") if instant else None
    except (OverflowError, ValueError, OSError):
        return None


def day(instant: float | None) -> str:
    """The local day, as `moment` says it."""
    return moment(instant)[:10]


def instant_of(day: datetime) -> Instant:
    """The beginning of a local day that was given on the command line. Raises UsageError."""
    try:
        return Instant(day.timestamp())
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{day.date()}: is a day that no clock knows; name a later one") from None


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
