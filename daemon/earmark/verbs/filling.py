"""What is not in the index of search and is to be: counted, and put in before a query is answered."""

from __future__ import annotations

from collections.abc import Callable, Collection

from earmark.config import Config, load_config
from earmark.context import Context
from earmark.errors import ConfigError, EnvironmentFault
from earmark.paths import Home
from earmark.retention.sweep.housekeeping import let_in_again
from earmark.search.indexing import bring_up_to_date
from earmark.search.terms import FORM
from earmark.verbs.opening import opened_context

SLICE = 1.0
"""Seconds of indexing after which the ledger is looked at again."""


def due(context: Context, let_in: set[str], but: Collection[str] = ()) -> int:
    """How many recordings are to be put in, without some. `let_in`: those that `kept_out_no_more` says."""
    return context.ledger.index.count_due(FORM, but) + len(let_in.difference(but))


def kept_out_no_more(context: Context) -> set[str]:
    """Recordings that a rule took out of the index and does not keep out, by the configuration of now; none where nobody can
    read that.
    """
    if not context.ledger.index.unfound.taken_out():
        return set()
    try:
        rule = load_config(context.home.config_file).retention.index.keep_for
    except ConfigError:
        return set()
    return let_in_again(context, rule)


def fill(home: Home, config: Config, missing: int, tell: Callable[[int, int], None]) -> bool:
    """Put in what is missing; false where the ledger cannot be written: then what is there is asked."""
    done = 0

    def another() -> None:
        nonlocal done
        done += 1
        tell(min(done, missing), missing)

    try:
        with opened_context(home, config) as context:
            context.ledger.index.unfound.let_in(kept_out_no_more(context))
            while bring_up_to_date(context, SLICE, another):
                pass
    except EnvironmentFault:
        return False
    return True
