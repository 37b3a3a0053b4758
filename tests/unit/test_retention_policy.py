"""Rules that must hold for every ledger, clock and policy (hypothesis), and the few that are easiest said by example."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from earmark.config import Config, Duration, parse_config, parse_duration
from earmark.config.schema import RetentionRule
from earmark.config.size import parse_size
from earmark.domain import Kind, Mark, Segment, Transcript
from earmark.errors import ConfigError
from earmark.ledger import Candidate
from earmark.retention.clock import BACK, DRIFT, Reading, disbelief
from earmark.retention.plan import SKEW, Decider, Decision, fuse, make_plan
from earmark.retention.policy import NOTHING, Policy, Ranking, Scoped, kept_by, policy_of, read_policy
from earmark.retention.quality import failings
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = 86400.0
NOW = 1_760_000_000.0
FOLDERS = ("/drop/a", "/drop/b")

keep_for = st.sampled_from(
    [None, *(parse_duration(t) for t in ("0h", "36h", "10d", "1m", "2y5m7d", "9000y"))]
)
rules = st.builds(
    RetentionRule,
    keep_for=keep_for,
    keep_last=st.integers(0, 4),
    keep_within_size=st.integers(0, 3000),
    keep_daily=st.integers(0, 3),
    keep_weekly=st.integers(0, 2),
    keep_monthly=st.integers(0, 2),
    delete_after_done=st.booleans(),
)
any_rule = rules | st.just(RetentionRule(never=True))
rule_sets = st.dictionaries(st.sampled_from(["audio", "failed", "transcript"]), any_rule, max_size=3)
policies = st.builds(
    Policy,
    classes=rule_sets,
    folders=st.dictionaries(st.sampled_from(FOLDERS), rule_sets, max_size=2),
    tags=st.dictionaries(st.sampled_from(["private", "work"]), rule_sets, max_size=2),
    folder_tags=st.dictionaries(st.sampled_from(FOLDERS), st.just(("work",)), max_size=1),
    common_tags=st.just(()),
)
instants = st.floats(NOW - 4000 * DAY, NOW + 4000 * DAY)


@st.composite
def candidates(draw: st.DrawFn, kind: Kind = Kind.AUDIO) -> list[Candidate]:
    """One kind's files of two folders, as the ledger streams them: by folder, newest first."""
    found = []
    for number in range(draw(st.integers(0, 9))):
        failed = draw(st.booleans()) and draw(st.booleans())
        done = draw(st.none() | instants)
        found.append(
            Candidate(
                kind=kind,
                raw_path=f"{(folder := draw(st.sampled_from(FOLDERS)))}/{number}.wav".encode(),
                raw_place=b"/drop/x",
                folder=Path(folder),
                recording_id=f"{number}",
                sha256="",
                size=draw(st.integers(0, 2000)),
                identity=None,
                dated=draw(instants),
                done_at=None if failed else done,
                unfinished=draw(st.sampled_from(["", "", "", "it is being written"])),
                failed=failed,
                failed_at=done if failed else None,
                held=draw(st.sampled_from([None, None, None, "", "court case"])),
                policy=draw(st.sampled_from([None, 1, 1, 1, 2])),
                item_rule=draw(st.none() | st.none() | any_rule.map(lambda r: r.model_dump_json())),
                tags=draw(st.sampled_from([(), (), ("private",)])),
            )
        )
    return sorted(found, key=lambda c: (str(c.folder), -c.dated, str(c.path)))


def no_look(_: Decision) -> None:
    return None


def going(
    items: list[Candidate], policy: Policy, promised: dict[int, Policy], now: float = NOW, **options: Any
) -> set[Path]:
    items = [replace(item) for item in items]
    decider = Decider(policy, promised, now, zone=UTC, **options)
    return {d.item.path for d in make_plan(decider.decide_all(items), policy, now, no_look).goes}


@given(candidates(), policies, policies, policies, st.floats(NOW - 99 * DAY, NOW + 9999 * DAY), st.booleans())
def test_nothing_held_unfinished_future_dated_or_unruled_is_ever_in_a_plan(
    items: list[Candidate], policy: Policy, one: Policy, two: Policy, now: float, retroactive: bool
) -> None:
    promised = {1: one, 2: two}
    gone = going(items, policy, promised, now, retroactive=retroactive)
    for item in items:
        if item.path not in gone:
            continue
        about = "failed" if item.failed else "audio"
        since = item.failed_at if item.failed else item.done_at
        assert item.held is None
        assert not item.unfinished
        assert since is not None
        assert since <= now + SKEW
        assert item.dated <= now + SKEW
        if item.item_rule is not None:
            assert not RetentionRule.model_validate_json(item.item_rule).empty
            continue
        assert policy.rules(about, str(item.folder), item.tags)
        if not retroactive:
            assert item.policy is not None
            assert promised[item.policy].rules(about, str(item.folder), item.tags)


