"""Files with one content: of which recording one is a copy, and which are copies of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from earmark.cli.console import short
from earmark.ledger import Place

MOST = 3
"""Names of copies in a sentence."""


@dataclass(frozen=True, slots=True)
class Copies:
    """`of`: the file that was here first with the same content, or "" for that one itself; `others`: all others."""

    of: str = ""
    others: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What is said of a file: that it is a copy, or which are copies of it; "" of the only one."""
        if self.of:
            return f"the same content as {short(self.of)}, heard once"
        more = f" and {len(self.others) - MOST} more" if len(self.others) > MOST else ""
        return f"also here as {', '.join(map(short, self.others[:MOST]))}{more}" if self.others else ""


def copies_of(place: Place, same: Iterable[Place]) -> Copies:
    """What else holds the content of a file. `same`: all places of the recording, in the order in which they came."""
    here = [str(other.path) for other in same if other.here]
    own = str(place.path)
    if not place.here or own not in here:
        return Copies()
    others = tuple(path for path in here if path != own)
    return Copies("" if own == here[0] else here[0], others)
