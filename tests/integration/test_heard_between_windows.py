"""The real worker on real speech: another recording between two windows, and kills while several windows are heard."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from earmark.domain import Segment
from earmark.messages import Failed, Finished, Heard, PutOff, Reply, Started
from earmark.transcription.engine import RATE

from tests.media import Decoded, write
from tests.speech import SAMPLE, Hearing, WorkerProcess

pytestmark = pytest.mark.speech

LONG, MEMO = 1, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def long(folder: Path) -> Path:
    """Seven seconds of the sample a minute, for eight minutes: many windows, of which each is soon heard."""
    speech, pause = Decoded(SAMPLE).samples, np.zeros(53 * RATE, dtype=np.float32)
    pieces = [np.concatenate([speech[at * 4 * RATE :][: 7 * RATE], pause]) for at in range(8)]
    return write(folder / "long.flac", np.concatenate(pieces), "flac")


@pytest.fixture(scope="module")
def memo(folder: Path) -> Path:
    return write(folder / "memo.flac", Decoded(SAMPLE).samples[: 5 * RATE], "flac")


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess([folder, SAMPLE.parent], at_once=2) as process:
        process.ready()
        yield process


@pytest.fixture(scope="module")
def undisturbed(worker: WorkerProcess, long: Path) -> Hearing:
    return worker.transcribe(long, job=LONG)


def until_over(worker: WorkerProcess, *jobs: int) -> list[Reply]:
    """Everything that is said until each of these jobs has ended."""
    said: list[Reply] = []
    left = set(jobs)
    while left:
        said.append(worker.reply())
        if isinstance(said[-1], Finished | Failed | PutOff):
            left.discard(said[-1].job)
    return said


def of(said: list[Reply], job: int) -> Hearing:
    return Hearing([reply for reply in said if getattr(reply, "job", 0) == job])


@pytest.mark.shows("transcription:between")
@pytest.mark.parametrize("after", [0, 1], ids=["at the beginning", "after a window"])
def test_a_recording_that_comes_meanwhile_is_heard_between_two_windows_and_changes_no_word_of_either(
    worker: WorkerProcess, undisturbed: Hearing, long: Path, memo: Path, after: int
) -> None:
    worker.request(long, job=LONG)
    said: list[Reply] = []
    while sum(isinstance(reply, Heard) for reply in said) < after:
        said.append(worker.reply())
    worker.request(memo, job=MEMO, most=600.0)
    said += until_over(worker, LONG, MEMO)
    assert of(said, LONG).heard == undisturbed.heard, "each window once, and as ever"
    assert of(said, LONG).finished == undisturbed.finished
    begins = next(n for n, reply in enumerate(said) if getattr(reply, "job", 0) == MEMO)
    ends = next(n for n, reply in enumerate(said) if isinstance(reply, Finished) and reply.job == MEMO)
    assert all(getattr(reply, "job", MEMO) == MEMO for reply in said[begins:ends]), "nothing else meanwhile"
    assert sum(isinstance(reply, Heard) for reply in said[ends:]) >= 1, "the long one was not over"
    assert of(said, MEMO).segments == worker.transcribe(memo).segments


@pytest.mark.shows("transcription:between")
def test_while_a_worker_skips_to_where_it_goes_on_another_recording_is_heard(
    worker: WorkerProcess, undisturbed: Hearing, long: Path, memo: Path
) -> None:
    worker.request(long, job=LONG, resume_at=undisturbed.heard[-2].upto)
    worker.request(memo, job=MEMO, most=600.0)
    said = until_over(worker, LONG, MEMO)
    order = [reply.job for reply in said if isinstance(reply, Finished)]
    assert order == [MEMO, LONG]
    assert [h.segments for h in of(said, LONG).heard] == [undisturbed.heard[-1].segments]


@pytest.mark.shows("transcription:between")
def test_one_that_is_longer_is_put_off_before_a_window_of_it_is_heard_if_it_says_so_and_else_at_a_window(
    worker: WorkerProcess, long: Path, folder: Path
) -> None:
    worker.request(long, job=MEMO, most=60.0)
    assert [type(reply) for reply in until_over(worker, MEMO)] == [PutOff]
    undeclared = folder / "undeclared.mp3"  # a stream of frames without a header that has the length
    write(folder / "whole.mp3", Decoded(long).samples, "mp3")
    whole = (folder / "whole.mp3").read_bytes()
    undeclared.write_bytes(whole[len(whole) // 200 :])
    worker.request(undeclared, job=MEMO, most=30.0)
    said = until_over(worker, MEMO)
    if isinstance(said[0], Started) and not said[0].declared_duration:
        heard = of(said, MEMO).heard
        assert heard[-1].upto > 30.0
        assert all(h.upto <= 30.0 for h in heard[:-1]), "what was heard stays heard"
    assert isinstance(said[-1], PutOff)


@pytest.mark.shows("transcription:between")
def test_one_that_cannot_be_heard_does_not_end_the_one_that_is_put_aside(
    worker: WorkerProcess, undisturbed: Hearing, long: Path, folder: Path
) -> None:
    worker.request(long, job=LONG, resume_at=undisturbed.heard[-3].upto)
    broken = folder / "broken.m4a"
    broken.write_bytes(b"no sound at all" * 100)
    worker.request(broken, job=MEMO, most=600.0)
    said = until_over(worker, LONG, MEMO)
    assert isinstance(of(said, MEMO).last, Failed)
    assert [h.segments for h in of(said, LONG).heard] == [h.segments for h in undisturbed.heard[-2:]]


@pytest.mark.shows("durability:side-by-side")
def test_kills_at_any_moment_while_several_windows_are_heard_change_no_word(
    undisturbed: Hearing, long: Path, folder: Path
) -> None:
    chosen = random.Random(5)
    segments: list[Segment] = []
    upto, kills = 0.0, 0
    while True:
        with WorkerProcess([folder], at_once=2) as hit:
            hit.ready()
            hit.request(long, resume_at=upto)
            # While it opens the file, in the middle of windows, between them, or never.
            moment = threading.Timer(chosen.uniform(0.0, 2.5), hit.process.kill) if kills < 4 else None
            if moment is not None:
                moment.start()
            while (reply := hit.reply_or_end()) is not None and not isinstance(reply, Finished):
                if isinstance(reply, Heard):
                    assert reply.upto > upto, "nothing is said of what is known"
                    upto = reply.upto
                    segments += reply.segments
            if moment is not None:
                moment.cancel()
        if reply is not None:
            break
        kills += 1
    assert kills, "a kill came in the middle"
    assert segments == undisturbed.segments, "no gap, nothing twice, times and all"
    assert reply.duration == pytest.approx(len(Decoded(long).samples) / RATE, abs=0.01)
