"""The plan of a ledger under a configuration: which policy is in force, and what it lets go right now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, Kind, Owed
from earmark.events import Event
from earmark.ledger import Candidate
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Decider, Decision, Plan, make_plan
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep.inspect import Inspector


def remember_policy(context: Context) -> bool:
    """Write down the policy in force; true if it is a new one. At start, after each reload, and before a sweep."""
    policy, ledger = policy_of(context.config), context.ledger
    first = ledger.retention.policy() is None
    with ledger.transaction():
        new = ledger.retention.remember_policy(policy.digest, policy.body, context.now())
        if new and not first:
            ledger.places.owe_all(Owed.POLICY)
            context.tell(Event.POLICY_CHANGED, "Another retention policy is in force from now on.")
    return new


def plan_now(
    context: Context,
    *,
    at: Instant | None = None,
    keep_all: bool = False,
    writes: bool = True,
    only: Callable[[Path], bool] | None = None,
    thorough: bool = True,
    most: int = 0,
) -> Plan:
    """The plan of this moment, or of `at`. `writes=False` for a ledger that is open read-only.

    `thorough=False` takes an unchanged identity (size, time, inode) for unchanged audio; carrying out a plan reads it in
    any case. `most`: stop once more files than that would go. `keep_all` lists what stays, too; `only` narrows the plan
    to paths, without changing who ranks where. A plan that is only shown (`writes=False`) has no files that are not on the
    disk any more, but for recordings that would go.
    """
    policy, ledger = policy_of(context.config), context.ledger
    notes = NotesSeen(context, writes=writes, remember=True)
    if thorough:
        notes.inspect_everywhere()
    if policy.tags_of_notes:
        for artifact in ledger.artifacts.all():
            if artifact.note and artifact.on_disk:
                notes.glance(artifact.path)
    moment = context.now() if at is None else at
    decider = Decider(policy, moment, ranked=policy.ranks or ledger.protection.any_item_rule())
    plan = Plan(moment, policy.digest)
    settled = None if keep_all or only is not None or not writes else plan.settled
    inspector = Inspector(context, notes, thorough=thorough, writes=writes)

    def decisions() -> Iterator[Decision]:
        for kind in Kind:
            items: Iterable[Candidate] = ledger.retention.candidates(kind, policy.tags_of_notes)
            if kind is not Kind.AUDIO and kind.value in policy.weighs:
                items = _weighed(items)
            for decision in decider.decide_all(items, settled):
                if only is not None and not only(decision.item.path):
                    continue
                if writes or not _is_missing(decision):
                    yield decision

    return make_plan(decisions(), policy, moment, inspector, keep_all=keep_all, most=most, plan=plan)


def _is_missing(decision: Decision) -> bool:
    """Whether its owner took a file away, and not the disk or the drop folder that it was on."""
    item = decision.item
    if item.kind is Kind.AUDIO and decision.goes:
        return False  # what is said of it is why it does not
    return not os.path.lexists(item.path) and os.path.isdir(item.folder)  # noqa: PTH112 - false where none may look


def _weighed(items: Iterable[Candidate]) -> Iterator[Candidate]:
    """The same candidates with their sizes on disk; 0 for what is not there."""
    for item in items:
        try:
            yield replace(item, size=item.path.lstat().st_size)
        except OSError:
            yield item
