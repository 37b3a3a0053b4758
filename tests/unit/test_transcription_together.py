"""Calls that are made for several threads at a time, and a memory that is not enough for so many."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from earmark.transcription.device import MOST_ON_CARD, ON_ANY_CARD, batch_for, free_on_card
from earmark.transcription.together import Together
from hypothesis import given, settings
from hypothesis import strategies as st

NO_MEMORY = "CUDA failed with error out of memory"


class Card:
    """Squares numbers, so many at a time; keeps how many each call had."""

    def __init__(self, holds: int = 100) -> None:
        self.holds, self.calls, self.busy = holds, list[int](), threading.Lock()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        assert self.busy.acquire(blocking=False), "one call at a time"
        try:
            self.calls.append(len(numbers))
            if len(numbers) > self.holds:
                raise RuntimeError(NO_MEMORY)
            return [number * number for number in numbers]
        finally:
            self.busy.release()


def ask(together: Together, card: Card, count: int, keys: int, threads: int) -> list[int]:
    def one(number: int) -> int:
        with together.inside():
            return together.do(number % keys, number, card)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.shows("transcription:gpu-batches")
@given(
    most=st.integers(1, 8), threads=st.integers(1, 8), keys=st.integers(1, 3), holds=st.sampled_from([1, 2, 3, 100])
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_each_gets_its_own_answer_however_many_are_asked_in_one_call_and_whatever_the_card_holds(
    most: int, threads: int, keys: int, holds: int
) -> None:
    card, together = Card(holds), Together(most)
    assert ask(together, card, 12, keys, threads) == [number * number for number in range(12)]
    assert max(card.calls) <= most
    refused = [size for size in card.calls if size > holds]
    assert together.most == (max(1, min(refused) // 2) if refused else most)
    assert len(refused) <= 4, "what was too much once is not asked again"


@pytest.mark.shows("transcription:gpu-batches")
def test_what_is_asked_at_the_same_time_goes_in_one_call() -> None:
    card, together, ready = Card(), Together(8), threading.Barrier(8)

    def one(number: int) -> int:
        with together.inside():
            ready.wait(20)
            return together.do("same", number, card)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [number * number for number in range(8)]
    assert card.calls == [8]


def test_what_does_not_even_fit_alone_or_fails_otherwise_is_raised_to_who_asked() -> None:
    together = Together(4)

    def refuse(numbers: Sequence[int]) -> list[int]:
        raise RuntimeError(NO_MEMORY)

    with pytest.raises(RuntimeError, match="out of memory"):
        together.do("a", 1, refuse)

    def fall_over(numbers: Sequence[int]) -> list[int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together.do("a", 1, fall_over)
    assert together.do("a", 2, lambda numbers: [n + 1 for n in numbers]) == 3, "it goes on"


@pytest.mark.shows("transcription:gpu-batches")
def test_a_batch_goes_by_the_memory_that_is_free_on_the_card() -> None:
    gigabyte, turbo, tiny = 10**9, 1_600_000_000, 75_000_000
    assert batch_for(None, turbo) == ON_ANY_CARD
    assert batch_for(0, turbo) == 1
    sizes = [batch_for(free * gigabyte, turbo) for free in (1, 2, 4, 8, 16, 80)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert sizes[-1] == MOST_ON_CARD
    assert batch_for(4 * gigabyte, tiny) > batch_for(4 * gigabyte, turbo)


class Driver:
    """NVIDIA's, as far as it is asked; each function gives 0 where it does not fail."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            if name == "cuMemGetInfo_v2":
                ctypes.memmove(
                    arguments[0], ctypes.byref(ctypes.c_size_t(12345)), ctypes.sizeof(ctypes.c_size_t)
                )
            return int(name == self.fails)

        return call


def test_a_driver_that_is_not_there_or_fails_says_nothing_of_its_memory() -> None:
    assert free_on_card(lambda name: Driver()) == 12345
    assert free_on_card(lambda name: Driver("cuInit")) is None
    assert free_on_card(lambda name: Driver("cuMemGetInfo_v2")) is None
    assert free_on_card(lambda name: object()) is None

    def missing(name: str) -> Any:
        raise OSError(name)

    assert free_on_card(missing) is None
