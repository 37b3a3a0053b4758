"""Whether a running worker is held by the kernel: what /proc says of it, and the walls as they were seen to be put on."""

from __future__ import annotations

import os
import platform
import struct
from dataclasses import dataclass
from pathlib import Path

from earmark.locality.confinement import calls, landlock, sandbox, seccomp
from earmark.proof.outcome import Outcome
from earmark.proof.running.filters import not_refused
from earmark.proof.running.roles import (
    ASSISTANTS,
    DIARIZER,
    DOOR,
    EMBEDDER,
    LISTENER,
    PAGES,
    SUMMARIZER,
    TRANSCRIBER,
)
from earmark.proof.running.seen import Act, Process, Seen
from earmark.proof.running.setting import Setting

READS = 1 << 0 | 1 << 2 | 1 << 3
"""Landlock's rights to execute, to read a file and to read a folder (linux/landlock.h)."""

TOO_MUCH = "it did more different things than this check keeps (20,000); what came after that is not known"

LISTS = {
    TRANSCRIBER: calls.TRANSCRIPTION, DIARIZER: calls.TRANSCRIPTION, EMBEDDER: calls.TRANSCRIPTION,
    SUMMARIZER: calls.SUMMARIES, DOOR: calls.DOOR, LISTENER: calls.LISTENER,
    ASSISTANTS: calls.ASSISTANTS, PAGES: calls.PAGES,
}  # fmt: skip
"""What each of these processes may do, and no other."""

_WITHOUT_FILES = (TRANSCRIBER, DIARIZER, EMBEDDER, SUMMARIZER, DOOR, ASSISTANTS, PAGES)
"""Whom Landlock holds. Who looks which program listens has to look at all of /proc."""

_BEGUN = {"read": "opened a recording", "answered": "answered", "connect": "connected"}
"""Acts by which somebody has begun to work, and how they are told."""


@dataclass(frozen=True, slots=True)
class Before:
    """What held whoever was started first, before it put on anything itself: a service manager's filter or a container's
    is no worker's own. `count`: how many filters that are; `filters`: their programs, where they could be read.
    """

    count: int
    filters: frozenset[str]
    whose: str = "the daemon's"

    @classmethod
    def of_daemon(cls, seen: Seen, setting: Setting) -> Before:
        """A daemon puts on none."""
        count = int(seen.processes[setting.supervisor].status.get("Seccomp_filters", 0))
        return cls(count, frozenset(a.about for a in seen.by(setting.supervisor, "standing", "filter")))


def held(
    seen: Seen, process: Process, name: str, role: str, setting: Setting, before: Before | None = None
) -> Outcome:
    """The claim about one process. Landlock is in it only where it was seen."""
    before = before or Before.of_daemon(seen, setting)
    watched = seen.followed and process.born
    acts = seen.by(process.pid)
    if watched and not any(a.what in _BEGUN or (a.what == "wall" and a.about == "seccomp") for a in acts):
        return Outcome(
            f"{name} is held by the kernel", None, "it had only just been started, and had done nothing"
        )
    files = setting.landlock and role in _WITHOUT_FILES
    and_landlock = " and Landlock" if watched and files else ""
    wrong = _on_proc(process, before) + [f"it set {a.about}" for a in acts if is_leaky(a)]
    wrong += _filters(seen, process, role, setting, before)
    wrong += _read_astray(acts, process, setting) if files else []
    if watched:
        wrong += _put_on(acts, process, role, setting)
    how = "no new privileges, no core file"
    if watched:
        how += ", no reading of its memory; put on before it began to work, and the filter's program was read"
    elif files:
        how += ", its filter's program was read" if seen.by(process.pid, "standing") else ""
        how += "; whether Landlock holds a process that runs already cannot be seen from outside"
    if files and not _is_known(process, setting):
        how += "; which paths it needs is not known to this installation of earmark"
    if not wrong and seen.full:
        return Outcome(f"{name} is held by a system-call filter{and_landlock}", None, TOO_MUCH)
    return Outcome(
        f"{name} is held by a system-call filter{and_landlock}", not wrong, "; ".join(wrong) or how
    )


def rightful(role: str, pid: int) -> set[str]:
    """The programs that this earmark makes for this role; none where it has none for this machine."""
    machine = platform.machine()
    if machine not in seccomp.AUDIT:
        return set()
    return {
        b"".join(struct.pack("<HBBI", *step) for step in seccomp.program(machine, chosen, pid)).hex()
        for chosen in (LISTS[role], *([(*LISTS[role], calls.GPU)] if role == TRANSCRIBER else []))
    }


