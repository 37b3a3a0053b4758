"""Whether what a person named is of the kind that a verb takes: a file, or a folder. What is not there is another matter."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.errors import UsageError


def require_no_folder(path: Path, wanted: str = "a recording or a note") -> None:
    """Raises UsageError for a folder where one file is wanted."""
    if os.path.isdir(path):  # noqa: PTH112 - false, too, where nobody may look
        raise UsageError(f"{path} is a folder; name {wanted}")


def require_no_file(path: Path) -> None:
    """Raises UsageError for a file where a folder is wanted."""
    if os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112
        raise UsageError(f"{path} is not a folder; name one")
