"""A stand-in for all workers: speaks the real protocol (messages.py), but makes its words up from the file's bytes.

Real speech takes seconds per recording; killing a daemon at each of a hundred steps, or dropping thousands of
recordings, asks for milliseconds. What is under test there is the supervisor, whose every line is the real one. The
words depend on nothing but the content, so a run that was disturbed can be compared with one that was not.

Run as a script without site-packages, thousands of times in one run of all tests: it imports little more than what Python
has loaded by itself (12 ms to start; 40 with json, hashlib, pathlib, signal, typing and ctypes). A recording may begin with
an order:

    segv@N  kill@N  hang@N  exit@N    do that once N segments of this recording are heard (from its start)
    pause@N                           the same as hang, but only while a file NAME.pause lies beside the recording
    denied                            "may not be read", but only while a file NAME.pause lies beside the recording
    long@N                            say that it takes ten hours, and from segment N on wait before each one until another
                                      recording was heard in between, while a file NAME.pause lies beside this one
    alone  unsure                     say that one voice says everything, that it is not known well who says what
    spanish                           say that most of it is Spanish, also where no English is asked for
    expects                           say what it was told to expect
    mumbled                           mark each segment as hard to hear
    foreign                           be as unsure of each word as one who knows English only is of another language
    nan  garbage  media               answer with a number that is none, with bytes that are no message, or "not a recording"

With the name of a model behind it (`segv@1 large`) the order is for the worker that has loaded that one. A model named
`misfit` does not load, nor does what tells voices apart beside a file of that name; its worker goes by the name `speakers`.
"""

from __future__ import annotations

import _json  # what json is made of; json itself compiles patterns
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Work = Callable[[dict[str, Any]], None]

SECONDS = 10.0
"""Length of the one segment in each checkpoint."""

SEGMENTS = 3

KILL = 9
"""SIGKILL; the module signal loads enum."""

loaded = [""]
"""The names of the models that it was told to load."""


