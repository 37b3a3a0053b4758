"""What the workers that open recordings have in common: their pipes, their signs of life, and how one request ends."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from earmark.domain import Fault
from earmark.errors import EarmarkError, no_more_threads
from earmark.files import never_download
from earmark.locality.confinement.process import die_with_parent, harden_process
from earmark.locality.confinement.sandbox import if_refused
from earmark.messages import LINE_LIMIT, Failed, Message, Progress, Ready
from earmark.transcription import limits
from earmark.transcription.between import NOTHING, Between
from earmark.transcription.gpu import if_gpu_failed

EX_UNAVAILABLE, EX_PROTOCOL = 69, 76

Say = Callable[[Message], None]

Request = TypeVar("Request")
Load = TypeVar("Load")
Work = TypeVar("Work")
Loaded = TypeVar("Loaded")


def serve(
    parse: TypeAdapter[Any],
    load: type[Load],
    prepare: Callable[[Load], tuple[Loaded, Ready]],
    work: Callable[[Loaded, Load, Work, Say, Between], None],
    too_large: Callable[[Load], str],
) -> int:
    """Be a worker until stdin ends; the return value is the exit status.

    The first request is of the type `load`, for `prepare`, which raises EarmarkError or MemoryError (said as `too_large`
    says) where it cannot be met; every other one is for `work`, which may let those in between that come meanwhile.
    """
    requests, say = _begin()
    first = read(requests, parse)
    if first is None:
        return 0
    if not isinstance(first, load):
        print("earmark worker: the first request must load a model", file=sys.stderr)  # noqa: T201
        return EX_PROTOCOL
    try:
        loaded, ready = prepare(first)
    except EarmarkError as error:
        say(Failed(job=0, fault=Fault.ENVIRONMENT, sentence=str(error)))
        return error.exit_code
    except MemoryError:
        say(Failed(job=0, fault=Fault.ENVIRONMENT, sentence=too_large(first)))
        return EX_UNAVAILABLE
    waiting = listening(requests, parse)  # where the system refuses a thread, this worker never was ready
    say(ready)

    def attend(request: Any, between: Between) -> None:
        if isinstance(request, load):
            sentence = "This worker has a model already; start another one for another model."
            say(Failed(job=0, fault=Fault.INTERNAL, sentence=sentence))
        else:
            work(loaded, first, request, say, between)

    between = _Between(waiting, attend)
    while True:
        attend(waiting.get(), between)


class _Between:
    """Requests that wait while another one is worked on; nobody is let in between them."""

    def __init__(self, waiting: queue.SimpleQueue[Any], attend: Callable[[Any, Between], None]) -> None:
        self._waiting, self._attend = waiting, attend

    def wanted(self) -> bool:
        return not self._waiting.empty()

    def hear(self) -> None:
        if self.wanted():
            self._attend(self._waiting.get(), NOTHING)


def _begin() -> tuple[BinaryIO, Say]:
    """Make this process a worker: where requests come from, and how it answers. Answering may be done in any thread; it ends
    the process where nobody listens any more.
    """
    die_with_parent()
    harden_process()
    never_download()
    limits.step_back()
    replies = take_stdout()
    lock = threading.Lock()

    def say(message: Message) -> None:
        try:
            with lock:
                replies.write(message.line())
                replies.flush()
        except OSError:
            os._exit(0)

    return os.fdopen(os.dup(0), "rb"), say


def take_stdout() -> BinaryIO:
    """Keep the real stdout for the protocol and point descriptor 1 at stderr: C libraries print where they like."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb")


def read(requests: BinaryIO, parse: TypeAdapter[Request]) -> Request | None:
    """The next valid request, or None at the end. A line that is not one is named on stderr, not quoted."""
    while True:
        line = requests.readline(LINE_LIMIT)
        if not line.endswith(b"\n"):
            return None
        try:
            return parse.validate_json(line)
        except ValidationError as error:
            print(f"earmark worker: bad request ({error.error_count()} errors)", file=sys.stderr)  # noqa: T201


def listening(requests: BinaryIO, parse: TypeAdapter[Request]) -> queue.SimpleQueue[Request]:
    """Requests as they come, read in a thread, so that the end of stdin ends the process in the middle of a recording."""
    waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()

    def listen() -> NoReturn:
        while (request := read(requests, parse)) is not None:
            waiting.put(request)
        os._exit(0)

    threading.Thread(target=listen, name="stdin", daemon=True).start()
    return waiting


@contextmanager
def answered(job: int, say: Say, what: str) -> Iterator[None]:
    """Whatever goes wrong meanwhile is said as one Failed. `what`: what was being done, as in "while ..."."""
    try:
        yield
    except MemoryError:
        sentence = "The recording needs more memory than the worker may have."
        say(Failed(job=job, fault=Fault.MEMORY, sentence=sentence))
    except Exception as error:
        if sentence := if_gpu_failed(error):
            say(Failed(job=job, fault=Fault.ENVIRONMENT, sentence=sentence))
            return
        if no_more_threads(error):
            raise  # with what the supervisor knows it by, as where a C library ends the process for it
        # The place, never the text or the locals: they may hold what was said.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
        print(f"earmark worker: {where}", file=sys.stderr)  # noqa: T201
        sentence = f"earmark itself went wrong while {what} ({where}). {if_refused(error)}".strip()
        say(Failed(job=job, fault=Fault.INTERNAL, sentence=sentence))


class Pulse:
    """Says Progress at most every EVERY seconds, however often it is asked to."""

    EVERY = 2.0

    def __init__(self, job: int, at: float, say: Say) -> None:
        self._job, self._say, self._reached = job, say, at
        self._last = time.monotonic()

    def at(self, seconds: float, total: float | None) -> None:
        """The recording has been heard up to `seconds`; it never goes back to less."""
        self._reached = max(self._reached, seconds)
        now = time.monotonic()
        if now - self._last >= self.EVERY:
            self._last = now
            self._say(Progress(job=self._job, at=self._reached, total=total))
