"""Whose fault was it that a worker died? Decides what that costs the recording it was working on. Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

from earmark.errors import NO_MORE_THREADS
from earmark.ledger.jobs import MAX_ATTEMPTS, backoff

FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that people and service managers send. SIGKILL counts as theirs unless the kernel's OOM killer struck."""

PATIENCE = 3
"""Interruptions from outside that are shrugged off at once; after these the next try waits a little longer each time."""

LONGEST_REST = 60.0
"""Seconds. Nothing about the recording is known to be wrong, so it never waits longer than this for others' doings."""


@dataclass(frozen=True, slots=True)
class End:
    """How a worker ended. `exit_status` as subprocess gives it; `oom_kills` None where the kernel does not tell.

    `ready`: it had loaded its model and taken the request. `hung_for`: seconds without a sign of life, if we ended it.
    `broke`: what it said that cannot be, if we ended it for that. `no_threads`: it said that the system refused it a thread.
    """

    exit_status: int
    oom_kills: int | None
    ready: bool
    hung_for: float | None = None
    broke: str = ""
    no_threads: bool = False

    @property
    def out_of_memory(self) -> bool:
        """The kernel ended it for want of memory; where the kernel does not count that, an honest guess."""
        return self.exit_status == -signal.SIGKILL and self.hung_for is None and self.oom_kills != 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`retry`: the attempt stays charged. `refund`: it does not. `fail`: for good. `delay` in seconds."""

    action: Literal["retry", "refund", "fail"]
    reason: str
    delay: float


def judge(end: End, attempts: int, interruptions: int, jitter: float) -> Verdict:
    """What becomes of the job. `attempts` includes the one that just ended; `jitter` in [0, 1)."""
    reason = describe(end)
    if wants_threads(end):
        # On the word of a worker; so it rests longer each time, as with whatever it says of the machine.
        return Verdict("refund", reason, backoff(interruptions + 1, jitter, base=15.0))
    if not end.ready:
        return Verdict("refund", reason, min(LONGEST_REST, backoff(interruptions + 1, jitter, base=2.0)))
    if _from_outside(end):
        patience_used = interruptions + 1 - PATIENCE
        return Verdict(
            "refund",
            reason,
            0.0 if patience_used <= 0 else min(LONGEST_REST, backoff(patience_used, jitter, base=1.0)),
        )
    if attempts >= MAX_ATTEMPTS:
        return Verdict("fail", f"{reason}, {attempts} times at the same place; given up", 0.0)
    return Verdict("retry", reason, backoff(attempts, jitter))


def wants_threads(end: End) -> bool:
    """True if it ended by itself because the system refused it a thread or a process."""
    ended_itself = end.exit_status > 0 or end.exit_status == -signal.SIGABRT
    return end.no_threads and ended_itself and end.hung_for is None and not end.broke


def describe(end: End) -> str:
    """The end of a worker in words."""
    if end.hung_for is not None:
        return f"the worker showed no progress for {end.hung_for:.0f} s and was ended"
    if wants_threads(end):
        return f"the worker ended: {NO_MORE_THREADS[0].lower()}{NO_MORE_THREADS[1:]}"
    if end.broke:
        return f"the worker said {end.broke}, and was ended"
    if not end.ready and end.out_of_memory:
        return "the worker was killed while it was starting because memory ran out (SIGKILL)"
    if end.exit_status == -signal.SIGSYS:
        return "the worker was ended for a system call that its walls never allow (SIGSYS)"
    if not end.ready:
        return f"the worker could not start ({_status(end.exit_status)})"
    if end.exit_status == -signal.SIGKILL and end.oom_kills:
        return "the worker was killed because memory ran out (SIGKILL)"
    if _from_outside(end):
        return f"the worker was ended from outside ({_status(end.exit_status)})"
    return f"the worker crashed ({_status(end.exit_status)})"


def _from_outside(end: End) -> bool:
    if end.hung_for is not None or end.exit_status >= 0:
        return False
    killed_by = -end.exit_status
    if killed_by == signal.SIGKILL:
        # Where the kernel does not count its kills, an honest guess is that memory ran out.
        return end.oom_kills == 0
    return killed_by in FROM_OUTSIDE


def _status(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
