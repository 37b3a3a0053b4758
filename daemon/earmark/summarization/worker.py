"""The summarization worker: `python -m earmark.summarization.worker`.

Reads SummarizeRequest lines from stdin until EOF, answers each with Progress lines and one Summarized or Failed line
on stdout. File descriptor 1 is kept for that: whatever a library prints goes to stderr. Nothing that was said in a
recording is ever written to stderr, argv, the environment or a file: exceptions are named by type and place, never by
their text, because a validation error quotes its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import BinaryIO

from pydantic import ValidationError

from earmark.domain import Fault
from earmark.errors import SIGNS_OF_NO_THREADS, PrivacyError, no_more_threads
from earmark.files import unpack_path
from earmark.locality.confinement.process import die_with_parent, harden_process
from earmark.locality.confinement.sandbox import if_refused
from earmark.messages import (
    LINE_LIMIT,
    Confine,
    Failed,
    Message,
    Progress,
    Ready,
    ServerRequest,
    Summarized,
    SummarizeRequest,
)
from earmark.probes import Probed, ProbeRequest
from earmark.questions import AskRequest, parse_summary_worker_request
from earmark.summarization.engine import Result, Summarizer, SummaryFault

BEAT = 1.0
"""Seconds between two Progress lines that say the same."""

MEANWHILE = 60.0
"""Seconds without a word of the server, or half of its `timeout_seconds`, after which the extractive summary is sent."""

Choose = Callable[[SummarizeRequest], Summarizer]
Shut = Callable[[Confine], tuple[str, ...]]
"""Gives up every connection but to the endpoint; returns what is enforced, in words."""


def choose(request: SummarizeRequest) -> Summarizer:
    """The summarizer for a request; the HTTP client is imported only when there is somebody to talk to."""
    if request.endpoint == "none":
        from earmark.summarization.extractive import ExtractiveSummarizer

        return ExtractiveSummarizer()
    from earmark.summarization.chat import ChatSummarizer

    return ChatSummarizer()


def shut(asked: Confine) -> tuple[str, ...]:
    """The real thing: this process can then reach the endpoint that was checked, and nothing else."""
    from earmark.locality.confinement.one_address import confine

    ports: Sequence[int] = ()
    if asked.endpoint == "auto":
        from earmark.locality.policy.addresses import LOCAL_PORTS as ports
    return confine(
        asked.endpoint,
        asked.privacy,
        asked.allowed_hosts,
        ports,
        readable=[unpack_path(asked.template_dir)] if asked.template_dir else [],
        mode="require" if asked.require else "auto",
        consent=asked.consent,
    )


def nothing_to_shut(asked: Confine) -> tuple[str, ...]:
    """For a worker that is served inside another process."""
    del asked
    return ()


def serve(
    requests: BinaryIO, replies: BinaryIO, choose: Choose = choose, shut: Shut = nothing_to_shut
) -> None:
    """Answer every request line until the end of the stream.

    The first one should be Confine; a worker that is not told is confined to the endpoint of its first recording.
    PrivacyError is raised, after Failed for job 0, where that has to be enforced and cannot be.
    """
    confined = False

    lock = threading.Lock()  # Chunks that are worked on at once report from their own threads.

    def say(message: Message) -> None:
        with lock:
            replies.write(message.line())
            replies.flush()

    while line := requests.readline(LINE_LIMIT):
        try:
            request = parse_summary_worker_request.validate_json(line)
        except ValidationError as error:
            fields = ", ".join(sorted({str(part["loc"][0]) for part in error.errors() if part["loc"]})[:5])
            say(
                refused(
                    line, f"the request is not one this worker understands (wrong: {fields or 'the line'})"
                )
            )
            continue
        if not confined:
            asked = request if isinstance(request, Confine) else confinement_for(request)
            try:
                enforced = shut(asked)
            except PrivacyError as error:
                say(Failed(job=0, fault=Fault.LOCALITY, sentence=str(error)))
                raise
            confined = True
            if isinstance(request, Confine):
                say(Ready(engine="summaries", device="cpu", compute_type="", sandbox=enforced))
                continue
        if isinstance(request, Confine):
            sentence = "this worker is confined already; start another one for another endpoint"
            say(Failed(job=0, fault=Fault.INTERNAL, sentence=sentence))
            continue
        match request:
            case ProbeRequest():
                say(probed(request))
            case AskRequest():
                say(questioned(request, say))
            case _:
                say(answer(request, say, choose))


def probed(request: ProbeRequest) -> Message:
    """What the endpoint is like, with no word of anybody's in the question."""
    from earmark.summarization.probe import examined

    try:
        return Probed(job=request.job, reports=examined(request))
    except MemoryError:
        return Failed(job=request.job, fault=Fault.MEMORY, sentence="asking the server ran out of memory")
    except Exception as error:
        return Failed(
            job=request.job, fault=Fault.INTERNAL, sentence=f"asking the server failed: {named(error)}"
        )


