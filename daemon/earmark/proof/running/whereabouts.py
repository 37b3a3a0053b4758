"""Where the words of the recording turned up: in what was written, in names and command lines, in files that changed."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from earmark.files import hidden_kind
from earmark.proof.outcome import Outcome
from earmark.proof.running.noting import MEMORY_NAME, NAME
from earmark.proof.running.roles import SUMMARIZER
from earmark.proof.running.rules import LEDGER, Judge
from earmark.proof.running.shut import TOO_MUCH
from earmark.proof.running.words import AMONG_OTHERS, IN_NAMES, RUN, Runs, found_in

LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is searched."""

PATIENCE = 5.0
"""Seconds for looking through a home folder; one that is larger is looked through in part, and that is said."""


@dataclass
class Elsewhere:
    """Folders where nothing should turn up. `look` keeps what came there since, even if it goes again.

    `needed` where system calls cannot be followed; cheap, so that it can be asked ten times a second.
    """

    status_file: Path
    owner: int
    needed: bool
    since: float = field(default_factory=time.time)
    kept: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        temporary = {tempfile.gettempdir(), os.environ.get("TMPDIR", "/tmp"), "/tmp", "/var/tmp", "/dev/shm"}
        self._folders = [Path(p) for p in sorted(temporary) if os.path.isdir(p)]  # noqa: PTH112 - false, too, where nobody may look
        self._before = {p: set(_names(p)) for p in self._folders}

    def look(self) -> None:
        """Read what is new in the temporary folders, and the daemon's report."""
        if not self.needed:
            return
        self._keep(self.status_file)
        for folder in self._folders:
            for name in set(_names(folder)) - self._before[folder]:
                for path in _below(folder / name, time.monotonic() + PATIENCE):
                    self._keep(path)

    def _keep(self, path: Path) -> None:
        text = text_of(path, self.owner)
        known = self.kept.get(str(path), "")
        if text and text not in known and len(known) < LARGEST:
            self.kept[str(path)] = f"{known}\n{text}"


def text_of(path: Path, owner: int | None = None) -> str:
    """What an ordinary file (of this owner) holds, up to a limit; "" for anything else."""
    try:
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode) or (owner is not None and about.st_uid != owner):
            return ""
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def changed(folders: Iterable[Path], since: float, seconds: float) -> Iterator[Path]:
    """Files below these folders that changed since then, for so many seconds of looking."""
    until = time.monotonic() + seconds
    for folder in folders:
        for path in _below(folder, until):
            try:
                if path.lstat().st_ctime >= since - 1:
                    yield path
            except OSError:
                continue


@dataclass
class Found:
    """What was there when everything was written, read before it is erased. `notes`: the files that are to hold words;
    `texts`: what was said; `files`: what all files hold that changed; `logged`: the log, where it can be read.
    """

    notes: set[Path] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    files: dict[Path, str] = field(default_factory=dict)
    logged: str | None = None

    def read(self, ours: Iterable[Path], others: Iterable[Path], elsewhere: Elsewhere) -> None:
        """Read the files that changed below folders of ours and, for a while and by their owner, below others."""
        self.files = {path: text_of(path) for path in changed(ours, elsewhere.since, 60.0)}
        if elsewhere.needed:
            theirs = changed(others, elsewhere.since, PATIENCE)
            self.files |= {path: text_of(path, elsewhere.owner) for path in theirs}
            self.files |= {Path(path): text for path, text in elsewhere.kept.items()}


def words_stay(judge: Judge, runs: Runs, found: Found) -> Iterator[Outcome]:
    """The claims about where the words are."""
    setting = judge.setting
    name = f"the recording of this check by the running daemon (pid {setting.supervisor})"
    if not any(found_in(found.files.get(note, ""), runs) for note in found.notes):
        claim = f"Words of {name} are in its notes and the ledger only"
        yield Outcome(claim, None, "the search does not find them even in the notes")
        return
    yield _written(judge, runs, name, _with_temporary(judge, found.notes))
    yield _logged(judge, runs, name, found.logged)
    yield _named(judge, runs, name)
    yield _lying(judge, runs, found, name)


def _with_temporary(judge: Judge, notes: set[Path]) -> set[str]:
    """The notes, and the hidden names under which they were written before they had their own, one after the other."""
    found = {str(note) for note in notes}
    moved = [act.about.partition("\0") for act in judge.seen.acts if act.what == "moved" and act.done]
    for old, _, new in reversed(moved):
        if new in found and hidden_kind(old.rpartition("/")[2]):
            found.add(old)
    return found


def _written(judge: Judge, runs: Runs, name: str, notes: set[str]) -> Outcome:
    claim = f"Words of {name} are written to its notes and the ledger only"
    if not judge.seen.followed:
        return Outcome(claim, None, f"system calls cannot be followed: {judge.seen.why_not}")
    moved = {act.about.partition("\0")[0] for act in judge.seen.acts if act.what == "moved" and act.done}
    wrong = []
    for where, text in judge.seen.said.items():
        pid, _, target = where.partition(" ")
        if target in ("the log", NAME, MEMORY_NAME) or _is_way_out(judge, int(pid), target):
            continue
        if target.removesuffix(" (deleted)") in notes:
            continue
        others = any(target.startswith(f"{folder}/") for folder in judge.setting.folders)
        hidden = hidden_kind(target.removesuffix(" (deleted)").rpartition("/")[2]) is not None
        if others and judge.seen.full and hidden:
            continue  # which of them became notes was not kept
        if run := found_in(
            text, runs, AMONG_OTHERS if others and not (hidden and target not in moved) else RUN
        ):
            wrong.append(f"the {judge.role.get(int(pid), 'daemon')} wrote “{run}” to {target}")
    if judge.seen.full and not wrong:
        return Outcome(claim, None, TOO_MUCH)
    if judge.seen.cut and not wrong:
        return Outcome(claim, None, f"more was written than was looked at: {', '.join(judge.seen.cut[:3])}")
    return Outcome(claim, not wrong, "; ".join(wrong) or judge.how)


