"""Paragraphs of a transcript end where a sentence does, and a note is read back whatever its times stand before."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from earmark.corrections import corrected
from earmark.domain import Mark, Segment, Transcript, is_speech
from earmark.notes import reading, render
from earmark.notes.escape import normalize
from earmark.notes.frontmatter import body_of
from earmark.notes.paragraphs import paragraphs
from earmark.notes.reading import read_transcript
from earmark.notes.render import render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.sentences import has_capitals, sentence_starts
from hypothesis import given
from hypothesis import strategies as st

ABOUT = NoteContext("ab" * 32, "talk.m4a")
PLAIN = NoteStyle(dialect="plain")
TIMED = NoteStyle(times="sentence")


def transcript(*segments: Segment, language: str = "en") -> Transcript:
    end = max(segment.end for segment in segments)
    return Transcript("ab" * 32, segments, language, 1.0, end, end, "m", "e")


def written(of: Transcript, style: NoteStyle = PLAIN) -> list[str]:
    """The paragraphs of a note, without the time with which each begins."""
    lines = body_of(render_transcript(of, ABOUT, style)).splitlines()
    return [re.sub(r"^\[[\d:]+\]\(\S+\) ", "", line) for line in lines if line.startswith(("[0", "[1", "[["))]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith came at 5 p.m. and paid 3.5 percent.", "No. 5 is out, e.g. here.", "No.", "Really?", "J. R. Tolkien."],
        ["Das ist z. B. am 3. Oktober so.", "Dann, d. h. später, usw. und so fort.", "Prof. Dr. Müller kommt."],
        ["„Wirklich?“ sagte er.", "„Ja.“", "Dann ging er."],
        ["Il a dit : « Oui ! »", "Puis M. Dupont est parti."],
        ["¿Qué tal?", "¡Bien!", "La Sra. López llegó."],
        ["你好。", "我们走吧！", "好吗？"],
        ["これは「本当ですか？」と聞いた。", "はい。"],
        ["هل أنت بخير؟", "نعم.", "شكرا."],
        ["यह अच्छा है।", "मैं जाता हूँ।"],
        ["hello there.", "how are you.", "fine."],
    ],
)  # fmt: skip
def test_sentences_end_in_any_script_and_not_at_short_forms_and_numbers(sentences: list[str]) -> None:
    text = ("" if "。" in sentences[-1] or "？" in sentences[-1] else " ").join(sentences)
    edges = [0, *sentence_starts(text, capitals=has_capitals(text)), len(text)]
    assert [text[a:b].strip() for a, b in pairwise(edges)] == sentences


@pytest.mark.shows("transcription:paragraphs")
def test_a_paragraph_runs_on_to_the_end_of_the_sentence_in_which_the_engine_cuts() -> None:
    # As Whisper cuts: at each breath.
    said = "It was late and|we went home. Nobody|was there. Then, after a|while, Dr.|Smith came in. He said"
    pieces = said.split("|")
    spoken = [Segment(n * 10.0, n * 10.0 + 10, text) for n, text in enumerate(pieces)]
    assert written(transcript(*spoken, Segment(50.0, 52.0, "no."))) == [
        "It was late and we went home. Nobody was there. Then, after a while, Dr. Smith came in.",
        "He said no.",
    ]
    # A pause ends a paragraph behind a sentence; in one, as somebody thinks, only a long one does; and so does a turn.
    times = ((0.0, 4.0), (7.0, 9.0), (12.0, 14.0), (20.0, 22.0))
    thinks = (Segment(*at, text) for at, text in zip(times, ("We could", "wait.", "Or", "not."), strict=True))
    assert written(transcript(*thinks)) == ["We could wait.", "Or", "not."]
    turns = (Segment(0.0, 4.0, "I would rather", speaker=1), Segment(4.0, 6.0, "No.", speaker=2))
    talk = replace(transcript(*turns), speakers=("", ""))
    assert body_of(render_transcript(talk, ABOUT, PLAIN)).count("**Speaker") == 2
    # Words that an engine writes without any marks are no paragraph of an hour.
    bare = transcript(*(Segment(n * 10.0, n * 10.0 + 10, "and so on") for n in range(360)))
    assert max(map(len, written(bare))) <= 6 * len("and so on ")
    endless = transcript(Segment(0.0, 5.0, "Well. Yes."), *(Segment(n * 5.0, n * 5.0 + 5, "and so") for n in range(1, 9)),
                         *(Segment(n * 5.0, n * 5.0 + 5, "Yes.") for n in range(9, 11)),
                         *(Segment(n * 5.0, n * 5.0 + 5, "and so") for n in range(11, 60)))  # fmt: skip
    assert max(map(len, written(endless))) <= 25 * len("and so ")


def test_a_sentence_begins_when_its_first_word_is_said() -> None:
    text = "One two. Three."
    known = Segment(0.0, 60.0, text, words=((0.0, 1.0, 0), (1.0, 2.0, 4), (50.0, 51.0, 9)))
    reckoned = replace(known, words=())
    assert [p.at for p in paragraphs([known], 2.0, 1.0)] == [0.0, 50.0]
    assert [p.at for p in paragraphs([reckoned], 2.0, 1.0)] == [0.0, 36.0]


@pytest.mark.shows("transcription:times")
def test_each_sentence_has_a_time_if_somebody_wants_it_and_the_recording_is_there() -> None:
    spoken = transcript(
        Segment(0.0, 10.0, "We meet on Monday. The firm"),
        Segment(10.0, 20.0, "pays. Yes. No."),
        Segment(20.0, 30.0, "Maybe.", mark=Mark.LOW_CONFIDENCE),
    )
    assert body_of(render_transcript(spoken, ABOUT, TIMED)).splitlines()[-1] == (
        "[[talk.m4a#t=0|00:00]] We meet on Monday. [[talk.m4a#t=7|00:07]] The firm pays."
        " [[talk.m4a#t=14|00:14]] Yes. [[talk.m4a#t=17|00:17]] No. [[talk.m4a#t=20|00:20]] *Maybe.* (?)"
    )
    gone = render_transcript(spoken, replace(ABOUT, audio_here=False), TIMED)
    assert body_of(gone).splitlines()[-1] == "00:00 We meet on Monday. The firm pays. Yes. No. *Maybe.* (?)"


_SENTENCE = st.lists(
    st.sampled_from(["We", "meet", "Anna", "at", "3.5", "Dr.", "日本", "ไ", "*x*", "[[a]]", "00:07", "é"]),
    min_size=1, max_size=6,
).map(" ".join)  # fmt: skip
_TEXT = st.lists(
    st.tuples(_SENTENCE, st.sampled_from([". ", "! ", "。", " ", ", ", "... "])), min_size=1, max_size=6
).map(lambda said: "".join(a + b for a, b in said))
_STYLES = [
    NoteStyle(dialect=dialect, times=times)
    for dialect in ("obsidian", "logseq", "plain") for times in ("paragraph", "sentence")
]  # fmt: skip


def _spoken(texts: list[str], marked: list[bool]) -> Transcript:
    marks = [Mark.LOW_CONFIDENCE if each else None for each in marked]
    both = enumerate(zip(texts, marks, strict=True))
    return transcript(*(Segment(n * 20.0, n * 20.0 + 19, text, mark=mark) for n, (text, mark) in both))


@pytest.mark.parametrize("earlier", [False, True], ids=["now", "earlier"])
@given(st.lists(_TEXT, min_size=1, max_size=8), st.sampled_from(_STYLES), st.sampled_from(_STYLES), st.data())
def test_a_note_of_any_times_and_version_says_what_was_said_and_one_word_corrected_in_it_is_all_that_is_new(
    earlier: bool, texts: list[str], style: NoteStyle, now: NoteStyle, data: st.DataObject
) -> None:
    now = replace(now, dialect=style.dialect)
    marked = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    before = _spoken(texts, marked)
    with pytest.MonkeyPatch.context() as patch:
        if earlier:
            style = replace(style, times="paragraph")
            patch.setattr(render, "paragraphs", lambda *a: paragraphs(*a, as_before=True))
        text = render_transcript(before, ABOUT, style)
    found = read_transcript(text, before, now)
    assert found is not None
    made = corrected(before, found.passages, marks=True)
    assert made is not None
    assert (made.transcript, found.restored, found.foreign) == (before, text, False)
    # One word is another one; the person's words are taken, and the note is ours but for these.
    n = data.draw(st.integers(0, text.count("meet") - 1)) if "meet" in text else None
    if n is None:
        return
    parts = text.split("meet")
    theirs = "meet".join(parts[: n + 1]) + "greet" + "meet".join(parts[n + 1 :])
    found = read_transcript(theirs, before, now)
    assert found is not None
    made = corrected(before, found.passages, marks=True)
    assert made is not None
    said = " ".join(normalize(s.text) for s in made.transcript.segments if is_speech(s))
    heard = " ".join(normalize(s.text) for s in before.segments).split("meet")
    assert said == "meet".join(heard[: n + 1]) + "greet" + "meet".join(heard[n + 1 :])
    assert sum(s.heard is not None for s in made.transcript.segments) == 1
    assert found.restored == text
    assert not found.foreign
    # Read again it is no news, and a second correction goes with the first.
    again = read_transcript(theirs, made.transcript, now)
    assert again is not None
    once_more = corrected(made.transcript, again.passages, marks=True)
    assert once_more is not None
    assert once_more.transcript == made.transcript


def test_a_time_that_a_person_put_into_the_text_is_theirs_and_no_word() -> None:
    before = transcript(Segment(0.0, 20.0, "We meet on Monday. Then we go."))
    text = render_transcript(before, ABOUT, TIMED)
    for theirs, foreign in (
        (text.replace("Monday.", "Tuesday. [[talk.m4a#t=900|15:00]]"), True),
        (text.replace(" [[talk.m4a#t=12|00:12]] Then we go.", "").replace("Monday", "Tuesday"), False),
    ):
        found = read_transcript(theirs, before, TIMED)
        assert found is not None
        made = corrected(before, found.passages, marks=True)
        assert made is not None
        assert "15:00" not in made.transcript.text
        assert made.transcript.text.startswith("We meet on Tuesday.")
        assert found.foreign is foreign


def test_a_paragraph_that_begins_within_a_segment_is_corrected_without_its_neighbors() -> None:
    one = "We talk of this and that for a while. " * 3
    before = transcript(Segment(0.0, 90.0, one.strip()), Segment(93.0, 183.0, one.strip()))
    text = render_transcript(before, ABOUT, PLAIN)
    lines = [n for n, line in enumerate(text.splitlines()) if line.startswith("[0")]
    assert len(lines) == 6
    rows = text.splitlines()
    for n in (0, 2, 3, 5):
        rows[lines[n]] = rows[lines[n]].replace("this", f"thing {n}")
    found = reading.read_transcript("\n".join(rows) + "\n", before, PLAIN)
    assert found is not None
    made = corrected(before, found.passages, marks=True)
    assert made is not None
    said = [re.findall("of (.*?) and", s.text) for s in made.transcript.segments]
    assert said == [["thing 0", "this", "thing 2"], ["thing 3", "this", "thing 5"]]
    assert made.words == 8
    assert found.restored == text
