"""Tokens and when they are heard become the times of words; where they are not of the same text, there are none."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from earmark.domain import WordTimes
from earmark.transcription.windows import FRAME
from earmark.transcription.word_times import begins, respelled, spoken, within, word_times
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.sampled_from(list("ab,.\"'  é中文。ก็คา\N{DEVANAGARI LETTER KA}")), max_size=30)


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, list[int], list[float]]:
    """A text, its bytes cut into tokens anywhere, and when each of these begins."""
    text = draw(TEXTS)
    size = len(text.encode())
    cuts = sorted(draw(st.sets(st.integers(1, max(1, size - 1)), max_size=12)) - {size}) if size > 1 else []
    sizes = [b - a for a, b in pairwise([0, *cuts, size])] if size else []
    steps = draw(st.lists(st.integers(0, 100), min_size=len(sizes) + 1, max_size=len(sizes) + 1))
    return text, sizes, [step / 50 for step in accumulate(steps)]


def heard(words: WordTimes, text: str) -> list[str]:
    """The words as the text has them, each up to where the next begins."""
    edges = [*(at for _, _, at in words), len(text)]
    return [text[a:b].rstrip() for a, b in pairwise(edges)]


def test_a_word_is_said_from_its_first_letter_to_its_last_and_a_pause_behind_it_is_none_of_it() -> None:
    said = ' "How are you?" Fine.'
    sizes = [2, 3, 4, 4, 2, 5, 1]  # _" How _are _you ?" _Fine .
    found = word_times(said, sizes, [0.0, 0.2, 0.5, 0.7, 1.0, 2.5, 3.0, 3.2])
    assert heard(found, said.strip()) == ['"How', "are", 'you?"', "Fine."]
    assert [(start, end) for start, end, _ in found] == [(0.0, 0.5), (0.5, 0.7), (0.7, 1.0), (2.5, 3.0)]


def test_where_no_spaces_are_written_each_token_is_a_word_and_a_mark_is_none() -> None:
    said = "今天下雨。我们不去"
    found = word_times(said, [6, 3, 3, 3, 6, 6], [0.0, 0.5, 0.7, 1.0, 2.0, 2.4, 3.0])
    assert heard(found, said) == ["今天", "下", "雨。", "我们", "不去"]
    assert [(start, end) for start, end, _ in found] == [
        (0.0, 0.5),
        (0.5, 0.7),
        (0.7, 1.0),
        (2.0, 2.4),
        (2.4, 3.0),
    ]
    halves = word_times(said, [7, 5, 3, 3, 6, 3], [0.0, 0.5, 0.7, 1.0, 2.0, 2.4, 3.0])
    assert heard(halves, said) == ["今天下雨。", "我", "们不", "去"], "none begins within a letter"


def test_a_pause_beside_a_word_is_no_part_of_it() -> None:
    def frames(pattern: str) -> tuple[float, float]:
        voice = np.array([0.9 if frame == "x" else 0.1 for frame in pattern], dtype=np.float32)
        first, last = spoken(0, len(pattern) * FRAME, voice)
        return first / FRAME, last / FRAME

    assert frames("xxx......xxxx") == (9, 13), "an alignment gives a pause to what is said behind it"
    assert frames("....xxxxxxx") == (0, 11), "it is no pause that is as short as that"
    assert frames("xxxx......") == (0, 4)
    assert frames("xxxx......x") == (0, 4), "a frame is no word"
    assert frames("......") == (0, 6), "soft words are words"
    assert spoken(5 * FRAME, 3 * FRAME, np.zeros(9, dtype=np.float32)) == (5 * FRAME, 3 * FRAME)


def test_an_alignment_of_other_tokens_and_tokens_of_another_text_give_no_times() -> None:
    assert begins([(0, 0), (0, 1), (1, 7), (2, 7), (2, 9)], 2) == [0.0, 0.14, 0.14]
    for wrong in ([], [(0, 0)], [(0, 0), (2, 3)], [(0, 0), (1, 4), (0, 5), (2, 6)], [(0, 9), (1, 4), (2, 6)]):
        assert begins(wrong, 2) is None
    assert word_times("one two", [3, 4], [0.0, 1.0, 2.0])
    assert word_times("one two", [3, 3], [0.0, 1.0, 2.0]) == ()
    assert word_times("one two", [3, 4], [0.0, 1.0]) == ()
    assert word_times("one \N{REPLACEMENT CHARACTER}", [4, 3], [0.0, 1.0, 2.0]) == ()


@given(tokens())
def test_times_go_forward_and_each_word_begins_where_it_says(
    drawn: tuple[str, list[int], list[float]],
) -> None:
    said, sizes, times = drawn
    text = said.strip()
    found = word_times(said, sizes, times)
    places = [at for _, _, at in found]
    assert places == sorted({*places})
    assert all(not text[at].isspace() for at in places)
    assert {at for at in range(len(text)) if (" " + text)[at].isspace() and not text[at].isspace()} <= {
        *places
    }
    assert "".join(heard(found, text)).replace(" ", "") == text.replace(" ", "")
    assert all({start, end} <= {*times} and start <= end for start, end, _ in found)
    assert all(before[0] <= after[0] for before, after in pairwise(found))
    placed = within(found, 1.0, 2.0)
    assert [word[2] for word in placed] == places
    assert all(1.0 <= start <= end <= 2.0 for start, end, _ in placed)
    assert all(before[0] <= after[0] for before, after in pairwise(placed))


@given(tokens(), st.data())
def test_a_name_that_is_spelled_otherwise_moves_the_words_behind_it(
    drawn: tuple[str, list[int], list[float]], data: st.DataObject
) -> None:
    said, sizes, times = drawn
    text = said.strip()
    words = word_times(said, sizes, times)
    first = data.draw(st.integers(0, max(0, len(text) - 1)))
    last = data.draw(st.integers(first, len(text)))
    name = data.draw(st.sampled_from(["Al", "Zamani al", "x"]))
    other = text[:first] + name + text[last:]
    found = respelled(words, first, last, len(name))
    places = [at for _, _, at in found]
    assert places == sorted({*places})
    assert all(at < len(other) for at in places)
    assert [(start, other[at:]) for start, _, at in found if at >= first + len(name)] == [
        (start, text[at:]) for start, _, at in words if at >= last
    ]
    assert [(s, at) for s, _, at in found if at < first] == [(s, at) for s, _, at in words if at < first]