def _filters(seen: Seen, process: Process, role: str, setting: Setting, before: Before) -> list[str]:
    """Its filters but those that were there before have to be, byte for byte, what this earmark makes for this role."""
    found = {a.about for a in seen.by(process.pid, "standing", "filter") if a.done}
    right = rightful(role, process.pid)
    if not right:
        return []
    own = found - before.filters
    if own - right:
        older = f" (the daemon is {setting.other_version}; start it anew)" if setting.other_version else ""
        return [f"its filter is not the one that earmark makes for it{older}"]
    # A filter that stood before and could not be read is in no act at all.
    return ["it has no filter of its own"] if not own and (found or (seen.followed and process.born)) else []


def is_leaky(act: Act) -> bool:
    """An act by which others could read its memory."""
    return act.what == "odd" and act.done and act.about in ("PR_SET_DUMPABLE", "RLIMIT_CORE")


def _is_known(process: Process, setting: Setting) -> bool:
    """Whether it is known what it may read: the model, and where its Python and its packages are."""
    return (
        bool(setting.readable) and str(Path((process.arguments or ("",))[0]).parent) == setting.installation
    )


def _read_astray(acts: list[Act], process: Process, setting: Setting) -> list[str]:
    """Files that it could not have opened behind its Landlock. Of a process that runs already nothing else shows one."""
    walls = [a.order for a in acts if a.what == "wall" and a.about == "landlock" and a.done]
    if not _is_known(process, setting) or (process.born and not walls):
        return []  # not known, or told as never shut
    left = {os.path.realpath(p) for p in setting.readable} | sandbox.own_paths(process.pid)
    return [
        f"it read {a.about}, which its Landlock should not have let it"
        for a in acts
        if a.what == "looked"
        and a.order > (walls[0] if walls else -1)
        and not any(a.about == path or a.about.startswith(f"{path}/") for path in left)
    ]


def _on_proc(process: Process, before: Before) -> list[str]:
    status, wrong = process.status, []
    if status.get("Seccomp") != "2":
        wrong.append(f"no system-call filter holds it (Seccomp: {status.get('Seccomp', 'unknown')})")
    elif 0 < int(status.get("Seccomp_filters", 0)) <= before.count:
        wrong.append(f"no system-call filter holds it but {before.whose}")
    if status.get("NoNewPrivs") != "1":
        wrong.append("it may gain privileges (NoNewPrivs: 0)")
    if status.get("core", "0") != "0":
        wrong.append("it leaves core files")
    return [*wrong, *readers(process)]


def readers(process: Process) -> list[str]:
    """Who can read what it knows."""
    open_ = (
        ["other programs of its user can read its memory"] if process.status.get("memory") == "open" else []
    )
    return [*open_, *follower(process)]


def follower(process: Process) -> list[str]:
    """Who reads along, and keeps this check from following it."""
    return [f"{process.followed_by} follows it, and can read all of it"] if process.followed_by else []


def _put_on(acts: list[Act], process: Process, role: str, setting: Setting) -> list[str]:
    """What was wrong with the walls that it put on itself."""
    stood = {a.about: a.order for a in acts if a.what == "wall" and a.done}
    wrong = ["others can read its memory"] if "not dumpable" not in stood else []
    programs = [bytes.fromhex(a.about) for a in acts if a.what == "filter" and a.done]
    if programs and role != DOOR and (open_ := not_refused(programs)):
        wrong.append(f"its filter lets through: {', '.join(open_)}")
    if setting.landlock and role in _WITHOUT_FILES:
        if "landlock" not in stood:
            wrong.append("it never shut its files (no Landlock)")
        else:
            wrong += _holes(
                [a.about for a in acts if a.what == "landlock" and a.done], process, role, setting
            )
    # A summarization worker looks its server's name up before.
    begun = [a for a in acts if a.what in _BEGUN and (a.what != "connect" or role == DOOR)]
    late = [wall for wall, order in stood.items() if begun and order > begun[0].order]
    if late:
        wrong.append(f"it {_BEGUN[begun[0].what]} before its doors were shut ({', '.join(late)})")
    return wrong


def _holes(rules: list[str], process: Process, role: str, setting: Setting) -> list[str]:
    """Rules that leave a process what it must not have: the home folder, or writing to anything but a device."""
    wrong = []
    known = _is_known(process, setting)
    right = {os.path.realpath(p) for p in setting.readable} | sandbox.own_paths(process.pid)
    for rule in rules:
        first, _, path = rule.partition(" ")
        if first == "handles":
            if landlock.handled() & ~int(path, 16):
                wrong.append("its Landlock does not take away all that it could")
            continue
        rights = int(first, 16)
        whole = (known and path not in right) or role == DOOR
        whole |= path == "/" or str(setting.home) == path or str(setting.home).startswith(f"{path}/")
        if whole and path not in map(str, setting.folders):
            wrong.append(f"its Landlock leaves it {path}")
        if rights & ~READS and not path.startswith("/dev/"):
            wrong.append(f"its Landlock lets it write to {path}")
    return wrong
