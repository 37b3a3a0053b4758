"""Numbers as people say them and as models write them down: "twelve thousand" is 12,000."""

from __future__ import annotations

import re

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")

GOES_ON = (
    r"(?:[a-zß-ÿ]|Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)"
)
"""How what stands behind "10." begins where that is no end of a sentence, in German and the languages of the North."""

_ENDING = re.compile(
    rf"(?<=\d)(?:(?:st|nd|rd|th|er|ère|re|e|è?me|de|ste|[ºª°o])\b|\.?[ºª°]|\.(?= {GOES_ON}))"
)
"""What stands behind the digits of "10th", "10e", "10.º" and "10. Mai"."""


def without_endings(text: str) -> str:
    """The text with "10th" as 10."""
    return _ENDING.sub("", text)


def plain(number: str) -> str:
    """A number without grouping: 12,000 and 12.000 are 12000."""
    return re.sub(r"[.,:]", "", number).lstrip("0") or "0"


UNITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
    "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "thirtieth": 30, "twentieth": 20,
    "eins": 1, "ein": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9,
    "zehn": 10, "elf": 11, "zwölf": 12, "zwanzig": 20, "dreißig": 30, "zehnten": 10, "ersten": 1, "zweiten": 2,
    "dritten": 3, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11,
    "douze": 12, "vingt": 20, "trente": 30, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12, "veinte": 20, "treinta": 30, "due": 2, "tre": 3,
    "quattro": 4, "cinque": 5, "sei": 6, "sette": 7, "otto": 8, "nove": 9, "dieci": 10, "venti": 20, "trenta": 30,
    "dois": 2, "duas": 2, "três": 3, "sete": 7, "oito": 8, "dez": 10, "vinte": 20, "trinta": 30, "twee": 2, "drie": 3,
    "vijf": 5, "zes": 6, "zeven": 7, "negen": 9, "tien": 10, "twaalf": 12, "twintig": 20, "dertig": 30,
}  # fmt: skip
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 1_000_000, "hundert": 100, "tausend": 1000, "cent": 100, "cents": 100,
    "mille": 1000, "cien": 100, "mil": 1000, "cento": 100, "mila": 1000, "honderd": 100, "duizend": 1000,
}  # fmt: skip


def numbers_said(text: str) -> frozenset[str]:
    """Every number in a normalised text, in digits: those written so, and number words with what they add up to.

    Generous on purpose: it decides what may stand without a flag, and a compound that this cannot read gets one.
    """
    found = {plain(number) for number in NUMBER.findall(text)}
    # The normalised text has lost its separators: "12,000" has become "12 000".
    found |= {plain(a + b) for a, b in re.findall(r"(?<!\d)(\d{1,3}) (?=(\d{3})(?!\d))", text)}
    total, current, counting = 0, 0, False
    for word in [*text.split(), ""]:
        bare = UNITS.get(word)
        scale = SCALES.get(word)
        if bare is None and scale is None and word.isdigit() and len(word) <= 3:
            bare = int(word)
        if bare is not None:
            if counting:
                found.add(str(total + current))
            current += bare
            found.add(str(bare))
            counting = True
        elif scale is not None:
            current = (current or 1) * scale
            if scale >= 1000:
                total, current = total + current, 0
            counting = True
        elif word not in ("and", "und", "et", "y", "e", "en"):
            if counting:
                found.add(str(total + current))
            total, current, counting = 0, 0, False
    return frozenset(found)


IDIOMATIC = 3
"""Number words below this are part of ordinary speech ("one of them", "second thoughts") and prove nothing."""


def numbers_written(text: str) -> list[str]:
    """The numbers that a statement makes, as it writes them: digits, and number words from `IDIOMATIC` on."""
    words = (word for word in re.findall(r"[^\W\d_]+", text) if UNITS.get(word.lower(), 0) >= IDIOMATIC)
    return [*NUMBER.findall(text), *words]


def value(number: str) -> str:
    """What `numbers_written` found, as digits."""
    bare = UNITS.get(number.lower())
    return plain(number) if bare is None else str(bare)
