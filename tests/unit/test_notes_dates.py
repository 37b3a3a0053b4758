"""When a recording was made: from the container, else the name, else the file, else its arrival; absurd dates are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from earmark.domain import Date, Dated, Instant
from earmark.notes.dates import date_of
from hypothesis import given
from hypothesis import strategies as st

NOON = Instant(1_772_712_000.0)
"""2026-03-05 12:00:00 UTC."""

LATER = Instant(1_780_000_000.0)
"""28 May 2026, when it came."""


def dated(container: str | None, name: str, zone: tzinfo = UTC, modified: float = NOON) -> Date:
    return date_of(container, name, Instant(modified), LATER, zone)


@pytest.mark.shows("retention:one-date")
def test_what_the_container_says_comes_first() -> None:
    found = dated("2026-01-02T03:04:05", "2025-01-01.m4a")
    assert (found.text, found.source) == ("2026-01-02T03:04:05", Dated.CONTAINER)
    assert found.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "wall_time"),
    [
        ("GMT20260302-083005_Recording.m4a", "2026-03-02T03:30:05"),
        ("Call-20260302_083005UTC-Meeting Recording.mp4", "2026-03-02T03:30:05"),
        ("2026-03-02T08-30-05Z.wav", "2026-03-02T03:30:05"),
        ("audio-2026-03-02T03_30_05.123Z.webm", "2026-03-01T22:30:05"),
        ("2026-03-02 08.30 UTC.wav", "2026-03-02T03:30:00"),
        ("Weekly sync (2026-03-02 at 09 30 GMT-8).mp4", "2026-03-02T09:30:00"),
        ("Weekly sync (2026-03-02 09.30 GMT+1).mp4", "2026-03-02T09:30:00"),
        ("20260302_215701.088-0400_out_1234567890.oga", "2026-03-02T21:57:01"),
        ("2026-03-02T09-30-05 Zoo.wav", "2026-03-02T09:30:05"),
        ("2026-03-02T09-30-05Zoo.wav", "2026-03-02T09:30:05"),
        ("2026-03-02 GMT.wav", "2026-03-02"),
    ],
)
def test_a_time_in_the_name_that_is_said_to_be_utc_becomes_local(name: str, wall_time: str) -> None:
    assert dated(None, name, timezone(timedelta(hours=-5))).text == wall_time


@pytest.mark.shows("retention:one-date")
@pytest.mark.parametrize(
    ("name", "wall_time"),
    [
        ("2026-05-04 10.30.15.m4a", "2026-05-04T10:30:15"),
        ("20260504_103015.wav", "2026-05-04T10:30:15"),
        ("Recording 2026-05-04 at 10.30.m4a", "2026-05-04T10:30:00"),
        ("standup 2026-05-04.m4a", "2026-05-04"),
        ("Recording 2026-05-04 at 10.30.15 PM.wav", "2026-05-04T22:30:15"),
        ("Screen Recording 2026-05-04 at 1.05.09\u202fPM.mov", "2026-05-04T13:05:09"),
        ("Note 2026-05-04 at 12.10.00 AM.wav", "2026-05-04T00:10:00"),
        ("2026-05-04 12.10 pm.wav", "2026-05-04T12:10:00"),
        ("2026-05-04 9.05.wav", "2026-05-04T09:05:00"),
        ("Bildschirmaufnahme 2026-05-04 um 14.05.09.mov", "2026-05-04T14:05:09"),
        ("Zoom 2026-05-04, 08_15_00.m4a", "2026-05-04T08:15:00"),
        ("REC20260504103015.mp3", "2026-05-04T10:30:15"),
        ("202605041030.wav", "2026-05-04T10:30:00"),
        ("260504_1030.mp3", "2026-05-04T10:30:00"),
        ("VOICE_260504-103015.mp3", "2026-05-04T10:30:15"),
        ("Recording 2026-05-04 at 3.05.09 p.\u00a0m..mov", "2026-05-04T15:05:09"),
        ("rec 2026-05-04 10-30-15-PM.wav", "2026-05-04T22:30:15"),
        ("rec 2026-05-04 3 PM.wav", "2026-05-04T15:00:00"),
        ("rec 2026-05-04 930pm.wav", "2026-05-04T21:30:00"),
        ("画面収録 2026-05-04 午後3.05.09.mov", "2026-05-04T15:05:09"),
        ("2026-05-04 3.05.09 π.μ..mov", "2026-05-04T03:05:09"),
        ("2026-05-04 12.30 am See.wav", "2026-05-04T12:30:00"),
        ("2026-05-04 3 am Rhein.wav", "2026-05-04"),
        ("Enregistrement 2026-05-04 a\u0300 10.30.15.mov", "2026-05-04T10:30:15"),
        ("Nagranie 2026-05-04 o godz. 10.30.15.mov", "2026-05-04T10:30:15"),
        ("２０２６－０５－０４ ١٠.٣٠.wav", "2026-05-04T10:30:00"),
        ("2026-05-04 10.30-11.30.wav", "2026-05-04T10:30:00"),
        ("2026-05-04 2026-05-06.wav", "2026-05-04"),
        ("2026-05-04 5-10 people.wav", "2026-05-04"),
        ("2026-05-04 2.10.1.wav", "2026-05-04"),
        ("2026-05-04 10.30.3gp", "2026-05-04T10:30:00"),
        ("2026-05-04_10-30-15.123.wav", "2026-05-04T10:30:15"),
        ("Call recording 01701234567_260504_103015.m4a", "2026-05-04T10:30:15"),
        ("Call +201012151200_20260504103015.m4a", "2026-05-04T10:30:15"),
        ("260504_1030_0001.wav", "2026-05-04T10:30:00"),
        ("Aufnahme vom 24.12.2025 um 14.30 Uhr.m4a", "2025-12-24T14:30:00"),
        ("Aufnahme 4.5.2026 um 14.30.m4a", "2026-05-04T14:30:00"),
        ("Notiz 4.5.2026, 9.05 Uhr.m4a", "2026-05-04T09:05:00"),
        ("12-25-2025 2.30 PM.m4a", "2025-12-25T14:30:00"),
        ("Sitzung 2. März 2026 um 14.05.m4a", "2026-03-02T14:05:00"),
        ("Reunión 2 de marzo de 2026 14.05.m4a", "2026-03-02T14:05:00"),
        ("Mar 2, 2026 at 2.05 PM.m4a", "2026-03-02T14:05:00"),
        ("Sitzung 2026-05-04 14 Uhr 05.wav", "2026-05-04T14:05:00"),
        ("会議 2026年5月4日(月) 14時05分.m4a", "2026-05-04T14:05:00"),
        ("2026年05月04日 午後2時05分09秒.m4a", "2026-05-04T14:05:09"),
        ("录音 2026年5月4日下午2点05分.m4a", "2026-05-04T14:05:00"),
        ("새로운 녹음 2026년 5월 4일 오후 2시 5분.m4a", "2026-05-04T14:05:00"),
        ("2026-5-4 14.05.09.m4a", "2026-05-04T14:05:09"),
        ("Captura 2026-05-04 a la(s) 2.05.09 p. m..mov", "2026-05-04T14:05:09"),
        ("1772442309.wav", "2026-03-02T09:05:09"),
        ("rec_1772442309123.m4a", "2026-03-02T09:05:09"),
        ("260504_0001.MP3", "2026-05-04"),
        ("260504_012.MP3", "2026-05-04"),
        ("team-conflict-2026-05-04.wav", "2026-05-04"),
        ("talk 2026-05-04.sync-conflict-20261101-120000-ABCDEFG.wav", "2026-05-04"),
    ],
)
def test_a_date_in_the_name_counts_next(name: str, wall_time: str) -> None:
    found = dated(None, name)
    assert (found.text, found.source) == (wall_time, Dated.NAME)


@pytest.mark.shows("retention:one-date")
@pytest.mark.parametrize(
    "name",
    ["standup.m4a", "2026-02-30.m4a", "call 120260504123.m4a", "1999-01-01.m4a", "261304_1030.mp3", "order 260504 1030.mp3",
     "standup.sync-conflict-20260401-120000-ABCDEFG.wav", "talk (conflicted copy 2026-04-02 130000).wav",
     "talk (Bob's conflicted copy 2026-04-02).wav", "talk_conflict-20260402-130000.wav",
     "talk (Bob (work)'s conflicted copy 2026-04-02 (1)).wav", "talk_conflict-Bob_Smith-20260402-130000.wav",
     "talk (Copie en conflit de Bob 2026-04-02).wav", "talk (In Konflikt stehende Kopie von Bob 2026-04-02).wav",
     "talk (Bob 的冲突副本 2026-04-02).wav", "talk (конфликтующая копия Bob 2026-04-02).wav",
     "talk (SFConflict bob@example.org 2026-04-02-12-00-00).wav", "talk~20260402-120000.wav",
     "+201012151200.m4a", "Call 201012151200.m4a", "Tel 201210-1512.wav", "+43 201210-151233.wav", "INV-201203-1015.wav",
     "SN 201210-1512-33.wav", "v2020.10.12.wav", "talk #20121015.wav", "04-05-2026 10.30.wav", "4.5.2026 10.30.wav",
     "2001-2002 0304.wav", "call 1772442309.wav", "video1772442309.mp4",
     "1999999999.wav", "talk [conflict 2026-04-02].wav", "2026-1-2-3.wav", "v2026-1-2.wav", "may 7, 1999.wav",
     "2012 1015 1200.wav", "2005-04_1030.wav"],
)  # fmt: skip
def test_else_the_files_own_time_in_the_local_zone(name: str) -> None:
    assert dated(None, name) == Date(NOON, "2026-03-05T12:00:00", Dated.FILE)
    assert dated(None, name, timezone(timedelta(hours=9))).text == "2026-03-05T21:00:00"


@pytest.mark.shows("retention:one-date")
@pytest.mark.parametrize(
    "modified", [0.0, -(2.0**31), 315_532_800.0, LATER + 2 * 86400, 4_000_000_000.0, 1e30]
)
def test_a_file_time_that_no_clock_can_mean_counts_as_unknown_which_means_arrival(modified: float) -> None:
    assert dated(None, "standup.m4a", modified=modified) == Date(LATER, "2026-05-28T20:26:40", Dated.ARRIVAL)


@pytest.mark.parametrize("container", ["1904-01-01T00:00:00", "1970-01-01T00:00:00", "2098-05-01T00:00:00"])
def test_a_date_in_the_container_that_no_recorder_can_mean_is_passed_over(container: str) -> None:
    assert dated(container, "standup.m4a").source is Dated.FILE


def test_who_knows_the_time_is_believed_before_who_knows_the_day_only() -> None:
    assert dated("2026-05-04", "2026-05-04 10.30.15.m4a").text == "2026-05-04T10:30:15"
    assert dated("2026-05-04", "standup 2026-05-03.m4a") == Date(
        Instant(datetime(2026, 5, 4, tzinfo=UTC).timestamp()), "2026-05-04", Dated.CONTAINER
    )


@given(
    st.none() | st.datetimes().map(lambda d: d.isoformat()) | st.text(max_size=30),
    st.text(max_size=40),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_it_is_asked_it_names_a_believable_instant(
    container: str | None, name: str, modified: float
) -> None:
    found = dated(container, name, modified=modified)
    assert datetime(1990, 1, 1, tzinfo=UTC).timestamp() <= found.at <= LATER + 86_400
    assert found.text
