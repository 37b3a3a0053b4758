"""What the running daemon logged since a moment, where that can be read afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

LARGEST = 8 * 1024 * 1024
SECONDS = 20.0


def log_of(pid: int, since: float) -> str | None:
    """The end of the file that its stderr is, or its lines of systemd's journal; None if neither can be read."""
    texts = [text for fd in (1, 2) if (text := _file(pid, fd)) is not None]
    lines = _journal(pid, since)
    return "\n".join([*texts, *([lines] if lines else [])]) if texts or lines else None


def _file(pid: int, fd: int) -> str | None:
    link = Path(f"/proc/{pid}/fd/{fd}")
    try:
        path = Path(os.readlink(link))  # noqa: PTH115
        if not path.is_file():
            return None
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LARGEST))
            return log.read().decode("utf-8", "replace")
    except OSError:
        return None


def _journal(pid: int, since: float) -> str | None:
    tool = shutil.which("journalctl")
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, "-q", "-o", "cat", "--no-pager", f"_PID={pid}", f"--since=@{int(since)}"],
            capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") or None
