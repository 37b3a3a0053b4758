"""Is a drop folder there, or only the place where its disk is mounted?"""

from __future__ import annotations

import os
from pathlib import Path

from earmark.ledger.journal import Journal


def device_fact(folder: Path) -> str:
    """The fact that says on which device a drop folder was last seen."""
    return f"device:{folder}"


def why_unmounted(journal: Journal, folder: Path) -> str | None:
    """Why a drop folder is not what it was, or None: it is not there, or is empty and on another device than before.

    An empty folder in the place of a full one is a mount point without its disk. Raises OSError if it cannot be read.
    """
    try:
        device = str(folder.stat().st_dev)
    except (FileNotFoundError, NotADirectoryError):
        return f"{folder} is not there; mount its disk or create it"
    before = journal.fact(device_fact(folder))
    if before is None or before[0] == device:
        return None
    with os.scandir(folder) as entries:
        if next(entries, None) is not None:
            return None
    return f"{folder} is empty and on another disk than before; mount its disk, and it will be watched again"