@given(candidates(), policies, policies, policies)
def test_what_the_disk_says_to_keep_is_never_in_a_plan(
    items: list[Candidate], policy: Policy, one: Policy, two: Policy
) -> None:
    decider = Decider(policy, {1: one, 2: two}, NOW, zone=UTC)
    plan = make_plan(decider.decide_all(items), policy, NOW, lambda d: "edited by you", keep_all=True)
    assert plan.goes == []
    assert all(not d.goes for d in plan.kept)
    assert len(plan.kept) == len(items) == sum(plan.kept_because.values())


more = st.fixed_dictionaries(
    {
        "keep_for": keep_for,
        "keep_last": st.integers(0, 6),
        "keep_within_size": st.integers(0, 5000),
        "keep_daily": st.integers(0, 4),
        "keep_weekly": st.integers(0, 4),
        "keep_monthly": st.integers(0, 4),
        "never": st.booleans(),
    }
)


@given(candidates(), rules.filter(lambda r: not r.empty), more)
def test_more_keep_rules_never_delete_more(
    items: list[Candidate], rule: RetentionRule, extra: dict[str, Any]
) -> None:
    """Each rule stays or grows; `never` stands alone, so it replaces."""
    before = {name: getattr(rule, name) for name in RetentionRule.model_fields}
    after = dict(before)
    for name, value in extra.items():
        if name == "keep_for":
            spans = [s for s in (before[name], value) if s is not None]
            after[name] = max(spans, key=lambda s: (s.years, s.months, s.days, s.hours)) if spans else None
            if len(spans) == 2:
                after[name] = before[name]
        elif name != "never":
            after[name] = max(before[name], value) if before[name] else value
    wider = RetentionRule(never=True) if extra["never"] else RetentionRule(**after)
    for item in items:
        item.item_rule = None
    narrow = going(items, policy_with(rule), {1: NOTHING, 2: NOTHING}, retroactive=True)
    wide = going(items, policy_with(wider), {1: NOTHING, 2: NOTHING}, retroactive=True)
    assert wide <= narrow


@given(candidates(), rules, rules, st.booleans())
def test_a_policy_remembered_from_acceptance_only_ever_keeps_more(
    items: list[Candidate], rule: RetentionRule, promised: RetentionRule, unknown: bool
) -> None:
    memory = {1: policy_with(promised), 2: NOTHING if unknown else policy_with(promised)}
    assert going(items, policy_with(rule), memory) <= going(
        items, policy_with(rule), memory, retroactive=True
    )


@given(candidates(), policies, policies, policies, st.booleans())
def test_a_plan_after_its_own_application_is_empty(
    items: list[Candidate], policy: Policy, one: Policy, two: Policy, retroactive: bool
) -> None:
    promised = {1: one, 2: two}
    gone = going(items, policy, promised, retroactive=retroactive)
    rest = [item for item in items if item.path not in gone]
    assert going(rest, policy, promised, retroactive=retroactive) == set()


@given(candidates())
def test_an_empty_policy_keeps_everything(items: list[Candidate]) -> None:
    for item in items:
        item.item_rule = None
    empty = policy_of(Config())
    assert empty.empty
    for policy in (NOTHING, empty):
        assert going(items, policy, {1: empty, 2: NOTHING}, NOW + 40000 * DAY, retroactive=True) == set()


@given(candidates(), policies)
def test_one_folder_never_changes_what_goes_in_another(items: list[Candidate], policy: Policy) -> None:
    together = going(items, policy, {1: policy, 2: policy})
    apart = set()
    for folder in FOLDERS:
        apart |= going([i for i in items if str(i.folder) == folder], policy, {1: policy, 2: policy})
    assert together == apart


@given(policies)
def test_a_policy_comes_back_from_the_ledger_as_it_was(policy: Policy) -> None:
    assert read_policy(policy.body) == policy
    assert read_policy(policy.body).digest == policy.digest


def policy_with(rule: RetentionRule) -> Policy:
    return Policy({"audio": rule, "failed": rule}, {}, {}, {}, ())


def test_several_rules_of_one_rank_all_have_to_let_it_go() -> None:
    days = {n: RetentionRule(keep_for=Duration(days=n)) for n in (1, 9)}
    policy = Policy(
        {"audio": RetentionRule(never=True)}, {"/f": {"audio": days[1]}}, {"t": {"audio": days[9]}}, {}, ()
    )
    assert [s.scope for s in policy.rules("audio", "/f", ("t",))] == ["folder", "tag t"]
    assert [s.scope for s in policy.rules("audio", "/g", ())] == ["class"]


