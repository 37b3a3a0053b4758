"""A worker that a recording has taken over: it speaks the protocol (messages.py), and says what cannot be.

The first line of a recording names a trick of TRICKS (transcription) or SUMMARY_TRICKS; any other recording is worked on
like the stand-in does (standin_worker.py). Run as a script, without site-packages.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

sys.path.insert(0, str(Path(__file__).resolve().parent))  # as a script without site-packages

import standin_worker  # type: ignore[import-not-found]  # as a script it lies beside this one
from standin_worker import say

Request = dict[str, Any]


def heard(request: Request, upto: float, *segments: dict[str, Any], **other: Any) -> object:
    fields = {"language": "en", "language_probability": 1.0, "speech_seconds": 1.0, "bad_packets": 0} | other
    say(**({"type": "heard", "job": request["job"], "upto": upto, "segments": list(segments)} | fields))
    return None


def segment(start: float, end: float, text: str = "words", **other: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text, "confidence": 0.9, "mark": None} | other


def finished(request: Request, duration: float = 10.0, **other: Any) -> object:
    fields = {
        "declared_duration": duration, "language": "en", "language_probability": 1.0, "speech_seconds": 1.0,
        "bad_packets": 0, "truncated": False, "recorded_at": None,
    } | other  # fmt: skip
    say(**({"type": "finished", "job": request["job"], "duration": duration} | fields))
    return None


def raw(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def for_ever(act: Callable[[int], object]) -> None:
    number = 0
    while True:
        act(number)
        number += 1


def creep(request: Request, at: float) -> None:
    say(type="progress", job=request["job"], at=at, total=None)
    time.sleep(0.1)


def go_on_begun(request: Request) -> None:
    say(type="started", job=request["job"], declared_duration=10.0)
    time.sleep(0.05)


def leave_the_pipe_to_a_child() -> None:
    """Nothing in the worker's group keeps its place: the child has a session of its own."""
    if os.fork() == 0:
        os.setsid()
        time.sleep(20)
    os._exit(3)


def close_and_stay() -> None:
    os.close(1)
    time.sleep(3600)


def without_a_thread(said: str, status: int | None) -> None:
    sys.stderr.write(f"SECRET words\n{said}\n")
    sys.stderr.flush()
    os.abort() if status is None else os._exit(status)


def end_like_killed() -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    return None


