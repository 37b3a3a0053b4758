"""Every command that a page or a unit file shows can be typed: the parser takes it, the script or benchmark is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
import typer
from earmark.cli.main import app

from tests.shown import DOCS, all_pages

ROOT = Path(__file__).resolve().parents[2]
UNITS = [*sorted((ROOT / "systemd").rglob("*.service")), *sorted((ROOT / "launchd").glob("*.plist"))]
PAGES = [*all_pages(), ROOT / "benchmarks" / "README.md", *UNITS]

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
EARMARK = re.compile(
    r"^(?:#  +)?(?:sudo )?(?:env HOME=\"\$HOME\" )?(?:\S*/)?"
    r"(?:earmark|\"\$\(command -v earmark\)\") (?=[a-z-])(.*)"
)
A_FILE = "earmark privacy check DATE TIME.m4a"
"""The name of the check's recording, which begins like a command."""


def shown(page: Path) -> list[str]:
    """What can be typed: the lines of code blocks, and spans of code, with a mark before them; of a unit, its lines."""
    text = page.read_text("utf-8")
    if page in UNITS:
        return [line.removeprefix("ExecStart=") for line in text.splitlines() if "`" not in line]
    lines = [line for kind, block in BLOCK.findall(text) if kind in ("", "sh") for line in block.splitlines()]
    return [*lines, *(SPANNED + " ".join(span.split()) for span in SPAN.findall(BLOCK.sub("", text)))]


SPANNED = "in prose: "


def commands(page: Path) -> list[tuple[str, bool]]:
    """What comes after "earmark", and whether a sentence may only name the verb."""
    return [
        (found[1], line.startswith(SPANNED))
        for line in shown(page)
        if (found := EARMARK.match(line.removeprefix(SPANNED))) and not line.endswith(A_FILE)
    ]


def alternatives(usage: str) -> Iterator[list[str]]:
    """What `a [--b C] D | --e` stands for: each choice, with and without what is in brackets."""
    usage = re.sub(r"\s+(?:#|\\?\|\s*jq|>|&&)\s.*", "", usage).replace("DATE", "2027-01-01")
    parts = re.split(r"(\[[^\]]*\])", usage)
    for chosen in product(*((part[1:-1], "") if part.startswith("[") else (part,) for part in parts)):
        first, *others = re.split(r"\s\|\s", "".join(chosen))
        yield shlex.split(first)
        for other in others:
            yield [*shlex.split(first)[:1], *shlex.split(other)]


COMMAND = typer.main.get_command(app)


def complaint(words: Sequence[str], *, named_only: bool = False) -> str:
    """What the parser says against it, "" if it takes it. `named_only`: a verb may stand without its arguments."""
    command, rest = COMMAND, list(words)
    try:
        context = command.make_context("earmark", rest)
        while hasattr(command, "resolve_command"):
            rest = [*context._protected_args, *context.args]
            if not rest:
                return ""
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, rest, parent=context)
    except Exception as error:  # click's errors have no base that typer shows
        kind = type(error).__name__
        if named_only and kind == "MissingParameter" and not any(word.startswith("-") for word in words):
            return ""
        return getattr(error, "message", "") or kind
    return ""


def test_there_are_commands_to_look_at() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 60
    assert {page.name for page in PAGES if commands(page)} >= {
        "README.md", "retention.md", "privacy.md", "service.md", "summaries.md", "earmark.service",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_one(page: Path) -> None:
    wrong = {
        " ".join(words): said
        for usage, named_only in commands(page)
        for words in alternatives(usage)
        if (said := complaint(words, named_only=named_only))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "words",
    [["retention", "plann"], ["list", "--al"], ["models", "download"], ["summary"], ["hold", "--why"]],
)
def test_what_is_no_command_is_noticed(words: list[str]) -> None:
    assert complaint(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_script_and_benchmark_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"\b(?:scripts|benchmarks)/[\w./-]*\w", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.shows("measurements:commands")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_of_a_benchmark_that_a_page_names_is_one(page: Path) -> None:
    wrong = []
    for file, rest in re.findall(
        r"(benchmarks/\w+\.py)((?: --?[a-z]+(?: [0-9A-Z]+\b)?)+)", page.read_text("utf-8")
    ):
        source = (ROOT / file).read_text("utf-8")
        wrong += [(file, o) for o in re.findall(r"--([a-z]+)", rest) if not re.search(rf"[\"-]{o}\"", source)]
    assert wrong == []


@pytest.mark.shows("measurements:commands")
def test_every_section_of_the_measurements_names_its_command() -> None:
    headings = re.findall(r"^#{2,} .*", (DOCS / "measurements.md").read_text("utf-8"), re.MULTILINE)
    assert len(headings) > 5
    named = [re.findall(r"`(benchmarks/\w+\.py)", heading) for heading in headings]
    assert [heading for heading, names in zip(headings, named, strict=True) if not names] == []
