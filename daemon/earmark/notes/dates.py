"""When was it recorded? One date per recording, from the best source that is believable. Pure.

The container's own date, else the one in the file's name, else the file's modification time, else when it came. Never the
inode change or birth time: on a copied file those are the copy's. Recorders without a clock begin in 1970, 1980 or 2000,
and one bad date in the far future would stay the newest for ever; so what lies before 1990 or ahead of the clock counts as
unknown.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, tzinfo

from earmark.domain import Date, Dated, Instant
from earmark.notes.spelled_dates import in_figures

_START = r"(?<![\d+#$€£])(?<!\bv)"
"""What no date stands behind: a digit, the signs of a telephone number, a ticket and a price, a version's v."""

_DAY = r"(?P<month>0[1-9]|1[0-2])(?P=gap)(?P<day>0[1-9]|[12]\d|3[01])"
_HALF = r"(?!(?-i:am\s[A-ZÄÖÜ]))(?P<half>[ap][.]?\s?m\b|[πμ][.]\s?μ\b|[صم]\b)[.]?"
_FRONT = r"(?:(?P<front>[ap]m|上午|下午|午前|午後|오전|오후)\s?)?"
_AFTERNOON = ("p", "μ", "م", "下午", "午後", "오후")
_AT = r"(?:(?:at|um|à|às|a las?|a la\(s\)|alle|om|kl[.]?|klo|o|o godz[.]|v|o|в|о|saat)\s)?"
_TIME = (
    rf"(?!20\d\d[-_.]\d\d[-_.]\d\d(?!\d)){_FRONT}"  # not the second day of two
    r"(?:(?P<hour>[01]\d|2[0-3]|\d(?=[.:h]\d\d)|\d(?=[-_]\d\d[-_]\d\d)|\d(?=\d\d\s?[ap][.]?m\b))"
    r"(?P<mark>[-_.:h]?)(?P<minute>[0-5]\d)(?:(?:(?P=mark)|(?<=h\d\d)m)(?P<second>[0-5]\d)(?:[.,]\d{1,6})?|(?![.:]\d))"
    rf"(?:[\s_.-]?{_HALF})?|(?P<whole>0?[1-9]|1[0-2])[\s_.-]?(?!(?-i:am\s[A-ZÄÖÜ]))(?P<of_whole>[ap][.]?\s?m\b)[.]?)"
)
_IN_NAME = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_START}(?P<year>20\d\d)(?P<gap>[-_. ]?){_DAY}(?:[-_\sT.,(\[]{{1,4}}{_AT}{_TIME})?(?!\d)",
        rf"{_START}(?P<year>20\d\d)(?P<gap>){_DAY}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?!\d)",
        rf"{_START}(?P<year>20(?!1[0125])\d\d)(?P<gap>){_DAY}(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?!\d)",
        rf"^(?P<year>\d\d)(?P<gap>){_DAY}_(?:00\d\d|\d{{3}})$",
        rf"{_START}(?<!\d[-.])(?P<year>\d\d)(?P<gap>){_DAY}(?:_|(?<=^\d{{6}})-|(?<!\d \d{{6}})-(?=\d{{6}}))"
        r"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)?(?!\d)",
    )
)
"""`2026-05-04 10.30.15`, `Recording 2026-05-04 at 1.05.09 PM`; `20260504103015`; `202605041030`, but not in the years that
a mobile number of Egypt begins with (+20 10 ...), which is as long; `260504_1030`, and with a dash only where nothing stands
before it or seconds are there, as tickets and telephone numbers have dashes, and `260504_0001`, which counts. So phones,
recorders and screen recorders name files. `\\s` is also the narrow space that macOS puts before PM."""

_DAY_FIRST = re.compile(
    r"(?<![\d.-])(?:0?[1-9]|[12]\d|3[01])(?P<gap>[-_./])(?:0?[1-9]|[12]\d|3[01])(?P=gap)20\d\d(?!\d)"
    r"(?:[-_\sT.,]{1,4}[012]?\d[-_.:]\d\d(?:[-_.:]\d\d)?(?!\d))?"
)
"""`04-05-2026 10.30`: whether it is of April or of May nobody can tell, and what follows is no month."""

_CONFLICT = re.compile(
    r"""(?ix) [\s._-]* \( (?: [^()] | \([^()]*\) )* (?: confl[iy] | konfli | конфл | 冲突 | 衝突 | 競合 | 충돌 | mot?strid
          | widersprech | tegenstrijdig | ristirii ) (?: [^()] | \([^()]*\) )* \)
      | [\s._-]* \[ [^][]* confl[iy] [^][]* \]
      | [._-] (?: sync- )? conflict (?: ed[ ]copy | _copy )? [-_. ]+ (?: [^\d\W]\w* - )? \d{8} [-_. ]? \d{4,6} (?: -\w+ )?
      | ~\d{8}-\d{6}(?=\.\w+$)"""
)
"""What Syncthing, Nextcloud, ownCloud, Dropbox (in the language of its owner) and Seafile put into the name of the copy that
lost, and Syncthing into that of an earlier version: the time when that was."""

