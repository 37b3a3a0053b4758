"""Dates in names as languages write them, in figures: `2026年3月2日 午後2時05分` and `2. März 2026` as `2026-03-02`. Pure.

What could be of another day stays as it is: of `04-05-2026` nobody can tell whether it is of April or of May.
"""

from __future__ import annotations

import re

_MONTHS = (
    "january jan januar jänner janvier enero ene gennaio januari janeiro",
    "february feb februar febr février févr febrero febbraio februari fevereiro",
    "march mar märz mär mars marzo maart março",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mei maio",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet juil julio luglio julho",
    "august aug août agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
)
"""English, German, French, Spanish, Italian, Dutch, Portuguese; no word stands for two months."""

_NUMBER = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_MONTH = rf"(?P<month>{'|'.join(sorted(_NUMBER, key=len, reverse=True))})\b[.]?"

_WITH_A_WORD = (
    re.compile(
        rf"(?i)(?<![\d.-])(?P<day>\d{{1,2}})(?:st|nd|rd|th|[.])?[\s_-]*(?:de\s)?{_MONTH},?[\s_-]*(?:del?\s)?(?P<year>20\d\d)(?!\d)"
    ),
    re.compile(rf"(?i)\b{_MONTH}[\s_-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s_-]+(?P<year>20\d\d)(?!\d)"),
)
_WITH_SIGNS = re.compile(
    r"(?P<year>20\d\d)\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일号號](?:\s?[(（][日月火水木金土일월화수목금토][)）])?"
    r"|(?<![\d.v-])(?P<year2>20\d\d)(?P<gap>[-_])(?P<month2>\d{1,2})(?P=gap)(?P<day2>\d{1,2})(?![\d-])"
)
_TIME_IN_SIGNS = re.compile(
    r"(?<!\d)(?P<hour>\d{1,2})\s?(?:[時时点點시]|Uhr(?!\w))"
    r"(?:\s?(?P<minute>\d{1,2})\s?[分분](?:\s?(?P<second>\d{1,2})\s?[秒초])?|\s?(?P<plain>[0-5]\d)(?!\d))?"
)
_TIME_BEFORE_UHR = re.compile(r"(?<!\d)(\d{1,2}[.:]\d\d(?:[.:]\d\d)?)\s?Uhr\b")
_DAY_FIRST = re.compile(
    r"(?<![\d.-])(?P<one>\d{1,2})(?P<gap>[-_./])(?P<other>\d{1,2})(?P=gap)(?P<year>20\d\d)(?!\d)"
    r"(?P<german>(?:,?\s(?:um\s)?[012]?\d[.:]\d\d(?:[.:]\d\d)?\sUhr\b|,?\sum\s\d))?"
)


def in_figures(name: str) -> str:
    """The name with each date and time that is written in words, signs or single figures as `2026-03-02 14.05.09`."""
    for pattern in _WITH_A_WORD:
        name = pattern.sub(
            lambda found: _day(found["year"], _NUMBER[found["month"].lower()], found["day"]), name
        )
    name = _WITH_SIGNS.sub(_day_of_signs, name)
    name = _DAY_FIRST.sub(_day_first, name)
    name = _TIME_BEFORE_UHR.sub(r"\1", name)
    return _TIME_IN_SIGNS.sub(_time, name)


def _day(year: str, month: str | int, day: str) -> str:
    return f"{year}-{int(month):02}-{int(day):02} "


def _day_of_signs(found: re.Match[str]) -> str:
    if found["year"]:
        return _day(found["year"], found["month"], found["day"])
    gap = found["gap"]
    return f"{found['year2']}{gap}{int(found['month2']):02}{gap}{int(found['day2']):02}"


def _day_first(found: re.Match[str]) -> str:
    one, other = int(found["one"]), int(found["other"])
    rest = found["german"] or ""
    if one > 12 or one == other or (rest and found["gap"] == "."):
        return _day(found["year"], other, found["one"]) + rest.lstrip(", ")
    if other > 12:
        return _day(found["year"], one, found["other"]) + rest.lstrip(", ")
    return found[0]


def _time(found: re.Match[str]) -> str:
    said = f"{found['hour']}.{int(found['minute'] or found['plain'] or 0):02}"
    return said + (f".{int(found['second']):02} " if found["second"] else " ")
