"""What is really in an export: its regular files by name, and all else there, told. Follows no link, opens no pipe."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from earmark.export.package import CHUNK
from earmark.files import open_regular

KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_LOCAL_HEADER = struct.Struct("<26xHH")
"""PKWARE's APPNOTE, 4.3.7: 30 bytes, the last four of them the lengths of the name and of the extra field."""
_CENTRAL_HEADER, _END, _END_64 = 46, 22, 56 + 20
"""Bytes of 4.3.12, 4.3.16, and of 4.3.14 with 4.3.15, without what varies."""
_ZIP64 = 1
"""The one extra field that Python's zipfile writes: sizes of 64 bits."""


@dataclass(slots=True)
class Contents:
    """`files`: the regular ones. `folders`: the others' parents, or empty. `other`: whatever else has a name, and its kind.

    `problems`: what is in the container and has no name of its own.
    """

    opened: Callable[[str], AbstractContextManager[IO[bytes]]]
    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    other: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@contextmanager
def contents_of(path: Path) -> Iterator[Contents]:
    """What is in a folder or a zip. Raises OSError or BadZipFile for what is neither, and for what may not be read."""
    if path.is_dir():
        yield _in_folder(path)
        return
    with (
        open_regular(path.resolve()) as fd,
        os.fdopen(os.dup(fd), "rb") as raw,
        zipfile.ZipFile(raw) as archive,
    ):
        yield _in_zip(archive, raw)


def _in_folder(top: Path) -> Contents:
    @contextmanager
    def opened(name: str) -> Iterator[IO[bytes]]:
        with open_regular(top / name) as fd, os.fdopen(os.dup(fd), "rb") as file:
            yield file

    found = Contents(opened)
    waiting = [top]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                name = Path(entry.path).relative_to(top).as_posix()
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISREG(mode):
                    found.files.add(name)
                elif stat.S_ISDIR(mode):
                    found.folders.add(name)
                    waiting.append(Path(entry.path))
                else:
                    found.other[name] = next(
                        (kind for is_it, kind in KINDS if is_it(mode)), "no regular file"
                    )
    return found


def _in_zip(archive: zipfile.ZipFile, raw: IO[bytes]) -> Contents:
    found = Contents(archive.open)
    infos = archive.infolist()
    for info in infos:
        mode = info.external_attr >> 16
        if info.orig_filename != info.filename:
            found.other[info.orig_filename] = "a name that unpacks as another one"
        elif info.is_dir():
            found.folders.add(info.filename.rstrip("/"))
            if info.file_size:
                found.other[info.filename] = "a folder that holds bytes"
        elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            found.other[info.filename] = next(
                (kind for is_it, kind in KINDS if is_it(mode)), "no regular file"
            )
        else:
            found.files.add(info.filename)
    twice = sorted(name for name, times in Counter(info.filename for info in infos).items() if times > 1)
    found.problems += [f"twice in the archive: {name}" for name in twice]
    if archive.comment or any(info.comment for info in infos):
        found.problems.append("the archive holds a comment, which no export has")
    if not _is_nothing_but_files(archive, raw):
        found.problems.append("the archive holds bytes that belong to none of its files")
    return found


def _is_nothing_but_files(archive: zipfile.ZipFile, raw: IO[bytes]) -> bool:
    """True if the files follow each other from the first byte to the directory, and the directory is the end."""
    infos = archive.infolist()
    at = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        raw.seek(at)
        header = raw.read(_LOCAL_HEADER.size)
        if info.header_offset != at or len(header) < _LOCAL_HEADER.size:
            return False
        name, extra = _LOCAL_HEADER.unpack(header)
        raw.seek(name, os.SEEK_CUR)
        if not (_is_zip64(raw.read(extra)) and _is_zip64(info.extra) and _is_all_read(raw, info)):
            return False
        at += _LOCAL_HEADER.size + name + extra + info.compress_size
    if at != archive.start_dir:
        return False
    end = raw.seek(0, os.SEEK_END)
    raw.seek(at)
    directory = raw.read(end - at)
    length = 0
    for _ in infos:
        name, extra, comment = struct.unpack_from(
            "<28xHHH", directory.ljust(length + _CENTRAL_HEADER), length
        )
        length += _CENTRAL_HEADER + name + extra + comment
    tail = len(directory) - length - len(archive.comment)
    return tail == _END or (tail == _END + _END_64 and directory[length:].startswith(b"PK\x06\x06"))


def _is_all_read(raw: IO[bytes], info: zipfile.ZipInfo) -> bool:
    """True if the packed bytes, which begin here, end where the file in them does: what comes after, no program unpacks.

    Of a stream that is damaged its file says so.
    """
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return info.compress_size == info.file_size
    stream, left = zlib.decompressobj(-zlib.MAX_WBITS), info.compress_size
    with contextlib.suppress(zlib.error):
        while not stream.eof and (packed := raw.read(min(left, CHUNK))):
            left -= len(packed)
            while packed:
                stream.decompress(packed, CHUNK)  # bounded: a few bytes can stand for very many
                packed = stream.unconsumed_tail
        return left == 0 and not stream.unused_data
    return True


def _is_zip64(extra: bytes) -> bool:
    return not extra or (len(extra) >= 4 and struct.unpack_from("<HH", extra) == (_ZIP64, len(extra) - 4))
