"""`earmark doctor`: would the daemon find here what it needs? Every check looks at the real thing, none guesses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.config import folder_problems
from earmark.errors import EarmarkError
from earmark.files import read_bytes
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.paths import Home
from earmark.service.install import Run, lingers

ROOM = 500 * 1024 * 1024
"""Bytes that should be free: the ledger keeps hours of speech in a few MB, SQLite's WAL and a model need room."""

MACOS_ASKS = ("Desktop", "Documents", "Downloads", "Library/Mobile Documents", "Library/CloudStorage")
"""Folders under the home folder that macOS lets a program read only with the user's permission (TCC)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `ok`, or `sentence` says what is wrong and what would be right."""

    name: str
    ok: bool
    sentence: str


def diagnose(
    folders: Sequence[Path],
    home: Home,
    *,
    find_model: Callable[[], Path],
    sandbox: Callable[[], Sequence[str] | None],
    troubles: Sequence[str] = (),
    platform: str = sys.platform,
    proc: Path = Path("/proc"),
    systemd_booted: Path = Path("/run/systemd/system"),
    run: Run = subprocess.run,
) -> list[Finding]:
    """All findings, in the order in which a person would mend them.

    `find_model` returns the model's folder or raises EarmarkError; `sandbox` names what can be enforced against the
    transcription worker here (nothing: an empty sequence; no worker has said so yet: None). `troubles`: what the ledger says
    is wrong with itself. macOS gives each program its own permissions, so only a daemon that was started by launchd sees
    exactly what the service sees.
    """
    return list(_findings(folders, home, find_model, sandbox, troubles, platform, proc, systemd_booted, run))


def _findings(
    folders: Sequence[Path],
    home: Home,
    find_model: Callable[[], Path],
    sandbox: Callable[[], Sequence[str] | None],
    troubles: Sequence[str],
    platform: str,
    proc: Path,
    systemd_booted: Path,
    run: Run,
) -> Iterator[Finding]:
    yield _python()
    for folder in folders:
        yield check_folder(folder, platform)
    for problem in folder_problems(folders, home):
        yield Finding("folders", False, f"{problem}.")
    yield check_state(home.state)
    for sentence in troubles:
        yield Finding("ledger", False, sentence)
    yield from check_room((home.state, *folders))
    yield check_model(find_model)
    yield check_sandbox(sandbox)
    if platform.startswith("linux"):
        yield check_watches(folders, proc)
        yield from check_service_manager(systemd_booted, run)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return Finding(
        "python", ok, f"Python {version}." if ok else f"Python {version}; earmark needs 3.11 or newer."
    )


def check_folder(folder: Path, platform: str = sys.platform) -> Finding:
    """List the folder, read a byte of its first file, and write a nameless temporary file into it."""
    name = f"folder {folder}"
    try:
        if not folder.is_dir():
            there = "is not a folder" if folder.exists() else "does not exist"
            return Finding(name, False, f"{folder} {there}; create it or name another in config.toml.")
        with os.scandir(folder) as entries:
            first = next((entry for entry in entries if entry.is_file(follow_symlinks=False)), None)
        if first is not None:
            read_bytes(Path(first.path), most=1)
    except PermissionError as problem:
        advice = "give this user read and write access"
        if platform == "darwin":
            advice = "allow it in System Settings, Privacy & Security, Files and Folders"
        return Finding(name, False, f"{os.fsdecode(problem.filename or folder)} may not be read; {advice}.")
    except OSError as problem:
        return Finding(name, False, f"{folder} cannot be read: {problem.strerror}.")
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".earmark-doctor-") as probe:
            probe.write(b"earmark")
    except OSError as problem:
        return Finding(
            name,
            False,
            f"{folder} cannot be written ({problem.strerror}); the notes go beside the recordings.",
        )
    home = Path.home()
    if platform == "darwin" and any(folder.is_relative_to(home / asked) for asked in MACOS_ASKS):
        return Finding(
            name,
            True,
            f"{folder} can be read and written from here; macOS will ask once more for the background service.",
        )
    return Finding(name, True, f"{folder} can be read and written.")


