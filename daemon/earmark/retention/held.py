"""Everything that is held, for people to look through: by hand, by notes, by rules of single recordings, by markers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant
from earmark.files import names_below
from earmark.intake.folder import where_notes_may_be
from earmark.intake.rules import HOLD_MARKER, HOLD_MARKERS
from earmark.ledger.candidates import CLASSES
from earmark.retention.markers import marker_in, out_of_reach
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.policy import describe, item_rule


class By(StrEnum):
    """What holds."""

    HAND = "hand"
    NOTE = "note"
    RULE = "rule"
    MARKER = "marker"


@dataclass(frozen=True, slots=True)
class Held:
    """One hold. `recording`: None for a marker, which holds `path`'s folder and all below; else `path` is the note that
    says `keep`, or None.
    """

    by: By
    recording: str | None
    since: Instant | None
    why: str
    path: Path | None = None


def everything_held(context: Context, *, writes: bool = True) -> list[Held]:
    """All holds that the ledger and the drop folders know at this moment, those by hand first.

    What each act asks is `holds.why_held`; this is the list of what it may answer.
    """
    protection = context.ledger.protection
    notes, known = NotesSeen(context, writes=writes), context.ledger.recordings.get

    def went_on(recording_id: str) -> bool:
        """What was decided about it stands with what it is now."""
        return known(recording_id) is None and bool(context.ledger.lineage.successors(recording_id))

    holds = protection.holds().items()
    found = [Held(By.HAND, i, at, why) for i, (at, why) in holds if not went_on(i)]
    configured = (folder.path for folder in context.config.folder)
    tops = sorted({*context.folders, *configured, *context.ledger.places.folders()})
    for artifact in context.ledger.artifacts.all():
        if artifact.note and artifact.on_disk:
            notes.glance(artifact.path)
    for note in notes.all_keeping():
        # A note of what a recording was before it went on holds what it is now.
        now = (
            [note.recording_id]
            if known(note.recording_id)
            else context.ledger.lineage.successors(note.recording_id)
        )
        found += [Held(By.NOTE, i, note.seen_at, "keep: true", note.path) for i in now]
    rules: dict[tuple[str, str], list[str]] = {}
    for recording_id, about, body in protection.all_item_rules():
        rule = item_rule(body, about).rule
        if (rule.never or rule.keep_for is not None) and not went_on(recording_id):
            rules.setdefault((recording_id, describe(rule)), []).append(about)
    for (recording_id, said), classes in rules.items():
        name = "all" if len(classes) == len(CLASSES) else ", ".join(classes)
        found.append(Held(By.RULE, recording_id, None, f"{name}: {said}"))
    seen: set[Path] = set()
    for path in names_below(tops, HOLD_MARKERS, None, where_notes_may_be(tops)):
        with suppress(OSError):
            since = Instant(path.lstat().st_mtime)
            if path not in seen:
                found.append(Held(By.MARKER, None, since, "everything in it and below", path))
            seen.add(path)
    for folder in out_of_reach(context):
        why = "everything in it and below, wherever the folder is now"
        found.append(Held(By.MARKER, None, None, why, folder / HOLD_MARKER))
    for top in tops:
        for folder in top.parents:
            marker = None
            with suppress(OSError):
                marker = marker_in(folder)
            if marker is not None and marker not in seen:
                seen.add(marker)
                found.append(Held(By.MARKER, None, None, "everything in it and below", marker))
    return found
