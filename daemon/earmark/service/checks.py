"""What the daemon needs of the machine, each looked at for itself: folders, state, room, model, walls, watches, server."""

from __future__ import annotations

import errno
import itertools
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.config import Config
from earmark.config.vocabulary import read_vocabulary
from earmark.errors import EarmarkError
from earmark.files import InCloud, counted, read_bytes
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.locality.policy.endpoint import NameNotFound, resolve_endpoint
from earmark.notes.titles import titles
from earmark.service.protected import FILES, SETTINGS, guard_there

ROOM = 500 * 1024 * 1024
"""Bytes that should be free: the ledger keeps hours of speech in a few MB, SQLite's WAL and a model need room."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `ok`, or `sentence` says what is wrong and what would be right. `note`: nothing is wrong, and still good
    to know.
    """

    name: str
    ok: bool
    sentence: str
    note: bool = False


def check_python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return Finding(
        "python", ok, f"Python {version}." if ok else f"Python {version}; earmark needs 3.11 or newer."
    )


def check_folder(folder: Path, platform: str = sys.platform) -> Finding:
    """List the folder, read a byte of a file in it, and write a nameless temporary file into it."""
    name = f"folder {folder}"
    guard = guard_there(folder, Path.home()) if platform == "darwin" else None
    try:
        if not folder.is_dir():
            there = "is not a folder" if folder.exists() else "does not exist"
            return Finding(name, False, f"{folder} {there}; create it or name another in config.toml.")
        _read_a_file(folder)
    except PermissionError as problem:
        advice = "give this user read and write access"
        if platform == "darwin" and problem.errno == errno.EPERM:
            # What macOS's privacy settings refuse is EPERM; EACCES is the permissions of the files, as everywhere.
            advice = f"allow it in {SETTINGS}, {guard.setting if guard else FILES}"
        return Finding(name, False, f"{os.fsdecode(problem.filename or folder)} may not be read; {advice}.")
    except OSError as problem:
        return Finding(name, False, f"{folder} cannot be read: {problem.strerror}.")
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".earmark-doctor-") as probe:
            probe.write(b"earmark")
    except OSError as problem:
        return Finding(
            name,
            False,
            f"{folder} cannot be written ({problem.strerror}); the notes go beside the recordings.",
        )
    if guard is not None:
        return Finding(
            name, True, f"It can be read and written from here. {guard.of_a_folder(folder)}.", note=True
        )
    return Finding(name, True, f"{folder} can be read and written.")


def _read_a_file(folder: Path) -> None:
    """Read a byte of some file. Raises OSError if the folder cannot be listed, or none of its first files can be read."""
    with os.scandir(folder) as entries:
        files = [e.path for e in itertools.islice(entries, 1000) if e.is_file(follow_symlinks=False)][:20]
    refused: OSError | None = None
    for file in files:
        try:
            read_bytes(Path(file), most=1)
        except (FileNotFoundError, InCloud):
            continue
        except OSError as error:
            refused = error
        else:
            return
    if refused is not None:
        raise refused


def check_state(state: Path, ask: str = "") -> Finding:
    """The ledger's folder holds what was said; nobody else may look into it. `ask`: how its owner would ask, where it is
    another user's and right so.
    """
    try:
        info = state.stat()
    except FileNotFoundError:
        return Finding("state", True, f"{state} will be created, for you alone.")
    except OSError as problem:
        return Finding("state", False, f"{state} cannot be looked at: {problem.strerror}.")
    if info.st_uid != os.geteuid():
        advice = f"ask as that user: {ask}" if ask else "chown it to yourself."
        return Finding("state", False, f"{state} belongs to another user (uid {info.st_uid}); {advice}")
    shut = f"chmod 700 {shlex.quote(str(state))}"
    if info.st_mode & 0o077:
        mode = f"{info.st_mode & 0o777:o}"
        return Finding("state", False, f"{state} is open to others (mode {mode}); {shut}")
    if os.statvfs(state).f_flag & os.ST_RDONLY:
        return Finding(
            "state", False, f"{state} is on a disk that can only be read; set EARMARK_HOME to another folder"
        )
    if not os.access(state, os.W_OK):
        return Finding("state", False, f"{state} cannot be written; {shut}")
    return Finding("state", True, f"{state} is private.")


def check_room(paths: Sequence[Path]) -> Iterator[Finding]:
    """Free space, once for each filesystem."""
    seen: set[int] = set()
    for path in paths:
        above = (path, *path.parents)
        there = next((p for p in above if os.path.exists(p)), Path("/"))  # noqa: PTH110 - false, too, where nobody may look
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        ok = free >= ROOM
        sentence = f"{free / 1e9:.1f} GB are free where {path} is"
        yield Finding(
            "disk", ok, f"{sentence}." if ok else f"Only {sentence}; {ROOM / 1e9:.1f} GB should be."
        )


