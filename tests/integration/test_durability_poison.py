"""A recording that kills its worker: tried three times, then failed with the reason, while the others go on.

The workers that crash, hang or talk nonsense are stand-ins (tests/standin_worker.py); how the real one treats bad media
is in test_durability_bad_media.py.
"""

from __future__ import annotations

import gc
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from earmark import workers
from earmark.domain import Date, Dated, Instant, Stage
from earmark.files import Identity
from earmark.ledger import Ledger
from earmark.ledger import jobs as ledger_jobs
from earmark.ledger.jobs import MAX_ATTEMPTS
from earmark.messages import Message, TranscribeRequest
from earmark.pipeline import transcribing, verdict
from earmark.pipeline.verdict import LONGEST_REST, End, judge
from earmark.supervisor.inbox import Signaled
from earmark.supervisor.stages.transcription import TranscriptionStage
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, quick_waits


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    quick_waits(monkeypatch, verdict, transcribing)
    # The kernel counts what it ends for want of memory anywhere, in other tests, too.
    monkeypatch.setattr(workers, "oom_kills", lambda: 0)
    return Rig(tmp_path, {"transcription": {"workers": 2}})


def states(rig: Rig) -> dict[str, tuple[str, int, str]]:
    rows = rig.query(
        "SELECT p.path, j.state, j.attempts, j.reason FROM jobs j JOIN places p USING (recording_id)"
        " WHERE j.stage = 'transcribe'"
    )
    return {Path(os.fsdecode(r[0])).name: (r[1], r[2], r[3] or "") for r in rows}


@pytest.mark.shows("durability:crash-hang-tried-three")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("segv@1", "the worker crashed (SIGSEGV)"),
        ("exit@0", "the worker crashed (exit status 3)"),
        ("garbage@0", "the worker said what is no message"),
        ("nan@0", "the worker said what is no message"),
    ],
)
def test_a_recording_that_kills_its_worker_fails_after_three_tries_and_the_others_are_done(
    rig: Rig, order: str, reason: str
) -> None:
    rig.drop("poison.m4a", f"{order}\n")
    for number in range(5):
        rig.drop(f"good-{number}.m4a", f"good {number}")
    assert rig.run_once() == 65
    state, attempts, told = states(rig).pop("poison.m4a")
    assert (state, attempts) == ("failed", MAX_ATTEMPTS)
    assert reason in told
    assert f"{MAX_ATTEMPTS} times" in told
    assert len([e for e in rig.events("worker-died") if "tried again" in e]) == MAX_ATTEMPTS - 1
    assert len(rig.notes()) == 10


@pytest.mark.shows("transcription:careful")
def test_after_a_worker_has_ended_over_a_recording_its_windows_are_heard_one_by_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful: list[bool] = []
    send = workers.Worker.send

    def noting(worker: workers.Worker, message: Message) -> None:
        if isinstance(message, TranscribeRequest):
            careful.append(message.careful)
        send(worker, message)

    monkeypatch.setattr(workers.Worker, "send", noting)
    rig.drop("poison.m4a", "segv@1\n")
    assert rig.run_once() == 65
    assert careful == [False, True, True]


