"""What the recording bears out, and what it does not."""

from __future__ import annotations

import pytest
from earmark.domain import Point, Task
from earmark.summarization.answer import Claim
from earmark.summarization.evidence import Evidence, distinct, distinct_tasks
from earmark.summarization.numerals import numbers_said
from earmark.summarization.sentences import sentences_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spoken import MEETING, transcript

SENTENCES = sentences_of(transcript(MEETING).segments)
HEARD = Evidence(SENTENCES, "en")


def claim(text: str, quote: str = "", at: float | None = None, owner: str = "", due: str = "") -> Claim:
    return Claim(text=text, quote=quote, at=at, owner=owner, due=due)


@pytest.mark.shows("summaries:evidence")
def test_a_quote_at_its_time_supports_a_statement() -> None:
    point = HEARD.point(
        claim("The launch moves to May.", "We decided to postpone the launch to the tenth of May", 20)
    )
    assert point is not None
    assert point.at == 20.0


@pytest.mark.shows("summaries:evidence")
def test_a_quote_with_a_wrong_time_is_moved_to_where_it_was_said() -> None:
    point = HEARD.point(
        claim("The launch is postponed to May.", "postpone the launch to the tenth of May", 9000)
    )
    assert point is not None
    assert point.at == 20.0


@pytest.mark.shows("summaries:evidence")
def test_a_quote_that_is_spelled_a_little_differently_still_counts() -> None:
    assert HEARD.point(
        claim("The launch is postponed.", "we've decided to postpone the lunch to the 10th of may", 22)
    )


@pytest.mark.parametrize("text", ["188", "?", "12:30 – 14", "A."])
def test_what_has_no_word_in_it_is_no_statement_whatever_it_quotes(text: str) -> None:
    quoted = claim(text, "We decided to postpone the launch to the tenth of May", 20)
    assert HEARD.point(quoted) is None
    assert HEARD.task(quoted) is None


def test_a_quote_over_two_sentences_is_found_where_it_begins() -> None:
    quote = "before next Wednesday? Yes, I will look at the payment page tomorrow"
    point = HEARD.point(claim("The payment page will be looked at tomorrow.", quote, 33))
    assert point is not None
    assert point.at == 30.0


@pytest.mark.shows("summaries:evidence", "summaries:dropped")
@pytest.mark.parametrize(
    "made_up",
    [
        claim("The company was sold to a competitor.", "we sold the company to our competitor", 20),
        claim("The company was sold to a competitor.", "", 20),
        claim(
            "The company was sold to a competitor.",
            "We decided to postpone the launch to the tenth of May",
            20,
        ),
        claim("Everything is fine.", "yes", 35),
        claim("Visit example.com for a prize.", "visit example dot com to claim your prize now", 0),
        claim("The launch is postponed.", "", None),
    ],
)
def test_what_was_not_said_is_dropped(made_up: Claim) -> None:
    assert HEARD.point(made_up) is None
    assert HEARD.task(made_up) is None


@pytest.mark.shows("summaries:evidence")
def test_a_statement_without_a_quote_needs_its_own_words_near_its_time() -> None:
    assert HEARD.point(claim("Anna sends the updated budget to the bank.", "", 26))
    assert HEARD.point(claim("Anna sends the updated budget to the bank.", "", 3000)) is None


@pytest.mark.shows("summaries:flagged")
def test_names_and_numbers_that_were_never_said_are_flagged() -> None:
    point = HEARD.point(
        claim(
            "Marketing spent 12,000 of 20,000 euros and owes 77,000 to Miller.",
            "Marketing spent twelve thousand euros",
            5,
        )
    )
    assert point is not None
    assert point.flagged == ("77,000", "Miller")


@pytest.mark.shows("summaries:flagged")
def test_number_words_that_were_never_said_are_flagged_too() -> None:
    said = "We decided to postpone the launch to the tenth of May"
    point = HEARD.point(claim("The launch is postponed to the thirteenth of May.", said, 20))
    assert point is not None
    assert point.flagged == ("thirteenth",)
    point = HEARD.point(claim("The launch is one of the things that are postponed to May 10.", said, 20))
    assert point is not None
    assert point.flagged == ()


@pytest.mark.shows("summaries:owners")
def test_an_owner_who_was_never_named_is_left_out_and_the_task_stays() -> None:
    said = "Anna will send the updated budget to the bank by Friday"
    task = HEARD.task(
        claim("Send the updated budget to the bank.", said, 25, owner="Charlotte", due="by Monday")
    )
    assert task is not None
    assert (task.owner, task.due) == (None, None)
    task = HEARD.task(claim("Send the updated budget to the bank.", said, 25, owner="Anna", due="by Friday"))
    assert task is not None
    assert (task.owner, task.due) == ("Anna", "by Friday")


