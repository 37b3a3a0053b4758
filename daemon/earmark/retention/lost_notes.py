"""A note that is missing may lie somewhere as a file that nobody recognizes as one: renamed and with broken properties, as
an editor's backup, in a hidden folder. If such a file names the recording and says `keep`, that holds while it is there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from earmark.context import Context
from earmark.files import files_below, read_bytes
from earmark.notes.frontmatter import LIMIT, decoded
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.notes.names import is_text
from earmark.notes.style import style_of
from earmark.retention.note_reading import ids_in

_SAYS_SO = re.compile(
    r"\bkeep\b[\"'*]*[ \t]*[:=]+[ \t]*[\"']?(?!(?:false|no|off|0|n|f|null|none|~)\b)[^\s\"']", re.I
)


class LostNotes:
    """Looks through all texts of the drop folders each time it is asked, and reads those that have changed since."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read: dict[Path, tuple[tuple[int, int, int], frozenset[str]]] = {}

    def why_kept(self, ids: Collection[str], since: float, tops: Iterable[Path]) -> str | None:
        """Why such a file in one of these folders holds, or None. `ids`: what the recording is and was; `since`: files that
        were not touched since then are no note of it.
        """
        for path, status in files_below(sorted(tops)):
            if (
                not is_text(path.name)
                or status.st_ctime < since
                or not self._names(path, status).intersection(ids)
            ):
                continue
            if self._context.ledger.artifacts.at(path) is None:
                return f"held, as long as {path} names it and says `keep`, and a note of it is missing"
        return None

    def _names(self, path: Path, status: os.stat_result) -> frozenset[str]:
        """The recordings that a file names, if it says `keep`."""
        identity = (status.st_size, status.st_ctime_ns, status.st_ino)
        known = self._read.get(path)
        if known is None or known[0] != identity:
            known = self._read[path] = (identity, self._kept_in(path))
        return known[1]

    def _kept_in(self, path: Path) -> frozenset[str]:
        try:
            text = decoded(read_bytes(path, most=LIMIT))
        except OSError:
            return frozenset()
        names = ids_in(text, LIMIT)
        if not names or not (asks_to_keep(text, self._keys()) or _SAYS_SO.search(text)):
            return frozenset()
        return frozenset(names)

    def _keys(self) -> frozenset[str]:
        return keep_keys(style_of(self._context.config.notes))