def questioned(request: AskRequest, say: Callable[[Message], None]) -> Message:
    """The end of the answer to a question; its sentences are said as they come."""
    from earmark.summarization.answering import answer_question

    beat = Beat(request.job, say)
    try:
        return answer_question(request, say, beat)
    except BrokenPipeError:
        raise
    except Exception as error:
        return failed(request.job, error, "answering")


def confinement_for(request: ServerRequest) -> Confine:
    """What a request itself says about where its words may go."""
    return Confine(
        endpoint=request.endpoint,
        privacy=request.privacy,
        allowed_hosts=request.allowed_hosts,
        consent=request.consent,
        template_dir=request.template_dir,
    )


def answer(request: SummarizeRequest, say: Callable[[Message], None], choose: Choose) -> Message:
    """The final reply to one request; never raises for anything that the request or the server can cause."""

    standing_in = StandIn(request, say)
    told = Beat(request.job, say)

    def beat(at: float, total: float | None) -> None:
        standing_in.word(time.monotonic())
        told(at, total)

    try:
        with standing_in:
            result: Result = choose(request).summarize(request, beat)
    except BrokenPipeError:
        raise
    except Exception as error:
        return failed(request.job, error, "summarizing")
    return Summarized(job=request.job, summary=result.summary, note=result.note, unfit=result.unfit)


class Beat:
    """Passes on signs of life. Every token is one; the supervisor needs to hear of one a second, and of each step."""

    def __init__(self, job: int, say: Callable[[Message], None]) -> None:
        self._job, self._say = job, say
        self._last: tuple[float, float | None, float] = (-1.0, None, 0.0)

    def __call__(self, at: float, total: float | None) -> None:
        now = time.monotonic()
        if (at, total) == self._last[:2] and now - self._last[2] < BEAT:
            return
        self._last = (at, total, now)
        self._say(Progress(job=self._job, at=at, total=total))


def failed(job: int, error: Exception, doing: str) -> Failed:
    """What became of a request that ended in an exception; raises it where the supervisor knows it by its end."""
    if isinstance(error, SummaryFault):
        return Failed(job=job, fault=error.fault, sentence=error.sentence, model=error.model)
    if isinstance(error, PrivacyError):
        return Failed(job=job, fault=Fault.LOCALITY, sentence=str(error))
    if isinstance(error, MemoryError):
        return Failed(job=job, fault=Fault.MEMORY, sentence=f"{doing} ran out of memory")
    if no_more_threads(error):
        raise error  # as where a C library ends the process for it
    sentence = f"{doing} failed: {named(error)}. {if_refused(error)}".removesuffix(". ")
    return Failed(job=job, fault=Fault.INTERNAL, sentence=sentence)


class StandIn:
    """Sends the extractive summary once, while a server is slow to say a word. Entered while it is waited for."""

    def __init__(self, request: SummarizeRequest, say: Callable[[Message], None]) -> None:
        self._request = request
        self._say = say
        self._patience = min(MEANWHILE, request.timeout / 2)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._word = time.monotonic()

    def word(self, now: float) -> None:
        """The server has said something."""
        self._word = now

    def __enter__(self) -> None:
        if self._request.meanwhile and self._request.endpoint != "none":
            threading.Thread(target=self._watch, name="stand-in", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        with self._lock:  # nothing is said any more once the answer is there
            self._over.set()

    def _watch(self) -> None:
        while (left := self._word + self._patience - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        from earmark.summarization.extractive import extract

        try:
            summary = extract(self._request.transcript, self._request.template)
        except Exception:  # the answer, or its fault, comes all the same
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            if not self._over.is_set():
                self._say(Summarized(job=self._request.job, summary=summary, meanwhile=True))


def refused(line: bytes, sentence: str) -> Failed:
    try:
        job = int(json.loads(line)["job"])
    except (ValueError, KeyError, TypeError):
        job = 0
    return Failed(job=job, fault=Fault.INTERNAL, sentence=sentence)


def named(error: BaseException) -> str:
    """An exception by its type and the place it came from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}earmark{os.sep}" in frame.filename] or frames
    place = f" at {os.path.basename(own[-1].filename)}:{own[-1].lineno}" if own else ""  # noqa: PTH119
    return f"{type(error).__name__}{place}"


def quietly(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """An excepthook that names the exception and quotes nothing."""
    del kind, trace
    why = f": {SIGNS_OF_NO_THREADS[0]}" if no_more_threads(error) else ""
    sys.stderr.write(f"earmark.summarization.worker: {named(error)}{why}\n")


def main() -> int:
    sys.excepthook = quietly
    die_with_parent()
    harden_process()
    channel = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(channel, "wb") as replies:
        try:
            serve(sys.stdin.buffer, replies, shut=shut)
        except BrokenPipeError:
            return 0
        except PrivacyError as error:
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
