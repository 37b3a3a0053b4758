"""The table of codes as spreadsheets of any country write it, and what is refused because it can mean two things."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from earmark.errors import RetentionError
from earmark.export.account import Codes, read_codes

MULLER = "Müller, Anna.m4a"
ANYWHERE = Path("/rec/ward/Müller, Anna.m4a")


def table(text: str, encoding: str = "utf-8") -> Codes:
    return read_codes(text.encode(encoding), "codes.csv")


@pytest.mark.shows("retention:report-codes")
@pytest.mark.parametrize(
    "data",
    [
        f'"{MULLER}",P1\n'.encode(),
        f"{MULLER};P1\r\n".encode("utf-8-sig"),
        f"Datei;Teilnehmer-Code\r\n{MULLER};P1;;\r\n;;\r\n".encode("cp1252"),
        f"sep=;\r\n{MULLER};P1\r\n".encode(),
        codecs.BOM_UTF16_LE + f"{MULLER}\tP1\r\n".encode("utf-16-le"),
        f"file\tcode\n{MULLER}\tP1".encode(),
        f"\n  ./{MULLER} ; P1 \n\n{MULLER};P1\n".encode(),
        f"{MULLER};P1\n".replace("ü", "u\u0308").encode(),
        f"{MULLER.upper()};P1\n".encode(),
        b"ward/M\xc3\xbcller, Anna;P1\n",
        b"/rec/ward/M\xc3\xbcller, Anna.m4a;P1\n",
    ],
)
def test_a_table_is_read_as_a_spreadsheet_of_any_country_writes_it(data: bytes) -> None:
    codes = read_codes(data, "codes.csv")
    assert codes.code_of([ANYWHERE], "0" * 64) == "P1"
    assert codes.code_of([Path("/rec/ward/Schmidt.m4a")], "0" * 64) is None
    assert codes.unused() == 0


@pytest.mark.shows("retention:report-codes")
def test_the_longest_name_that_fits_decides_and_a_hash_before_any_name() -> None:
    codes = table(f"a,P1\na.wav,P2\nmonday/a.wav,P3\n{'f' * 64},P4\n")
    assert codes.code_of([Path("/x/monday/a.wav")], "0" * 64) == "P3"
    assert codes.code_of([Path("/x/sunday/a.wav")], "0" * 64) == "P2"
    assert codes.code_of([Path("/x/sunday/a.mp3")], "0" * 64) == "P1"
    assert codes.code_of([Path("/x/monday/a.wav")], "f" * 64) == "P4"
    assert codes.code_of([Path("/x/ba.wav"), Path("/x/a")], "0" * 64) == "P1"


@pytest.mark.shows("retention:report-codes")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it has no entry"),
        ("name,code\n", "it has no entry"),
        ("a.wav\n", "line 1: each line is a name and a code"),
        ("a.wav,P1\nb.wav\nc.wav,P3\n", "line 2: each line is a name and a code"),
        ("Smith, Anna.wav,P1\nb.wav,P2\n", "line 1: each line is a name and a code"),
        ("a;b.wav,P1\nc,d.wav;P2\n", "can be read in two ways, with ',' and with ';'"),
        ("a.wav,P1,extra\n", "line 1: each line is a name and a code"),
        ('"a.wav,P1\n', "a quote in it is not closed"),
        ("a.wav,\n", "there is no code after the name"),
        (",P1\n", "there is no name before the code"),
        ('a.wav,"P\n1"\n', "it holds something that cannot be seen"),
        ("a.wav,P1\nA.WAV,P2\n", "line 2: another code than in line 1"),
        (f"a.wav,{'P' * 101}\n", "longer than 100 characters"),
        ("a.wav,P1\0\n", "it is no text in UTF-8"),
    ],
)
def test_what_can_be_understood_in_two_ways_is_refused(text: str, says: str) -> None:
    with pytest.raises(RetentionError, match=r"^codes\.csv: ") as refused:
        table(text)
    assert says in str(refused.value)
