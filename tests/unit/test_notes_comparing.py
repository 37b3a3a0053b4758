"""A note in which somebody named the speakers is told from one that was edited."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import ArtifactState, Instant, Kind, Segment, Summary, Transcript
from earmark.ledger import Artifact
from earmark.notes.comparing import Likeness, digests, likeness
from earmark.notes.name_lists import names_in, why_no_names
from earmark.notes.naming import given
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteContext, NoteStyle

ID = "5e" * 32
TRANSCRIPT = Transcript(
    ID,
    tuple(Segment(i * 9.0, i * 9.0 + 9.0, f"This is turn {i}.", 0.9, speaker=i % 2 + 1) for i in range(4)),
    "en", 0.99, 36.0, 36.0, "base", "faster-whisper", speakers=("", ""),
)  # fmt: skip
SUMMARY = Summary(ID, "extractive", "Release", "They ship.", language="en")
CONTEXT = NoteContext(ID, "talk.m4a", duration=36.0)
STYLE = NoteStyle()
NOTE = render_transcript(TRANSCRIPT, CONTEXT, STYLE)


def like(before: str, after: str, key: str = "speakers") -> Likeness:
    """How `after` compares where `before` was written."""
    known = digests(before, key)
    artifact = Artifact(
        1, ID, Path("/x/talk.m4a"), Kind.TRANSCRIPT, "md", Path("/x/talk.transcript.md"), 1, known.sha256, None,
        known.plain_sha256, known.words_sha256, ArtifactState.HERE, Instant(0.0), "",
    )  # fmt: skip
    return likeness(after.encode(), artifact, key)


@pytest.mark.shows("transcription:names-edited")
def test_a_link_in_the_list_is_the_persons_own_and_is_read_as_a_name() -> None:
    """We would write the name without it."""
    note = render_transcript(TRANSCRIPT, CONTEXT, STYLE)
    linked = note.replace("  - Speaker 2\n", '  - "[[People/Anna|Anna of sales]]"\n')
    assert like(note, linked, "speakers") is Likeness.PROPERTIES
    assert given(names_in(linked, "speakers")) == ("", "Anna of sales")


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("  - Speaker 1: Anna\n  - Speaker 2: Bob\n", ("Anna", "Bob")),
        ("  - Sprecher 2: Bob\n  - Sprecher 1: Anna\n", ("Anna", "Bob")),
        ('  - "Speaker 1: Anna"\n  - Bob\n', ("Anna", "Bob")),
        ("  1: Anna\n  2: Bob\n", ("Anna", "Bob")),
        ("  - Speaker 2: Bob\n  - Bob\n", ("Speaker 2", "Bob")),
        ("  - Anna: boss\n  - 10: 30\n", ("Anna: boss", "10: 30")),
        ("  - @anna\n  - 'Bob'   # of sales\n", ("@anna", "Bob")),
        ("  [*anna, Bob]\n", ("*anna", "Bob")),
        ("\t- Anna\n\t- Bob\n", ("Anna", "Bob")),
        ("  * Anna\n  * Bob\n", ("Anna", "Bob")),
        ("* Anna\n+ Bob\n", ("Anna", "Bob")),
        ("  1. Anna\n  2. Bob\n", ("Anna", "Bob")),
        ("  2) Bob\n  1) Anna\n", ("Anna", "Bob")),
        ("  1. Anna\n  1. Bob\n", ("Anna", "Bob")),
        ("  - 1. Anna\n  - Bob\n", ("Anna", "Bob")),
        ("  - Anna\n  - 2) Bob\n", ("Anna", "Bob")),
        ("  - #Anna\n  - Null\n", ("#Anna", "Null")),
        ("  - null # his name\n  - NULL\n", ("null", "NULL")),
        ("  [Null, ~]\n", ("Null", "~")),
        ("  Anna\n  Bob\n", ()),
        ("  Anna: of sales\n  Bob: his\n", ()),
        ("  - - Anna\n  - Bob\n", ()),
    ],
)
@pytest.mark.shows("transcription:names-written")
def test_names_are_read_however_a_person_writes_the_list(written: str, names: tuple[str, ...]) -> None:
    """Also where it is no YAML, as with a sign of YAML before a name, or is no list."""
    note = NOTE.replace("  - Speaker 1\n  - Speaker 2\n", written)
    assert note != NOTE
    assert names_in(note) == names
    assert names_in(note.replace("speakers:\n", '"speakers":\n').replace("\n", "\r\n")) == names
    assert names_in(note.replace("speakers:\n", "Speakers:\n")) == names


@pytest.mark.shows("transcription:names-written")
@pytest.mark.parametrize(
    ("written", "key", "said"),
    [
        ("speakers:\n  - # Anna\n  - Bob\n", "speakers", '- "# '),
        ("speakers:\n  - Anna\nSpeakers:\n  - Eve\n", "speakers", "speakers and Speakers"),
        ("speakers:\n  - Anna\n", "earmark_speakers", "earmark_speakers"),
        ("Speakers:\n  - Anna\n", "earmark_speakers", "earmark_speakers"),
        ("speakers:\n  Anna\n  Bob\n", "speakers", "one line for each"),
    ],
)
def test_a_list_that_is_not_read_is_said_to_be_none_with_what_would_be_right(
    written: str, key: str, said: str
) -> None:
    note = NOTE.replace("speakers:\n  - Speaker 1\n  - Speaker 2\n", written)
    assert note != NOTE
    assert names_in(note, key) == ()
    assert said in why_no_names(note, key)
    assert not any(name in why_no_names(note, key) for name in ("Bob", "Eve"))


@pytest.mark.parametrize(
    ("style", "before", "after"),
    [
        (STYLE, "  - Speaker 2\n", '  - "Anna: of *sales*"\n'),
        (STYLE, "  - Speaker 2\n", "  -\n"),
        (STYLE, "  - Speaker 1\n  - Speaker 2\n", "  [Speaker 1, Anna]\n"),
        (NoteStyle("plain"), "  - Speaker 2\n", "  - 'Anna'\n"),
        (NoteStyle("logseq"), ", Speaker 2\n", ", Anna\n"),
        (NoteStyle(keys={"speakers": "who"}), "  - Speaker 2\n", "  - Anna\n"),
    ],
)
@pytest.mark.shows("transcription:speakers-named")
def test_a_name_in_the_list_is_no_edit_however_it_is_written(
    style: NoteStyle, before: str, after: str
) -> None:
    key = style.key("speakers")
    for note in (
        render_transcript(TRANSCRIPT, CONTEXT, style),
        render_summary(SUMMARY, TRANSCRIPT, CONTEXT, style),
        render_one_file(SUMMARY, TRANSCRIPT, CONTEXT, style),
    ):
        named = note.replace(before, after)
        assert named != note
        assert like(note, named, key) is Likeness.NAMES
        first, second = given(names_in(named, key))
        assert first == ""
        assert second.startswith("Anna") or after == "  -\n"
        assert (
            like(note, named.replace("[[talk.m4a", "[[call.m4a").replace("(talk.", "(call."), key)
            is Likeness.NAMES
        )
        assert like(note, note.replace("[[talk.m4a", "[[call.m4a").replace("(talk.", "(call."), key) in (
            Likeness.SAME,
            Likeness.LINKS,
        )
        # As it is written once the name is known.
        known = replace(TRANSCRIPT, speakers=given(names_in(named, key)))
        again = render_transcript(known, CONTEXT, style)
        assert given(names_in(again, key)) == known.speakers


@pytest.mark.shows("transcription:speakers-named")
def test_a_number_sign_in_quotes_is_no_comment_and_a_comment_is_a_persons() -> None:
    """Neither "Anna #1" as a name nor "call #2.m4a" as a recording keeps the next name from being taken."""
    notes = [
        render_transcript(replace(TRANSCRIPT, speakers=("", "Bo #1 *x*")), CONTEXT, STYLE),
        render_transcript(replace(TRANSCRIPT, speakers=("", 'O\'Neil, "B" #1')), CONTEXT, STYLE),
        render_transcript(TRANSCRIPT, NoteContext(ID, "call #2.m4a", duration=36.0), STYLE),
    ]
    for note in notes:
        named = re.sub(r"(speakers:\n  - .*\n  - ).*\n", r"\1Anna\n", note)
        assert like(note, named) is Likeness.NAMES
        assert like(note, named.replace("  - Anna\n", "  - Anna  # who chairs\n")) is Likeness.PROPERTIES
        assert like(note, named.replace("language: en", "language: en # or so")) is Likeness.PROPERTIES


def test_a_name_that_is_replaced_throughout_is_no_edit() -> None:
    assert like(NOTE, NOTE.replace("Speaker 2", "Anna Meyer")) is Likeness.NAMES
    both = NOTE.replace("Speaker 1", "Anna").replace("Speaker 2", "Ben")
    assert like(NOTE, both) is Likeness.NAMES
    known = render_transcript(replace(TRANSCRIPT, speakers=("A. *b*", "")), CONTEXT, STYLE)
    assert like(known, known.replace("Speaker 2", "Anna")) is Likeness.NAMES


EDITS: dict[str, Callable[[str], str]] = {
    "one turn": lambda text: text.replace("**Speaker 2** [", "**Speaker 1** [", 1),
    "a name in the text alone": lambda text: text.replace("**Speaker 2**", "**Anna**"),
    "the two exchanged in the text": lambda text: (
        text.replace("**Speaker 1**", "**x**")
        .replace("**Speaker 2**", "**Speaker 1**")
        .replace("**x**", "**Speaker 2**")
    ),
    "a name and a word": lambda text: text.replace("Speaker 2", "Anna").replace("turn 1", "burn 1"),
    "a third speaker": lambda text: text.replace("  - Speaker 2\n", "  - Speaker 2\n  - Ben\n"),
    "a name and a property": lambda text: text.replace("  - Speaker 2\n", "  - Anna\nkeep: true\n"),
    "a name and a comment": lambda text: text.replace("  - Speaker 2\n", "  - Anna # or Annette?\n"),
    "no list any more": lambda text: text.replace("speakers:\n  - Speaker 1\n  - Speaker 2\n", ""),
    "a list of something else": lambda text: text.replace("  - Speaker 2\n", "  - {name: Anna, of: sales}\n"),
    "more than a name": lambda text: text.replace("Speaker 2", "Anna** and **Ben"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_is_changed_beside_the_names_is_an_edit(edit: Any) -> None:
    assert edit(NOTE) != NOTE
    assert like(NOTE, edit(NOTE)) in (Likeness.EDITED, Likeness.PROPERTIES)


def test_a_list_of_speakers_in_a_note_that_had_none_is_an_edit_of_its_properties() -> None:
    alone = render_transcript(replace(TRANSCRIPT, speakers=()), CONTEXT, STYLE)
    assert like(alone, alone.replace("model:", "speakers: [Anna]\nmodel:")) is Likeness.PROPERTIES
    named = alone.replace("[[talk.m4a#t=0|", "**Anna** [[talk.m4a#t=0|")
    assert like(alone, named.replace("model:", "speakers: [Anna]\nmodel:")) is Likeness.EDITED
    known = digests(alone)
    assert (len(known.plain_sha256 or ""), len(known.words_sha256 or "")) == (64, 64)