def check_state(state: Path) -> Finding:
    """The ledger's folder holds what was said; nobody else may look into it."""
    try:
        info = state.stat()
    except FileNotFoundError:
        return Finding("state", True, f"{state} will be created, for you alone.")
    except OSError as problem:
        return Finding("state", False, f"{state} cannot be looked at: {problem.strerror}.")
    if info.st_uid != os.geteuid():
        return Finding(
            "state", False, f"{state} belongs to another user (uid {info.st_uid}); chown it to yourself."
        )
    if info.st_mode & 0o077:
        mode = f"{info.st_mode & 0o777:o}"
        return Finding("state", False, f"{state} is open to others (mode {mode}); chmod 700 {state}")
    if not os.access(state, os.W_OK):
        return Finding("state", False, f"{state} cannot be written; chmod 700 {state}")
    return Finding("state", True, f"{state} is private.")


def check_room(paths: Sequence[Path]) -> Iterator[Finding]:
    """Free space, once for each filesystem."""
    seen: set[int] = set()
    for path in paths:
        there = next((p for p in (path, *path.parents) if p.exists()), Path("/"))
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        ok = free >= ROOM
        sentence = f"{free / 1e9:.1f} GB are free where {path} is"
        yield Finding(
            "disk", ok, f"{sentence}." if ok else f"Only {sentence}; {ROOM / 1e9:.1f} GB should be."
        )


def check_model(find_model: Callable[[], Path]) -> Finding:
    """The speech model, by the same lookup that the daemon makes."""
    try:
        return Finding("model", True, f"The speech model is {find_model()}.")
    except EarmarkError as problem:
        return Finding("model", False, str(problem))


def check_sandbox(sandbox: Callable[[], Sequence[str] | None]) -> Finding:
    """What keeps the process that reads your recordings off the network."""
    try:
        enforced = sandbox()
    except EarmarkError as problem:
        return Finding("sandbox", False, str(problem))
    if enforced is None:
        return Finding(
            "sandbox", True, "Not known before the first transcription; `earmark status` says it then."
        )
    missing = [s.removeprefix(NOT_ENFORCED) for s in enforced if s.startswith(NOT_ENFORCED)]
    if missing:
        return Finding(
            "sandbox", False, f"Not enforced against the transcription worker: {'; '.join(missing)}."
        )
    if not enforced:
        return Finding("sandbox", False, "Nothing here takes the network away from the transcription worker.")
    return Finding("sandbox", True, f"The transcription worker is held by: {', '.join(enforced)}.")


def check_watches(folders: Sequence[Path], proc: Path = Path("/proc")) -> Finding:
    """inotify needs one watch a folder; without enough of them new recordings wait for the next full look."""
    limit_file = proc / "sys" / "fs" / "inotify" / "max_user_watches"
    try:
        limit = int(limit_file.read_text())
    except (OSError, ValueError):
        return Finding(
            "watches", True, f"{limit_file} cannot be read; folders are looked through every minute anyway."
        )
    wanted = sum(1 for folder in folders for _ in _folders_under(folder, limit))
    # Others of this user watch too (editors, sync clients), so half of the limit is as far as we should go.
    if wanted * 2 > limit:
        return Finding(
            "watches",
            False,
            f"{wanted} folders to watch, and the system allows {limit} watches in all; "
            f"sudo sysctl fs.inotify.max_user_watches={max(524288, wanted * 4)}",
        )
    return Finding("watches", True, f"{wanted} folders to watch, {limit} watches allowed.")


def _folders_under(folder: Path, at_most: int) -> Iterator[str]:
    for count, (path, _, _) in enumerate(os.walk(folder)):
        if count > at_most:
            return
        yield path


def check_service_manager(booted: Path, run: Run) -> Iterator[Finding]:
    """systemd as init (sd_booted(3) looks for the same folder), and whether a user's services outlive the login."""
    if not booted.is_dir():
        yield Finding(
            "systemd",
            False,
            "systemd does not run this machine, so `earmark service install` cannot; `earmark run` needs no systemd.",
        )
        return
    yield Finding("systemd", True, "systemd runs this machine.")
    match lingers(run):
        case True:
            yield Finding("linger", True, "The service goes on when you are logged out.")
        case False:
            yield Finding("linger", False, "The service stops when you log out; loginctl enable-linger")
        case None:
            yield Finding("linger", False, "logind cannot be asked whether services go on after logout.")
