"""What earmark wrote into a note is no line of a person's, whatever that person changed there.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.config import Config
from earmark.domain import Mark, Misheard, Segment, Transcript
from earmark.notes.escape import Dialect
from earmark.notes.own_lines import is_own
from earmark.notes.render import render_one_file, render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.pipeline.drafts import notice
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child
from tests.integration.test_corrected_words import NOTE
from tests.integration.test_named_speakers import speak


def told(rig: Rig, *verb: str) -> str:
    done = CliRunner().invoke(app, [*verb], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"})
    return " ".join(done.output.split())


@pytest.mark.shows("transcription:corrected-besides")
def test_a_legend_and_a_time_that_are_left_when_words_were_made_sure_or_taken_out_are_no_lines_of_a_person(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["txt"]}})
    rig.drop("talk.m4a", "mumbled")
    speak(rig)
    note = rig.folder / NOTE
    before = note.read_text()
    assert "Words in italics with (?) were hard to hear." in before
    note.write_text(re.sub(r"\*(Recording[^*]+)\* \(\?\)", r"\1", before))
    for run in (False, True):
        if run:
            assert run_child(rig) == 0
        for verb in (["status"], ["why", str(note)]):
            assert not re.search(r"lines? of yours", said := told(rig, *verb)), (run, said)
    # Whoever takes the words of a turn out leaves who spoke and when.
    note.write_text(re.sub(r"(\]\]) Recording.*$", r"\1 ", note.read_text(), count=1, flags=re.M))
    for run in (False, True, True):
        if run:
            assert run_child(rig) == 0
        assert not re.search(r"lines? of yours", said := told(rig, "why", str(note))), (run, said)
    note.write_text(f"{note.read_text()}\nMine\n")
    assert "1 line of yours is in the note only" in told(rig, "why", str(note))


DIALECTS: tuple[Dialect, ...] = ("obsidian", "plain", "logseq")


def _transcripts() -> list[Transcript]:
    plain = Transcript("a" * 64, (Segment(0.0, 9.0, "Said.", 0.9),), "en", 1.0, 30.0, 9.0, "tiny.en", "e")
    doubted = (
        Segment(0.0, 9.0, "Said.", 0.3, Mark.LOW_CONFIDENCE),
        Segment(9.0, 12.0, "Both.", 0.9, overlapped=True),
        Segment(12.0, 20.0, "", 0.9, Mark.WORDLESS),
    )
    return [
        replace(plain, segments=doubted, speakers_unsure=True, truncated=True, declared_duration=60.0),
        replace(plain, segments=(Segment(0.0, 9.0, "", 0.9, Mark.OVER_SILENCE),), truncated=True),
        replace(plain, parts=3, parts_unheard=1, bytes_unheard=1_234, tracks=3, tracks_unheard=2, loudest=-99.0),
        replace(plain, parts=3, parts_unheard=2, tracks=3, tracks_unheard=1, unreadable_seconds=3.5, loudest=-60.0),
        replace(plain, bad_packets=2, loudest=-99.0, misheard=Misheard.UNCLEAR),
        replace(plain, misheard=Misheard.LANGUAGE),
        replace(plain, misheard=Misheard.LANGUAGE, model="base"),
        replace(plain, untranslated=True, only_english=True),
        replace(plain, untranslated=True, language_probability=0.2, model="large-v3-turbo"),
        replace(plain, language="de", english=doubted[:1], to_english=True, model="base"),
    ]  # fmt: skip


def test_each_line_that_is_written_above_a_transcript_is_known_as_ours() -> None:
    gone = (
        None, "The audio was deleted on 2026-01-02 by the rule audio: keep_for 30d.",
        "The audio went to the system's trash on 2026-01-02 by the rule audio: keep_last [5] & *x*.",
        "talk_1.m4a has held another recording since 2026-01-02; this is the earlier one.",
    )  # fmt: skip
    for transcript, dialect, why, draft in product(_transcripts(), DIALECTS, gone, (False, True)):
        style = NoteStyle(dialect=dialect)
        about = NoteContext(
            "a" * 64,
            "talk.m4a",
            "2026-01-01",
            audio_here=why is None,
            audio_gone=why,
            draft=draft,
            notices=(notice(Config()),) if draft else (),
        )
        for text in (
            render_transcript(transcript, about, style),
            render_one_file(None, transcript, about, style),
        ):
            body = text.partition("\n---\n")[2] if dialect != "logseq" else text.partition("\n\n")[2]
            for line in filter(str.strip, body.split("\n")):
                timed = re.search(r"#t=|^(?:- )?(?:\*\*.*\*\* )?\d\d:\d\d", line)
                player = re.match(r"(?:- )?!?\[", line)
                assert is_own(line) != bool(timed or player), (line, dialect)
    assert not is_own("Words in italics with (?) were hard to hear, he said.")
    assert not is_own("The recording breaks off: the file ends early, after lunch.")
