"""Classes that are earmark's own rows, not files: the journal, left-over checkpoints, receipts, the index; and its log."""

from __future__ import annotations

from collections.abc import Iterator

from earmark.config.duration import Duration
from earmark.context import Context
from earmark.domain import Instant, Owed
from earmark.events import Event
from earmark.files import counted
from earmark.retention import logs, receipts
from earmark.retention.holds import held_surely, why_held
from earmark.retention.notes_seen import NotesSeen


def tidy(context: Context) -> None:
    """Remove what its own rule lets go. Future-dated rows stay."""
    rules, ledger, now = context.config.retention, context.ledger, context.now()
    if rules.history.keep_for is not None:
        ledger.retention.drop_history(rules.history.keep_for.before(now))
    if rules.checkpoints.keep_for is not None:
        ledger.retention.drop_failed_checkpoints(rules.checkpoints.keep_for.before(now))
    if rules.receipts.keep_for is not None:
        receipts.prune(ledger, rules.receipts.keep_for.before(now), now)
    if rules.voiceprints.keep_for is not None:
        _forget_voices(context, rules.voiceprints.keep_for.before(now))
    tidy_index(context)
    if rules.logs.keep_for is not None:
        for file in logs.log_files(ledger.state):
            logs.trim(file, rules.logs.keep_for.before(now))


def tidy_index(context: Context) -> None:
    """Take recordings out of the index of search that its rule lets go, and let those in again that it does not any more."""
    rule, ledger, now = context.config.retention.index.keep_for, context.ledger, context.now()
    before = None if rule is None else rule.before(now)
    ledger.index.unfound.let_in(let_in_again(context, rule))
    going = [] if before is None else list(_going(context, before))
    if not going:
        return
    with ledger.transaction():
        for recording_id in going:
            ledger.index.unfound.keep_out(recording_id, now)
        receipt = receipts.issue(
            ledger, now, "forgotten", rule=f"index: keep_for {rule}", recordings=len(going)
        )
        told = f"{counted(len(going), 'recording')} went out of the index of search by its rule; receipt {receipt.seq}"
        context.tell(Event.WORDS_DROPPED, f"{told} has the proof.")


def let_in_again(context: Context, rule: Duration | None) -> set[str]:
    """Recordings that were taken out of the index of search and that its rule does not keep out (any more): it was removed
    or made longer, or they are held. Asks little, as each search does, and writes nothing.
    """
    taken = context.ledger.index.unfound.taken_out()
    before = None if rule is None else rule.before(context.now())
    if not taken or before is None:
        return {*taken}
    old = {each for each, done_at in taken.items() if done_at is not None and done_at <= before}
    return (taken.keys() - old) | held_surely(context, old, {"index"})


def due_in_index(context: Context, now: Instant) -> int:
    """How many recordings the rule of the index lets go then."""
    rule = context.config.retention.index.keep_for
    return 0 if rule is None else sum(1 for _ in _going(context, rule.before(now)))


def _going(context: Context, before: Instant) -> Iterator[str]:
    """Recordings that were done by then, but for those that are held."""
    notes = NotesSeen(context, writes=False)
    for recording_id in context.ledger.index.unfound.done_before(before):
        files = [(place.path, place.folder) for place in context.ledger.places.of(recording_id)]
        if why_held(context, notes, recording_id, files, {"index"}) is None:
            yield recording_id


def due_voices(context: Context, now: Instant) -> int:
    """How many voices that are stored go by their rule, at this moment."""
    rule = context.config.retention.voiceprints.keep_for
    return context.ledger.voices.stored_before(rule.before(now)) if rule is not None else 0


def _forget_voices(context: Context, before: Instant) -> None:
    """Erase the voices that were stored before then; notes in which somebody sounds like one of them say so no more."""
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        affected = ledger.voices.all_likely()
        count = ledger.voices.forget_before(before)
        if not count:
            return
        for recording_id in affected - ledger.voices.all_likely():
            ledger.places.owe_recording(recording_id, Owed.POLICY)
        ledger.erasing.owe_compact(now)
        rule = f"voiceprints: keep_for {context.config.retention.voiceprints.keep_for}"
        receipt = receipts.issue(ledger, now, "forgotten", rule=rule, voiceprints=count)
        context.tell(
            Event.PERSON_FORGOTTEN,
            f"Voices were forgotten by their rule; receipt {receipt.seq} has the proof.",
        )
