"""Decisions about drafts: which model writes them, and when the better one may come. Pure functions."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
from earmark.config import Config
from earmark.config.between import Between, parse_between
from earmark.domain import Instant
from earmark.errors import ConfigError
from earmark.ledger import Among
from earmark.pipeline.drafts import begins
from earmark.power import lives_on_battery, says_battery, supplies
from earmark.transcription.drafting import MUCH_SMALLER, Present, describe, draft_for
from hypothesis import given
from hypothesis import strategies as st

from tests.speech import many_languages, quick_model

TINY_EN, TINY = Present("tiny.en", 75, True), Present("tiny", 75, False)
BASE, SMALL, DISTIL = (
    Present("base", 145, False),
    Present("small", 484, False),
    Present("distil-small.en", 332, True),
)
ALL = (TINY_EN, TINY, BASE, SMALL, DISTIL)


@pytest.mark.shows("transcription:draft-model")
@pytest.mark.parametrize(
    ("wish", "final", "present", "language", "languages", "expected"),
    [
        ("auto", BASE, (BASE,), None, (), None),
        ("auto", BASE, (TINY_EN, BASE), None, (), None),
        ("auto", BASE, (TINY_EN, BASE), "de", (), None),
        ("auto", BASE, (TINY_EN, BASE), None, ("de", "en"), None),
        ("auto", BASE, (TINY_EN, BASE), "en", (), "tiny.en"),
        ("auto", BASE, (TINY_EN, BASE), None, ("en",), "tiny.en"),
        ("auto", SMALL, (BASE, SMALL), None, (), "base"),
        ("auto", SMALL, ALL, "de", (), "tiny"),
        ("auto", SMALL, ALL, "en", (), "tiny.en"),
        ("auto", SMALL, (DISTIL, SMALL), "en", (), None),
        ("none", SMALL, ALL, "en", (), None),
        ("base", SMALL, ALL, None, (), "base"),
        ("small", SMALL, ALL, None, (), None),
        ("distil-small.en", SMALL, ALL, None, (), "distil-small.en"),
        ("base", TINY_EN, ALL, None, (), None),
        ("tiny.en", TINY, ALL, None, (), None),
        ("medium", SMALL, ALL, None, (), None),
    ],
)
def test_the_smallest_model_that_is_much_smaller_and_knows_the_languages_writes_drafts(
    wish: str, final: Present, present: tuple[Present, ...], language: str | None, languages: tuple[str, ...],
    expected: str | None,
) -> None:  # fmt: skip
    assert draft_for(wish, final, present, language, languages) == expected


MODELS = st.builds(Present, st.sampled_from("abcdef"), st.integers(0, 1000), st.booleans())


@given(MODELS, st.lists(MODELS), st.sampled_from([None, "en", "de"]), st.lists(st.sampled_from(["en", "de"])))
def test_no_draft_is_by_a_model_that_is_hardly_smaller_or_would_write_english_over_another_language(
    final: Present, present: list[Present], language: str | None, languages: list[str]
) -> None:
    chosen = draft_for("auto", final, present, language, languages)
    models = [m for m in present if m.name == chosen and m.size <= final.size * MUCH_SMALLER]
    assert chosen is None or models
    assert chosen != final.name
    if language == "de" or (language is None and set(languages) != {"en"}):
        assert chosen is None or any(not m.english_only for m in models)


def test_what_a_model_knows_is_seen_in_its_folder_whatever_it_is_called(tmp_path: Path) -> None:
    assert describe(quick_model().dir).english_only
    assert not describe(many_languages().dir).english_only
    renamed = tmp_path / "mine"
    renamed.symlink_to(quick_model().dir)
    assert describe(renamed).english_only
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"lang_ids": [1, 2]}')
    assert describe(tmp_path / "other").english_only
    assert not describe(tmp_path / "nothing").english_only


# --- when ---


@pytest.mark.shows("transcription:better-when")
@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_a_stretch_of_the_day_and_the_one_from_its_end_to_its_beginning_are_the_whole_day(
    start: int, end: int, minute: int
) -> None:
    if start == end:
        return
    one, other = Between(start, end), Between(end, start)
    assert one.holds(minute) != other.holds(minute)
    assert one.holds(start)
    assert not one.holds(end)
    assert parse_between(str(one)) == one


@given(st.integers(1_700_000_000, 1_800_000_000))
def test_what_counts_is_the_clock_on_the_wall_also_when_it_is_put_forward_or_back(instant: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        try:
            hour = time.localtime(instant).tm_hour
            assert parse_between("22:00-06:00").now(Instant(instant)) == (hour >= 22 or hour < 6)
        finally:
            patch.undo()
            time.tzset()


def test_times_are_read_as_people_write_them_and_nonsense_is_refused() -> None:
    assert parse_between("").always
    assert parse_between("").now(Instant(datetime.now().astimezone().timestamp()))
    assert str(parse_between(" 6:30 – 24:00 ")) == "06:30-24:00"
    assert parse_between("6:30-24:00").holds(1439)
    for wrong in ("22:00", "22-6", "25:00-06:00", "24:00-06:00", "06:00-24:30", "06:00-06:00", "a", 7):
        with pytest.raises(ValueError, match="is no stretch of a day; write"):
            parse_between(wrong)
    from earmark.config import parse_config

    with pytest.raises(ConfigError, match=r"transcription.better_between.*write"):
        parse_config({"transcription": {"better_between": "nightly"}}, "config.toml")
    assert Config().transcription.better_between.always


@given(st.booleans(), st.booleans(), st.booleans())
def test_new_recordings_come_first_and_only_what_was_asked_for_minds_neither_hour_nor_plug(
    within: bool, plugged: bool, others: bool
) -> None:
    found = begins(within, plugged, others)
    assert (found is None) == others
    assert (found is Among.DRAFTS) == (within and plugged and not others)


# --- the plug ---

BATTERY = {"type": "Battery", "status": "Discharging"}


@pytest.mark.shows("transcription:better-when")
@pytest.mark.parametrize(
    ("found", "battery"),
    [
        ([], False),
        ([{"type": "Mains", "online": "0"}], False),
        ([BATTERY, {"type": "Mains", "online": "0"}], True),
        ([BATTERY, {"type": "Mains", "online": "1"}], False),
        ([BATTERY, {"type": "Mains", "online": "0"}, {"type": "USB", "online": "1"}], False),
        ([{"type": "Battery", "status": "Full"}, {"type": "USB", "online": "0"}], True),
        ([BATTERY], True),
        ([{"type": "Battery", "status": "Charging"}], False),
        ([{"type": "Battery", "status": "Unknown"}], False),
        ([BATTERY | {"scope": "Device"}], False),
        ([BATTERY | {"scope": "Device"}, {"type": "Mains", "online": "0"}], False),
        ([{}], False),
    ],
)
def test_a_machine_lives_on_its_battery_only_where_it_says_so(
    found: list[dict[str, str]], battery: bool
) -> None:
    assert lives_on_battery(found) is battery


def test_supplies_are_read_where_the_kernel_has_them(tmp_path: Path) -> None:
    assert supplies(tmp_path / "none") == []
    for name, facts in (
        ("AC", {"type": "Mains", "online": "0\n"}),
        ("BAT0", {"type": "Battery\n", "status": "Discharging\n"}),
    ):
        (tmp_path / name).mkdir()
        for fact, value in facts.items():
            (tmp_path / name / fact).write_text(value)
    assert lives_on_battery(supplies(tmp_path))
    (tmp_path / "AC" / "online").write_text("1\n")
    assert not lives_on_battery(supplies(tmp_path))
    assert says_battery(
        "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t83%; discharging; 4:02 remaining"
    )
    assert not says_battery("Now drawing from 'AC Power'\n -InternalBattery-0\t83%; charged; 'Battery Power'")
    assert not says_battery("")
