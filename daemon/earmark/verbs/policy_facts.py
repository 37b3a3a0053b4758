"""What is so on this device at this moment, for the page about privacy."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Callable

from earmark import __version__
from earmark.config import Config
from earmark.context import Clock
from earmark.diarization.models import speaker_folder
from earmark.domain import Instant
from earmark.files import is_locked
from earmark.ledger import Ledger
from earmark.locality.policy.consent import FACT, consented, missing_consent
from earmark.locality.policy.destination import Destination, destination
from earmark.locality.policy.snapshot import Facts
from earmark.paths import Home, shared_models
from earmark.readable import readable
from earmark.report import read_report
from earmark.search.models import meaning_folder
from earmark.verbs.opening import opened_context
from earmark.verbs.pages_at import served_at

CHECKED = "privacy.checked"
"""The fact under which is kept how the last check of privacy went."""


def facts_now(
    home: Home, config: Config, end: Callable[[str | None], Destination | None] | None = None
) -> Facts:
    """What the page says besides the configuration. `end`: where the endpoint leads, by what was allowed, for whoever cannot
    look names up; without it that is looked up.
    """
    report = read_report(home.status_file)
    running = is_locked(home.lock_file)
    folders = tuple(str(f.path) for f in config.folder) or (report.folders if report else ())
    verified: tuple[Instant, bool] | None = None
    untried = 0
    made: tuple[tuple[str, int], ...] = ()
    voiceprints = people = 0
    consent: str | None = None
    if home.ledger_file.exists():
        with opened_context(home, config, read_only=True) as context:
            ledger = context.ledger
            if fact := ledger.journal.fact(CHECKED):
                said = jsonlib.loads(fact[0])
                verified, untried = (fact[1], bool(said["passed"])), int(said.get("untried", 0))
            made = _made(ledger)
            voiceprints, people = ledger.voices.count(), len(ledger.voices.people())
            if allowed := ledger.journal.fact(FACT):
                consent = allowed[0]
    led = destination(config, consent) if end is None else end(consent)
    return Facts(
        version=__version__, now=Clock().wall(), config_file=str(home.config_file),
        vocabulary_file=str(home.vocabulary_file), state=str(home.state),
        models=str(home.models), shared_models=str(shared_models()), folders=folders,
        model=report.model if report else None, running=running,
        sandbox=(report.sandbox or None) if report else None,
        speakers=speaker_folder(home.models) is not None,
        speakers_sandbox=(report.speakers_sandbox or None) if report else None,
        meaning=meaning_folder(home.models) is not None,
        search_sandbox=(report.search_sandbox or None) if report else None,
        summary_sandbox=(report.summary_sandbox or None) if report else None,
        handing_on=config.privacy == "cloud"
        and consented(config.summary.endpoint, config.privacy, config.summary.allowed_hosts, consent),
        consent=missing_consent(config, consent) is None and led is not None and led.allowed, destination=led,
        verified=verified, untried=untried, made=made, voiceprints=voiceprints, people=people, pages=served_at(home),
    )  # fmt: skip


def _made(ledger: Ledger) -> tuple[tuple[str, int], ...]:
    """Summaries by where they were made, in words."""
    unverified = ", which does not say whether it handed the words on"
    return tuple(
        (_plain(f"{host} by {by}") + (unverified if locality == "unverified" else ""), count)
        for host, by, locality, count in ledger.words.made_where()
    )


def _plain(name: str) -> str:
    """A name that a worker gave, as text that is nothing but text in Markdown, HTML and a terminal."""
    return re.sub(r"[<>\[\]`|*\\]", "", readable(name))
