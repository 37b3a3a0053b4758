"""`earmark forget`: erase recordings for good, with everything that was made of them."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.console import err, here, open_ledger, out, plain_errors, print_json, readable, short
from earmark.cli.recordings import wake_daemon
from earmark.errors import NotFound, RetentionError
from earmark.ledger import Ledger
from earmark.retention import tombstones
from earmark.retention.copies import UNREACHABLE, Copy, Found, find
from earmark.retention.erase import Erased, erase, matching, recover, remove_set_aside
from earmark.retention.look import hash_of
from earmark.retention.single import one_at_a_time
from earmark.retention.trash import recover as recover_trash


def forget(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Recordings or their notes.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every recording there is.")] = False,
    before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Recordings dated before this day.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--matching", help="Recordings in which this was said or named.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the typed confirmation.")] = False,
    even_held: Annotated[bool, typer.Option("--even-held", help="Also what is held.")] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="The other way round: let FILE, erased before, be taken again.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Erase recordings: the audio, every note and sidecar (edited ones too), the trash, every word in the ledger.

    Not undone by anything. A keyed hash stays behind, so that a sync client cannot bring the recording back unasked.

    Examples: [bold]earmark forget call.m4a --dry-run[/] · [bold]earmark forget --matching "Jane Doe"[/]
    """
    with plain_errors():
        home, config = here()
        now = time.time()
        if lift and dry_run:
            raise RetentionError("--lift --dry-run: say one of them; --lift erases nothing")
        with open_ledger(home, read_only=dry_run) as ledger:
            if lift:
                never = _lift(ledger, files or [], now)
                wake_daemon(home)
                if never:
                    raise NotFound(_never_erased(never))
                return
            wanted = _wanted(ledger, files or [], everything, before, text)
            folders = {f.path for f in config.folder} | {p.folder for p in ledger.places.all()}
            _refuse_held(ledger, wanted, even_held or dry_run)
            if dry_run:
                found = _found(ledger, wanted, folders, files or [])
                also = found.elsewhere(ledger, _absolute(files or []))
                _show(ledger, wanted, found, also, json)
                return
            with one_at_a_time(ledger):
                recover_trash(ledger, now)
                finished = recover(ledger, now)
                found = _found(ledger, wanted, folders, files or [])
                also = found.elsewhere(ledger, _absolute(files or []))
                if not json:
                    _show(ledger, wanted, found, also, json)
                if finished.recordings:
                    err.print(f"Finished {finished.recordings} erasures that had been interrupted.")
                if not wanted:
                    if json:
                        _report(finished, found, also, json)
                    return
                _confirm(len(wanted), yes)
                if everything:
                    remove_set_aside(ledger)
                result = erase(ledger, found, wanted, now, folders)
                if everything:
                    ledger.erasing.drop_history()
                    ledger.erasing.compact()
        wake_daemon(home)
        _report(result, found, also, json)
    if not result.complete:
        raise typer.Exit(RetentionError.exit_code)


def _wanted(
    ledger: Ledger, files: list[Path], everything: bool, before: datetime | None, text: str | None
) -> list[str]:
    if sum((bool(files), everything, before is not None, text is not None)) != 1:
        raise RetentionError(
            "say what to forget: FILE..., --all, --before DATE or --matching TEXT (one of them)"
        )
    if everything:
        return [r.id for r in ledger.places.recordings()]
    if before is not None:
        limit = before.timestamp()
        return [r.id for r in ledger.places.recordings() if r.media_time < limit]
    if text is not None:
        if not text.strip():
            raise RetentionError("--matching: the text is empty; that would be everything (--all)")
        return matching(ledger, " ".join(text.split()))
    return list(dict.fromkeys(_recording_of(ledger, file) for file in files))


def _recording_of(ledger: Ledger, file: Path) -> str:
    """By path of the recording or a note of it, past or present, or by content."""
    path = file.expanduser().absolute()
    artifact = ledger.artifacts.at(path)
    place = ledger.places.at(path)
    if artifact is not None:
        return artifact.recording_id
    if place is not None:
        return place.recording_id
    taken = ledger.trash.of_original(path)
    if taken:
        return taken[-1].recording_id
    try:
        digest = hash_of(path)[0]
    except OSError:
        digest = ""
    if digest and ledger.places.recording(digest) is not None:
        return digest
    raise NotFound(f"{path}: earmark knows no such recording; see: earmark list")


def _refuse_held(ledger: Ledger, wanted: list[str], even_held: bool) -> None:
    held = [i for i in wanted if ledger.retention.held(i) is not None]
    if held and not even_held:
        names = [short(p.path) for i in held for p in ledger.places.of(i)][:5]
        raise RetentionError(
            f"{len(held)} of them are held ({', '.join(names)}); release them with `earmark hold --release FILE`,"
            " or say --even-held"
        )


