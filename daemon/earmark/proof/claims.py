"""Each claim of the policy page, tried: on this machine, with this configuration, by real processes."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.config import Config
from earmark.domain import Segment, Transcript
from earmark.errors import EarmarkError, PrivacyError
from earmark.locality.confinement import pinned_addresses
from earmark.locality.consent import host_away
from earmark.locality.endpoint import resolve_endpoint
from earmark.locality.sockets import internet_sockets
from earmark.messages import Confine, SummarizeRequest
from earmark.paths import Places
from earmark.proof import inside
from earmark.proof.listeners import Trap, decoy, trap
from earmark.supervisor.report import read_report
from earmark.workers import start_process

REFUSED = frozenset({"EACCES", "EPERM", "EAFNOSUPPORT"})
"""How a system says no on principle. Anything else (nobody there, no route) is not a refusal."""

ALL = (inside.CONNECT, inside.OUTSIDE, inside.DATAGRAM, inside.IPV6, inside.UNIX, inside.PROGRAM)
WALLS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "transcription": ("The transcription worker", ALL, (inside.READ, inside.WRITE)),
    "summarization": ("The summarization worker", ALL, (inside.READ, inside.WRITE)),
    "door": (
        "The door process",
        (inside.CONNECT, inside.OUTSIDE, inside.DATAGRAM, inside.UNIX, inside.PROGRAM),
        (inside.READ, inside.WRITE),
    ),
    "download": ("The model download", (), (inside.READ, inside.WRITE, inside.PROGRAM)),
}
"""By process: its name, what the network claim tries, and what the claim about files tries."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One claim tried. `held` is None where it could not be tried; `detail` says what was seen."""

    claim: str
    held: bool | None
    detail: str


def check_everything(config: Config, places: Places, words: Sequence[str] = ()) -> Iterator[Outcome]:
    """Try every claim, one after the other. `words`: phrases that were said, to look for where they must not be."""
    with trap() as caught, tempfile.TemporaryDirectory(prefix="earmark-proof-") as scratch:
        for worker in WALLS:
            yield from walls(worker, config, caught, Path(scratch))
        yield hostile_environment(caught, Path(scratch))
        yield addresses_are_judged()
        yield configured_endpoint(config)
        yield supervisor_sockets(Path(scratch))
        yield running_daemon(config, places)
        yield modes(config, places)
        yield words_elsewhere(places, words)


