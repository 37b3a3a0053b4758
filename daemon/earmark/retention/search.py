"""Is anything left? Looking for the words, the names and the audio bytes in every file of the state folder.

SQLite's free pages and write-ahead log are ordinary bytes of ordinary files here; nothing is asked of SQLite.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from earmark.ledger import Ledger

NEEDLES = 300
"""Byte strings that are looked for in all; sentences are taken evenly over a recording, so that any part of it that had
been left would be met."""

SHORTEST = 12
"""Characters a sentence must have to be worth looking for; shorter ones are in everybody's recordings."""

WINDOW = 64
"""Bytes of audio that are looked for, at several places of the file."""


def needles_of(ledger: Ledger, recording_id: str, audio: Iterable[Path], most: int = NEEDLES) -> set[bytes]:
    """What must be found nowhere afterwards: sentences, names, the id, samples of the audio's bytes."""
    found = {recording_id.encode()}
    texts: list[str] = []
    transcript = ledger.words.transcript(recording_id)
    segments = transcript.segments if transcript else ledger.words.heard_so_far(recording_id)
    texts += [s.text.strip() for s in segments]
    summary = ledger.words.summary(recording_id)
    if summary is not None:
        texts += [summary.overview, *(p.text for p in (*summary.key_points, *summary.decisions))]
    texts = [t for t in texts if len(t) >= SHORTEST]
    sentences = max(4, most // 2 - 10)
    for text in texts[:: max(1, -(-len(texts) // sentences))]:
        found.add(text.encode())
        found.add(json.dumps(text, ensure_ascii=False)[1:-1].encode())  # as it stands in a JSON column
    for place in ledger.places.of(recording_id):
        found.add(os.fsencode(place.path))
        found.add(os.fsencode(place.path.name))
    for path in audio:
        found.update(_samples(path))
    return {needle for needle in found if len(needle) >= 8}


def still_alive(ledger: Ledger, needles: set[bytes]) -> set[bytes]:
    """Those that other recordings have a right to: the same words were said there, or a file there has that name."""
    alive = set()
    for needle in needles:
        for table, column in (("transcripts", "body"), ("summaries", "body"), ("heard", "text")):
            if ledger.db.one(
                f"SELECT 1 FROM {table} WHERE instr(CAST({column} AS BLOB), ?) LIMIT 1", (needle,)
            ):
                alive.add(needle)
        for table, column in (("places", "path"), ("artifacts", "path"), ("trash", "original")):
            if ledger.db.one(f"SELECT 1 FROM {table} WHERE instr({column}, ?) LIMIT 1", (needle,)):
                alive.add(needle)
    return alive


def where_found(folder: Path, needles: set[bytes], but_not: Collection[Path] = ()) -> dict[Path, set[bytes]]:
    """Files below `folder` that hold any of these bytes, and which."""
    hits: dict[Path, set[bytes]] = {}
    for path in _regular_files(folder):
        if path in but_not:
            continue
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size == 0:
                    continue
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    found = {needle for needle in needles if data.find(needle) >= 0}
        except (OSError, ValueError):
            continue
        if found:
            hits[path] = found
    return hits


def _regular_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _samples(path: Path) -> set[bytes]:
    """A few windows of a file's bytes that are unlikely to be anywhere else; none from uniform stretches."""
    found: set[bytes] = set()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for part in range(1, 8):
                file.seek(max(0, size * part // 8 - WINDOW))
                window = file.read(WINDOW)
                if len(window) == WINDOW and len(set(window)) > 8:
                    found.add(window)
    except OSError:
        pass
    return found
