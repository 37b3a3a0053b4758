"""What a process inherits from its caller, put right: closed or full streams, few characters, a umask."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any


def open_standard_streams() -> None:
    """Whatever of stdin, stdout and stderr the caller has closed leads nowhere from here on. Otherwise what is opened next,
    the ledger perhaps, would get its number, and be written to. What a locale cannot show is shown escaped.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
        if getattr(sys, name) is None:  # so it is, in Python, from the start
            setattr(sys, name, os.fdopen(number, mode, errors="backslashreplace", closefd=False))
        elif mode == "w" and codecs.lookup(getattr(sys, name).encoding).name != "utf-8":
            getattr(sys, name).reconfigure(errors="backslashreplace")


def spare_the_owner() -> None:
    """A umask that takes from the owner of a new folder the right to use it would leave one that nobody can use."""
    os.umask(os.umask(0o077) & 0o077)


class _AsLongAsItTakesThem(io.RawIOBase):
    """Bytes to a descriptor. What it does not take, because its disk is full or its terminal gone, is lost, and no reason to
    stop. A reader that has gone is one (BrokenPipeError): `earmark run 2>&1 | head` ends with it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except BrokenPipeError:
            raise
        except OSError:
            pass
        return size


def log_to_stderr() -> None:
    """From here on nothing that is said on stderr fails because of a full disk."""
    known = sys.stderr
    try:
        stream: Any = _AsLongAsItTakesThem(known.fileno())
    except (OSError, ValueError):
        return  # no file, but what a program has put there
    sys.stderr = io.TextIOWrapper(stream, encoding=known.encoding, errors=known.errors, write_through=True)
