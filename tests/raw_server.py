"""A server on loopback that answers a chat request with any bytes at all, in any rhythm: what no HTTP library would send."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

Bytes = Callable[[], Iterable[bytes]]

LISTING = json.dumps({"object": "list", "data": [{"id": "raw-7b", "object": "model"}]}).encode()


def head(kind: str = "text/event-stream", *more: str, status: str = "200 OK") -> bytes:
    """A response's head; its body ends with the connection unless `more` says how long it is."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def whole(body: bytes, kind: str = "application/json", status: str = "200 OK") -> bytes:
    return head(kind, f"Content-Length: {len(body)}", status=status) + body


@contextlib.contextmanager
def answering(chat: Bytes, listing: Bytes = lambda: [whole(LISTING)]) -> Iterator[str]:
    """The base URL of a server whose `/chat/completions` sends `chat()` and whose `/models` sends `listing()`."""
    closing = threading.Event()

    def serve(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            line.settimeout(30)
            said = b""
            while b"\r\n\r\n" not in said:
                if not (data := line.recv(65536)):
                    return
                said += data
            request, _, body = said.partition(b"\r\n\r\n")
            length = next(
                (
                    int(h.split(b":")[1])
                    for h in request.lower().split(b"\r\n")
                    if h.startswith(b"content-length")
                ),
                0,
            )
            while len(body) < length:
                body += line.recv(65536)
            path = request.split(b" ")[1]
            if path.endswith(b"/chat/completions"):
                parts: Iterable[bytes] = chat()
            else:
                parts = (
                    listing()
                    if path.endswith(b"/models") and b"/api/" not in path
                    else [whole(b"{}", status="404 Not Found")]
                )
            for part in parts:
                if closing.is_set():
                    return
                line.sendall(part)

    def accept(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = server.accept()
                threading.Thread(target=serve, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        finally:
            closing.set()
            server.shutdown(socket.SHUT_RDWR)


def again(part: bytes, pause: float = 0.0, before: bytes = b"") -> Iterator[bytes]:
    """`before`, and then the same for ever, with a pause in between."""
    yield before
    waiting = threading.Event()
    while True:
        waiting.wait(pause)
        yield part
