"""What would go, and why everything else stays. Pure: facts in, decisions out; the disk is asked through `look`."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

from earmark.config.schema import RetentionRule
from earmark.domain import Instant, Kind
from earmark.ledger import Candidate
from earmark.messages import pack_path
from earmark.retention.policy import (
    FAILED,
    NOTHING,
    Kept,
    Policy,
    Ranking,
    Scoped,
    Standing,
    describe,
    kept_by,
)

SKEW = 120.0
"""Seconds that a file may be dated ahead of the clock before it counts as dated in the future."""


@dataclass(slots=True)
class Decision:
    """One file and what was decided. `about` is its class, `since` when its clock started.

    `goes`: a rule lets it go and nothing keeps it. `rule` names the rules that had a say, `reason` is a sentence.
    `when`: the instant from which it may go, None if that cannot be said or is never.
    """

    item: Candidate
    about: str
    goes: bool
    rule: str
    reason: str
    since: Instant | None
    when: Instant | None


Look = Callable[[Decision], str | None]
"""Asks the disk about a file that is about to go: a reason to keep it, or None. Also fills in `item.size`."""


@dataclass(slots=True)
class Plan:
    """All decisions of one moment. `kept` is filled only if asked for; `kept_because` counts reasons in any case.

    `total_items`/`total_bytes`: everything that was looked at, for the fuse.
    """

    now: Instant
    policy: str
    goes: list[Decision] = field(default_factory=list)
    kept: list[Decision] = field(default_factory=list)
    kept_because: Counter[str] = field(default_factory=Counter)
    total_items: int = 0
    total_bytes: int = 0

    @property
    def bytes(self) -> int:
        """What would go, in bytes."""
        return sum(d.item.size for d in self.goes)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what would go and under which policy; two plans that would do the same have the same."""
        lines = sorted([pack_path(d.item.path), d.item.sha256, d.rule] for d in self.goes)
        return hashlib.sha256(json.dumps([self.policy, lines]).encode()).hexdigest()


class Decider:
    """Decides file by file under a policy; `policies` are the bodies that recordings may have been accepted under.

    `retroactive`: what was promised at acceptance does not count. `zone`: whose days and weeks (None: this machine's).
    """

    def __init__(
        self,
        policy: Policy,
        accepted_under: Callable[[int], Policy],
        now: Instant,
        *,
        retroactive: bool = False,
        zone: tzinfo | None = None,
    ) -> None:
        self._policy = policy
        self._accepted_under = accepted_under
        self._now = now
        self._retroactive = retroactive
        self._zone = zone
        self._rules: dict[tuple[int | None, str, str, tuple[str, ...]], tuple[Scoped, ...]] = {}

    def decide_all(self, candidates: Iterable[Candidate]) -> Iterator[Decision]:
        """Decide files of one kind, given folder by folder and newest first, as the ledger streams them."""
        folder = None
        rankings: dict[str, Ranking] = {}
        for item in candidates:
            if item.folder != folder:
                folder, rankings = item.folder, {}
            about = FAILED if item.failed and item.kind is Kind.AUDIO else item.kind.value
            standing = None
            if self._counts(item):
                ranking = rankings.setdefault(about, Ranking(self._zone))
                standing = ranking.place(item.dated, item.size)
            yield self._decide(item, about, standing)

    def _counts(self, item: Candidate) -> bool:
        """Held and future-dated files and those not finished take no rank, so that they push nothing out."""
        since = item.failed_at if item.failed else item.done_at
        return not item.unfinished and not item.held and since is not None and not self._future(item, since)

    def _future(self, item: Candidate, since: Instant) -> bool:
        return item.dated > self._now + SKEW or since > self._now + SKEW

    def _decide(self, item: Candidate, about: str, standing: Standing | None) -> Decision:
        since = item.failed_at if item.failed else item.done_at
        blocked = self._blocked(item, since)
        if blocked is not None or since is None:
            return Decision(
                item, about, False, "", blocked or "not all of its notes are written", since, None
            )
        rules = self._rules_of(item, about)
        promised = self._promised(item, about)
        keeping = [
            kept for scoped in rules if (kept := kept_by(scoped, standing, since, self._now)) is not None
        ]
        keeping += [
            Kept(f"{kept.by}, in force when it was accepted", kept.until)
            for scoped in promised
            if (kept := kept_by(scoped, standing, since, self._now)) is not None
        ]
        if not rules or keeping:
            if not keeping:
                return Decision(item, about, False, "", f"no rule for {about}", since, None)
            when = None if any(k.until is None for k in keeping) else max(k.until or 0.0 for k in keeping)
            why = "kept by " + "; ".join(dict.fromkeys(k.by for k in keeping))
            return Decision(item, about, False, "; ".join(k.by for k in keeping), why, since, when)
        named = "; ".join(scoped.named(describe(scoped.rule)) for scoped in rules)
        return Decision(item, about, True, named, "no rule keeps it any longer", since, since)

    def _blocked(self, item: Candidate, since: Instant | None) -> str | None:
        """What no rule can overcome."""
        if item.held is not None:
            return f"held{': ' + item.held if item.held else ''}"
        if item.unfinished:
            return item.unfinished
        if since is None:
            return "not all of its notes are written"
        if self._future(item, since):
            return "dated in the future"
        return None

    def _rules_of(self, item: Candidate, about: str) -> tuple[Scoped, ...]:
        if item.item_rule is not None:
            return (Scoped(RetentionRule.model_validate_json(item.item_rule), "item", about),)
        return self._cached(None, self._policy, item, about)

    def _promised(self, item: Candidate, about: str) -> tuple[Scoped, ...]:
        """The rules in force when the recording was accepted; a stricter policy since then does not undo them."""
        if self._retroactive or item.item_rule is not None:
            return ()
        policy = NOTHING if item.policy is None else self._accepted_under(item.policy)
        rules = self._cached(item.policy or 0, policy, item, about)
        return rules or (Scoped(RetentionRule(), "class", about),)

    def _cached(self, key: int | None, policy: Policy, item: Candidate, about: str) -> tuple[Scoped, ...]:
        full = (key, about, str(item.folder), item.tags)
        if full not in self._rules:
            self._rules[full] = policy.rules(about, str(item.folder), item.tags)
        return self._rules[full]


def make_plan(
    decisions: Iterable[Decision], policy: Policy, now: Instant, look: Look, *, keep_all: bool = False
) -> Plan:
    """Gather decisions; `look` is asked only about files that would go, and may only keep them."""
    plan = Plan(now, policy.digest)
    for decision in decisions:
        plan.total_items += 1
        if decision.goes and (reason := look(decision)) is not None:
            decision.goes, decision.reason, decision.when = False, reason, None
        plan.total_bytes += decision.item.size
        if decision.goes:
            plan.goes.append(decision)
        else:
            plan.kept_because[decision.reason] += 1
            if keep_all:
                plan.kept.append(decision)
    return plan


def fuse(plan: Plan, items: int, percent: int) -> str | None:
    """Why a sweep nobody watches must not carry out this plan, or None. Zero turns a limit off.

    The share counts only beyond ten files: two of three recordings expiring together is an ordinary day.
    """
    count, size = len(plan.goes), plan.bytes
    if items and count > items:
        return f"{count} files would go, more than fuse_items = {items}"
    if percent and count > 10 and size * 100 > plan.total_bytes * percent:
        share = size * 100 / plan.total_bytes
        return f"{share:.0f} % of all bytes would go, more than fuse_percent = {percent}"
    return None
