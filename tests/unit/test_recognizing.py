"""Whose voice it is: sure, perhaps, or nobody's. Voices are numbers of our own; benchmarks/recognizing.py has real ones."""

from __future__ import annotations

import math
from array import array

import pytest
from earmark.ledger.voices import Known, Print
from earmark.pipeline.recognizing import APART, LEAST, MAYBE, SURE, Guess, recognized

Numbers = tuple[float, ...]
ANNA, BEN = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)


def like(person: Numbers, likeness: float) -> Numbers:
    """A voice that is so much like somebody's, and like nobody else's."""
    return (*(likeness * number for number in person[:3]), math.sqrt(1.0 - likeness**2))


def stored(numbers: Numbers) -> bytes:
    return array("f", [3.0 * number for number in numbers]).tobytes()


def known(name: str, *voices: Numbers) -> list[Known]:
    return [Known(name, stored(numbers), 60.0) for numbers in voices]


def who(people: list[Known], *voices: Numbers, seconds: float = 60.0) -> dict[int, Guess]:
    return recognized(people, [Print(n, "e", stored(v), seconds) for n, v in enumerate(voices, start=1)])


@pytest.mark.shows("transcription:voices-recognized")
def test_a_voice_is_surely_somebodys_perhaps_theirs_or_nobodys() -> None:
    people = known("Anna", ANNA) + known("Ben", BEN)
    assert who(people, like(ANNA, SURE + 0.01)) == {1: Guess("Anna", sure=True)}
    assert who(people, like(ANNA, SURE - 0.01)) == {1: Guess("Anna", sure=False)}
    assert who(people, like(ANNA, MAYBE - 0.01)) == {}
    assert who(people, like(ANNA, 0.99), seconds=LEAST - 1) == {1: Guess("Anna", sure=False)}
    assert who([], ANNA) == {}


def test_nobody_is_two_of_the_speakers_and_who_is_like_two_people_is_surely_neither() -> None:
    people = known("Anna", ANNA) + known("Ben", BEN)
    assert who(people, like(ANNA, 0.90), like(ANNA, 0.99)) == {2: Guess("Anna", sure=True)}
    near = like(ANNA, 0.97)
    assert who(people, near, like(ANNA, 0.97 + APART / 2)) == {2: Guess("Anna", sure=False)}
    twin = known("Anna's sister", like(ANNA, 0.98))
    assert who(people + twin, ANNA) == {1: Guess("Anna", sure=False)}
    assert who(people, like(BEN, 0.95), like(ANNA, 0.95)) == {
        1: Guess("Ben", sure=True),
        2: Guess("Anna", sure=True),
    }


def test_of_somebody_known_from_several_recordings_the_mean_counts_and_what_is_no_voice_counts_as_none() -> (
    None
):
    people = known("Anna", like(ANNA, 0.75), (0.75, 0.0, -math.sqrt(1.0 - 0.75**2), 0.0))
    assert who(people, ANNA) == {1: Guess("Anna", sure=True)}
    assert who(people + known("Anna", (1.0, 0.0)), ANNA) == {1: Guess("Anna", sure=True)}, "of another size"
    for odd in (b"", b"abc", b"\x00" * 16, b"\xff" * 16, stored(ANNA)[:8]):
        assert recognized(known("Anna", ANNA), [Print(1, "e", odd, 60.0)]) == {}
        assert recognized(
            [Known("Ben", odd, 60.0), *known("Anna", ANNA)], [Print(1, "e", stored(ANNA), 60.0)]
        ) in ({1: Guess("Anna", sure=True)},)
