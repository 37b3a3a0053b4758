"""Whether the drop folders that a daemon says it watches are those that it was told to: it may write where they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from earmark.paths import whole


def untold(said: Iterable[str], arguments: Sequence[str], cwd: str, configured: Iterable[Path]) -> list[str]:
    """Folders of a report that are there, and that neither the command line (`earmark run FOLDER...`) nor the configuration
    names. `cwd`: the daemon's, "" where it cannot be seen; of a relative folder its last part counts then.
    """
    named = arguments[arguments.index("run") + 1 :] if "run" in arguments else ()
    told, tails = {os.path.realpath(folder) for folder in configured}, set()
    for folder in (Path(argument) for argument in named if not argument.startswith("-")):
        if folder.is_absolute() or str(folder).startswith("~") or cwd:
            told.add(os.path.realpath(whole(folder if str(folder).startswith("~") else Path(cwd, folder))))
        else:
            tails.add(folder.name)
    anything = bool(tails & {"", ".."})
    there = [folder for folder in said if Path(folder).exists() and not anything]
    return [
        folder for folder in there if os.path.realpath(folder) not in told and Path(folder).name not in tails
    ]
