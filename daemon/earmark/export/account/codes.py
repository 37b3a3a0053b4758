"""A table of names and participants' codes, so that an account can be shown to who may not know the names. Pure.

Two columns, name and code, as a spreadsheet saves them: with commas, semicolons or tabs, quoted or not, in UTF-8, UTF-16 or
Windows-1252, with or without a line of headings. What can be understood in two ways is refused: a name in the wrong column
would be printed as a code.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from earmark.errors import RetentionError
from earmark.export.account.headings import order
from earmark.files import counted, fold, tails

LONGEST = 100
"""Characters of a code; more than that is a sentence, which may name somebody."""

TELLING = 4
"""Letters from which a name within a code is no chance."""

WORD = 3
"""Letters of a code that is a word of its own name, and hardly an abbreviation."""

_WORDS = re.compile(r"[\W\d_]+")

MOST_BYTES = 16_000_000
"""Of a table; a study of a million participants fits into it."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(slots=True)
class Codes:
    """Codes by what they are for, in the form in which disks take two names for one. `lines`: where each stands.

    `fits`: by entry, the recordings that it was used for; one without a folder may fit several. `headed`: a line of headings
    says which column is which.
    """

    codes: dict[str, str]
    lines: dict[str, int]
    encoding: str
    headed: bool = False
    fits: dict[str, set[str]] = field(default_factory=dict)

    def code_of(self, paths: Iterable[Path], recording_id: str) -> str | None:
        """The code of a recording that has or had these paths, the likeliest first; its SHA-256 comes before any name."""
        for key in (recording_id, *(key for path in paths for key in tails(path))):
            if (code := self.codes.get(key)) is not None:
                self.fits.setdefault(key, set()).add(recording_id)
                return code
        return None

    def code_of_keyed(self, keyed: Mapping[str, str], names: Iterable[str], recording_id: str) -> str | None:
        """The same by keyed hashes of names, the likeliest first; `keyed` says which entry is of which."""
        for name in names:
            if (key := keyed.get(name)) is not None:
                self.fits.setdefault(key, set()).add(recording_id)
                return self.codes[key]
        return None

    def knows(self, path: Path) -> bool:
        return any(key in self.codes for key in tails(path))

    def unused(self) -> int:
        """Entries that fitted nothing."""
        return len(self.codes.keys() - self.fits.keys())

    def ambiguous(self) -> Iterator[tuple[int, str, int, bool]]:
        """Line, code and number of recordings for an entry that fits several; whether it names a folder, too."""
        for key, recordings in self.fits.items():
            if len(recordings) > 1:
                yield self.lines[key], self.codes[key], len(recordings), "/" in key

    def split(self) -> Iterator[tuple[list[int], list[str]]]:
        """Lines and codes of entries that name one recording, by different names of it, and do not agree."""
        keys: dict[str, list[str]] = {}
        for key, recordings in self.fits.items():
            for recording in recordings:
                keys.setdefault(recording, []).append(key)
        for same in keys.values():
            if len(found := {self.codes[key] for key in same}) > 1:
                yield sorted(self.lines[key] for key in same), sorted(found)

    def telling(self, endings: Iterable[str], known: Iterable[Path] = ()) -> list[int]:
        """Lines whose code is the name of an entry, or has all of one within, or is a word of its own, or is what another
        recording is called.
        """
        ends, found = frozenset(endings), []
        names = {key: _without_ending(key.rpartition("/")[2], ends) for key in self.codes}
        whole = {_letters(each) for each in (*names.values(), *(path.stem for path in known))}
        whole.discard("")
        longest = max(map(len, whole), default=0)
        for key, code in self.codes.items():
            said, name = _letters(code), key.rpartition("/")[2]
            if (
                said in whole
                or (said and said in (_letters(name), _letters(key)))
                or (said.isalpha() and len(said) >= WORD and said in map(_letters, _WORDS.split(names[key])))
                or any(part in whole for part in _parts(said, longest))
            ):
                found.append(self.lines[key])
        return sorted(found)

    def guesses(self, folders: Iterable[Path], endings: Iterable[str]) -> Iterator[str]:
        """Paths that recordings of this table may have had."""
        ends, below = frozenset(endings), [f"{folder}/" for folder in folders if str(folder).isprintable()]
        for key in self.codes:
            for name in {key, unicodedata.normalize("NFD", key), *self._as_written.get(key, ())}:
                for folder in ("",) if name.startswith("/") else below:
                    yield folder + name
                    if name.rpartition(".")[2].lower() not in ends:
                        yield from (f"{folder}{name}.{ending}" for ending in ends)

    _as_written: dict[str, set[str]] = field(default_factory=dict)


