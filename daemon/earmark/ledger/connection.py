"""The ledger's file: opening, migrating, checking, and transactions that last.

WAL with synchronous=FULL: in simulated power cuts FULL lost no acknowledged row and NORMAL lost hundreds.
secure_delete=ON: without it, deleted words stayed in free pages.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from earmark.errors import EnvironmentFault, LedgerError, LedgerTooNew, LedgerTooOld
from earmark.files import make_private, named
from earmark.ledger import fts5
from earmark.ledger.unfinished import for_want_of_room, what_is_so

MIGRATIONS: tuple[str, ...] = (
    "schema.sql", "0002_retention.sql", "0003_wishes.sql", "0004_by_content.sql", "0005_formers.sql", "0006_removed.sql",
    "0007_summary_revisions.sql", "0008_lay_in.sql", "0009_languages.sql", "0010_english.sql", "0011_drafts.sql",
    "0012_diarize.sql", "0013_word_times.sql", "0014_voiceprints.sql", "0015_corrections.sql",
    "0016_search.sql", "0017_words_of_notes.sql", "0018_vectors.sql", "0019_unindexed.sql",
    "0020_what_waits.sql", "0021_sums.sql", "0022_digests.sql",
)  # fmt: skip
"""Scripts in order; PRAGMA user_version counts how many have run."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite puts behind the name of the ledger."""

BUSY_MS = 5_000
"""How long to wait for another process's write, in milliseconds."""

ENVIRONMENT_ERRORS = ("disk is full", "disk I/O", "readonly database", "unable to open", "database is locked")

SIGNS_OF_DAMAGE = (
    "malformed", "not a database", "no such table", "corrupt", "Could not decode", "invalid fts5 file format",
    "vtable constructor failed",
)  # fmt: skip
"""What SQLite says of a file whose bytes are not those it wrote."""

TROUBLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What the sqlite3 module raises. The second: SQLite quotes a damaged file's bytes in its message, and they are no text."""

Row = sqlite3.Row

BREATH = 200_000
"""Steps of SQLite's machine between two signs of life; some milliseconds."""


