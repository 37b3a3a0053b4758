"""What launchd does with an agent, for tests/fake_launchctl: start what its file says, and know how that ended."""

from __future__ import annotations

import os
import plistlib
import signal
import subprocess
import sys
from pathlib import Path

EXITS = {
    69: "EX_UNAVAILABLE", 70: "EX_SOFTWARE", 74: "EX_IOERR", 75: "EX_TEMPFAIL", 76: "EX_PROTOCOL", 77: "EX_NOPERM",
    78: "EX_CONFIG",
}  # fmt: skip
"""Exit statuses of sysexits.h, which launchd names."""


def main(folder: Path, file: str) -> None:
    os.setsid()
    agent = plistlib.loads(Path(file).read_bytes())
    environment = {"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    status = 78  # what launchd calls a program that it could not start
    try:
        with Path(agent["StandardErrorPath"]).open("ab") as log:
            started = subprocess.Popen(
                agent["ProgramArguments"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=agent["Umask"],
                env=environment | agent["EnvironmentVariables"], cwd="/", start_new_session=True,
            )  # fmt: skip
        put(folder / "pid", str(started.pid))
        status = started.wait()
    except OSError:
        pass
    name = f": {EXITS[status]}" if status in EXITS else ""
    ended = f"last exit code = {status}{name}"
    if status < 0:
        ended = f"last terminating signal = {signal.strsignal(-status)}: {-status}"
    put(folder / "pid", "0")
    put(folder / "ended", ended)


def put(file: Path, words: str) -> None:
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_text(f"{words}\n")
    new.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
