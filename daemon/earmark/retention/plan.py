"""What would go, and why everything else stays. Pure: facts in, decisions out; the disk is asked through `look`."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

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

    `goes`: a rule lets it go and nothing keeps it. `rule` names the rules that had a say, `reason` is a sentence;
    `keeping` are the rules that keep it.
    """

    item: Candidate
    about: str
    goes: bool
    rule: str
    reason: str
    since: Instant | None
    keeping: tuple[Kept, ...] = ()

    @property
    def when(self) -> Instant | None:
        """The instant from which it may go; None if that cannot be said or is never."""
        if self.goes:
            return self.since
        ends = [kept.until for kept in self.keeping]
        return None if not ends or None in ends else max(end for end in ends if end is not None)


Look = Callable[[Decision], str | None]
"""Asks the disk about a file that is about to go: a reason to keep it, or None. Also fills in `item.size`."""


@dataclass(slots=True)
class Plan:
    """All decisions of one moment. `kept` is filled only if asked for; `kept_because` counts reasons in any case.

    `total_items`/`total_bytes`: everything that was looked at, for the fuse. `cut`: there is more than was asked for.
    """

    now: Instant
    policy: str
    goes: list[Decision] = field(default_factory=list)
    kept: list[Decision] = field(default_factory=list)
    kept_because: Counter[str] = field(default_factory=Counter)
    total_items: int = 0
    total_bytes: int = 0
    cut: bool = False

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
        accepted_under: Mapping[int, Policy],
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
        self._calendar = policy.counts_days or any(p.counts_days for p in accepted_under.values())
        self._rules: dict[tuple[int | None, str, Path, tuple[str, ...]], tuple[Scoped, ...]] = {}

    def decide_all(self, candidates: Iterable[Candidate]) -> Iterator[Decision]:
        """Decide files of one kind, given folder by folder and newest first, as the ledger streams them."""
        folder = None
        rankings: dict[str, Ranking] = {}
        for item in candidates:
            if item.folder is not folder and item.folder != folder:
                folder, rankings = item.folder, {}
            about = FAILED if item.failed and item.kind is Kind.AUDIO else item.kind.value
            standing = None
            if self._counts(item):
                if about not in rankings:
                    rankings[about] = Ranking(self._zone, calendar=self._calendar)
                standing = rankings[about].place(item.dated, item.size)
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
            return Decision(item, about, False, "", blocked or "not all of its notes are written", since)
        rules = self._rules_of(item, about)
        keeping = self._keeping(rules, standing, since)
        if all(kept.span is not None for kept in keeping):
            # A promise matters where the rules of today let it go, now or on a day that is known.
            keeping += self._keeping(self._promised(item, about), standing, since)
        if not rules and not keeping:
            return Decision(item, about, False, "", f"no rule for {about}", since)
        if keeping:
            by = keeping[0].by if len(keeping) == 1 else "; ".join(kept.by for kept in keeping)
            return Decision(item, about, False, by, f"kept by {by}", since, tuple(keeping))
        named = "; ".join(scoped.named(describe(scoped.rule)) for scoped in rules)
        return Decision(item, about, True, named, "no rule keeps it any longer", since)

    def _keeping(self, rules: Iterable[Scoped], standing: Standing | None, since: Instant) -> list[Kept]:
        found = (kept_by(scoped, standing, since, self._now) for scoped in rules)
        return [kept for kept in found if kept is not None]

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
        if item.policy is None:
            return self._cached(0, NOTHING, item, about)
        return self._cached(item.policy, self._accepted_under[item.policy], item, about)

    def _cached(self, key: int | None, policy: Policy, item: Candidate, about: str) -> tuple[Scoped, ...]:
        """The rules of a policy for this file; a promise that says nothing keeps."""
        full = (key, about, item.folder, item.tags)
        found = self._rules.get(full)
        if found is None:
            found = policy.rules(about, str(item.folder), item.tags, promised=key is not None)
            if not found and key is not None:
                found = (Scoped(RetentionRule(), "class", about, promised=True),)
            self._rules[full] = found
        return found


def make_plan(
    decisions: Iterable[Decision],
    policy: Policy,
    now: Instant,
    look: Look,
    *,
    keep_all: bool = False,
    most: int = 0,
) -> Plan:
    """Gather decisions; `look` is asked only about files that would go, and may only keep them.

    With `most`, gathering ends as soon as more files than that would go.
    """
    plan = Plan(now, policy.digest)
    for decision in decisions:
        plan.total_items += 1
        if decision.goes and (reason := look(decision)) is not None:
            decision.goes, decision.reason = False, reason
        plan.total_bytes += decision.item.size
        if decision.goes:
            plan.goes.append(decision)
            if most and len(plan.goes) > most:
                plan.cut = True
                break
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
        least = "at least " if plan.cut else ""
        return f"{least}{count} files would go, more than fuse_items = {items}"
    if percent and count > 10 and size * 100 > plan.total_bytes * percent:
        share = size * 100 / plan.total_bytes
        return f"{share:.0f} % of all bytes would go, more than fuse_percent = {percent}"
    return None
