"""What was said, what was made up: loops, words over silence, guesses, and how Whisper's times are read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from earmark.domain import Mark
from earmark.transcription.engine import RATE, Phrase
from earmark.transcription.guard import confidence, is_loop, is_phantom, marks
from earmark.transcription.timestamps import split
from hypothesis import given
from hypothesis import strategies as st

TALK = np.full(400, 0.95, dtype=np.float32)
SILENCE = np.full(400, 0.02, dtype=np.float32)
AT = (RATE, 4 * RATE)


def phrase(text: str, logprob: float = -0.2, no_speech: float = 0.01, start: float = 1.0) -> Phrase:
    return Phrase(start, start + 3.0, text, logprob, no_speech)


def mark(text: str, voice: np.ndarray = TALK, logprob: float = -0.2, no_speech: float = 0.01) -> Mark | None:
    (found,) = marks([phrase(text, logprob, no_speech)], voice, [AT])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "We decided to move the release to the tenth of March.",
        "No, no, no, that is not what I said.",
        "Very, very, very good.",
        "Yes. Yes. Yes, exactly.",
        "One two three four five six seven eight nine ten eleven twelve",
        "The more we look, the more we find, and the more we find, the more we have to do.",
    ],
)
def test_plain_speech_has_no_mark(text: str) -> None:
    assert mark(text) is None


def test_words_beside_which_somebody_spoke_for_seconds_of_whom_nothing_stands_there_are_doubtful() -> None:
    few = "He hoped there would be stew."
    enough = few + " Turnips and carrots and bruised potatoes."
    texts = (few, enough, "寒くて静かな朝でした。シチューがあればいいなと。")
    found = [marks([Phrase(0.0, 12.0, text, -0.2, 0.01)], TALK, [(0, 12 * RATE)])[0] for text in texts]
    assert found == [Mark.LOW_CONFIDENCE, None, None]
    assert mark(few) is None


@pytest.mark.parametrize(
    "text",
    [
        "I don't know. " * 8,
        "and the other is the other is the other is the other is the other is",
        "la la la la la la la la la la",
        "会議の会議の会議の会議の会議の会議の会議の会議の会議の会議の会議の会議の",
        "Но נה, " + "'" * 60,
        "and " + "a" * 60,
    ],
)
def test_a_text_that_repeats_itself_is_a_loop(text: str) -> None:
    assert is_loop(text)
    assert mark(text) is Mark.REPETITION


def test_words_where_nobody_spoke_are_over_silence() -> None:
    assert mark("We should call the customer.", SILENCE) is Mark.OVER_SILENCE


@pytest.mark.parametrize(
    "text", ["Thank you for watching!", "You", "Thanks for watching.", "[MUSIC]", ".", "♪♪"]
)
def test_what_subtitles_end_with_is_believed_only_over_clear_speech(text: str) -> None:
    assert is_phantom(text)
    murmur = np.where(np.arange(400) % 8 == 0, 0.9, 0.1).astype(np.float32)
    assert mark(text, murmur) is Mark.OVER_SILENCE
    assert mark(text, TALK, no_speech=0.9) is Mark.OVER_SILENCE


def talk(*seconds: float, pause: float = 0.3, peak: float = 0.97) -> np.ndarray:
    """Frames with bursts of voice of so many seconds, a pause after each; silence to the end of four seconds."""
    frames: list[float] = [0.02] * 32
    for length in seconds:
        frames += [peak] * round(length / 0.032) + [0.02] * round(pause / 0.032)
    return np.array([*frames, *[0.02] * (400 - len(frames))], dtype=np.float32)


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("Thank you.", talk(0.6)),
        ("Bye.", talk(0.35)),
        ("Thank you very much.", talk(0.4, 0.7)),
        ("Thanks for watching.", talk(1.1)),
        ("We will win. We will win. We will win. We will win.", talk(0.7, 0.7, 0.7, 0.7, pause=0.1)),
        ("No, no, no, no, no, no, no, no.", talk(*[0.4] * 8, pause=0.1)),
    ],
)
@pytest.mark.shows("transcription:inventions")
def test_what_looks_like_an_invention_is_speech_over_as_much_voice_as_it_takes(
    text: str, voice: np.ndarray
) -> None:
    # Whisper lets a short word last for seconds: how much of them is voice says nothing.
    assert mark(text, voice, no_speech=0.5) is None


@pytest.mark.parametrize(
    ("text", "voice", "found"),
    [
        ("Thank you.", talk(0.25), Mark.OVER_SILENCE),
        ("You", talk(0.06, 0.06, 0.06, 0.06), Mark.OVER_SILENCE),
        ("Thank you.", talk(0.6, peak=0.7), Mark.OVER_SILENCE),
        ("Thanks for watching.", talk(0.6), Mark.OVER_SILENCE),
        ("Thank you.", TALK, Mark.LOW_CONFIDENCE),
        ("We will win. " * 8, talk(0.7, 0.7, 0.7, pause=0.1), Mark.REPETITION),
        ("We will win. " * 4, talk(2.8), Mark.REPETITION),
        ("No, " * 9, TALK, Mark.REPETITION),
    ],
)
@pytest.mark.shows("transcription:inventions")
def test_it_is_an_invention_over_less_voice_another_voice_or_more(
    text: str, voice: np.ndarray, found: Mark
) -> None:
    assert mark(text, voice, no_speech=0.5) is found


def test_half_of_the_voice_will_do_where_the_engine_is_sure_that_somebody_spoke() -> None:
    assert mark("Thank you.", talk(0.25, peak=0.77), no_speech=0.03) is None
    assert mark("Thank you.", talk(0.1, peak=0.77), no_speech=0.03) is Mark.OVER_SILENCE


def test_from_the_third_time_on_the_same_sentence_is_an_echo_unless_each_has_its_own_voice() -> None:
    texts = ["Let us go on.", "I will do it then.", "I will do it then.", "I will do it then.", "Good."]
    found = marks([phrase(t) for t in texts], TALK, [AT] * 5)
    assert found == [None, None, None, Mark.REPETITION, None]
    assert marks([phrase(t) for t in texts], talk(1.2), [AT] * 5)[3] is None


def test_a_guess_is_marked_as_low_confidence() -> None:
    assert mark("when church arts yarn", logprob=-1.2) is Mark.LOW_CONFIDENCE
    assert (
        mark(" ".join("one two three four five six seven eight nine ten".split() * 3 + ["x"])[:140])
        is not None
    )


@given(st.floats(-1e6, 1e6))
def test_confidence_lies_between_nothing_and_certainty(logprob: float) -> None:
    assert 0.0 <= confidence(phrase("x", logprob)) <= 1.0
    assert confidence(phrase("x", -0.5)) == pytest.approx(math.exp(-0.5))


ZERO = 1000


def time_token(seconds: float) -> int:
    return ZERO + round(seconds / 0.02)


def test_an_answer_with_all_its_times_is_complete() -> None:
    tokens = [ZERO, 1, 2, time_token(5), time_token(5), 3, time_token(9.5)]
    runs, reached = split(tokens, ZERO, 10.0)
    assert [(a, b) for a, b, _ in runs] == [(0.0, 5.0), (5.0, 9.5)]
    assert reached == 10.0


def test_a_sentence_without_its_end_is_heard_again_from_its_start() -> None:
    tokens = [ZERO, 1, 2, time_token(5), time_token(5), 3, 4]
    runs, reached = split(tokens, ZERO, 10.0)
    assert [(a, b) for a, b, _ in runs] == [(0.0, 5.0)]
    assert reached == 5.0


def test_an_answer_that_stops_early_is_asked_on_from_there() -> None:
    assert split([ZERO, 1, 2, time_token(12)], ZERO, 28.0)[1] == 12.0
    assert split([ZERO, 1, time_token(5), time_token(5), 2, time_token(12)], ZERO, 28.0)[1] == 12.0


def test_an_answer_without_times_is_one_sentence() -> None:
    assert split([1, 2, 3], ZERO, 7.0) == ([(0.0, 7.0, [1, 2, 3])], 7.0)
    assert split([], ZERO, 7.0) == ([(0.0, 7.0, [])], 7.0)


def test_words_that_took_no_time_were_not_said() -> None:
    tokens = [ZERO, 1, time_token(5), time_token(5), 2, time_token(5), time_token(5), 3, time_token(10)]
    assert [run for _, _, run in split(tokens, ZERO, 10.0)[0]] == [tokens[:3], tokens[6:]]


@given(
    st.lists(st.one_of(st.integers(0, ZERO - 1), st.integers(ZERO, ZERO + 1500)), max_size=60),
    st.floats(0.1, 30.0),
)
def test_whatever_the_model_writes_hearing_goes_on_and_times_stay_inside(
    tokens: list[int], seconds: float
) -> None:
    runs, reached = split(tokens, ZERO, seconds)
    assert min(1.0, seconds) <= reached <= seconds
    assert all(0.0 <= first <= last <= seconds for first, last, _ in runs)
