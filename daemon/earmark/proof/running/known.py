"""What the judges of running processes have to know of an installation: what was allowed, and what its workers may read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from earmark.config import Config
from earmark.diarization.models import speaker_folder
from earmark.errors import EarmarkError
from earmark.locality.policy.consent import FACT
from earmark.paths import Home
from earmark.search.models import meaning_folder
from earmark.transcription.models import find_model
from earmark.verbs.opening import opened_context


def consent_of(config: Config, home: Home) -> str:
    """What was allowed, as the ledger has it."""
    with contextlib.suppress(EarmarkError), opened_context(home, config, read_only=True) as context:
        fact = context.ledger.journal.fact(FACT)
        return fact[0] if fact else ""
    return ""


def readable(config: Config, home: Home, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """What workers may read of the user's; nothing where the model is not known."""
    configured = config.transcription
    try:
        model = find_model(configured.model, configured.model_dir, home.models)
        others = (speaker_folder(home.models), meaning_folder(home.models))
    except EarmarkError:
        return ()
    return (*folders, model.dir, *filter(None, others), home.templates)
