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

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import quote_from_bytes

from earmark import __version__
from earmark.domain import Instant
from earmark.errors import RetentionError
from earmark.ledger import Ledger, Recording
from earmark.retention import receipts
from earmark.retention.wording import named

FORMAT = 1
MANIFEST, SUMS, README, RECEIPTS = "manifest.json", "SHA256SUMS", "README.md", "receipts.jsonl"

_README = """# An export of earmark

Every file here is listed in `manifest.json` and `SHA256SUMS`. Check them with

    sha256sum -c SHA256SUMS        (macOS: shasum -a 256 -c SHA256SUMS)

or with `earmark export verify`. `recordings/` has one folder for each recording: the audio as it was dropped (if it
was still there), the notes as they were (Markdown), `transcript.json` (segments with start and end in seconds),
`summary.json`, and `recording.json` with dates, paths and what was decided. Times are Unix seconds unless they say
otherwise. `receipts.jsonl` holds one line for each deletion before this export; it names nothing.
"""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an export. `name` is its path in it, with `/`."""

    name: str
    what: str
    size: int
    sha256: str
    recording: str | None


class _Target(Protocol):
    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]: ...


@dataclass(slots=True)
class Exported:
    """What an export came to. `missing`: files that the ledger knows but that were not there or unreadable."""

    recordings: int
    entries: list[Entry]
    missing: list[str]


def export(
    ledger: Ledger,
    out: Path,
    now: Instant,
    *,
    since: Instant | None = None,
    folder: Path | None = None,
) -> Exported:
    """Write an export to a new folder, or to a new file if `out` ends in `.zip`.

    `since`: only recordings dated from then on; `folder`: only those found at or below it. The result appears whole or
    not at all. Raises RetentionError if `out` exists or cannot be written.
    """
    if os.path.lexists(out):
        raise RetentionError(f"{out}: is there already; name a new folder or a new .zip file")
    temp = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix.lower() == ".zip":
            temp.unlink(missing_ok=True)
            with zipfile.ZipFile(temp, "x", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                result = _fill(ledger, _Zip(archive), now, since, folder)
            with temp.open("rb") as file:
                os.fsync(file.fileno())
        else:
            shutil.rmtree(temp, ignore_errors=True)
            temp.mkdir(mode=0o700)
            result = _fill(ledger, _Folder(temp), now, since, folder)
        temp.rename(out)
    except OSError as error:
        raise RetentionError(f"{out}: the export could not be written: {error.strerror or error}") from error
    return result


def verify(path: Path) -> tuple[int, list[str]]:
    """Files of an export, and what is wrong with it: changed, missing or added. Raises RetentionError if it is none."""
    try:
        if path.is_dir():
            names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
            return _check(set(names), lambda name: (path / name).open("rb"))
        with zipfile.ZipFile(path) as archive:
            listed = [i.filename for i in archive.infolist() if not i.is_dir()]
            doubled = [
                "twice in the archive: " + n for n in sorted({n for n in listed if listed.count(n) > 1})
            ]
            count, problems = _check(set(listed), archive.open)
            return count, doubled + problems
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise RetentionError(f"{path}: is not a readable export of earmark: {error}") from error


def _check(names: set[str], opened: Callable[[str], IO[bytes]]) -> tuple[int, list[str]]:
    with opened(MANIFEST) as file:
        raw = file.read()
    manifest = json.loads(raw)
    if manifest["earmark_export"] != FORMAT:
        raise ValueError(f"format {manifest['earmark_export']} is not known here")
    problems = []
    listed = {MANIFEST, SUMS}
    sums = []
    for entry in manifest["files"]:
        name = entry["path"]
        listed.add(name)
        sums.append((entry["sha256"], name))
        if name not in names:
            problems.append(f"missing: {name}")
            continue
        with opened(name) as file:
            size, digest = _digest(file)
        if (size, digest) != (entry["bytes"], entry["sha256"]):
            problems.append(f"changed: {name}")
    sums.append((hashlib.sha256(raw).hexdigest(), MANIFEST))
    if SUMS not in names:
        problems.append(f"missing: {SUMS}")
    else:
        with opened(SUMS) as file:
            if file.read() != _sums(sums):
                problems.append(f"changed: {MANIFEST} or {SUMS}")
    problems += [f"not in the manifest: {name}" for name in sorted(names - listed)]
    if RECEIPTS in names:
        with opened(RECEIPTS) as file:
            problems += receipts.problems(receipts.imported(file.read().decode().splitlines()))
    return len(manifest["files"]), problems


def _fill(
    ledger: Ledger, target: _Target, now: Instant, since: Instant | None, folder: Path | None
) -> Exported:
    result = Exported(0, [], [])

    def put(name: str, what: str, data: IO[bytes] | bytes, recording: str | None = None) -> None:
        size, digest = target.write(name, data)
        result.entries.append(Entry(name, what, size, digest, recording))

    put(README, "how to read this", _README.encode())
    for recording in _chosen(ledger, since, folder):
        result.recordings += 1
        _one(ledger, recording, put, result.missing)
    lines = "".join(json.dumps(receipts.exported(r), sort_keys=True) + "\n" for r in ledger.receipts.all())
    put(RECEIPTS, "receipts of deletions", lines.encode())
    manifest = {
        "earmark_export": FORMAT,
        "earmark": __version__,
        "made_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "recordings": result.recordings,
        "missing": result.missing,
        "files": [
            {"path": e.name, "what": e.what, "bytes": e.size, "sha256": e.sha256, "recording": e.recording}
            for e in result.entries
        ],
    }
    _, digest = target.write(MANIFEST, _json(manifest))
    target.write(SUMS, _sums([*((e.sha256, e.name) for e in result.entries), (digest, MANIFEST)]))
    return result


def _chosen(ledger: Ledger, since: Instant | None, folder: Path | None) -> Iterator[Recording]:
    for recording in ledger.places.recordings():
        if since is not None and recording.media_time < since:
            continue
        places = ledger.places.of(recording.id)
        if folder is None or any(p.path.is_relative_to(folder) for p in places):
            yield recording


def _one(ledger: Ledger, recording: Recording, put: Callable[..., None], missing: list[str]) -> None:
    places = ledger.places.of(recording.id)
    stem = _portable(places[0].path.stem if places else "recording")
    top = f"recordings/{stem[:80]}-{recording.id[:8]}"
    events = [
        {"at": e.at, "what": e.what, "detail": e.detail}
        for e in ledger.journal.events(recording.id, limit=10_000)
    ]
    facts = asdict(recording) | {
        "places": [
            {
                "path": named(p.path),
                "gone_at": p.gone_at,
                "gone_why": p.gone_why,
                "accepted_at": p.accepted_at,
            }
            for p in places
        ],
        "held": ledger.retention.held(recording.id),
        "events": events,
    }
    put(f"{top}/recording.json", "recording", _json(facts), recording.id)
    transcript = ledger.words.transcript(recording.id)
    if transcript is not None:
        put(f"{top}/transcript.json", "transcript", _json(asdict(transcript)), recording.id)
    summary = ledger.words.summary(recording.id)
    if summary is not None:
        put(f"{top}/summary.json", "summary", _json(asdict(summary)), recording.id)
    used = {"recording.json", "transcript.json", "summary.json"}
    files = [(p.path, "audio") for p in places if p.gone_at is None][:1]
    files += [
        (a.path, a.kind.value)
        for a in ledger.artifacts.of_recording(recording.id)
        if a.state in ("here", "edited")
    ]
    for path, what in files:
        name = _free(_portable(path.name), used)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            missing.append(f"{named(path)}: {error.strerror}")
            continue
        with os.fdopen(fd, "rb") as file:
            put(f"{top}/{name}", what, file, recording.id)


@dataclass(frozen=True, slots=True)
class _Folder:
    top: Path

    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            found = _pour(source, file)
            file.flush()
            os.fsync(file.fileno())
        return found


@dataclass(frozen=True, slots=True)
class _Zip:
    archive: zipfile.ZipFile

    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]:
        with self.archive.open(name, "w", force_zip64=True) as file:
            return _pour(source, file)


def _pour(source: IO[bytes] | bytes, target: IO[bytes]) -> tuple[int, str]:
    if isinstance(source, bytes):
        target.write(source)
        return len(source), hashlib.sha256(source).hexdigest()
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _digest(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _sums(pairs: Iterable[tuple[str, str]]) -> bytes:
    """As coreutils' sha256sum writes and reads it."""
    return "".join(f"{digest}  {name}\n" for digest, name in pairs).encode()


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
    while name.casefold() in used:
        number += 1
        name = f"{stem} {number}{suffix}"
    used.add(name.casefold())
    return name
