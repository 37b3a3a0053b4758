"""How long a browser may take: uvicorn's own part for HTTP, which waits for ever for the rest of a request, and for whoever
does not read what it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM, signal
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST = 10.0
"""Seconds from a connection, or the first byte of a further request, to its last header."""

ANSWER = 60.0
"""Seconds in which somebody has to take what fits into the system's buffers, before the connection is ended."""

AT_ONCE = 300
"""Connections at once. What comes beyond that is told to come back (503)."""

CHECK = 1.0
"""Seconds between two looks at connections that are sent something."""


class Patient(H11Protocol):
    """A connection that is ended when its request does not come, or its answer is not taken."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        if self._deadline is None and (cycle is None or cycle.response_complete):
            self._wait()  # a further request begins
        super().data_received(data)
        if self.cycle is not cycle:
            self._unwait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unwait()
        self._deadline = self.loop.call_later(ANSWER, self._end)

    def resume_writing(self) -> None:
        self._unwait()
        super().resume_writing()

    def _wait(self) -> None:
        self._unwait()
        self._deadline = self.loop.call_later(REQUEST, self._end)

    def _unwait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        self.transport.abort()


class Server(uvicorn.Server):
    """A server that sleeps while nobody asks, and ends at a signal: behind its walls it cannot send itself one, as uvicorn's
    own does in the end.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()

        def told(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)
            loop.call_soon_threadsafe(self._told.set)

        for number in (SIGTERM, SIGINT):
            signal(number, told)
        yield

    async def main_loop(self) -> None:
        if not self.should_exit:
            await self._told.wait()


def server_of(app: Any) -> Server:
    """A server of this application, which says nothing to any log: a line of it could hold a word."""
    return Server(
        uvicorn.Config(
            app, http=Patient, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False,
            server_header=False, date_header=False, limit_concurrency=AT_ONCE, timeout_keep_alive=15,
            timeout_graceful_shutdown=3, loop="none", workers=1,
        )
    )  # fmt: skip