def read_codes(data: bytes, shown: str) -> Codes:
    """The table in these bytes; `shown` is its name for people. Raises RetentionError with the line that is wrong."""
    if len(data) > MOST_BYTES:
        raise RetentionError(
            f"{shown}: is too large for a table of codes ({MOST_BYTES // 1_000_000} MB at most)"
        )
    text, encoding = _decoded(data, shown)
    found = Codes({}, {}, encoding)
    problems: list[str] = []
    of_names, of_codes = 0, 1
    for at, (number, cells) in enumerate(_rows(text, shown)):
        if at == 0 and (columns := _columns(cells, shown)) is not None:
            (of_names, of_codes), found.headed = columns, True
            continue
        name, code = cells[of_names], cells[of_codes]
        if (problem := _problem(name, code)) is not None:
            problems.append(f"line {number}: {problem}")
            continue
        key = _key(name)
        if found.codes.get(key, code) != code:
            problems.append(
                f"line {number}: another code than in line {found.lines[key]} for the same name (capitals and the form "
                "of accents make no difference)"
            )
            continue
        found.codes[key] = code
        found.lines.setdefault(key, number)
        found._as_written.setdefault(key, set()).add(name.removeprefix("./"))
    if not problems and not found.codes:
        problems.append("it has no entry; each line is a name and a code")
    if problems:
        shown_problems = "\n".join(f"{shown}: {problem}" for problem in problems[:10])
        more = f"\n{shown}: and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise RetentionError(f"{shown_problems}{more}")
    return found


def refuse_swapped(codes: Codes, known: Iterable[Path], shown: str) -> None:
    """Raises RetentionError where what stands as a code is the name of a recording: the columns are the other way round."""
    names: set[str] = set()
    stems: set[str] = set()
    fits = False
    for path in known:
        names.add(fold(path.name))
        stems.add(fold(path.stem))
        fits = fits or codes.knows(path)
    for key, code in codes.codes.items():
        told = fold(PurePosixPath(code).name)
        own = key in (told, fold(code))
        if (told in names and not own) or (not fits and told in stems):
            raise RetentionError(
                f"{shown}: line {codes.lines[key]}: what stands there as the code is the name of a recording; the first "
                "column is the name, the second the code"
            )


def _decoded(data: bytes, shown: str) -> tuple[str, str]:
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "")
    for tried in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = data.decode(tried).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, tried
    raise RetentionError(
        f"{shown}: cannot be read as a table: it is no text in UTF-8; save it as CSV (UTF-8)"
    )


def _rows(text: str, shown: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """The lines with their numbers, two cells each, by the one separator by which every line has two."""
    said = re.match(r'"?sep=(.)"?\r?\n', text)
    body, skipped = (text[said.end() :], 1) if said else (text, 0)
    separators = said[1] if said else ",;\t"
    read = {separator: _cells(body, separator) for separator in separators}
    fit = [mark for mark, rows in read.items() if rows and all(len(cells) == 2 for _, cells in rows)]
    if len(fit) > 1:
        # `Smith, Anna.wav;P01`: a name may hold what separates elsewhere, a code hardly.
        clean = [
            mark for mark in fit if not any(set(separators) & set(cells[1]) for _, cells in read[mark] or ())
        ]
        if len(clean) != 1:
            raise RetentionError(
                f"{shown}: its lines can be read in two ways, with {' and with '.join(map(repr, fit))} between name and "
                "code; put names that hold one of them into quotes"
            )
        fit = clean
    if not fit:
        # Where most lines have two cells, the others are what is wrong.
        best = max(
            read.values(), key=lambda rows: sum(len(cells) == 2 for _, cells in rows or ()) if rows else -1
        )
        if best is None:
            raise RetentionError(f"{shown}: cannot be read as a table: a quote in it is not closed")
        wrong = [number + skipped for number, cells in best if len(cells) != 2]
        if not wrong:
            return
        raise RetentionError(
            f"{shown}: line {wrong[0]}: each line is a name and a code, with a comma, a semicolon or a tab between them, "
            f"and nothing else; {counted(len(wrong), 'line is', 'lines are')} not so"
        )
    for number, (name, code) in read[fit[0]] or ():
        yield number + skipped, (name, code)


def _cells(text: str, separator: str) -> list[tuple[int, list[str]]] | None:
    """The cells of each line that is not empty, without empty ones at its end; None if it is no such table."""
    found = []
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t", strict=True
    )
    begins = 1
    try:
        for row in reader:
            cells = [unicodedata.normalize("NFC", cell).strip() for cell in row]
            while len(cells) > 2 and not cells[-1]:
                cells.pop()
            if any(cells):
                found.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error:
        return None
    return found


def _without_ending(name: str, ends: frozenset[str]) -> str:
    stem, _, ending = name.rpartition(".")
    return stem if stem and ending in ends else name


def _parts(text: str, longest: int) -> Iterator[str]:
    """All that is within a text and long enough to be a name there."""
    for length in range(TELLING, min(len(text), longest) + 1):
        yield from (text[at : at + length] for at in range(len(text) - length + 1))


def _columns(cells: tuple[str, str], shown: str) -> tuple[int, int] | None:
    try:
        return order(*cells)
    except ValueError:
        raise RetentionError(
            f"{shown}: line 1: by its headings, {cells[0]!r} and {cells[1]!r}, both columns hold names; write code over the"
            " one that holds the codes"
        ) from None


def _letters(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())


def _problem(name: str, code: str) -> str | None:
    if not name:
        return "there is no name before the code"
    if not code:
        return "there is no code after the name"
    if len(code) > LONGEST:
        return f"its code is longer than {LONGEST} characters"
    if not all(c.isprintable() for c in name.replace("\t", "") + code):
        return "it holds something that cannot be seen, such as a line break within quotes"
    return None


def _key(name: str) -> str:
    return fold(name.removeprefix("./"))
