"""Letting words leave this device, and taking that back."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Event, Stage
from earmark.locality.policy.consent import FACT, fingerprint


def allow(context: Context, host: str) -> None:
    """Transcripts may go to the host that the configuration names, until the configuration changes."""
    ledger = context.ledger
    with ledger.transaction():
        ledger.journal.set_fact(FACT, fingerprint(context.config), context.now())
        context.tell(Event.PRIVACY_ALLOWED, f"Transcripts may go to {host}.")
        ledger.jobs.unpark(Stage.SUMMARIZE, context.now())


def withdraw(context: Context) -> None:
    """Transcripts stay on this device from the next summary on."""
    ledger = context.ledger
    with ledger.transaction():
        ledger.journal.set_fact(FACT, "", context.now())
        context.tell(Event.PRIVACY_WITHDRAWN, "Transcripts stay on this device.")
