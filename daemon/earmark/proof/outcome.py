"""What came of trying one claim."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = 60.0
"""How long a process that proves something may take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One claim tried. `held` is None where it could not be tried; `detail` says what was seen; `later`: the daemon was
    too busy for it, and it can be tried again.
    """

    claim: str
    held: bool | None
    detail: str
    later: bool = False
