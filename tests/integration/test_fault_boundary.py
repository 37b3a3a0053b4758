"""One recording's trouble stays its own: workers that say what cannot be, and mistakes of earmark's own.

The supervisor is the real one; the worker (tests/hostile_worker.py) is what the real one would be after a recording has
taken it over.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark import output, workers
from earmark.context import Context
from earmark.errors import NO_MORE_THREADS
from earmark.ledger.jobs import MAX_ATTEMPTS
from earmark.ledger.note_ids import short
from earmark.log import configure_logging
from earmark.pipeline import endings, publishing, summarizing, transcribing, verdict
from earmark.report import read_report
from earmark.supervisor.stages import opening, seat
from earmark.supervisor.stages.transcription import TranscriptionStage
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import retry, to_retry

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, quick_waits
from tests.hostile_worker import (
    CLAIMS,
    HARMLESS,
    LATE,
    LATER,
    LEAVES,
    REFUSED_A_THREAD,
    STAYS,
    SUMMARY_TRICKS,
    TRICKS,
)

HOSTILE = Path(__file__).parents[1] / "hostile_worker.py"
GOOD = 3


RESTING = (verdict, transcribing, summarizing, endings, publishing)
"""Where waits are chosen."""


def peak() -> int:
    """Most bytes that this process has had in memory since `reset_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


# --- workers that a recording has taken over ---


def start_hostile(module: str, *_: Any, **__: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(HOSTILE), module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True, close_fds=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run over a recording for each trick and some ordinary ones: what became of each, and what it cost."""
    rig = Rig(tmp_path_factory.mktemp("hostile"), {"transcription": {"workers": 2}})
    other = rig.root / "other"

    for number in range(GOOD):
        rig.drop(f"good-{number}.m4a", f"good {number}")
    with pytest.MonkeyPatch.context() as patched:
        quick_waits(patched, *RESTING, times=2000)
        patched.setenv("OTHER", str(other))
        assert rig.run_once(start=start_hostile) == 0
        other.write_text(
            rig.query("SELECT recording_id FROM places WHERE CAST(path AS TEXT) LIKE '%good-0%'")[0][0]
        )
        before = {**rig.notes()}
        for trick in (*TRICKS, *SUMMARY_TRICKS, *HARMLESS):
            rig.drop(f"{trick}.m4a", f"{trick}\n")
        ledger_before = rig.installed.ledger_file.stat().st_size
        reset_peak()
        used = peak()
        status = rig.run_once(start=start_hostile)
        grown = peak() - used
    jobs = {
        (Path(os.fsdecode(path)).stem, stage): (state, reason or "", attempts)
        for path, stage, state, reason, attempts in rig.query(
            "SELECT p.path, j.stage, j.state, j.reason, j.attempts FROM jobs j JOIN places p USING (recording_id)"
        )
    }
    return {
        "rig": rig, "status": status, "jobs": jobs, "before": before, "grown": grown,
        "ledger": rig.installed.ledger_file.stat().st_size - ledger_before,
    }  # fmt: skip


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads its peak memory from /proc")


@linux
@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.shows("durability:worker-says-what-cannot-be")
def test_a_transcription_worker_that_says_what_cannot_be_fails_its_recording(
    after: dict[str, Any], trick: str
) -> None:
    state, reason, attempts = after["jobs"][trick, "transcribe"]
    assert (state, attempts) == ("failed", MAX_ATTEMPTS)
    assert "the worker said" in reason
    assert len(reason) < 300
    assert (trick, "summarize") not in after["jobs"]


@linux
@pytest.mark.parametrize("trick", SUMMARY_TRICKS)
@pytest.mark.shows("durability:worker-says-what-cannot-be")
def test_a_summary_worker_that_says_what_cannot_be_fails_its_summary_and_changes_no_other(
    after: dict[str, Any], trick: str
) -> None:
    state, reason, _ = after["jobs"][trick, "summarize"]
    assert state == "failed"
    assert "the worker said" in reason
    assert after["jobs"][trick, "transcribe"][0] == "done"


@linux
@pytest.mark.parametrize("trick", HARMLESS)
def test_what_is_only_odd_is_borne(after: dict[str, Any], trick: str) -> None:
    assert after["jobs"][trick, "transcribe"][0] == "done"


@linux
@pytest.mark.shows("durability:worker-says-what-cannot-be")
def test_the_other_recordings_and_their_notes_are_as_they_were(after: dict[str, Any]) -> None:
    rig = after["rig"]
    notes = rig.notes()
    assert {name: notes[name] for name in after["before"]} == after["before"]
    assert len(after["before"]) == 2 * GOOD
    assert after["status"] == 65
    assert rig.events("went-wrong") == []


@linux
@pytest.mark.shows("durability:floods-stay-flat")
def test_floods_leave_memory_and_ledger_flat(after: dict[str, Any]) -> None:
    # Hundreds of megabytes were said. A parsed line of 4 MB takes several times that; two workers speak at once.
    assert after["grown"] < 200 * 1024 * 1024
    assert after["ledger"] < 2 * 1024 * 1024


@pytest.mark.shows("durability:remarks-reach-no-log", "privacy:words")
def test_what_a_worker_prints_once_it_knows_of_a_recording_reaches_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(tmp_path)
    quick_waits(monkeypatch, *RESTING, times=2000)
    configure_logging(sys.stderr, json=True)
    rig.drop("a.m4a", "a flood on stderr\n")
    rig.drop("b.m4a", "words in its sentence\n")
    rig.drop("c.m4a", "by a template of its own\n")

    try:
        assert rig.run_once(start=start_hostile) == 65
    finally:
        structlog.reset_defaults()
    told = capfd.readouterr()
    assert "not-transcribed" in told.err
    assert "SECRET" not in told.out + told.err
    assert "SECRET" not in rig.installed.status_file.read_text()


@linux
@pytest.mark.shows("durability:claims-rest-longer")
@pytest.mark.parametrize("claim", CLAIMS)
def test_what_would_cost_nothing_is_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claim: str
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    quick_waits(monkeypatch, *RESTING, times=2000)
    rig.drop("bad.m4a", f"{claim}\n")
    rig.drop("good.m4a", "good")

    assert rig.run_once(start=start_hostile) in (65, 74)
    assert len(rig.notes()) == 2
    states = rig.query(
        "SELECT j.state FROM jobs j JOIN places p USING (recording_id) WHERE CAST(p.path AS TEXT) LIKE '%bad%'"
    )
    assert states in ([("waiting",)], [("failed",)])
    ((size,),) = rig.query("SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM heard")
    assert size < 200_000


@linux
@pytest.mark.shows("durability:no-more-threads")
@pytest.mark.parametrize("library", REFUSED_A_THREAD)
def test_a_library_that_is_refused_a_thread_in_the_middle_of_a_recording_costs_it_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], library: str
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    quick_waits(monkeypatch, *RESTING, times=2000)
    rig.drop("bad.m4a", f"{library}\n")
    rig.drop("good.m4a", "good")
    assert rig.run_once(start=start_hostile) == 74
    assert len(rig.notes()) == 2
    waiting = rig.query("SELECT attempts, reason FROM jobs WHERE state != 'done'")
    assert waiting == [(0, f"the worker ended: n{NO_MORE_THREADS[1:]}")]
    assert rig.query("SELECT interruptions FROM jobs WHERE state != 'done'") == [(4,)]
    assert "SECRET" not in capfd.readouterr().out
    rig.drop("bad.m4a", "what it says now")
    assert rig.run_once(start=start_hostile) == 0


@pytest.mark.shows("durability:nobody-keeps-a-seat")
@pytest.mark.parametrize("trick", STAYS)
def test_a_worker_that_is_alive_and_gets_nowhere_counts_as_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    quick_waits(monkeypatch, *RESTING, times=2000)
    monkeypatch.setattr(TranscriptionStage, "patience", 0.5)
    monkeypatch.setattr(seat, "STANDSTILL", 2)
    rig.drop("bad.m4a", f"{trick}\n")
    assert rig.run_once(start=start_hostile) == 65
    ((reason,),) = rig.query("SELECT reason FROM jobs")
    assert "showed no progress for" in reason


@pytest.mark.shows("durability:large-files")
def test_a_worker_that_reads_a_large_file_for_hours_before_it_hears_it_is_not_hung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    monkeypatch.setattr(TranscriptionStage, "patience", 0.5)
    monkeypatch.setattr(seat, "STANDSTILL", 2)
    monkeypatch.setattr(opening, "SLOWEST_DISK", 0.01)
    rig.drop("large.m4a", "that creeps for ever\n")

    def further() -> bool:
        report = read_report(rig.installed.status_file)
        # It says so ten times a second, and the same worker counts on.
        return report is not None and any(work.at > 1.0 + 25 / 1e6 for work in report.working)

    with Live(rig, start=start_hostile):
        wait_for(further, 20)
    assert not rig.events("worker-died")


@pytest.mark.shows("durability:nobody-keeps-a-seat")
def test_a_worker_that_stays_when_it_is_told_to_go_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LEAVE_SECONDS", 0.3)
    monkeypatch.setenv("STAYS", "1")
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    rig.drop("one.m4a", "one")
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *_: Any, **__: Any) -> subprocess.Popen[bytes]:
        started.append(start_hostile(module))
        return started[-1]

    with Live(rig, start=start) as live:
        wait_for(lambda: len(rig.notes()) == 2, 20)
        before = list(started)
        live.reload()
        wait_for(lambda: all(process.poll() is not None for process in before), 20, "their end")


@linux
@pytest.mark.shows("durability:nobody-keeps-a-seat")
@pytest.mark.parametrize("trick", LEAVES)
def test_a_worker_that_says_nothing_more_does_not_keep_its_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    quick_waits(monkeypatch, *RESTING, times=2000)
    monkeypatch.setattr(workers, "LEAVE_SECONDS", 0.2)
    monkeypatch.setattr(output, "LOOK", 0.2)
    rig.drop("bad.m4a", f"{trick}\n")
    rig.drop("good.m4a", "good")
    assert rig.run_once(start=start_hostile) == 65
    assert len(rig.notes()) == 2
    ((reason,),) = rig.query("SELECT reason FROM jobs WHERE state = 'failed'")
    assert "exit status 3" in reason or "said nothing more" in reason


@pytest.mark.shows("durability:worker-says-what-cannot-be")
@pytest.mark.parametrize(("trick", "others"), [(LATE, 1), (LATER, 2)])
def test_a_worker_that_goes_on_about_a_recording_before_is_ended_and_the_next_one_charged_nothing(
    tmp_path: Path, trick: str, others: int
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1}})
    rig.drop("a.m4a", f"{trick}\n")
    with Live(rig, start=start_hostile):
        wait_for(lambda: rig.query("SELECT 1 FROM jobs WHERE stage = 'transcribe' AND state = 'done'"), 20)
        for number in range(others):
            rig.drop(f"b{number}.m4a", f"good {number}")
        wait_for(lambda: len(rig.notes()) == 2 + 2 * others, 20)
    attempts = rig.query("SELECT attempts FROM jobs WHERE stage = 'transcribe'")
    assert attempts == [(1,)] * (1 + others)
    assert not rig.events("worker-died")


# --- mistakes of earmark's own ---


class Stumble(Exception):
    """Whatever nobody thought of."""


def overflow() -> int:
    return int(float("inf"))


MISTAKES: dict[str, Callable[[], object]] = {
    "an overflow": overflow,
    "a row that went": lambda: next(iter(())),
    "an error nobody knows": lambda: (_ for _ in ()).throw(Stumble("SECRET words")),
    "a missing key": lambda: dict[str, str]()["x"],
    "a file of its own that may not be read": lambda: os.open("/", os.O_WRONLY),
}
"""What goes wrong, whatever it is."""

PLACES = {
    "when it is taken": ("earmark.supervisor.taking", "accept"),
    "when it is claimed": ("earmark.pipeline.transcribing", "_prepare"),
    "when it is heard": ("earmark.pipeline.transcribing", "heard"),
    "when its transcript is stored": ("earmark.pipeline.transcribing", "finished"),
    "when its transcription fails": ("earmark.pipeline.transcribing", "failed"),
    "when its summary is claimed": ("earmark.pipeline.summarizing", "_prepare"),
    "when its summary is stored": ("earmark.pipeline.summarizing", "summarized"),
    "when its notes are rendered": ("earmark.pipeline.publishing", "outputs"),
    "when its notes are written": ("earmark.pipeline.publishing", "put_in_place"),
    "when its notes follow": ("earmark.pipeline.publishing", "bring_along"),
}
"""Where: module and function, which every recording passes through."""


def names(rig: Rig, arguments: tuple[Any, ...]) -> bool:
    """True if a call is about the recording that is to be stumbled over."""
    found = rig.query("SELECT recording_id FROM places WHERE CAST(path AS TEXT) LIKE '%bad.m4a'")
    told = " ".join(repr(argument) for argument in arguments if not isinstance(argument, Context))
    return "/bad.m4a'" in told or any(row[0] in told or short(row[0]) in told for row in found)


# An error of the system while notes are written is their folder's trouble, and has tests of its own.
CASES = [
    *((place, "an overflow") for place in PLACES),
    *(
        (place, mistake)
        for place in ("when it is heard", "when its summary is stored")
        for mistake in list(MISTAKES)[1:]
    ),
    ("when its notes are rendered", "an error nobody knows"),
]


@pytest.mark.parametrize(("place", "mistake"), CASES)
@pytest.mark.shows("durability:own-fault-ends-there")
def test_a_mistake_of_its_own_ends_with_the_recording_that_brought_it_to_light(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    mistake: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rig = Rig(tmp_path)
    quick_waits(monkeypatch, *RESTING, times=2000)
    module, function = PLACES[place]
    original = getattr(sys.modules[module], function)

    def stumbling(*arguments: Any, **named: Any) -> Any:
        if names(rig, arguments):
            MISTAKES[mistake]()
        return original(*arguments, **named)

    rig.drop("bad.m4a", "media\n" if "fails" in place else "bad")
    for number in range(GOOD):
        rig.drop(f"good-{number}.m4a", f"good {number}")
    with monkeypatch.context() as broken:
        broken.setattr(f"{module}.{function}", stumbling)
        with Live(rig, expects_own_faults=True) as live:
            wait_for(
                lambda: len([n for n in rig.notes() if n.startswith("good")]) == 2 * GOOD, 20, "the others"
            )
            wait_for(lambda: _given_up(rig), 20, "a failure with a sentence")
            assert live.alive()
    told = capfd.readouterr()
    assert "SECRET" not in told.out + told.err + repr(rig.query("SELECT detail FROM events"))
    if "fails" in place:
        return  # it is no recording, and never will be one
    _retry(rig)
    faults = len(rig.events("went-wrong"))
    with Live(rig, expects_own_faults=True):
        wait_for(lambda: len(rig.notes()) == 2 * GOOD + 2, 20, "its notes, once nothing goes wrong")
        wait_for(lambda: {j[1] for j in rig.jobs()} == {"done"}, 20, "its job")
    assert len(rig.events("went-wrong")) == faults


def _given_up(rig: Rig) -> bool:
    rows = rig.query(
        "SELECT j.reason FROM jobs j JOIN places p USING (recording_id)"
        " WHERE CAST(p.path AS TEXT) LIKE '%bad.m4a' AND j.state = 'failed'"
    )
    sentences = [row[0] for row in rows] + [s for f, s in rig.troubles().items() if f.endswith("bad.m4a")]
    return any("report it" in sentence for sentence in sentences)


def _retry(rig: Rig) -> None:
    """What `earmark retry --failed` does."""
    with opened_context(rig.installed, rig.config()) as context:
        for one in to_retry(context, [], failed=True):
            retry(context, one)
