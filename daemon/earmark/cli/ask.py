"""`earmark ask`: an answer out of the recordings, each sentence with the recording and the second that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.status import Status

from earmark.cli.console import (
    day,
    err,
    here,
    one_line,
    out,
    plain_errors,
    print_answer,
    readable,
    span,
)
from earmark.cli.lines import below, cell, print_lines, print_sentence
from earmark.cli.search import document, print_found, tell_missing, unfound
from earmark.errors import UsageError
from earmark.files import counted
from earmark.verbs import asking
from earmark.verbs.asking import MOST_READ, Reply, Sentence

NOTHING = "Not in your recordings."


def ask(
    question: Annotated[
        list[str], typer.Argument(metavar="QUESTION", help="What you want to know.", show_default=False)
    ],
    where: Annotated[
        Path | None, typer.Option("--in", metavar="FILE|FOLDER", help="Of this recording or folder only.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_READ, metavar="N", help="So many passages are read at most.")
    ] = 8,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Answer a question from the recordings, in their own words. Each sentence of your summary server is held against the
    words that it cites; what holds is shown as it was said, the rest is dropped. Without a server the passages are shown.

    The filters of `earmark search` may stand in the question: speaker:NAME, folder:FOLDER, tag:TAG, after:DATE, before:DATE.

    Example: [bold]earmark ask "What did we decide about the payment page?"[/]
    """
    with plain_errors():
        for word in question:
            if word.startswith("--") and len(word) > 2:
                raise UsageError(f"{word}: there is no such option; a word that begins so is not looked for")
        home, config = here()  # words are sent: not where the configuration is not understood
        typed = " ".join(question)
        with _told(json) as telling:
            reply = asking.ask(home, config, typed, telling, where=where, most=limit)
        if json:
            print_answer("ask QUESTION", _document(typed, reply))
            return
        _print_end(reply, limit)


class _Telling:
    """Says how far it is, in a line of a terminal, and each sentence as it comes."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status: Status | None = None
        self._read = ""

    def indexed(self, done: int, of: int) -> None:
        self._shows(f"Putting recordings into the index: {done} of {of}")

    def reads(self, passages: int, recordings: int) -> None:
        self._read = f"{counted(passages, 'passage')} of {counted(recordings, 'recording')}"
        self._shows(f"The server reads {self._read}")

    def writes(self) -> None:
        self._shows(f"The server writes, from {self._read}")

    def waits(self, sentence: str) -> None:
        if err.is_terminal:
            self._shows(sentence)
        else:
            err.print(escape(sentence))

    def stated(self, sentence: Sentence) -> None:
        if not self._quiet:
            self.done()
            _print_sentence(sentence)

    def done(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _shows(self, text: str) -> None:
        if not err.is_terminal:
            return
        if self._status is None:
            self._status = err.status("")
            self._status.start()
        self._status.update(escape(text))


@contextmanager
def _told(json: bool) -> Iterator[_Telling]:
    telling = _Telling(quiet=json)
    try:
        yield telling
    finally:
        telling.done()


def _print_sentence(sentence: Sentence) -> None:
    """A sentence, in quotation marks, for it is the recording's; and below it where it was said."""
    result = sentence.result
    print_sentence(f'[bold]"{escape(one_line(sentence.text))}"[/]', 0)
    path = result.place.path if result.here or result.note is None else result.note
    where = [
        f"[green]{span(int(sentence.at))}[/]",
        day(result.recorded),
        cell(sentence.speaker),
        cell(result.title),
    ]
    named = f"[link={sentence.url}]{escape(below(path, [result.place.folder]))}[/link]"
    print_lines([f"    {'  '.join([*filter(None, where), named])}"])


def _print_end(reply: Reply, limit: int) -> None:
    """What there is to say once all sentences are out."""
    tell_missing(reply.found)
    if reply.nothing:
        out.print(NOTHING)
    if reply.answered is not None and reply.answered.dropped:
        dropped = reply.answered.dropped
        were = "sentence of the server was" if dropped == 1 else "sentences of the server were"
        passages = "" if reply.sentences else "; the passages are shown by earmark search"
        err.print(f"{dropped} {were} dropped: the recordings do not bear that out{passages}.")
    if reply.answered is not None and reply.answered.locality not in ("device", "unverified"):
        err.print(f"Answered at {escape(readable(reply.answered.made_at))} ({reply.answered.locality}).")
    if reply.why:
        why = reply.why.rstrip(".")
        what = "the answer is not whole" if reply.sentences else "these are the passages"
        err.print(f"{escape(readable(why))}; {what}.")
        if not reply.sentences:
            print_found(reply.found, limit)


def _document(typed: str, reply: Reply) -> dict[str, Any]:
    answered = reply.answered
    return {
        "question": typed, "answered": bool(reply.sentences), "nothing": reply.nothing, "why": reply.why,
        "sentences": [_cited(sentence) for sentence in reply.sentences],
        "dropped": 0 if answered is None else answered.dropped,
        "passages": [document(result) for result in reply.found.results], **unfound(reply.found),
        "read": 0 if answered is None else answered.read, "model": "" if answered is None else answered.model,
        "made_at": "" if answered is None else answered.made_at,
        "locality": "" if answered is None else answered.locality,
    }  # fmt: skip


def _cited(sentence: Sentence) -> dict[str, Any]:
    result = sentence.result
    return {
        "text": sentence.text, "recording": result.hit.recording_id, "path": str(result.place.path),
        "note": None if result.note is None else str(result.note), "title": result.title, "recorded": result.recorded,
        "at": sentence.at, "speaker": sentence.speaker, "said": sentence.said, "link": sentence.link, "url": sentence.url,
    }  # fmt: skip
