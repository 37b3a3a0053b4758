"""One line a file: what is known of it in columns, and its path last, so that nothing but that may be too long for a line.

A sentence that many files have in common is said once, above them, with a number that their lines carry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.text import Text

from earmark.below import below as listed_below
from earmark.cli.console import one_line, out, short
from earmark.verbs.listing import copied

GAP = "  "

PADDED = 40
"""Cells to which a column is filled up: one title of two hundred characters does not move all others."""


def below(path: Path | str, folders: Collection[Path]) -> str:
    """A path as it is listed; one that is in no drop folder as one types it."""
    return listed_below(path, folders, short)


NARROW = 60
"""Cells of a terminal below which a line has no room for a path behind its columns: a phone, a part of a screen."""


def columns(rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Cells of rich markup as lines in which each column begins below itself, on a terminal that shows some characters twice
    as wide, too. The last cell is as long as it is; the columns at `right` are numbers.
    """
    cells = [[(cell, cell_len(_plain(cell))) for cell in row] for row in rows]
    widths = [min(PADDED, max(width for _, width in column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            " " * (widths[at] - width) + cell if at in right else cell + " " * (widths[at] - width)
            for at, (cell, width) in enumerate(row[:-1])
        ]
        lines.append(GAP.join([*padded, row[-1][0]]))
    return lines


def print_columns(rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> None:
    """Rows of rich markup, a line each. On a narrow terminal where one is too long the last cell of each has a line of its
    own, with nothing put into it, so that a path can be copied; the columns above it are wrapped between words.
    """
    rows = list(rows)
    lines = columns(rows, right)
    if not out.is_terminal or out.width >= NARROW or all(_text(line).cell_len <= out.width for line in lines):
        print_lines(lines)
        return
    above = columns([(*row[:-1], "") for row in rows], right)
    if any(
        _text(line.rstrip()).cell_len > out.width for line in above
    ):  # room that is only filled up goes first
        above = [
            GAP.join(filter(None, (_plain(cell).strip() and cell.strip() for cell in row[:-1])))
            for row in rows
        ]
    for line, row in zip(above, rows, strict=True):
        print_sentence(line.rstrip(), 4)
        print_lines([f"  {row[-1]}"])


def print_lines(lines: Sequence[str]) -> None:
    """Lines of rich markup, unwrapped. They are printed as one, which for ten thousand is much quicker."""
    if lines:
        out.print(
            Text("\n").join(map(_text, lines)) if out.is_terminal else Text("\n".join(map(_plain, lines)))
        )


def _text(markup: str) -> Text:
    """A name such as `:smile:.m4a` is shown as it is."""
    return Text.from_markup(markup, emoji=False)


def _plain(markup: str) -> str:
    return _text(markup).plain if "[" in markup or "\\" in markup else markup


class Sentence:
    """A sentence in rich markup: on a terminal wrapped between words, with further lines indented; elsewhere one line."""

    def __init__(self, markup: str, indent: int = 4) -> None:
        self._text = _text(markup)
        self._indent = indent

    def __str__(self) -> str:
        return self._text.plain

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self._text
        if not console.is_terminal or text.cell_len <= options.max_width:
            yield text
            return
        begin = len(text.plain) - len(text.plain.lstrip(" "))
        indent = min(self._indent, 6 if options.max_width < NARROW else options.max_width // 2)
        width = max(1, options.max_width - max(indent, begin))
        # What is shown in place (`status --watch`) has to be as wide as is believed; else a path that is wider than the line
        # is left to the terminal, from which it is then copied whole.
        loose = options.overflow == "ignore"
        rest = text[begin:]
        lines = rest.divide(_between_words(rest.plain, width)) if loose else rest.wrap(console, width)
        for at, line in enumerate(lines):
            line.rstrip()
            yield Text(" " * (begin if at == 0 else max(indent, begin))) + line


def _between_words(plain: str, width: int) -> list[int]:
    """Where a text is broken so that no line is wider than `width`, unless a single word is."""
    found, at = [], 0
    for word in re.finditer(r"\S+\s*", plain):
        if at and at + cell_len(word[0].rstrip()) > width:
            found.append(word.start())
            at = 0
        at += cell_len(word[0])
    return found


class Numbered:
    """Sentences that are said once, in the order in which they came, and the numbers by which lines refer to them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, sentence: str) -> str:
        """` (2)`, or "" where there is no sentence."""
        return f" ({self._numbers.setdefault(sentence, len(self._numbers) + 1)})" if sentence else ""


def print_sentence(markup: str, indent: int = 4) -> None:
    out.print(Sentence(markup, indent))


def cell(text: object) -> str:
    """Any text as a cell of one line."""
    return escape(one_line(text))


def as_copy(of: Path) -> str:
    """What is said of a file with the content of another one."""
    return copied(of, short)
