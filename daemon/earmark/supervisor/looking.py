"""Finding what is in the folders, at the right times: at start, on a timer, after every hint, and when things settle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.intake.folder import Look, look
from earmark.intake.rules import Rules
from earmark.intake.settle import Settling, being_written
from earmark.intake.watcher import Watcher
from earmark.ledger.places import Identity
from earmark.log import get_logger
from earmark.pipeline.acceptance import accept, note_missing
from earmark.pipeline.publishing import UNWRITABLE
from earmark.pipeline.rebuild import forget_aside
from earmark.supervisor.reader import Read, Reader

log = get_logger(__name__)

CALM = 0.3
"""Seconds after a hint before the folder is read; a burst of events becomes one look."""

BUSY_SHARE = 10.0
"""A look that took t seconds is not repeated for a hint within 10 t: at most a tenth of the time goes into looking."""


class Looking:
    """What is known of the folders between two looks. Only the loop's thread calls it."""

    def __init__(self, context: Context, reader: Reader, leave_hint: Callable[[Path], None]) -> None:
        self._context = context
        self._reader = reader
        self._watcher = Watcher(leave_hint)
        self.settling = Settling(context.config.intake.settle_seconds)
        self.reading: set[bytes] = set()
        self.written_to: set[bytes] = set()
        self._folder_of: dict[bytes, Path] = {}
        self._next_look = float("-inf")
        self._not_before = float("-inf")
        self._unwatched: dict[Path, str] = {}
        self._asked = False
        self.looks = 0

    def hint(self, now: float) -> None:
        """Somebody says that something changed."""
        self._next_look = min(self._next_look, max(now + CALM, self._not_before))

    def look_again(self, now: float) -> None:
        """A file is not what the ledger says: there is something to find, and nothing is idle until it is found."""
        self._asked = True
        self.hint(now)

    def reconfigure(self) -> None:
        """The configuration was replaced: other folders or rules may hold."""
        self.settling.settle_seconds = self._context.config.intake.settle_seconds
        self._next_look = float("-inf")

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        settles = self.settling.next_at()
        return (
            self._next_look
            if settles is None
            else min(self._next_look, settles + self.settling.settle_seconds)
        )

    def idle(self) -> bool:
        """True if the folders were looked at and nothing in them still has to be taken."""
        waiting = [p for p in self.settling.waiting() if p not in self.written_to]
        return self.looks > 0 and not self._asked and not waiting and not self.reading

    def turn(self) -> None:
        """Look if it is time, and take what has settled."""
        clock = self._context.clock
        if clock.monotonic() >= self._next_look:
            self._look_at_all()
        now = clock.monotonic()
        due = self.settling.next_at()
        if due is not None and now >= due + self.settling.settle_seconds:
            self._take_settled(now)

    def take(self, reads: list[Read]) -> None:
        """Write what the reader found into the ledger, many files in one transaction."""
        context = self._context
        with context.ledger.transaction():
            for read in reads:
                self.reading.discard(read.path)
                if read.content is not None:
                    accept(context, read.file, read.folder, read.content)
                    self._leave(read.path)
                elif read.error is not None:
                    self._leave(read.path)
                    if not isinstance(read.error, FileNotFoundError):
                        sentence = f"cannot be read: {read.error.strerror}; allow this user to read it"
                        if context.ledger.journal.trouble(read.file, "file", sentence, context.now()):
                            log.warning("unreadable", file=str(read.file), reason=read.error.strerror)
                else:
                    self.settling.again(read.path, context.clock.monotonic())

    def stop(self) -> None:
        self._watcher.stop()

    def _look_at_all(self) -> None:
        context, clock = self._context, self._context.clock
        began = clock.monotonic()
        self._asked = False
        # Watch first, then read: what arrives in between is seen twice rather than never.
        self._arm()
        for folder in context.folders:
            self._look_at(folder)
        forget_aside(context)
        self.looks += 1
        took = clock.monotonic() - began
        self._not_before = began + took * BUSY_SHARE
        self._next_look = clock.monotonic() + context.config.intake.scan_seconds

    def _look_at(self, folder: Path) -> None:
        context, ledger = self._context, self._context.ledger
        settings = context.settings(folder)
        known = ledger.places.identities(folder)
        others = frozenset(os.fsencode(f) for f in context.folders if f != folder)
        found = look(folder, Rules(settings.ignore), settings.recursive, known, others)
        away = found.away or self._unmounted(found, bool(known))
        if away is not None:
            if ledger.journal.trouble(folder, "folder", away, context.now()):
                log.warning("folder-away", folder=str(folder), reason=away)
            return
        if self._trouble_over(folder):
            log.info("folder-back", folder=str(folder))
        now = context.clock.monotonic()
        # What was looked at and refused for its content (erased, say) is looked at again only when it has changed.
        refused = {os.fsencode(t.subject): t.seen for t in ledger.journal.troubles() if t.seen}
        for path, identity in found.new.items():
            self._folder_of[path] = folder
            if path not in self.reading and refused.get(path) != str(identity):
                self.settling.see(path, identity, now)
        note_missing(context, {Path(os.fsdecode(p)) for p in found.missing})
        self._note_refused(found)

    def _unmounted(self, found: Look, had_recordings: bool) -> str | None:
        """An empty folder on another device than before is a mount point without its disk, not an empty folder."""
        journal, name = self._context.ledger.journal, f"device:{found.folder}"
        try:
            device = str(found.folder.stat().st_dev)
        except OSError as error:
            return f"{found.folder} cannot be read: {error.strerror}"
        before = journal.fact(name)
        if before is not None and before[0] != device and found.entries == 0 and had_recordings:
            return f"{found.folder} is empty and on another disk than before; mount its disk, and it will be watched again"
        if before is None or before[0] != device:
            journal.set_fact(name, device, self._context.now())
        return None

    def _note_refused(self, found: Look) -> None:
        journal, now = self._context.ledger.journal, self._context.now()
        prefix = str(found.folder) + "/"
        for path, (sentence, identity) in found.refused.items():
            file = Path(os.fsdecode(path))
            if journal.trouble(file, "file", sentence, now, str(identity)):
                log.info("refused", file=str(file), reason=sentence)
        for path, sentence in found.unread.items():
            if journal.trouble(Path(os.fsdecode(path)), "folder", sentence, now):
                log.warning("unreadable", folder=os.fsdecode(path), reason=sentence)
        for trouble in journal.troubles():
            subject = os.fsencode(trouble.subject)
            if (
                trouble.subject.startswith(prefix)
                and subject not in found.refused
                and subject not in found.unread
            ):
                if trouble.kind == "file" and subject not in found.new:
                    journal.clear(trouble.subject)
                elif trouble.kind == "folder":
                    self._trouble_over(Path(trouble.subject))

    def _trouble_over(self, folder: Path) -> bool:
        """The folder can be read (again). That its notes cannot be written is another trouble, and not over by that."""
        journal = self._context.ledger.journal
        return any(
            t.subject == str(folder) and t.seen != UNWRITABLE and journal.clear(folder)
            for t in journal.troubles()
        )

    def _take_settled(self, now: float) -> None:
        self.written_to &= set(self.settling.waiting())
        for path in self.settling.waiting():
            if path in self.reading:
                continue
            try:
                identity = Identity.of(os.lstat(path))
            except OSError:
                self._leave(path)
                continue
            if not self.settling.see(path, identity, now):
                continue
            file = Path(os.fsdecode(path))
            if being_written(file):
                if path not in self.written_to:
                    log.info("still-written", file=str(file))
                self.written_to.add(path)
                self.settling.again(path, now)
                continue
            self.written_to.discard(path)
            self.reading.add(path)
            # Out of the way of next_at() while it is being read; `take` decides what becomes of it.
            self.settling.again(path, now)
            self._reader.read(path, file, self._folder_of[path])

    def _leave(self, path: bytes) -> None:
        self.settling.leave(path)
        self.written_to.discard(path)
        self._folder_of.pop(path, None)

    def _arm(self) -> None:
        if self._context.config.intake.watch == "off":
            self._watcher.stop()
            return
        pairs = [(f, self._context.settings(f).recursive) for f in self._context.folders]
        for folder, reason in self._watcher.arm(pairs).items():
            if self._unwatched.get(folder) != reason:
                log.warning("not-watched", folder=str(folder), reason=reason)
            self._unwatched[folder] = reason
