"""Frontmatter is flat, quoted whatever it holds, and read from any note however it was written."""

from __future__ import annotations

import io
import re

import pytest
from earmark.notes.escape import JOINER, normalize
from earmark.notes.frontmatter import (
    FileName,
    Link,
    LocalTime,
    Value,
    body_of,
    decoded,
    frontmatter,
    read_frontmatter,
    recording_of,
    tags_of,
    well_formed,
)
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.notes.style import NoteStyle
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

KEYS = keep_keys()

HOSTILE_NAMES = [
    "a #b.m4a", "<% tp.file %> [[y]].wav", "{{z}} :: \u202e.m4a", 'q"uo\\te  two.m4a', "line\nbreak.wav", "no",
    "a\u2060b.m4a", "[x](y) %%z%% <b>.m4a", "e\u0301.m4a", "\udcff.wav", "\uf8ff#x", "![x]", "\\#b", "\U000e0041.wav",
]  # fmt: skip

YAML_1_1 = YAML(typ="safe", pure=True)
YAML_1_1.version = (1, 1)


def test_a_frontmatter_block_reads_as_somebody_would_type_it() -> None:
    fields: dict[str, Value | None] = {
        "type": "transcript",
        "recording": Link("[[standup.m4a]]"),
        "recorded": LocalTime("2026-03-05T09:30:00"),
        "duration": "0:32",
        "seconds": 32,
        "confidence": 0.87,
        "language": "no",
        "truncated": True,
        "model": None,
        "tags": ["meeting", "q3"],
        "people": [],
    }
    assert (
        frontmatter(fields, NoteStyle())
        == """\
---
type: transcript
recording: "[[standup.m4a]]"
recorded: 2026-03-05T09:30:00
duration: "0:32"
seconds: 32
confidence: 0.87
language: "no"
truncated: true
tags:
  - meeting
  - q3
---
"""
    )


def test_logseq_gets_properties_instead() -> None:
    block = frontmatter(
        {"type": "summary", "truncated": True, "tags": ["a", "b"]}, NoteStyle(dialect="logseq")
    )
    assert block == "type:: summary\ntruncated:: true\ntags:: a, b\n\n"
    assert read_frontmatter(block + "- text") == {"type": "summary", "truncated": True, "tags": "a, b"}
    assert body_of(block + "- text") == "\n- text"


def test_keys_can_be_prefixed_and_renamed_but_obsidians_own_and_our_id_stay() -> None:
    style = NoteStyle(key_prefix="em_", keys={"recorded": "date"})
    found = read_frontmatter(
        frontmatter({"type": "x", "recorded": "y", "tags": ["t"], "earmark_id": "z"}, style)
    )
    assert found == {"em_type": "x", "date": "y", "tags": ["t"], "earmark_id": "z"}


