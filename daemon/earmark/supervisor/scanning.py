"""Finding what is in the folders, at the right times: at start, on a timer, after every hint, and when things settle."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.events import Event
from earmark.intake.folder import Scan
from earmark.intake.mounts import device_fact, why_not_it
from earmark.intake.rules import settle_times
from earmark.intake.untaken import CLOSED, forget_untaken, note_untaken
from earmark.intake.watcher import stopped
from earmark.pipeline.acceptance import note_missing
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.rebuild import forget_aside
from earmark.pipeline.removed import RemovedNotes
from earmark.pipeline.said_in_notes import SaidInNotes
from earmark.report import STALLED
from earmark.retention import NotesSeen, look_at_markers
from earmark.supervisor.inbox import Post, Read
from earmark.supervisor.leftovers import settle_leftovers
from earmark.supervisor.scans import Order, Scans, UnderWay
from earmark.supervisor.taking import Taking
from earmark.supervisor.troubles import FolderTroubles

CALM = 0.3
"""Seconds after a hint before the folder is read; a burst of events becomes one scan."""

BUSY_SHARE = 10.0
"""A scan that took t seconds is not repeated for a hint within 10 t: at most a tenth of the time goes into scanning."""

MARGIN = 120.0
"""Seconds by which the clock of a network folder may be off when a note's time says whether it is new."""

NOTES_WAIT = 1.0
"""Seconds between two looks at whether notes can be read of a folder that does not answer."""

NOTES_SEEN = "notes.seen_upto"
"""The fact up to when every note that changed was read, Unix seconds."""

WATCH_AGAIN = 30.0
"""Seconds after a scan before it is noticed that changes are told no more: what ends at once is not begun for ever."""

READING_SHARE = 0.2
"""Seconds of a turn that go into reading notes; a folder full of them, met for the first time, takes many turns."""