def _is_way_out(judge: Judge, pid: int, target: str) -> bool:
    """The one connection through which words may go. That it leads to the pinned address is a claim of its own."""
    return judge.role.get(pid) == SUMMARIZER and target.startswith("socket tcp")


def _logged(judge: Judge, runs: Runs, name: str, journal: str | None) -> Outcome:
    claim = f"Words of {name} are in no log line"
    wrong = []
    for where, text in judge.seen.said.items():
        pid, _, target = where.partition(" ")
        if target == "the log" and (run := found_in(text, runs)):
            wrong.append(f"the {judge.role.get(int(pid), 'daemon')} logged “{run}”")
    if journal and (run := found_in(journal, runs)):
        wrong.append(f"“{run}” is in the log")
    if not wrong and not judge.seen.followed and journal is None:
        return Outcome(claim, None, "where it logs to cannot be seen by you; root can")
    how = judge.how if judge.seen.followed else "its log was read afterwards"
    return Outcome(claim, not wrong, "; ".join(dict.fromkeys(wrong)) or how)


def _named(judge: Judge, runs: Runs, name: str) -> Outcome:
    setting = judge.setting
    pids = ", ".join(str(pid) for pid in sorted(judge.seen.processes))
    shown = all(any(t.startswith("environment:") for t in p.titles) for p in judge.seen.processes.values())
    environment = "environment, " if judge.seen.followed or shown else ""  # only root may read it
    claim = f"Words of {name} are in no command line, {environment}process name or file name"
    wrong = []
    for pid, process in judge.seen.processes.items():
        for title in process.titles:
            what, _, text = title.partition(":")
            if run := found_in(text, runs, IN_NAMES if what == "name" else RUN):
                wrong.append(f"“{run}” was in the {what} of the {judge.role.get(pid, 'daemon')} (pid {pid})")
    for where, text in judge.seen.said.items():
        pid_of, _, target = where.partition(" ")
        if target in (NAME, MEMORY_NAME) and (run := found_in(text, runs, IN_NAMES)):
            of = "pid" if target == NAME else "memory of pid"
            wrong.append(f"“{run}” was in the name of {of} {pid_of}")
    for act in judge.seen.acts:
        if act.what in ("named", "opened", "bind", "connect", "send"):
            # Below the state folder all of the path is ours; elsewhere the folders are other people's.
            ours = act.about.startswith(f"{setting.state}/")
            told = act.about.removeprefix(f"{setting.state}/") if ours else act.about.rpartition("/")[2]
            if run := found_in(told, runs, IN_NAMES):
                wrong.append(f"“{run}” was in the name {act.about}")
    wrong += _asked(judge, runs)
    if judge.seen.full and not wrong:
        return Outcome(claim, None, TOO_MUCH)
    return Outcome(claim, not wrong, "; ".join(dict.fromkeys(wrong)) or f"pid {pids}; {judge.how}")


def _asked(judge: Judge, runs: Runs) -> Iterator[str]:
    """Paths that were only looked at: behind a mount point somebody else may be asked for them."""
    setting = judge.setting
    others = [f"{folder}/" for folder in (*setting.folders, setting.home)]
    for path, pid in judge.seen.asked.items():
        ours = path.startswith(f"{setting.state}/")
        known = (
            f"{setting.state}/"
            if ours
            else max((o for o in others if path.startswith(o)), key=len, default="")
        )
        if run := found_in(path.removeprefix(known), runs, IN_NAMES if ours else RUN):
            yield f"the {judge.role.get(pid, 'daemon')} looked for “{run}” by the name {path}"


def _lying(judge: Judge, runs: Runs, found: Found, name: str) -> Outcome:
    setting = judge.setting
    claim = f"Words of {name} lie in no other file of the drop folders and the state folder"
    if not judge.seen.followed:
        claim += ", nor in a temporary folder or your home folder"
    wrong = []
    for path, text in found.files.items():
        ledger = path.name in LEDGER and path.parent == setting.state
        if ledger or path in found.notes:
            continue
        ours = path.is_relative_to(setting.state)
        if run := found_in(text, runs, RUN if ours else AMONG_OTHERS):
            wrong.append(f"“{run}” is in {path}")
        if run := found_in(path.name, runs, IN_NAMES if ours else RUN):
            wrong.append(f"“{run}” is in the name of {path}")
    return Outcome(claim, not wrong, "; ".join(wrong) or f"{len(found.files)} files that changed were read")


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _below(path: Path, until: float) -> Iterator[Path]:
    """Everything at and below a path, in no symlink, until a moment of the monotonic clock."""
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        if time.monotonic() > until:
            return
        yield from (Path(folder) / name for name in names)
