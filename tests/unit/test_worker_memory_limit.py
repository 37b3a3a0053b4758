"""How much address space a transcription worker gets."""

from __future__ import annotations

import pytest
from earmark.allowance import Allowance
from earmark.supervisor.sizing import (
    MOST_AT_ONCE,
    RESERVED,
    memory_limit,
    per_window,
    resident,
    thread_count,
    windows_at_once,
)

TINY = 75_537_502
"""Bytes of tiny.en's model.bin."""

MEASURED = 816
"""MiB of address space (VmPeak) of a worker with tiny.en and one thread on 21 minutes of speech."""


def test_the_quick_model_gets_more_than_twice_what_it_was_measured_to_need() -> None:
    assert 2 * MEASURED < memory_limit(0, TINY, 1, "cpu") < 4096


def test_a_larger_model_and_more_threads_get_more() -> None:
    assert memory_limit(0, 3_000_000_000, 1, "cpu") > 3 * 3000
    assert memory_limit(0, TINY, 4, "cpu") > memory_limit(0, TINY, 1, "cpu")


SMALL = 483_000_000
"""Bytes of small's model.bin."""


@pytest.mark.shows("transcription:cores")
def test_a_recording_has_as_many_windows_heard_side_by_side_as_there_are_cores_and_memory() -> None:
    plenty = 1 << 40
    assert [windows_at_once(0, Allowance(cores, plenty), 1, 1, TINY) for cores in (1, 2, 6, 64)] == [
        1,
        2,
        6,
        MOST_AT_ONCE,
    ]
    assert windows_at_once(0, Allowance(4, None), 1, 1, TINY) == 4
    for workers in (1, 2):
        one = RESERVED + workers * resident(TINY)
        assert windows_at_once(0, Allowance(4, one), 1, workers, TINY) == 1
        assert windows_at_once(0, Allowance(4, one + workers * 2 * per_window(TINY)), 1, workers, TINY) == 3
        assert windows_at_once(0, Allowance(4, 1), 1, workers, TINY) == 1
    assert windows_at_once(3, Allowance(64, 1), 1, 1, TINY) == 3, "whoever sets a number means it"
    assert memory_limit(0, TINY, 1, "cpu", 4) > memory_limit(0, TINY, 1, "cpu") + 3 * (per_window(TINY) >> 20)


def test_a_larger_model_has_up_to_four_threads_a_window_and_the_rest_of_the_cores_another_one() -> None:
    assert [thread_count(0, cores, 1, TINY) for cores in (1, 2, 16)] == [1, 1, 1]
    assert [thread_count(0, cores, 1, SMALL) for cores in (1, 2, 4, 16)] == [1, 2, 4, 4]
    assert windows_at_once(0, Allowance(16, None), 4, 1, SMALL) == 4
    assert windows_at_once(0, Allowance(4, None), 4, 1, SMALL) == 1
    assert (thread_count(6, 16, 1, SMALL), windows_at_once(6, Allowance(16, None), 4, 1, SMALL)) == (4, 1)


def test_a_limit_that_was_configured_holds_and_a_gpu_has_none() -> None:
    assert memory_limit(500, TINY, 1, "cpu") == 500
    assert memory_limit(0, TINY, 1, "cuda") == 0
