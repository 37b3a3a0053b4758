"""Letting words leave this device, and taking that back."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Stage
from earmark.events import Event
from earmark.locality.policy.consent import FACT, Consent, fingerprint, written
from earmark.locality.policy.destination import Destination


def allow(context: Context, end: Destination) -> None:
    """Transcripts may go to where the configuration's endpoint ends, until it or the configuration changes."""
    ledger = context.ledger
    # Of a name that is not known now no scope is known; what the setting allows is the widest that a person agreed to.
    scope = end.scope or ("lan" if context.config.privacy == "lan" else "cloud")
    consent = Consent(fingerprint(context.config), scope, end.addresses)
    with ledger.transaction():
        ledger.journal.set_fact(FACT, written(consent), context.now())
        context.tell(Event.PRIVACY_ALLOWED, f"Transcripts may go to {end.named}.")
        ledger.jobs.unpark(Stage.SUMMARIZE, context.now())


def withdraw(context: Context) -> None:
    """Transcripts stay on this device from the next summary on."""
    ledger = context.ledger
    with ledger.transaction():
        ledger.journal.set_fact(FACT, "", context.now())
        context.tell(Event.PRIVACY_WITHDRAWN, "Transcripts stay on this device.")
