"""The summarization worker: `python -m earmark.summarization.worker`.

Reads SummarizeRequest lines from stdin until EOF, answers each with Progress lines and one Summarized or Failed line
on stdout. File descriptor 1 is kept for that: whatever a library prints goes to stderr. Nothing that was said in a
recording is ever written to stderr, argv, the environment or a file: exceptions are named by type and place, never by
their text, because a validation error quotes its input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import BinaryIO

from pydantic import ValidationError

from earmark.domain import Fault
from earmark.errors import PrivacyError
from earmark.messages import (
    LINE_LIMIT,
    Failed,
    Message,
    Progress,
    Summarized,
    SummarizeRequest,
    parse_summarize,
)
from earmark.summarization.engine import Result, Summarizer, SummaryFault
from earmark.summarization.lifeline import die_with_parent, no_core_dumps

BEAT = 1.0
"""Seconds between two Progress lines that say the same."""

Choose = Callable[[SummarizeRequest], Summarizer]


def choose(request: SummarizeRequest) -> Summarizer:
    """The summarizer for a request; the HTTP client is imported only when there is somebody to talk to."""
    if request.endpoint == "none":
        from earmark.summarization.extractive import ExtractiveSummarizer

        return ExtractiveSummarizer()
    from earmark.summarization.chat import ChatSummarizer

    return ChatSummarizer()


def serve(requests: BinaryIO, replies: BinaryIO, choose: Choose = choose) -> None:
    """Answer every request line until the end of the stream."""

    lock = threading.Lock()  # Chunks that are worked on at once report from their own threads.

    def say(message: Message) -> None:
        with lock:
            replies.write(message.line())
            replies.flush()

    while line := requests.readline(LINE_LIMIT):
        try:
            request = parse_summarize.validate_json(line)
        except ValidationError as error:
            fields = ", ".join(sorted({str(part["loc"][0]) for part in error.errors() if part["loc"]})[:5])
            say(
                refused(
                    line, f"the request is not one this worker understands (wrong: {fields or 'the line'})"
                )
            )
            continue
        say(answer(request, say, choose))


def answer(request: SummarizeRequest, say: Callable[[Message], None], choose: Choose) -> Message:
    """The final reply to one request; never raises for anything that the request or the server can cause."""

    last: tuple[float, float | None, float] = (-1.0, None, 0.0)

    def beat(at: float, total: float | None) -> None:
        # Every token is a sign of life; the supervisor needs to hear of one a second, and of each step.
        nonlocal last
        now = time.monotonic()
        if (at, total) == last[:2] and now - last[2] < BEAT:
            return
        last = (at, total, now)
        say(Progress(job=request.job, at=at, total=total))

    try:
        result: Result = choose(request).summarize(request, beat)
    except SummaryFault as fault:
        return Failed(job=request.job, fault=fault.fault, sentence=fault.sentence)
    except PrivacyError as error:
        return Failed(job=request.job, fault=Fault.LOCALITY, sentence=str(error))
    except MemoryError:
        return Failed(job=request.job, fault=Fault.MEMORY, sentence="summarizing ran out of memory")
    except BrokenPipeError:
        raise
    except Exception as error:
        return Failed(job=request.job, fault=Fault.INTERNAL, sentence=f"summarizing failed: {named(error)}")
    return Summarized(job=request.job, summary=result.summary, note=result.note)


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
    sys.stderr.write(f"earmark.summarization.worker: {named(error)}\n")


def main() -> int:
    sys.excepthook = quietly
    die_with_parent()
    no_core_dumps()
    channel = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(channel, "wb") as replies:
        try:
            serve(sys.stdin.buffer, replies)
        except BrokenPipeError:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