class _Plain:
    """As json.loads reads it."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


_read = _json.make_scanner(_Plain)  # type: ignore[arg-type]  # it asks for the names of one only
_write = _json.make_encoder(None, repr, _json.encode_basestring_ascii, None, ": ", ", ", False, False, True)


def say(**message: Any) -> None:
    sys.stdout.write("".join(_write(message, 0)) + "\n")
    sys.stdout.flush()


def die_with_parent() -> None:
    import _ctypes

    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]  # what is loaded already
    _ctypes.call_function(prctl, (1, KILL, 0, 0, 0))


def unpacked(path: str) -> bytes:
    """What earmark.files.pack_path has packed."""
    first, *rest = path.encode().split(b"%")
    return b"".join([first, *(bytes.fromhex(piece[:2].decode()) + piece[2:] for piece in rest)])


def content_of(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def act(order: str, path: bytes) -> None:
    """Do what the recording orders."""
    if order == "segv":
        os.kill(os.getpid(), 11)
    elif order == "kill":
        os.kill(os.getpid(), KILL)
    elif order == "exit":
        os._exit(3)
    elif order == "hang":
        time.sleep(3600)
    elif order == "pause":
        while os.path.exists(path + b".pause"):
            time.sleep(0.01)
    elif order == "nan":
        sys.stdout.write('{"type":"heard","job":1,"upto":NaN,"segments":[],"language":"en",')
        sys.stdout.write('"language_probability":1.0,"speech_seconds":0.0}\n')
        sys.stdout.flush()
        time.sleep(3600)
    elif order == "garbage":
        sys.stdout.write("\x00\x01 not a message\n")
        sys.stdout.flush()
        time.sleep(3600)


def let_one_in(path: bytes) -> None:
    """Hear the next recording that is asked for, as one does between two windows."""
    import select

    until = time.monotonic() + 20
    while os.path.exists(path + b".pause") and time.monotonic() < until:
        if select.select([0], [], [], 0.01)[0]:
            if not (line := sys.stdin.readline()):
                sys.exit()
            transcribe(_read(line, 0)[0])
            return


def words(digest: str, number: int) -> str:
    return f"Recording {digest[:12]} says number {number} here."


def in_spanish(number: int) -> str:
    """Where English is asked for, all but the last segment was said in another language; where not, nobody tells."""
    return "es" if number < SEGMENTS - 1 else "en"


def transcribe(request: dict[str, Any]) -> None:
    job, path = request["job"], unpacked(request["path"])
    try:
        content = content_of(path)
    except OSError:
        say(type="failed", job=job, fault="gone", sentence="The file is not there any more.")
        return
    digest = sha256(content)
    if digest != request["recording_id"]:
        say(type="failed", job=job, fault="changed", sentence="The file is no longer what it was.")
        return
    first, _, model = content.split(b"\n", 1)[0].decode("ascii", "replace").partition(" ")
    order, _, at = first.partition("@")
    if model and model != loaded[-1]:
        order = ""
    if order == "denied" and os.path.exists(path + b".pause"):
        say(type="failed", job=job, fault="access", sentence="The file may not be read.")
        return
    if order == "media":
        say(type="failed", job=job, fault="media", sentence="The file holds no sound.")
        return
    if order == "long" and request.get("most"):
        say(type="put off", job=job)
        return
    total = SECONDS * SEGMENTS
    language = "es" if order == "spanish" else "en"
    say(type="started", job=job, declared_duration=36_000.0 if order == "long" else total)
    first = round(request["resume_at"] / SECONDS)
    for number in range(first, SEGMENTS):
        if order in ("nan", "garbage") or (at.isdigit() and int(at) == number):
            act(order, path)
        if order == "long" and number >= int(at):
            let_one_in(path)
        start = number * SECONDS
        segment = {
            "start": start, "end": start + SECONDS - 1,
            "text": f"Expects {request['hotwords']}." if order == "expects" else "…" if order == "mute"
            else words(digest, number),
            "confidence": 0.3 if order == "foreign" else 0.9,
            "mark": "low-confidence" if order == "mumbled" else None,
        }  # fmt: skip
        english = []
        if request.get("to_english"):
            segment["language"] = in_spanish(number)
            if segment["language"] != "en":
                english = [segment | {"text": f"In English, number {number}.", "confidence": 0.6}]
        say(
            type="heard", job=job, upto=start + SECONDS, segments=[segment], language=language, english=english,
            language_probability=1.0, speech_seconds=(number - first + 1) * SECONDS, bad_packets=0,
        )  # fmt: skip
    if sha256(content_of(path)) != digest:
        say(type="failed", job=job, fault="changed", sentence="The file is no longer what it was.")
        return
    say(
        type="finished", job=job, duration=total, declared_duration=total, language=language, language_probability=1.0,
        speech_seconds=(SEGMENTS - first) * SECONDS, bad_packets=0, truncated=False, recorded_at=None,
    )  # fmt: skip


def tell_apart(request: dict[str, Any]) -> None:
    """The first and the last segment are one person's, the others another's. A stretch a segment."""
    job, path = request["job"], unpacked(request["path"])
    try:
        content = content_of(path)
    except OSError:
        say(type="failed", job=job, fault="gone", sentence="The file is not there any more.")
        return
    first, _, model = content.split(b"\n", 1)[0].decode("ascii", "replace").partition(" ")
    order, _, at = first.partition("@")
    say(type="started", job=job, declared_duration=SECONDS * SEGMENTS)
    if model == "speakers" and order == "media":
        say(type="failed", job=job, fault="media", sentence="The file holds no sound.")
        return
    for number in range(len(request["done"]), SEGMENTS):
        if model == "speakers" and at.isdigit() and int(at) == number:
            act(order, path)
        piece = (number * SECONDS, (number + 1) * SECONDS, number, 0)
        say(
            type="stretch", job=job, windows=number + 1, upto=(number + 1) * SECONDS, pieces=[piece], both=[], size=2,
            prints="AAAAAA==", mean=[0.0],
        )  # fmt: skip
    turns = [
        {"start": n * SECONDS, "end": (n + 1) * SECONDS, "speaker": 1 if n in (0, SEGMENTS - 1) else 2}
        for n in range(SEGMENTS)
    ]
    if order == "alone":
        turns = [turn | {"speaker": 1} for turn in turns]
    people = 1 if order == "alone" else 2
    voices = [{"print": "AACAPwAAAAA=", "seconds": 10.0}] * people if request["voices"] else []
    say(type="told apart", job=job, turns=turns, people=people, unsure=order == "unsure", voices=voices)


def summarize(request: dict[str, Any]) -> None:
    transcript = request["transcript"]
    summary = {
        "recording_id": transcript["recording_id"], "by": "extractive", "title": "A stand-in's title",
        "overview": transcript["segments"][0]["text"] if transcript["segments"] else "Nothing.",
        "key_points": [{"text": s["text"], "at": s["start"]} for s in transcript["segments"]], "language": "en",
        "template": request["template"],
    }  # fmt: skip
    say(type="summarized", job=request["job"], summary=summary, note="")


def main(transcribe: Work = transcribe, summarize: Work = summarize) -> None:
    """Serve requests until stdin ends; the work itself may be somebody else's (hostile_worker.py)."""
    if sys.platform == "linux":
        die_with_parent()
    for line in sys.stdin:
        request = _read(line, 0)[0]
        match request["type"]:
            case "load" if request["model_name"] == "misfit":
                say(type="failed", job=0, fault="environment", sentence="The model misfit does not fit here.")
                sys.exit(69)
            case "load" | "confine":
                loaded.append(request.get("model_name", ""))
                say(type="ready", engine="stand-in", device="cpu", compute_type="none", sandbox=[])
            case "load speakers" if os.path.exists(
                os.path.dirname(unpacked(request["encoder"])) + b"/misfit"
            ):
                say(type="failed", job=0, fault="environment", sentence="The models do not fit here.")
                sys.exit(69)
            case "load speakers":
                loaded.append("speakers")
                say(type="ready", engine="stand-in", device="cpu", compute_type="none", sandbox=[])
            case "tell apart":
                tell_apart(request)
            case "transcribe":
                transcribe(request)
            case "summarize":
                summarize(request)


if __name__ == "__main__":
    main()