TRICKS: dict[str, Callable[[Request], object]] = {
    "a time after its end": lambda r: heard(r, 10.0, segment(1.0, 5e300)),
    "a time before its start": lambda r: heard(r, 10.0, segment(-5.0, 1.0)),
    "an end before its start": lambda r: heard(r, 10.0, segment(5.0, 1.0)),
    "hours at once": lambda r: heard(r, 36_000.0, segment(1.0, 2.0)),
    "back in time": lambda r: (heard(r, 10.0, segment(1.0, 2.0)), heard(r, 5.0)),
    "a sentence of a megabyte": lambda r: heard(r, 10.0, segment(1.0, 2.0, "x" * 1_000_000)),
    "a sentence of 50 megabytes": lambda r: heard(r, 10.0, segment(1.0, 2.0, "x" * 50_000_000)),
    "300,000 segments": lambda r: heard(r, 10.0, *[segment(1.0, 2.0, "x")] * 300_000),
    "a book in a minute": lambda r: [heard(r, 1.0 + n / 10, *[segment(1.0, 1.0, "word " * 600)] * 9) for n in range(50)],
    "English that nobody asked for": lambda r: heard(r, 10.0, segment(1.0, 2.0), english=[segment(1.0, 2.0)]),
    "a word behind the end of its text": lambda r: heard(r, 10.0, segment(1.0, 2.0, "one", words=[[1.0, 2.0, 3]])),
    "a word hours later": lambda r: heard(r, 10.0, segment(1.0, 2.0, "one", words=[[1.0, 7_200.0, 0]])),
    "a word 100,000 times": lambda r: heard(r, 10.0, segment(1.0, 2.0, "one", words=[[1.0, 2.0, 0]] * 100_000)),
    "words in no order": lambda r: heard(r, 10.0, segment(1.0, 2.0, "one two", words=[[1.5, 1.6, 0], [1.0, 1.1, 4]])),
    "a word at no time": lambda r: heard(r, 10.0, segment(1.0, 2.0, "one", words=[[float("nan"), 2.0, 0]])),
    "when English is said": lambda r: heard(r, 10.0, english=[segment(1.0, 2.0, "one", words=[[1.0, 2.0, 0]])]),
    "what was said called untranslated": lambda r: heard(r, 10.0, segment(1.0, 2.0, mark="untranslated")),
    "a line without an end": lambda _: for_ever(lambda _: raw("x" * 100_000)),
    "a flood of progress": lambda r: for_ever(lambda n: say(type="progress", job=r["job"], at=1.0, total=None)),
    "a flood of checkpoints": lambda r: for_ever(lambda n: heard(r, 1.0 + n / 1e6, segment(1.0, 1.0, "x"))),
    "a flood of checkpoints without words": lambda r: for_ever(lambda n: heard(r, 1.0 + n / 1e6)),
    "a flood of segments without words": lambda r: for_ever(
        lambda n: heard(r, 1.0 + n, *[segment(1.0 + n, 1.0 + n, "")] * 1_000)
    ),
    "a day of words in a few bytes": lambda r: [
        heard(r, 180.0 * n, *[segment(180.0 * n - 1, 180.0 * n - 1, "word " * 15)] * 2_000) for n in range(1, 481)
    ],
    "a flood of unknown words": lambda r: for_ever(lambda n: raw('{"type": "sing"}\n')),
    "another job": lambda r: heard(r | {"job": r["job"] + 1}, 10.0, segment(1.0, 2.0)),
    "a job without end": lambda r: heard(r | {"job": 10**30}, 10.0, segment(1.0, 2.0)),
    "the end of another job": lambda r: say(type="failed", job=r["job"] + 1, fault="media", sentence="No."),
    "not ready in the middle of it": lambda r: say(type="failed", job=0, fault="environment", sentence="No model."),
    "that it is ready, with words": lambda r: say(
        type="ready", engine="SECRET", device="words", compute_type="", sandbox=["SECRET words of the recording"]
    ),
    "an infinite time": lambda r: raw(f'{{"type": "progress", "job": {r["job"]}, "at": 1e999, "total": null}}\n'),
    "a century": lambda r: finished(r, 3.2e9),
    "an end far from what was heard": lambda r: (heard(r, 10.0, segment(1.0, 2.0)), finished(r, 5_000.0)),
    "more packets than there are bytes": lambda r: finished(r, bad_packets=10**30),
    "more tracks unheard than there are": lambda r: (
        heard(r, 10.0, segment(1.0, 2.0)),
        finished(r, 10.0, tracks=1, tracks_unheard=2),
    ),
    "all parts unheard": lambda r: (
        heard(r, 10.0, segment(1.0, 2.0)),
        finished(r, 10.0, parts=2, parts_unheard=2),
    ),
    "more bytes unheard than there are": lambda r: (
        heard(r, 10.0, segment(1.0, 2.0)),
        finished(r, 10.0, bytes_unheard=1 << 40),
    ),
    "louder than can be": lambda r: finished(r, loudest=60.0),
    "more than centuries that could not be read": lambda r: finished(r, unreadable_seconds=3.2e9),
    "a share above one": lambda r: finished(r, language_probability=7.0),
    "a language of control characters": lambda r: finished(r, language="e\x1b[2J"),
    "a language that is a word": lambda r: finished(r, language="secret"),
    "a date that is a text": lambda r: finished(r, recorded_at="x" * 1_000),
    "a summary of what is not transcribed": lambda r: say(
        type="summarized", job=r["job"], summary=summary_of(r["recording_id"]), note=""
    ),
    "again and again that it begins": lambda r: for_ever(lambda _: go_on_begun(r)),
    "years of speech in seconds": lambda r: heard(r, 10.0, segment(1.0, 2.0), speech_seconds=3e8),
    "a failure without a word": lambda r: say(type="failed", job=r["job"], fault="media", sentence=" \n\u200b\x1b"),
    "a sentence for people of megabytes": lambda r: say(
        type="failed", job=r["job"], fault="internal", sentence="no " * 700_000
    ),
}  # fmt: skip
"""What it says instead of a transcription. Where it returns, it waits to be ended."""

