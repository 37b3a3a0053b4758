"""Classes that are earmark's own rows, not files: the journal, left-over checkpoints, old receipts; and its log."""

from __future__ import annotations

from earmark.context import Context
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
    if rules.logs.keep_for is not None:
        for file in logs.log_files(ledger.state):
            logs.trim(file, rules.logs.keep_for.before(now))
