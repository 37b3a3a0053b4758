"""Rules that must hold for every ledger, clock and policy (hypothesis), and the few that are easiest said by example."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from earmark.config import Config, Duration, parse_config, parse_duration
from earmark.config.retention import RetentionRule
from earmark.config.size import parse_size
from earmark.domain import Instant, Kind, Mark, Segment, Transcript
from earmark.errors import ConfigError
from earmark.files import Identity
from earmark.ledger import Candidate
from earmark.retention.rules.decide import SKEW, Decider, Decision, Plan, fuse, make_plan
from earmark.retention.rules.policy import Policy, Scoped, kept_by, policy_of
from earmark.retention.rules.quality import failings
from earmark.retention.rules.ranking import Ranking
from earmark.retention.sweep.clock import BACK, DRIFT, Reading, clock_doubt
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.shows("retention:all-these-once-arbitrary")

DAY = 86400.0
NOW = Instant(1_760_000_000.0)
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
    count_from=st.sampled_from(["done", "recorded"]),
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
instants = st.floats(NOW - 4000 * DAY, NOW + 4000 * DAY).map(Instant)


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
                item_rule=draw(st.none() | st.none() | any_rule.map(lambda r: r.model_dump_json())),
                watched=draw(st.sampled_from([True, True, True, False])),
                tags=draw(st.sampled_from([(), (), ("private",)])),
            )
        )
    return sorted(found, key=lambda c: (str(c.folder), -c.dated, str(c.path)))


def no_look(_: Decision) -> None:
    return None


def going(items: list[Candidate], policy: Policy, now: Instant = NOW) -> set[Path]:
    items = [replace(item) for item in items]
    decider = Decider(policy, now, zone=UTC)
    return {d.item.path for d in make_plan(decider.decide_all(items), policy, now, no_look).goes}


@given(candidates(), policies, instants)
def test_nothing_held_unfinished_future_dated_unwatched_or_unruled_is_ever_in_a_plan(
    items: list[Candidate], policy: Policy, now: Instant
) -> None:
    gone = going(items, policy, now)
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
        assert item.watched


@given(candidates(), policies)
def test_what_the_disk_says_to_keep_is_never_in_a_plan(items: list[Candidate], policy: Policy) -> None:
    decider = Decider(policy, NOW, zone=UTC)
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


@pytest.mark.shows("retention:any-rule-that-keeps")
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
    assert going(items, policy_with(wider)) <= going(items, policy_with(rule))


@given(candidates(), policies)
def test_a_plan_after_its_own_application_is_empty(items: list[Candidate], policy: Policy) -> None:
    gone = going(items, policy)
    rest = [item for item in items if item.path not in gone]
    assert going(rest, policy) == set()


@pytest.mark.shows("retention:notes-say")
@given(candidates(), policies)
def test_no_file_goes_before_the_day_that_its_note_promises(items: list[Candidate], policy: Policy) -> None:
    """The note asks the same decider; what depends on the others has no day."""
    decider = Decider(policy, NOW, zone=UTC)
    gone = going(items, policy)
    for item in items:
        promised = decider.expires(item)
        if promised is not None and promised > NOW:
            assert item.path not in gone


@pytest.mark.shows("retention:no-rule")
@pytest.mark.shows("retention:anything-while-rule-applies", "privacy:no-rule")
@given(candidates())
def test_an_empty_policy_keeps_everything(items: list[Candidate]) -> None:
    for item in items:
        item.item_rule = None
    empty = policy_of(Config())
    assert empty.empty
    assert going(items, empty, Instant(NOW + 40000 * DAY)) == set()


@given(candidates(), policies)
def test_one_folder_never_changes_what_goes_in_another(items: list[Candidate], policy: Policy) -> None:
    together = going(items, policy)
    apart = set()
    for folder in FOLDERS:
        apart |= going([i for i in items if str(i.folder) == folder], policy)
    assert together == apart


def policy_with(rule: RetentionRule) -> Policy:
    return Policy({"audio": rule, "failed": rule}, {}, {}, {}, ())


@pytest.mark.shows("retention:which-rule-counts")
def test_several_rules_of_one_rank_all_have_to_let_it_go() -> None:
    days = {n: RetentionRule(keep_for=Duration(days=n)) for n in (1, 9)}
    policy = Policy(
        {"audio": RetentionRule(never=True)}, {"/f": {"audio": days[1]}}, {"t": {"audio": days[9]}}, {}, ()
    )
    assert [s.scope for s in policy.rules("audio", "/f", ("t",))] == ["folder", "tag t"]
    assert [s.scope for s in policy.rules("audio", "/g", ())] == ["class"]


def test_the_newest_of_each_of_the_last_days_is_kept_and_days_without_any_do_not_count() -> None:
    ranking = Ranking(UTC)
    moments = [Instant(NOW - back) for back in (0, 3600, 5 * DAY, 5 * DAY + 60, 90 * DAY)]
    scoped = Scoped(RetentionRule(keep_daily=2), "class", "audio")
    kept = [
        kept_by(scoped, ranking.place(str(n), m, 1), m, m, NOW) is not None for n, m in enumerate(moments)
    ]
    assert kept == [True, False, True, False, False]


def test_months_are_the_calendars_months() -> None:
    rule = RetentionRule(keep_for=parse_duration("1m"))
    january_31 = Instant(1769817600.0)
    kept = kept_by(Scoped(rule, "class", "audio"), None, january_31, january_31, january_31)
    assert kept is not None
    assert kept.until == january_31 + 28 * DAY


def test_a_duty_may_count_from_collection_and_not_from_the_day_of_import() -> None:
    imported, recorded = NOW, Instant(NOW - 40 * DAY)
    rule = RetentionRule(keep_for=parse_duration("30d"), count_from="recorded")
    scoped = Scoped(rule, "class", "audio")
    assert kept_by(scoped, None, imported, recorded, NOW) is None
    rule = RetentionRule(keep_for=parse_duration("30d"))
    assert kept_by(Scoped(rule, "class", "audio"), None, imported, recorded, NOW) is not None


@pytest.mark.shows("retention:any-rule-that-keeps")
def test_copies_and_hard_links_of_a_recording_share_its_rank_and_a_hard_link_takes_no_room() -> None:
    ranking = Ranking(UTC, calendar=False)
    one, other = Identity(100, 1, 7, 1), Identity(100, 1, 8, 1)
    first = ranking.place("a", NOW, 100, one)
    linked = ranking.place("a", NOW, 100, one)
    copied = ranking.place("a", NOW, 100, other)
    after = ranking.place("b", NOW, 100, Identity(100, 1, 9, 1))
    assert [s.rank for s in (first, linked, copied, after)] == [1, 1, 1, 2]
    assert [s.bytes_to for s in (first, linked, copied, after)] == [100, 100, 200, 300]


@given(st.floats(0, 10**11), st.floats(-(10**5), 10**5), st.floats(0, 10**6))
def test_a_clock_that_agrees_with_the_time_since_boot_is_believed(
    start: float, slew: float, awake: float
) -> None:
    before = Reading(Instant(start), 1000.0, "boot", 5)
    slew = max(-BACK, min(DRIFT - 1, slew))
    now = Reading(Instant(start + max(awake + slew, 0.0)), 1000.0 + awake, "boot", 9)
    assert clock_doubt(before, now, None) is None


@pytest.mark.shows("retention:unattended")
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
    now = Reading(Instant(NOW + wall), 1000.0 + awake, boot, 9)
    assert words in (clock_doubt(before, now, None if earliest is None else Instant(NOW + earliest)) or "")


@pytest.mark.shows("retention:unattended")
def test_the_fuse_blows_by_count_and_by_share_but_not_for_a_handful() -> None:
    def plan(count: int, size: int, total: int) -> Any:
        made = make_plan([], policy_of(Config()), NOW, no_look)
        item = Candidate(
            Kind.AUDIO, b"/a", b"/a", Path("/"), "", "", size, None, NOW, NOW, "", False, None, None, None
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


@pytest.mark.shows("retention:quality-gate")
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
        ({"audio": {"keep_last": -1}}, "at least"),
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


GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden" / "restic_forget.json"


@pytest.mark.shows("retention:restic-policies")
@pytest.mark.skipif(not GOLDEN.exists(), reason="restic's own test data are not here")
def test_the_policies_of_restic_keep_what_restic_keeps() -> None:
    data = json.loads(GOLDEN.read_text("utf-8"))
    times = sorted(
        (datetime.fromisoformat(f"{text}+00:00").timestamp() for text in data["times"]), reverse=True
    )
    files = [
        Candidate(
            kind=Kind.AUDIO, raw_path=f"/drop/a/{number}.wav".encode(), raw_place=b"/drop/x", folder=Path("/drop/a"),
            recording_id=f"{number}", sha256="", size=1, identity=None, dated=Instant(at), done_at=Instant(at),
            unfinished="", failed=False, failed_at=None, held=None, item_rule=None,
        )
        for number, at in enumerate(times)
    ]  # fmt: skip
    assert len(data["cases"]) == 23
    for case in data["cases"]:
        rule = RetentionRule(**case["policy"], count_from="recorded")
        decider = Decider(policy_with(rule), Instant(times[0]), zone=UTC)
        kept = [d.item.dated for d in decider.decide_all(files) if not d.goes]
        wanted = [datetime.fromisoformat(text).timestamp() for text in case["keep"]]
        assert kept == sorted(wanted, reverse=True), case["policy"]


@given(candidates(), policies, st.booleans())
def test_a_plan_that_lists_only_what_goes_decides_as_one_that_lists_all(
    items: list[Candidate], policy: Policy, some_go: bool
) -> None:
    def inspect(decision: Decision) -> str | None:
        return None if some_go and int(decision.item.recording_id) % 2 else "inspected"

    def decider() -> Decider:
        return Decider(policy, NOW, ranked=policy.ranks or any(i.item_rule is not None for i in items))

    brief = Plan(NOW, policy.digest)
    make_plan(
        decider().decide_all(map(replace, items), brief.settled), policy, NOW, inspect, plan=brief
    )  # fmt: skip
    full = make_plan(Decider(policy, NOW).decide_all(items), policy, NOW, inspect, keep_all=True)
    assert brief == replace(full, kept=[])
    assert list(brief.kept_because) == list(full.kept_because), "in the order in which they are told"
