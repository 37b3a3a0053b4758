"""Whether anything that the daemon and its workers have open leads elsewhere.

The rule: a breach is whatever another program could be told words by, whoever opened it. That is a file open for writing, or
shared as memory, outside of where they may write; a pipe that somebody else reads; a unix socket whose other end somebody
else has; and anything at all that is the very same open file as somebody else's. Where the daemon logs to is none: what goes
there is read and searched for words. It is told, where another program takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from earmark.proof.outcome import Outcome
from earmark.proof.running.holdings import Holding
from earmark.proof.running.roles import STRANGER, SUPERVISOR
from earmark.proof.running.seen import Seen

JOURNAL = "/run/systemd/journal/"

REMEDY = (
    "start the daemon anew: it closes at its start what it was given, but for stdout and stderr, so what it then still has "
    "it opened itself"
)


def leads_nowhere(
    claim: str,
    seen: Seen,
    role: Mapping[int, str],
    may_write: Callable[[int, str, str], bool],
    is_manager: Callable[[str], bool],
) -> Outcome:
    """The claim, judged by what was open at the first look and at the last, and what was written to pipes meanwhile.

    `may_write`: whether this process may have written to, or mapped, this path. `is_manager`: whether an address is the
    service manager's.
    """
    wrong, logs = [], []
    for pid, process in sorted(seen.processes.items()):
        if role[pid] == STRANGER:
            continue
        for thing in process.held or ():
            if thing.kind == "log":
                logs.append(f"{thing}, where only the log goes")
            elif not _may_hold(role[pid], pid, thing, may_write, is_manager):
                wrong.append(f"the {role[pid]} (pid {pid}) has {thing}")
    wrong += [
        f"the {role[act.pid]} (pid {act.pid}) wrote to {act.about}"
        for act in seen.acts
        if act.what == "piped" and role.get(act.pid, STRANGER) != STRANGER
    ]
    if wrong:
        return Outcome(claim, False, "; ".join([*dict.fromkeys(wrong), REMEDY]))
    return Outcome(claim, True, "; ".join(["at the first look and at the last", *dict.fromkeys(logs)]))


def _may_hold(
    role: str,
    pid: int,
    thing: Holding,
    may_write: Callable[[int, str, str], bool],
    is_manager: Callable[[str], bool],
) -> bool:
    if thing.kind == "socket":
        return True  # the claims about sockets have it
    if thing.kind in ("file", "memory"):
        return may_write(pid, "opened" if thing.kind == "file" else "mapped", thing.what)
    if thing.kind == "unix" and thing.what.startswith("/") and role == SUPERVISOR:
        return is_manager(f"unix {thing.what}") or thing.what.startswith(JOURNAL)
    return False