REFUSED_A_THREAD: dict[str, Callable[[Request], object]] = {
    "libgomp": lambda _: without_a_thread(
        "libgomp: Thread creation failed: Resource temporarily unavailable", 1
    ),
    "OpenBLAS": lambda _: without_a_thread(
        "OpenBLAS: pthread_create failed: Resource temporarily unavailable", 3
    ),
    "C++": lambda _: without_a_thread("  what():  Resource temporarily unavailable", None),
    "Python": lambda _: without_a_thread("RuntimeError: can't start new thread", 1),
}
"""How it ends where the system refuses a library of its a thread."""

STAYS: dict[str, Callable[[Request], object]] = {
    "that creeps for ever": lambda r: for_ever(
        lambda n: creep(r, 1.0 + n / 1e6)
    ),
    "that runs ahead for ever": lambda r: for_ever(
        lambda n: creep(r, 1.0 + n)
    ),
}  # fmt: skip
"""It is alive, and gets nowhere."""

LATE = "goes on about it afterwards"
LATER = "goes on about it much later"

LEAVES: dict[str, Callable[[Request], object]] = {
    "leaves the pipe to a child": lambda _: leave_the_pipe_to_a_child(),
    "closes the pipe and stays": lambda _: close_and_stay(),
}
"""It says nothing more; where anybody waits for the end of its output, or for its own, that is for ever."""

FAILS: dict[str, Callable[[Request], object]] = {
    "words in its sentence": lambda r: say(
        type="failed", job=r["job"], fault="media", sentence="SECRET words of the recording"
    ),
}
"""What is no more than a failure, and may be words."""

CLAIMS: dict[str, Callable[[Request], object]] = {
    "says that the disk has a fault": lambda r: say(
        type="failed", job=r["job"], fault="environment", sentence="The disk."
    ),
    "says that it may not be read": lambda r: say(type="failed", job=r["job"], fault="access", sentence="No."),
    "says that it is gone": lambda r: say(type="failed", job=r["job"], fault="gone", sentence="Gone."),
    "says that it changed": lambda r: say(type="failed", job=r["job"], fault="changed", sentence="Changed."),
    "ends like one that was killed": lambda _: end_like_killed(),
    "creeps with words that nobody counts, and ends like one that was killed": lambda r: (
        heard(r, r["resume_at"] + 0.001, *[segment(r["resume_at"], r["resume_at"], "\0" + "x" * 29_000)] * 2),
        end_like_killed(),
    ),
    "creeps, and ends like one that was killed": lambda r: (
        heard(r, r["resume_at"] + 0.001, *[segment(r["resume_at"], r["resume_at"], "x" * 29_000)] * 2),
        end_like_killed(),
    ),
}  # fmt: skip
"""What would cost the recording nothing, said again and again."""

HARMLESS: dict[str, Callable[[Request], object]] = {
    "a date of no calendar": lambda r: (heard(r, 10.0, segment(1.0, 2.0)), finished(r, recorded_at="2026-99-99T99:99:99")),
    "a flood on stderr": lambda r: (
        [sys.stderr.write("SECRET words of the recording\n") for _ in range(100_000)], sys.stderr.flush(),
        heard(r, 10.0, segment(1.0, 2.0)), finished(r),
    ),
}  # fmt: skip
"""What is odd, and is to be borne: the recording is done."""