@pytest.mark.parametrize("value", [
    "yes", "No", "on", "null", "~", "1e3", "0x1F", "1_000", "12:30", "2026-03-05", "- x", "? x", "a: b", "# c", "*a", "&a",
    "!t", "|", ">", "%x", "@x", "`x`", "{a: b}", "[a]", "'", '"', "\\", "", " x ", "a #b", "---", "...", "<<", "=",
    "key: [unclosed",
])  # fmt: skip
def test_a_text_stays_that_text_for_old_and_new_yaml_readers(value: str) -> None:
    block = frontmatter({"key": value}, NoteStyle())
    inner = block.removeprefix("---\n").removesuffix("---\n")
    for yaml in (YAML(typ="safe", pure=True), YAML_1_1):
        found = yaml.load(io.StringIO(inner))["key"]
        assert isinstance(found, str)
        assert found.replace(JOINER, "") == normalize(value)


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1) | st.sampled_from(HOSTILE_NAMES))
def test_the_name_of_a_file_is_that_name_whatever_is_in_it_and_nothing_that_other_programs_look_for(
    name: str,
) -> None:
    block = frontmatter({"recording": FileName(name)}, NoteStyle())
    as_text = re.sub("[\ud800-\udfff]", "\ufffd", name)
    for yaml in (YAML(typ="safe", pure=True), YAML_1_1):
        assert yaml.load(io.StringIO(block.removeprefix("---\n").removesuffix("---\n"))) == {
            "recording": as_text
        }
    assert not re.search(r"\[\[|<%|\{\{|%%|::|\]\(|!\[|#\w|[\u202a-\u202e\u2060-\u2069\u200b-\u200f]", block)
    assert block.count("\n") == 3


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.text() | st.lists(st.text(), min_size=1, max_size=3), min_size=1
    )
)
def test_whatever_a_value_is_it_comes_back_and_stays_in_its_place(fields: dict[str, str | list[str]]) -> None:
    block = frontmatter(fields, NoteStyle())
    expected = {
        k: normalize(v) if isinstance(v, str) else [normalize(x) for x in v] for k, v in fields.items()
    }
    found = read_frontmatter(block + "body\n")
    assert found is not None
    shown = {
        k: v.replace(JOINER, "") if isinstance(v, str) else [x.replace(JOINER, "") for x in v]
        for k, v in found.items()
    }
    assert shown == expected
    assert body_of(block + "body\n") == "body\n"


def test_a_star_in_a_name_takes_no_tag_from_a_note() -> None:
    block = frontmatter({"recording": "call *1.m4a", "tags": ["private"]}, NoteStyle())
    assert tags_of(read_frontmatter(block) or {}) == ("private",)


def test_a_value_from_outside_cannot_become_a_link_property_or_a_template() -> None:
    block = frontmatter({"model": "[[Secrets]]", "people": ["<% tp.x %>", "[[Bob]]"]}, NoteStyle())
    assert "[[" not in block
    assert "<%" not in block


@pytest.mark.parametrize(
    ("note", "properties", "body"),
    [
        ("no frontmatter\n---\nkeep: true\n---\n", None, "no frontmatter\n---\nkeep: true\n---\n"),
        ("---\nkeep: true\n---\nhello", {"keep": True}, "hello"),
        ("\ufeff---\r\nkeep: true\r\n---\r\nhello", {"keep": True}, "hello"),
        ("---\n---\nhello", {}, "hello"),
        ("---\n- a\n- b\n---\n", {}, ""),
        ("---\nkeep: true\n...\nx", {"keep": True}, "x"),
        ("---\nnever closed: true\n", None, "---\nnever closed: true\n"),
        ("---\nkeep: true\nbroken: [\n---\nx", {"keep": True, "broken": "["}, "x"),
        ("---\na: 1\na: 2\n---\n", {"a": 1}, ""),
        ("---\nwhen: 2026-99-99\nkeep: 'yes'\n---\n", {"when": "2026-99-99", "keep": "yes"}, ""),
        ("", None, ""),
    ],
)
def test_any_note_can_be_read(note: str, properties: dict[str, object] | None, body: str) -> None:
    assert read_frontmatter(note) == properties
    assert body_of(note) == body


def test_what_somebody_does_with_the_properties_of_a_note_is_in_nobody_elses() -> None:
    note = "---\ntags: [a]\nmore: {b: [c]}\n---\nText\n"
    for read in (read_frontmatter, well_formed):
        first = read(note)
        assert first is not None
        first["tags"].append("mine")
        first["more"]["b"].clear()
        assert read(note) == {"tags": ["a"], "more": {"b": ["c"]}}


def test_properties_that_say_something_twice_are_read_by_one_and_not_by_the_other() -> None:
    note = "---\nkeep: true\nkeep: false\n---\nText\n"
    for _ in range(2):
        assert read_frontmatter(note) == {"keep": True}
        assert well_formed(note) is None


