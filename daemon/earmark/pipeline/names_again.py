"""Names that were forgotten and stand in a note again, which may be an older one: nothing but their receipts knows that."""

from __future__ import annotations

from collections.abc import Mapping

from earmark.context import Context
from earmark.events import Event
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.names_there import NamesThere
from earmark.retention import receipts


def say_again(context: Context, found: NamesThere, fitted: Mapping[int, str]) -> None:
    """Tell that a note names somebody, by number, who was forgotten."""
    lies = lies_at(context, found.artifact)
    for number in sorted(fitted):
        if fitted[number] and was_forgotten(context, fitted[number]):
            context.tell(
                Event.SPEAKERS_NAMED,
                f"{lies.name} has a name for speaker {number} that was forgotten, and gave it back: it may be an older note."
                " Say it again, if so: earmark speakers forget NAME --names",
                recording=found.artifact.recording_id,
                file=lies,
                level="warning",
            )


def was_forgotten(context: Context, name: str) -> bool:
    """Whether a receipt has this name, under the key of this installation, as one that was forgotten."""
    digest = receipts.keyed(context.ledger, name)
    return context.ledger.receipts.has("forgotten", f'"person":"{digest}"')
