"""What one note says: whose it is, which tags a person gave it, and whether it asks for its recording to be kept."""

from __future__ import annotations

import errno
import os
import re
import stat
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.files import Identity, NotRegular, read_bytes
from earmark.ledger.note_ids import ANY
from earmark.notes.escape import as_tag
from earmark.notes.frontmatter import (
    LIMIT,
    NOTES,
    decoded,
    read_frontmatter,
    recording_of,
    tag_names,
    tags_of,
)
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.notes.names import is_note
from earmark.notes.style import style_of

READING = 4
"""Goes up when notes are read in another way, so that all are read again."""

HEAD = 64 * 1024
"""Characters of a note in which it may name recordings."""

_ID = re.compile(rf"(?<![0-9A-Za-z])(?:{ANY.pattern})(?![0-9A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What the top of a note says. `kind` is its `type`."""

    recording_id: str
    kind: str
    keep: bool
    tags: tuple[str, ...]


def read_note(context: Context, path: Path) -> list[Said]:
    """What a note says of the recording that it belongs to, and if it asks to be kept, of all that it names. Raises
    OSError, also for a note that nobody can make sense of.
    """
    try:
        return _said(context, path, decoded(_bytes(path)))
    except NotRegular:
        return []
    except (ValueError, TypeError, RecursionError) as error:
        raise OSError(errno.EBADMSG, f"nobody can make sense of it ({type(error).__name__})") from error


def ids_in(text: str, most: int = HEAD) -> set[str]:
    """What may be ids of recordings in so many characters of a note."""
    return {name.lower() for name in _ID.findall(text[:most])}


def names_without_keep(context: Context, path: Path) -> tuple[set[str], set[str]]:
    """Of which recordings a note is by its own properties, and all that it names, if it can be read and asks for nothing to
    be kept. Half of a note, or another document that took its name, takes nothing back.
    """
    style = style_of(context.config.notes)
    try:
        text = decoded(_bytes(path))
        one = recording_of(text, style)
        properties = read_frontmatter(text) or {}
        listed = str([properties.get(key) for key in (style.key("earmark_id"), "earmark_id")])
        own = set(_meant(context, {one} if one is not None else ids_in(listed)))
        if not own or asks_to_keep(text, keep_keys(style)):
            return set(), set()
    except (OSError, ValueError, TypeError, RecursionError):
        return set(), set()
    return own, _meant(context, ids_in(text)) | own


def _meant(context: Context, said: Iterable[str]) -> set[str]:
    """The recordings that are meant by ids in a note: all that a short one may mean, and one that nobody knows as it is."""
    meant = context.ledger.lineage.meant
    return {each for name in said for each in meant(name) or [name]}


def _said(context: Context, path: Path, text: str) -> list[Said]:
    style, ledger = style_of(context.config.notes), context.ledger
    keep = asks_to_keep(text, keep_keys(style))
    found: dict[str, Said] = {}
    if (recording_id := ledger.lineage.only(recording_of(text, style))) is not None:
        properties = read_frontmatter(text) or {}
        ours = tags_we_wrote(context, recording_id)
        tags = tuple(tag for tag in tags_of(properties) if tag not in ours)
        kind = properties.get(style.key("type"), properties.get("type", ""))
        found[recording_id] = Said(recording_id, kind if kind in NOTES else "", keep, tags)
    if keep:
        artifact = ledger.artifacts.at(path)
        # Those, too, that nobody knows yet: they may arrive tomorrow.
        named = _meant(context, ids_in(text)) if is_note(path.name) else set()
        for each in named | ({artifact.recording_id} if artifact is not None and artifact.note else set()):
            found.setdefault(each, Said(each, artifact.kind if artifact is not None else "", True, ()))
    return list(found.values())


def identity_of(context: Context, path: Path) -> str:
    """Size, time, inode, device, when the system knew of the last change (an edit may put the time back), and by which
    properties notes are read. Raises FileNotFoundError if nothing is there, OSError if what is there cannot be looked at,
    as a link cannot whose other end is on a disk that is away.
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        try:
            found = path.stat()
        except FileNotFoundError:
            raise OSError(errno.ENOLINK, "what it is a link to is not there", str(path)) from None
    keys = zlib.crc32(" ".join(sorted(keep_keys(style_of(context.config.notes)))).encode())
    return f"{Identity.of(found)}:{found.st_ctime_ns}:{keys:x}:{READING}"


def tags_we_wrote(context: Context, recording_id: str) -> frozenset[str]:
    """Tags that earmark writes into the notes of a recording, or wrote before it went on; they are no person's word."""
    ledger, settings = context.ledger, context.settings
    summary = ledger.words.summary(recording_id)
    tags = [tag for place in ledger.places.of(recording_id) for tag in settings(place.folder).tags]
    tags += summary.tags if summary is not None else ()
    names = (tag_names(tag) for tag in map(as_tag, tags) if tag is not None)
    return ledger.lineage.tags_written(recording_id).union(*names)


def _bytes(path: Path) -> bytes:
    """The beginning of a note; of one that its owner has moved and linked back, where the link leads. Raises OSError."""
    try:
        return read_bytes(path, most=LIMIT)
    except NotRegular:
        if not path.is_symlink():
            raise
        return read_bytes(os.path.realpath(path), most=LIMIT)
