"""A name or a term that a person corrects in two sentences is offered as vocabulary, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from earmark.amended import Correction, Spoken, corrections_in
from earmark.offers import Offer, offers
from earmark.summarization.words import empty_words_for


def offered(
    *pairs: tuple[str, str], language: str = "en", by_itself: Mapping[str, int] | None = None, apart: int = 2
) -> list[Offer]:
    """What is offered of sentences that were heard and corrected, each in a place of its own."""
    corrections = [
        Correction("rec", apart * n, heard, said, language, 100 * n) for n, (heard, said) in enumerate(pairs)
    ]
    return offers(corrections, empty_words_for, lambda word: (by_itself or {}).get(word, 0))


def words(
    *pairs: tuple[str, str], language: str = "en", by_itself: Mapping[str, int] | None = None
) -> list[str]:
    return [offer.word for offer in offered(*pairs, language=language, by_itself=by_itself)]


@pytest.mark.shows("transcription:offered")
def test_a_name_is_offered_that_was_corrected_in_two_sentences() -> None:
    found = offered(
        ("So Mayer said no.", "So Meier said no."),
        ("I asked Mayor, who knows.", "I asked Meier, who knows."),
        ("Then Mayer's house, and Mayer.", "Then Meier's house, and Meier."),
    )
    assert found == [Offer("Meier", ("Mayer", "Mayor"), 3, ("rec",))]
    assert not offered(("Then Mayer and Mayer.", "Then Meier and Meier."))
    assert not offered(("So Mayer said no.", "So Meier said no."), ("I asked Jones.", "I asked Johns."))


@pytest.mark.shows("transcription:offered-names")
@pytest.mark.parametrize(
    ("heard", "said", "word"),
    [
        ("to Hell Stone, I think", "to Helstone, I think", "Helstone"),
        ("a talk by Lindberg there", "a talk by Lind Berg there", "Lind Berg"),
        ("my friend Shivon came", "my friend Siobhan came", "Siobhan"),
        ("we use cube ctl here", "we use kubectl here", "kubectl"),
        ("an I phone", "an iPhone", "iPhone"),
        ("he took apple morphine", "he took apomorphine", "apomorphine"),
        ("Mayer will do it.", "Meier will do it.", "Meier"),
        ("the O'Brian house", "the O'Brien house", "O'Brien"),
        ("with Stephan there", "with Stefan there", "Stefan"),
        ("das ist Frau Müler dort", "das ist Frau Mühler dort", "Mühler"),
        ("а это Паринцев был", "а это Порынцев был", "Порынцев"),
        ("यह रवी है", "यह रवि है", None),
    ],
)
def test_what_is_offered_is_a_name_or_a_term(heard: str, said: str, word: str | None) -> None:
    assert words((heard, said), (heard, said)) == ([word] if word else [])


@pytest.mark.shows("transcription:offered-names")
@pytest.mark.parametrize(
    ("language", "heard", "said"),
    [
        ("en", "over there car", "over their car"),
        ("en", "the house is", "a house is"),
        ("en", "to bear it", "to bare it"),
        ("en", "two weak days", "two week days"),
        ("en", "so to speak", "so speak"),
        ("en", "he walk home", "he walked home"),
        ("en", "in bern we met", "in Bern we met"),
        ("en", "see you on Sunday at", "see you on Monday at"),
        ("en", "with Meier there", "with Meiers there"),
        ("en", "I saw Peter there", "I saw Anna there"),
        ("en", "He left, Mayer. So", "He left Mayer; so"),
        ("de", "das haus dort", "das Haus dort"),
        ("de", "der haus meister kam", "der Hausmeister kam"),
        ("de", "ihr seit da", "ihr seid da"),
        ("ja", "田中さんです", "田仲さんです"),
        ("en", "room 11 there", "room 12 there"),
        ("en", "one two three four five six", "Once To Tree Fore Fife Sicks"),
    ],
)
def test_words_of_the_language_and_other_sentences_are_not_offered(
    language: str, heard: str, said: str
) -> None:
    assert words((heard, said), (heard, said), language=language) == []


def test_what_is_heard_rightly_elsewhere_needs_no_offer_unless_it_is_written_like_a_name() -> None:
    small = (("the prinzipal of it", "the principal of it"),) * 2
    assert words(*small) == ["principal"]
    assert words(*small, by_itself={"principal": 2}) == []
    mixed = (("they were relieved then", "they were believed then"),) * 2
    assert words(*mixed, by_itself={"relieved": 2}) == ["believed"]
    assert words(*mixed, by_itself={"relieved": 3}) == []
    nouns = (("eine Seite der Geige", "eine Saite der Geige"),) * 2
    assert words(*nouns, language="de", by_itself={"Saite": 2}) == []
    assert words(*(("So Mayer said", "So Meier said"),) * 2, by_itself={"meier": 9, "Meier": 9}) == ["Meier"]


def test_what_was_heard_is_found_where_a_later_hearing_keeps_it_with_the_first_of_several_sentences() -> None:
    found = offered(
        ("I met Mayer. Then Mayer left. Mayer!", "I met Meier."),
        ("", "Then Meier left."),
        ("", "Meier!"),
        apart=1,
    )
    assert [(offer.word, offer.times) for offer in found] == [("Meier", 3)]


@pytest.mark.shows("transcription:offered-often")
def test_what_is_written_like_a_name_three_times_is_one_wherever_it_stands() -> None:
    three = (("Then when and Pria met Voytek.", "Then Nguyen and Priya met Wojciech."),) * 3
    assert words(*three) == ["Nguyen", "Priya", "Wojciech"]
    first = (("Win left. So Pria left.", "Nguyen left. So Priya left."),) * 3
    assert words(*first) == ["Nguyen", "Priya"]
    # In one segment, too: it is sentences that count.
    assert words(("I saw when. You saw when. " * 3, "I saw Nguyen. You saw Nguyen. " * 3)) == ["Nguyen"]
    # What is heard rightly as often is a word like others.
    assert words(*(("I saw Peter there", "I saw Anna there"),) * 3, by_itself={"Anna": 3}) == []
    assert words(*(("on Sunday at", "on Monday at"),) * 6) == []


def test_a_whole_day_of_corrections_takes_no_longer_than_a_moment() -> None:
    one = [
        (
            "so Mayer went to the old town and back again " * 8,
            "so Meier went to the old town and back again " * 8,
        )
    ]
    began = time.process_time()
    assert [offer.times for offer in offered(*one * 1_000, apart=1)] == [1_000]
    assert time.process_time() - began < 5


def in_segments(*pairs: tuple[str, str], pause: float = 0.0) -> list[tuple[str, int]]:
    """What is offered of the segments of one recording, one after the other, and in how many sentences it was corrected."""
    segments = [
        Spoken(n, n * (9.0 + pause), n * (9.0 + pause) + 9.0, said, None if heard == said else heard, "en")
        for n, (heard, said) in enumerate(pairs)
    ]
    found = offers(corrections_in("rec", segments), empty_words_for, lambda _: 0)
    return [(offer.word, offer.times) for offer in found]


@pytest.mark.shows("transcription:offered")
def test_one_sentence_is_one_in_however_many_segments_it_was_heard() -> None:
    city = ("we flew to San Francisco and", "we flew to Sankt Franzisko and")
    back = ("then left San Francisco again.", "then left Sankt Franzisko again.")
    rest = ("Then we slept.",) * 2
    assert in_segments(rest, city, back, rest) == []
    assert in_segments(rest, city, ("stayed a while and",) * 2, back, rest) == []
    assert in_segments(rest, city, back, rest, back) == [("Sankt Franzisko", 2)]
    assert in_segments(rest, back, back, rest) == [("Sankt Franzisko", 2)]
    # A long pause ends a sentence, and where none has an end each segment is one.
    assert in_segments(rest, city, back, rest, pause=3.0) == [("Sankt Franzisko", 2)]
    assert in_segments(city, (city[0], city[1])) == [("Sankt Franzisko", 2)]


@pytest.mark.shows("transcription:offered-names")
@pytest.mark.parametrize(
    ("heard", "said", "word"),
    [
        ("Wir waren in San Francisco damals", "Wir waren in Sankt Franzisko damals", "Sankt Franzisko"),
        ("to San Francisco now", "to Sankt Franzisko now", "Sankt Franzisko"),
        ("with Hana Arent there", "with Hannah Arendt there", "Hannah Arendt"),
        ("by Vander Lyen here", "by Van der Leyen here", "Van der Leyen"),
        ("San Francisco is far", "Sankt Franzisko is far", "Sankt Franzisko"),
    ],
)
def test_a_name_of_several_words_is_offered_whole(heard: str, said: str, word: str) -> None:
    found = words((heard, said), (heard, said))
    assert found == [word]
