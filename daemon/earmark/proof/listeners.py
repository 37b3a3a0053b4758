"""Servers on loopback that a proof needs: one that counts who comes, and one that a summary worker may talk to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Trap:
    """Listens for TCP and UDP on one port of 127.0.0.1, and for a unix socket; nobody should ever come."""

    tcp: socket.socket
    udp: socket.socket

    @property
    def port(self) -> int:
        return int(self.tcp.getsockname()[1])

    def visitors(self) -> int:
        """How many connections and datagrams came in since it was last asked."""
        count = 0
        self.tcp.setblocking(False)
        self.udp.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.tcp.accept()[0].close()
                count += 1
        with contextlib.suppress(BlockingIOError):
            while self.udp.recv(65536):
                count += 1
        return count


@contextmanager
def trap() -> Iterator[Trap]:
    """A trap on a free port. Raises OSError where loopback is down: nobody would come, walls or not."""
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(tcp.getsockname())
        socket.create_connection(tcp.getsockname(), timeout=5).close()
        tcp.accept()[0].close()
        yield Trap(tcp, udp)


@dataclass
class Decoy:
    """A summary server that sends everybody who asks for a summary on to another address (307)."""

    elsewhere: int
    port: int = 0
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def decoy(elsewhere: int) -> Iterator[Decoy]:
    """The server on a free port; `elsewhere` is the port of the trap that it points to."""
    made = Decoy(elsewhere)

    class Handler(BaseHTTPRequestHandler):
        def _note(self) -> None:
            made.requests.append((self.command, self.path, dict(self.headers)))

        def do_GET(self) -> None:
            self._note()
            listed = self.path == "/v1/models"
            body = json.dumps(
                {"object": "list", "data": [{"id": "decoy", "object": "model"}]} if listed else {}
            ).encode()
            self.send_response(200 if listed else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self._note()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{elsewhere}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join(5)
