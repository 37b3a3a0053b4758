"""What a person writes into the table `replace` stands where it was heard wrongly, word for word, and nowhere else."""

from __future__ import annotations

import json
import time
import unicodedata

import pytest
from earmark.config import folder_settings, parse_config
from earmark.domain import Mark, Segment, Transcript, WordTimes
from earmark.errors import ConfigError
from earmark.messages import Heard, parse_reply
from earmark.notes.sidecars import as_json
from earmark.replacing import before_replacing, replaced
from earmark.speaking import Turn, with_speakers
from hypothesis import given
from hypothesis import strategies as st

NFD = unicodedata.normalize("NFD", "Müller")


def heard(*texts: str, language: str = "en", words: WordTimes = ()) -> Transcript:
    segments = tuple(Segment(10.0 * n, 10.0 * n + 9, text, words=words) for n, text in enumerate(texts))
    return Transcript("x" * 64, segments, language, 1.0, 10.0 * len(texts), 9.0, "base", "stub")


def written(text: str, table: dict[str, str], language: str = "en") -> str:
    config = parse_config({"transcription": {"replace": table}}, "test")
    made = replaced(heard(text, language=language), config.transcription.replace)
    assert before_replacing(made.segments[0]) in (text, unicodedata.normalize("NFC", text))
    return made.segments[0].text


@pytest.mark.shows("transcription:replace-words")
@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        # Whole words, with what stands at them.
        ({"Mayer": "Meier"}, "Mayer, Mayers and (Mayer).", "Meier, Mayers and (Meier)."),
        ({"Mayer": "Meier"}, "Mayer's house, Mayer-Schmidt", "Meier's house, Meier-Schmidt"),
        ({"don": "Don", "can": "Cannes"}, "We don't, can't and can.", "We don't, can't and Cannes."),
        ({"Brien": "Bryan"}, "O'Brien", "O'Brien"),
        ({"two": "too"}, "two two_2 2two", "too two_2 2two"),
        # Phrases, whatever blanks stand between their words; the longest first, and nothing twice.
        ({"hell stone": "Helstone"}, "to Hell  stone\nand hell stones", "to Helstone\nand hell stones"),
        ({"New York": "NYC", "New York Times": "the paper"}, "New York Times, New York", "the paper, NYC"),
        ({"new york": "N", "york times": "Y"}, "new york times york times", "N times Y"),
        ({"a": "b", "b": "c"}, "a b a", "b c b"),
        # What is written small is found with a capital, which stays where nothing says otherwise.
        ({"cooper netties": "kubernetes"}, "Cooper Netties is cooper netties", "Kubernetes is kubernetes"),
        ({"i phone": "iPhone"}, "I phone? An I Phone!", "iPhone? An iPhone!"),
        ({"it": "eat"}, "it, It and IT", "eat, Eat and IT"),
        ({"Reading": "Redding"}, "Reading is reading", "Redding is reading"),
        ({"meier": "Meier"}, "meier and Meier", "Meier and Meier"),
        ({"élan": "elan"}, "Élan and élan", "Elan and elan"),
        # Nothing in a table is a pattern.
        (
            {"C++": "C", ".*": "dots", "(a|b)": "either"},
            "C++ is .* or (a|b), aab",
            "C is dots or either, aab",
        ),
        ({"a": r"\g<0>\1"}, "a", r"\g<0>\1"),
        # Signs that editors put for one another.
        ({"don’t": "do not"}, "I don't, Don’t", "I do not, Do not"),
        ({"e-mail": "mail"}, "an e‑mail", "an mail"),
        # Both forms of Unicode, on either side.
        ({"Müller": "Möller"}, f"Frau {NFD} und Müllers", "Frau Möller und Müllers"),
        ({NFD: "Möller"}, "Frau Müller", "Frau Möller"),
        ({"u": "you"}, NFD, NFD),
        # Scripts without spaces, and with marks at their letters.
        ({"李明": "黎明"}, "今天李明来了。", "今天黎明来了。"),
        ({"くじら": "鯨"}, "大きなくじらです", "大きな鯨です"),
        ({"ก": "ข"}, "กี ก", "กี ข"),
        ({"राम": "श्याम"}, "राम रामी", "श्याम रामी"),
        ({"AI": "人工智能"}, "用AI做AIM", "用人工智能做AIM"),
    ],
)
def test_whole_words_are_replaced_and_nothing_else(table: dict[str, str], text: str, said: str) -> None:
    assert written(text, table) == said


def test_an_article_is_no_part_of_the_word_in_languages_that_join_it() -> None:
    assert written("Ami d'Elston et l'elston", {"Elston": "Helstone"}, "fr") == "Ami d'Helstone et l'elston"
    assert written("Ami d'Elston", {"Elston": "Helstone"}) == "Ami d'Elston"


@pytest.mark.shows("transcription:replace-json")
def test_json_says_what_was_replaced_and_what_had_been_heard() -> None:
    made = replaced(heard("Mayer and Mayer.", "Nobody."), {"Mayer": "Meier"})
    first, second = json.loads(as_json(made))["segments"]
    assert first["text"] == "Meier and Meier."
    assert first["heard"] == "Mayer and Mayer."
    assert first["replaced"] == [{"heard": "Mayer", "written": "Meier"}] * 2
    assert "heard" not in second
    assert "replaced" not in second


