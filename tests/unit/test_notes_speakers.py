"""A note says who said what, where that is known, and else looks as it always did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from earmark.domain import Mark, Point, Segment, Summary, Task, Transcript
from earmark.ledger.note_ids import short
from earmark.notes.escape import JOINER
from earmark.notes.frontmatter import body_of, read_frontmatter
from earmark.notes.naming import renamed, words_too
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.retention.rules.quality import covers
from markdown_it import MarkdownIt

ID = "5e" * 32
SEGMENTS = (
    Segment(0.4, 4.2, " Good morning.", 0.9, speaker=1),
    Segment(4.2, 9.0, " We ship on Friday.", 0.9, speaker=1),
    Segment(9.0, 12.0, " Are you sure?", 0.9, speaker=2),
    Segment(12.0, 15.0, " Yes, of course.", 0.9, speaker=2, overlapped=True),
    Segment(15.0, 18.0, " Somebody laughs.", 0.4, Mark.LOW_CONFIDENCE, speaker=0),
    Segment(18.0, 22.0, " you you you you", 0.2, Mark.REPETITION, speaker=2),
    Segment(22.0, 24.0, " I will send it.", 0.4, Mark.LOW_CONFIDENCE, speaker=2, overlapped=True),
)
TRANSCRIPT = Transcript(
    ID, SEGMENTS, "en", 0.99, 24.0, 20.0, "base", "faster-whisper", speakers=("Anna Meyer", "")
)
SUMMARY = Summary(ID, "extractive", "Release", "They ship.", language="en")
CONTEXT = NoteContext(ID, "standup.m4a", duration=24.0)


@pytest.mark.shows("transcription:speakers", "transcription:speakers-list", "transcription:speakers-at-once")
def test_each_turn_is_a_paragraph_that_begins_with_the_speakers_name() -> None:
    assert (
        render_transcript(TRANSCRIPT, CONTEXT, NoteStyle())
        == f"""\
---
type: transcript
recording: "[[standup.m4a]]"
duration: "0:24"
seconds: 24
language: en
speakers:
  - Anna Meyer
  - Speaker 2
model: base
confidence: 0.77
earmark_id: {short(ID)}
---
![[standup.m4a]]

Words in italics with (?) were hard to hear.

During words in italics with (+) somebody else talks as well.

