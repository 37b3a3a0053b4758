"""Every error earmark raises on purpose. A message says which thing, what is wrong and what would be right."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class EarmarkError(Exception):
    """Something went wrong that a sentence can explain.

    `exit_code` is what the command line returns when this error ends a verb; the codes follow sysexits.h (65 bad data,
    66 no input, 69 unavailable, 70 internal, 74 I/O, 75 try again, 77 permission, 78 config), but for wrong usage: that is
    2 and not 64, because the parser says 2, and so do a shell and nearly every other program.
    """

    exit_code = 70


class UsageError(EarmarkError):
    """The command line cannot be understood: what is missing, what is too much, what would be right."""

    exit_code = 2


class Declined(EarmarkError):
    """A person was asked and did not agree; nothing was done."""

    exit_code = 1


class ConfigError(EarmarkError):
    """The configuration is wrong; the message lists every problem found, one per line."""

    exit_code = 78


class NotFound(EarmarkError):
    """A named file, folder or recording does not exist, or earmark has never seen it."""

    exit_code = 66


class NeverRan(NotFound):
    """There is no ledger where this command looks; another daemon may have one elsewhere."""


class ModelError(EarmarkError):
    """No usable speech model: absent, incomplete, or not the bytes that were promised."""

    exit_code = 69


class ModelUsage(ModelError):
    """What was said of a model on the command line cannot be: a name that none has, options that do not go together."""

    exit_code = UsageError.exit_code


class LedgerError(EarmarkError):
    """The ledger cannot be opened, or is damaged."""

    exit_code = 74


class IndexMadeAnew(LedgerError):
    """Nothing but the index of search was damaged, and it is another one now: the same can be tried again."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer earmark: there is nothing to repair, and waiting will not help."""

    exit_code = 76


class LedgerTooOld(LedgerError):
    """The ledger is not finished, or written by an older earmark, and whoever only looks at it may not bring it up to date.
    The message does not say what does: that is up to what runs here (service/idle.py).
    """


class LedgerBusy(EarmarkError):
    """Another daemon holds the ledger; the message names its process."""

    exit_code = 75


class AlreadyServed(EarmarkError):
    """Another process serves the pages of this installation; the message says where."""

    exit_code = LedgerBusy.exit_code


class EnvironmentFault(EarmarkError):
    """The machine, not the recording: disk full, read-only, unmounted, quota. Nobody's attempt is charged."""

    exit_code = 74


@contextmanager
def as_said(file: Path) -> Iterator[None]:
    """What keeps a new file from being written that a person named, as an error: UsageError where there is one of that name,
    else EnvironmentFault.
    """
    try:
        yield
    except FileExistsError:
        raise UsageError(f"{file}: exists already; name another file") from None
    except OSError as error:
        raise EnvironmentFault(f"{file}: cannot be written: {error.strerror or error}") from error


class NoState(EnvironmentFault):
    """There is no folder for the ledger, and waiting will not make one."""


class MediaError(EarmarkError):
    """The file cannot be read as a recording. The sentence is shown to the user as it is."""

    exit_code = 65


class PrivacyError(EarmarkError):
    """The step would let something leave this device and nobody said it may."""

    exit_code = 77


class RetentionError(EarmarkError):
    """A plan that no longer matches the world, a blown fuse, or a rule that cannot be understood."""

    exit_code = 65


NO_MORE_THREADS = (
    "No more threads may be started here: too many processes"
    " (TasksMax= of the unit, pids.max of the container)"
)

SIGNS_OF_NO_THREADS = ("can't start new thread", "Resource temporarily unavailable", "Thread creation failed")
"""What Python, C++ and libgomp say where the system refuses a thread."""


def no_more_threads(error: BaseException) -> bool:
    """True for an error by which Python, or a library that it calls, says that the system refused a thread or process."""
    if isinstance(error, OSError):
        return error.errno == errno.EAGAIN
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS_OF_NO_THREADS)


def place_of(error: BaseException) -> list[str]:
    """Where an error came from, the innermost place last: never its text or the locals, which may hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames][-12:]