def test_a_persons_words_and_what_is_no_speech_are_not_touched_and_english_is() -> None:
    theirs = Segment(0, 1, "Mayer", heard="Meyer")
    loop = Segment(1, 2, "Mayer", mark=Mark.REPETITION)
    before = Transcript(
        "x" * 64, (theirs, loop), "de", 1.0, 2.0, 2.0, "base", "stub", english=(Segment(0, 1, "Mayer"),)
    )
    made = replaced(before, {"Mayer": "Meier"})
    assert made.segments == before.segments
    assert made.english[0].text == "Meier"


def test_words_keep_their_times_and_a_cut_between_two_speakers_takes_what_was_replaced_along() -> None:
    words: WordTimes = ((0.0, 1.0, 0), (1.0, 2.0, 5), (2.0, 3.0, 11), (3.0, 5.0, 15), (5.0, 9.0, 22))
    made = replaced(
        heard("Hell stone for Mayer, please", words=words), {"hell stone": "Helstone", "Mayer": "Meier"}
    )
    assert made.segments[0].text == "Helstone for Meier, please"
    assert made.segments[0].words == ((0.0, 2.0, 0), (2.0, 3.0, 9), (3.0, 5.0, 13), (5.0, 9.0, 20))
    told = with_speakers(made, [Turn(0, 2.9, 1), Turn(3.0, 9, 2)])
    assert [(s.speaker, s.text, before_replacing(s)) for s in told.segments] == [
        (1, "Helstone for", "Hell stone for"),
        (2, "Meier, please", "Mayer, please"),
    ]


@pytest.mark.shows("transcription:replace-wrong")
@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({" ": "x"}, "' ' is empty, and nothing can be found by it"),
        ({"x": ""}, "'x' would be replaced by nothing; write the word"),
        ({"Mayer": "Mayer "}, "'Mayer' would be replaced by itself; take it out"),
        ({"x" * 300: "y"}, "more than 200 characters"),
        ({"a\0": "b"}, "holds a character that is no text"),
        ({"a  b": "c", "a b": "d"}, "'a b' is there twice, with 'c' and 'd'"),
        ({"a": "b", "b": "a"}, "'a' becomes 'b' becomes 'a' again; keep the one that is right"),
        ({"meier": "Mayer", "mayer": "Meier"}, "again; keep the one that is right"),
        ({"a": "b", "b": "c", "c": "a"}, "'a' becomes 'b' becomes 'c' becomes 'a' again"),
        ({"a": 1}, "`transcription.replace.a`: text is needed (found 1)"),
        ({"don't": "x", "don’t": "y"}, "is there twice"),
        (["a"], "a table is needed, in braces"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told_with_what_would_be_right(table: object, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_config({"transcription": {"replace": table}}, "config.toml")
    assert str(told.value).startswith("config.toml: `transcription.replace")
    assert said in str(told.value)


def test_a_folder_adds_to_the_table_and_both_together_must_make_sense() -> None:
    section = {"replace": {"Mayer": "Meier", "a": "b"}}
    config = parse_config(
        {"transcription": section, "folder": [{"path": "/x", "replace": {"a": "c", "d": "e"}}]}, "test"
    )
    assert folder_settings(config, config.folder[0].path).replace == {"Mayer": "Meier", "a": "c", "d": "e"}
    with pytest.raises(
        ConfigError, match=r"`folder.0.replace`, with `transcription.replace`: 'Mayer' becomes"
    ):
        parse_config(
            {"transcription": section, "folder": [{"path": "/x", "replace": {"Meier": "Mayer"}}]}, "test"
        )


def test_a_worker_says_neither_who_corrected_what_it_heard_nor_what_was_replaced() -> None:
    said = {
        "start": 0.0,
        "end": 1.0,
        "text": "Mayer",
        "heard": "x",
        "replaced": [[10**9, "a", "b"]],
    }
    line = {
        "type": "heard", "job": 1, "upto": 1.0, "segments": [said], "english": [said], "language": "en",
        "language_probability": 1.0, "speech_seconds": 1.0,
    }  # fmt: skip
    message = parse_reply.validate_json(json.dumps(line))
    assert isinstance(message, Heard)
    assert message.segments == message.english == (Segment(0.0, 1.0, "Mayer"),)


def test_a_long_table_and_a_long_text_take_no_longer_than_a_moment() -> None:
    table = {f"word {n} of many": f"Term{n}" for n in range(20_000)} | {
        f"w{n}": f"v{n}" for n in range(20_000)
    }
    text = " ".join(f"word {n} of many w{n} of wood" for n in range(1_000))
    began = time.process_time()
    made = replaced(heard(text, "w " * 15_000), table)
    assert time.process_time() - began < 5
    assert made.segments[0].text.startswith("Term0 v0 of wood Term1 v1 of wood")


ODD = "ab A.'-\u0301ß李ก"


@given(
    st.text(alphabet=ODD, max_size=30),
    st.dictionaries(
        st.text(alphabet=ODD, min_size=1, max_size=4),
        st.text(alphabet="xyX é", min_size=1, max_size=4),
        max_size=4,
    ),
)
def test_whatever_is_replaced_what_was_heard_can_be_told(text: str, table: dict[str, str]) -> None:
    table = {wrong: right for wrong, right in table.items() if wrong.strip() and right.strip()}
    before = heard(text, words=((0.0, 1.0, 0),))
    after = replaced(before, table).segments[0]
    assert before_replacing(after) in (text, unicodedata.normalize("NFC", text))
    assert all(after.text[at : at + len(now)] == now for at, _, now in after.replaced)
