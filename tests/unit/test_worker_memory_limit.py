"""How much address space a transcription worker gets."""

from __future__ import annotations

from earmark.supervisor.sizing import memory_limit

TINY = 75_537_502
"""Bytes of tiny.en's model.bin."""

MEASURED = 816
"""MiB of address space (VmPeak) of a worker with tiny.en and one thread on 21 minutes of speech."""


def test_the_quick_model_gets_more_than_twice_what_it_was_measured_to_need() -> None:
    assert 2 * MEASURED < memory_limit(0, TINY, 1, "cpu") < 4096


def test_a_larger_model_and_more_threads_get_more() -> None:
    assert memory_limit(0, 3_000_000_000, 1, "cpu") > 3 * 3000
    assert memory_limit(0, TINY, 4, "cpu") > memory_limit(0, TINY, 1, "cpu")


def test_a_limit_that_was_configured_holds_and_a_gpu_has_none() -> None:
    assert memory_limit(500, TINY, 1, "cpu") == 500
    assert memory_limit(0, TINY, 1, "cuda") == 0
