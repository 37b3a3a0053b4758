"""The process behind the pages: one socket that is bound before the walls go up, and after that none can be made.

It opens no connection, changes no file and starts no program once it serves. What it says comes out of the ledger, which it
reads only, and out of the drop folders.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import selectors
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_thread

from earmark.errors import AlreadyServed, EnvironmentFault
from earmark.files import Busy, FileLock, why
from earmark.locality.confinement import calls
from earmark.locality.confinement.sandbox import Mode, shut_the_doors
from earmark.pages.gate import Gate
from earmark.pages.patience import AT_ONCE, server_of
from earmark.pages.reading import Reader
from earmark.pages.site import site
from earmark.paths import Home
from earmark.verbs.opening import opened_context
from earmark.verbs.pages_at import HOST, Key, served_at, written

M_ARENA_MAX = -8  # malloc.h

THREADS = 2
"""Pages that are made at once; each reads the ledger for itself."""


def bound(port: int) -> socket.socket:
    """A socket at 127.0.0.1 and this port; at any that is free for 0. Raises EnvironmentFault."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
    except OSError as error:
        found.close()
        sentence = f"{HOST}:{port}: cannot be listened at: {why(error)}; name another port, or 0 for any"
        raise EnvironmentFault(sentence) from error
    return found


def held_lock(home: Home) -> FileLock:
    """The lock that says that this installation's pages are served. Raises AlreadyServed if they are."""
    lock = FileLock(home.pages_file)
    try:
        lock.acquire()
        lock.write(b"")  # where somebody served before
    except Busy:
        raise already_served(home) from None
    except OSError as error:
        raise EnvironmentFault(f"{home.pages_file}: cannot be locked: {why(error)}") from error
    return lock


def say_where(lock: FileLock, home: Home, port: int, key: Key) -> None:
    """Write into the lock at which port pages are served, and by which key. Raises AlreadyServed, EnvironmentFault."""
    try:
        lock.write(written(port, key))
        lock.only_read()
    except Busy:
        raise already_served(home) from None
    except OSError as error:
        raise EnvironmentFault(f"{home.pages_file}: cannot be written: {why(error)}") from error


def already_served(home: Home) -> AlreadyServed:
    """Where they are served."""
    address = served_at(home)
    at = f", at http://{address}" if address else ""
    return AlreadyServed(f"earmark serve runs already{at}; `earmark open` prints a link to its pages")


def serve(
    reader: Reader, key: Key, listening: socket.socket, readable: Sequence[Path], mode: Mode,
    ready: Callable[[tuple[str, ...]], None],
) -> None:  # fmt: skip
    """Serve until SIGTERM or Ctrl-C. `ready` is told what holds the process once its walls stand. Raises PrivacyError where
    walls are required and not there.
    """
    for name in ("uvicorn", "asyncio"):  # what they say of a mistake may hold what was said in a recording
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    _one_heap()
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_serve(reader, key, listening, readable, mode, ready))


def _one_heap() -> None:
    """Have the C library keep one heap for all threads (mallopt(3)): one for each took a sixth of all memory."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _loop() -> asyncio.AbstractEventLoop:
    """A loop that waits by poll(), which the walls leave."""
    return asyncio.SelectorEventLoop(selectors.PollSelector())


async def _serve(
    reader: Reader, key: Key, listening: socket.socket, readable: Sequence[Path], mode: Mode,
    ready: Callable[[tuple[str, ...]], None],
) -> None:  # fmt: skip
    server = server_of(Gate(site(reader, key), key, listening.getsockname()[1]))
    # The loop has its pair of sockets by now, and no thread has begun.
    holds = shut_the_doors(
        readable, None, mode, what="the ledger, notes, recordings and models", may=calls.PAGES
    )
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    # Whoever closes the ledger last takes away the files beside it, without which it cannot be read, and which nobody can
    # make behind the walls: it stays open.
    with opened_context(reader.home, reader.config, read_only=True):
        listening.listen(AT_ONCE)
        ready(holds)
        await server.serve(sockets=[listening])