def summary_of(recording_id: str, **other: Any) -> dict[str, Any]:
    return {
        "recording_id": recording_id, "by": "extractive", "title": "T", "overview": "O", "language": "en",
    } | other  # fmt: skip


def summarized(request: Request, **other: Any) -> None:
    told = {"recording_id": request["transcript"]["recording_id"]} | other
    say(type="summarized", job=request["job"], summary=summary_of(**told), note="")


SUMMARY_TRICKS: dict[str, Callable[[Request], object]] = {
    "of an unknown recording": lambda r: summarized(r, recording_id="0" * 64),
    "of another recording": lambda r: summarized(r, recording_id=Path(os.environ["OTHER"]).read_text()),
    "by a template of its own": lambda r: summarized(r, template="SECRET words of the recording"),
    "for another job": lambda r: summarized(r | {"job": r["job"] + 1}),
    "with a title of 50 megabytes": lambda r: summarized(r, title="x" * 50_000_000),
    "with an overview of a megabyte": lambda r: summarized(r, overview="x" * 1_000_000),
    "with 10,000 headings": lambda r: summarized(r, extra={f"{n} {'x' * 280}": [] for n in range(10_000)}),
    "with 10,000 points": lambda r: summarized(r, key_points=[{"text": "x", "at": 1.0}] * 10_000),
    "that cites tomorrow": lambda r: summarized(r, key_points=[{"text": "x", "at": 1e300}]),
    "of more than all": lambda r: summarized(r, coverage=3.0),
    "that is a transcription": lambda r: heard(r, 10.0, segment(1.0, 2.0)),
}


def transcribe(request: Request) -> None:
    content = Path(os.fsdecode(unquote_to_bytes(request["path"]))).read_bytes()
    trick = content.split(b"\n", 1)[0].decode("utf-8", "replace")
    if trick in SUMMARY_TRICKS:
        heard(request, 10.0, segment(1.0, 2.0, trick))
        finished(request)
    elif trick in HARMLESS:
        HARMLESS[trick](request)
    elif trick in STAYS:
        say(type="started", job=request["job"], declared_duration=10.0)
        STAYS[trick](request)
    elif trick == LATE:
        heard(request, 10.0, segment(1.0, 2.0))
        finished(request)
        sys.stdin.readline()  # the next recording
        heard(request, 20.0, segment(11.0, 12.0))
        time.sleep(3600)
    elif trick == LATER:
        heard(request, 10.0, segment(1.0, 2.0))
        finished(request)
        standin_worker.transcribe(json.loads(sys.stdin.readline()))
        sys.stdin.readline()  # the one after the next
        heard(request, 20.0, segment(11.0, 12.0))
        time.sleep(3600)
    elif trick in LEAVES:
        LEAVES[trick](request)
    elif trick in CLAIMS:
        CLAIMS[trick](request)
    elif trick in FAILS:
        FAILS[trick](request)
    elif trick in REFUSED_A_THREAD:
        go_on_begun(request)
        REFUSED_A_THREAD[trick](request)
    elif trick in TRICKS:
        say(type="started", job=request["job"], declared_duration=10.0)
        TRICKS[trick](request)
        time.sleep(3600)
    else:
        standin_worker.transcribe(request)


def summarize(request: Request) -> None:
    trick = next((s["text"] for s in request["transcript"]["segments"] if s["text"] in SUMMARY_TRICKS), None)
    if trick is None:
        standin_worker.summarize(request)
    else:
        SUMMARY_TRICKS[trick](request)


def main() -> None:
    standin_worker.main(transcribe, summarize)
    if os.environ.get("STAYS"):
        time.sleep(3600)


if __name__ == "__main__":
    main()
