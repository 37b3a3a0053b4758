"""Is a drop folder there, or only the place where its disk is mounted?"""

from __future__ import annotations

import os
from pathlib import Path

from earmark.files import named, pack_path
from earmark.ledger import Ledger


def device_fact(folder: Path) -> str:
    """The name of the fact that says on which device a drop folder was last seen; one whose bytes are no text is packed."""
    shown = str(folder)
    return f"device:{shown if named(shown) == shown else pack_path(folder)}"


def device_of(folder: Path) -> str | None:
    """On which device a folder is; None if it is not there. Raises OSError if it cannot be looked at."""
    try:
        return str(folder.stat().st_dev)
    except (FileNotFoundError, NotADirectoryError):
        return None


def why_unmounted(ledger: Ledger, folder: Path) -> str | None:
    """Why a drop folder is not what it was, or None: it is not there, or is on another device than before and without a
    single recording or note that was in it.

    Such a folder in the place of a full one is a mount point without its disk, whatever somebody has put there meanwhile
    (a device number alone may change with each start of the machine). Raises OSError if it cannot be read.
    """
    return why_not_it(ledger, folder, device_of(folder))


def why_not_it(ledger: Ledger, folder: Path, device: str | None) -> str | None:
    """The same for one that is on this device now."""
    if device is None:
        return f"{folder} is not there; mount its disk or create it"
    before = ledger.journal.fact(device_fact(folder))
    if before is None or before[0] == device:
        return None
    if any(os.path.lexists(path) for path in ledger.places.files_of(folder)):
        return None
    return f"{folder} is on another disk than before, and nothing that was in it is there; mount its disk"
