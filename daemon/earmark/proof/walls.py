"""What each kind of process can still do after it has shut its doors, tried from inside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from earmark.config import Config
from earmark.domain import Segment, Transcript
from earmark.files import why
from earmark.messages import Confine, SummarizeRequest
from earmark.proof import inside
from earmark.proof.listeners import Trap, decoy
from earmark.proof.outcome import SECONDS, Outcome
from earmark.workers import start_process

REFUSED = frozenset({"EACCES", "EPERM", "EAFNOSUPPORT"})
"""How a system says no on principle. Anything else (nobody there, no route) is not a refusal."""

ALL = (inside.CONNECT, inside.OUTSIDE, inside.DATAGRAM, inside.IPV6, inside.UNIX, inside.PROGRAM)
WALLS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "transcription": ("A process with the transcription worker's walls", ALL, (inside.READ, inside.WRITE)),
    "summarization": ("A process with the summarization worker's walls", ALL, (inside.READ, inside.WRITE)),
    "door": (
        "A process with the door's walls",
        (inside.CONNECT, inside.OUTSIDE, inside.DATAGRAM, inside.UNIX, inside.PROGRAM),
        (inside.READ, inside.WRITE),
    ),
    "download": (
        "A process with the model download's walls",
        (),
        (inside.READ, inside.WRITE, inside.PROGRAM),
    ),
}
"""By process: its name, what the network claim tries, and what the claim about files tries. All are started for the check;
what runs already is looked at by `earmark.proof.running`.
"""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def walls(
    worker: str, config: Config, caught: Trap, scratch: Path, system: str = sys.platform
) -> Iterator[Outcome]:
    """What a process can do after it has shut its doors as the real one does."""
    name = WALLS[worker][0]
    try:
        answer = from_inside(worker, config, caught, scratch)
    except OSError as error:  # nobody was started, so nobody can have got out
        yield Outcome(
            f"{name}, started for this check, is confined", None, f"it could not be tried: {why(error)}"
        )
        return
    except (ValueError, subprocess.SubprocessError) as error:
        yield Outcome(
            f"{name}, started for this check, is confined",
            False,
            f"the proof could not run: {type(error).__name__}",
        )
        return
    yield from judged(worker, answer, caught.visitors(), system)


def judged(worker: str, answer: dict[str, Any], came: int, system: str) -> Iterator[Outcome]:
    """What a process's answer, and how many came to those who wait for nobody, say of its walls. Pure."""
    name, network, files = WALLS[worker]
    if network:
        yield _network(worker, answer, came)
    yield _files(name, files, answer["attempts"], system)
    astray = [
        n
        for n in answer["environment"]
        if n.upper().endswith("_PROXY") or n.startswith(("OPENAI_", "HF_TOKEN"))
    ]
    leaks = [f"it knows {', '.join(astray)}"] if astray else []
    leaks += ["others can read its memory"] if answer["dumpable"] and system == "linux" else []
    leaks += ["it leaves core files"] if answer["core"] else []
    leaks += [] if answer["offline"] or worker == "download" else ["the model hub is not switched off"]
    claim = f"{name}, started for this check, leaves no memory behind and knows no proxy"
    if system != "linux" and not leaks:
        yield Outcome(
            claim, None, f"no core file, no proxy; whether other programs can read its memory, {NOT_TOLD}"
        )
    else:
        yield Outcome(claim, not leaks, "; ".join(leaks) or "as claimed")


NOT_TOLD = "this system does not tell"


def _network(worker: str, answer: dict[str, Any], came: int) -> Outcome:
    name, network, _ = WALLS[worker]
    tried = answer["attempts"]
    ways = [*network, *([inside.SERVICE] if inside.SERVICE in tried else [])]
    wrong = [way for way in ways if tried[way] not in REFUSED and tried[way] != inside.UNTOLD]
    wrong = [f"it can {'; '.join(wrong)}"] if wrong else []
    wrong += [f"{came} connections came from it"] if came and not wrong else []
    wrong += [f"it has a socket: {family}" for family in answer["sockets"] or () if family != "AF_UNIX"]
    claim = f"{name}, started for this check, cannot reach the network"
    claim += "" if worker == "transcription" else " but for the pinned address"
    if wrong:
        return Outcome(claim, False, "; ".join(wrong))
    untold = [f"whether it can {way}" for way in ways if tried[way] == inside.UNTOLD]
    untold += ["which sockets it had from its start"] if answer["sockets"] is None else []
    if untold:
        return Outcome(
            claim, None, f"the system refused whatever else was tried; {', '.join(untold)}, {NOT_TOLD}"
        )
    return Outcome(claim, True, f"{len(ways)} ways tried, all refused by the system")