@given(st.text(st.characters(codec="utf-8")))
def test_no_frontmatter_makes_the_reader_fall_over(inner: str) -> None:
    found = read_frontmatter(f"---\n{inner}\n---\nbody")
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize(
    "line",
    [
        "keep: true", "keep: yes", 'keep: "True"', "Keep: on", "keep: 1", "keep: True # mine", "keep:true", "keep: y",
        '"keep": true', "  keep: true", "keep: [true]", "keep:\n  - true", "keep:\n  true", "keep: please", "keep: x",
        "flags:\n  keep: true", "KEEP: TRUE", "- keep: true", "keep :true", "keep:: true", "tags: [a\nkeep: true",
        "\tkeep: true", "{{title}}\nkeep:", "title: [\n[keep: yes", "keep: true\r", "keep: false\nKeep: true",
    ],
)  # fmt: skip
def test_a_note_can_ask_to_be_kept(line: str) -> None:
    assert asks_to_keep(f"---\n{line}\n---\n", KEYS)


NOT_ASKING = (
    "keep: false", "keep: no", "keep:", "keeper: true", "title: keep", "keep: 'no'", "keep: [false]", "keep: 0",
    "keep: off # for now", "title: a: b\nkeep: false", "keep: “no”", "“keep”: ‘false’", "a: b: c, keep: no",
    "title: I say {keep it}: always", "title: keep, or not: both",
)  # fmt: skip


@pytest.mark.parametrize("line", NOT_ASKING)
def test_a_note_that_does_not_ask_is_not_kept(line: str) -> None:
    assert not asks_to_keep(f"---\n{line}\n---\nkeep: true\n", KEYS)


def test_a_hold_counts_even_where_the_yaml_is_broken_or_the_key_renamed() -> None:
    assert asks_to_keep("---\ntitle: a: b: c\nkeep: true\n---\n", KEYS)
    assert asks_to_keep("---\nem_keep: true\n---\n", keep_keys(NoteStyle(key_prefix="em_")))
    assert asks_to_keep("---\nbehalten: true\n---\n", keep_keys(NoteStyle(keys={"keep": "behalten"})))
    assert asks_to_keep("keep:: true\n\n- text", KEYS)


@pytest.mark.parametrize(
    "note",
    [
        "\n---\nkeep: true\n---\nx", "\r\n \n---\nkeep: true\n---\nx", "\u200b---\nkeep: true\n---\nx",
        "+++\nkeep = true\n+++\nx", "+++\nother = 1\n\n[earmark]\nkeep = true\n+++\nx", "+++\nkeep = true\nx",
        '{"keep": true}\n\nx', '{\n  "earmark": {"keep": true}\n}\n\nx', '---json\n{"keep": true}\n---\nx',
        '{"keep": true\n\nx',
        "---\nearmark: {keep: true}\n---\nx", "---\na:\n  - b:\n      keep: yes\n---\nx", "---\n? keep\n: true\n---\nx",
        "---\ntitle: a\n\nkeep: true\n", "---\ntitle: a\n# comment\nkeep: true\n", "---\nkeep: true\nand no end",
        "---\nkeep=true\n---\nx", "---\nkeep\u00a0: true\n---\nx", "---\nkeep:\u00a0true\n---\nx",
        "---\nｋｅｅｐ： true\n---\nx",
        "---\nearmark-keep: true\n---\nx", "---\nearmark_keep: yes\n---\nx",
        "title:: a\n\nkeep:: true\n", "# Title\nkeep:: true\n", "- said\n\t- more\n\t  keep:: yes\n",
        "Words [keep:: true] here.",
        "---\ntitle: a\n---\nWords (keep:: yes) here.", "tags:: a\n\tkeep:: true\n\nx",
        "# My title\n---\nearmark_id: x\nkeep: true\n---\nx", "# My title\n\n---\nkeep: true\n---\nx",
        "---\nid: x\n---\n---\nkeep: true\n---\nx", "Words\n**keep**:: true.",
        "*keep*:: yes", "keep :: true\n\nx", "- `keep`:: true",
        "---\nearmark.keep: true\n---\nx",
        "---\ntitle: a: b\n  [keep: yes\n---\n",
        "---\n“keep”: true\n---\nx", "---\n“keep”: true\ntitle: a: b\n---\nx", "---\n‘keep’: ‘yes’\n---\nx",
        "---\n`keep`: true\n---\nx", "---\nke\u00adep: true\n---\nx", "---\n\u200fkeep\u200e: true\n---\nx",
        "---\n{earmark_id: x, keep: true\n---\nx", '{"earmark_id": "x", "keep": true,\n "a": }\n\nx',
        "---\na: &b {keep: true}\n<<: *b\n---\nx", "---\na: b: c; keep: true\n---\nx", "---\na: b\n---\n> keep:: true\n",
        '+++\nearmark = { id = "x", keep = true }\n+++\nx', '+++\na =\nearmark = { id = "x", keep = true }\n+++\nx',
        "---\naliases:\n" + "".join(f"  - a name {n}\n" for n in range(6000)) + "keep: true\n---\nx",
    ],
)  # fmt: skip
def test_a_note_asks_to_be_kept_in_whatever_way_a_notes_app_writes_properties(note: str) -> None:
    assert asks_to_keep(note, KEYS)


