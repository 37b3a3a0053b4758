"""Turns become the speakers of a transcript, and no word is lost, moved or changed by that."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from earmark.domain import Mark, Segment, Transcript
from earmark.speaking import LEAST_SECONDS, LEAST_WORDS, Turn, as_told, names_after, with_speakers
from hypothesis import given
from hypothesis import strategies as st


def transcript(*segments: Segment, english: tuple[Segment, ...] = ()) -> Transcript:
    return Transcript(
        "5e" * 32, segments, "en", 0.9, 60.0, 20.0, "tiny.en", "faster-whisper", english=english
    )


def said(found: Transcript) -> list[tuple[int, str]]:
    return [(segment.speaker, segment.text) for segment in found.segments]


ANNA_THEN_BEN = (Turn(0.0, 6.0, 1), Turn(6.0, 20.0, 2))


def test_each_segment_gets_the_speaker_with_the_most_seconds_under_it() -> None:
    spoken = transcript(
        Segment(0.0, 4.0, " Good morning."), Segment(5.9, 9.0, " Yes, morning."), Segment(20.3, 21.0, " Bye.")
    )
    found = with_speakers(spoken, ANNA_THEN_BEN)
    assert said(found) == [(1, " Good morning."), (2, " Yes, morning."), (2, " Bye.")], "half a second after"
    assert (found.speakers, found.speakers_unsure) == (("", ""), False)
    far = with_speakers(transcript(*spoken.segments, Segment(25.0, 26.0, " Who?")), ANNA_THEN_BEN)
    assert said(far)[-1] == (0, " Who?")
    named = with_speakers(spoken, ANNA_THEN_BEN, names=("Anna",), unsure=True)
    assert (named.speakers, named.speakers_unsure) == (("Anna", ""), True)


@pytest.mark.shows("transcription:names-told-again")
def test_who_is_told_apart_again_keeps_the_name_whatever_the_number() -> None:
    spoken = transcript(
        Segment(0.0, 4.0, " One."), Segment(7.0, 9.0, " Two."), Segment(12.0, 15.0, " Three.")
    )
    turns = (Turn(0.0, 6.0, 1), Turn(6.0, 10.0, 2), Turn(11.0, 20.0, 3))
    before = with_speakers(spoken, turns, names=("Anna", "Ben", "Cleo"))
    split = (Turn(0.0, 1.0, 1), Turn(1.0, 6.0, 2), Turn(6.0, 10.0, 3), Turn(11.0, 20.0, 4))
    assert names_after(before, split) == ("", "Anna", "Ben", "Cleo"), "who has most of it is her"
    fewer = (Turn(0.0, 6.0, 1), Turn(6.0, 10.0, 1), Turn(11.0, 20.0, 2))
    assert names_after(before, fewer) == ("Anna", "Cleo")
    assert names_after(with_speakers(spoken, turns), split) == names_after(before, ()) == ()


def test_a_segment_in_which_another_begins_to_speak_is_cut_between_two_words() -> None:
    segment = Segment(0.0, 10.0, " How are you today? I am fine, thanks.", 0.7, Mark.LOW_CONFIDENCE, "en")
    found = with_speakers(transcript(segment), (Turn(0.0, 5.1, 1), Turn(5.1, 10.0, 2)))
    assert said(found) == [(1, " How are you today?"), (2, "I am fine, thanks.")]
    first, second = found.segments
    assert (first.start, second.end) == (0.0, 10.0)
    assert first.end <= second.start < 5.3
    assert {(s.confidence, s.mark, s.language) for s in found.segments} == {(0.7, Mark.LOW_CONFIDENCE, "en")}


@pytest.mark.shows("transcription:first-word")
def test_where_the_times_of_words_are_known_a_turn_begins_with_its_first_word() -> None:
    segment = Segment(0.0, 10.0, " How are you today? I am fine, thanks.")
    times = ((0.0, 0.2, 1), (0.2, 0.4, 5), (0.4, 0.6, 9), (0.6, 1.2, 13), (1.5, 1.7, 20), (1.7, 2.0, 22),
             (2.0, 2.3, 25), (9.0, 9.9, 31))  # fmt: skip
    turns = (Turn(0.0, 1.3, 1), Turn(1.4, 10.0, 2))
    found = with_speakers(transcript(replace(segment, words=times)), turns)
    assert said(found) == [(1, " How are you today?"), (2, "I am fine, thanks.")]
    assert [(s.start, s.end) for s in found.segments] == [(0.0, 1.2), (1.5, 10.0)]
    first, second = found.segments
    assert first.words == times[:4]
    assert [(start, second.text[at]) for start, _, at in second.words] == [
        (1.5, "I"),
        (1.7, "a"),
        (2.0, "f"),
        (9.0, "t"),
    ]
    wild = ((-3.0, 0.2, 0), (0.9, 1.0, 4), (0.1, 0.3, 8), (0.6, 1.2, 12), (-3.0, 2.5, 19), (99.0, 99.5, 22), (2.0, 2.3, 25),
            (9.0, 9.9, 31))  # fmt: skip
    bounded = with_speakers(transcript(replace(segment, words=wild)), turns)
    assert said(bounded) == said(found)
    assert [(s.start, s.end) for s in bounded.segments] == [(0.0, 0.9), (0.9, 10.0)], (
        "forward, and not outside"
    )
    impossible = ((0.0, 1.0, 12), (1.0, 2.0, 4))
    evenly = with_speakers(transcript(segment), turns)
    unmeasured = with_speakers(transcript(replace(segment, words=impossible)), turns)
    assert [(s.start, s.end, s.text) for s in unmeasured.segments] == [
        (s.start, s.end, s.text) for s in evenly.segments
    ]


def test_a_segment_is_theirs_who_say_its_words_however_long_another_is_heard_under_it() -> None:
    late = Segment(0.0, 20.0, "I see it so too.", words=((16.0, 16.5, 0), (16.5, 17.0, 2), (17.0, 19.0, 6)))
    found = with_speakers(
        transcript(Segment(0.0, 1.0, "Well."), late), (Turn(0.0, 12.0, 1), Turn(16.0, 19.5, 2))
    )
    assert said(found) == [(1, "Well."), (2, "I see it so too.")]


def test_what_is_written_without_spaces_is_cut_between_its_words_and_keeps_each_character() -> None:
    times = ((0.0, 1.0, 0), (1.0, 2.0, 2), (2.0, 2.9, 3), (3.4, 4.0, 6), (4.0, 5.0, 7))
    segment = Segment(0.0, 5.0, "今天下雨吗？不下雨。", words=times)
    found = with_speakers(transcript(segment), (Turn(0.0, 3.0, 1), Turn(3.2, 5.0, 2)))
    assert said(found) == [(1, "今天下雨吗？"), (2, "不下雨。")]
    assert found.segments[1].words == ((3.4, 4.0, 0), (4.0, 5.0, 1))
    within_a_word = Segment(0.0, 5.0, "tomorrow morning", words=((0.0, 1.0, 0), (3.4, 4.0, 4), (4.0, 5.0, 9)))
    whole = with_speakers(transcript(within_a_word), (Turn(0.0, 3.0, 1), Turn(3.2, 5.0, 2)))
    assert said(whole) == [(0, "tomorrow morning")], "no word of letters is cut"


def test_a_single_word_between_is_nobodys_turn() -> None:
    segment = Segment(0.0, 10.0, "So we will meet on Friday yes and then we will see about it.")
    found = with_speakers(
        transcript(segment, Segment(10.0, 14.0, "I see it so too.")),
        (Turn(0.0, 4.2, 1), Turn(4.2, 4.8, 2), Turn(4.8, 10.0, 1), Turn(10.0, 14.0, 2)),
    )
    assert said(found) == [(1, segment.text), (2, "I see it so too.")]


def test_what_several_say_at_once_is_marked() -> None:
    turns = (Turn(0.0, 8.0, 1), Turn(5.0, 12.0, 2), Turn(12.0, 15.0, 1, overlapped=True))
    found = with_speakers(
        transcript(Segment(0.0, 5.0, "one two"), Segment(5.0, 8.5, "three four"), Segment(8.5, 12.0, "five six"),
                   Segment(12.0, 15.0, "seven eight")),
        turns,
    )  # fmt: skip
    assert [(s.speaker, s.overlapped) for s in found.segments] == [
        (1, False),
        (1, True),
        (2, False),
        (1, True),
    ]


def test_one_voice_is_shown_as_no_speaker_at_all() -> None:
    spoken = transcript(Segment(0.0, 4.0, "Good morning."), Segment(5.0, 9.0, "It rains."))
    for turns in ((), (Turn(0.0, 9.0, 1),), (Turn(0.0, 9.0, 1), Turn(20.0, 30.0, 2))):
        assert with_speakers(spoken, turns, names=("Anna",), unsure=True) == spoken
    again = with_speakers(with_speakers(spoken, (Turn(0.0, 4.5, 1), Turn(4.5, 9.0, 2))), ())
    assert again == spoken, "what was known before is not known any more"


@pytest.mark.shows("transcription:speakers-alike")
def test_one_voice_that_may_be_two_is_no_speaker_and_is_said_to_be_uncertain() -> None:
    spoken = transcript(Segment(0.0, 4.0, "Good morning."), Segment(5.0, 9.0, "It rains."))
    assert with_speakers(spoken, (Turn(0.0, 9.0, 1),), unsure=True) == spoken, "of a minute nobody can tell"
    spoken = replace(spoken, duration=180.0)
    found = with_speakers(spoken, (Turn(0.0, 9.0, 1),), unsure=True)
    assert found == replace(spoken, speakers_unsure=True)
    assert as_told(found) == found


def test_english_gets_the_speakers_and_is_not_cut() -> None:
    english = (Segment(0.0, 10.0, "How are you? I am fine, thank you very much."),)
    spoken = transcript(Segment(0.0, 10.0, "Wie geht es dir? Danke, mir geht es gut."), english=english)
    found = with_speakers(spoken, (Turn(0.0, 4.0, 1), Turn(4.0, 10.0, 2)))
    assert len(found.segments) == 2
    assert found.english == (replace(english[0], speaker=2),)


def test_what_is_not_sure_is_not_told() -> None:
    spoken = transcript(Segment(0.0, 4.0, "Good morning."), Segment(6.0, 9.0, "It rains."))
    found = with_speakers(spoken, ANNA_THEN_BEN)
    assert as_told(found) is found
    unsure = with_speakers(spoken, ANNA_THEN_BEN, ("Anna", "Ben"), unsure=True)
    assert as_told(unsure) == replace(spoken, speakers_unsure=True)


TEXTS = st.text(st.sampled_from("ab.?  \n\tß中"), max_size=60)
TIMES = st.lists(
    st.tuples(st.floats(-5, 100) | st.just(float("nan")), st.floats(-5, 100), st.integers(-2, 70)),
    max_size=12,
)
IN_ORDER = TIMES.map(lambda times: sorted(times, key=lambda time: time[2]))
SEGMENTS = st.lists(
    st.builds(
        lambda start, long, text, mark, words: Segment(
            start, start + long, text, 0.5, mark, "de", words=tuple(words)
        ),
        st.floats(0, 60),
        st.floats(0, 30),
        TEXTS,
        st.sampled_from([None, None, None, Mark.LOW_CONFIDENCE, Mark.REPETITION]),
        TIMES | IN_ORDER,
    ),
    max_size=6,
)
TURNS = st.lists(
    st.builds(
        lambda start, long, speaker, several: Turn(start, start + long, speaker, several),
        st.floats(0, 90),
        st.floats(-1, 20),
        st.integers(0, 4),
        st.booleans(),
    ),
    max_size=12,
).map(lambda turns: sorted(turns, key=lambda turn: turn.start))


@given(SEGMENTS, TURNS)
def test_no_word_is_lost_moved_or_changed(segments: list[Segment], turns: list[Turn]) -> None:
    found = list(with_speakers(transcript(*segments), turns).segments)
    for segment in segments:
        pieces, places = [found.pop(0)], [0]
        while (reached := places[-1] + len(pieces[-1].text)) < len(segment.text):
            places.append(reached + (segment.text[reached] == " " and not found[0].text.startswith(" ")))
            pieces.append(found.pop(0))
        assert [p.text for p in pieces] == [
            segment.text[place : place + len(p.text)] for p, place in zip(pieces, places, strict=True)
        ]
        assert (pieces[0].start, pieces[-1].end) == (segment.start, segment.end)
        for before, after in pairwise(pieces):
            assert before.end <= after.start
            assert before.speaker != after.speaker
        for piece, place in zip(pieces, places, strict=True):
            assert piece.start <= piece.end
            assert replace(
                piece, start=0, end=0, text="", speaker=0, overlapped=False, words=()
            ) == replace(segment, start=0, end=0, text="", words=())  # fmt: skip
            if len(pieces) > 1:
                assert piece.end - piece.start >= LEAST_SECONDS
                assert len(piece.words) >= LEAST_WORDS or len(piece.text.split()) >= LEAST_WORDS
                words = [(start, end, at + place) for start, end, at in piece.words]
                assert set(words) <= {*segment.words}
        if len(pieces) > 1:
            cut_away = {place - 1 for place in places[1:] if segment.text[place - 1] == " "}
            kept = [word for word in segment.words if word[2] not in cut_away]
            assert sum(len(piece.words) for piece in pieces) in (len(kept), 0)
    assert not found


def test_four_hours_of_speech_take_a_second_or_so() -> None:
    spoken = transcript(
        *(Segment(i * 4.0, i * 4.0 + 4.0, "so and so it was said here") for i in range(3_600))
    )
    began = time.process_time()
    found = with_speakers(spoken, tuple(Turn(i * 3.0, i * 3.0 + 3.0, i % 5 + 1) for i in range(4_800)))
    assert len(found.speakers) == 5
    assert time.process_time() - began < 10


def test_a_segment_of_more_words_than_an_answer_has_takes_no_minutes() -> None:
    turns = [Turn(n / 5, (n + 1) / 5, 1 + n % 2) for n in range(900)]
    begun = time.process_time()
    told = with_speakers(transcript(Segment(0.0, 180.0, "a " * 900, 0.9)), turns)
    assert "".join(f"{segment.text} " for segment in told.segments).split() == ["a"] * 900
    assert len(with_speakers(transcript(Segment(0.0, 180.0, "a " * 9_000, 0.9)), turns).segments) == 1
    assert time.process_time() - begun < 2
