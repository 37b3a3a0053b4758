"""Where the language changes: pieces, what they say, and the best way through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from earmark.domain import Mark, Segment, spoken_languages
from earmark.transcription.engine import RATE, Answer, Phrase, Samples, Weight, Wish
from earmark.transcription.hearing import Asked, Passage, listen
from earmark.transcription.languages import PIECE, SHORTEST, Odds, best_way, limited, pieces, settle
from earmark.transcription.windows import FRAME
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

CODES = ("de", "en", "fr")


def odds(code: str, share: float = 0.95) -> Odds:
    rest = (1.0 - share) / (len(CODES) - 1)
    return {c: share if c == code else rest for c in CODES}


@given(seconds=st.floats(0.01, 40.0), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_pieces_cover_the_speech_and_none_is_too_long_or_too_short(seconds: float, seed: int) -> None:
    speech = np.random.default_rng(seed).normal(0, 0.1, max(1, int(seconds * RATE))).astype(np.float32)
    found = pieces(speech)
    assert [a for a, _ in found] == [0, *(b for _, b in found)][:-1]
    assert found[-1][1] == len(speech)
    assert all(b - a <= PIECE * RATE for a, b in found)
    assert len(found) == 1 or all(b - a >= SHORTEST * RATE * 0.99 for a, b in found)


def test_a_piece_ends_where_it_is_quiet() -> None:
    speech = np.full(12 * RATE, 0.1, dtype=np.float32)
    speech[int(5.0 * RATE) : int(5.3 * RATE)] = 0.0
    assert abs(pieces(speech)[0][1] / RATE - 5.15) < 0.2


@pytest.mark.shows("transcription:remark")
def test_one_odd_piece_in_the_middle_changes_nothing_and_two_do() -> None:
    said = [odds("de"), odds("de"), odds("en", 0.999), odds("de"), odds("de")]
    assert best_way(said, [6.0] * 5, "de") == ["de"] * 5
    said = [odds("de"), odds("de"), odds("en", 0.99), odds("en", 0.99), odds("de")]
    assert best_way(said, [6.0] * 5, "de") == ["de", "de", "en", "en", "de"]


def test_a_doubtful_piece_stays_in_the_main_language_and_a_sure_end_does_not() -> None:
    assert best_way([odds("en", 0.6), odds("de")], [6.0, 6.0], "de") == ["de", "de"]
    assert best_way([odds("de"), odds("en", 0.9999)], [6.0, 6.0], "de") == ["de", "en"]


def test_a_short_piece_counts_for_less() -> None:
    said = [odds("de"), odds("en", 0.9999)]
    assert best_way(said, [6.0, 0.6], "de") == ["de", "de"]


@given(
    said=st.lists(st.tuples(st.sampled_from(CODES), st.floats(0.34, 1.0)), min_size=1, max_size=9),
    main=st.sampled_from(CODES),
)
def test_the_way_has_a_language_for_each_piece_that_some_piece_names_or_that_is_main(
    said: list[tuple[str, float]], main: str
) -> None:
    way = best_way([odds(code, share) for code, share in said], [5.0] * len(said), main)
    assert len(way) == len(said)
    assert set(way) <= {code for code, _ in said} | {main}
    if {code for code, share in said if share > 0.5} <= {main}:
        assert set(way) == {main}


def test_named_languages_are_the_only_ones_and_share_what_there_is() -> None:
    found = limited({"la": 0.9, "de": 0.06, "en": 0.02}, ("de", "en"))
    assert set(found) == {"de", "en"}
    assert abs(found["de"] - 0.75) < 0.01


def test_unclear_speech_is_not_latin_unless_somebody_says_so() -> None:
    assert max(limited({"la": 0.6, "de": 0.2}, ()).items(), key=lambda o: o[1])[0] == "de"
    assert max(limited({"la": 0.6, "de": 0.2}, ("la", "de")).items(), key=lambda o: o[1])[0] == "la"


class Babel:
    """An engine whose language is told by how loud it is: 0.1 English, 0.2 German, 0.3 French; everything is voice. It
    returns one phrase for what it was given, named by its language.
    """

    name, device, compute_type, multilingual = "babel", "cpu", "none", True

    def languages(self) -> tuple[str, ...]:
        return CODES

    def voice(self, samples: Samples) -> NDArray[np.float32]:
        padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        return np.asarray(np.abs(padded).max(axis=1) > 0.05, dtype=np.float32)

    def language_odds(self, speech: Samples) -> Odds:
        loud = np.abs(speech[speech != 0.0])
        shares = [float(np.mean(np.abs(loud - level) < 0.04)) for level in (0.2, 0.1, 0.3)]
        return dict(zip(CODES, shares, strict=True))

    def language_odds_within(self, speech: Samples, pieces: Sequence[tuple[int, int]]) -> list[Odds]:
        return [self.language_odds(speech[first:last]) for first, last in pieces]

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        seconds = len(speech) / RATE
        text = (
            f"out of {wish.language} ({wish.hotwords}, {wish.initial_prompt})"
            if wish.english
            else wish.language
        )
        return Answer((Phrase(0.0, seconds, text, -0.1, 0.0),), seconds)

    def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
        raise AssertionError("no name is known here")


LEVEL = {"en": 0.1, "de": 0.2, "fr": 0.3}


def sound(*said: tuple[str, float]) -> Samples:
    """Seconds in a language each, with a pause of 0.4 s behind it."""
    parts = []
    for code, seconds in said:
        tone = np.full(int(seconds * RATE), LEVEL[code], dtype=np.float32)
        tone[1::2] *= -1
        parts += [tone, np.zeros(int(0.4 * RATE), dtype=np.float32)]
    return np.concatenate(parts)


def blocks(samples: Samples) -> Iterator[Samples]:
    for at in range(0, len(samples), 50_000):
        yield samples[at : at + 50_000]


def heard(samples: Samples, asked: Asked, resume_at: float = 0.0) -> list[Passage]:
    return list(listen(Babel(), blocks(samples), asked, resume_at))


MEETING = sound(("en", 21.0), ("de", 14.0), ("de", 44.0), ("fr", 12.0), ("en", 33.0))


def test_each_stretch_is_heard_in_its_own_language_and_windows_end_where_it_changes() -> None:
    said = [s for p in heard(MEETING, Asked(main="de")) for s in p.segments]
    way: list[str] = []
    for segment in said:
        assert segment.text == segment.language
        if not way or way[-1] != segment.language:
            way.append(segment.language)
    assert way == ["en", "de", "fr", "en"]
    assert abs(next(s.start for s in said if s.language == "de") - 21.4) < 0.6
    assert spoken_languages(said) == ("de", "en", "fr")


def test_going_on_at_any_checkpoint_gives_the_same_passages() -> None:
    whole = heard(MEETING, Asked(main="de"))
    assert len(whole) > 5
    for number, passage in enumerate(whole[:-1], start=1):
        assert heard(MEETING, Asked(main="de"), passage.upto) == whole[number:]


def test_a_language_that_was_asked_for_holds_for_everything_and_no_segment_names_it() -> None:
    said = [s for p in heard(MEETING, Asked("fr")) for s in p.segments]
    assert {(s.text, s.language) for s in said} == {("fr", "")}


def test_in_english_is_what_is_in_another_language_of_exactly_the_same_stretch() -> None:
    asked = Asked(main="de", english=True, hotwords="Weber", initial_prompt="Guten Tag.")
    with_english = heard(MEETING, asked)
    for passage in with_english:
        foreign = [said for said in passage.segments if said.language not in ("en", "")]
        for said, english in zip(foreign, passage.english, strict=True):
            assert english.text == f"out of {said.language} (None, None)", (
                "vocabulary and prompt are in that language"
            )
            assert (english.start, english.end, english.language) == (said.start, said.end, said.language)
    plain = heard(MEETING, Asked(main="de", hotwords="Weber", initial_prompt="Guten Tag."))
    assert [(p.upto, p.segments) for p in plain] == [(p.upto, p.segments) for p in with_english]
    assert not any(p.english for p in plain)
    assert heard(MEETING, asked, with_english[2].upto) == with_english[3:]
    signs: list[bool] = []
    assert len(list(listen(Babel(), blocks(MEETING), asked, alive=lambda: signs.append(True)))) <= len(signs)
    assert not any(p.english for p in heard(MEETING, Asked("en", english=True)))
    assert {s.language for p in heard(MEETING, Asked("fr", english=True)) for s in p.english} == {""}


class Early(Babel):
    """Ends its answers early, makes words up over the end of them, and translates nothing that is in German."""

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        seconds = min(len(speech) / RATE, 6.0)
        said = "Wir reden heute über den neuen Vertrag"
        if wish.english:
            text = said if wish.language == "de" else "We talk of the new contract"
            if wish.language == "it":
                return Answer((), seconds)
            return Answer((Phrase(0.0, seconds, text, -0.1, 0.0),), seconds)
        loop = Phrase(seconds / 2, seconds, "ja ja ja ja ja ja ja ja ja ja ja ja", -2.0, 0.0)
        return Answer((Phrase(0.0, seconds / 2, said, -0.1, 0.0), loop), seconds)


def test_english_goes_on_where_it_ended_and_is_no_more_than_what_was_said() -> None:
    asked = Asked(main="fr", english=True)
    found = list(listen(Early(), blocks(sound(("fr", 20.0), ("de", 20.0))), asked))
    said = [s for p in found for s in p.segments]
    english = [s for p in found for s in p.english]
    assert {s.mark for s in said if "ja ja" in s.text} == {Mark.REPETITION}
    assert all(s.mark is Mark.UNTRANSLATED for s in english if s.language == "de")
    assert {s.mark for s in english if s.language == "fr"} == {None}
    assert {s.language for s in english} == {"fr", "de"}
    (nothing,) = next(listen(Early(), blocks(sound(("fr", 5.0))), Asked("it", english=True))).english
    assert (nothing.text, nothing.mark) == ("", Mark.UNTRANSLATED), "that there is none is said, too"
    for passage in found:
        ends = [s.end for s in passage.english]
        assert ends == sorted(ends)
        assert all(end <= passage.upto + 0.01 for end in ends)


def test_the_main_language_is_the_one_of_most_of_the_beginning() -> None:
    main = settle(Babel(), blocks(sound(("en", 9.0), ("de", 30.0), ("fr", 9.0))))
    assert main.language == "de"
    assert main.probability > 0.9
    assert settle(Babel(), blocks(sound(("en", 9.0), ("de", 30.0))), ("en", "fr")).language == "en"
    assert settle(Babel(), blocks(np.zeros(RATE * 90, dtype=np.float32))).probability == 0.0


@pytest.mark.shows("transcription:languages-outside")
def test_of_the_languages_that_are_allowed_none_is_sure_where_another_is_spoken() -> None:
    spoken = sound(("de", 30.0))
    assert settle(Babel(), blocks(spoken), ("de", "en")).probability > 0.9
    assert settle(Babel(), blocks(spoken), ("fr", "en")).probability < 0.25


def test_a_few_seconds_of_another_language_do_not_make_it_one_of_the_recordings() -> None:
    said = (Segment(0, 60, "a", language="en"), Segment(60, 61, "b", language="cy"))
    assert spoken_languages(said) == ("en",)
    assert spoken_languages((Segment(0, 1, "b", language="cy"),)) == ("cy",)


class Half(Babel):
    """It hears the first six seconds and the last four of what it is given, and no words between them."""

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        seconds = len(speech) / RATE
        return Answer(
            (Phrase(0.0, 6.0, "at first", -0.1, 0.0), Phrase(seconds - 4.0, seconds, "at last", -0.1, 0.0)),
            seconds,
        )


class Deaf(Babel):
    """It hears no words at all."""

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        return Answer((), len(speech) / RATE)


@pytest.mark.shows("transcription:wordless")
def test_where_somebody_speaks_and_no_phrase_stands_it_is_known_from_when_to_when() -> None:
    def marked(engine: Babel, seconds: float) -> list[tuple[float, float]]:
        passages = listen(engine, blocks(sound(("en", seconds))), Asked("en"))
        return [(s.start, s.end) for p in passages for s in p.segments if s.mark is Mark.WORDLESS]

    ((start, end),) = marked(Half(), 20.0)
    assert start == pytest.approx(6.3, abs=0.2)
    assert end == pytest.approx(16.2, abs=0.4)
    assert marked(Half(), 12.0) == []  # two seconds: a breath, a laugh, a word that was swallowed
    ((start, end),) = marked(Deaf(), 9.0)
    assert start == 0.0
    assert end == pytest.approx(9.0, abs=0.1)
    assert marked(Babel(), 20.0) == []
