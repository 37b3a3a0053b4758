"""What checks that were ended from outside (SIGKILL, a power cut) left: their recordings and their temporary folders."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from earmark.config import Config
from earmark.files import sha256_of
from earmark.paths import Home
from earmark.proof.running.recording import Dropped, is_ours, take_away

SCRATCH = "earmark-proof-"
"""What the name of a check's temporary folder begins with; then comes its pid."""

_LONGEST = 60
"""Bytes of the folder for temporary files below which a unix socket can be bound in ours: its path has at most 104 (BSD) or
108 (unix(7)), of which our own names take 40."""

_NAME = re.compile(r"earmark privacy check \d{4}-\d\d-\d\d \d{6}\.m4a")


def scratch_place() -> Path:
    """Where the check's temporary folder is made: the usual place, unless its path is too long for a unix socket."""
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= _LONGEST else Path("/tmp")


def clear(home: Home, config: Config, folders: Iterable[Path]) -> Iterator[str]:
    """Take away the recordings of other checks, none of which may be going on for this installation; says what was done.
    Temporary folders, which hold no words, are only named.
    """
    for folder in folders:
        for path in sorted(p for p in _inside(folder) if _NAME.fullmatch(p.name) and is_ours(p)):
            digest = sha256_of(path)
            if digest is None:
                continue
            gone, how = take_away(home, config, Dropped(path, digest))
            yield f"{path} of an earlier check: {how}" if gone else f"{path} of an earlier check stays: {how}"
    for path in _inside(scratch_place()):
        pid = path.name.removeprefix(SCRATCH).partition("-")[0]
        if path.name.startswith(SCRATCH) and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            yield f"{path} is left of an earlier check that was killed, and may be removed"


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