class Scanning:
    """What is known of the folders between two scans. Only the loop's thread calls it."""

    def __init__(self, context: Context, post: Callable[[Post], None], scans: Scans) -> None:
        self._context = context
        self._scans = scans
        self._notes = NotesSeen(context)
        self._removed = RemovedNotes(context, self._notes)
        self._said = SaidInNotes(context)
        self._troubles = FolderTroubles(context)
        self.left_out = self._troubles.left_out
        self.unwatched: dict[Path, str] = {}
        """Folders of which no change is told, and why."""
        self.taking = Taking(context, post, self.left_out)
        self.arriving = self.taking.arriving
        self._asked_by = object()
        self._next_scan = float("-inf")
        self._not_before = float("-inf")
        self._scanned_at = float("-inf")
        self._notes_upto = _fact(context)
        self._notes_from = self._notes_upto
        """When the last round of scans began, Unix seconds."""
        self._unread_notes: deque[Path] = deque()
        self._again: set[Path] = set()
        """Folders that were to be read while that was still being done."""
        self._reread: set[Path] = set()
        """Folders that were read anew, because they had been silent in between."""
        self._asked = False
        self._rounds = 0
        self._went_wrong = False

    @property
    def went_wrong(self) -> bool:
        """earmark itself went wrong with a file or a folder."""
        return self._went_wrong or self.taking.went_wrong

    def hint(self) -> None:
        """Somebody says that something changed."""
        now = self._context.clock.monotonic()
        self._next_scan = min(self._next_scan, max(now + CALM, self._not_before))

    def scan_again(self) -> None:
        """A file is not what the ledger says: there is something to find, and nothing is idle until it is found."""
        self._asked = True
        self.hint()

    def reconfigure(self) -> None:
        """The configuration was replaced: other folders or rules may hold."""
        self.taking.reconfigure()
        self._scans.keep_to(self._context.folders)
        self._asked_by = object()
        self._next_scan = float("-inf")

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        notes = float("inf")
        if self._unread_notes:
            notes = self._context.clock.monotonic() + (NOTES_WAIT if self._context.silent else 0.0)
        return min(
            self._next_scan, self.taking.next_at(), self._scans.next_at(), self._removed.next_at(), notes
        )

    def idle(self) -> bool:
        """True if the folders were read through and nothing in them still has to be taken, but for those that do not answer
        for so long that nobody counts on it.
        """
        being_read = self._scans.any_under_way(STALLED)
        unread = any(map(self._context.answers, self._unread_notes))
        known = self._rounds > 0 and not self._asked and not being_read and not unread
        return known and self._removed.idle() and self.taking.idle()

    def notes_read(self) -> bool:
        """True if nothing is left to read of what the last scan found."""
        return not self._unread_notes and self._removed.idle()

    def turn(self) -> None:
        """Scan if it is time, and take what has settled."""
        now = self._context.clock.monotonic()
        if now - self._scanned_at >= WATCH_AGAIN and self._no_more_told():
            self.hint()
        if now >= self._next_scan:
            self._scan_all()
        self._mind_silent()
        self.taking.turn()
        self._removed.turn(self._not_scanned)
        self._read_notes()

    def scanned(self) -> None:
        """Folders were read through that took long."""
        for ended in self._scans.done():
            self._take_over(ended)
        self._end_round()
        self._mind_silent()

    def take(self, reads: list[Read]) -> None:
        """Write what the readers found into the ledger."""
        if self.taking.take(reads):
            self.scan_again()

    def stop(self) -> None:
        self._scans.stop()
        self.taking.stop()

    def _not_scanned(self, folder: Path, sentence: str, charged: bool) -> None:
        context = self._context
        if charged:
            self._went_wrong = True
            context.ledger.journal.trouble(
                folder, "folder", f"cannot be looked through: {sentence}", context.now()
            )
            context.tell(Event.WENT_WRONG, sentence, file=folder, level="error", journal=False)

    def _scan_all(self) -> None:
        context, clock = self._context, self._context.clock
        began = clock.monotonic()
        self.scanned()
        # What changed while notes of before were still to be read is looked at once more.
        self._notes_from = self._notes_upto if self._unread_notes else context.now()
        self._asked = False
        for folder in context.folders:
            with own_fault(context, partial(self._not_scanned, folder)):
                if not self._scans.begin(self._order(folder)):
                    self._again.add(folder)
        for ended in self._scans.wait():
            self._take_over(ended)
        forget_aside(context)
        forget_untaken(context.ledger, context.folders, context.now())
        self._rounds += 1
        self._scanned_at = clock.monotonic()
        self._next_scan = self._scanned_at + context.config.intake.scan_seconds
        if not self._scans.any_under_way():
            self._not_before = began + (self._scanned_at - began) * BUSY_SHARE
        self._end_round()

    def _end_round(self) -> None:
        """Where all folders were read through, what their notes said at its beginning is known, or will be."""
        if not self._scans.any_under_way():
            self._notes_upto = self._notes_from

    def _order(self, folder: Path) -> Order:
        context = self._context
        settings = context.settings(folder)
        return Order(
            folder,
            settings.ignore,
            settings.recursive,
            context.ledger.places.identities(folder),
            frozenset(context.folders) - {folder},
            context.now(),
            watch=context.config.intake.watch != "off",
            asked_by=self._asked_by,
        )

    def _take_over(self, ended: UnderWay) -> None:
        """Act on a scan that is done, unless it says what was: of another configuration, or of before a silence."""
        folder, context = ended.folder, self._context
        outdated = ended.order.asked_by is not self._asked_by
        from_before = ended.was_silent and folder not in self._reread
        self._reread.discard(folder)
        if outdated or from_before or folder in self._again:
            self._again.discard(folder)
            self._notes_from = self._notes_upto  # those of this folder are not all known
            self.scan_again()
        if outdated or folder not in context.folders:
            return
        if from_before:
            self._reread.add(folder)
            return
        self._not_before = max(self._not_before, ended.began + ended.took * BUSY_SHARE)
        with own_fault(context, partial(self._not_scanned, folder)):
            if ended.error is not None:
                raise ended.error
            self._not_told(folder, ended.unwatched)
            if ended.found is not None:
                self._found(ended.found, ended)

    def _found(self, found: Scan, ended: UnderWay) -> None:
        context, ledger, folder = self._context, self._context.ledger, ended.folder
        known = ended.order.known
        if ended.left_alone:  # what was taken since is not new
            now_known = ledger.places.identities(folder)
            found.new = {path: i for path, i in found.new.items() if now_known.get(path) != i}
        away = found.away or self._unmounted(folder, ended.device, bool(known))
        if away is not None:
            self._troubles.forget(found)
            self._troubles.away(folder, away)
            return
        if self._troubles.over(folder):
            context.tell(Event.FOLDER_BACK, file=folder)
        now = context.clock.monotonic()
        # What was read and refused for its content (erased, say) is read again only when it has changed.
        refused = {os.fsencode(t.subject): t.seen for t in ledger.journal.troubles() if t.seen}
        for path, identity in found.new.items():
            if self.taking.is_of_others(path, identity):
                found.untaken[path.rpartition(b".")[2].decode().lower()] += 1
                continue
            passed_over = str(identity) == refused.get(path) or self.taking.is_passed_over(path, identity)
            if not passed_over and self.arriving.see(path, folder, identity, now):
                self._tell_of_long_wait(Path(os.fsdecode(path)))
        note_missing(context, {Path(os.fsdecode(p)) for p in found.missing})
        look_at_markers(context, folder, found.marked)
        if not found.unread:
            context.notes_found[folder] = found.notes
            there = {*found.notes, *found.evicted}
            self._removed.found(folder, there, {*found.missing, *found.new})
        since = self._notes_upto - MARGIN
        self._unread_notes.extend(Path(os.fsdecode(p)) for p, at in found.notes.items() if at >= since)
        settle_leftovers(context, found.hidden)
        note_untaken(context.ledger, folder, found.untaken, context.now())
        note_untaken(context.ledger, folder, found.closed, context.now(), CLOSED)
        for path in found.refused:
            self.arriving.refuse(path)
        self._troubles.note(found)

    def _tell_of_long_wait(self, file: Path) -> None:
        wait = self.arriving.settle_seconds * settle_times(file.name)
        self._context.tell(
            Event.PERHAPS_PARTIAL,
            f"is taken when it has stayed the same for {wait:g} s",
            file=file,
            journal=False,
        )

    def _read_notes(self) -> None:
        """What notes say of keeping is written down as soon as it is seen, so that it counts wherever they go."""
        if not self._unread_notes:
            return
        clock, ledger = self._context.clock, self._context.ledger
        until, read = clock.monotonic() + READING_SHARE, list[Path]()

        def not_read(sentence: str, charged: bool) -> None:
            # What a rule would take is guarded by reading its notes again, which then fails, too, and so keeps.
            self._context.tell(Event.WENT_WRONG, sentence, file=read.pop(), level="error", journal=False)
            self._unread_notes.extendleft(reversed(read))

        silent = deque(note for note in self._unread_notes if not self._context.answers(note))
        if silent:
            self._unread_notes = deque(filter(self._context.answers, self._unread_notes))
        with own_fault(self._context, not_read), ledger.transaction():
            while self._unread_notes and clock.monotonic() < until:
                read.append(self._unread_notes.popleft())
                self._notes.glance(read[-1])
            self._unread_notes.extend(silent)
            if not self._unread_notes:
                ledger.journal.set_fact(NOTES_SEEN, repr(self._notes_upto), self._context.now())
        if not self._said.look_at(read):
            self.hint()  # somebody was acting, and they are looked at again

    def _unmounted(self, folder: Path, device: str | None, had_recordings: bool) -> str | None:
        """An empty folder on another device than before is a mount point without its disk, not an empty folder."""
        journal, name = self._context.ledger.journal, device_fact(folder)
        away = why_not_it(self._context.ledger, folder, device) if had_recordings or device is None else None
        before = journal.fact(name)
        if away is None and device is not None and (before is None or before[0] != device):
            journal.set_fact(name, device, self._context.now())
        return away

    def _mind_silent(self) -> None:
        """Nothing is done in folders that do not answer, and after a while it is said."""
        context = self._context
        context.silent = self.arriving.silent = frozenset(self._scans.silent()).intersection(context.folders)
        for folder in context.silent.intersection(self._scans.to_be_said()):
            self._troubles.away(folder, why_silent(folder, folder in self._scans.answered, sys.platform))

    def _no_more_told(self) -> bool:
        """True if folders were watched whose watch has died: they are scanned now, which begins another one."""
        died = [folder for folder in self._scans.unwatched() if folder in self._context.folders]
        for folder in died:
            self._not_told(folder, stopped(folder))
        return bool(died)

    def _not_told(self, folder: Path, why: str | None) -> None:
        """Changes of a folder are told again, or are not, and why."""
        if why is None:
            self.unwatched.pop(folder, None)
        elif self.unwatched.get(folder) != why:
            self.unwatched[folder] = why
            self._context.tell(Event.NOT_WATCHED, why, file=folder, level="warning", journal=False)


def why_silent(folder: Path, answered: bool, platform: str) -> str:
    """The sentence for a folder that does not answer. `answered`: it has, since earmark runs."""
    if platform == "darwin" and not answered:
        return (
            f"macOS is waiting for your permission to let earmark read {folder}: answer its question on the screen, which"
            " names Python, or allow Python there in System Settings, Privacy & Security, Files and Folders"
        )
    return f"{folder} does not answer: its disk or network folder hangs. It is read when it answers again"


def _fact(context: Context) -> float:
    known = context.ledger.journal.fact(NOTES_SEEN)
    try:
        return float(known[0]) if known else float("-inf")
    except ValueError:
        return float("-inf")