@pytest.mark.shows("durability:out-memory-killer-told")
def test_the_out_of_memory_killer_is_told_from_a_person(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    struck = iter(range(1000))
    # A counter of the kernel's that rises between a worker's start and end; running out of memory for real would take
    # the whole test machine along.
    monkeypatch.setattr(workers, "oom_kills", lambda: next(struck))
    rig.drop("greedy.m4a", "kill@1\n")
    rig.drop("good.m4a", "good")
    assert rig.run_once() == 65
    assert states(rig)["greedy.m4a"][0] == "failed"
    assert "memory ran out (SIGKILL)" in states(rig)["greedy.m4a"][2]
    assert states(rig)["good.m4a"][0] == "done"


@pytest.mark.shows("durability:crash-hang-tried-three")
def test_a_recording_on_which_the_worker_hangs_fails_with_the_time_it_hung(rig: Rig) -> None:
    rig.drop("stuck.m4a", "hang@1\n")
    rig.drop("good.m4a", "good")
    config = rig.config()
    quick = config.model_copy(
        update={"transcription": config.transcription.model_copy(update={"hang_seconds": 0.5})}
    )
    with Live(rig) as live:
        live.supervisor.config = quick
        live.supervisor.load_config = lambda: (quick, (rig.folder,))
        live.supervisor._inbox.put(Signaled(signal.SIGHUP))
        wait_for(lambda: states(rig).get("stuck.m4a", ("",))[0] == "failed", 30)
    assert "showed no progress for" in states(rig)["stuck.m4a"][2]
    assert states(rig)["good.m4a"][0] == "done"


@pytest.mark.shows("durability:worker-somebody-kills-costs")
def test_a_worker_that_somebody_kills_costs_the_recording_nothing(rig: Rig) -> None:
    rig.drop("one.m4a", "pause@1\n").with_name("one.m4a.pause").touch()
    with Live(rig) as live:
        for kills in range(1, 6):
            seat = wait_for(
                lambda: next((s for s in _seats(live) if s.work and s.worker and s.ready), None), 20
            )
            os.kill(seat.worker.pid, signal.SIGKILL)
            wait_for(partial(_refunded, rig, kills), 20)
        (rig.folder / "one.m4a.pause").unlink()
        wait_for(lambda: len(rig.notes()) == 2, 20)
    assert states(rig)["one.m4a"][:2] == ("done", 1)


def _refunds(rig: Rig) -> list[str]:
    return [e for e in rig.events("worker-died") if "costs the recording nothing" in e]


def _refunded(rig: Rig, times: int) -> bool:
    return len(_refunds(rig)) == times


def _seats(live: Live) -> list[Any]:
    """The seats of the running daemon's transcription stage, which nobody but its session has in hand."""
    stages = [
        s
        for s in gc.get_objects()
        if isinstance(s, TranscriptionStage) and s._context.home == live.supervisor.home
    ]
    return stages[-1].seats if stages else []


# --- the policy itself, for all inputs ---

ends = st.builds(
    End,
    exit_status=st.integers(-64, 255),
    oom_kills=st.none() | st.integers(0, 3),
    ready=st.booleans(),
    hung_for=st.none() | st.floats(0, 1e4),
)
jitters = st.floats(0, 1, exclude_max=True)


@pytest.mark.shows("durability:worker-somebody-kills-costs")
@given(ends, st.integers(1, 10), st.integers(0, 10_000), jitters)
def test_every_end_gets_a_reason_and_a_bounded_wait(
    end: End, attempts: int, interruptions: int, jitter: float
) -> None:
    found = judge(end, attempts, interruptions, jitter)
    assert found.reason
    assert 0 <= found.delay <= (LONGEST_REST if found.action == "refund" else ledger_jobs.LONGEST_BACKOFF)


@pytest.mark.shows("durability:worker-somebody-kills-costs")
@given(st.integers(0, 10_000), jitters, st.integers(1, 10))
def test_a_kill_from_outside_is_never_charged_however_often_it_comes(
    interruptions: int, jitter: float, attempts: int
) -> None:
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        end = End(-number, oom_kills=0, ready=True)
        assert judge(end, attempts, interruptions, jitter).action == "refund"


@pytest.mark.shows("durability:out-memory-killer-told")
@given(st.integers(1, 3), jitters)
def test_a_kill_while_memory_ran_out_is_charged(kills: int, jitter: float) -> None:
    end = End(-signal.SIGKILL, oom_kills=kills, ready=True)
    assert [judge(end, n, 0, jitter).action for n in (1, 2, 3)] == ["retry", "retry", "fail"]


@pytest.mark.shows("durability:crash-hang-tried-three")
@given(ends.filter(lambda e: e.ready and (e.hung_for is not None or e.exit_status >= 0)), jitters)
def test_what_the_recording_did_itself_is_tried_exactly_three_times(end: End, jitter: float) -> None:
    assert [judge(end, n, 0, jitter).action for n in (1, 2, 3)] == ["retry", "retry", "fail"]


@pytest.mark.shows("durability:no-more-threads")
@given(st.sampled_from([1, 3, 70, -signal.SIGABRT]), st.integers(1, 10), st.integers(0, 10_000), jitters)
def test_an_end_for_want_of_threads_is_never_charged_and_rests_longer_each_time(
    status: int, attempts: int, interruptions: int, jitter: float
) -> None:
    end = End(status, oom_kills=0, ready=True, no_threads=True)
    found = judge(end, attempts, interruptions, jitter)
    assert found.action == "refund"
    assert found.delay <= judge(end, attempts, interruptions + 2, jitter).delay
    assert 10 <= found.delay <= ledger_jobs.LONGEST_BACKOFF


@pytest.mark.shows("durability:crash-hang-tried-three")
@given(st.sampled_from([-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGXCPU]), jitters)
def test_a_crash_of_another_kind_is_charged_whatever_the_worker_printed(status: int, jitter: float) -> None:
    end = End(status, oom_kills=0, ready=True, no_threads=True)
    assert [judge(end, n, 0, jitter).action for n in (1, 2, 3)] == ["retry", "retry", "fail"]


@pytest.mark.shows("durability:worker-cannot-start-recording")
@given(ends.filter(lambda e: not e.ready and e.hung_for is None), st.integers(1, 10), jitters)
def test_a_worker_that_did_not_get_ready_is_nobodys_recordings_fault(
    end: End, attempts: int, jitter: float
) -> None:
    assert judge(end, attempts, 0, jitter).action == "refund"


@pytest.mark.shows("durability:getting-further-than-ever")
def test_getting_further_than_ever_clears_earlier_bad_ends(rig: Rig) -> None:
    """Dies once after each segment, in another place every time: done in the end, although it died three times."""
    file, one, two = rig.drop("one.m4a", "one"), Instant(1.0), Instant(2.0)
    with Ledger(rig.installed.ledger_file) as ledger:
        ledger.recordings.add("a" * 64, 1, one, Date(one, "", Dated.FILE), 0)
        ledger.places.put(rig.folder / "x.m4a", rig.folder, "a" * 64, Identity.of(file.stat()), one)
        ledger.jobs.add("a" * 64, Stage.TRANSCRIBE, one)
        for _ in range(2):
            job = ledger.jobs.claim(Stage.TRANSCRIBE, "test", two, True)
            assert job is not None
            ledger.jobs.try_later(job.id, "crashed", Instant(0.0), two)
        job = ledger.jobs.claim(Stage.TRANSCRIBE, "test", two, True)
        assert job is not None
        assert job.attempts == MAX_ATTEMPTS
        ledger.jobs.progressed(job.id)
        after = ledger.jobs.get(job.id)
        assert after is not None
        assert after.attempts == 1
