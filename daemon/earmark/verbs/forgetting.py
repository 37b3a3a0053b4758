"""Erasing recordings on a person's word: what is meant, what holds it, what would go, and doing it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import NotFound, RetentionError, UsageError
from earmark.files import counted, sha256_of
from earmark.ledger.candidates import CLASSES
from earmark.ledger.repair import remove_set_aside
from earmark.notes.names import is_note
from earmark.paths import whole
from earmark.retention import NotesSeen
from earmark.retention.erasure import tombstones
from earmark.retention.erasure.copies import Found, find
from earmark.retention.erasure.erase import Erased, erase, recover
from earmark.retention.erasure.matching import matching
from earmark.retention.holds import why_held
from earmark.retention.trash.recovery import recover as recover_trash
from earmark.verbs.known import known_path
from earmark.verbs.resolve import resolve
from earmark.verbs.sweeping import PATIENCE


@dataclass(frozen=True, slots=True)
class Which:
    """What a person wants forgotten: exactly one of these."""

    files: tuple[Path, ...] = ()
    everything: bool = False
    before: Instant | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if sum((bool(self.files), self.everything, self.before is not None, self.text is not None)) != 1:
            raise UsageError(
                "say what to forget: FILE..., --all, --before DATE or --matching TEXT (one of them)"
            )
        if self.text is not None and not self.text.strip():
            raise UsageError("--matching: the text is empty; that would be everything (--all)")


def named(context: Context, which: Which) -> list[Path]:
    """The files, as the ledger or the disk spells them."""
    return [known_path(context, file) for file in which.files]


def chosen(context: Context, which: Which) -> list[str]:
    """The recordings that are meant. Raises NotFound."""
    recordings = context.ledger.recordings
    if which.everything:
        return [r.id for r in recordings.all()]
    if which.before is not None:
        return [r.id for r in recordings.all() if r.recorded_at < which.before]
    if which.text is not None:
        return matching(context, which.text)
    return list(dict.fromkeys(resolve(context, file).recording_id for file in which.files))


def held(context: Context, recording_ids: list[str], copies: Found, *, writes: bool = True) -> dict[str, str]:
    """Those that something holds, and what: the same answer that a rule gets, asked for every copy that would go."""
    notes = NotesSeen(context, writes=writes)
    holding = {}
    for recording_id in recording_ids:
        files = [(p.path, p.folder) for p in context.ledger.places.of(recording_id)]
        for copy in copies.of(recording_id):
            files.append((copy.path, context.top_of(copy.path) or copy.path.parent))
            if is_note(copy.path.name):
                notes.glance(copy.path)
        why = why_held(context, notes, recording_id, files, CLASSES)
        if why is not None:
            holding[recording_id] = why
    return holding


def found(context: Context, recording_ids: list[str], which: Which) -> Found:
    """All copies; a named file that is none of them, because it lies in no drop folder, is said to stay."""
    result = find(context, recording_ids)
    reached = {os.path.realpath(path) for path in result.paths}
    stays = {path for path, _ in result.left}
    for file in named(context, which):
        if os.path.lexists(file) and os.path.realpath(file) not in reached and file not in stays:
            result.left.append((file, "it is in no drop folder; delete it yourself"))
    return result


def forget(
    context: Context, which: Which, confirm: Callable[[list[str], Found], bool], *, even_held: bool = False
) -> tuple[Erased, Found] | None:
    """Erase what is meant if `confirm` says so, after everything was looked at; None if it does not.

    Nothing is locked while a person thinks: what is there is looked for again after that, and what holds a recording is
    asked again in the moment of its erasure. Raises RetentionError for what is held.
    """
    with context.ledger.acting(PATIENCE):
        context.ledger.check()
        recover_trash(context)
        finished = recover(context)
    wanted = chosen(context, which)
    seen = found(context, wanted, which)
    refuse_held(context, wanted, seen, even_held)
    if not confirm(wanted, seen):
        return None
    if not wanted:
        return finished, seen

    def why_not(recording_id: str) -> str | None:
        return None if even_held else held(context, [recording_id], again).get(recording_id)

    with context.ledger.acting(PATIENCE):
        if which.everything:
            remove_set_aside(context.ledger.file)
        again = found(context, wanted, which)
        result = erase(context, again, wanted, why_not)
        if which.everything:
            context.ledger.erasing.drop_history()
            context.ledger.erasing.compact()
    return result, again


def refuse_held(context: Context, wanted: list[str], copies: Found, even_held: bool) -> None:
    """Raises RetentionError that names what holds them."""
    holding = {} if even_held else held(context, wanted, copies)
    if holding:
        names = []
        for recording_id, why in list(holding.items())[:5]:
            places = context.ledger.places.of(recording_id)
            names.append(f"{places[0].path.name if places else recording_id[:12]}: {why}")
        raise RetentionError(
            f"{counted(len(holding), 'recording is', 'recordings are')} held ({'; '.join(names)}); `earmark hold` lists what"
            " holds and how to let go, or say --even-held"
        )


def lift(context: Context, files: list[Path]) -> dict[Path, bool]:
    """Let files be taken again; for each, whether its content was erased before. Raises NotFound, RetentionError."""
    if not files:
        raise UsageError("--lift: say which FILE may be taken again")
    result = {}
    for file in files:
        recording_id = sha256_of(whole(file))
        if recording_id is None:
            raise NotFound(f"{file}: cannot be read")
        with context.ledger.acting(PATIENCE):
            result[file] = tombstones.lift(context, recording_id)
    return result
