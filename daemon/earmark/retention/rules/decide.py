"""What would go, and why everything else stays. Pure: facts in, decisions out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from earmark.domain import Instant, Kind
from earmark.files import counted, pack_path
from earmark.ledger import Candidate
from earmark.ledger.candidates import FAILED
from earmark.retention.rules.policy import Kept, Policy, Scoped, describe, item_rule, kept_by
from earmark.retention.rules.ranking import Ranking, Standing

SKEW = 120.0
"""Seconds that a file may be dated ahead of the clock before it counts as dated in the future."""


@dataclass(slots=True)
class Decision:
    """One file and what was decided. `about` is its class, `since` when its clock started.

    `goes`: a rule lets it go and nothing keeps it. `wanted`: the rules alone let it go, whatever keeps it besides.
    `rule` names the rules that had a say, `reason` is a sentence; `keeping` are the rules that keep it.
    """

    item: Candidate
    about: str
    goes: bool
    rule: str
    reason: str
    since: Instant | None
    keeping: tuple[Kept, ...] = ()
    wanted: bool = False

    @property
    def when(self) -> Instant | None:
        """The instant from which it may go; None if that cannot be said or is never."""
        if self.goes:
            return self.since
        ends = [kept.until for kept in self.keeping]
        return None if not ends or None in ends else max(end for end in ends if end is not None)

    def keep(self, reason: str) -> None:
        """Something that no rule can overcome keeps it after all."""
        self.goes, self.reason = False, reason


Inspect = Callable[[Decision], str | None]
"""Asks the world about a file that is about to go: a reason to keep it, or None. Also fills in `item.size`."""


@dataclass(slots=True)
class Plan:
    """All decisions of one moment. `kept` is filled only if asked for, `blocked` with what a rule wants and something else
    keeps; `kept_because` counts reasons in any case.

    `total_items`/`total_bytes`: everything that was looked at, for the fuse. `cut`: there is more than was asked for.
    """

    now: Instant
    policy: str
    goes: list[Decision] = field(default_factory=list)
    kept: list[Decision] = field(default_factory=list)
    blocked: list[Decision] = field(default_factory=list)
    kept_because: Counter[str] = field(default_factory=Counter)
    total_items: int = 0
    total_bytes: int = 0
    cut: bool = False

    def settled(self, reason: str, size: int) -> None:
        """A file stays that nobody has to hear of."""
        self.total_items += 1
        self.total_bytes += size
        self.kept_because[reason] += 1

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
    """Decides file by file under a policy. `zone`: whose days and weeks (None: this machine's). `ranked`: whether any rule
    asks how files stand among one another, of the policy or of a person for one recording.
    """

    def __init__(
        self, policy: Policy, now: Instant, *, zone: tzinfo | None = None, ranked: bool = True
    ) -> None:
        self._policy = policy
        self._now = now
        self._zone = zone
        self._calendar = policy.counts_days
        self._ranked = ranked
        self._last: tuple[Path | None, str] = None, ""
        self._rules: dict[tuple[str, str, tuple[str, ...]], tuple[Scoped, ...]] = {}

    def decide_all(
        self, candidates: Iterable[Candidate], settled: Callable[[str, int], None] | None = None
    ) -> Iterator[Decision]:
        """Decide files of one kind, given folder by folder and newest first, as the ledger streams them.

        `settled` is told reason and size of files that the only rule for them keeps, instead of a decision for each.
        """
        folder = kind = None
        about = ""
        rankings: dict[tuple[str, str], Ranking] = {}
        for item in candidates:
            if item.folder is not folder and item.folder != folder:
                folder, rankings = item.folder, {}
            if item.failed or item.kind is not kind:
                kind, about = None if item.failed else item.kind, class_of(item)
            standing = None
            counts = self._counts(item)
            if counts and self._ranked:
                # What has rules of its own inside a drop folder takes no place among the others.
                key = (about, self._scope_of(item))
                if key not in rankings:
                    rankings[key] = Ranking(self._zone, calendar=self._calendar)
                standing = rankings[key].place(item.recording_id, item.dated, item.size, item.identity)
            if settled is not None and counts and item.watched and item.item_rule is None:
                reason = self._kept(item, about, standing)
                if reason is not None:
                    settled(reason, item.size)
                    continue
            yield self._decide(item, about, standing)

    def decide_alone(self, item: Candidate) -> Decision:
        """Decide one file without the others: rules that rank keep it, because nobody can say how it stands."""
        return self._decide(item, class_of(item), None)

    def expires(self, item: Candidate) -> Instant | None:
        """From when on the rules let a file go; None if one never does, if it depends on what else comes (ranks), or if a
        person holds it. What is not finished counts as done at `item.done_at`.
        """
        return None if item.held is not None else self.due_from(item)

    def due_from(self, item: Candidate) -> Instant | None:
        """The same by the rules alone, whatever else keeps the file."""
        since = item.failed_at if item.failed else item.done_at
        rules = self._rules_of(item, class_of(item))
        if since is None or not rules:
            return None
        latest = since
        for scoped in rules:
            # Asked for the moment at which its clock starts, so that nothing has run out yet.
            kept = kept_by(scoped, None, since, item.dated, scoped.begins(since, item.dated))
            if kept is not None and kept.until is None:
                return None
            latest = max(latest, kept.until if kept is not None and kept.until is not None else latest)
        return latest

    def _counts(self, item: Candidate) -> bool:
        """Held and future-dated files and those not finished take no rank, so that they push nothing out."""
        since = item.failed_at if item.failed else item.done_at
        return (
            not item.unfinished and item.held is None and since is not None and not self._future(item, since)
        )

    def _future(self, item: Candidate, since: Instant) -> bool:
        return item.dated > self._now + SKEW or since > self._now + SKEW

    def _kept(self, item: Candidate, about: str, standing: Standing | None) -> str | None:
        """Why a file stays, as `_decide` says it, that nothing but the one rule for it keeps; None for any other."""
        rules, since = self._rules_of(item, about), item.failed_at if item.failed else item.done_at
        if len(rules) != 1 or since is None:
            return None
        kept = kept_by(rules[0], standing, since, item.dated, self._now)
        return None if kept is None else f"kept by {kept.by}"

    def _decide(self, item: Candidate, about: str, standing: Standing | None) -> Decision:
        since = item.failed_at if item.failed else item.done_at
        blocked = self._blocked(item, since)
        if since is None:
            return Decision(item, about, False, "", blocked or "not all of its notes are written", None)
        rules = self._rules_of(item, about)
        found = (kept_by(scoped, standing, since, item.dated, self._now) for scoped in rules)
        keeping = tuple(kept for kept in found if kept is not None)
        wanted = bool(rules) and not keeping
        by = "; ".join(kept.by for kept in keeping) or "; ".join(s.named(describe(s.rule)) for s in rules)
        if rules:
            since = min(scoped.begins(since, item.dated) for scoped in rules)
        if blocked is not None:
            return Decision(item, about, False, by if wanted else "", blocked, since, wanted=wanted)
        if not rules:
            return Decision(item, about, False, "", f"no rule for {about}", since)
        if keeping:
            return Decision(item, about, False, by, f"kept by {by}", since, keeping)
        return Decision(item, about, True, by, "no rule keeps it any longer", since, wanted=True)

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
        if not item.watched:
            return "its drop folder is not watched any more"
        return None

    def _scope_of(self, item: Candidate) -> str:
        if not self._policy.configured:
            if item.folder is not self._last[0]:
                self._last = item.folder, str(item.folder)
            return self._last[1]
        return self._policy.scope_of(item.path, item.folder)

    def _rules_of(self, item: Candidate, about: str) -> tuple[Scoped, ...]:
        if item.item_rule is not None:
            return (item_rule(item.item_rule, about),)
        folder = self._scope_of(item)
        key = (about, folder, item.tags)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = self._policy.rules(about, folder, item.tags)
        return found


def class_of(item: Candidate) -> str:
    """The class whose rules hold for a file."""
    return FAILED if item.failed and item.kind is Kind.AUDIO else item.kind.value


def make_plan(
    decisions: Iterable[Decision],
    policy: Policy,
    now: Instant,
    inspect: Inspect,
    *,
    keep_all: bool = False,
    most: int = 0,
    plan: Plan | None = None,
) -> Plan:
    """Gather decisions; `inspect` is asked only about files that would go, and may only keep them.

    With `most`, gathering ends as soon as more files than that would go. `plan`: the one that counts what is settled
    meanwhile.
    """
    plan = Plan(now, policy.digest) if plan is None else plan
    for decision in decisions:
        plan.total_items += 1
        if decision.goes and (reason := inspect(decision)) is not None:
            decision.keep(reason)
        plan.total_bytes += decision.item.size
        if decision.goes:
            plan.goes.append(decision)
            if most and len(plan.goes) > most:
                plan.cut = True
                break
            continue
        plan.kept_because[decision.reason] += 1
        if decision.wanted:
            plan.blocked.append(decision)
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
        return f"{least}{counted(count, 'file')} would go, more than fuse_items = {items}"
    if percent and count > 10 and size * 100 > plan.total_bytes * percent:
        share = size * 100 / plan.total_bytes
        return f"{share:.0f} % of all bytes would go, more than fuse_percent = {percent}"
    return None
