"""Everything earmark knows of recordings, as a folder or a zip of open formats that needs no earmark to be read.

    README.md                       how to read and check it
    manifest.json                   every file with size, SHA-256 and what it is
    SHA256SUMS                      the same for `sha256sum -c`
    receipts.jsonl                  what was deleted before (content-free)
    recordings/NAME-1a2b3c4d/       one folder a recording: recording.json, transcript.json, summary.json,
                                    its notes and sidecars, and the audio if it is still there

The manifest borrows from BagIt (RFC 8493) that everything is listed with its hash and nothing else is there.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote_from_bytes

from earmark import __version__
from earmark.context import Context
from earmark.domain import Instant, Kind
from earmark.errors import EnvironmentFault, UsageError
from earmark.export.package import (
    FORMAT,
    MANIFEST,
    RECEIPTS,
    SUMS,
    FolderPackage,
    Package,
    ZipPackage,
    sums_of,
)
from earmark.files import (
    StillChanging,
    fingerprint,
    flush_file,
    fold,
    name_new,
    named,
    open_regular,
    really,
    why,
)
from earmark.ledger import Recording
from earmark.notes.frontmatter import LIMIT, owner_of
from earmark.notes.names import is_note
from earmark.notes.style import style_of
from earmark.retention import receipts_file

README = "README.md"

Put = Callable[[str, str, "IO[bytes] | bytes", "str | None"], None]

_README = """# An export of earmark

Every file here is listed in `manifest.json` and `SHA256SUMS`. Check them with

    sha256sum -c SHA256SUMS        (macOS: shasum -a 256 -c SHA256SUMS)

