"""Which process is the daemon, by the kernel's word: the one that holds the lock. What a report says of that is a claim."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from earmark import __version__
from earmark.config import Config
from earmark.files import has_own_processes, holders
from earmark.proof.running.descriptors import cwd_of, has_proc, status_of
from earmark.proof.running.sampler import started_at
from earmark.report import Report
from earmark.service.elsewhere import verb_of

ANOTHERS = (
    "/proc shows the processes of another pid namespace than this shell's, so that their numbers are others here; ask "
    "outside of it, or with a /proc of its own (unshare --mount-proc)"
)


@dataclass(frozen=True, slots=True)
class Holder:
    """`pid` of the process that is to be looked at; 0 where none can be, and then `why_not`."""

    pid: int
    why_not: str = ""


def holder_of(lock_file: Path, proc: Path = Path("/proc")) -> Holder:
    """Who holds this lock (flock) now. A process of another pid namespace, or of another program, is not looked at."""
    if has_proc(proc) and not has_own_processes(proc):
        return Holder(0, ANOTHERS)
    found = holders(lock_file, proc)
    if found is None:
        return Holder(0, f"the kernel does not say who holds {lock_file}")
    ours = [pid for pid in found if pid > 0 and _is_earmark(proc, pid)]
    if not found or found == [0]:
        return Holder(0, f"the process that holds {lock_file} is in a container or cannot be seen from here")
    if all(status_of(proc / str(pid)).get("State", "Z")[:1] in "ZX" for pid in found):
        return Holder(0, _left_behind(proc, lock_file, found))
    if len(ours) != 1:
        return Holder(0, f"{lock_file} is held by pid {', '.join(map(str, found))}, which is no earmark")
    if len(status_of(proc / str(ours[0])).get("NSpid", "").split()) > 1:
        return Holder(0, f"the daemon (pid {ours[0]}) is in a container; ask inside of it")
    return Holder(ours[0])


def unreported(pid: int, config: Config, config_file: Path) -> Report:
    """What is known of a daemon that says nothing of itself, as where its disk is full: its folders are those of its command
    line, or else of the configuration.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        words = []
    named = [word for word in verb_of(words)[1:] if not word.startswith("-") and word != "run"]
    folders = [str(Path(cwd_of(pid) or "/") / name) for name in named] or [str(f.path) for f in config.folder]
    return Report(
        pid=pid,
        version=__version__,
        started_at=started_at(pid),
        folders=tuple(folders),
        config_file=str(config_file),
    )


def _left_behind(proc: Path, lock_file: Path, gone: list[int]) -> str:
    """No daemon runs, and yet its lock is held: what it started has it open, and so keeps it (flock(2))."""
    taken = f"{lock_file} was taken by pid {', '.join(map(str, gone))}, which has ended"
    keepers = [
        f"{status_of(process).get('Name', 'a process')} (pid {process.name})"
        for process in proc.iterdir()
        if process.name.isdigit() and _has_open(process, lock_file)
    ]
    if not keepers:
        return f"{taken}; what it started keeps it, and root can see which program that is"
    return f"{taken}; {', '.join(keepers)} keeps it; no daemon can be started until that ends"


def _has_open(process: Path, file: Path) -> bool:
    try:
        return any(fd.samefile(file) for fd in (process / "fd").iterdir() if fd.exists())
    except OSError:
        return False


def _is_earmark(proc: Path, pid: int) -> bool:
    try:
        arguments = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # Before it there may be any number of Python's own options, or another program that runs modules.
    return any(Path(a.decode(errors="replace")).name == "earmark" for a in arguments)
