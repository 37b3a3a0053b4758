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
            if not is_text(path.name) or status.st_ctime < since:
                continue
            names = self._names(path, status)
            if names is not None and not names.intersection(ids):
                continue
            if self._context.ledger.artifacts.at(path) is None:
                why = "cannot be read" if names is None else "names it and says `keep`"
                return f"held, as long as {path} {why}, and a note of it is missing"
        return None

    def _names(self, path: Path, status: os.stat_result) -> frozenset[str] | None:
        """The recordings that a file names, if it says `keep`; None if nobody may read it."""
        identity = (status.st_size, status.st_ctime_ns, status.st_ino)
        known = self._read.get(path)
        if known is not None and known[0] == identity:
            return known[1]
        try:
            found = self._kept_in(path)
        except FileNotFoundError:
            return frozenset()
        except OSError:
            return None
        self._read[path] = (identity, found)
        return found

    def _kept_in(self, path: Path) -> frozenset[str]:
        text = decoded(read_bytes(path, most=LIMIT))
        names = ids_in(text, LIMIT)
        if not names or not (asks_to_keep(text, self._keys()) or _SAYS_SO.search(text)):
            return frozenset()
        return frozenset(names)

    def _keys(self) -> frozenset[str]:
        return keep_keys(style_of(self._context.config.notes))
