"""A note that is missing may lie somewhere as a file that nobody recognizes as one: renamed and with broken properties, as
an editor's backup, in a hidden folder. If such a file names the recording and says `keep`, that holds while it is there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from earmark.context import Context
from earmark.files import files_below, read_bytes
from earmark.intake.folder import where_notes_may_be
from earmark.notes.frontmatter import LIMIT, decoded
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.notes.names import is_text
from earmark.notes.style import style_of
from earmark.retention.note_reading import ids_in

_SAYS_SO = re.compile(
    r"\bkeep\b[\"'*]*[ \t]*[:=]+[ \t]*[\"']?(?!(?:false|no|off|0|n|f|null|none|~)\b)[^\s\"']", re.I
)


_Text = tuple[Path, float, frozenset[str] | None]
"""A file, when the system knew of its last change, and what `LostNotes._names` says of it."""


class LostNotes:
    """Looks through all texts of the drop folders each time it is asked, and reads those that have changed since; with
    `remember`, for a plan, it looks once.
    """

    def __init__(self, context: Context, *, remember: bool = False) -> None:
        self._context = context
        self._remember = remember
        self._read: dict[Path, tuple[tuple[int, int, int], frozenset[str]]] = {}
        self._looked: dict[tuple[Path, ...], dict[str, list[_Text]]] = {}

    def why_kept(self, ids: Collection[str], since: float, tops: Iterable[Path]) -> str | None:
        """Why such a file in one of these folders holds, or None. `ids`: what the recording is and was; `since`: files that
        were not touched since then are no note of it.
        """
        for path, changed, names in self._naming(ids, tuple(sorted(tops))):
            if changed >= since and self._context.ledger.artifacts.at(path) is None:
                why = "cannot be read" if names is None else "names it and says `keep`"
                return f"held, as long as {path} {why}, and a note of it is missing"
        return None

    def _naming(self, ids: Collection[str], tops: tuple[Path, ...]) -> Iterator[_Text]:
        """Texts that name one of these recordings and say `keep`, and those that nobody may read."""
        if not self._remember:
            yield from (each for each in self._texts(tops) if each[2] is None or each[2].intersection(ids))
            return
        if tops not in self._looked:
            index: dict[str, list[_Text]] = {}
            for each in self._texts(tops):
                for name in ("",) if each[2] is None else each[2]:
                    index.setdefault(name, []).append(each)
            self._looked[tops] = index
        for name in ("", *ids):
            yield from self._looked[tops].get(name, ())

    def _texts(self, tops: tuple[Path, ...]) -> Iterator[_Text]:
        for path, status in files_below(list(tops), None, where_notes_may_be(tops)):
            if is_text(path.name):
                yield path, status.st_ctime, self._names(path, status)

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
