"""Where sentences end in a text, in any script. Pure.

Of what is doubtful nothing is said to be an end: two sentences that are taken for one can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from earmark.spacing import between_words

MARKED = 0.1
"""Share of the segments in which a sentence ends under which sentences have no ends."""

_CLOSING = "\"'”’“‘»«›‹)\\]」』】）"
_END = re.compile(
    rf"[.!?…\u203c\u203d\u2047-\u2049\u037e\u0589\u1362]+[{_CLOSING}]*(?:[\u00a0\u202f ]»)?(?=\s|$)"
    rf"|[。！？｡؟۔।॥།။៕។]+[.!?…]*[{_CLOSING}]*"
)
"""Marks that end a sentence, with the quotation marks and brackets behind them. Those of the first line (with the doubled,
Greek, Armenian and Ethiopic ones) do so before a space only, as in 3.5 or a name of a file; in French one may stand before
`»`."""

_SHORT = "|".join(
    (
        "Mr Mrs Ms Mx Jr St Ste Mme Mlle Mgr Sr Sra Srta Sres Dra Dipl Hr Fr Gen Col Capt Lt Sgt Maj Rev Gov Sen Rep Hon "
        "mr mrs dr prof Dr Prof dott Dott sig Sig ing Ing avv Avv mgr hr dhr Dhr mevr Mevr "
        "vs approx bzw ca evtl ggf inkl exkl zzgl vgl sog einschl resp geb bijv enz tzw tzn np dvs osv eks"
    ).split()
)
_ABBREVIATION = re.compile(rf"(?:^|[\s(\[„“\"'«-])(?:{_SHORT}|[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_])\.$")
"""A short form, a single letter (of a name, or as in `z. B.`), several of them (`e.g.`)."""
_BEFORE_NUMBERS = "|".join(
    "No no Nr nr Nos nos Nrn Núm núm Art art Abs Kap kap Ch ch Fig fig Vol vol pp Pg pg Bd Ziff Tel tel Sec sec".split()
)
_HOUR = re.compile(r"(?:^|\s)[ap]\.m\.$", re.IGNORECASE)
"""Behind the hour of a day a sentence may well end."""
_OF_A_NUMBER = re.compile(rf"(?:^|[\s(])(?:{_BEFORE_NUMBERS})\.$")
_ORDINAL = re.compile(r"(?:^|[\s(–-])\d{1,2}\.$")
"""The day of a month, or a number in a list, as many languages write it: `am 3. Oktober`."""

_OPENING = "\"'“‘„‚«»‹›¿¡(\\[「『（"
_NEXT = re.compile(rf"\s*(?P<word>[{_OPENING}]*\s*)(?P<char>\S)?")

_LOOKED_BACK = 24
"""Characters before a full stop among which a short form is looked for; none is as long."""

_CAPITALS = 200
"""Letters of a text of which one is a capital at least, if sentences begin with capitals (in English some four are)."""


def has_capitals(text: str) -> bool:
    """Whether sentences of this text begin with capitals, as far as its script has any."""
    return sum(map(str.isupper, text)) * _CAPITALS >= len(text)


def sentence_starts(text: str, *, capitals: bool = True) -> Iterator[int]:
    """The characters at which another sentence begins, in order; not the first. `capitals`: it begins with one."""
    for found in _END.finditer(text):
        following = _NEXT.match(text, found.end())
        if following is None or not following["char"]:
            return
        start, char = following.start("word"), following["char"]
        apart = start > found.end() or between_words(text, start)
        goes_on = (capitals and char.islower()) or _ORDINAL.search(_up_to_stop(text, found)) is not None
        goes_on = goes_on or (found[0][-1] in "」』" and "ぁ" <= char <= "ゟ")  # "...?" asked somebody
        if apart and not goes_on and not _is_short_form(text, found, char):
            yield start


def is_ended(text: str, following: str = "") -> bool:
    """Whether a text ends as a sentence does where an engine has cut it, which is hardly ever behind the number of a day.
    `following`: what comes behind it.
    """
    text = text.rstrip()
    found = [*_END.finditer(text, max(0, len(text) - _LOOKED_BACK))][-1:]
    if not found or found[0].end() < len(text):
        return False
    char = following.lstrip()[:1]
    trails_off = found[0][0].startswith(("...", "…")) and char.islower()
    return not trails_off and not _is_short_form(text, found[0], char)


def _is_short_form(text: str, found: re.Match[str], following: str) -> bool:
    """Whether a full stop is that of a short form. `following`: the character behind it, or ""."""
    before = _up_to_stop(text, found)
    if _OF_A_NUMBER.search(before) and (following.isdigit() or not following):
        return True
    return _ABBREVIATION.search(before) is not None and _HOUR.search(before) is None


def _up_to_stop(text: str, found: re.Match[str]) -> str:
    """The end of a text that ends with a single full stop; "" of one that ends with other marks."""
    if found[0].rstrip("\"'”’“‘»«›‹)]」』】）") != ".":
        return ""
    stop = found.start() + 1
    return text[max(0, stop - _LOOKED_BACK) : stop]
