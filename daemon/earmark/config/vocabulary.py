"""`vocabulary.txt` beside config.toml: the words that a person accepted, and those that they do not want to be offered.

A plain list that a person may edit: one a line, `-` before one that is not to be offered, `#` before a remark. It needs no
ledger, and lives longer than one. config.toml is never written.
"""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.errors import EnvironmentFault
from earmark.files import Access, OtherContent, digest, make_private, opened, put_in_place, read_bytes, why

MOST_BYTES = 256 * 1024
"""A file that is larger is none of ours."""

MOST = 1_000
"""Words that are used: each is compared with every word of a recording."""

LONGEST = 100
"""Characters of a word or name."""

TRIES = 5
"""How often the file is read again if somebody saves it at that very moment."""

NOT_OFFERED, REMARK = "-", "#"

HEAD = """\
# What earmark is to hear rightly, a word or name a line. With a - before it: never offered.
# earmark vocabulary list shows it; you may change it here as well.
"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a person accepted and ignored, as they are spelled, and lines that are neither, a sentence each."""

    accepted: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_vocabulary(file: Path) -> Vocabulary:
    """What stands in the file; nothing, if there is none. It may be a link to one. Raises OSError."""
    return parsed(_text(file)[0])


def change_vocabulary(file: Path, change: Callable[[str], str]) -> None:
    """Put the file with a changed text in the place of itself, whole and durably; a new one only its owner may read. Raises
    EnvironmentFault.
    """
    where = Path(os.path.realpath(file))
    try:
        if not where.parent.exists():
            make_private(where.parent)
        for tries in range(TRIES):
            try:
                _put(where, change)
                return
            except (OtherContent, FileExistsError):
                if tries + 1 == TRIES:
                    raise
    except (OSError, OtherContent) as error:
        reason = why(error) if isinstance(error, OSError) else error.reason
        raise EnvironmentFault(
            f"{file}: cannot be written: {reason}. Write the word there yourself, one a line, or allow earmark to"
        ) from error


def _put(where: Path, change: Callable[[str], str]) -> None:
    before, sha256 = _text(where)
    after = change(before)
    if after != before:
        with opened(where.parent) as folder:
            access = Access(os.geteuid(), os.getegid(), 0o600) if sha256 is None else None
            put_in_place(folder, where.name, after.encode(), sha256, access=access)


def _text(file: Path) -> tuple[str, str | None]:
    """The text of the file, and the SHA-256 of its bytes; None where there is none."""
    try:
        data = read_bytes(Path(os.path.realpath(file)), most=MOST_BYTES + 1)
    except FileNotFoundError:
        return "", None
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES // 1024} KiB", str(file))
    try:
        return data.decode("utf-8-sig"), digest(data)
    except UnicodeDecodeError:
        raise OSError(errno.EINVAL, "it is no UTF-8 text", str(file)) from None


def parsed(text: str) -> Vocabulary:
    """The words of such a text. A word that stands in both lists is what its last line says."""
    said: dict[str, tuple[str, bool]] = {}
    problems: list[str] = []
    for number, word, wanted in _lines(text):
        if (problem := unfit(word)) is not None:
            problems.append(f"line {number}: {problem}")
        else:
            said.pop(word.casefold(), None)
            said[word.casefold()] = (word, wanted)
    accepted = [word for word, wanted in said.values() if wanted]
    if len(accepted) > MOST:
        problems.append(f"{len(accepted)} words are there, and the first {MOST:,} are used")
    ignored = tuple(word for word, wanted in said.values() if not wanted)
    return Vocabulary(tuple(accepted[:MOST]), ignored, tuple(problems))


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """The number of each line that has a word, the word, and whether it is accepted."""
    for number, line in enumerate(text.split("\n"), start=1):
        said = cleaned(line)
        if said and not said.startswith(REMARK):
            wanted = not said.startswith(NOT_OFFERED)
            yield number, said if wanted else said[1:].strip(), wanted


def cleaned(word: str) -> str:
    """A word as it is kept: composed (NFC), with single spaces."""
    return " ".join(unicodedata.normalize("NFC", word).split())


def unfit(word: str) -> str | None:
    """What is wrong with a word, or None."""
    if not any(char.isalpha() for char in word):
        return "has no letter in it; one word or name a line"
    if len(word) > LONGEST:
        return f"has more than {LONGEST} characters; one word or name a line"
    if word[0] in (NOT_OFFERED, REMARK) or any(unicodedata.category(char) in ("Cc", "Cs") for char in word):
        return "begins with a sign, or holds one, that no word has"
    return None


def changed(
    text: str, *, accept: Collection[str] = (), ignore: Collection[str] = (), forget: Collection[str] = ()
) -> str:
    """The text with these words accepted, ignored or taken out; every other line stays as it is."""
    gone = {word.casefold() for word in (*accept, *ignore, *forget)}
    of_words = {number for number, word, _ in _lines(text) if word.casefold() in gone}
    lines = [line for number, line in enumerate(text.split("\n"), start=1) if number not in of_words]
    new = [*accept, *(f"{NOT_OFFERED} {word}" for word in ignore)]
    kept = "\n".join(lines) or (HEAD if new else "")
    if new and kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(f"{word}\n" for word in new)