_EPOCH = re.compile(
    r"(?i)(?:(?:rec|record|recording|voice|memo|audio|video|note|msg|message|file|clip|screen|capture)[-_ ]+)?"
    r"(?P<seconds>1[2-9]\d{8})(?:[.]?\d{3})?"
)
"""`1772442309`, `rec_1772442309123`: seconds or milliseconds since 1970, as apps count. Only a name that is nothing else:
one of as many digits behind other words may be a telephone number, and Zoom's `audio1772442309` is a meeting's."""

_SPACED = re.compile(r"\bat (\d\d) ([0-5]\d)(?!\d)")
"""`2026-05-04 at 09 03 GMT-7`: Google Meet writes no mark into the time."""

_BEFORE_UTC = re.compile(r"(?i)(?<![^\W\d_])(?:gmt|utc)[ _-]?$")
_AFTER_UTC = re.compile(r"(?i)(?:z|[ _]?(?:utc|gmt))(?![^\W\d_]|[+-]?\d)")
"""What stands around a time that is no wall time: `GMT20260504-103015` (Zoom), `20260504_103015UTC` (Teams), `103015Z`. One
with an offset, `GMT-7` or `-0400`, is the wall time there."""

_PLAIN = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"), "-") | {
    0xFF1A: ":",
    0xFF0E: ".",
    0xFF3F: "_",
}
"""Marks that look like those of ASCII."""

DAY = "YYYY-MM-DD"
"""A date of which only the day is known."""

EARLIEST = datetime(1990, 1, 1)  # noqa: DTZ001 - a wall time
"""Before this nobody had a digital recorder; the epochs of clocks that were never set lie before it."""

AHEAD = 86_400.0
"""Seconds that a date may lie ahead of the clock: a wall time may be another zone's, FAT keeps local times."""


def date_of(
    from_container: str | None,
    name: str,
    modified_at: Instant,
    arrived_at: Instant,
    zone: tzinfo | None = None,
) -> Date:
    """The one date of a recording that came at `arrived_at`.

    `from_container`: local wall time "YYYY-MM-DDTHH:MM:SS", or a day, from the file's metadata. `zone`: where wall times
    are meant (default: this machine's).
    """
    latest = arrived_at + AHEAD
    said = [(from_container, Dated.CONTAINER), (_in_name(name, zone), Dated.NAME)]
    # A day is a day, and not midnight; who knows the time knows better.
    for text, source in sorted(said, key=lambda date: len(date[0] or "") == len(DAY)):
        at = _instant(text, zone) if text else None
        if text and at is not None and at <= latest:
            return Date(at, text, source)
    text = _local(modified_at, zone)
    if text and modified_at <= latest and _instant(text, zone) is not None:
        return Date(modified_at, text, Dated.FILE)
    return Date(arrived_at, _local(arrived_at, zone), Dated.ARRIVAL)


def _instant(text: str, zone: tzinfo | None) -> Instant | None:
    """The instant of a wall time that is believable, else None."""
    try:
        wall = datetime.fromisoformat(text)
        return Instant(wall.replace(tzinfo=zone).timestamp()) if wall >= EARLIEST else None
    except (OverflowError, ValueError, TypeError, OSError):
        return None


def _local(instant: Instant, zone: tzinfo | None) -> str:
    try:
        return datetime.fromtimestamp(instant, zone).replace(microsecond=0, tzinfo=None).isoformat()
    except (OverflowError, ValueError, OSError):
        return ""


def _in_name(name: str, zone: tzinfo | None) -> str | None:
    """The wall time in a name as ISO 8601, in `zone` if the name says that it is UTC, else as it reads; None without one."""
    plain = unicodedata.normalize("NFC", name).translate(_PLAIN)
    plain = "".join(c if c.isascii() else str(unicodedata.decimal(c, c)) for c in plain)
    own = _CONFLICT.sub("", plain)
    own = _SPACED.sub(r"at \1.\2", _DAY_FIRST.sub(" ", in_figures(own.rpartition(".")[0] or own)))
    for pattern in _IN_NAME:
        found = pattern.search(own)
        if found is None:
            continue
        said = {name: text or "" for name, text in found.groupdict().items()}
        hour = int(said.get("hour") or said.get("whole") or 0)
        half = said.get("half") or said.get("of_whole") or said.get("front")
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half.lower().startswith(_AFTERNOON) else 0)
        year = int(said["year"]) + (2000 if len(said["year"]) == 2 else 0)
        minute, second = int(said.get("minute") or 0), int(said.get("second") or 0)
        try:
            # A wall time as written in the name; its zone is unknown.
            moment = datetime(year, int(said["month"]), int(said["day"]), hour, minute, second)  # noqa: DTZ001
            if not (said.get("hour") or said.get("whole")):
                return moment.isoformat()[: len(DAY)]
            if _BEFORE_UTC.search(own[: found.start()]) or _AFTER_UTC.match(own[found.end() :]):
                moment = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
            return moment.isoformat()
        except (ValueError, OverflowError):
            continue  # 30 February; not a date after all
    return _of_epoch(own, zone)


def _of_epoch(name: str, zone: tzinfo | None) -> str | None:
    found = _EPOCH.fullmatch(name)
    return _local(Instant(float(found["seconds"])), zone) if found else None
