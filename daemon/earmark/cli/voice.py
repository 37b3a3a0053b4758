"""The voice of the command line: two consoles, what they may show, and errors of the parser. Light enough for `--help`.

The rest of how it speaks is in console.py, which reads the configuration.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from earmark.errors import EnvironmentFault
from earmark.readable import one_line as one_line
from earmark.readable import readable as readable

_HINT = re.compile(
    r"(?<![\w/.-])(?<!sudo )earmark (?=(?:status|list|search|ask|why|retry|resummarize|privacy|retention|hold|unhold|trash"
    r"|restore|forget|receipts|export|config|models|summary|speakers|vocabulary|doctor)\b)"
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
    acts: tuple[Any, ...] | list[Any] = ()
    """What that verb has done so far, thing by thing."""
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

CODES = {
    0: "all well", 1: "a check failed, a thing was refused, or you did not agree", 2: "wrong usage", 3: "too busy to check",
    65: "a recording or plan is bad", 66: "not found", 69: "no model or server", 70: "a mistake of earmark's own",
    74: "disk trouble", 75: "another earmark runs", 76: "a newer earmark wrote the ledger",
    77: "not allowed (privacy)", 78: "bad configuration", NOBODY_READS: "nobody reads the output",
}  # fmt: skip
"""What a verb ends with. From 65 on as in sysexits.h, but for 76 and 141."""

EXIT_CODES = "Exit codes: " + " · ".join(f"{code} {meaning}" for code, meaning in CODES.items())


def complain(line: str) -> None:
    """Say on stderr what went wrong; if that is full or gone, the exit code says it alone."""
    try:
        err.print(line)
    except OSError:
        say_no_more(2)


def answer_with_error(exit_code: int, sentence: str) -> None:
    """In the place of an answer in JSON, if one was asked for and not given: what went wrong, and what was done before."""
    if not out.answers:
        return
    out.answers = False
    error = {"exit_code": exit_code, "sentence": readable(sentence)}
    document = {"version": 1, "error": error, "acts": [*out.acts]}
    with suppress(OSError):
        typer.echo(json.dumps(document, indent=2, ensure_ascii=True))


def say_no_more(*streams: int) -> None:
    """What is still in their buffers goes nowhere, when the program ends."""
    with suppress(OSError):  # behind walls nothing may be opened, and what is left is lost in another way
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in streams:
            os.dup2(nowhere, stream)


FOR_THE_SYSTEM = "sudo earmark --system "


def speak_for(prefix: str) -> None:
    """From here on hints are for the service that `prefix` is said to: the system's, or with "" the user's own."""
    out.prefix = err.prefix = prefix


@contextmanager
def plain_errors_of_typer() -> Iterator[None]:
    """The same for what typer prints itself, outside of any verb: help, the version, wrong usage."""
    try:
        yield
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        say_no_more(1, 2)
        raise SystemExit(NOBODY_READS) from None  # typer makes it 1, which means that a check failed
    except OSError as error:
        from earmark.files import why  # a quarter of what the help takes

        say_no_more(1)
        complain(f"[bold red]earmark:[/] {escape(readable(why(error)))}")
        raise SystemExit(EnvironmentFault.exit_code) from None
