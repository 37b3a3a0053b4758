"""Classes that are earmark's own rows, not files: the journal, left-over checkpoints, old receipts; and its log."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Instant, Owed
from earmark.events import Event
from earmark.retention import logs, receipts


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
    if rules.logs.keep_for is not None:
        for file in logs.log_files(ledger.state):
            logs.trim(file, rules.logs.keep_for.before(now))


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
