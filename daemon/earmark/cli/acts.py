"""What a verb did, thing by thing: a line for a person as soon as it is done, or one object at the end for a program."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from earmark.cli.console import err, out, print_answer, readable, short
from earmark.cli.lines import Sentence, print_sentence

DONE, UNCHANGED, REFUSED = "done", "unchanged", "refused"

ANY_REFUSED = 1
"""With which a verb ends that could not do what it was told with each thing, unless there is a better code for that."""


class Acts:
    """Acts of one verb. A `thing` is what was acted on; `shown`: rich markup for a person in place of "thing: sentence",
    "" for nothing.
    """

    def __init__(self, json: bool) -> None:
        self._json = json
        self.all: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.exit_code = 0

    def did(
        self, thing: Path | str, sentence: str, *, recording: str | None = None, shown: str | None = None
    ) -> None:
        """It was done."""
        self._tell(DONE, thing, sentence, recording, shown)

    def was(
        self, thing: Path | str, sentence: str, *, recording: str | None = None, shown: str | None = None
    ) -> None:
        """It needed no doing."""
        self._tell(UNCHANGED, thing, sentence, recording, shown)

    def refused(
        self,
        thing: Path | str,
        sentence: str,
        *,
        recording: str | None = None,
        shown: str | None = None,
        exit_code: int = ANY_REFUSED,
    ) -> None:
        """It could not be done, which stderr is told, too, and the verb's exit code, which is that of the first."""
        self.exit_code = self.exit_code or exit_code
        self._note(REFUSED, thing, sentence, recording)
        if line := _line(thing, sentence) if shown is None else shown:
            err.print(Sentence(line, 2))

    def say(self, sentence: str, *, shown: str | None = None) -> None:
        """What is said of no single thing."""
        self.said.append(readable(sentence))
        if not self._json and shown != "":
            print_sentence(escape(readable(sentence)) if shown is None else shown, 2)

    def _tell(
        self, outcome: str, thing: Path | str, sentence: str, recording: str | None, shown: str | None
    ) -> None:
        self._note(outcome, thing, sentence, recording)
        line = _line(thing, sentence) if shown is None else shown
        if line and not self._json:
            print_sentence(line, 2)

    def _note(self, outcome: str, thing: Path | str, sentence: str, recording: str | None) -> None:
        said = {"thing": str(thing), "outcome": outcome, "sentence": readable(sentence)}
        self.all.append(said | {"recording": recording})


def _line(thing: Path | str, sentence: str) -> str:
    return f"{escape(short(thing))}: {escape(readable(sentence))}"


def known_to_errors(acts: Acts) -> Acts:
    """From here on an error that is the answer says what was done before."""
    out.acts = acts.all
    return acts


@contextmanager
def acting(verb: str, json: bool) -> Iterator[Acts]:
    """For a verb that acts; its answer, if one was asked for, is given in the end. `verb`: a key of ANSWERS. Where it goes
    wrong half-way, the error that is the answer then says what was done before. Raises Exit if a thing was refused.
    """
    acts = known_to_errors(Acts(json))
    try:
        yield acts
    except typer.Exit:
        _answer(verb, acts, json)
        raise
    _answer(verb, acts, json)
    if acts.exit_code:
        raise typer.Exit(acts.exit_code)


def _answer(verb: str, acts: Acts, json: bool) -> None:
    if json:
        print_answer(verb, {"at": time.time(), "acts": acts.all, "said": acts.said})
