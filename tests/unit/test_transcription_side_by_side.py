"""Windows that are heard side by side: no word is lost, doubled or moved, in whatever order they are ready."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
from earmark.transcription.engine import RATE, Answer, Phrase, Samples, Weight, Wish
from earmark.transcription.hearing import Asked, Passage, listen
from earmark.transcription.side_by_side import AHEAD, side_by_side
from earmark.transcription.windows import FRAME
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

WORD = 0.32
"""Seconds that each word lasts."""


class Reading:
    """An engine that reads numbers: a word is as loud as its number says. It ends each answer after `most` words, as Whisper
    ends some early; whoever asks for an odd word first has to wait until another one has been answered.
    """

    name, device, compute_type, multilingual = "reading", "cpu", "none", True

    def __init__(self, most: int = 1000, slow: bool = False) -> None:
        self.most = most
        self._others = threading.Event() if slow else None

    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def voice(self, samples: Samples) -> NDArray[np.float32]:
        padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        return np.asarray(np.abs(padded).max(axis=1) > 0.05, dtype=np.float32)

    def language_odds(self, speech: Samples) -> Mapping[str, float]:
        return {"en": 1.0}

    def language_odds_within(
        self, speech: Samples, pieces: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, float]]:
        return [{"en": 1.0} for _ in pieces]

    def hear(self, speech: Samples, wish: Wish) -> Answer:
        loud = np.round(np.abs(speech) * 10_000).astype(int)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], loud, [0]))))
        words = [(int(a), int(b), int(loud[a])) for a, b in itertools.pairwise(edges) if loud[a]]
        if self._others is not None and words:
            if words[0][2] % 2:
                self._others.wait(0.5)
            else:
                self._others.set()
        said = tuple(Phrase(a / RATE, b / RATE, str(n), -0.1, 0.0) for a, b, n in words[: self.most])
        ended = len(words) > self.most
        return Answer(said, said[-1].end if ended else len(speech) / RATE)

    def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
        raise AssertionError("no name is known here")


def spoken(pauses: Sequence[float]) -> Samples:
    """The numbers from 1000 on, a word each, with these pauses in seconds after them."""
    parts = []
    for number, pause in enumerate(pauses, start=1000):
        word = np.full(int(WORD * RATE), number / 10_000, dtype=np.float32)
        word[1::2] *= -1
        parts += [word, np.zeros(int(pause * RATE), dtype=np.float32)]
    return np.concatenate(parts)


def blocks(samples: Samples) -> Iterator[Samples]:
    for at in range(0, len(samples), 50_000):
        yield samples[at : at + 50_000]


def heard(engine: Reading, samples: Samples, resume_at: float = 0.0, at_once: int = 1) -> list[Passage]:
    return list(listen(engine, blocks(samples), Asked("en"), resume_at, at_once=at_once))


def words(passages: Sequence[Passage]) -> list[str]:
    return [segment.text for passage in passages for segment in passage.segments]


talk = st.lists(st.sampled_from([0.1, 0.2, 0.5, 1.0, 3.0]), min_size=1, max_size=250)


@pytest.mark.shows("transcription:side-by-side")
@given(pauses=talk, most=st.sampled_from([3, 17, 1000]), at_once=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_however_many_windows_are_heard_at_once_no_word_is_lost_doubled_or_moved(
    pauses: list[float], most: int, at_once: int
) -> None:
    samples = spoken(pauses)
    found = heard(Reading(most, slow=at_once > 1), samples, at_once=at_once)
    assert words(found) == [str(number) for number in range(1000, 1000 + len(pauses))]
    assert found == heard(Reading(most), samples)
    starts = np.cumsum([0.0, *(WORD + pause for pause in pauses)])
    said = [segment for passage in found for segment in passage.segments]
    assert all(abs(s.start - at) < 0.06 for s, at in zip(said, starts, strict=False))


@pytest.mark.shows("durability:side-by-side")
@given(pauses=talk, data=st.data())
@settings(max_examples=25, deadline=None)
def test_whoever_goes_on_after_any_window_hears_those_that_are_missing(
    pauses: list[float], data: st.DataObject
) -> None:
    samples = spoken(pauses)
    whole = heard(Reading(17), samples)
    number = data.draw(st.integers(0, len(whole) - 1))
    assert heard(Reading(17), samples, whole[number].upto, at_once=3) == whole[number + 1 :]


def test_no_more_is_taken_from_the_source_than_is_worked_on_and_what_comes_next() -> None:
    taken: list[int] = []
    ready = threading.Event()

    def source() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    def do(number: int) -> int:
        ready.wait(10)
        return number * number

    results = side_by_side(do, source(), 3)
    first = threading.Thread(target=lambda: taken.append(next(results)))
    first.start()
    while len(taken) < 3 * AHEAD:
        first.join(0.01)
    assert taken == list(range(3 * AHEAD)), "the first result is waited for"
    ready.set()
    first.join(10)
    assert list(results) == [number * number for number in range(1, 20)]


def test_a_piece_that_fails_is_the_last_and_what_came_before_it_is_there() -> None:
    def do(number: int) -> int:
        if number == 4:
            raise MemoryError
        return number

    results = side_by_side(do, iter(range(100)), 3)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(MemoryError):
        next(results)


class Letting:
    """Somebody who waits to be let in as soon as so many pieces were begun."""

    def __init__(self, after: set[int]) -> None:
        self.after, self.at_work, self.begun = set(after), 0, 0
        self.let_in: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def do(self, number: int) -> int:
        with self._lock:
            self.at_work += 1
            self.begun += 1
        threading.Event().wait(0.001)
        with self._lock:
            self.at_work -= 1
        return number * number

    def wanted(self) -> bool:
        return any(self.begun >= at for at in self.after)

    def hear(self) -> None:
        if self.wanted():
            self.let_in.append((self.begun, self.at_work))
            self.after.remove(min(self.after))


@pytest.mark.shows("transcription:between")
@given(after=st.sets(st.integers(0, 29), max_size=5), at_once=st.integers(1, 5), count=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_whoever_waits_is_let_in_while_nothing_is_worked_on_and_no_piece_is_done_twice_or_left_out(
    after: set[int], at_once: int, count: int
) -> None:
    others = Letting({at for at in after if at < count})
    assert list(side_by_side(others.do, range(count), at_once, others)) == [n * n for n in range(count)]
    assert others.begun == count
    assert all(at_work == 0 for _, at_work in others.let_in)
    assert len(others.let_in) == sum(at < count for at in after) or at_once == 1
