"""Whether the words can be what was said: examples as tiny.en wrote them down, on real speech."""

from __future__ import annotations

from dataclasses import replace

import pytest
from earmark.domain import Mark, Misheard, Segment, Transcript
from earmark.misheard import NOT_UNDERSTOOD, misheard
from earmark.notes.damage import damage
from earmark.retention.rules.quality import failings
from earmark.summarization.extractive import extract

from tests.spoken import MEETING, transcript

SPANISH = (
    "Por favor, Presioni uno para activa, or des activa, el modo silencio, dos para bloquear. "
    "O des bloquear la conferencia, tres para expulsar al ultimo usuario que se ha unido, cuatro, o seis. "
)
SHOPPING = (
    "Milk, eggs, butter, bread, tomatoes, onions, garlic, olive oil, salt, pepper, chicken breasts, rice, pasta, cheese, "
    "apples, bananas, coffee, sugar, flour, yeast, detergent, soap, toothpaste. "
)
FRENCH = (
    "Thank you very much for watching, and thank you so much for joining us today. "
    "Don't forget to subscribe to the channel. I hope that you will be able to understand it. "
)


def heard(
    text: str, sure: float, *, language: str = "en", named: str = "", model: str = "tiny.en"
) -> Transcript:
    made = transcript(text, language)
    segments = tuple(replace(s, confidence=sure, language=named) for s in made.segments)
    found = replace(made, segments=segments, model=model)
    return replace(found, misheard=misheard(found))


@pytest.mark.shows("transcription:misheard")
@pytest.mark.parametrize(
    ("text", "sure", "found"),
    [
        (MEETING, 0.75, None), (MEETING, 0.52, None), (MEETING, 0.4, Misheard.LANGUAGE),
        (SPANISH, 0.5, Misheard.LANGUAGE), (SHOPPING, 0.55, Misheard.LANGUAGE), (SHOPPING, 0.66, None),
        (FRENCH, 0.35, Misheard.LANGUAGE),
    ],
)  # fmt: skip
def test_words_that_were_taken_for_english_are_held_against_what_english_is_like(
    text: str, sure: float, found: Misheard | None
) -> None:
    assert heard(text, sure).misheard is found


@pytest.mark.shows("transcription:unclear")
def test_where_the_language_was_detected_only_how_sure_the_words_are_counts() -> None:
    assert heard(SPANISH, 0.5, language="es", named="es").misheard is None
    assert heard(SPANISH, 0.3, language="es", named="es").misheard is Misheard.UNCLEAR
    assert heard(MEETING, 0.4, named="en").misheard is None


def test_a_word_or_two_are_too_few_to_tell() -> None:
    assert misheard(transcript("Grazie.", step=1.5)) is None
    assert misheard(transcript("")) is None
    assert misheard(transcript("Kia ora koutou.")) is None


def test_a_few_short_answers_are_no_other_language() -> None:
    assert heard("No... no... NO... NO NO... ", 0.34).misheard is Misheard.UNCLEAR
    assert heard("Okay, okay... okay, yes. ", 0.4).misheard is Misheard.UNCLEAR
    assert heard("Okay, okay... okay, yes. ", 0.5).misheard is None


def test_a_chant_is_no_other_language() -> None:
    chant = "The code is seven seven seven. No, no, no, no, no, no, no, no. " + "Hare Krishna. " * 12
    assert heard(chant, 0.7).misheard is None


@pytest.mark.shows("transcription:misheard")
def test_what_is_not_believed_gets_no_title_and_no_points_and_no_rule_takes_its_audio() -> None:
    found = heard(FRENCH, 0.3)
    summary = extract(found)
    assert (summary.title, summary.overview, summary.key_points) == ("", NOT_UNDERSTOOD, ())
    assert any("English" in sentence for sentence in failings(found))


def test_the_note_says_what_would_help() -> None:
    (sentence,) = damage(heard(FRENCH, 0.3))
    assert "earmark models download base" in sentence
    assert "earmark retry FILE" in sentence
    (sentence,) = damage(heard(FRENCH, 0.3), draft=True)
    assert sentence.endswith("what it wrote is probably not what was said.")
    for mine in (
        replace(heard(FRENCH, 0.3, model="mine"), only_english=True),
        heard(FRENCH, 0.3, model="distil-x"),
    ):
        assert "earmark models download base" in damage(mine)[0]
    (sentence,) = damage(heard(FRENCH, 0.3, model="small"))
    assert 'language = "de"' in sentence


@pytest.mark.shows("transcription:in-doubt")
def test_a_language_that_was_guessed_is_called_a_guess() -> None:
    guessed = replace(heard(SPANISH, 0.5, language="ta", named="ta"), language_probability=0.18)
    (sentence,) = damage(guessed)
    assert "not sure (`ta` by 18%)" in sentence
    assert any("language is uncertain" in reason for reason in failings(guessed))
    assert damage(replace(guessed, language_probability=0.5)) == []
    assert damage(replace(guessed, segments=())) == []


@pytest.mark.shows("transcription:wordless")
def test_seconds_of_a_voice_without_words_are_said_and_keep_the_sound() -> None:
    made = transcript(MEETING)
    end = made.segments[-1].end
    silent = Segment(end, end + 12.0, "", 0.0, Mark.WORDLESS)
    found = replace(made, segments=(*made.segments, silent), duration=made.duration + 12.0)
    assert damage(made) == [] == failings(made)
    (sentence,) = damage(found)
    assert "speaks for 12 seconds of it, and no words were made out" in sentence
    (reason,) = failings(found)
    assert "12 seconds" in reason
    assert found.text == made.text
    none = replace(found, segments=(silent,))
    assert extract(none).overview == NOT_UNDERSTOOD
    assert any("no words were made out in it" in reason for reason in failings(none))


def test_what_breaks_off_within_a_second_announces_nothing_that_it_has() -> None:
    made = replace(transcript(MEETING), duration=64.2, truncated=True)
    assert "announces 1:04, and" not in damage(replace(made, declared_duration=64.6))[0]
    assert "announces 1:07, and 1:04" in damage(replace(made, declared_duration=67.0))[0]