def _files(name: str, files: Sequence[str], tried: dict[str, str], system: str) -> Outcome:
    possible = [attempt for attempt in files if tried[attempt] not in REFUSED]
    wall = "Landlock" if system == "linux" else "the sandbox"
    return Outcome(
        f"{name}, started for this check, cannot read or write your other files",
        not possible,
        f"it can {'; '.join(possible)} ({wall} is not there or turned off)"
        if possible
        else "refused by the system",
    )


def from_inside(worker: str, config: Config, caught: Trap, scratch: Path) -> dict[str, Any]:
    """Start a process, have it become this worker, and return what it could still do."""
    readable = scratch / "readable"
    readable.mkdir(exist_ok=True)
    secret = scratch / "secret"
    secret.write_text("nobody's business")
    bus = scratch / "bus"
    asked = {
        "worker": worker, "readable": [str(readable)], "model_dir": "", "trap": caught.port,
        "endpoint": caught.port + 1 if caught.port < 65535 else 1024, "secret": str(secret), "unix": str(bus),
        "write": str(scratch / "written"), "writable": str(readable),
        "mode": "auto" if config.sandbox == "require" else config.sandbox if worker == "transcription" else "auto",
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as other:
        if not bus.exists():
            other.bind(str(bus))
            other.listen()
        process = start_process("earmark.proof.inside", stderr=subprocess.DEVNULL)
        try:
            said, _ = process.communicate(json.dumps(asked).encode() + b"\n", timeout=SECONDS)
        finally:
            process.kill()
            bus.unlink(missing_ok=True)
    return json.loads(said)  # type: ignore[no-any-return]


def hostile_environment(caught: Trap, scratch: Path) -> Outcome:
    """The real worker, with proxy variables, OPENAI_* and .netrc set against it, and a server that redirects."""
    claim = "Proxy variables, OPENAI_* variables, .netrc and redirects are ignored"
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    netrc = home / ".netrc"
    netrc.write_text("default login earmark password earmark\n")
    netrc.chmod(0o600)
    elsewhere = f"http://127.0.0.1:{caught.port}"
    environ = {n: v for n, v in os.environ.items() if n.upper() not in ("NO_PROXY",)} | dict.fromkeys(
        PROXIES, elsewhere
    )
    environ |= {"OPENAI_BASE_URL": f"{elsewhere}/v1", "OPENAI_API_KEY": "trap", "HOME": str(home)}
    segment = Segment(0.0, 4.0, "We decided to test the way out of this device on Friday.")
    spoken = Transcript("0" * 64, (segment,), "en", 1.0, 5.0, 4.0, "none", "none")
    with decoy(caught.port) as server:
        url = f"http://127.0.0.1:{server.port}/v1"
        request = SummarizeRequest(job=1, transcript=spoken, endpoint=url, timeout=20)
        try:
            subprocess.run(
                [sys.executable, "-m", "earmark.summarization.worker"],
                input=Confine(endpoint=url).line() + request.line(),
                env=environ, capture_output=True, timeout=SECONDS, cwd="/",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(claim, None, "the worker did not answer in time")
    asked = [path for method, path, _ in server.requests if method == "POST"]
    if not asked:
        return Outcome(claim, None, "the worker sent nothing to the server that it was to talk to")
    if any("basic" in headers.get("Authorization", "").lower() for _, _, headers in server.requests):
        return Outcome(claim, False, "the password of .netrc was sent")
    came = caught.visitors()
    return Outcome(claim, came == 0, f"{came} connections went astray" if came else "nothing went astray")
