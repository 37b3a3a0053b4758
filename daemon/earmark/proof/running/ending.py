"""A check that is to end takes its recording away first; of two checks of one installation the second is refused."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from earmark.errors import EarmarkError
from earmark.files import Busy, FileLock
from earmark.paths import Home


class CheckGoesOn(EarmarkError):
    """Another check of this installation is going on. Try again after it."""

    exit_code = 75


def end_by_signal() -> None:
    """Have SIGTERM and SIGHUP do what Ctrl-C does: everything is left by its own way out. The second one is passed over."""

    def leave(*_: int | FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the lock of checks. Raises CheckGoesOn while another check of this installation is going on."""
    if not home.state.is_dir():
        yield
        return
    lock = FileLock(home.state / "check.lock")
    try:
        lock.acquire()
    except Busy:
        raise CheckGoesOn(
            "Another privacy check of this installation is going on; ask again after it."
        ) from None
    try:
        yield
    finally:
        lock.release()
