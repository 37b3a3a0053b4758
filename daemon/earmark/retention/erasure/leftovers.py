"""Is anything left? Looking for the words, the names and the audio bytes in every file of the state folder.

SQLite's free pages and write-ahead log are ordinary bytes of ordinary files here; nothing is asked of SQLite.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from earmark.context import Context
from earmark.domain import TrashState
from earmark.files import files_below, open_regular
from earmark.ledger.note_ids import short
from earmark.retention import logs

NEEDLES = 300
"""Byte strings that are looked for in all; sentences are taken evenly over a recording, so that any part of it that had
been left would be met."""

SHORTEST = 12
"""Characters a sentence must have to be worth looking for; shorter ones are in everybody's recordings."""

WINDOW = 64
"""Bytes of audio that are looked for, at several places of the file."""


def needles_of(context: Context, recording_id: str, audio: Iterable[Path], most: int = NEEDLES) -> set[bytes]:
    """What must be found nowhere afterwards: sentences, names, the id, samples of the audio's bytes."""
    ledger = context.ledger
    ids = (recording_id, *ledger.lineage.own_formers(recording_id))
    found = {name.encode() for each in ids for name in (each, short(each))}
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


def left(context: Context, needles: set[bytes]) -> list[Path]:
    """Files of the state folder that still hold bytes of what was erased, logs and status cleaned of it first.

    What lies in the trash under a row of another recording is that recording's.
    """
    ledger = context.ledger
    others = {row.trashed for row in ledger.trash.in_state(TrashState.HERE) if row.trashed is not None}
    hits = where_found(ledger.state, needles, others)
    alive = ledger.erasing.still_alive(set().union(*hits.values())) if hits else set()
    remaining = []
    for path, found in sorted(hits.items()):
        if path == context.home.status_file:
            logs.remove(path)  # the daemon's last account of itself; it writes a new one
        elif logs.is_log(path):
            logs.drop_lines(path, found)
        elif found - alive:
            remaining.append(path)
    return remaining


def where_found(folder: Path, needles: set[bytes], but_not: Collection[Path] = ()) -> dict[Path, set[bytes]]:
    """Files below `folder` that hold any of these bytes, and which."""
    hits: dict[Path, set[bytes]] = {}
    for path, stat in files_below([folder]):
        if path in but_not or stat.st_size == 0:
            continue
        with (
            suppress(OSError, ValueError),
            open_regular(path) as fd,
            mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data,
        ):
            found = {needle for needle in needles if data.find(needle) >= 0}
            if found:
                hits[path] = found
    return hits


def _samples(path: Path) -> set[bytes]:
    """A few windows of a file's bytes that are unlikely to be anywhere else; none from uniform stretches."""
    found: set[bytes] = set()
    with suppress(OSError), open_regular(path) as fd:
        size = os.fstat(fd).st_size
        for part in range(1, 8):
            window = os.pread(fd, WINDOW, max(0, size * part // 8 - WINDOW))
            if len(window) == WINDOW and len(set(window)) > 8:
                found.add(window)
    return found
