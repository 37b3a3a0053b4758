"""Several windows in one call, as on a graphics card: tried on the processor, with real weights and real speech."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from earmark.domain import Segment
from earmark.transcription import passes, together
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.hearing import Asked, listen
from earmark.transcription.whisper import WhisperEngine

from tests.media import Decoded
from tests.speech import SAMPLE, many_languages, quick_model

pytestmark = pytest.mark.speech

BATCH = 3


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may ask is waited for, however busy the machine is."""
    monkeypatch.setattr(together, "GATHER", 30.0)


@pytest.fixture
def begun_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first windows begin at one moment: else each may ask for what no other asks for just then."""
    inside, begun = together.Together.inside, threading.Barrier(BATCH)

    @contextmanager
    def with_others(self: together.Together) -> Iterator[None]:
        with inside(self):
            if self.most > 1 and not begun.broken:
                with suppress(threading.BrokenBarrierError):
                    begun.wait(10)
                begun.abort()
            yield

    monkeypatch.setattr(together.Together, "inside", with_others)


def engine(compute_type: str, batch: int = 1, model: Any = None) -> WhisperEngine:
    return WhisperEngine((model or quick_model()).dir, "cpu", compute_type, 1, batch=batch)


@pytest.fixture(scope="module")
def speech() -> Samples:
    return Decoded(SAMPLE).samples


@pytest.fixture(scope="module")
def alone(speech: Samples) -> list[Segment]:
    """Each window by itself."""
    return heard(engine("float32"), speech, Asked("en"), 1)


def blocks(samples: Samples) -> Iterator[Samples]:
    """With a minute between pieces of it, so that there are several windows of a few seconds."""
    for at in range(0, min(len(samples), 18 * RATE), 6 * RATE):
        yield np.concatenate([samples[at : at + 6 * RATE], np.zeros(54 * RATE, dtype=np.float32)])


def heard(used: WhisperEngine, samples: Samples, asked: Asked, at_once: int) -> list[Segment]:
    return [s for p in listen(used, blocks(samples), asked, at_once=at_once) for s in p.segments]


class Counted:
    """The model of an engine; keeps how many were encoded and searched in each call, and holds so many at most."""

    def __init__(self, model: Any, holds: int = 100) -> None:
        self._model, self._holds = model, holds
        self.calls: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any, **options: Any) -> Any:
        self._count("encode", features.shape[0])
        return self._model.encode(features, **options)

    def generate(self, states: Any, prompts: Sequence[Any], **options: Any) -> Any:
        self._count("generate", len(prompts))
        return self._model.generate(states, prompts, **options)

    def _count(self, what: str, number: int) -> None:
        self.calls.append((what, number))
        if number > self._holds:
            raise RuntimeError("CUDA failed with error out of memory")

    def most(self, what: str) -> int:
        return max(number for name, number in self.calls if name == what)


def unsure(segments: Sequence[Segment]) -> list[Segment]:
    """Without how sure it is, of which the last digit may differ."""
    return [replace(s, confidence=0.0) for s in segments]


@pytest.mark.shows("transcription:gpu-batches")
@pytest.mark.usefixtures("begun_at_once")
@pytest.mark.parametrize("compute_type", ["float32", "int8"])
def test_windows_that_are_heard_in_one_call_give_the_words_and_times_of_single_ones(
    speech: Samples, compute_type: str
) -> None:
    asked = Asked("en", words=True)
    alone = heard(engine(compute_type), speech, asked, 1)
    several = engine(compute_type, BATCH)
    several._model.model = counted = Counted(several._model.model)
    together = heard(several, speech, asked, BATCH)
    assert unsure(together) == unsure(alone)
    assert [s.confidence for s in together] == pytest.approx([s.confidence for s in alone], abs=0.002)
    assert counted.most("encode") > 1
    assert counted.most("generate") > 1


@pytest.mark.shows("transcription:gpu-batches")
def test_a_card_whose_memory_is_not_enough_hears_fewer_at_a_time_from_then_on_and_every_word(
    speech: Samples, alone: list[Segment]
) -> None:
    asked = Asked("en")
    several = engine("float32", BATCH)
    several._model.model = Counted(several._model.model, holds=1)
    assert unsure(heard(several, speech, asked, BATCH)) == unsure(alone)
    assert several.batch == 1


@pytest.mark.shows("transcription:gpu-batches")
def test_a_window_that_is_searched_again_takes_no_other_one_with_it(
    speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever says "Sarah" is taken for a failed answer.
    failed = passes.Pass.failed.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(passes.Pass, "failed", property(lambda p: "Sarah" in p.text or failed(p)))
    asked = Asked("en")
    alone = heard(engine("float32"), speech, asked, 1)
    assert unsure(heard(engine("float32", BATCH), speech, asked, BATCH)) == unsure(alone)


@pytest.mark.shows("transcription:gpu-batches")
def test_languages_are_told_of_windows_that_are_heard_in_one_call(speech: Samples) -> None:
    asked = Asked(None, main="en", allowed=("en", "de", "fr"))
    model = many_languages()
    alone = heard(engine("int8", model=model), speech[: 12 * RATE], asked, 1)
    together = heard(engine("int8", BATCH, model), speech[: 12 * RATE], asked, BATCH)
    assert unsure(together) == unsure(alone)
    assert {s.language for s in together} == {"en"}
