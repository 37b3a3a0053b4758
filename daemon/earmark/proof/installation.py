"""What this installation is like: a daemon's own sockets, the modes of files, where words lie."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from earmark.config import Config
from earmark.files import counted, files_below, open_regular
from earmark.locality.confinement.sockets import UNSEEN
from earmark.paths import Home
from earmark.proof.outcome import SECONDS, Outcome
from earmark.report import read_report

LARGEST, PIECE = 1 << 28, 1 << 20
"""Bytes of a file that are searched for words, and how many are read at once."""


def supervisor_sockets(scratch: Path) -> Outcome:
    """A daemon of its own on an empty folder, and which sockets it says that it had."""
    claim = "A daemon started for this check on an empty folder opens no socket but the service manager's"
    home = scratch / "daemon"
    (home / "recordings").mkdir(parents=True)
    notify = scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(notify))
        done = subprocess.run(
            [sys.executable, "-m", "earmark", "run", "--service", "--once", str(home / "recordings")],
            env=os.environ | {"EARMARK_HOME": str(home), "NOTIFY_SOCKET": str(notify)},
            capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
    report = read_report(home / "state" / "status.json")
    if done.returncode or report is None:
        return Outcome(claim, None, "a daemon on an empty folder did not come up")
    return sockets_of(claim, report.sockets)


def sockets_of(claim: str, families: Iterable[str]) -> Outcome:
    """What the account that a process gives of its sockets says of the claim that it has none but unix ones."""
    others = [family for family in families if family not in ("AF_UNIX", UNSEEN)]
    if others:
        return Outcome(claim, False, f"it has {', '.join(others)}")
    if UNSEEN in families:
        return Outcome(claim, None, "its Python made none; what else it has open, this system does not list")
    return Outcome(claim, True, "no internet socket")


def modes(config: Config, home: Home) -> Outcome:
    """Folders 0700 and files 0600, all of the state and the key."""
    claim = "State and keys are readable by you only"
    if not home.state.exists():
        return Outcome(claim, None, f"{home.state} is not there yet")
    keys = [config.summary.api_key_file] if config.summary.api_key_file else []
    opened = [f"{p} ({mode:o})" for p, mode in _open_to_others([home.state, *_below(home.state), *keys])]
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


def words_elsewhere(home: Home, words: Sequence[str]) -> Outcome:
    """Phrases that were said, looked for in everything of the state folder but the ledger and the trash."""
    claim = "What was said is in the ledger and nowhere else in the state folder"
    if not words:
        return Outcome(claim, None, "nothing was transcribed yet")
    phrases = [phrase.encode() for phrase in words]
    holders, unread = [], []
    for path, about in files_below([home.state]):
        ours = path.relative_to(home.state)
        if ours.name.startswith("ledger.db") or ours.parts[0] == "trash":
            continue
        found = _holds_any(path, phrases)
        if found:
            holders.append(str(ours))
        elif found is None or about.st_size > LARGEST:
            unread.append(str(ours))
    if holders:
        return Outcome(claim, False, f"found in {', '.join(holders[:3])}")
    if unread:
        return Outcome(claim, None, f"not read, or not to the end: {', '.join(unread[:3])}")
    return Outcome(claim, True, f"{counted(len(words), 'phrase')} looked for")


def _holds_any(path: Path, phrases: Sequence[bytes]) -> bool | None:
    """Whether a file holds one of these, as far as it is searched; None if it cannot be read."""
    before, longest = b"", max(map(len, phrases))
    try:
        with open_regular(path) as fd:
            for _ in range(0, LARGEST, PIECE):
                piece = os.read(fd, PIECE)
                if any(phrase in before + piece for phrase in phrases):
                    return True
                if not piece:
                    break
                before = piece[-longest:]
    except OSError:
        return None
    return False
