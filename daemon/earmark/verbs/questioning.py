"""A summary worker that is asked questions: confined as the daemon's is, with one connection to the checked address."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from earmark.config import Config, api_key
from earmark.errors import ConfigError
from earmark.files import pack_path
from earmark.locality.policy.consent import missing_consent
from earmark.messages import Confine, Failed, Message, Progress, Ready
from earmark.paths import Home
from earmark.questions import Answered, AskRequest, GivenPassage, Stated, parse_ask_reply
from earmark.verbs.probing import MODULE, Starts, consent_given
from earmark.workers import start_process

LONGEST_REPLY = 64 * 1024
"""Bytes of one line of the worker's."""

UNTAKEN = 16
"""Lines of the worker's that wait to be taken; what it says beyond that waits in its pipe, and it with it."""

Said = Ready | Progress | Stated | Answered | Failed


class Broken(Exception):
    """The worker ended, or said what is no answer; the sentence says which."""


class Server(Protocol):
    """Who is asked. `next` waits so many seconds for what it says, and is None if that is nothing."""

    def ask(self, question: str, passages: tuple[GivenPassage, ...]) -> None: ...
    def next(self, seconds: float) -> Said | None: ...
    def stop(self) -> None: ...


def unasked(home: Home, config: Config) -> str:
    """Why no server is asked, or ""."""
    if config.summary.endpoint == "none":
        return 'No server is asked, because [summary] endpoint is "none"'
    try:
        api_key(config)
    except ConfigError as error:
        return str(error)
    return missing_consent(config, consent_given(home, config)) or ""


class AskWorker:
    """Implements `Server` with a process of its own, which ends with this one. Where questions may go was settled when it
    was made.
    """

    def __init__(self, home: Home, config: Config, start: Starts = start_process) -> None:
        self._config = config
        self._key, self._consent = api_key(config), consent_given(home, config) or ""
        self._job = 0
        self._inbox: queue.Queue[bytes | None] = queue.Queue(UNTAKEN)
        self._over = False
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._process = start(MODULE, stderr=subprocess.DEVNULL)
        summary = config.summary
        self._outbox.put(
            Confine(
                endpoint=summary.endpoint, privacy=config.privacy, allowed_hosts=summary.allowed_hosts,
                consent=self._consent, template_dir=pack_path(home.templates), require=config.require_sandbox,
            )
        )  # fmt: skip
        threading.Thread(target=_read, args=(self._process, self._inbox.put), daemon=True).start()
        threading.Thread(target=_write, args=(self._process, self._outbox.get), daemon=True).start()

    def ask(self, question: str, passages: tuple[GivenPassage, ...]) -> None:
        """Put a question, without waiting for anything."""
        config, summary = self._config, self._config.summary
        self._job += 1
        self._outbox.put(
            AskRequest(
                job=self._job, question=question, passages=passages, endpoint=summary.endpoint, model=summary.model,
                api_key=self._key, privacy=config.privacy, allowed_hosts=summary.allowed_hosts, consent=self._consent,
                timeout=summary.timeout_seconds, context=summary.context,
            )
        )  # fmt: skip

    def next(self, seconds: float) -> Said | None:
        """What it says next. Raises Broken."""
        line = None
        if not self._over:
            try:
                line = self._inbox.get(timeout=seconds)
            except queue.Empty:
                return None
        if line is None:
            self._over = True  # for whoever asks after this
            raise Broken("the summary worker ended without an answer")
        try:
            said = parse_ask_reply.validate_json(line)
        except ValidationError:
            raise Broken("the summary worker said something that is no answer") from None
        if isinstance(said, Failed) and said.job == 0:
            raise Broken(said.sentence)
        return said if isinstance(said, Ready) or said.job == self._job else None

    def stop(self) -> None:
        """End it. Where this process may end none any more, it ends by itself, as nobody reads it or it has no parent."""
        self._outbox.put(None)
        self._over = True
        with contextlib.suppress(OSError):
            self._process.kill()
            self._process.wait()


def _read(process: subprocess.Popen[bytes], put: Callable[[bytes | None], object]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError), process.stdout as stdout:
        while line := stdout.readline(LONGEST_REPLY):
            put(line)
    put(None)


def _write(process: subprocess.Popen[bytes], get: Callable[[], Message | None]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError), process.stdin as stdin:
        while (message := get()) is not None:
            stdin.write(message.line())
            stdin.flush()
