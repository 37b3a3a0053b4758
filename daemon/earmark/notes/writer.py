"""Putting a note into the user's folder: whole or not at all, and never over anything that is not ours.

Deciding (`plan_publish`) and acting (`publish`) are apart, so that the pipeline can put ledger rows between them.
The recipe (facts.md, "Durability", tried with power cuts): write a temp file in the same folder, fsync it, link or
rename it into place, fsync the folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earmark.errors import EarmarkError
from earmark.notes.publication import (
    create_without_clobbering,
    environment_fault,
    flush_file,
    flush_folder,
    write_all,
)

MOST_NAMES = 1000
"""Candidates that are tried before a folder counts as full of notes of that name."""

_TEMP = re.compile(r"\.earmark-[0-9a-f]{16}\.tmp")

Step = Callable[[str], None]
"""Called with "before:ACT" and "after:ACT" around each durable act, for tests that kill the process there."""


class PlanStale(EarmarkError):
    """Between plan and act somebody else wrote to that name; plan again."""

    exit_code = 75


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do under which name, and why in words.

    `create`: the name is free. `replace`: the file is ours as we wrote it; `replaces` is its hash. `unchanged`: the
    very bytes are there. `beside`: ours was edited, so this version goes under a name of its own (which is free, or
    holds an earlier version of ours as we wrote it; then `replaces` is set).
    """

    name: str
    action: Literal["create", "replace", "unchanged", "beside"]
    reason: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A note that is safely on disk. `sha256` is of its bytes."""

    path: Path
    sha256: str


def digest(text: str) -> str:
    """SHA-256 (hexadecimal) of the bytes that a note with this text has on disk."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str | None:
    """SHA-256 of a regular file's bytes; None if it is not there or is anything but a regular file."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def plan_publish(folder: Path, names: Iterable[str], text: str, ours: Mapping[str, str]) -> Plan:
    """Where a note can go without touching anything that is not ours. Reads the folder, changes nothing.

    `names`: candidates, best first (`names.candidates`). `ours`: file name to SHA-256 for what we wrote for this
    recording and this kind of note. Raises EnvironmentFault if the folder cannot be read.
    """
    wanted = digest(text)
    edited: list[str] = []
    reason = ""
    try:
        # An own note that is as we left it keeps its name, even if a better one has become free since.
        for name, written in ours.items():
            found = file_digest(folder / name)
            if found == wanted:
                return Plan(name, "unchanged", f"{name} already says this")
            if found == written:
                action: Literal["replace", "beside"] = "beside" if edited else "replace"
                return Plan(name, action, _beside(edited) or f"{name} is as earmark wrote it", written)
            if found is not None or _taken(folder / name):
                edited.append(name)
        for name in itertools.islice(names, MOST_NAMES):
            path = folder / name
            if not _taken(path):
                return Plan(
                    name, "beside" if edited else "create", _beside(edited) or reason or f"{name} is free"
                )
            if name not in ours:
                if file_digest(path) == wanted:
                    return Plan(name, "unchanged", f"{name} already says this")
                reason = reason or f"{name} was not written by earmark for this recording"
    except OSError as error:
        raise environment_fault(error, folder) from error
    raise EarmarkError(
        f"{folder} holds {MOST_NAMES} files where a note could go; move some of them elsewhere and it will be written"
    )


def publish(
    folder: Path, plan: Plan, text: str, expected_sha: str | None = None, step: Step = lambda _: None
) -> Published:
    """Carry out a plan; when this returns, the note survives a power cut.

    A replacement happens only while the file still has the hash `expected_sha` (default: the plan's). Raises
    PlanStale if the name is no longer as planned, EnvironmentFault for the machine's troubles (disk full, read-only,
    no permission, folder gone). Leaves no temp file behind, whatever it raises.
    """
    data = text.encode()
    sha = hashlib.sha256(data).hexdigest()
    path = folder / plan.name
    try:
        with _opened(folder) as at:
            if plan.action == "unchanged":
                _make_durable(path, sha, at, step)
            else:
                _write(at, plan.name, data, expected_sha or plan.replaces, step)
    except OSError as error:
        raise environment_fault(error, folder) from error
    return Published(path, sha)


def remove_stale_temps(folder: Path, older_than: float, now: float) -> list[Path]:
    """Remove our own temp files last written `older_than` seconds before `now` (Unix time); returns what went.

    Only a crash leaves one. Nothing but a regular file of exactly our naming pattern is touched.
    """
    gone: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _TEMP.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    if now - entry.stat(follow_symlinks=False).st_mtime >= older_than:
                        os.unlink(entry.path)  # noqa: PTH108 - scandir gives a str
                        gone.append(folder / entry.name)
    except OSError as error:
        raise environment_fault(error, folder) from error
    return gone


def _write(at: int, name: str, data: bytes, replaces: str | None, step: Step) -> None:
    temp = f".earmark-{secrets.token_hex(8)}.tmp"
    mode = _mode_of(at, name) if replaces is not None else None
    step("before:create-temp")
    # 0666 lets the kernel apply umask and the folder's default ACL, as for a file that the user saves there.
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666, dir_fd=at)
    try:
        try:
            step("after:create-temp")
            if mode is not None:
                os.fchmod(fd, mode)
            step("before:write")
            write_all(fd, data)
            step("after:write")
            step("before:fsync")
            flush_file(fd)
            step("after:fsync")
        finally:
            os.close(fd)
        if replaces is None:
            step("before:create")
            try:
                create_without_clobbering(at, temp, name)
            except FileExistsError:
                raise PlanStale(f"{name} appeared while it was being written; a new name is needed") from None
            step("after:create")
        else:
            step("before:replace")
            if _digest_at(at, name) != replaces:
                raise PlanStale(
                    f"{name} was changed while its new version was being written; it stays as it is"
                )
            os.rename(temp, name, src_dir_fd=at, dst_dir_fd=at)
            step("after:replace")
    finally:
        step("before:remove-temp")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temp, dir_fd=at)
        step("after:remove-temp")
    step("before:fsync-folder")
    flush_folder(at)
    step("after:fsync-folder")


def _make_durable(path: Path, sha: str, at: int, step: Step) -> None:
    """A note that a crash left behind may not have reached the disk yet."""
    fd = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=at)
    with os.fdopen(fd, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha:
            raise PlanStale(f"{path.name} was changed since the plan was made; it stays as it is")
        step("before:fsync")
        flush_file(file.fileno())
        step("after:fsync")
    step("before:fsync-folder")
    flush_folder(at)
    step("after:fsync-folder")


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The folder itself, so that renaming or replacing it meanwhile cannot send the note elsewhere."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _digest_at(at: int, name: str) -> str | None:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    with os.fdopen(fd, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mode_of(at: int, name: str) -> int | None:
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
    return None


def _taken(path: Path) -> bool:
    return os.path.lexists(path)


def _beside(edited: list[str]) -> str:
    return f"{edited[0]} was edited, so it stays as it is" if edited else ""
