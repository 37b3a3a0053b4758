"""Watches a running daemon: `python -m earmark.proof.running.watcher PID`, from its first line on stdin to the end of stdin.

A process of its own, because it needs the right to look into others, which the rest of the check does without. The first
line is JSON: `watched` (drop folders), `quiet` (paths whose writes are not kept), `follow` (system calls, too), `since`
(when the daemon began). One line comes back when it watches, with why it cannot follow system calls if it cannot; at the end
comes what it saw (`Seen`, JSON). If it dies, all go on unharmed.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from dataclasses import asdict, astuple

from earmark.locality.confinement.sandbox import python_folders
from earmark.proof.running import attaching
from earmark.proof.running.calls import NAMES
from earmark.proof.running.descriptors import cwd_of, target
from earmark.proof.running.ends import Ends
from earmark.proof.running.holdings import Others
from earmark.proof.running.manager import manager_of
from earmark.proof.running.noting import Notes
from earmark.proof.running.sampler import EVERY, WHEN_FOLLOWED, Sampler, family, packets_sent, sample
from earmark.proof.running.seen import Seen
from earmark.proof.running.tracer import Tracer


def _begin(tracer: Tracer, processes: list[int], wanted: bool) -> str:
    """Begin to follow the daemon's system calls; why that cannot be, or ""."""
    if not wanted:
        return "it was not asked for"
    if not NAMES:
        return "the numbers of this machine's system calls are not known"
    if reason := attaching.cannot_follow_own():
        return reason
    try:
        tracer.begin(processes)
    except OSError as error:
        return attaching.why_not(tracer.root, processes, error)
    return ""


def main() -> int:
    root = int(sys.argv[1])
    asked = json.loads(sys.stdin.buffer.readline())
    quiet, watched = frozenset(asked["quiet"]), tuple(asked["watched"])
    sampler = Sampler(root)
    notes = Notes(
        lambda target: target in quiet,
        watched,
        tuple(f"{p}/" for p in python_folders()),
        {target(root, fd) for fd in (1, 2)},
        ends=Ends(lambda: {*family(root, sampler.guests), *list(sampler.processes)}),
    )
    tracer = Tracer(root, notes, sampler.meet)
    sampler.look()
    sampler.part_from_guests(asked["since"])
    why_not = _begin(tracer, family(root, sampler.guests), asked["follow"])
    began, before = time.time(), packets_sent(root)
    sampler.look()
    sampler.open_now(notes.logs)
    manager, stranger = manager_of(root, Others.now(family(root, sampler.guests)))
    sys.stdout.write(json.dumps({"why_not": why_not}) + "\n")
    sys.stdout.flush()
    ended = threading.Event()
    every = EVERY if why_not else WHEN_FOLLOWED
    looking = threading.Thread(target=sample, args=(sampler, lambda: not ended.is_set(), every), daemon=True)
    looking.start()
    if why_not and not tracer.holds_any():
        select.select([0], [], [])
        sampler.settle()
    else:
        # Also where only some could be seized: they stand still until somebody lets them go on.
        tracer.follow(0)
    sampler.look()
    sampler.open_now(notes.logs)
    after = packets_sent(root)
    ended.set()
    looking.join(5)
    seen = Seen(
        not why_not,
        why_not,
        began=began,
        ended=time.time(),
        calls=tracer.calls,
        cut=sorted(notes.cut),
        full=notes.full,
        guests=list(sampler.guests.values()),
        asked=notes.asked,
        manager=manager,
        cwd=cwd_of(root),
        stranger=stranger,
    )
    seen.packets = after - before if after is not None and before is not None else None
    found = asdict(seen) | {
        "processes": {pid: asdict(p) for pid, p in list(sampler.processes.items())},
        "acts": [astuple(act) for act in notes.acts.values()],
        "said": {where: bytes(data).decode(errors="replace") for where, data in notes.said.items()},
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what is left are threads of the kernel's: it lets the followed processes go


if __name__ == "__main__":
    sys.exit(main())
