"""The plan of a ledger under a configuration: which policy is in force, and what it lets go right now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from earmark.config import Config
from earmark.domain import Instant, Kind
from earmark.ledger import Ledger
from earmark.retention import marks
from earmark.retention.look import Frontmatter, Inspector
from earmark.retention.plan import Decider, Decision, Plan, make_plan
from earmark.retention.policy import policy_of, read_policy


def keep_keys(config: Config) -> frozenset[str]:
    """The frontmatter keys that hold a recording: `keep`, and what the configuration calls it."""
    named = config.notes.key_prefix + config.notes.keys.get("keep", "keep")
    return frozenset({"keep", named.lower(), config.notes.keys.get("keep", "keep").lower()})


def remember_policy(ledger: Ledger, config: Config, now: Instant) -> bool:
    """Write down the policy in force; true if it is a new one. The supervisor calls this at start and after each reload
    of the configuration, before it accepts anything: recordings then remember it by themselves (a trigger).
    """
    policy = policy_of(config)
    first = ledger.retention.latest_policy() is None
    with ledger.transaction():
        new = ledger.retention.remember_policy(policy.digest, policy.body, now)
        if new and not first:
            ledger.retention.relook_all("the retention policy changed")
            ledger.journal.note(now, "policy-changed", "Another retention policy is in force from now on.")
    return new


def plan_now(
    ledger: Ledger,
    config: Config,
    now: Instant,
    frontmatter: Frontmatter,
    *,
    at: Instant | None = None,
    retroactive: bool = False,
    keep_all: bool = False,
    remember: bool = True,
    only: Callable[[Path], bool] | None = None,
    thorough: bool = True,
    most: int = 0,
) -> Plan:
    """The plan of this moment, or of `at`. `remember=False` for a ledger that is open read-only.

    `thorough=False` takes an unchanged identity (size, time, inode) for unchanged audio; carrying out a plan hashes it in
    any case. `most`: stop once more files than that would go. `keep_all` lists what stays, too; `only` narrows the plan
    to paths, without changing who ranks where.
    """
    policy = policy_of(config)
    if remember and policy.reads_tags:
        marks.refresh(ledger, frontmatter, keep_keys(config))
    accepted_under = {row: read_policy(body) for row, body in ledger.retention.policies().items()}
    moment = now if at is None else at
    decider = Decider(policy, accepted_under, moment, retroactive=retroactive)
    look = Inspector(ledger, frontmatter, keep_keys(config), remember=remember, thorough=thorough)
    weighs = policy.weighs.union(*(p.weighs for p in accepted_under.values()))

    def decisions() -> Iterable[Decision]:
        for kind in Kind:
            items = ledger.retention.candidates(kind)
            if kind is not Kind.AUDIO and kind.value in weighs:
                items = marks.weighed(items)
            for decision in decider.decide_all(items):
                if only is None or only(decision.item.path):
                    yield decision

    return make_plan(decisions(), policy, moment, look, keep_all=keep_all, most=most)