def walls(worker: str, config: Config, caught: Trap, scratch: Path) -> Iterator[Outcome]:
    """What a process can do after it has shut its doors as the real one does."""
    name, network, files = WALLS[worker]
    try:
        answer = from_inside(worker, config, caught, scratch)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield Outcome(f"{name} is confined", False, f"the proof could not run: {type(error).__name__}")
        return
    tried = answer["attempts"]
    came = caught.visitors()
    if network:
        possible = [attempt for attempt in network if tried[attempt] not in REFUSED]
        yield Outcome(
            f"{name} cannot reach the network"
            + ("" if worker == "transcription" else " but the pinned address"),
            not possible and not came,
            f"it can {'; '.join(possible)}"
            if possible
            else f"{len(network)} ways tried, all refused by the system",
        )
    possible = [attempt for attempt in files if tried[attempt] not in REFUSED]
    yield Outcome(
        f"{name} cannot read or write your other files",
        not possible,
        f"it can {'; '.join(possible)} (Landlock is not there or turned off)"
        if possible
        else "refused by the system",
    )
    astray = [
        n
        for n in answer["environment"]
        if n.upper().endswith("_PROXY") or n.startswith(("OPENAI_", "HF_TOKEN"))
    ]
    leaks = [f"it knows {', '.join(astray)}"] if astray else []
    leaks += ["others can read its memory"] if answer["dumpable"] and sys.platform == "linux" else []
    leaks += ["it leaves core files"] if answer["core"] else []
    leaks += [] if answer["offline"] or worker == "download" else ["the model hub is not switched off"]
    yield Outcome(
        f"{name} leaves no memory behind and knows no proxy", not leaks, "; ".join(leaks) or "as claimed"
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
                env=environ, capture_output=True, timeout=SECONDS,
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


def addresses_are_judged() -> Outcome:
    """`device` refuses every address that is not this device, and a name that has even one such address."""
    claim = 'With privacy = "device" only addresses of this device are accepted'

    def half_away(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", (ip, port)) for ip in ("127.0.0.1", "192.0.2.1")]

    wrong = []
    for url in (
        "http://192.0.2.1/v1",
        "http://10.0.0.1:1234/v1",
        "http://0.0.0.0:1234/v1",
        "http://half.example/v1",
    ):
        try:
            resolve_endpoint(url, "device", (), half_away if "half" in url else None)
            wrong.append(url)
        except PrivacyError:
            pass
    return Outcome(
        claim, not wrong, f"accepted: {', '.join(wrong)}" if wrong else "four others tried, all refused"
    )


def configured_endpoint(config: Config) -> Outcome:
    """Where the configured server is, and, if it answers, whether it says that it hands the words on."""
    claim = "The summary server is where the configuration lets it be"
    summary = config.summary
    if summary.endpoint == "none":
        return Outcome(claim, True, "no server is used")
    away = host_away(config)
    if summary.endpoint != "auto" and not pinned_addresses(
        summary.endpoint, config.privacy, summary.allowed_hosts, ()
    ):
        return _refused_or_unknown(claim, config)
    from earmark.summarization.connection import connect
    from earmark.summarization.engine import SummaryFault

    if away is not None:
        return Outcome(
            claim, True, f"{away} is named in the configuration; what it does with the words is not known"
        )
    try:
        found = connect(
            summary.endpoint, summary.model, _key(config), config.privacy, summary.allowed_hosts, 20.0
        )
    except SummaryFault:
        return Outcome(claim, True, "it is on this device; nobody answers there now")
    except PrivacyError as error:
        return Outcome(claim, False, str(error))
    said = {
        "device": "it says that it does the work itself",
        "unverified": "whether it hands words on cannot be known",
    }
    return Outcome(claim, True, f"{found.chat.where}: {said.get(found.locality, found.locality)}")


def _refused_or_unknown(claim: str, config: Config) -> Outcome:
    try:
        resolve_endpoint(config.summary.endpoint, config.privacy, config.summary.allowed_hosts)
    except PrivacyError as error:
        return Outcome(claim, True, f"it is not used: {error}")
    except EarmarkError as error:
        return Outcome(claim, None, str(error))
    return Outcome(claim, None, "its name resolves now and did not a moment ago")


def _key(config: Config) -> str:
    file = config.summary.api_key_file
    try:
        return file.read_text("utf-8").strip() if file else ""
    except OSError:
        return ""


def supervisor_sockets(scratch: Path) -> Outcome:
    """A daemon of its own on an empty folder, and which sockets it says that it has."""
    claim = "The daemon itself opens no socket but the service manager's"
    home = scratch / "daemon"
    (home / "recordings").mkdir(parents=True)
    notify = scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify))
        done = subprocess.run(
            [sys.executable, "-m", "earmark", "run", "--service", "--once", str(home / "recordings")],
            env=os.environ | {"EARMARK_HOME": str(home), "NOTIFY_SOCKET": str(notify)},
            capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    report = read_report(home / "state" / "status.json")
    if done.returncode or report is None:
        return Outcome(claim, None, "a daemon on an empty folder did not come up")
    others = [family for family in report.sockets if family != "AF_UNIX"]
    return Outcome(claim, not others, f"it has {', '.join(others)}" if others else "no internet socket")


def running_daemon(config: Config, places: Places) -> Outcome:
    """The socket tables of the daemon that runs, and of what it started."""
    claim = "Nothing of the running daemon is connected outside"
    report = read_report(places.status_file)
    if report is None or not Path(f"/proc/{report.pid}").is_dir():
        return Outcome(claim, None, "no daemon is running (or this is not Linux)")
    if others := [family for family in report.sockets if family != "AF_UNIX"]:
        return Outcome(claim, False, f"the daemon has {', '.join(others)}")
    tables = {pid: internet_sockets(pid) for pid in _family(report.pid)}
    away = [s.remote for found in tables.values() for s in found or () if s.leaves]
    allowed = {
        ip
        for ip, _ in pinned_addresses(
            config.summary.endpoint, config.privacy, config.summary.allowed_hosts, ()
        )
    }
    if astray := sorted(set(away) - allowed):
        return Outcome(claim, False, f"connected to {', '.join(astray)}")
    unseen = sum(1 for found in tables.values() if found is None)
    note = (
        f" ({unseen} of {len(tables)} processes only let root look: sudo earmark privacy check)"
        if unseen
        else ""
    )
    return Outcome(claim, True, f"no internet socket of the daemon itself{note}")


def _family(pid: int) -> list[int]:
    """A process and everything it started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def modes(config: Config, places: Places) -> Outcome:
    """Folders 0700 and files 0600, all of the state and the key."""
    claim = "State, models and keys are readable by you only"
    if not places.state.exists():
        return Outcome(claim, None, f"{places.state} is not there yet")
    keys = [config.summary.api_key_file] if config.summary.api_key_file else []
    opened = [f"{p} ({mode:o})" for p, mode in _open_to_others([places.state, *_below(places.state), *keys])]
    more = f" and {len(opened) - 3} more" if len(opened) > 3 else ""
    return Outcome(
        claim, not opened, f"open to others: {', '.join(opened[:3])}{more}" if opened else "0600 and 0700"
    )


def _below(state: Path) -> Iterable[Path]:
    # What lies in the trash keeps the mode that it had beside the recording; its folders are shut.
    return (p for p in state.rglob("*") if p.is_dir() or "trash" not in p.relative_to(state).parts)


def _open_to_others(paths: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for path in paths:
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except OSError:
            continue
        if mode & 0o077 and not path.is_symlink():
            yield path, mode


def words_elsewhere(places: Places, words: Sequence[str]) -> Outcome:
    """Phrases that were said, looked for in everything of the state folder but the ledger."""
    claim = "What was said is in the ledger and nowhere else in the state folder"
    if not words:
        return Outcome(claim, None, "nothing was transcribed yet")
    holders = []
    for path in places.state.rglob("*"):
        ours = path.relative_to(places.state)
        if path.is_file() and not ours.name.startswith("ledger.db") and ours.parts[0] != "trash":
            text = path.read_bytes()
            holders += [str(ours) for phrase in words if phrase.encode() in text]
    return Outcome(
        claim,
        not holders,
        f"found in {', '.join(holders[:3])}" if holders else f"{len(words)} phrases looked for",
    )
