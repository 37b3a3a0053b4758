"""A verb in a process of its own that need not load the program first: it is forked from one that has done so.

To load itself is most of what a verb costs (half a second). All else is as with `python -m earmark`: its own streams,
environment, folder and exit status, and it can be killed where it hangs. For tests that say dozens of verbs; that the
program starts is shown by `Installation.earmark`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.daemon_rig import CONTEXT

if TYPE_CHECKING:
    from tests.conftest import Installation


def _say(words: list[str], environ: dict[str, str], folder: Path, streams: tuple[Path, Path, Path]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.chdir(folder)
    for number, file in enumerate(streams):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0)  # noqa: SIM115 - lives as long as the process
    sys.stdout = open(1, "w")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
    sys.argv = ["earmark", *words]
    from earmark.cli.main import main

    main()


def said(
    installation: Installation, *words: str | Path, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end; raises TimeoutExpired where it has none within so many seconds."""
    out, err = installation.root / "said.out", installation.root / "said.err"
    arguments = [*map(str, words)]
    process = CONTEXT.Process(
        target=_say,
        args=(arguments, installation.environment, installation.root, (Path(os.devnull), out, err)),
    )
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(arguments, timeout)
    told = [file.read_text(errors="surrogateescape") for file in (out, err)]
    return subprocess.CompletedProcess(arguments, process.exitcode, *told)