def check_model(find_model: Callable[[], Path]) -> Finding:
    """The speech model, by the same lookup that the daemon makes."""
    try:
        return Finding("model", True, f"The speech model is {find_model()}.")
    except EarmarkError as problem:
        return Finding("model", False, str(problem))


def check_speakers(find: Callable[[], str | None]) -> Finding:
    """What tells voices apart, by the same lookup that the daemon makes; nobody needs it."""
    try:
        found = find()
    except EarmarkError as problem:
        return Finding("speakers", False, str(problem))
    if found is None:
        return Finding(
            "speakers", True, "Nobody is told apart; for that: earmark models download speakers", note=True
        )
    return Finding("speakers", True, f"Voices are told apart by {found}.")


def check_names(config: Config, vocabulary: Path) -> Iterator[Finding]:
    """The folders of notes whose titles are names, and the words that were accepted."""
    named = (config.transcription.vocabulary_from, *(folder.vocabulary_from for folder in config.folder))
    for folder in dict.fromkeys(one for one in named if one is not None):
        try:
            count = len(titles(folder))
        except OSError as problem:
            why = f"cannot be read ({problem.strerror}), and recordings are heard without its names"
            yield Finding(
                "names", False, f"{folder} {why}; name another folder in [transcription] vocabulary_from."
            )
        else:
            what = counted(count, "note is", "notes are")
            yield Finding("names", True, f"{what} in {folder}, whose titles are names.")
    try:
        said = read_vocabulary(vocabulary)
    except OSError as problem:
        why = f"cannot be read ({problem.strerror}), and recordings are heard without its words"
        yield Finding("names", False, f"{vocabulary} {why}; make it a text file with one word a line.")
    else:
        for fault in said.problems:
            yield Finding("names", False, f"{vocabulary}, {fault}.")


def check_sandbox(sandbox: Callable[[], Sequence[str] | None]) -> Finding:
    """What keeps the process that reads your recordings off the network."""
    try:
        enforced = sandbox()
    except EarmarkError as problem:
        return Finding("sandbox", False, str(problem))
    if enforced is None:
        return Finding(
            "sandbox",
            True,
            "Not known before a daemon runs and transcribes; `earmark status` says it then.",
            note=True,
        )
    missing = [s.removeprefix(NOT_ENFORCED) for s in enforced if s.startswith(NOT_ENFORCED)]
    if missing:
        return Finding(
            "sandbox", False, f"Not enforced against the transcription worker: {'; '.join(missing)}."
        )
    if not enforced:
        return Finding("sandbox", False, "Nothing here takes the network away from the transcription worker.")
    return Finding("sandbox", True, f"The transcription worker is held by: {', '.join(enforced)}.")


def check_summary(config: Config, ports: Sequence[int]) -> Finding:
    """Whether a summary server listens; nothing is sent to it, and one on another machine is not even knocked at.

    `ports`: where `auto` looks. The server that is the default need not be there: nobody asked for it.
    """
    summary, without = config.summary, "until then summaries are made by the built-in summarizer"
    if summary.endpoint == "none":
        return Finding("summary", True, "Summaries are made by the built-in summarizer, as configured.")
    if summary.endpoint == "auto":
        there = next((port for port in ports if _listens("127.0.0.1", port)), None)
        if there is not None:
            return Finding(
                "summary", True, f"A server listens on this device at port {there}; earmark summary test"
            )
        return Finding("summary", True, f"No summary server listens on this device; {without}.", note=True)
    chosen = "endpoint" in summary.model_fields_set
    try:
        pinned = resolve_endpoint(summary.endpoint, config.privacy, summary.allowed_hosts)
    except NameNotFound as problem:
        return Finding("summary", not chosen, f"{str(problem).rstrip('.')}; {without}.", note=not chosen)
    except EarmarkError as problem:
        return Finding("summary", False, sentence(str(problem)))
    if pinned.scope != "device":
        return Finding(
            "summary", True, f"{pinned.host} is not asked from here; earmark summary test", note=True
        )
    if any(_listens(ip, pinned.port) for ip in (pinned.ip, *pinned.others)):
        return Finding(
            "summary", True, f"A server listens at {summary.endpoint}; earmark summary test asks it"
        )
    nobody = f"Nothing listens at {summary.endpoint}; start the server, or name another; {without}."
    return Finding("summary", not chosen, nobody, note=not chosen)


def _listens(ip: str, port: int) -> bool:
    try:
        with socket.create_connection((ip, port), timeout=1.0):
            return True
    except OSError:
        return False


def sentence(text: str) -> str:
    """Words of another part with one dot at their end, whether or not they brought one."""
    words = text.strip().rstrip(".")
    return words if words.endswith(("?", "!")) else words + "."
