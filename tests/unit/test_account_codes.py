"""The table of codes as spreadsheets of any country write it, and what is refused because it can mean two things."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from pathlib import Path

import pytest
from earmark.errors import RetentionError
from earmark.export.account import Codes, read_codes
from earmark.files import fold
from hypothesis import given
from hypothesis import strategies as st

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


SHOWN = st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/")
NAMES = st.sampled_from(
    ("<b>x<br>", '=HYPERLINK("mailto:x";"y")', "=1+1;2", "Smith, Anna", "Smith; Bo", '"quoted"', "tab\there", "-1", "@x,y",
     "<a title=\"x;y\">,<a>", "code", "name;code", "'x'")
) | st.text(SHOWN, min_size=1, max_size=12)  # fmt: skip
CODES = st.sampled_from(("P01", "<i>P3</i>", "=1+1", '"P6"', "id", "code", "-7", "Teilnehmer 9")) | st.text(
    SHOWN.filter(lambda c: c not in ",;"), min_size=1, max_size=6
)


@pytest.mark.shows("retention:report-codes")
@given(
    rows=st.lists(
        st.tuples(NAMES, CODES), min_size=1, max_size=6, unique_by=lambda row: fold(unicodedata.normalize("NFC", row[0]))
    ),
    heading=st.sampled_from(((), ("name", "code"), ("Datei", "Teilnehmer-Code"))),
    separator=st.sampled_from(",;\t"),
    quoting=st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
    ends=st.sampled_from(("\n", "\r\n", "\r")),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
)  # fmt: skip
def test_a_table_of_any_names_is_read_as_a_program_wrote_it(
    rows: list[tuple[str, str]],
    heading: tuple[str, ...],
    separator: str,
    quoting: int,
    ends: str,
    encoding: str,
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=ends)  # type: ignore[arg-type]
    writer.writerows([heading] if heading else [])
    writer.writerows([(f"{name}.m4a", code) for name, code in rows])
    codes = read_codes(out.getvalue().encode(encoding), "codes.csv")
    assert len(codes.codes) == len(rows)
    for name, code in rows:
        assert codes.code_of([Path(f"/rec/{name}.m4a")], "0" * 64) == unicodedata.normalize("NFC", code)


@pytest.mark.shows("retention:report-codes")
def test_a_first_line_is_a_heading_and_no_other_is() -> None:
    assert table("Datei;Code\na;ID\nb;code\n").codes == {"a": "ID", "b": "code"}
    assert table("a.wav,id\n").codes == {"a.wav": "id"}
    assert table('a.wav, "P,1"\n').codes == {"a.wav": "P,1"}


@pytest.mark.shows("retention:report-code-is-name")
def test_a_code_that_says_the_name_is_found_however_it_is_written() -> None:
    text = "Anna Bo.m4a,anna-bo\nward/Cy.m4a,P2\nDee,DEE\nBo.m4a,P-bo\nEmil K.m4a,X_emil_k_1\nP07.m4a,P07\n"
    assert table(text).telling(["m4a"]) == [1, 3, 5, 6]
    assert table("Anna.m4a,Ben\nP.m4a,P2\n").telling(["m4a"], [Path("/x/Ben.wav")]) == [1]
    # That of another entry, whole or within, though no recording of it is known any more.
    assert table("Anna.m4a,Ben\nBen.m4a,P2\n").telling(["m4a"]) == [1]
    assert table("Anna Bo.m4a,P1\nx/Cy.wav,with_anna-bo_2\nDora.m4a,P3\n").telling(["m4a", "wav"]) == [2]
    assert table("Anna Bo.m4a,anna\nBen.m4a,P3\nP07_monday.m4a,P07\n").telling(["m4a"]) == [1]
    assert table("Bo.m4a,P-bo-1\nA1.m4a,PA12\n").telling(["m4a"]) == []


@pytest.mark.shows("retention:report-headings")
@pytest.mark.parametrize(
    ("heading", "other_way"),
    [
        ("name;code", False), ("code;name", True), ("Teilnehmer-Code;Datei", True), ("Participant;File name", True),
        ("Código;Archivo", True), ("Nome del file;Codice", False), ("Codice;Nome del file", True), ("ID;Dateiname", True),
        ("Nom du fichier;Code du participant", False), ("Pseudonyme;Nom", True), ("Pseudoniem;Bestand", True),
        ("Código do participante;Gravação", True), ("Opname;Deelnemer", False), ("Participant name;Participant code", False),
        ("Pseudonym;Wer", True), ("Interview;Kürzel", False), ("participant;code", False), ("CODE ; NAME", True),
    ],
)  # fmt: skip
def test_headings_say_which_column_is_which_in_all_languages_of_notes(heading: str, other_way: bool) -> None:
    rows = [("Anna", "P1"), ("Ben", "P2")]
    lines = [heading, *(f"{code};{name}" if other_way else f"{name};{code}" for name, code in rows)]
    assert table("\n".join(lines)).codes == {"anna": "P1", "ben": "P2"}


@pytest.mark.shows("retention:report-headings")
@pytest.mark.parametrize("heading", ["file,name", "Datei,Name", "Aufnahme,Name der Datei"])
def test_headings_of_which_none_is_of_codes_are_refused(heading: str) -> None:
    with pytest.raises(RetentionError, match="both columns hold names; write code over the"):
        table(f"{heading}\na.wav,Anna\n")


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
