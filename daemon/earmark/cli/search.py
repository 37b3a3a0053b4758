"""`earmark search`: what was said, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.markup import escape
from rich.status import Status

from earmark.cli.console import (
    day,
    err,
    here_to_look,
    one_line,
    out,
    plain_errors,
    print_answer,
    say_unread,
    span,
)
from earmark.cli.lines import Numbered, below, cell, columns, print_lines, print_sentence
from earmark.errors import UsageError
from earmark.search.query import parse
from earmark.verbs.found_said import by_words_only, how_many, left_out, of_passage
from earmark.verbs.searching import MOST, Found, Result, search

NARROWEST = 12
"""Characters of a title that a narrow terminal shows."""

LONGEST_NAME = 20
"""Cells of a speaker's name."""


def search_words(
    words: Annotated[
        list[str], typer.Argument(metavar="WORDS", help="What to look for.", show_default=False)
    ],
    limit: Annotated[int, typer.Option(min=1, max=MOST, metavar="N", help="So many passages at most.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Find what was said in all recordings: passages with their time, the best first.

    "a phrase" in this order, rem* for the beginning of a word, -draft for what is not to be there;
    speaker:NAME, folder:FOLDER, tag:TAG, after:DATE, before:DATE.

    Examples: [bold]earmark search budget maria[/] · [bold]earmark search '"spring release" speaker:Sarah'[/]
    """
    with plain_errors():
        for word in words:
            if word.startswith("--") and len(word) > 2:
                raise UsageError(f"{word}: there is no such option; a word that begins so is not looked for")
        query = parse(" ".join(words))
        home, config = here_to_look()
        with _progress() as tell:
            found = search(home, config, query, limit, tell)
        if json:
            results = [document(result) for result in found.results]
            print_answer(
                "search WORDS",
                {
                    "query": " ".join(words), "results": results, **unfound(found),
                    "by_words": found.by_words, "why_by_words": found.why,
                },
            )  # fmt: skip
            return
        _tell_what_is_missing(found)
        if found.results:
            print_found(found, limit)
        else:
            out.print("Nothing was found.")


def unfound(found: Found) -> dict[str, Any]:
    """What an answer says of what is not found, and not read, for a program."""
    return {
        "missing": found.missing, "unheard": found.unheard, "out_by_rule": found.out_by_rule,
        "in_trash": found.in_trash, "not_read": list(found.not_read), "away": [str(path) for path in found.away],
    }  # fmt: skip


def tell_missing(found: Found) -> None:
    """That recordings are not found, and notes not read, if there are any."""
    say_unread(found.not_read)
    for sentence in left_out(found, lambda path: below(path, found.tops)):
        err.print(escape(one_line(sentence)))


def _tell_what_is_missing(found: Found) -> None:
    tell_missing(found)
    if sentence := by_words_only(found):
        err.print(escape(one_line(sentence)))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """On a terminal a line that says how far the index is, while it is brought up to date."""
    with ExitStack() as shown:
        line: Status | None = None

        def tell(done: int, of: int) -> None:
            nonlocal line
            if err.is_terminal:
                line = shown.enter_context(err.status("")) if line is None else line
                line.update(f"Putting recordings into the index: {done} of {of}")

        yield tell


def print_found(found: Found, limit: int) -> None:
    """Passages, the best first, with what is to be said of them."""
    results, marks = found.results, Numbered()
    numbers = ["".join(marks.mark(sentence) for sentence in of_passage(result)) for result in results]
    out.print(how_many(found, limit))
    for sentence, count in Counter(s for result in results for s in of_passage(result)).items():
        print_sentence(f" {marks.mark(sentence)} {count} {cell(sentence)}", 6)
    narrow = max(NARROWEST, (out.width - 42) // 2) if out.is_terminal else None
    heads = columns(
        [
            (
                f"[green]{span(int(result.hit.at))}[/]{number}", day(result.recorded),
                escape(_cut(result.hit.speaker, LONGEST_NAME)), escape(_cut(result.title, narrow)),
                _path(result, found.tops),
            )
            for result, number in zip(results, numbers, strict=True)
        ],
        right=(0,),
    )  # fmt: skip
    for head, result in zip(heads, results, strict=True):
        print_lines([head])
        if result.hit.snippet:
            print_sentence(f"    {_marked(result)}")


def _path(result: Result, tops: Collection[Path]) -> str:
    """The path, on a terminal as a link that opens the recording at the time."""
    path = result.place.path if result.here or result.note is None else result.note
    return f"[link={result.url}]{escape(below(path, tops))}[/link]"


def _marked(result: Result) -> str:
    """The snippet with its words in bold."""
    text, parts, done = result.hit.snippet, [], 0
    for first, last in result.hit.marks:
        parts += [cell(text[done:first]), f"[bold]{cell(text[first:last])}[/]"]
        done = last
    return "".join([*parts, cell(text[done:])])


def _cut(text: str, most: int | None) -> str:
    text = one_line(text)
    if most is None or cell_len(text) <= most:
        return text
    return set_cell_size(text, most - 1) + "…"


def document(result: Result) -> dict[str, Any]:
    """A passage as JSON has it."""
    hit = result.hit
    return {
        "recording": hit.recording_id, "path": str(result.place.path), "folder": str(result.place.folder),
        "note": None if result.note is None else str(result.note), "title": result.title,
        "recorded": result.recorded, "at": hit.at, "start": hit.start, "end": hit.end, "speaker": hit.speaker,
        "snippet": hit.snippet, "marks": [list(mark) for mark in hit.marks], "all_words": hit.whole,
        "by_meaning": hit.meant,
        "draft": result.draft, "here": result.here, "link": result.link, "url": result.url,
    }  # fmt: skip
