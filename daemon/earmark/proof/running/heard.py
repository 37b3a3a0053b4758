"""Whether the running daemon heard the recording of the check, and whether it was this daemon that did."""

from __future__ import annotations

from dataclasses import replace

from earmark.proof.outcome import Outcome
from earmark.proof.running.roles import TRANSCRIBER
from earmark.proof.running.rules import Judge


def heard(judge: Judge, came: str, wait: float) -> Outcome:
    """The claim. `came`: "done", "gone", "busy: ..." or "failed: ..."; `wait`: seconds that it was waited for."""
    daemon = judge.setting.supervisor
    claim = f"The running daemon (pid {daemon}) heard and summarized a recording of this check"
    how, _, why = came.partition(": ")
    if how == "busy":
        return replace(Outcome(claim, None, f"not within {wait:.0f} s: {why}"), later=True)
    if how == "gone" and "--once" in judge.seen.processes[daemon].arguments:
        return Outcome(
            claim, None, "it was started with --once, and ended when it had done what there was to do"
        )
    if how == "gone":
        return Outcome(claim, False, "the daemon ended meanwhile")
    if how == "done" and not _was_seen(judge):
        return Outcome(
            claim,
            False,
            "it was heard, and by nobody of this daemon: no worker of it was seen to open a recording",
        )
    return Outcome(claim, how == "done", why or "while it was watched")


def _was_seen(judge: Judge) -> bool:
    """Whether a transcription worker was seen to open a recording, or to be there at all where no more can be seen."""
    if judge.seen.full or not judge.seen.followed:
        return judge.seen.full or bool(judge.pids(TRANSCRIBER))
    return TRANSCRIBER in {judge.role.get(act.pid) for act in judge.seen.acts if act.what == "read"}
