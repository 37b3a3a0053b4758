"""What one answer of a server may cost: bytes in all and in a line, seconds in all and without a line. Held at the socket.

A server that drips a byte a minute, keeps a connection alive without end, sends gigabytes, one endless line or a
compressed bomb is ended with a sentence; the memory that it can take is bounded by these numbers.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpcore2
import httpx2

from earmark.locality.confinement.doorway import this_device

MEBI = 1024 * 1024

MOST_BYTES = 32 * MEBI
"""Of one streamed answer. The longest that is read is 200,000 characters; a token of a few costs about 300 bytes of JSON."""

MOST_BODY = 8 * MEBI
"""Of an answer that comes as one JSON body, and of one line in a stream: 1/8 of this. A list of all models of a large
server is under 1 MiB."""

LONGEST_ANSWER = 3600.0
"""Seconds that one answer may take in all, or six times `timeout_seconds` where that is more: 2,000 tokens at one a
second fit, and the loading of the model."""


class Unbounded(Exception):
    """A server's answer went beyond what it may cost. The text goes on after the server's name: "sends more than ..."."""


@dataclass
class Bounds:
    """One request's. `seconds`: without a whole line of an answer. `whole`: in all. `most`: bytes on the wire."""

    seconds: float
    whole: float
    most: int
    clock: Callable[[], float] = time.monotonic
    taken: int = 0
    begun: float = field(init=False)
    moved: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.moved = self.clock()

    @classmethod
    def of_answer(cls, timeout: float) -> Bounds:
        """What a model may say to one question. `timeout`: as in `[summary] timeout_seconds`."""
        return cls(timeout, max(LONGEST_ANSWER, 6 * timeout), MOST_BYTES)

    @classmethod
    def of_question(cls, whole: float) -> Bounds:
        """What a server may say about itself, within so many seconds."""
        return cls(whole, whole, MOST_BODY)

    def wait(self, timeout: float | None) -> float:
        """Seconds that the next read or write may take. Raises Unbounded if the time is up."""
        now = self.clock()
        if now - self.begun >= self.whole:
            raise Unbounded(f"took more than {self.whole:.0f} s over one answer")
        left = self.moved + self.seconds - now
        if left <= 0:
            raise Unbounded(f"stopped answering: not a line of an answer for {self.seconds:.0f} s")
        return min(left, self.begun + self.whole - now, self.seconds if timeout is None else timeout)

    def took(self, count: int) -> None:
        """Count what was read."""
        self.taken += count
        if self.taken > self.most:
            raise Unbounded(f"sends more than {_size(self.most)} for one answer")

    def progress(self) -> None:
        """A line of an answer has come."""
        self.moved = self.clock()


class BoundedStream(httpcore2.NetworkStream):
    """A connection whose reads and writes are counted."""

    def __init__(self, inside: httpcore2.NetworkStream, bounds: Bounds) -> None:
        self._inside = inside
        self.bounds = bounds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inside.read(max_bytes, self.bounds.wait(timeout))
        self.bounds.took(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inside.write(buffer, self.bounds.wait(timeout))

    def close(self) -> None:
        self._inside.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return BoundedStream(self._inside.start_tls(ssl_context, server_hostname, timeout), self.bounds)

    def get_extra_info(self, info: str) -> Any:
        return self._inside.get_extra_info(info)


class BoundedBackend(httpcore2.NetworkBackend):
    """Opens connections for one request each, with the bounds that `begin` named in this thread."""

    def __init__(self) -> None:
        self._inside = httpcore2.SyncBackend()
        self._local = threading.local()

    def begin(self, bounds: Bounds) -> None:
        self._local.bounds = bounds

    def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> httpcore2.NetworkStream:
        stream = self._inside.connect_tcp(host, port, *more, **options)
        this_device(host, port, stream.get_extra_info("socket"))
        return BoundedStream(stream, self._local.bounds)


class BoundedBody(httpx2.SyncByteStream):
    """The body of an answer, unpacked from HTTP: counts lines, of which a comment (a keep-alive) is none."""

    def __init__(self, inside: httpx2.SyncByteStream, bounds: Bounds, longest_line: int) -> None:
        self._inside = inside
        self._bounds = bounds
        self._longest = longest_line

    def __iter__(self) -> Iterator[bytes]:
        length, comment, says_something = 0, False, False
        for part in self._inside:
            lines = part.split(b"\n")
            for number, line in enumerate(lines):
                if number:  # a line has ended
                    if says_something:
                        self._bounds.progress()
                    length, says_something = 0, False
                if not length:
                    comment = line.startswith(b":")
                says_something = says_something or (not comment and bool(line.strip()))
                length += len(line)
                if length > self._longest:
                    raise Unbounded(f"sends a line of more than {_size(self._longest)}")
            yield part

    def close(self) -> None:
        self._inside.close()


def bounded(response: httpx2.Response, bounds: Bounds) -> httpx2.Response:
    """The response with its body held to the bounds. Raises Unbounded for one that need not even be read."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    said = response.headers.get("content-length", "")
    fault = ""
    if packed not in ("", "identity"):
        fault = f"answers compressed ({packed[:20]}), which it was not asked to"
    elif said.isascii() and said.isdigit() and int(said[:20]) > bounds.most:
        fault = f"announces an answer of more than {_size(bounds.most)}"
    if fault:
        response.close()
        raise Unbounded(fault)
    whole = "json" in response.headers.get("content-type", "")
    if whole:
        bounds.most = min(bounds.most, MOST_BODY)
    assert isinstance(response.stream, httpx2.SyncByteStream)
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=BoundedBody(response.stream, bounds, MOST_BODY if whole else MOST_BODY // 8),
        extensions=response.extensions,
    )


def pool(context: ssl.SSLContext, backend: BoundedBackend) -> httpcore2.ConnectionPool:
    """Connections that serve one request each, so that each has bounds of its own."""
    return httpcore2.ConnectionPool(
        ssl_context=context, max_keepalive_connections=0, network_backend=backend, http1=True, http2=False
    )


def unbounded_in(error: BaseException) -> Unbounded | None:
    """The Unbounded that ended a request, which client libraries wrap into errors of their own."""
    seen: Iterable[BaseException] = _causes(error)
    return next((cause for cause in seen if isinstance(cause, Unbounded)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _size(count: int) -> str:
    return f"{count // MEBI} MiB" if count >= MEBI else f"{count} bytes"
