"""Which model does not fit: it is said once, it is not asked any more, and another one is given what it could not do.

What is known is one fact: who was asked last, through which settings, and of which jobs in a row its answers were no use.
Jobs are numbers of the ledger, so that nothing of a recording stays behind in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from earmark.context import Context
from earmark.domain import JobState, Stage
from earmark.events import Event

FACT = "summary.fit"
TROUBLE = "[summary model]"

IN_A_ROW = 3
"""Recordings in a row of which a model's answers were no use, from which on it is not asked any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`settings`: endpoint and model as configured. `lost`: the jobs in a row of which nothing came. `why`: of the last."""

    model: str
    settings: str
    lost: tuple[int, ...] = ()
    why: str = ""


def unfit(context: Context) -> str:
    """The model that is not to be asked any more; "" if there is none, or if the settings are others by now."""
    asked = _asked(context)
    return (
        asked.model if asked and len(asked.lost) >= IN_A_ROW and asked.settings == _settings(context) else ""
    )


def sentence_on(context: Context) -> str:
    """Why summaries wait though a server is there."""
    asked = _asked(context)
    return _sentence(asked) if asked else ""


def lost(context: Context, job: int, model: str, why: str) -> None:
    """A model's answer about a recording was no use. The third in a row is said, and the last that is asked for."""
    asked = _asked(context)
    if asked is None or (asked.model, asked.settings) != (model, _settings(context)):
        asked = Asked(model, _settings(context))
    before = len(asked.lost)
    asked = Asked(model, asked.settings, (*(j for j in asked.lost if j != job), job)[-IN_A_ROW:], why)
    _write(context, asked)
    if len(asked.lost) < IN_A_ROW or before >= IN_A_ROW:
        return
    context.ledger.journal.trouble(TROUBLE, "system", _sentence(asked), context.now())
    context.tell(Event.MODEL_UNFIT, _sentence(asked), level="warning", model=model)


def fitted(context: Context, model: str) -> None:
    """A model made a summary. If it is another than the last, it is given what that one and others could not do."""
    asked = _asked(context)
    _write(context, Asked(model, _settings(context)))
    context.ledger.journal.clear(TROUBLE)
    if asked is not None and asked.model != model:
        _try_again(context, model)


def _try_again(context: Context, model: str) -> None:
    """Ask for the summaries that other models could not make."""
    ledger = context.ledger
    failed = {
        j.recording_id for j in ledger.jobs.all() if (j.stage, j.state) == (Stage.SUMMARIZE, JobState.FAILED)
    }
    for recording_id, by, by_model, *_ in ledger.words.summaries_made_with():
        if by == "extractive" and ((by_model and by_model != model) or recording_id in failed):
            ledger.jobs.requeue(recording_id, Stage.SUMMARIZE, context.now())


def begin_anew_if_set_otherwise(context: Context) -> None:
    """With other settings whoever is there is asked, also for what came to nothing by those before."""
    asked = _asked(context)
    if asked is None or asked.settings == _settings(context):
        return
    context.ledger.journal.clear(TROUBLE)
    _write(context, Asked("", _settings(context)))
    if context.config.summary.endpoint != "none":
        _try_again(context, "")


def ask_again(context: Context) -> None:
    """A person asks for a summary by hand: whoever is there is asked."""
    asked = _asked(context)
    if asked is not None:
        _write(context, Asked(asked.model, asked.settings))
        context.ledger.journal.clear(TROUBLE)


def _sentence(asked: Asked) -> str:
    return (
        f"the model {asked.model} does not fit ({asked.why}; {IN_A_ROW} recordings in a row). It is not asked any more; "
        "summaries are picked sentences until another model is there"
    )


def _settings(context: Context) -> str:
    summary = context.config.summary
    return f"{summary.endpoint} {summary.model}"


def _asked(context: Context) -> Asked | None:
    fact = context.ledger.journal.fact(FACT)
    if fact is None:
        return None
    try:
        known = json.loads(fact[0])
        return Asked(
            str(known["model"]), str(known["settings"]), tuple(map(int, known["lost"])), str(known["why"])
        )
    except (ValueError, KeyError, TypeError):
        return None


def _write(context: Context, asked: Asked) -> None:
    context.ledger.journal.set_fact(FACT, json.dumps(asdict(asked)), context.now())
