"""A note follows its recording to another name or folder, whole, and only if it is as we wrote it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from earmark.notes.publication import NO_HARD_LINKS, environment_fault, flush_folder
from earmark.notes.writer import MOST_NAMES, Plan, file_digest, publish

Step = Callable[[str], None]


def follow(
    old: Path, folder: Path, names: Iterable[str], sha256: str, step: Step = lambda _: None
) -> Path | None:
    """Give the note at `old` one of `names` in `folder`; returns where it is now, None if it is not ours to move.

    The file is linked under its new name before the old name goes, so it is never nowhere (copied, where the new
    folder is on another disk or knows no hard links); a crash in between leaves both, and the next call finishes the
    move. Never clobbers. Raises EnvironmentFault, and PlanStale if the new name was taken in that very moment.
    """
    try:
        untouched = file_digest(old) == sha256
        for name in islice(names, MOST_NAMES):
            new = folder / name
            if new == old:
                return old
            if file_digest(new) == sha256:
                if untouched:
                    _drop(old, step)
                return new
            if not os.path.lexists(new):
                if not untouched:
                    return None
                step("before:link")
                try:
                    os.link(old, new, follow_symlinks=False)
                    _flush(folder)
                except OSError as error:
                    if error.errno != errno.EXDEV and error.errno not in NO_HARD_LINKS:
                        raise
                    publish(
                        folder,
                        Plan(name, "create", "follows its recording"),
                        old.read_bytes().decode(),
                        step=step,
                    )
                step("after:link")
                _drop(old, step)
                return new
    except OSError as error:
        raise environment_fault(error, folder) from error
    return None


def _drop(old: Path, step: Step) -> None:
    step("before:unlink")
    old.unlink(missing_ok=True)
    _flush(old.parent)
    step("after:unlink")


def _flush(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush_folder(fd)
    finally:
        os.close(fd)
