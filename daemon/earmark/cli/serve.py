"""`earmark serve` and `earmark open`: pages for the browser of whoever sits at this device."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.console import err, here, plain_errors
from earmark.cli.lines import cell, print_sentence
from earmark.cli.voice import NOBODY_READS
from earmark.context import Clock
from earmark.locality.confinement.inherited import close_inherited
from earmark.locality.policy.consent import FACT
from earmark.locality.policy.destination import destination
from earmark.models.inventory import this_device
from earmark.paths import shared_models
from earmark.standing.gathered import hears_at_once
from earmark.verbs.meaning import MeaningWorker
from earmark.verbs.opening import opened_context
from earmark.verbs.pages_at import HOST, link_now, made_key

PORT = 8765
"""Where pages are unless another port is named."""


def serve(
    port: Annotated[
        int, typer.Option(help="Port at 127.0.0.1; 0: any that is free, which is printed.", min=0, max=65535)
    ] = PORT,
) -> None:
    """Serve pages for your browser, on this device only, until Ctrl-C. They show, and change nothing.

    Nobody gets in without the link that `earmark open` prints. It opens no connection and changes no file.

    Examples: [bold]earmark serve[/] · [bold]earmark serve --port 0[/]
    """
    close_inherited()
    with plain_errors():
        from earmark.pages.reading import Reader
        from earmark.pages.serving import bound, held_lock, say_where
        from earmark.pages.serving import serve as serve_pages

        home, config = here()
        with opened_context(home, config, read_only=True) as context:
            folders = {*context.folders, *context.ledger.places.folders()}
            at_once = hears_at_once(context)
            allowed = context.ledger.journal.fact(FACT)
        lock = held_lock(home)  # before all else: whoever comes second changes nothing
        key, told = made_key(home)
        if told:
            err.print(f"[yellow]{cell(told)}[/]")
        with bound(port) as listening:
            say_where(lock, home, listening.getsockname()[1], key)
            standing = MeaningWorker(home, config)  # while programs can still be started
            end = destination(config, allowed[0] if allowed else None)
            configured = config.transcription.model_dir
            readable = [home.state, home.models, shared_models(), *sorted(folders)]
            readable += [configured] if configured else []

            def ready(holds: tuple[str, ...]) -> None:
                where = f"Pages at http://{HOST}:{listening.getsockname()[1]} (earmark open prints a link)\n"
                try:
                    for sentence in holds:
                        err.print(f"[dim]{escape(sentence)}[/]")
                    os.write(
                        1, where.encode()
                    )  # nothing of it is left in a buffer, which no walls let lead elsewhere
                except BrokenPipeError:
                    raise typer.Exit(NOBODY_READS) from None

            try:
                serve_pages(
                    Reader(home, config, end, standing, this_device(), at_once), key, listening, readable,
                    "require" if config.require_sandbox else "auto", ready,
                )  # fmt: skip
            finally:
                standing.stop()
                lock.release()


def open_pages() -> None:
    """Print a link to the pages that `earmark serve` shows; it may be used for ten minutes.

    Example: [bold]earmark open[/]
    """
    with plain_errors():
        home, _ = here()
        print_sentence(escape(link_now(home, Clock().wall())))
