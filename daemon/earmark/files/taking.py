"""Taking a file away: moved aside first, looked at in hand, and put back if it is not what was decided about.

A decision is made about a content and a name is only where it was seen. So nothing is unlinked that was not held in hand
and recognised, and nothing while somebody has it open for writing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.files.content import Content, StillChanging, content_of, fingerprint, open_regular
from earmark.files.folders import Folder, flush
from earmark.files.identity import Identity
from earmark.files.naming import beside, why
from earmark.files.renaming import hidden_kind, hidden_name, rename_exclusively, rename_to_hidden
from earmark.files.writers import BeingWritten, Lease, leased

Step = Callable[[str], None]
"""Called with "before:ACT" and "after:ACT" around each durable act, for tests that disturb or kill there."""


def quiet(_: str) -> None:
    """The step hook of everyday life."""


class OtherContent(Exception):
    """The file is not what was decided about, or is not to be had: nothing of it went. `where`: where it is now."""

    def __init__(self, where: Path, reason: str) -> None:
        super().__init__(reason)
        self.where = where
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken. `doubt`: why a power cut might undo it (the medium did not confirm the rename), or None."""

    content: Content
    doubt: str | None = None


def take_out(
    folder: Folder,
    name: str,
    expected: str,
    into: Folder,
    target: str,
    *,
    confirm: Callable[[], str | None] = lambda: None,
    step: Step = quiet,
) -> Taken:
    """Move the file with the SHA-256 `expected` into a folder of ours on the same filesystem, under a name that is free.

    Before and after the move it is looked at. `confirm` is asked last, with the file in hand: a reason to put it back.
    Raises OtherContent if something else has the name, came out, or is being written to, FileNotFoundError if nothing
    has it, OSError if it cannot be moved; in each case the file is under its name (or where OtherContent says).
    """
    with _held(folder, name, expected, into, target, confirm, step) as (content, _):
        pass
    return Taken(content, flush(into, folder))


def remove(folder: Folder, name: str, expected: str, *, step: Step = quiet) -> Taken:
    """Unlink the file with the SHA-256 `expected`, after it was moved aside under a hidden name and recognised there.

    Raises as `take_out`. A crash in between leaves the hidden file, which `recover_hidden` recognises.
    """
    hidden = hidden_name("swap", name)
    with _held(folder, name, expected, folder, hidden, lambda: None, step) as (content, lease):
        if not lease.granted and (reason := _second_look(folder, hidden, expected)):
            raise OtherContent(put_back(folder, hidden, folder, name), reason)
        step("before:unlink")
        os.unlink(hidden, dir_fd=folder.fd)
        step("after:unlink")
    return Taken(content, flush(folder))


def remove_own(folder: Folder, name: str, expected: str) -> None:
    """Unlink a file under a name that only we use, if its content is what it should be. Raises OtherContent, OSError."""
    try:
        with open_regular(name, folder) as fd, leased(fd) as lease:
            if fingerprint(fd).sha256 != expected:
                raise OtherContent(folder.at(name), "other content is there now")
            if not lease.granted and (reason := _second_look(folder, name, expected)):
                raise OtherContent(folder.at(name), reason)
            if not lease.undisturbed():
                raise BeingWritten
            os.unlink(name, dir_fd=folder.fd)
    except (StillChanging, BeingWritten) as error:
        raise OtherContent(folder.at(name), why(error) or "it is changing right now") from None


def put_back(at: Folder, name: str, folder: Folder, original: str, *, alone: bool = False) -> Path:
    """Give a file its name back, or one beside it if that is taken meanwhile; returns where it is now.

    If its folder is gone, it stays where it is. `alone`: nobody but us can have it open.
    """
    try:
        rename_exclusively(at, name, folder, original, alone=alone)
        return folder.at(original)
    except FileExistsError:
        for other in beside(original):
            try:
                rename_exclusively(at, name, folder, other, alone=alone)
                return folder.at(other)
            except FileExistsError:
                continue
    except OSError:
        pass
    return at.at(name)


def recover_hidden(folder: Folder, name: str, ours: Callable[[str], bool]) -> Path | None:
    """Settle a hidden file that a crash left: remove it if it is ours, else give it its name back; returns where it is
    then, None if it went or is still being written.

    Ours is a file that we were writing ("tmp": nothing of anybody else's ever has such a name), and one whose SHA-256
    `ours` knows.
    """
    kind = hidden_kind(name)
    if kind is None:
        return None
    try:
        with open_regular(name, folder) as fd, leased(fd):
            if kind[0] == "tmp" or ours(fingerprint(fd).sha256):
                os.unlink(name, dir_fd=folder.fd)
                return None
    except (OSError, StillChanging):
        return None
    drop_claim(folder, kind[1])
    return put_back(folder, name, folder, kind[1])


def drop_claim(folder: Folder, name: str) -> None:
    """Remove an empty file that a crash may have left of a rename (renaming.py), so that its name can be given back.
    Anything else under that name stays.
    """
    found = folder.look_at(name)
    if found is not None and not found.st_size and stat.S_ISREG(found.st_mode):
        with suppress(OtherContent, OSError):
            remove(folder, name, hashlib.sha256().hexdigest())


@contextmanager
def _held(
    folder: Folder, name: str, expected: str, into: Folder, target: str,
    confirm: Callable[[], str | None], step: Step,
) -> Iterator[tuple[Content, Lease]]:  # fmt: skip
    """The file, moved and recognised, with the lease on it while the block runs."""
    try:
        with open_regular(name, folder) as fd, leased(fd) as lease:
            content = fingerprint(fd)
            if content.sha256 != expected:
                raise OtherContent(folder.at(name), "other content is there now")
            step("before:take")
            rename_to_hidden(folder, name, into, target)
            step("after:take")
            try:
                reason = _why_not_it(into, target, content.identity, expected) or confirm()
            except Exception:
                put_back(into, target, folder, name)
                raise
            if reason is None and not lease.undisturbed():
                reason = "another program began to write to it"
            if reason is not None:
                raise OtherContent(put_back(into, target, folder, name), reason)
            yield content, lease
    except (StillChanging, BeingWritten) as error:
        raise OtherContent(folder.at(name), why(error) or "it is changing right now") from None


def _why_not_it(into: Folder, target: str, identity: Identity, expected: str) -> str | None:
    """What came out is the file that was looked at, or at least has its content; else the reason."""
    found = into.look_at(target)
    if found is None:
        return "somebody took it away"
    seen = Identity.of(found)
    if seen == identity and seen.is_file(identity):
        return None
    return _second_look(into, target, expected)


def _second_look(folder: Folder, name: str, expected: str) -> str | None:
    """Where no lease says that nobody writes, the bytes are read once more."""
    try:
        return None if content_of(name, folder).sha256 == expected else "it was changed at that very moment"
    except (OSError, StillChanging) as error:
        return why(error) or "it is changing right now"
