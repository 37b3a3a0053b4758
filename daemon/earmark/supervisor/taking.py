"""Files that have settled are read, and what was read becomes rows of the ledger; how far that is, and why it is not."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.domain import Tick
from earmark.errors import EarmarkError
from earmark.events import Event
from earmark.files import Identity, InCloud
from earmark.ledger.jobs import MAX_ATTEMPTS
from earmark.ledger.journal import Trouble
from earmark.pipeline.acceptance import accept, prefixes
from earmark.pipeline.endings import REPORT_IT
from earmark.pipeline.own_fault import own_fault
from earmark.report import STALLED, Reading, how_far, in_bytes, in_time
from earmark.supervisor import readers
from earmark.supervisor.arriving import Arriving, ArrivingFile
from earmark.supervisor.inbox import Post, Read
from earmark.supervisor.readers import Order, Readers, state_of

A_MOMENT = 2.0
"""Seconds for which a file is read before anybody is told, and between two looks at how far it is."""

FIRST_TOLD, TOLD_LATER, LONGEST_UNTOLD = 10.0, 1.5, 600.0
"""Seconds of reading after which it is told, how many times as many until it is told again, and the longest such wait."""

BUSY_SHARE = 10.0
"""A file of which a read failed after t seconds is not read again within 10 t: it may hold terabytes before the bad spot."""

BLANK = (
    "begins with nothing but zero bytes: a placeholder of a sync or download program, or a copy that went wrong. It will be"
    " taken when it has content"
)


class Taking:
    """What is known of files between their settling and their row. Only the loop's thread calls it.

    `left_out`: files and folders that could not be read, and why; the scan's, too.
    """

    def __init__(self, context: Context, post: Callable[[Post], None], left_out: dict[str, str]) -> None:
        self._context = context
        self._readers = Readers(post, context.clock)
        self._left_out = left_out
        self.arriving = Arriving(context.config.intake.settle_seconds)
        context.coming = lambda size: self.arriving.awaits(size, context.clock.monotonic())
        self.went_wrong = False
        """earmark itself went wrong with a file."""
        self._given_up: dict[bytes, str] = {}
        self._of_others: dict[bytes, str] = {}
        self._blank: dict[bytes, str] = {}
        self._called_blank: set[bytes] = set()
        self._resting: dict[bytes, tuple[str, float]] = {}
        self._told: dict[bytes, float] = {}
        self._relieved = self._turned = float("-inf")
        self._reading: tuple[Reading, ...] = ()
        self._looked_at = float("-inf")

    def stop(self) -> None:
        self._readers.stop()

    def reconfigure(self) -> None:
        """The configuration was replaced: other folders may be watched."""
        self.arriving.settle_seconds = self._context.config.intake.settle_seconds
        self.arriving.keep_to(self._context.folders)

    def idle(self) -> bool:
        """True if nothing is on its way that can be waited for."""
        return self._turned - self._relieved >= STALLED and self.arriving.idle(Tick(self._turned))

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        now = self._context.clock.monotonic()
        look = now + A_MOMENT if self.arriving.being_read() else float("inf")
        return min(self.arriving.next_at(), look)

    def turn(self) -> None:
        """Have read what has settled, and tell of what takes long."""
        now = self._turned = self._context.clock.monotonic()
        if now >= self.arriving.next_at():
            self._read_settled(now)
        if self._readers.relieve(now):
            self._relieved = now
        self._tell_of_long_reading(now)

    def is_of_others(self, path: bytes, identity: Identity) -> bool:
        """True if the file was read and found to be another program's."""
        return self._of_others.get(path) == str(identity)

    def is_passed_over(self, path: bytes, identity: Identity) -> bool:
        """True if there is no point in reading the file now: it was, and nothing has happened to it."""
        if (blank := self._blank.get(path)) is not None:
            try:
                if state_of(os.lstat(path)) == blank:
                    return True
            except OSError:
                return True
            del self._blank[path]
        seen, until = self._resting.get(path, ("", 0.0))
        rests = seen == str(identity) and self._context.clock.monotonic() < until
        return rests or self._given_up.get(path) == str(identity)

    def take(self, reads: list[Read]) -> bool:
        """Write what the readers found into the ledger, many files in one transaction; if anything goes wrong, one by one.
        True if the folders are to be scanned again.
        """
        context, scan_again = self._context, False
        reads = [read for read in reads if read.folder in context.folders]
        for read in (read for read in reads if read.folder in context.silent):
            self.arriving.again(
                read.path, context.clock.monotonic()
            )  # it is read once more when that answers
        reads = [read for read in reads if read.folder not in context.silent]
        try:
            with context.ledger.transaction():
                for read in reads:
                    self._accept(read)
        except EarmarkError:
            raise
        except Exception:  # of which of them, the second round tells
            for read in reads:
                with own_fault(context, partial(self._not_accepted, read)), context.ledger.transaction():
                    self._accept(read)
        for read in reads:
            self._told.pop(read.path, None)
            if read.of_others is not None:
                self._of_others[read.path] = str(read.of_others)
                scan_again = True  # which counts it
            if read.content or read.error or read.of_others or read.blank:
                self.arriving.leave(read.path)
            else:
                self.arriving.again(read.path, context.clock.monotonic())
        return scan_again

    def under_way(self) -> tuple[Reading, ...]:
        """Files whose reading takes longer than a moment, or whose turn has not come for as long; those that go on first.
        What is said of them changes no oftener than that.
        """
        now, files = self._context.clock.monotonic(), self.arriving.being_read()
        if now - self._looked_at < A_MOMENT:
            still = {str(file.file) for file in files}
            self._reading = tuple(reading for reading in self._reading if reading.file in still)
            return self._reading
        self._looked_at = now
        long = [
            f for f in files if now - f.since >= A_MOMENT and (f.began or f.identity.size > readers.LARGE)
        ]
        self._reading = tuple(sorted((reading_of(f, now) for f in long), key=lambda reading: reading.waits))
        return self._reading

    def _accept(self, read: Read) -> None:
        if read.content is not None:
            accept(self._context, read.file, read.folder, read.content)
            self._context.stumbled.pop(read.file, None)
            self._left_out.pop(str(read.file), None)
        elif read.blank:
            self._blank[read.path] = read.blank
            is_news = read.path not in self._called_blank
            self._called_blank.add(read.path)
            self._refuse(read.file, BLANK, Event.REFUSED, read.blank, is_news)
        elif read.error is not None:
            self._unreadable(read, read.error)

    def _not_accepted(self, read: Read, sentence: str, charged: bool) -> None:
        """earmark itself went wrong with a file. It is tried a few times, and then again at the next start."""
        context = self._context
        context.stumbled[read.file] += charged
        if context.stumbled[read.file] >= MAX_ATTEMPTS and read.content is not None:
            self._given_up[read.path] = str(read.content.identity)
        if charged:
            self.went_wrong = True
            context.ledger.journal.trouble(
                read.file, "file", f"cannot be taken: {sentence}. {REPORT_IT}", context.now()
            )
            context.tell(Event.WENT_WRONG, sentence, file=read.file, level="error", journal=False)

    def _unreadable(self, read: Read, error: OSError) -> None:
        """Whose right to read it is missing is looked at again at every scan; behind a bad spot of a disk may be hours."""
        if isinstance(error, FileNotFoundError):
            return
        if isinstance(error, InCloud):
            self._wait_for(read.file, str(error.strerror))
            return
        now, sentence = self._context.clock.monotonic(), f"cannot be read: {error.strerror}"
        file = self.arriving.get(read.path)
        if error.errno in (errno.EACCES, errno.EPERM):
            sentence += "; allow this user to read it"
        elif file is not None and file.at:
            rest = BUSY_SHARE * file.took(now)
            self._resting[read.path] = str(file.identity), now + rest
            sentence += f", after {in_bytes(file.at)} of {in_bytes(file.identity.size)}; its disk or network folder has a"
            sentence += " fault. It is tried again" + (f" in {in_time(rest)}" if rest > A_MOMENT else "")
        self._refuse(read.file, sentence, Event.UNREADABLE)

    def _wait_for(self, file: Path, sentence: str) -> None:
        """It is taken when its bytes are here, which the next scan sees."""
        if self._context.ledger.journal.trouble(file, "file", sentence, self._context.now()):
            self._context.tell(Event.REFUSED, sentence, file=file, journal=False)

    def _refuse(self, file: Path, sentence: str, event: Event, seen: str = "", is_news: bool = True) -> None:
        """`seen`: the state of the file that the sentence is about, where it is over with that state."""
        context = self._context
        self._left_out[str(file)] = sentence
        if context.ledger.journal.trouble(file, "file", sentence, context.now(), seen) and is_news:
            context.tell(event, sentence, file=file, level="warning", journal=False)

    def _is_over(self, file: ArrivingFile, trouble: Trouble) -> bool:
        """Whether what was wrong with a file was its content, which is another one now."""
        if not trouble.seen:
            return trouble.sentence == BLANK
        try:
            return trouble.seen not in (str(file.identity), state_of(os.lstat(file.path)))
        except OSError:
            return False

    def _read_settled(self, now: Tick) -> None:
        settled, written_to = self.arriving.settled(now)
        for arriving in written_to:
            self._context.tell(Event.STILL_WRITTEN, file=arriving.file)
        wrong = {t.subject: t for t in self._context.ledger.journal.troubles()} if settled else {}
        # What was only renamed is read before what may begin like it.
        missed = (
            {place.identity.size for place in self._context.ledger.places.missed(0)} if settled else set()
        )
        for arriving in sorted(settled, key=lambda file: file.identity.size not in missed):
            self.arriving.read(arriving, now)
            if (trouble := wrong.get(str(arriving.file))) and self._is_over(arriving, trouble):
                self._context.ledger.journal.clear(arriving.file)
                self._left_out.pop(str(arriving.file), None)
            is_news = self._context.ledger.places.at(arriving.file) is None
            self._readers.read(Order(arriving, prefixes(self._context, arriving.file), is_news))

    def _tell_of_long_reading(self, now: Tick) -> None:
        for file in self.arriving.being_read():
            took = file.took(now)
            if took < self._told.get(file.path, FIRST_TOLD):
                continue
            self._told[file.path] = min(took * TOLD_LATER, took + LONGEST_UNTOLD)
            reading = reading_of(file, now)
            self._context.tell(Event.READING, how_far(reading), file=file.file, journal=False)


def reading_of(file: ArrivingFile, now: Tick) -> Reading:
    """How far a file is, for the report."""
    total, took = file.identity.size, file.took(now)
    left = (total - file.at) * took / file.at if file.at and took >= A_MOMENT else None
    return Reading(
        file=str(file.file),
        at=min(file.at, total),
        total=total,
        left=None if left is None else round(max(0.0, left), 1),
        silent=round(file.silent(now), 1),
        waits=file.began is None,
    )