def test_the_newest_of_each_of_the_last_days_is_kept_and_days_without_any_do_not_count() -> None:
    ranking = Ranking(UTC)
    moments = [NOW, NOW - 3600, NOW - 5 * DAY, NOW - 5 * DAY - 60, NOW - 90 * DAY]
    scoped = Scoped(RetentionRule(keep_daily=2), "class", "audio")
    kept = [kept_by(scoped, ranking.place(m, 1), m, NOW) is not None for m in moments]
    assert kept == [True, False, True, False, False]


def test_months_are_the_calendars_months() -> None:
    rule = RetentionRule(keep_for=parse_duration("1m"))
    january_31 = 1769817600.0
    kept = kept_by(Scoped(rule, "class", "audio"), None, january_31, january_31)
    assert kept is not None
    assert kept.until == january_31 + 28 * DAY


@given(st.floats(0, 10**11), st.floats(-(10**5), 10**5), st.floats(0, 10**6))
def test_a_clock_that_agrees_with_the_time_since_boot_is_believed(
    start: float, slew: float, awake: float
) -> None:
    before = Reading(start, 1000.0, "boot", 5)
    slew = max(-BACK, min(DRIFT - 1, slew))
    now = Reading(start + max(awake + slew, 0.0), 1000.0 + awake, "boot", 9)
    assert disbelief(before, now, None) is None


@pytest.mark.parametrize(
    ("wall", "awake", "boot", "earliest", "words"),
    [
        (-200.0, 100.0, "boot", None, "behind the last sweep"),
        (30 * DAY, DAY, "boot", None, "jumped forward"),
        (10.0, DAY, "boot", None, "jumped back"),
        (4000 * DAY, 10.0, "next boot", None, "earlier boot"),
        (DAY, DAY, "boot", -3 * DAY, "dated 3 days before it"),
    ],
)
def test_a_clock_that_cannot_be_right_is_not_believed(
    wall: float, awake: float, boot: str, earliest: float | None, words: str
) -> None:
    before = Reading(NOW, 1000.0, "boot", 5)
    now = Reading(NOW + wall, 1000.0 + awake, boot, 9)
    assert words in (disbelief(before, now, None if earliest is None else NOW + earliest) or "")


def test_the_fuse_blows_by_count_and_by_share_but_not_for_a_handful() -> None:
    def plan(count: int, size: int, total: int) -> Any:
        made = make_plan([], NOTHING, NOW, no_look)
        item = Candidate(
            Kind.AUDIO, b"/a", b"/a", Path("/"), "", "", size, None, NOW, NOW, "", False, None, None, None, None
        )  # fmt: skip
        made.goes = [Decision(item, "audio", True, "", "", NOW)] * count
        made.total_bytes = total
        return made

    assert fuse(plan(201, 1, 10**6), 200, 50) is not None
    assert fuse(plan(200, 1, 10**6), 200, 50) is None
    assert fuse(plan(11, 10, 200), 200, 50) is not None
    assert fuse(plan(10, 10, 100), 200, 50) is None
    assert fuse(plan(5000, 10, 100), 0, 0) is None


segments = st.lists(
    st.builds(
        Segment,
        start=st.floats(0, 1000),
        end=st.floats(0, 1000),
        text=st.text(max_size=20),
        confidence=st.floats(0, 1) | st.just(float("nan")),
        mark=st.none() | st.sampled_from(list(Mark)),
    ),
    max_size=8,
)


@given(segments, st.floats(0, 1000), st.floats(0, 1) | st.just(float("nan")))
def test_the_gate_judges_any_transcript_without_breaking_and_never_passes_one_without_words(
    heard: list[Segment], speech: float, sure: float
) -> None:
    transcript = Transcript("id", tuple(heard), "en", sure, 1000.0, speech, "tiny.en", "whisper")
    found = failings(transcript)
    assert all(isinstance(sentence, str) for sentence in found)
    if not transcript.text.strip() or sure != sure:
        assert found


@settings(max_examples=50)
@given(st.integers(0, 10**15))
def test_sizes_and_their_units(number: int) -> None:
    assert parse_size(str(number)) == number
    assert parse_size(f"{number % 1000}GB") == number % 1000 * 10**9
    assert parse_size(f"{number % 1000} KiB") == number % 1000 * 1024


@pytest.mark.parametrize(
    ("retention", "words"),
    [
        ({"audio": {"never": True, "keep_last": 3}}, "contradict"),
        ({"audio": {"older_than": "3d", "keep_for": "4d"}}, "mean the same"),
        ({"audio": {"keep_last": -1}}, "greater than or equal"),
        ({"audio": {"keep_within_size": "10 parsecs"}}, "is not a size"),
        ({"audio": {"keep_for": "soon"}}, "is not a length of time"),
        ({"audio": {"keep_lats": 3}}, "did you mean `keep_last`"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_with_the_reason(
    retention: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_config({"retention": retention}, "config.toml")
