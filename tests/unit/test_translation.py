"""A transcript in English: what is translated, what stands as it was said, and what is no translation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from earmark.domain import Mark, Segment, Transcript
from earmark.messages import Finished, Heard
from earmark.notes.damage import untranslated_as
from earmark.notes.forms import sidecars
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteStyle
from earmark.pipeline.plausible import Amount, Told, implausible_heard
from earmark.retention.rules.quality import covers, failings
from earmark.translation import in_english, is_what_was_said

from tests.unit.test_notes_render import CONTEXT, SUMMARY

SAID = (
    Segment(0.0, 4.0, "Hoy vamos a hablar del contrato.", 0.9, language="es"),
    Segment(4.5, 8.0, "The contract is ready.", 0.9, language="en"),
    Segment(8.5, 12.0, "La factura llega el lunes.", 0.9, language="es"),
)
ENGLISH = (
    Segment(0.0, 4.0, "Today we talk about the contract.", 0.6, language="es"),
    Segment(8.5, 12.0, "The invoice comes on Monday.", 0.4, Mark.LOW_CONFIDENCE, "es"),
)


def transcript(
    english: tuple[Segment, ...] | None = ENGLISH, said: tuple[Segment, ...] = SAID, **facts: Any
) -> Transcript:
    """What a request ends in that was answered like this."""
    finished = Finished(
        job=1, duration=12.0, declared_duration=12.0, language="es", language_probability=0.9, speech_seconds=11.0,
        bad_packets=0, truncated=False, recorded_at=None, **facts,
    )  # fmt: skip
    return finished.transcript("5e" * 32, said, "base", "faster-whisper", english)


def test_in_english_is_the_whole_recording_in_order() -> None:
    assert [s.text for s in in_english(transcript())] == [
        "Today we talk about the contract.", "The contract is ready.", "The invoice comes on Monday.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "english", "same"),
    [
        ("Marque el asterisco para volver a las opciones principales.",
         "Marche el asterisco para bordea las opciones principales.", True),
        ("Der Raum wurde als Halle genutzt.", "Der Raum wurde als Halle genutzt", True),
        ("그는 길 한 옆으로 걸어갔다.", "그는 길 한 옆으로 걸어갔다.", True),
        ("Hans Jakob Christoffel von Grimmelshausen, der abenteuerliche Simplicissimus",
         "Hans Jakob Christoffel von Grimmelshausen, the adventurer of the name of Simplicissimus", False),
        ("Número 1, 2, 3, 4, 5, 6.", "Number 1, 2, 3, 4, 5, 6.", False),
        ("Bernd und Maria", "Bernd and Maria", False),
        ("La entrega llega el lunes.", "The delivery comes on Monday.", False),
        ("La entrega", "", False),
    ],
)  # fmt: skip
def test_what_comes_back_as_it_was_said_is_no_translation(said: str, english: str, same: bool) -> None:
    assert is_what_was_said([said], [english]) is same


@pytest.mark.shows("transcription:translate-not")
def test_that_there_is_no_english_is_said_only_where_there_should_be_some() -> None:
    spanish = tuple(replace(s, mark=Mark.UNTRANSLATED) for s in ENGLISH)
    assert "`earmark models download small`" in untranslated_as(transcript(spanish))[0]
    assert "translated" in " ".join(failings(transcript(spanish))), (
        "the audio is what could still be translated"
    )
    assert "translated" not in " ".join(failings(transcript()))
    assert "`earmark models download base`" in untranslated_as(transcript((), only_english=True))[0]
    for fine in (
        transcript(), transcript(None), transcript((), said=SAID[1:2]), transcript((), said=()),
        transcript((), said=(replace(SAID[0], mark=Mark.OVER_SILENCE),)), transcript((), said=(), only_english=True),
    ):  # fmt: skip
        assert untranslated_as(fine) == []
    assert transcript((), said=(replace(SAID[0], language=""),)).untranslated, "its language was asked for"


@pytest.mark.shows("transcription:translate")
@pytest.mark.parametrize(
    ("dialect", "section"),
    [
        (
            "obsidian",
            "\n\n## In English\n\n"
            "Translated by the speech model base on this device. Compare with what was said before you quote.\n\n"
            "Words in italics with (?) are hardly sure.\n\n"
            "[[standup.m4a#t=0|00:00]] Today we talk about the contract. The contract is ready. "
            "*The invoice comes on Monday.* (?)\n",
        ),
        (
            "logseq",
            "\n- ## In English\n"
            "- Translated by the speech model base on this device. Compare with what was said before you quote.\n"
            "- Words in italics with (?) are hardly sure.\n"
            "- [00:00](standup.m4a#t=0) Today",
        ),
        ("plain", "\n\n## In English\n\nTranslated by"),
    ],
)
def test_the_section_in_english_stands_below_what_was_said(dialect: Any, section: str) -> None:
    style = NoteStyle(dialect)
    alone = render_transcript(transcript(), CONTEXT, style)
    both = render_one_file(SUMMARY, transcript(), CONTEXT, style)
    without_summary = render_one_file(None, transcript(), CONTEXT, style)
    for note in (alone, both, without_summary):
        assert section in note
        assert note.index("La factura") < note.index("In English")
        assert "translated: en\n" in note or "translated:: en\n" in note
        assert "\n\n\n" not in note
    said_only = transcript(None)
    assert "In English" not in render_transcript(said_only, CONTEXT, style)
    assert render_summary(SUMMARY, transcript(), CONTEXT, style) == render_summary(
        SUMMARY, said_only, CONTEXT, style
    )
    nothing = transcript(tuple(replace(s, mark=Mark.UNTRANSLATED) for s in ENGLISH))
    assert "In English" not in render_transcript(nothing, CONTEXT, style)


def test_what_is_not_translated_in_the_middle_is_left_out_and_said() -> None:
    partly = transcript((ENGLISH[0], replace(ENGLISH[1], mark=Mark.UNTRANSLATED)))
    assert "*not translated until 00:12*" in render_transcript(partly, CONTEXT, NoteStyle())
    assert b"invoice" not in dict(sidecars(partly, CONTEXT, ["txt"]))["en.txt"]


@pytest.mark.shows("transcription:translate-files")
def test_the_files_in_english_are_there_only_where_something_was_translated() -> None:
    forms = ["srt", "vtt", "txt", "json"]
    assert [form for form, _ in sidecars(transcript(), CONTEXT, forms)] == [
        "srt",
        "en.srt",
        "vtt",
        "en.vtt",
        "txt",
        "en.txt",
        "json",
    ]
    files, plain = (
        dict(sidecars(transcript(), CONTEXT, forms)),
        dict(sidecars(transcript(None), CONTEXT, forms)),
    )
    assert set(plain) == set(forms)
    assert {form: files[form] for form in ("srt", "vtt", "txt")} == {
        form: plain[form] for form in ("srt", "vtt", "txt")
    }
    assert (
        files["en.txt"]
        == b"Today we talk about the contract. The contract is ready. The invoice comes on Monday.\n"
    )
    assert b"english" not in plain["json"]
    # A page holds both, below each other.
    (page,) = dict(sidecars(transcript(), CONTEXT, ["html"])).values()
    said = [b'<html lang="es"', b"Hoy vamos", b'<h2 lang="en" dir="ltr">In English</h2>', b"Today we"]
    assert [page.index(each) for each in said] == sorted(page.index(each) for each in said)


def test_english_alone_does_not_stand_in_for_the_audio() -> None:
    note = render_transcript(transcript(), CONTEXT, NoteStyle())
    assert covers(note, transcript())
    head, _, english = note.partition("## In English")
    emptied = "\n".join(line for line in head.splitlines() if "Hoy vamos" not in line)
    assert not covers(f"{emptied}\n## In English{english}", transcript())


def test_english_is_bounded_like_what_was_said() -> None:
    def message(*english: Segment, upto: float = 60.0) -> Heard:
        return Heard(
            job=1,
            upto=upto,
            segments=(),
            language="es",
            language_probability=1.0,
            speech_seconds=1.0,
            english=english,
        )

    def told() -> Told:
        return Told(0.0, 1_000_000, english=Amount())

    fine = told()
    assert implausible_heard(message(*ENGLISH), fine, 3600.0) is None
    assert fine.english == Amount(2, sum(len(s.text) for s in ENGLISH))
    assert "nobody asked" in (implausible_heard(message(*ENGLISH), Told(0.0, 1_000_000), 3600.0) or "")
    later, long = replace(ENGLISH[0], end=5e300), replace(ENGLISH[0], text="x" * 29_000)
    assert "at a time" in (implausible_heard(message(later), told(), 3600.0) or "")
    assert "more words" in (implausible_heard(message(long, long, long), told(), 3600.0) or "")
    kept = Told(0.0, 1_000_000, english=Amount(10, 60_000))
    assert "more words" in (implausible_heard(message(long), kept, 3600.0) or ""), "of earlier attempts, too"
