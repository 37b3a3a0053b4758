"""What a verb asks before it acts: on stderr, and only where somebody can answer."""

from __future__ import annotations

import sys

import typer

from earmark.cli.console import out
from earmark.errors import UsageError

NOBODY = "this asks before it acts, and where JSON is read nobody answers: say --yes, or say it in a terminal"


def agreed(question: str) -> bool:
    """True if a person says yes. Raises UsageError where a program waits for JSON and no terminal is there to ask in."""
    require_somebody()
    return typer.confirm(question, err=True)


def typed(question: str) -> str:
    """What a person types. Raises UsageError as `agreed` does."""
    require_somebody()
    said: str = typer.prompt(question, err=True, default="", show_default=False)
    return said.strip()


def require_somebody() -> None:
    """Raises UsageError where nobody could answer a question."""
    if out.answers and not sys.stdin.isatty():
        raise UsageError(NOBODY)