**Anna Meyer** [[standup.m4a#t=0|00:00]] Good morning. We ship on Friday.

**Speaker 2** [[standup.m4a#t=9|00:09]] Are you sure? *Yes, of course.* (+)

[[standup.m4a#t=15|00:15]] *Somebody laughs.* (?)

[[standup.m4a#t=18|00:18]] *the same words over and over until 00:22; left out*

**Speaker 2** [[standup.m4a#t=22|00:22]] *I will send it.* (?) (+)
"""
    )


@pytest.mark.parametrize(
    ("dialect", "listed", "turn"),
    [
        (
            "plain",
            "\nspeakers:\n  - Anna Meyer\n  - Speaker 2\n",
            "\n**Speaker 2** [00:09](standup.m4a#t=9) Are you",
        ),
        (
            "logseq",
            "\nspeakers:: Anna Meyer, Speaker 2\n",
            "\n- **Speaker 2** [00:09](standup.m4a#t=9) Are you",
        ),
    ],
)
def test_other_dialects_name_the_speakers_too_and_so_do_the_other_notes(
    dialect: Any, listed: str, turn: str
) -> None:
    style = NoteStyle(dialect)
    both = render_one_file(SUMMARY, TRANSCRIPT, CONTEXT, style)
    for note in (
        render_transcript(TRANSCRIPT, CONTEXT, style),
        both,
        render_one_file(None, TRANSCRIPT, CONTEXT, style),
    ):
        assert listed in note
        assert turn in note
    assert listed in render_summary(SUMMARY, TRANSCRIPT, CONTEXT, style)
    prefixed = NoteStyle(dialect, key_prefix="em_")
    assert "em_speakers:" in render_summary(SUMMARY, TRANSCRIPT, CONTEXT, prefixed)


def test_where_the_audio_is_gone_the_name_stands_before_the_time_as_well() -> None:
    gone = replace(CONTEXT, audio_gone="The audio was deleted.")
    assert "\n**Anna Meyer** 00:00 Good morning." in render_transcript(TRANSCRIPT, gone, NoteStyle())


def test_a_speaker_without_a_name_has_a_number_in_the_language_of_the_recording() -> None:
    german = replace(TRANSCRIPT, language="de", speakers=("", "\u200b "))
    note = render_transcript(german, CONTEXT, NoteStyle())
    assert (read_frontmatter(note) or {})["speakers"] == ["Sprecher 1", "Sprecher 2"]
    assert "\n**Sprecher 1** [[" in note
    finnish = replace(german, language="fi")
    assert "\n**Speaker 1** [[" in render_transcript(finnish, CONTEXT, NoteStyle())


@pytest.mark.shows("transcription:speakers")
def test_the_section_in_english_names_them_as_well() -> None:
    english = (
        Segment(0.4, 9.0, "Good morning.", speaker=1),
        Segment(9.0, 12.0, "Are you sure?", speaker=2, overlapped=True),
    )
    spoken = replace(TRANSCRIPT, language="de", english=english, to_english=True, speakers=("", ""))
    section = render_transcript(spoken, CONTEXT, NoteStyle()).partition("## In English")[2]
    assert "\n**Sprecher 1** [[standup.m4a#t=0|00:00]] Good morning.\n" in section
    assert "\n**Sprecher 2** [[standup.m4a#t=9|00:09]] *Are you sure?* (+)\n" in section
    assert "(+) somebody" not in section, "it is explained once, above"


@pytest.mark.parametrize("name", ["**", "*x", "x\\", "x!", "[[Secrets]]", "- x", "1. x", "`x`", "#x", "a.b", "(x)",
                                  "TODO", "x\n\n# y", "$x$", "<b>", "x::y", "z" * 500])  # fmt: skip
@pytest.mark.parametrize("dialect", ["obsidian", "plain", "logseq"])
def test_whatever_a_speaker_is_called_stands_in_bold_and_is_nothing_else(name: str, dialect: Any) -> None:
    spoken = replace(TRANSCRIPT, speakers=(name, "Ben"))
    note = render_transcript(spoken, CONTEXT, NoteStyle(dialect))
    parsed = MarkdownIt("gfm-like").parse(body_of(note).replace("[[", "\\[["))
    inlines = [token for token in parsed if token.type == "inline" and "Good morning" in token.content]
    assert len(inlines) == 1
    children = inlines[0].children or []
    kinds = [child.type for child in children if child.type != "text" or child.content]
    assert kinds[:3] == ["strong_open", "text", "strong_close"] or dialect == "logseq"
    bold = children[next(n for n, child in enumerate(children) if child.type == "strong_open") + 1 :]
    text = "".join(child.content for child in bold[: [c.type for c in bold].index("strong_close")])
    shown = text.replace(JOINER, "").replace("\\", "")
    assert shown == " ".join(name.split()).replace("\\", "") or shown.endswith("z…")
    assert "# y" not in note.splitlines()


@pytest.mark.shows("transcription:speakers-unsure")
def test_where_it_is_not_sure_who_says_what_nobody_is_named() -> None:
    unsure = replace(TRANSCRIPT, speakers_unsure=True)
    note = render_transcript(unsure, CONTEXT, NoteStyle())
    assert "\nWho says what is uncertain in this recording, so nobody is named.\n" in note
    assert "**" not in note
    assert "(+)" not in note
    assert "Good morning. We ship on Friday. Are you sure? Yes, of course. *Somebody laughs.* (?)" in note
    for any_note in (note, render_summary(SUMMARY, unsure, CONTEXT, NoteStyle())):
        found = read_frontmatter(any_note) or {}
        assert found["speakers_unsure"] is True
        assert "speakers" not in found


@pytest.mark.shows("transcription:speakers-one")
def test_without_speakers_every_note_is_as_it_always_was() -> None:
    numbered = replace(TRANSCRIPT, speakers=(), english=(replace(SEGMENTS[0], text="Hi."),), to_english=True)
    plain = replace(
        numbered,
        segments=tuple(replace(s, speaker=0, overlapped=False) for s in numbered.segments),
        english=tuple(replace(s, speaker=0) for s in numbered.english),
    )
    dialects: tuple[Any, ...] = ("obsidian", "plain", "logseq")
    for style in map(NoteStyle, dialects):
        note = render_transcript(plain, CONTEXT, style)
        assert render_transcript(numbered, CONTEXT, style) == note
        assert "speaker" not in note.lower()
        assert render_one_file(SUMMARY, numbered, CONTEXT, style) == render_one_file(
            SUMMARY, plain, CONTEXT, style
        )
        assert render_summary(SUMMARY, numbered, CONTEXT, style) == render_summary(
            SUMMARY, plain, CONTEXT, style
        )


def test_a_summary_says_other_names_once_the_speakers_have_them() -> None:
    said = Point("Speaker 1 asks speaker 10, and Ana will see.", 1.0, ("Speaker 1",))
    task = Task("Speaker 2 sends it.", 2.0, "Speaker 2", "Friday")
    by_model = replace(SUMMARY, by="ollama", title="Speaker 1", overview="SPEAKER 2 ships.", key_points=(said,),
                       tasks=(task,), extra={"Quotes": (said,)})  # fmt: skip
    before = ("Speaker 1", "Speaker 2", *(f"Speaker {n}" for n in range(3, 10)), "Speaker 10")
    after = ("Speaker 2", "Anna \\1", *before[2:])
    found = renamed(by_model, before, after)
    assert (found.title, found.overview) == ("Speaker 2", "Anna \\1 ships.")
    other = Point("Speaker 2 asks speaker 10, and Ana will see.", 1.0, ("Speaker 2",))
    assert (found.key_points, found.extra) == ((other,), {"Quotes": (other,)})
    assert found.tasks == (Task("Anna \\1 sends it.", 2.0, "Anna \\1", "Friday"),)
    assert renamed(by_model, before, before) == by_model
    quoted = replace(by_model, by="extractive")
    assert renamed(quoted, before, after) == replace(quoted, tasks=(replace(task, owner="Anna \\1"),))
    assert renamed(by_model, ("Will",), ("Ana",)).key_points == (said,), "a word is no name"
    unclear = words_too(("Ana", "Speaker 1"), "Ask ana. Anaïs, too.")
    assert unclear == {"Ana"}
    owned = replace(by_model, tasks=(replace(task, owner="Ana"),))
    left = replace(by_model, tasks=(replace(task, owner="Bea"),))
    assert renamed(owned, ("Ana",), ("Bea",), unclear) == left, "who is meant elsewhere nobody knows"


def test_a_note_that_a_person_corrected_stands_for_the_recording_with_and_without_names() -> None:
    # Twenty short turns in one breath: without names they are two paragraphs.
    segments = tuple(
        Segment(i * 2.0, i * 2.0 + 2.0, f"this is the turn {i}.", speaker=i % 2 + 1) for i in range(20)
    )
    spoken = replace(TRANSCRIPT, segments=segments)
    before = render_transcript(replace(spoken, speakers=()), CONTEXT, NoteStyle())
    named = body_of(render_transcript(spoken, CONTEXT, NoteStyle()))
    assert covers(body_of(before).replace("turn 3", "burn 3"), spoken)
    assert covers(named.replace("turn 3", "burn 3"), spoken)
    taken_out = "\n".join(line for n, line in enumerate(named.splitlines()) if n % 3)
    assert not covers(taken_out, spoken)
