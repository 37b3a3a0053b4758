"""A transcript as a page of HTML and as a document for Word: what was said is text there, whatever it is."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from earmark.domain import Mark, Segment, Transcript
from earmark.notes.forms import written
from earmark.notes.style import NoteContext

ABOUT = NoteContext("ab" * 32, 'Anna\'s "talk" <b>.m4a', "2026-03-02T09:30:00", duration=63.0)
HOSTILE = 'Good <script src="http://x.invalid/a.js">alert(1)</script> & "so" ]]> \x00\x08\ufffe\ud800 on.'
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def spoken(language: str = "en") -> Transcript:
    segments = (
        Segment(0.0, 4.0, HOSTILE, speaker=1),
        Segment(4.0, 6.0, "Mumbled.", mark=Mark.LOW_CONFIDENCE, speaker=2, overlapped=True),
        Segment(62.0, 63.0, "Yes.", speaker=1),
        Segment(70.0, 80.0, "you you", mark=Mark.REPETITION),
    )
    found = Transcript("ab" * 32, segments, language, 1.0, 63.0, 63.0, "base", "e")
    return replace(found, speakers=("<i>Anna</i>", ""))


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.shows("transcription:html")
def test_a_page_of_html_holds_text_only_and_needs_nothing_else() -> None:
    page = Page(written(spoken(), ABOUT, "html").decode())
    assert page.open == []
    known = set("html head meta title style body h1 h2 dl dt dd p strong time i em".split())
    assert {tag for tag, _ in page.tags} == known
    # No attribute leads anywhere or does anything.
    allowed = {"lang", "dir", "datetime", "charset", "name", "content", "http-equiv"}
    assert {name for _, attrs in page.tags for name in attrs} == allowed
    assert ("html", {"lang": "en", "dir": "ltr"}) in page.tags
    assert ("time", {"datetime": "PT62S"}) in page.tags
    for said in ("Anna's \"talk\" <b>", "2026-03-02 09:30:00", "1:03", "<i>Anna</i>", "Speaker 2", "01:02",
                 "Mumbled. (?) (+)", "<script src=", "the same words over and over"):  # fmt: skip
        assert said in page.text
    for language in ("ar", "he"):
        assert ("html", {"lang": language, "dir": "rtl"}) in Page(
            written(spoken(language), ABOUT, "html").decode()
        ).tags


@pytest.mark.shows("transcription:docx")
def test_a_document_for_word_is_a_sound_package_with_headings_names_times_title_and_language() -> None:
    data = written(spoken(), ABOUT, "docx")
    assert data == written(spoken(), ABOUT, "docx")
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        parts = {name: ElementTree.fromstring(package.read(name)) for name in package.namelist()}
    types = {each.get("PartName") for each in parts["[Content_Types].xml"]} - {None}
    assert types == {"/word/document.xml", "/word/styles.xml", "/docProps/core.xml"}
    for rels in (name for name in parts if name.endswith(".rels")):
        folder = rels.replace("_rels/", "").rpartition("/")[0]
        assert all(f"{folder}/{each.get('Target')}".lstrip("/") in parts for each in parts[rels])
        assert all(each.get("TargetMode") is None for each in parts[rels]), "nothing outside"
    assert [each.text for each in parts["docProps/core.xml"]] == ['Anna\'s "talk" <b>', "earmark", "en"]
    styles = {style.get(f"{W}styleId") for style in parts["word/styles.xml"].iter(f"{W}style")}
    paragraphs = [*parts["word/document.xml"].iter(f"{W}p")]
    styled = {
        style.get(f"{W}val"): "".join(p.itertext()) for p in paragraphs for style in p.iter(f"{W}pStyle")
    }
    assert styled == {"Title": 'Anna\'s "talk" <b>', "Heading1": "Transcript"}
    assert styled.keys() <= styles
    said = ["".join(p.itertext()) for p in paragraphs]
    assert said[-2] == "<i>Anna</i> 01:02 Yes."
    bold = ["".join(r.itertext()) for r in paragraphs[-2].iter(f"{W}r") if r.find(f"{W}rPr/{W}b") is not None]
    assert bold == ["<i>Anna</i> "]
    assert any(re.fullmatch(r"<i>Anna</i> 00:00 Good <script .*\ufffd on\.", each) for each in said)
    with zipfile.ZipFile(io.BytesIO(written(spoken("he"), ABOUT, "docx"))) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))
    assert body.find(f".//{W}p/{W}pPr/{W}bidi") is not None
    assert body.find(f".//{W}r/{W}rPr/{W}rtl") is not None


@pytest.mark.shows("transcription:json-words")
def test_json_has_the_words_with_their_times_where_these_were_measured_and_only_there() -> None:
    measured = Segment(0.0, 2.0, "Good day, Anna.", words=((0.0, 0.5, 0), (0.5, 1.0, 5), (1.5, 2.0, 10)))
    segments = (measured, Segment(2.0, 3.0, "Yes."), replace(measured, heard="Good day, Hannah."))
    document = json.loads(written(replace(spoken(), segments=segments), ABOUT, "json"))
    assert [segment.get("words") for segment in document["segments"]] == [
        [
            {"start": 0.0, "end": 0.5, "text": "Good"},
            {"start": 0.5, "end": 1.0, "text": "day,"},
            {"start": 1.5, "end": 2.0, "text": "Anna."},
        ],
        None,
        None,
    ]
