"""Whether a running worker is held by the kernel: what /proc says of it, and the walls as they were seen to be put on."""

from __future__ import annotations

import os
import platform
import struct

from earmark.locality.confinement import calls, sandbox, seccomp
from earmark.proof.outcome import Outcome
from earmark.proof.running.filters import not_refused
from earmark.proof.running.roles import TRANSCRIBER
from earmark.proof.running.seen import Act, Process, Seen
from earmark.proof.running.setting import Setting

READS = 1 << 0 | 1 << 2 | 1 << 3
"""Landlock's rights to execute, to read a file and to read a folder (linux/landlock.h)."""

TOO_MUCH = "it did more different things than this check keeps (20,000); what came after that is not known"

WRITES_AND_READS = 1 << 1 | 1 << 2
"""Its rights to write and to read a file, which a wall has to take away."""


def held(seen: Seen, process: Process, name: str, role: str, setting: Setting) -> Outcome:
    """The claim about one worker. Landlock is in it only where it was seen."""
    watched = seen.followed and process.born
    if watched and not seen.by(process.pid, "wall", "read", "answered", "connect"):
        return Outcome(
            f"{name} is held by the kernel", None, "it had only just been started, and had opened nothing"
        )
    landlock = " and Landlock" if watched and setting.landlock else ""
    wrong = _on_proc(process) + [f"it set {a.about}" for a in seen.by(process.pid) if is_leaky(a)]
    wrong += _other_filters(seen, process, role, setting)
    if watched:
        wrong += _put_on(seen.by(process.pid), process, role, setting)
    how = "no new privileges, no core file"
    if watched:
        how += ", no reading of its memory; put on before it opened a recording, and the filter's program was read"
    elif setting.landlock:
        how += ", its filter's program was read" if seen.by(process.pid, "standing") else ""
        how += "; whether Landlock holds a process that runs already cannot be seen from outside"
    if not wrong and seen.full:
        return Outcome(f"{name} is held by a system-call filter{landlock}", None, TOO_MUCH)
    return Outcome(f"{name} is held by a system-call filter{landlock}", not wrong, "; ".join(wrong) or how)


def _other_filters(seen: Seen, process: Process, role: str, setting: Setting) -> list[str]:
    """Filters that are not, byte for byte, what this earmark makes for this role; those that the daemon has, too, add up."""
    acts = [a for a in seen.by(process.pid, "standing", "filter") if a.done]
    machine = platform.machine()
    if machine not in seccomp.AUDIT:
        return []
    inherited = {a.about for a in seen.by(setting.supervisor, "standing", "filter")}
    groups = calls.TRANSCRIPTION if role == TRANSCRIBER else calls.SUMMARIES
    right = {
        b"".join(struct.pack("<HBBI", *step) for step in seccomp.program(machine, chosen, process.pid)).hex()
        for chosen in (groups, (*groups, calls.GPU))
    }
    return (
        ["its filter is not the one that earmark makes for it"]
        if {a.about for a in acts} - inherited - right
        else []
    )


def is_leaky(act: Act) -> bool:
    """An act by which others could read its memory."""
    return act.what == "odd" and act.done and act.about in ("PR_SET_DUMPABLE", "RLIMIT_CORE")


def _on_proc(process: Process) -> list[str]:
    status, wrong = process.status, []
    if status.get("Seccomp") != "2":
        wrong.append(f"no system-call filter holds it (Seccomp: {status.get('Seccomp', 'unknown')})")
    if status.get("NoNewPrivs") != "1":
        wrong.append("it may gain privileges (NoNewPrivs: 0)")
    if status.get("core", "0") != "0":
        wrong.append("it leaves core files")
    return wrong


def _put_on(acts: list[Act], process: Process, role: str, setting: Setting) -> list[str]:
    """What was wrong with the walls that it put on itself."""
    stood = {a.about: a.order for a in acts if a.what == "wall" and a.done}
    wrong = ["others can read its memory"] if "not dumpable" not in stood else []
    programs = [bytes.fromhex(a.about) for a in acts if a.what == "filter" and a.done]
    if programs and (open_ := not_refused(programs)):
        wrong.append(f"its filter lets through: {', '.join(open_)}")
    if setting.landlock and "landlock" not in stood:
        wrong.append("it never shut its files (no Landlock)")
    elif setting.landlock:
        wrong += _holes([a.about for a in acts if a.what == "landlock" and a.done], process, setting)
    first = next((a for a in acts if a.what == "read"), None)
    late = [wall for wall, order in stood.items() if first is not None and order > first.order]
    if late and role == TRANSCRIBER:
        wrong.append(f"it opened a recording before its doors were shut ({', '.join(late)})")
    return wrong


def _holes(rules: list[str], process: Process, setting: Setting) -> list[str]:
    """Rules that leave a worker what it must not have: the home folder, or writing to anything but a device."""
    wrong = []
    known = setting.readable and process.program == setting.program
    right = {os.path.realpath(p) for p in setting.readable} | sandbox.own_paths(process.pid)
    for rule in rules:
        first, _, path = rule.partition(" ")
        if first == "handles":
            if int(path, 16) & WRITES_AND_READS != WRITES_AND_READS:
                wrong.append("its Landlock does not take away reading and writing")
            continue
        rights = int(first, 16)
        whole = bool(known) and path not in right
        whole |= path == "/" or str(setting.home) == path or str(setting.home).startswith(f"{path}/")
        if whole and path not in map(str, setting.folders):
            wrong.append(f"its Landlock leaves it {path}")
        if rights & ~READS and not path.startswith("/dev/"):
            wrong.append(f"its Landlock lets it write to {path}")
    return wrong
