"""Each deed as one line of an account: its name or code, its SHA-256, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from earmark.context import Context
from earmark.domain import Kind, TrashState
from earmark.export.account.codes import Codes
from earmark.export.account.deeds import OF_ROWS, Deed, Ended, What, hash_of, names_of, number_of
from earmark.export.account.model import Entry, State
from earmark.export.account.wording import WHAT, count_of, iso, one_line, rule_text_in_words
from earmark.formats import ENDINGS
from earmark.ledger import Trashed
from earmark.retention import receipts
from earmark.retention.overdue import Overdue
from earmark.retention.trash.purging import GOING
from earmark.retention.trash.rows import lies_in_trash, reachable

NOT_IN_TABLE = "(not in the table of codes)"
ERASED = "(name erased, too)"
UNKNOWN = "(name not known any more)"
NO_NAME = "(no name)"

_LEFT = {
    TrashState.RESTORED: "brought back under another name, of which there is no receipt",
    TrashState.LOST: "not found in the trash: somebody took it out, or removed it",
    TrashState.HANDED: "in the computer's own trash, of which earmark knows no more",
}
"""Of what has no receipt of its end: what became of it all the same."""

MOST_GUESSES = 2_000_000
"""Paths of a table that are tried for recordings whose names are erased: some seconds."""


class Entries:
    """Makes lines of deeds. `folder`: the only one that is asked for. Remembers which recordings no code was found for."""

    def __init__(
        self, context: Context, codes: Codes | None, deeds: Iterable[Deed], folder: Path | None
    ) -> None:
        self._context = context
        self._codes = codes
        self._folder = folder
        self._key = context.ledger.protection.key()
        self._rows: dict[tuple[str, str, str], list[Trashed]] = {}
        self._paths: dict[str, list[Path]] = {}
        self._ids: dict[str, str] = {}
        self._code_of: dict[str, str | None] = {}
        self._missing: dict[str, int] = {}
        self._deeds = list(deeds)
        self._erased = {deed.recording for deed in self._deeds if deed.what is What.ERASURE}
        self.not_in_table: set[str] = set()
        self.recordings: set[str] = set()
        for row in context.ledger.trash.in_state(*TrashState):
            recording = self._keyed(row.recording_id)
            self._ids[recording] = row.recording_id
            self._paths.setdefault(recording, []).append(row.place)
            self._rows.setdefault((recording, self._keyed(row.original), row.kind.value), []).append(row)

    def is_below(self, path: Path) -> bool:
        """True for a path in the folder that is asked for, and for any where none is."""
        return self._folder is None or path.is_relative_to(self._folder)

    def is_elsewhere(self, deed: Deed) -> bool:
        """True if it is known to have been outside of the folder that is asked for."""
        return self._folder is not None and self._where(deed) is False

    def entry(self, deed: Deed, *, at_the_end: bool = False) -> Entry:
        """The line. `at_the_end`: as it stood at the end of the time, and not what came of it after."""
        row = self._row(deed)
        name, named = self._name(deed, row)
        if deed.what not in OF_ROWS:
            self.recordings.add(deed.recording)
        words = rule_text_in_words(deed.rule, tags=self._codes is None)
        if words is None:
            words = "a rule that is not shown here" if self._codes is not None else one_line(deed.rule)
        state = _state(deed, at_the_end)
        return Entry(
            state=state,
            what=_what(deed),
            name=name,
            named=named,
            files=1 if deed.what is What.FILE else number_of(deed.facts, "files"),
            bytes=deed.bytes,
            sha256=row.sha256 if row is not None else None,
            rule=deed.rule if self._codes is None and deed.rule else None,
            by=words if deed.rule else "a person's word",
            by_rule=bool(deed.rule),
            left_at=iso(deed.taken.at) if deed.taken else None,
            left_receipt=deed.taken.seq if deed.taken else None,
            ended_at=iso(deed.ended.at) if deed.ended else None,
            ended_receipt=deed.ended.seq if deed.ended else None,
            receipt_hash=hash_of(deed.latest),
            became=_BECAME[deed.how] if deed.how is not None else "",
            here_again=self._is_here(deed, row),
            in_folder=None if self._folder is None else self._where(deed),
            note=self._note(deed, row, state),
        )

    def without_what_went_meanwhile(self, in_trash: list[Entry]) -> list[Entry]:
        """The lines without a word on what was not found in the trash because a daemon takes it out of there at this moment.
        Call outside of the moment of which they are.
        """
        get = self._context.ledger.trash.get
        gone = {
            receipt
            for receipt, row in self._missing.items()
            if (now := get(row)) is None or now.state is not TrashState.HERE
        }
        return [e.model_copy(update={"note": ""}) if e.receipt_hash in gone else e for e in in_trash]

    def name_of_file(self, late: Overdue) -> str:
        """The name or code of a file that is overdue."""
        assert late.path is not None
        if self._codes is None:
            return one_line(late.path)
        if late.item is not None:
            return self._code([late.item.place], late.item.recording_id)
        rows = self._context.ledger.trash.of_original(late.path)
        return self._code([rows[-1].place], rows[-1].recording_id) if rows else NOT_IN_TABLE

    def _keyed(self, what: str | Path) -> str:
        return receipts.keyed_by(self._key, what)

    def _row(self, deed: Deed) -> Trashed | None:
        """What the ledger has of this very deed: of the rows of its path and recording, the latest that began by then."""
        if deed.what is not What.FILE:
            return None
        for file in deed.files:
            rows = self._rows.get((deed.recording, file, deed.kind), ())
            if deed.taken is not None:
                rows = [row for row in rows if row.trashed_at <= deed.taken.at] or rows
            elif deed.ended is not None:
                ended = deed.ended.at
                rows = sorted(rows, key=lambda row: -abs((row.ended_at or row.trashed_at) - ended))
            if rows:
                return rows[-1]
        return None

    def _where(self, deed: Deed) -> bool | None:
        """Whether it was in the folder that is asked for; None if nobody can tell."""
        if self._folder is None or deed.what in OF_ROWS:
            return None
        row = self._row(deed)
        if row is not None:
            return self.is_below(row.original) or self.is_below(row.place)
        guessed = [self._guessed[file] for file in deed.files if file in self._guessed]
        return any(map(self.is_below, guessed)) if guessed else None

    def _name(self, deed: Deed, row: Trashed | None) -> tuple[str, bool]:
        if deed.what in OF_ROWS:
            return NO_NAME, False
        if self._codes is not None:
            name = self._code_of_deed(deed, row)
            return name, name != NOT_IN_TABLE
        if row is not None:
            return one_line(row.original), True
        return (ERASED if deed.recording in self._erased else UNKNOWN), False

    def _code_of_deed(self, deed: Deed, row: Trashed | None) -> str:
        """One code a recording, whichever of its files it is; of an erased one, by the keyed hashes of the table's names."""
        if row is not None:
            return self._code([row.place], row.recording_id)
        if deed.recording in self._ids:
            return self._code(self._paths[deed.recording], self._ids[deed.recording])
        code = self._guessed_codes.get(deed.recording)
        if code is None:
            self.not_in_table.add(deed.recording)
        return code or NOT_IN_TABLE

    def _code(self, paths: list[Path], recording_id: str) -> str:
        assert self._codes is not None
        places = [place.path for place in self._context.ledger.places.of(recording_id)]
        code = self._codes.code_of([*paths, *places], recording_id)
        if code is None:
            self.not_in_table.add(self._keyed(recording_id))
        return code or NOT_IN_TABLE

    @cached_property
    def _guessed_codes(self) -> dict[str, str]:
        """By keyed recording, for those whose names are erased: the code that the table has for a path or name with their
        hash.
        """
        assert self._codes is not None
        paths: dict[str, list[Path]] = {}
        for deed in self._deeds:
            guessed = [self._guessed[file] for file in deed.files if file in self._guessed]
            paths.setdefault(deed.recording, []).extend(guessed)
        codes = {recording: self._codes.code_of(had, recording) for recording, had in paths.items()}
        return {recording: code for recording, code in codes.items() if code is not None} | self._by_name(
            codes
        )

    def _by_name(self, codes: Mapping[str, str | None]) -> dict[str, str]:
        """For those that have none in `codes`: by what their receipts say of their content and of each name they had."""
        assert self._codes is not None
        erased = [
            deed for deed in self._deeds if deed.what is What.ERASURE and codes.get(deed.recording) is None
        ]
        keyed = {self._keyed(key): key for key in self._codes.codes} if erased else {}
        found: dict[str, str] = {}
        for deed in erased:
            for names in ([deed.recording], *names_of(deed)):
                code = self._codes.code_of_keyed(keyed, names, deed.recording)
                if code is not None:
                    found.setdefault(deed.recording, code)
        return found

    @cached_property
    def _guessed(self) -> dict[str, Path]:
        """By keyed hash, paths that no row of the ledger names any more, out of the table of codes."""
        wanted = {
            file
            for deed in self._deeds
            if deed.what not in OF_ROWS and deed.recording not in self._ids
            for file in deed.files
        }
        if self._codes is None or not wanted:
            return {}
        ledger = self._context.ledger
        places = {place.path.parent for place in ledger.places.all()}
        places |= {path.parent for paths in self._paths.values() for path in paths}
        tops = {
            *self._context.folders,
            *(f.path for f in self._context.config.folder),
            *ledger.places.folders(),
        }
        if self._folder is not None:
            tops.add(self._folder)
        found: dict[str, Path] = {}
        folders = [*sorted(tops), *sorted(places - tops)]
        for number, path in enumerate(self._codes.guesses(folders, ENDINGS)):
            if number >= MOST_GUESSES or len(found) == len(wanted):
                break
            if (keyed := self._keyed(path)) in wanted:
                found[keyed] = Path(path)
        return found

    def _is_here(self, deed: Deed, row: Trashed | None) -> bool:
        """Whether a file with the content of a recording that went is in a watched folder now."""
        if row is None or row.kind is not Kind.AUDIO or deed.how is Ended.RESTORED:
            return False
        return any(place.here for place in self._context.ledger.places.of(row.sha256))

    def _note(self, deed: Deed, row: Trashed | None, state: State) -> str:
        if deed.what is What.VOICES:
            count = number_of(deed.facts, "voiceprints")
            return f"{count} of them" if count is not None else ""
        if deed.what is What.INDEX:
            count = number_of(deed.facts, "recordings")
            return f"of {count_of(count, 'recording')}" if count is not None else ""
        if state is State.IN_TRASH and row is not None:
            if (said := _LEFT.get(row.state)) is not None:
                return said
            if not reachable(row):
                return "the disk with the trash is not here at the moment"
            going = row.trashed is not None and os.path.lexists(row.trashed.with_name(GOING))
            if not (lies_in_trash(row) or going):
                self._missing[hash_of(deed.latest)] = row.id
                return _LEFT[TrashState.LOST]
        return ""


_BECAME = {Ended.PURGED: "removed", Ended.RESTORED: "brought back", Ended.ERASED: "erased"}


def _what(deed: Deed) -> str:
    if deed.what is What.ERASURE:
        return "recording with all that was made of it"
    if deed.kind == "audio" and deed.rule.startswith("failed:"):
        return WHAT["failed"]
    return WHAT.get(deed.kind, "file")


def _state(deed: Deed, at_the_end: bool) -> State:
    if deed.what is What.ERASURE:
        return State.ERASED
    if deed.what is What.VOICES:
        return State.VOICES_FORGOTTEN
    if deed.what is What.INDEX:
        return State.NOT_FOUND
    if at_the_end or deed.how is None:
        return State.IN_TRASH if deed.ended is None else State.GONE_LATER
    return State.BROUGHT_BACK if deed.how is Ended.RESTORED else State.DELETED
