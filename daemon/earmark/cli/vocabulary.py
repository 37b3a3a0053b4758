"""`earmark vocabulary`: words that were corrected again and again, to be heard rightly from now on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from earmark.cli.acts import Acts, acting
from earmark.cli.console import here, here_to_look, plain_errors, print_answer, readable, short
from earmark.cli.lines import cell, print_columns, print_sentence
from earmark.config import Config
from earmark.context import Context
from earmark.files import counted
from earmark.offers import Offer
from earmark.paths import Home
from earmark.verbs import vocabulary
from earmark.verbs.opening import opened_context

app = typer.Typer(
    no_args_is_help=True, help="Hear names and terms rightly that you corrected again and again."
)

Words = Annotated[
    list[str], typer.Argument(metavar="WORD...", help="Words or names; in quotes, if they have spaces.")
]


AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_words(json: AsJson = False) -> None:
    """List what is offered because you corrected it twice or more, what you accepted, and what you ignored.

    Examples: [bold]earmark vocabulary list[/] · [bold]earmark vocabulary list --json[/]
    """
    with plain_errors():
        home, config = here_to_look()
        said = vocabulary.known(home)
        offers: list[Offer] = []
        places: dict[str, list[tuple[str, str]]] = {}
        if home.ledger_file.exists():  # what was accepted needs none
            with opened_context(home, config, read_only=True) as context:
                offers = vocabulary.offered(context, said)
                places = {offer.word: _places(context, offer) for offer in offers}
        if json:
            print_answer(
                "vocabulary list",
                {
                    "file": readable(home.vocabulary_file),
                    "offered": [_as_json(offer, places[offer.word]) for offer in offers],
                    "accepted": said.accepted, "ignored": said.ignored, "problems": said.problems,
                },
            )  # fmt: skip
            return
        _show(offers, places)
        for what, words in (("Accepted", said.accepted), ("Ignored", said.ignored)):
            if words:
                print_sentence(f"{what}: {escape(readable(', '.join(words)))}")
        for problem in said.problems:
            print_sentence(f"[yellow]{escape(short(home.vocabulary_file))}, {escape(readable(problem))}[/]")


def _places(context: Context, offer: Offer) -> list[tuple[str, str]]:
    """The recordings in which it was corrected, and a file of each."""
    found = []
    for recording_id in offer.recordings:
        places = context.ledger.places.of(recording_id)
        place = next((each for each in places if each.here), places[0] if places else None)
        found.append((recording_id, str(place.path) if place else ""))
    return found


def _as_json(offer: Offer, places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "word": offer.word, "heard": offer.heard, "times": offer.times,
        "recordings": [{"recording": each, "path": readable(path) or None} for each, path in places],
    }  # fmt: skip


def _show(offers: Sequence[Offer], places: dict[str, list[tuple[str, str]]]) -> None:
    if not offers:
        print_sentence("Nothing is offered: no name or term was corrected twice that is not settled.")
        return
    rows = [("word", "heard as", "times", "in")]
    for offer in offers:
        first, *more = (short(path) if path else recording[:12] for recording, path in places[offer.word])
        where = f"{first} and {counted(len(more), 'other')}" if more else first
        heard = ", ".join(offer.heard[:3])
        rows.append((cell(offer.word), cell(heard), str(offer.times), escape(where)))
    print_columns(rows, right=(2,))
    print_sentence(
        "[dim]earmark vocabulary accept WORD... has them heard rightly; ignore WORD... offers them no more[/]"
    )


@app.command()
def accept(words: Words, json: AsJson = False) -> None:
    """Have words heard rightly from the next recording on, offered or not. They go into vocabulary.txt.

    Recordings that were heard already stay as they are; earmark retry FILE hears them again.

    Example: [bold]earmark vocabulary accept Meier "Annika Lindqvist"[/]
    """
    with plain_errors(), acting("vocabulary accept", json) as acts:
        home, config = here()
        done = vocabulary.accept(home, words, _offers(home, config))
        _tell(acts, done, "expected from the next recording on", "was accepted before")


@app.command()
def ignore(words: Words, json: AsJson = False) -> None:
    """Offer words never again. One that was accepted is not expected any more.

    Example: [bold]earmark vocabulary ignore Meier[/]
    """
    with plain_errors(), acting("vocabulary ignore", json) as acts:
        home, _ = here()
        done = vocabulary.ignore(home, words)
        _tell(acts, done, "not offered any more, and not expected", "was ignored before")


@app.command()
def forget(words: Words, json: AsJson = False) -> None:
    """Take words out of vocabulary.txt, accepted or ignored. What is still corrected in notes is offered again.

    Example: [bold]earmark vocabulary forget Meier[/]
    """
    with plain_errors(), acting("vocabulary forget", json) as acts:
        home, _ = here()
        _tell(acts, vocabulary.forget(home, words), "neither accepted nor ignored any more")


def _offers(home: Home, config: Config) -> list[Offer]:
    """What is offered now; nothing where earmark has not run yet."""
    if not home.ledger_file.exists():
        return []
    with opened_context(home, config, read_only=True) as context:
        return vocabulary.offered(context, vocabulary.known(home))


def _tell(acts: Acts, done: vocabulary.Settled, news: str, before: str = "") -> None:
    for word in done.news:
        acts.did(word, news, shown=f"{escape(readable(word))}: {news}")
    for word in done.before:
        acts.was(word, before, shown=f"{escape(readable(word))}: {before}")