class Connection:
    """One open ledger file. Not for use from two threads at once.

    `alive` is called again and again while a long statement runs. `cut`: a file whose end is missing is opened all the same,
    to save what is there. Raises LedgerError where the file is damaged, too new, or too old to be read without being
    changed, EnvironmentFault where the disk is the trouble.
    """

    def __init__(
        self,
        file: Path,
        *,
        read_only: bool = False,
        alive: Callable[[], object] = lambda: None,
        cut: bool = False,
    ) -> None:
        self.file = file
        self.read_only = read_only
        self._before: dict[str, Callable[[], None]] = {}
        self._after: dict[str, Callable[[], None]] = {}
        try:
            _require_ordinary(file)
            if read_only:
                self._db = sqlite3.connect(
                    f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
                )
            else:
                make_private(file.parent)
                # The file is created with the right mode before SQLite would create it world-readable.
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            # Everything is fetched to its end: a statement that is still in progress would keep the first commit from going
            # through for as long as anybody has its cursor in hand.
            self._db.row_factory = sqlite3.Row
            self._db.set_progress_handler(lambda: _go_on(alive), BREATH)
            self._db.execute(f"PRAGMA busy_timeout = {BUSY_MS}").fetchall()
            self._db.execute("PRAGMA foreign_keys = ON").fetchall()
            if read_only:
                # Whoever may change no file could not sort many rows: SQLite would make a file for that.
                self._db.execute("PRAGMA temp_store = MEMORY").fetchall()
            self.has_fts5 = fts5.is_there(self._db)
            if cut:
                self._db.execute("PRAGMA writable_schema = ON").fetchall()
            if not read_only:
                self._db.execute("PRAGMA journal_mode = WAL").fetchall()
                self._db.execute("PRAGMA synchronous = FULL").fetchall()
                self._db.execute("PRAGMA secure_delete = ON").fetchall()
                # macOS: fsync alone does not reach the platter.
                self._db.execute("PRAGMA fullfsync = ON").fetchall()
            self._suit()
            self._inode = _inode(file)
        except BaseException as error:
            if hasattr(self, "_db"):
                self._db.close()  # and with it what it locked
            if isinstance(error, TROUBLE):
                raise self._translate(error) from error
            if isinstance(error, OSError):
                raise EnvironmentFault(f"{file}: the ledger cannot be opened: {error.strerror}") from error
            raise

    def close(self) -> None:
        with suppress(*TROUBLE):  # a damaged file; what was committed is as safe as it can be
            self._db.close()

    def is_there(self) -> bool:
        """False if the file was removed or replaced since it was opened: SQLite would go on writing to nowhere."""
        return _inode(self.file) == self._inode

    def hurry(self, milliseconds: int = 250) -> None:
        """From now on wait no longer than this for another process's write: the daemon is on its way out."""
        with suppress(*TROUBLE):
            self._db.execute(f"PRAGMA busy_timeout = {milliseconds}").fetchall()

    def all(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Every row of a query."""
        cursor = self.execute(sql, values)
        try:
            # SQLite reads on while rows are fetched, so damage further back shows only here.
            return cursor.fetchall()
        except TROUBLE as error:
            raise self._translate(error) from error

    def one(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row of a query, or None."""
        cursor = self.execute(sql, values)
        try:
            row: Row | None = cursor.fetchone()
        except TROUBLE as error:
            raise self._translate(error) from error
        return row

    def each(self, sql: str) -> Iterator[Row]:
        """The rows of a query, one after the other."""
        try:
            yield from self.execute(sql)
        except TROUBLE as error:
            raise self._translate(error) from error

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement; sqlite3's errors come out as ours."""
        try:
            try:
                return self._db.execute(sql, values)
            except UnicodeEncodeError:
                return self._db.execute(sql, _storable(values))
        except TROUBLE as error:
            raise self._translate(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        try:
            self._db.executemany(sql, rows)
        except TROUBLE as error:
            raise self._translate(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when the block ends. Nested blocks join the outer one."""
        if self._in_transaction():
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        self._before.clear()
        self._after.clear()
        try:
            yield
            for act in self._before.values():
                act()
            self.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite has rolled back already; a second ROLLBACK would hide the real error.
            if self._in_transaction():
                with suppress(*TROUBLE):  # a damaged file cannot even do that; the first error counts
                    self._db.execute("ROLLBACK")
            raise

        after, self._after = self._after, {}
        for act in after.values():
            act()

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """All that is read in the block is of one moment, whatever others write meanwhile; nothing is to be written in it.
        Within a transaction it is so anyway.
        """
        if self._in_transaction():
            yield
            return
        self.execute("BEGIN")
        try:
            yield
        finally:
            if self._in_transaction():
                with suppress(*TROUBLE):  # there is nothing to lose by it
                    self._db.execute("COMMIT")

    def before_commit(self, name: str, act: Callable[[], None]) -> None:
        """Do something once at the end of the transaction under way, and in it."""
        self._before[name] = act

    def awaits(self, name: str) -> bool:
        """True if something of this name is done at the end of the transaction under way."""
        return self._in_transaction() and name in self._before

    def after_commit(self, name: str, act: Callable[[], None]) -> None:
        """Do something once when the transaction under way is on disk; not at all if it is rolled back."""
        self._after[name] = act

    def _in_transaction(self) -> bool:
        return self._db.in_transaction

    def version(self) -> tuple[int, int]:
        """Another value after every change to the file, by this connection or any other (PRAGMA data_version)."""
        row = self.one("PRAGMA data_version")
        return self._db.total_changes, row[0] if row else -1

    def check(self) -> None:
        """Raises LedgerError if the file is damaged. A second for every 180 MB.

        PRAGMA integrity_check and not quick_check, which does not compare indexes with tables: a hold whose row is there and
        whose place in the index is not would not be found.
        """
        row = self.one("PRAGMA integrity_check(1)")
        if row is None or row[0] != "ok":
            raise LedgerError(
                f"{self.file}: the ledger is damaged ({row[0] if row else 'unreadable'}); `earmark run` repairs it"
            )

    def fold(self) -> None:
        """Bring the write-ahead log back into the file and empty it, so that deleted words are nowhere."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def run(self, script: str) -> None:
        """Run one of the scripts that make a ledger, in the transaction that is open."""
        for statement in text_of(script).split(";"):
            self.execute(statement)

    def _suit(self) -> None:
        """Have the ledger in the version that this program knows. Raises LedgerTooNew, LedgerTooOld."""
        done, here = self._db.execute("PRAGMA user_version").fetchall()[0][0], len(MIGRATIONS)
        if done > here:
            raise LedgerTooNew(
                f"{self.file}: written by a newer earmark (version {done} against {here} here); upgrade earmark"
            )
        if done < here and not self.read_only:
            self._migrate()
        elif done < here:
            raise LedgerTooOld(what_is_so(self.file, self._db, done, here))

    def _migrate(self) -> None:
        """All in one transaction: where the disk is full, or somebody ends this, the ledger is what it was."""
        self._db.execute("BEGIN IMMEDIATE")
        # Asked again: another process may have done it in the meantime.
        done = self._db.execute("PRAGMA user_version").fetchall()[0][0]
        for script in MIGRATIONS[done:]:
            for statement in statements(text_of(script)):
                self._db.execute(fts5.suited(statement, fts5=self.has_fts5)).fetchall()
        self._db.execute(f"PRAGMA user_version = {max(done, len(MIGRATIONS))}")
        self._db.execute("COMMIT")

    def _translate(self, error: sqlite3.DatabaseError | UnicodeDecodeError) -> Exception:
        if isinstance(error, UnicodeDecodeError):
            return LedgerError(
                f"{self.file}: the ledger is damaged: it holds text that is none; `earmark run` repairs it"
            )
        text = str(error)
        if text == "constraint failed":  # of a table they name it; FTS5 cannot write what it has read
            return LedgerError(f"{self.file}: the ledger is damaged: the index of search ({text})")
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            return error
        if text == fts5.NO_FTS5:
            return EnvironmentFault(fts5.lacking())
        if any(word in text for word in ENVIRONMENT_ERRORS):
            if self.read_only:  # which takes some room, too: for the index of its log
                room = for_want_of_room(self.file.parent)
                return EnvironmentFault(f"{self.file}: the ledger cannot be read: {text}{room}")
            return EnvironmentFault(f"{self.file}: the ledger cannot be written: {text}")
        if any(word in text for word in SIGNS_OF_DAMAGE):
            return LedgerError(f"{self.file}: the ledger is damaged: {text}; `earmark run` repairs it")
        return error


def _storable(values: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
    """The same, with names quoted whose bytes are no text. What has to be found again by them is stored as bytes."""
    if isinstance(values, Mapping):
        return {key: named(value) if isinstance(value, str) else value for key, value in values.items()}
    return [named(value) if isinstance(value, str) else value for value in values]


def text_of(script: str) -> str:
    """One of the scripts that make a ledger."""
    return files("earmark.ledger").joinpath(script).read_text("utf-8")


def statements(script: str) -> Iterator[str]:
    """Each statement of a script; a trigger holds several in itself."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _require_ordinary(file: Path) -> None:
    """Raises EnvironmentFault if the ledger, or a file that SQLite keeps beside it, is a FIFO, socket, device or folder:
    SQLite would wait for the first for ever. OSError where that cannot be seen.
    """
    for name in (file.name, *(f"{file.name}{end}" for end in BESIDE)):
        beside = file.with_name(name)
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(beside.stat().st_mode):
                raise EnvironmentFault(
                    f"{beside}: the ledger cannot be opened: it is not an ordinary file; move it away"
                )


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _go_on(alive: Callable[[], object]) -> int:
    """What SQLite's progress handler has to answer for the statement to go on."""
    alive()
    return 0
