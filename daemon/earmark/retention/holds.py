"""Is something held? The one answer for the plan, for taking, purging, emptying the trash and forgetting."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from earmark.context import Context
from earmark.ledger.candidates import FAILED
from earmark.retention.doubt import DOUBT
from earmark.retention.markers import FoldersSeen, has_marker, why_folder_holds
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.policy import describe, item_rule, kept_by


def why_held(
    context: Context,
    notes: NotesSeen,
    recording_id: str,
    files: Iterable[tuple[Path, Path]],
    kinds: Iterable[str],
    seen: FoldersSeen | None = None,
) -> str | None:
    """Why nothing of this recording may be taken, or None. Asks the ledger and the disk at this moment.

    `files`: what is to be taken, each with its drop folder; `kinds`: their classes; `seen`: what a plan knows of folders.
    """
    ledger = context.ledger
    if any(trouble.subject == DOUBT for trouble in ledger.journal.troubles()):
        return "held: the ledger was damaged, and nobody knows whether all holds are there (earmark status)"
    why = ledger.protection.held(recording_id)
    if why is not None:
        return f"held{': ' + why if why else ''}"
    for file, top in files:
        if (why := why_folder_holds(context, file, top, seen)) is not None:
            return why
    return _own_rule(context, recording_id, frozenset(kinds)) or notes.keeping(recording_id)


def held_surely(context: Context, recordings: Iterable[str], kinds: Iterable[str]) -> set[str]:
    """Those of these recordings that somebody holds, as far as the ledger and the markers in folders tell. Of what nobody
    can see, as a disk is away, or the ledger was damaged, it is not known.
    """
    ledger, kinds, recordings = context.ledger, frozenset(kinds), {*recordings}
    if not recordings:
        return set()
    holds, own = ledger.protection.holds(), {each for each, _, _ in ledger.protection.all_item_rules()}
    kept = {each for seen in ledger.protection.keeping() for each in ledger.lineage.meant(seen.recording_id)}
    kept |= {
        each for known in kept for each in (*ledger.lineage.formers(known), *ledger.lineage.successors(known))
    }
    for folder, there in ledger.places.by_folder().items():
        if not kept.issuperset(there & recordings) and has_marker(Path(folder)):
            kept |= there
    return {
        each
        for each in recordings
        if each in holds or each in kept or (each in own and _own_rule(context, each, kinds) is not None)
    }


def _own_rule(context: Context, recording_id: str, kinds: frozenset[str]) -> str | None:
    """A person's own rule for this recording that keeps one of these classes."""
    rules = context.ledger.protection.item_rules(recording_id)
    if not rules:
        return None
    recording = context.ledger.recordings.get(recording_id)
    now = context.now()
    done_at = now if recording is None or recording.done_at is None else recording.done_at
    recorded_at = done_at if recording is None else recording.recorded_at
    for about, body in rules.items():
        if about not in kinds and not (about == FAILED and "audio" in kinds):
            continue
        scoped = item_rule(body, about)
        if kept_by(scoped, None, done_at, recorded_at, now) is not None:
            return f"held by its own rule: {scoped.named(describe(scoped.rule))}"
    return None
