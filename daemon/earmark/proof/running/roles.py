"""Which process of the daemon is which: by its command line, and whether it is one of ours at all."""

from __future__ import annotations

from pathlib import Path

from earmark.locality.confinement import door
from earmark.power import CAFFEINATE, awake_command
from earmark.proof.running.seen import Process, Seen

SUPERVISOR, TRANSCRIBER, SUMMARIZER = "supervisor", "transcription worker", "summarization worker"
DIARIZER, EMBEDDER = "worker that tells voices apart", "worker that makes vectors"
DOOR, KNOCK, LINK, HELPER, STRANGER = "door", "knock", "question to LM Studio", "helper", "other program"
LISTENER = "process that looks who listens"
AWAKE = "caffeinate of macOS"
ASSISTANTS = "earmark mcp"
PAGES = "earmark serve"

_MODULES = {
    "earmark.transcription.worker": TRANSCRIBER,
    "earmark.diarization.worker": DIARIZER,
    "earmark.search.worker": EMBEDDER,
    "earmark.summarization.worker": SUMMARIZER,
}
_SCRIPTS = Path(door.__file__).parent
"""Where the small programs are that the daemon or a summarization worker needs, each run by its file."""

_BY_FILE = {"door": DOOR, "knock": KNOCK, "linkstatus": LINK, "listener": LISTENER}


def roles(seen: Seen, supervisor: int, lms: str | None = None) -> dict[int, str]:
    """The role of each process. `lms`: where LM Studio's tool is, which may be asked about its links.

    A process that has not become another program yet does what its parent does.
    """
    found = {supervisor: SUPERVISOR}
    root = seen.processes[supervisor]
    for pid in sorted(seen.processes):
        process = seen.processes[pid]
        parent = seen.processes.get(process.parent)
        if pid in found:
            continue
        if parent is not None and (not process.arguments or process.arguments == parent.arguments):
            found[pid] = found.get(parent.pid, STRANGER)
        elif _keeps_awake(process, supervisor):
            found[pid] = AWAKE
        else:
            role = _role(process, root, lms)
            # Only the daemon knocks. Whoever else starts that program is judged as its helper.
            found[pid] = HELPER if role == KNOCK and process.parent != supervisor else role
    return found


def _keeps_awake(process: Process, supervisor: int) -> bool:
    """Whether it is what the daemon starts for `[transcription] stay_awake`, and nothing else of that name."""
    its_own = process.parent == supervisor and process.program == CAFFEINATE
    return its_own and process.arguments == awake_command(supervisor)


def _role(process: Process, root: Process, lms: str | None) -> str:
    arguments = process.arguments
    if lms is not None and arguments[:1] == (lms,):
        return LINK
    # Something else in a worker's place is judged as that worker, and is no program of ours all the same.
    module = next((a for a in arguments[1:] if a in _MODULES), "")
    if module:
        return _MODULES[module]
    if process.program and root.program and process.program != root.program:
        return STRANGER
    script = Path(next((a for a in arguments[1:] if not a.startswith("-")), "/"))
    return _BY_FILE.get(script.stem, HELPER) if _is_one_of_ours(script) else STRANGER


def _is_one_of_ours(script: Path) -> bool:
    """One of the small programs: this installation's, or another's, if it is the same to the byte."""
    if script.parent == _SCRIPTS:
        return True
    try:
        ours = _SCRIPTS / script.name
        return ours.is_file() and script.is_file() and script.read_bytes() == ours.read_bytes()
    except OSError:
        return False


def is_ours(process: Process, root: Process) -> bool:
    """False for a worker that is not the module of this name, run by the daemon's own Python."""
    if not any(argument in _MODULES for argument in process.arguments[1:]):
        return True
    same = not process.program or not root.program or process.program == root.program
    return same and process.arguments[1:2] == ("-m",) and len(process.arguments) == 3
