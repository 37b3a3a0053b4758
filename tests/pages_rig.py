"""A real `earmark serve` and a client that says what it is told to, a browser's headers or an attacker's."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from earmark.context import Clock
from earmark.paths import platform_home
from earmark.verbs.pages_at import key_of

QUICK = """
import sys
from earmark.pages import patience
patience.REQUEST, patience.ANSWER = {request}, {answer}
sys.argv = ["earmark", "serve", "--port", "0"]
from earmark.cli.start import main
main()
"""
"""The same process, with less patience."""

STARTED = """
import sys
sys.argv = ["earmark", "serve", "--port", "0"]
from earmark.cli.start import main
main()
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Pages:
    """One that serves. `base`: what each path begins with; `cookie`: what a browser has that was let in."""

    root: Path
    process: subprocess.Popen[bytes]
    port: int
    base: str = ""
    cookie: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def link(self) -> str:
        """As `earmark open` makes it, without another process."""
        key = key_of(platform_home({"EARMARK_HOME": str(self.root)}))
        assert key is not None
        return key.link(self.host, Clock().wall())

    def link_printed(self) -> str:
        """What `earmark open` prints."""
        done = earmark(self.root, "open")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def enter(self) -> Answer:
        """Follow the link, as a browser does, and keep the cookie."""
        path = self.link().removeprefix(f"http://{self.host}")
        answer = self.ask(path)
        self.base = path.partition("enter")[0]
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        """A page below the base, with the cookie."""
        return self.ask(self.base + path, Cookie=self.cookie, **headers)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Whatever path is given, as it is."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            line.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in headers.items():
                line.putheader(name.replace("_", "-"), value)
            line.endheaders()
            answer = line.getresponse()
            known = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, known, answer.read())
        finally:
            line.close()

    def line(self) -> socket.socket:
        """A connection on which nothing was said."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"EARMARK_HOME": str(root), "COLUMNS": "400", "NO_COLOR": "1"}


def earmark(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "earmark", *words], env=environment(root), capture_output=True, text=True, timeout=60
    )  # fmt: skip


@contextmanager
def serving(
    root: Path, *, patience: tuple[float, float] | None = None, before: str = "", **variables: str
) -> Iterator[Pages]:
    """Serve at any port until the block ends. `patience`: seconds for a request and for an answer; `before`:
    Python that is run in the same process before.
    """
    command = ["-m", "earmark", "serve", "--port", "0"]
    if patience is not None:
        command = ["-c", QUICK.format(request=patience[0], answer=patience[1])]
    if before:
        command = ["-c", f"{before}\n{STARTED}"]
    process = subprocess.Popen(
        [sys.executable, *command], env=environment(root) | variables, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        first = process.stdout.readline().decode()
        match = re.match(r"Pages at http://[\d.]+:(\d+) ", first)
        assert match, (first, process.stderr.read().decode() if not first else "")
        yield Pages(root, process, int(match[1]))
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()
