"""What people say of recordings: hold, release, accept, a rule of its own; and that all holds are there after damage."""

from __future__ import annotations

from earmark.config.retention import RetentionRule
from earmark.context import Context
from earmark.domain import Owed
from earmark.errors import RetentionError
from earmark.events import Event
from earmark.ledger.candidates import CLASSES
from earmark.retention import NotesSeen
from earmark.retention.doubt import end_doubt
from earmark.retention.gate import verdict
from earmark.retention.holds import why_held
from earmark.retention.rules.policy import describe
from earmark.verbs.resolve import Meant


def hold(context: Context, meant: Meant, why: str) -> bool:
    """Nothing of this recording is deleted by a rule; true if that is news."""
    ledger = context.ledger
    with ledger.transaction():
        changed = ledger.protection.hold(meant.recording_id, why, context.now())
        if changed:
            _decided(context, meant, Event.HELD, "Held by hand.")
    return changed


def release(context: Context, meant: Meant) -> tuple[bool, str | None]:
    """Let the rules decide again: the hold, and what notes that are out of reach once said, no longer count.

    Returns whether anything changed, and what holds it still.
    """
    ledger = context.ledger
    with ledger.transaction():
        ids = (meant.recording_id, *ledger.lineage.own_formers(meant.recording_id))
        released = sum(ledger.protection.release_hold(each) for each in ids) > 0
        unkept = sum(ledger.protection.unkeep(each) for each in ids) > 0
        if released or unkept:
            _decided(context, meant, Event.RELEASED, "No longer held.")
    places = context.ledger.places.of(meant.recording_id)
    files = [(place.path, place.folder) for place in places if place.here]
    return released or unkept, why_held(context, NotesSeen(context), meant.recording_id, files, CLASSES)


def accept(context: Context, meant: Meant, *, undo: bool = False) -> None:
    """A transcript is good enough for its audio to go by the rules, although the quality gate failed; or not, after all.

    Raises RetentionError if there is no transcript that could be accepted.
    """
    ledger = context.ledger
    verdict(context, meant.recording_id)
    with ledger.transaction():
        judged = ledger.retention.accept_quality(meant.recording_id, None if undo else context.now())
        if not judged:
            raise RetentionError(f"{meant.shown}: has no transcript that could be accepted")
        event = Event.QUALITY_RESTORED if undo else Event.QUALITY_ACCEPTED
        _decided(context, meant, event, "Decided by hand.")


def set_rule(context: Context, meant: Meant, about: str, rule: RetentionRule) -> str:
    """Give one recording a rule of its own for a class, or for "all"; returns what was decided, as a sentence."""
    ledger = context.ledger
    text = f"{about}: {describe(rule)} for this recording."
    with ledger.transaction():
        for name in CLASSES if about == "all" else (about,):
            ledger.protection.set_item_rule(meant.recording_id, name, rule.model_dump_json(), context.now())
        _decided(context, meant, Event.RULE_SET, text)
    return text


def clear_rule(context: Context, meant: Meant) -> str:
    """Back to the folder's or the class's rule; returns what was decided, as a sentence."""
    text = "Its own rule was taken away."
    with context.ledger.transaction():
        for each in (meant.recording_id, *context.ledger.lineage.own_formers(meant.recording_id)):
            context.ledger.protection.clear_item_rules(each)
        _decided(context, meant, Event.RULE_SET, text)
    return text


def trust(context: Context) -> bool:
    """A person has looked, after damage to the ledger: all holds are as they should be. True if that was in doubt."""
    with context.ledger.transaction():
        doubted = end_doubt(context.ledger)
        if doubted:
            context.tell(Event.PROTECTION_TRUSTED, "The list of holds is as it should be.")
    return doubted


def _decided(context: Context, meant: Meant, event: Event, sentence: str) -> None:
    context.tell(event, sentence, recording=meant.recording_id, file=meant.shown)
    context.ledger.places.owe_recording(meant.recording_id, Owed.POLICY)
