"""The file that a request names: opened once, held to be what was asked for, and what is said where it is not."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from earmark.domain import Fault
from earmark.errors import MediaError
from earmark.files import (
    Identity,
    InCloud,
    NotRegular,
    StillChanging,
    fingerprint,
    open_regular,
    unpack_path,
    went_to_cloud,
)
from earmark.locality.confinement.sandbox import if_refused
from earmark.messages import Failed, Message


class Refused(Exception):
    """The answer to a request that cannot be met; not a fault of the program."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault, self.sentence = fault, sentence


def as_asked(job: int, path: str, say: Callable[[Message], None], do: Callable[[int], None]) -> None:
    """Do something with a descriptor of the file at a packed path; what goes wrong with that file is said as one Failed.

    MemoryError is raised.
    """
    try:
        with open_regular(unpack_path(path)) as fd:
            _read_ahead(fd)
            do(fd)
    except Refused as refusal:
        say(Failed(job=job, fault=refusal.fault, sentence=refusal.sentence))
    except MediaError as error:
        say(Failed(job=job, fault=Fault.MEDIA, sentence=str(error)))
    except NotRegular:
        sentence = "It is not a file that holds a recording (a folder, link, pipe or device)."
        say(Failed(job=job, fault=Fault.MEDIA, sentence=sentence))
    except OSError as error:
        fault, sentence = blame(error)
        say(Failed(job=job, fault=fault, sentence=sentence))


def must_be(fd: int, recording_id: str, alive: Callable[[], None]) -> None:
    """Refuse unless the open file has this SHA-256. `alive` is called now and then meanwhile."""

    def beat(_: int) -> bool:
        alive()
        return False

    try:
        same = fingerprint(fd, beat).sha256 == recording_id
    except StillChanging:
        same = False
    if not same:
        raise Refused(
            Fault.CHANGED,
            "The file is no longer what it was when it was taken; its new content gets its own turn.",
        )


def still_that(fd: int, before: Identity, recording_id: str, alive: Callable[[], None]) -> None:
    """Refuse unless the file that was read holds the bytes that were asked for, to the end: what went to a cloud meanwhile
    reads like a damaged one.
    """
    went_to_cloud(fd)
    if Identity.of(os.fstat(fd)) != before:
        must_be(fd, recording_id, alive)


def _read_ahead(fd: int) -> None:
    """Tell the kernel that the file is read from front to end."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)


def blame(error: OSError, system: str = sys.platform) -> tuple[Fault, str]:
    """Whose fault a failed system call is, in words."""
    if isinstance(error, InCloud):
        return Fault.CLOUD, f"The file {error.strerror}."
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return Fault.GONE, "The file is not there any more."
    if system == "darwin" and error.errno == errno.EPERM:
        # So say both macOS, where the user has not allowed a folder, and this worker's own walls, if they are older than it.
        return Fault.ACCESS, (
            "macOS does not let earmark read the file: allow it under System Settings > Privacy & Security > Files and "
            "Folders, or Full Disk Access, for the Python that runs it."
        )
    if refused := if_refused(error):
        return Fault.INTERNAL, refused
    if error.errno == errno.EACCES:
        return Fault.ACCESS, "The file may not be read: give the user who runs earmark the right to read it."
    if error.errno == errno.ENOMEM:
        return Fault.MEMORY, "The machine has no memory left to read the file."
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return (
        Fault.ENVIRONMENT,
        f"The file could not be read ({reason}); the disk or the network folder has a fault.",
    )