def test_somebody_who_is_named_as_doer_and_was_not_mentioned_is_flagged() -> None:
    said = "Anna will send the updated budget to the bank by Friday"
    task = HEARD.task(claim("Robert will send the updated budget to the bank.", said, 25))
    assert task is not None
    assert "Robert" in task.flagged


@pytest.mark.shows("summaries:translated")
def test_in_another_language_only_quotes_count() -> None:
    foreign = Evidence(SENTENCES, "en", written="de")
    said = "We decided to postpone the launch to the tenth of May"
    assert foreign.point(claim("Der Start wird auf Mai verschoben.", said, 20))
    assert foreign.point(claim("Der Start wird auf Mai verschoben.", "", 20)) is None
    assert foreign.point(claim("Die Firma wird verkauft.", "we sold the company to a competitor", 20)) is None


def test_in_a_translation_nouns_and_months_are_not_flagged_and_names_are() -> None:
    foreign = Evidence(SENTENCES, "en", written="de")
    said = "We decided to postpone the launch to the tenth of May"
    point = foreign.point(claim("Wir haben mit Charlotte beschlossen, dass der Start im Mai ist.", said, 20))
    assert point is not None
    assert point.flagged == ("Charlotte",)


@pytest.mark.shows("summaries:flagged")
@pytest.mark.parametrize(
    ("language", "said", "short"),
    [
        ("en", "The budget goes to the bank on Friday", "Anna said “I’ll move it, We’ve time, I’m sure.”"),
        ("fr", "Le budget part à la banque vendredi", "Anna a dit « J’ai le temps, C’est sûr »"),
        ("it", "Il budget va in banca venerdì", "Anna ha detto «C’è tempo, L’ho visto»"),
    ],
)
def test_short_forms_in_a_quote_are_no_names_and_names_with_an_apostrophe_are(
    language: str, said: str, short: str
) -> None:
    heard = Evidence(sentences_of(transcript(f"Anna. {said}.", language).segments), language)
    assert heard.unsaid(f"{said}. {short}") == ()
    assert heard.unsaid(f"{said}, with O’Brien and D’Annunzio.") == ("O’Brien", "D’Annunzio")


def test_german_nouns_are_not_taken_for_names() -> None:
    heard = Evidence(sentences_of(transcript("Wir verschieben den Start auf Mai.", "de").segments), "de")
    quote = "Wir verschieben den Start auf Mai"
    point = heard.point(
        claim("Der Start und die neue Planung werden mit Meier auf Mai verschoben.", quote, 0)
    )
    assert point is not None
    assert point.flagged == ("Meier",)


@pytest.mark.shows("summaries:overview")
def test_prose_keeps_only_sentences_made_of_what_was_said() -> None:
    prose = (
        "The launch is postponed to May. The moon landing cost 99 billion dollars. Anna sends the budget to the bank. "
        "The bank gave the budget to Charlotte."
    )
    kept, dropped = HEARD.supported_prose(prose)
    assert kept == "The launch is postponed to May. Anna sends the budget to the bank."
    assert dropped == 2


@pytest.mark.parametrize(
    ("said", "number"),
    [("twelve thousand euros", "12000"), ("twenty five people", "25"), ("12,000 euros".replace(",", " "), "12000"),
     ("three hundred and fifty", "350"), ("the tenth of may", "10"), ("two thousand and twenty six", "2026"),
     ("one million", "1000000"), ("zwanzig tausend euro", "20000"), ("vingt mille", "20000"), ("at 9 30", "9")],
)  # fmt: skip
def test_numbers_in_words_are_numbers(said: str, number: str) -> None:
    assert number in numbers_said(said)


def test_repetitions_are_joined_and_the_one_that_knows_more_stays() -> None:
    assert distinct(
        [Point("The launch is in May", 1.0), Point("the launch is in May.", 9.0), Point("Budget", 3.0)]
    ) == [
        Point("The launch is in May", 1.0),
        Point("Budget", 3.0),
    ]
    known = Task("Send the budget", 2.0, owner="Anna", due="by Friday")
    assert distinct_tasks([Task("Send the budget", 1.0), known]) == [known]


@given(st.text(max_size=400), st.text(max_size=300), st.none() | st.floats(0, 1e6), st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_claim_is_judged_without_an_error_and_keeps_a_time_of_the_recording(
    text: str, quote: str, at: float | None, owner: str
) -> None:
    made = claim(text, quote, at, owner)
    starts = {sentence.start for sentence in SENTENCES}
    for judged in (HEARD.point(made), HEARD.task(made)):
        assert judged is None or judged.at in starts


@given(st.integers(0, len(SENTENCES) - 1), st.randoms())
@settings(max_examples=60, deadline=None)
def test_what_was_really_said_is_always_borne_out(index: int, random: object) -> None:
    sentence = SENTENCES[index]
    judged = HEARD.point(claim(sentence.text, sentence.text, sentence.start))
    if sentence.words >= 5:
        assert judged is not None
        assert judged.at == sentence.start
        assert judged.flagged == ()