def _confirm(count: int, yes: bool) -> None:
    if yes:
        return
    phrase = f"forget {count}"
    typed = typer.prompt(
        f"This cannot be undone. Type `{phrase}` to go on", err=True, default="", show_default=False
    )
    if typed.strip() != phrase:
        err.print("Nothing was erased.")
        raise typer.Exit(1)


def _absolute(files: list[Path]) -> list[Path]:
    return [file.expanduser().absolute() for file in files]


def _found(ledger: Ledger, wanted: list[str], folders: set[Path], files: list[Path]) -> Found:
    """All copies; a named file that is none of them, because it lies in no drop folder, is said to stay."""
    found = find(ledger, wanted, folders)
    reached = {path.resolve() for path in found.paths}
    stays = {path for path, _ in found.left}
    for file in _absolute(files):
        if file.is_file() and file.resolve() not in reached and file not in stays:
            found.left.append((file, "it is in no drop folder; delete it yourself"))
    return found


def _lift(ledger: Ledger, files: list[Path], now: float) -> list[Path]:
    """Let files be taken again; returns those whose content was never erased."""
    if not files:
        raise RetentionError("--lift: say which FILE may be taken again")
    never = []
    for file in files:
        try:
            digest = hash_of(file.expanduser().absolute())[0]
        except OSError as error:
            raise NotFound(f"{file}: cannot be read: {error.strerror or error}") from error
        lifted = tombstones.lift(ledger, digest, now)
        if lifted:
            out.print(f"{escape(short(file))}: may be taken again")
        else:
            never.append(file)
    return never


def _never_erased(files: list[Path]) -> str:
    names = ", ".join(readable(file) for file in files)
    return f"{names}: was never erased, or may be taken again already; there is nothing to lift"


def _show(ledger: Ledger, wanted: list[str], found: Found, also: set[Path], json: bool) -> None:
    if json:
        print_json({"recordings": len(wanted)} | _copies(found, also))
        return
    out.print(f"{len(wanted)} recordings, {len(found.copies)} files:" if wanted else "Nothing matches.")
    for copy in sorted(found.copies, key=lambda c: c.path in also):
        mine = "  [yellow]edited by you[/]" if copy.edited else ""
        reason = f"  [yellow]{_why_also(copy)}[/]" if copy.path in also else ""
        out.print(f"  {escape(short(copy.path))}  [dim]{copy.what}, {decimal(copy.size)}[/]{mine}{reason}")
    if also:
        out.print("  [yellow]A recording is its content: every file that holds it goes.[/]")
    for recording_id in wanted:
        if ledger.retention.held(recording_id) is not None:
            names = ", ".join(short(p.path) for p in ledger.places.of(recording_id))
            out.print(f"  [yellow]held:[/] {escape(names)} (only with --even-held)")
    for path, why in found.left:
        out.print(f"  [dim]{escape(short(path))} stays: {why}[/]")
    if wanted:
        out.print("  and every word, name and date of them in the ledger.")


def _why_also(copy: Copy) -> str:
    return "the same content is also here" if copy.audio else "made for the same content, which is also there"


def _report(result: Erased, found: Found, also: set[Path], json: bool) -> None:
    if json:
        print_json(
            {
                "recordings": result.recordings, "files": result.files, "bytes": result.bytes,
                "receipts": result.receipts, "remaining": [readable(r) for r in result.remaining],
                "found_again": [readable(p) for p in result.found_again], "compacted": result.compacted,
                "complete": result.complete, "unreachable": list(UNREACHABLE),
            } | _copies(found, also)
        )  # fmt: skip
        return
    numbers = ", ".join(map(str, result.receipts)) or "none"
    out.print(f"{result.recordings} recordings erased, {result.files} files. Receipts: {numbers}")
    for line in result.remaining:
        err.print(f"[red]still there:[/] {escape(readable(line))}")
    for path in result.found_again:
        aside = " (a damaged ledger that was set aside; delete it when you do not need it)"
        hint = aside if ".damaged-" in path.name else ""
        err.print(f"[red]still holds bytes of it:[/] {escape(short(path))}{hint}")
    if not result.compacted:
        err.print("The ledger was in use and could not be written anew; the next sweep does it.")
    if result.complete:
        out.print("[green]✓[/] No word, name or byte of them is left in the state folder.")
    out.print("Out of reach:")
    for line in UNREACHABLE:
        out.print(f"  - {line}", markup=False)


def _copies(found: Found, also: set[Path]) -> dict[str, Any]:
    return {
        "copies": [
            {
                "path": readable(c.path),
                "what": c.what,
                "bytes": c.size,
                "edited": c.edited,
                "why": _why_also(c) if c.path in also else None,
            }
            for c in found.copies
        ],
        "left": [{"path": readable(p), "why": why} for p, why in found.left],
    }
