"""A model hub on loopback: as much of huggingface.co's interface as downloading one repository needs.

The real hub cannot be reached from a test, and a test must not depend on it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + "0" * 34


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Hub:
    """One repository. `served` differs from `files` where the hub is to lie; `cut`: bytes of model.bin sent before the
    line goes silent, as on a train.
    """

    repo: str
    files: dict[str, bytes]
    served: dict[str, bytes] = field(default_factory=dict)
    cut: int | None = None
    url: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def listing(self) -> dict[str, object]:
        siblings = []
        for name, data in self.files.items():
            row: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": git_blob(data)}
            if name == "model.bin":
                row["lfs"] = {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 134,
                }
            siblings.append(row)
        return {
            "_id": "1", "id": self.repo, "modelId": self.repo, "sha": COMMIT, "private": False, "gated": False,
            "tags": [], "downloads": 1, "likes": 0, "siblings": siblings, "cardData": {"license": "mit"},
        }  # fmt: skip

    def etag(self, name: str) -> str:
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if name == "model.bin" else git_blob(data)


@contextmanager
def running_hub(hub: Hub) -> Iterator[Hub]:
    """The hub on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            hub.requests.append((self.command, self.path, dict(self.headers)))
            path = self.path.split("?")[0]
            if path.startswith(f"/api/models/{hub.repo}"):
                self._send(200, json.dumps(hub.listing).encode(), {"Content-Type": "application/json"}, body)
                return
            found = re.fullmatch(rf"/{hub.repo}/resolve/{COMMIT}/(.+)", path)
            if not found or found[1] not in hub.files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
                return
            name = found[1]
            data = hub.served.get(name, hub.files[name])
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hub.etag(name)}"', "Accept-Ranges": "bytes"}
            status, start = 200, 0
            if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
                status, start = 206, int(wanted[1])
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            if body and hub.cut is not None and name == "model.bin":
                self.send_response(status)
                for key, value in {**headers, "Content-Length": str(len(data) - start)}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(data[start : start + hub.cut])
                self.wfile.flush()
                hub.released.wait(60)
                self.close_connection = True
                return
            self._send(status, data[start:], headers, body)

        def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        server.server_close()
