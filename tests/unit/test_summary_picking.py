"""Which sentences a summary without a model picks, in any language, and how it shows them."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from earmark.domain import Segment, Summary, Transcript
from earmark.notes.render import render_summary
from earmark.notes.style import NoteContext, NoteStyle
from earmark.summarization.evidence import Evidence
from earmark.summarization.extractive import extract
from earmark.summarization.sentences import sentences_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spoken import transcript

BRIDGE = (
    "The harbour bridge needs new steel cables before the winter.",
    "The engineers inspected the steel cables of the harbour bridge twice.",
    "Traffic takes a detour through the market while the bridge is closed.",
    "The contractor wants forty thousand euros for the steel cables.",
    "The concrete pillars of the harbour bridge are older than the cables.",
)
SCHOOL = (
    "The school library opens on Mondays and closes on Thursdays.",
    "The teachers moved the reading lesson into the school library.",
    "Parents paid for the kitchen beside the school library.",
    "The timetable of the school bus does not fit the reading lesson.",
    "The evening concert of the school takes place in the library.",
)
CHATTER = (
    "Yeah, okay.", "I think you know what I mean.", "That's what it is, there.", "You and I, we'll see about it.",
    "Oh, I like that, don't you?",
)  # fmt: skip


def minutes(count: int, *said: tuple[str, ...]) -> Transcript:
    """So many minutes for each of these, five seconds a sentence, every second one chatter; the same at every call."""
    dice = random.Random(1)
    texts = [dice.choice(CHATTER if i % 2 else topic) for topic in said for i in range(12 * count)]
    segments = tuple(Segment(i * 5.0, i * 5.0 + 4.5, text) for i, text in enumerate(texts))
    return replace(transcript("x"), segments=segments, duration=5.0 * len(texts))


def words(summary: Summary) -> int:
    return len(" ".join((summary.overview, *(point.text for point in summary.key_points))).split())


@pytest.mark.shows("summaries:counting")
def test_what_is_picked_speaks_of_what_comes_back_and_not_of_you_and_me() -> None:
    summary = extract(minutes(10, BRIDGE, SCHOOL))
    lines = [summary.overview, *(point.text for point in summary.key_points)]
    assert not [line for line in lines if any(chatter in line for chatter in CHATTER)]
    assert any("bridge" in line for line in lines)
    assert any("library" in line for line in lines)


@pytest.mark.shows("summaries:length")
def test_overview_and_points_are_about_150_words_together() -> None:
    dice = random.Random(3)
    nouns = [word for line in (*BRIDGE, *SCHOOL) for word in line.rstrip(".").split() if len(word) > 4]
    said = (f"The {a} of the {b} waits for the {c} near the {d} in the report." for a, b, c, d in
            (dice.sample(nouns, 4) for _ in range(400)))  # fmt: skip
    long = extract(transcript(" ".join(said)), max_points=9)
    assert 135 <= words(long) <= 165
    short = transcript(" ".join((*BRIDGE, *SCHOOL)))
    assert words(extract(short)) <= len(short.text.split()) / 2, (
        "a third of what is short, and to the next sentence"
    )


SHOWN = {
    "Uh, the the budget, you know, is um not ready.": ("en", "The budget, is not ready."),
    "I mean, I- I don't know whether the bank, uh, agrees.": ("en", "I don't know whether the bank, agrees."),
    "It is very, very late, and no, no, we had had two two four.": (
        "en", "It is very, very late, and no, no, we had had two two four.",
    ),
    "You know the answer, and that is what I mean.": ("en", "You know the answer, and that is what I mean."),
    "Also, ähm, ich ich glaube, die die kommen, sind, äh, drei.": (
        "de", "Ich glaube, die die kommen, sind, drei.",
    ),
    "Euh, du coup, on on va, enfin, réserver la salle.": ("fr", "On va, réserver la salle."),
    "Pues, eh, el el banco, o sea, no paga.": ("es", "El banco, no paga."),
    "Um pouco mais de café, hum, para para nós.": ("pt", "Um pouco mais de café, para nós."),
    "Um, ma ma il banco non paga, cioè, niente.": ("it", "Um, ma il banco non paga, niente."),
    "Nou, uh, we we gaan niet, zeg maar, naar de bank.": ("nl", "We gaan niet, naar de bank."),
    "Um um Uhr.": ("fi", "Um um Uhr."),
}  # fmt: skip


@pytest.mark.shows("summaries:fillers")
@pytest.mark.parametrize("said", SHOWN)
def test_fillers_and_stammers_are_not_shown_and_what_means_something_is(said: str) -> None:
    language, shown = SHOWN[said]
    assert extract(transcript(said, language)).overview == shown


@given(
    st.lists(
        st.sampled_from(
            [
                "uh",
                "um,",
                "you know,",
                "I",
                "I-",
                "not",
                "no",
                "two",
                "the",
                "mean",
                "well,",
                "yeah",
                "so",
                ",",
            ]
        ),
        min_size=1,
        max_size=14,
    )
)
@settings(max_examples=60, deadline=None)
def test_what_is_shown_was_said_in_this_order_and_no_negation_or_number_goes(said: list[str]) -> None:
    overview = extract(transcript(" ".join(said) + " bank.")).overview
    left = iter(re.findall(r"\w+", " ".join(said).lower() + " bank"))
    assert all(word in left for word in re.findall(r"\w+", overview.lower())), "in another order"
    for word in ("not", "no", "two"):
        assert (word in re.findall(r"\w+", overview.lower())) == any(w == word for w in said)


@pytest.mark.shows("summaries:fillers")
def test_the_recording_bears_out_each_line_that_is_shown() -> None:
    spoken = minutes(6, tuple(f"Uh, {line[0].lower()}{line[1:-1]}, you know." for line in BRIDGE))
    heard = Evidence(sentences_of(spoken.segments), "en")
    summary = extract(spoken)
    assert summary.key_points
    for point in summary.key_points:
        assert "you know" not in point.text
        place = heard.find_quote(point.text, point.at)
        assert place is not None
        assert abs(place.at - (point.at or 0.0)) <= 60.0, "the same words are said again and again"


UNSPACED = {
    "ja": ("来年の予算は橋の工事に使います。", "橋の工事は十二月に始まります。", "橋のケーブルは古くなっています。",
           "エンジニアは橋のケーブルを調べました。", "そうですね。", "はい、わかりました。"),
    "zh": ("明年的预算用于大桥施工。", "大桥施工从十二月开始。", "大桥的钢缆已经老化。", "工程师检查了大桥的钢缆。",
           "好的。", "对，是的。"),
    "th": ("งบประมาณปีหน้าใช้ซ่อมสะพานท่าเรือ", "การซ่อมสะพานท่าเรือเริ่มในเดือนธันวาคม", "สายเคเบิลของสะพานท่าเรือเก่าแล้ว",
           "วิศวกรตรวจสายเคเบิลของสะพานท่าเรือ", "ใช่ครับ", "ตกลงค่ะ"),
    "km": ("ថវិកាឆ្នាំក្រោយប្រើសម្រាប់ស្ពានកំពង់ផែ", "ការជួសជុលស្ពានកំពង់ផែចាប់ផ្តើមខែធ្នូ", "ខ្សែកាបនៃស្ពានកំពង់ផែចាស់ហើយ", "បាទ"),
    "hi": ("अगले साल का बजट पुल की मरम्मत के लिए है।", "पुल की मरम्मत दिसंबर में शुरू होती है।", "पुल के तार बहुत पुराने हो गए हैं।",
           "इंजीनियरों ने पुल के तार दो बार जांचे।", "हाँ।", "ठीक है।"),
}  # fmt: skip
CHARACTERS = {"ja": (250, 480), "zh": (150, 320), "th": (450, 950), "km": (500, 1150), "hi": (450, 1000)}
"""Of about 150 English words."""


@pytest.mark.shows("summaries:unspaced")
@pytest.mark.parametrize("language", UNSPACED)
def test_a_language_without_spaces_or_with_vowel_signs_is_cut_into_words_too(language: str) -> None:
    said = [*UNSPACED[language]] * 80
    varied = [text if i % 3 else f"{i} {text}" for i, text in enumerate(said)]
    segments = tuple(Segment(i * 5.0, i * 5.0 + 4.0, text) for i, text in enumerate(varied))
    spoken = replace(transcript("x", language), segments=segments, duration=5.0 * len(segments))
    summary = extract(spoken)
    lines = [summary.overview, *(point.text for point in summary.key_points)]
    assert len(lines) > 1
    assert not {"はい、わかりました。", "好的。", "ใช่ครับ", "បាទ", "हाँ।"} & set(lines)
    assert len("".join(lines)) <= CHARACTERS[language][1]


@pytest.mark.shows("summaries:titles")
@pytest.mark.parametrize(
    "said",
    [
        ("I put it there and you put it here.", "We put and put.", "Then put them down."),
        (
            "Man, give me that.",
            "It makes me laugh, man.",
            "They give and she makes.",
            "Man, it makes no sense to give.",
        ),
        ("De bare ser og ser.", "Vi ser på det.", "Ser du det?"),
    ],
)
def test_a_title_is_not_made_of_what_is_no_name_of_a_thing(said: tuple[str, ...]) -> None:
    language = "da" if said[0].startswith("De ") else "en"
    summary = extract(transcript(" ".join(said * 3), language))
    assert summary.title == ""
    note = render_summary(summary, None, NoteContext("ab" * 32, "walk.m4a"), NoteStyle("plain"))
    assert "\n# walk\n" in note, "then it is the file's own name"


@pytest.mark.shows("summaries:titles")
def test_a_title_names_the_things_that_are_said_several_times() -> None:
    assert extract(minutes(4, BRIDGE)).title.lower().startswith(("harbour bridge", "steel cables"))
    spoken = "Die Turnhalle bleibt zu. In der Turnhalle ist Wasser. Wir machen die Turnhalle im Mai auf. " * 3
    assert extract(transcript(spoken, "de")).title == "Turnhalle, Wasser"


@pytest.mark.shows("summaries:jump-marks")
def test_a_long_recording_has_jump_marks_where_other_words_begin() -> None:
    spoken = minutes(10, BRIDGE, SCHOOL)
    summary = extract(spoken)
    assert len(summary.jump_marks) >= 2
    near = [mark for mark in summary.jump_marks if abs((mark.at or 0.0) - 600.0) <= 60.0]
    assert near
    assert "library" in near[0].text
    note = render_summary(summary, spoken, NoteContext("ab" * 32, "a.m4a"), NoteStyle("plain"))
    assert "## Jump marks" in note
    assert f"- {near[0].text} [10:0" in note
    assert extract(minutes(14, BRIDGE)).jump_marks == ()
    unknown = extract(replace(spoken, language="fi"))
    assert unknown.jump_marks, "words that come back, where nobody knows which of them are names"
    assert unknown.title == ""


@pytest.mark.shows("summaries:no-speech")
@pytest.mark.parametrize("dialect", ["obsidian", "logseq"])
def test_that_no_speech_was_found_stands_alone(dialect: str) -> None:
    silent = replace(transcript("x"), segments=(), speech_seconds=0.0)
    context = NoteContext("ab" * 32, "a.m4a", transcript_note="a (transcript).md")
    note = render_summary(extract(silent), silent, context, NoteStyle(dialect))  # type: ignore[arg-type]
    assert note.rstrip().endswith("No speech was found in this recording.")
    assert "Sentences picked" not in note


@pytest.mark.shows("summaries:none-found")
def test_an_empty_list_is_not_said_to_mean_that_there_was_nothing() -> None:
    def note(language: str, by: str) -> str:
        spoken = transcript("The bridge is closed. It opens in May. The cables are old.", language)
        made = replace(extract(spoken), by=by)
        return render_summary(made, spoken, NoteContext("ab" * 32, "a.m4a"), NoteStyle("plain"))

    for by in ("extractive", "ollama"):
        assert "stand here only if they were said in plain words; there may be more" in note("en", by)
    assert "are not looked for in this language" in note("fi", "extractive")
    assert "open questions" not in note("fi", "ollama")
