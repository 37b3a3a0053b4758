"""Names that their owner keeps notes of: which words sound like one, and when they are taken for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from earmark.notes import titles as reading
from earmark.notes.titles import titles
from earmark.transcription.engine import Answer, Engine, Phrase, Samples, Weight, Wish
from earmark.transcription.names import BONUS, Names, names_of, with_names
from hypothesis import given
from hypothesis import strategies as st

PEOPLE = names_of(["Annika Lindqvist", "Phillip O'Brien", "José", "Zaman", "Helstone"])
SPEECH = np.zeros(16_000, dtype=np.float32)


class Sure:
    """Weighs texts: every word of what was heard is as sure as `sure` says, and a text with another word loses `loss`."""

    def __init__(self, loss: float, sure: float = 0.5) -> None:
        self.loss, self.sure = loss, sure
        self.asked: list[str] = []

    def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
        first = not self.asked
        self.asked += texts
        return [self._weight(text, 0.0 if first else self.loss) for text in texts]

    def _weight(self, text: str, loss: float) -> Weight:
        ends = [at for at, c in enumerate(text) if c == " "] + [len(text)]
        logs = [float(np.log(self.sure))] * len(ends)
        logs[-1] -= loss
        return tuple(zip(ends, logs, strict=True))


def spelled(*texts: str, loss: float = 0.0, sure: float = 0.5, names: Names = PEOPLE) -> list[str]:
    engine = Sure(loss, sure)
    phrases = tuple(Phrase(float(i), i + 1.0, text, -0.1, 0.0) for i, text in enumerate(texts))
    said: Engine = engine  # type: ignore[assignment]
    found = with_names(said, SPEECH, Wish("en"), Answer(phrases, 2.0), names).phrases
    assert [(p.start, p.end) for p in found] == [(p.start, p.end) for p in phrases]
    return [p.text for p in found]


@pytest.mark.parametrize(
    ("heard", "wanted"),
    [
        ("with Annika Lindquist, and", "with Annika Lindqvist, and"),
        ("and Anika's plan", "and Annika's plan"),  # what follows the name stays
        ("to Philip O'Brian.", "to Phillip O'Brien."),
        ("Jose is here", "José is here"),
        ("at Hell stone today", "at Helstone today"),
        ("the zaman", "the zaman"),  # already one, however it is written
        ("nothing like it", "nothing like it"),
    ],
)
@pytest.mark.shows("transcription:names")
def test_what_sounds_like_a_name_is_spelled_like_it(heard: str, wanted: str) -> None:
    assert spelled(heard) == [wanted]


def test_a_name_is_found_in_each_phrase_and_never_across_two() -> None:
    assert spelled("from Anika", "Lindquist and Hellston", "left") == [
        "from Annika", "Lindqvist and Helstone", "left",
    ]  # fmt: skip


def test_a_name_takes_the_times_of_the_words_in_whose_place_it_stands() -> None:
    words = ((0.0, 0.2, 0), (0.2, 0.5, 3), (0.5, 0.8, 8), (0.9, 1.0, 14))
    said: Engine = Sure(0.0)  # type: ignore[assignment]
    heard = Answer((Phrase(0.0, 1.0, "at Hell stone today", -0.1, 0.0, words),), 1.0)
    (found,) = with_names(said, SPEECH, Wish("en"), heard, PEOPLE).phrases
    assert (found.text, found.words) == (
        "at Helstone today",
        ((0.0, 0.2, 0), (0.2, 0.8, 3), (0.9, 1.0, 12)),
    )


@pytest.mark.shows("transcription:names-doubt")
def test_a_word_that_was_heard_well_stays_and_so_does_one_that_is_much_more_probable() -> None:
    assert spelled("at Helston today", sure=0.9) == ["at Helston today"]
    assert spelled("at Helston today", loss=BONUS + 0.1) == ["at Helston today"]
    assert spelled("at Helston today", loss=BONUS - 0.1) == ["at Helstone today"]


def test_names_are_titles_and_the_words_in_them_that_are_written_like_names() -> None:
    found = names_of(["Annika Lindqvist", "2026-03-02", "call with Bo Ek", "jane.doe", "דניאל", "Al"]).spelled
    assert found == ("Annika Lindqvist", "Annika", "Lindqvist", "דניאל")


@given(st.lists(st.text(max_size=40), max_size=4), st.lists(st.text(max_size=20), max_size=6))
def test_whatever_is_heard_and_known_phrases_and_times_stay(texts: list[str], known: list[str]) -> None:
    names = names_of(known)
    assert len(spelled(*texts, names=names)) == len(texts)
    assert spelled(*texts, names=names, loss=100.0) == texts


def test_titles_are_those_of_notes_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "Annika.md",
        "Bo Ek.org",
        "talk.transcript.md",
        "photo.jpg",
        ".hidden.md",
        ".obsidian/Theme.md",
        "a/Cem.md",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "Dag.md").symlink_to(tmp_path / "Annika.md")
    (tmp_path / os.fsdecode(b"\xff.md")).touch()
    assert titles(tmp_path) == ["Annika", "Bo Ek", "Cem", "\ufffd"]
    os.utime(tmp_path / "Annika.md", (1, 1))
    monkeypatch.setattr(reading, "MOST", 3)
    assert titles(tmp_path) == ["Bo Ek", "Cem", "\ufffd"], "those that were changed last"
    with pytest.raises(FileNotFoundError):
        titles(tmp_path / "none")
