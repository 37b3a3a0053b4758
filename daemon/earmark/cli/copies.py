"""Files with one content: of which recording one is a copy."""

from __future__ import annotations

from collections.abc import Iterable

from earmark.cli.console import short
from earmark.ledger import Place


def copy_of(place: Place, same: Iterable[Place]) -> str:
    """The file that was here first with the content of this one; "" if that is this one. `same`: all places of the
    recording, in the order in which they came.
    """
    here = [str(other.path) for other in same if other.here]
    own = str(place.path)
    return here[0] if place.here and own in here and own != here[0] else ""


def as_copy(of: str) -> str:
    """What is said of a copy."""
    return f"the same content as {short(of)}, heard once"