or with `earmark export verify`. `recordings/` has one folder for each recording: the audio as it was dropped (if it
was still there), the notes as they were (Markdown), `transcript.json` (segments with start and end in seconds and the
number of who says them, from 1 in `speakers`; in `words`, if that was measured, from when until when each word is said,
in seconds, and the character of the text at which it begins, from 0; in `english` what was translated), `summary.json`,
and `recording.json` with dates, paths and what was decided. Times are Unix seconds unless they say otherwise.
`receipts.jsonl` holds one line for each deletion before this export, between two lines that say how many there are and
where they end; it names nothing.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an export. `name` is its path in it, with `/`."""

    name: str
    what: str
    size: int
    sha256: str
    recording: str | None


@dataclass(slots=True)
class Exported:
    """What an export came to. `missing`: files that the ledger knows but that were not there or unreadable."""

    recordings: int
    entries: list[Entry]
    missing: list[str]


def export(
    context: Context, out: Path, *, since: Instant | None = None, folder: Path | None = None
) -> Exported:
    """Write an export to a new folder, or to a new file if `out` ends in `.zip`.

    `since`: only recordings dated from then on; `folder`: only those found at or below it. The result appears whole or
    not at all. Raises UsageError if `out` exists or lies where recordings are taken from, EnvironmentFault if it cannot be
    written.
    """
    if os.path.lexists(out):
        raise UsageError(f"{out}: is there already; name a new folder or a new .zip file")
    _refuse_watched(context, out)
    # A name of our own, made new: nothing that was there before is ever written to or removed.
    temp = out.with_name(f".earmark-{secrets.token_hex(8)}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix.lower() == ".zip":
            with zipfile.ZipFile(temp, "x", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                result = _fill(context, ZipPackage(archive), since, folder)
            with open_regular(temp) as fd:
                flush_file(fd)
        else:
            temp.mkdir(mode=0o700)
            result = _fill(context, FolderPackage(temp), since, folder)
        context.step("before:name")
        name_new(temp, out)
    except OSError as error:
        _remove_unfinished(temp)
        raise EnvironmentFault(
            f"{out}: the export could not be written: {error.strerror or error}"
        ) from error
    return result


def _refuse_watched(context: Context, out: Path) -> None:
    real = really(out.parent) / out.name
    for folder in (*context.folders, *(f.path for f in context.config.folder)):
        if real.is_relative_to(really(folder)):
            raise UsageError(
                f"{out}: lies in the drop folder {folder}, from which recordings are taken; name a place outside it"
            )


def _remove_unfinished(temp: Path) -> None:
    if temp.is_dir():
        shutil.rmtree(temp, ignore_errors=True)
    else:
        with suppress(OSError):  # what kept it from being made is said
            temp.unlink(missing_ok=True)


def _fill(context: Context, target: Package, since: Instant | None, folder: Path | None) -> Exported:
    result = Exported(0, [], [])

    def put(name: str, what: str, data: IO[bytes] | bytes, recording: str | None = None) -> None:
        size, digest = target.write(name, data)
        result.entries.append(Entry(name, what, size, digest, recording))

    put(README, "how to read this", _README.encode())
    for recording in chosen(context, since, folder):
        result.recordings += 1
        _one(context, recording, put, result.missing)
    lines = receipts_file.lines(context.ledger, context.now())
    put(RECEIPTS, "receipts of deletions", "".join(lines).encode())
    manifest = {
        "earmark_export": FORMAT,
        "earmark": __version__,
        "made_at": datetime.fromtimestamp(context.now(), UTC).isoformat(timespec="seconds"),
        "recordings": result.recordings,
        "missing": result.missing,
        "files": [
            {"path": e.name, "what": e.what, "bytes": e.size, "sha256": e.sha256, "recording": e.recording}
            for e in result.entries
        ],
    }
    _, digest = target.write(MANIFEST, _json(manifest))
    target.write(SUMS, sums_of([*((e.sha256, e.name) for e in result.entries), (digest, MANIFEST)]))
    return result


def chosen(context: Context, since: Instant | None, folder: Path | None) -> Iterator[Recording]:
    """The recordings that an export takes along."""
    for recording in context.ledger.recordings.all():
        if since is not None and recording.recorded_at < since:
            continue
        places = context.ledger.places.of(recording.id)
        if folder is None or any(p.path.is_relative_to(folder) for p in places):
            yield recording


def _one(context: Context, recording: Recording, put: Put, missing: list[str]) -> None:
    """Everything of one recording, in a folder of its own."""
    ledger = context.ledger
    places = ledger.places.of(recording.id)
    stem = _portable(places[0].path.stem if places else "recording")
    top = f"recordings/{stem[:80]}-{recording.id[:8]}"
    put(f"{top}/recording.json", "recording", _json(_facts(context, recording)), recording.id)
    transcript = ledger.words.transcript(recording.id)
    if transcript is not None:
        put(f"{top}/transcript.json", "transcript", _json(asdict(transcript)), recording.id)
    summary = ledger.words.summary(recording.id)
    if summary is not None:
        put(f"{top}/summary.json", "summary", _json(asdict(summary)), recording.id)
    used = {"recording.json", "transcript.json", "summary.json"}
    files: list[tuple[Path, str, str | None]] = []
    files += [(p.path, "audio", recording.id) for p in places if p.here][:1]
    files += [(a.path, a.kind.value, None) for a in ledger.artifacts.of_recording(recording.id) if a.on_disk]
    for path, what, sha256 in files:
        context.step("before:read")
        with ExitStack() as stack:
            try:
                fd = stack.enter_context(open_regular(path))
                if (sha256 is not None and fingerprint(fd).sha256 != sha256) or not (
                    what == Kind.SIDECAR or _of(context, recording, path, fd)
                ):
                    missing.append(
                        f"{named(path)}: what is there now is not it, or does not say any more whose it is"
                    )
                    continue
            except (OSError, StillChanging) as error:
                missing.append(f"{named(path)}: {why(error) or 'it is changing right now'}")
                continue
            context.step("before:copy")
            file = stack.enter_context(os.fdopen(os.dup(fd), "rb"))
            put(f"{top}/{_free(_portable(path.name), used)}", what, file, recording.id)


def _of(context: Context, recording: Recording, path: Path, fd: int) -> bool:
    """False if a note has the name that names no recording, or another one: then it is somebody's own."""
    if not is_note(path.name):
        return True
    ids = context.ledger.lineage.names_of(recording.id)
    return owner_of(os.pread(fd, LIMIT, 0), style_of(context.config.notes)) in ids


def _facts(context: Context, recording: Recording) -> dict[str, Any]:
    """What the ledger knows of a recording besides its words."""
    ledger = context.ledger
    return asdict(recording) | {
        "places": [
            {
                "path": named(p.path),
                "gone_at": p.gone_at,
                "gone_why": p.gone_why,
                "accepted_at": p.accepted_at,
            }
            for p in ledger.places.of(recording.id)
        ],
        "held": ledger.protection.held(recording.id),
        "events": [
            {"at": e.at, "what": e.what, "detail": e.detail}
            for e in ledger.journal.events(recording.id, limit=10_000)
        ],
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _portable(name: str) -> str:
    """A file name that every system can unpack: bytes that are no text, separators and controls percent-encoded."""
    raw = os.fsencode(name)
    kept = name if name.isprintable() and not any(c in '<>:"/\\|?*' for c in name) else None
    try:
        raw.decode()
    except UnicodeDecodeError:
        kept = None
    return (kept if kept is not None else quote_from_bytes(raw, safe=" ()[]{},;=+@&'!#$~")).strip(
        " ."
    ) or "unnamed"


def _free(name: str, used: set[str]) -> str:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    number = 1
    while fold(name) in used:
        number += 1
        name = f"{stem} {number}{suffix}"
    used.add(fold(name))
    return name
