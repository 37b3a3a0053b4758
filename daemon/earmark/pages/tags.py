"""Which notes have a tag. What a note says is kept as long as its file stays as it is: YAML takes long to read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import Lock

from earmark.files import Identity, read_bytes
from earmark.ledger.artifacts import NotePath
from earmark.notes.frontmatter import decoded, first_block
from earmark.verbs.listing import TOP, may_say, tags_in

KEPT = 20_000
"""Notes of which something is kept, some 500 bytes each. When there are more, all are read anew."""

LONGEST = 4_096
"""Characters of what stands above a note that are kept as they are."""

Top = str | frozenset[str]
"""What stands above a note, as it is written; once that was read as YAML, its tags."""


class Tags:
    """What stands above notes. For one process, and several threads of it."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Identity, Top]] = {}
        self._lock = Lock()

    def any_has(self, notes: Iterable[NotePath], tag: str) -> bool:
        """Whether a tag stands in any of these notes now, whoever wrote it."""
        wanted = tag.lstrip("#").casefold()
        return any(self._has(note.path, wanted) for note in notes)

    def _has(self, path: bytes, wanted: str) -> bool:
        try:
            now = Identity.of(os.lstat(path))
            known = self._known.get(path)
            top = known[1] if known and known[0] == now else _top(_text(path))
            if isinstance(top, str) and may_say(top, wanted):
                top = tags_in(_text(path))
        except OSError:
            return False
        with self._lock:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[path] = now, top
        return not isinstance(top, str) and wanted in top


def _text(path: bytes) -> str:
    """The beginning of a note. Raises OSError."""
    return decoded(read_bytes(os.fsdecode(path), most=TOP))


def _top(text: str) -> Top:
    block, _ = first_block(text)
    return block if len(block) <= LONGEST else tags_in(text)