@pytest.mark.parametrize(
    "note",
    [
        "", "x", "---\ntitle: a\n---\nkeep: true\n", "+++\nkeep = false\n+++\nkeep = true", '{"keep": false}\n\nx',
        "title:: a\n\n- We keep: all of it\n", "keep:: no\n\n- x", "---\nearmark: {keep: false}\n---\n",
        "# Title\n\nkeep going\n",
        '---\nkeep: ""\n---\n', "---\nkeep: null\n---\n", "---\nkeep: ~\n---\n", "---\nkeep: []\n---\n",
        "---\nkeep: none\n---\n",
        "---\ntitle: Keep going: part 2\n---\n", "---\ndescription: |\n  Keep: the tent\n---\n", "foo::keep::bar",
        "So I say keep:: it",
        "---\ntitle: a\n---\nRetro\n\n---\nKeep: daily standups\nTry: less\n---\n", "---\na: &a [*a]\n---\n",
        "---\na: &a [x]\nb: [*a, *a]\nc: no\n---\n", "---\nname: a" + " " * 40_000 + "b\n---\n",
        "---\n" + " " * 40_000 + "x\n---\n", "[" * 40_000, "[[" * 20_000,
        "x" * 200_000,
        "We keep what we have.\n\nkeep: true\n", "---\ntitle: a\n\nWe keep: what\n",
    ],
)  # fmt: skip
def test_what_was_said_in_a_note_is_no_request(note: str) -> None:
    assert not asks_to_keep(note, KEYS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_note_is_read_in_the_encoding_that_an_editor_saved_it_in(encoding: str) -> None:
    text = "---\nkeep: true\ntitle: Müller\n---\n" + "ä" * 100
    assert decoded(text.encode(encoding)).removeprefix("\ufeff") == text


def test_no_bytes_at_all_break_the_reading_of_a_note() -> None:
    for data in (b"", b"\0", b"\xff\xfe", b"\xff\xfe\0", b"\xff\xfe\0\0a", b"\xfe\xff\xd8", b"\xed\xa0\x80"):
        assert isinstance(decoded(data), str)


def test_a_note_knows_its_recording() -> None:
    sha = "ab" * 32
    assert recording_of(frontmatter({"earmark_id": sha}, NoteStyle())) == sha
    assert recording_of(frontmatter({"earmark_id": "1" * 64}, NoteStyle())) == "1" * 64
    assert recording_of(f"earmark_id:: {sha}\n\n- x") == sha
    assert recording_of("---\nearmark_id: nonsense\n---\n") is None


def test_a_date_must_be_a_date() -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        LocalTime("yesterday")
