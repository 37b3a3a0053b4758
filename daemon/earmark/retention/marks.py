"""Reading what notes say of themselves (tags) and what they weigh, for the rules that want to know before deciding."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from earmark.ledger import Candidate, Ledger
from earmark.retention.look import Frontmatter, marks_of


def refresh(ledger: Ledger, frontmatter: Frontmatter, keep_keys: frozenset[str]) -> int:
    """Read the tags of each note that is new or has changed since it was last read; returns how many were read."""
    known = ledger.retention.notes_seen()
    count = 0
    for artifact in ledger.artifacts.all():
        if artifact.form != "md" or artifact.state not in ("here", "edited"):
            continue
        try:
            found = artifact.path.lstat()
            seen = f"{found.st_size}:{found.st_mtime_ns}"
            if known.get(os.fsencode(artifact.path)) == seen:
                continue
            says = marks_of(artifact.path, frontmatter, keep_keys)
        except OSError:
            continue
        ledger.retention.mark_note(artifact.path, artifact.recording_id, seen, says.keep, says.tags)
        count += 1
    return count


def weighed(items: Iterator[Candidate]) -> Iterator[Candidate]:
    """The same candidates with their sizes on disk; 0 for what is not there."""
    for item in items:
        try:
            yield replace(item, size=item.path.lstat().st_size)
        except OSError:
            yield item
