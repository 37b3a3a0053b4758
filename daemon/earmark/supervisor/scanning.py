"""Finding what is in the folders, at the right times: at start, on a timer, after every hint, and when things settle."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.events import Event
from earmark.files import spelled
from earmark.intake.folder import Scan, rules_of, scan
from earmark.intake.mounts import device_fact, why_unmounted
from earmark.intake.rules import settle_times
from earmark.intake.untaken import CLOSED, forget_untaken, note_untaken
from earmark.intake.watcher import Watcher
from earmark.pipeline.acceptance import note_missing
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.publishing import UNWRITABLE
from earmark.pipeline.rebuild import forget_aside
from earmark.pipeline.removed import look_for_removed
from earmark.retention import NotesSeen, look_at_markers
from earmark.supervisor.inbox import Hint, Post, Read
from earmark.supervisor.leftovers import settle_leftovers
from earmark.supervisor.taking import Taking

CALM = 0.3
"""Seconds after a hint before the folder is read; a burst of events becomes one scan."""

BUSY_SHARE = 10.0
"""A scan that took t seconds is not repeated for a hint within 10 t: at most a tenth of the time goes into scanning."""

MARGIN = 120.0
"""Seconds by which the clock of a network folder may be off when a note's time says whether it is new."""

NOTES_SEEN = "notes.seen_upto"
"""The fact up to when every note that changed was read, Unix seconds."""

READING_SHARE = 0.2
"""Seconds of a turn that go into reading notes; a folder full of them, met for the first time, takes many turns."""


class Scanning:
    """What is known of the folders between two scans. Only the loop's thread calls it."""

    def __init__(self, context: Context, post: Callable[[Post], None]) -> None:
        self._context = context
        self._watcher = Watcher(lambda folder: post(Hint(folder)))
        self._notes = NotesSeen(context)
        self.left_out: dict[str, str] = {}
        """Files and folders that could not be read, and why."""
        self.taking = Taking(context, post, self.left_out)
        self.arriving = self.taking.arriving
        self._next_scan = float("-inf")
        self._not_before = float("-inf")
        self._notes_upto = _fact(context)
        self._unread_notes: deque[Path] = deque()
        self._unwatched: dict[Path, str] = {}
        self._asked = False
        self._scans = 0
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
        self._next_scan = float("-inf")

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        if self._unread_notes:
            return self._context.clock.monotonic()
        return min(self._next_scan, self.taking.next_at())

    def idle(self) -> bool:
        """True if the folders were read through and nothing in them still has to be taken."""
        return self._scans > 0 and not self._asked and self.taking.idle() and not self._unread_notes

    def turn(self) -> None:
        """Scan if it is time, and take what has settled."""
        clock = self._context.clock
        if clock.monotonic() >= self._next_scan:
            self._scan_all()
        self.taking.turn()
        self._read_notes()

    def take(self, reads: list[Read]) -> None:
        """Write what the readers found into the ledger."""
        if self.taking.take(reads):
            self.scan_again()

    def stop(self) -> None:
        self._watcher.stop()
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
        began, wall = clock.monotonic(), context.now()
        had_notes = bool(self._unread_notes)
        self._asked = False
        # Watch first, then read: what arrives in between is seen twice rather than never.
        self._arm()
        for folder in context.folders:
            with own_fault(context, partial(self._not_scanned, folder)):
                self._scan(folder)
        if not had_notes:
            self._notes_upto = wall
        forget_aside(context)
        forget_untaken(context.ledger, context.folders, context.now())
        self._scans += 1
        took = clock.monotonic() - began
        self._not_before = began + took * BUSY_SHARE
        self._next_scan = clock.monotonic() + context.config.intake.scan_seconds

    def _scan(self, folder: Path) -> None:
        context, ledger = self._context, self._context.ledger
        settings = context.settings(folder)
        known = ledger.places.identities(folder)
        others = frozenset(os.fsencode(_as_met(f, folder)) for f in context.folders if f != folder)
        rules = rules_of(folder, settings.ignore)
        found = scan(folder, rules, settings.recursive, known, others, context.now())
        away = found.away or self._unmounted(found, bool(known))
        if away is not None:
            self.left_out[str(folder)] = away
            self._forget_troubles(found)
            if ledger.journal.trouble(folder, "folder", away, context.now()):
                context.tell(Event.FOLDER_AWAY, away, file=folder, level="warning", journal=False)
            return
        self.left_out.pop(str(folder), None)
        if self._trouble_over(folder):
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
            look_for_removed(context, self._notes, folder, there, {*found.missing, *found.new})
        since = self._notes_upto - MARGIN
        self._unread_notes.extend(Path(os.fsdecode(p)) for p, at in found.notes.items() if at >= since)
        settle_leftovers(context, found.hidden)
        note_untaken(context.ledger, folder, found.untaken, context.now())
        note_untaken(context.ledger, folder, found.closed, context.now(), CLOSED)
        self._note_refused(found)

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

        with own_fault(self._context, not_read), ledger.transaction():
            while self._unread_notes and clock.monotonic() < until:
                read.append(self._unread_notes.popleft())
                self._notes.glance(read[-1])
            if not self._unread_notes:
                ledger.journal.set_fact(NOTES_SEEN, repr(self._notes_upto), self._context.now())

    def _unmounted(self, found: Scan, had_recordings: bool) -> str | None:
        """An empty folder on another device than before is a mount point without its disk, not an empty folder."""
        journal, name = self._context.ledger.journal, device_fact(found.folder)
        try:
            away = why_unmounted(self._context.ledger, found.folder) if had_recordings else None
            device = str(found.folder.stat().st_dev)
        except OSError as error:
            return f"{found.folder} cannot be read: {error.strerror}"
        before = journal.fact(name)
        if away is None and (before is None or before[0] != device):
            journal.set_fact(name, device, self._context.now())
        return away

    def _note_refused(self, found: Scan) -> None:
        context, journal, now = self._context, self._context.ledger.journal, self._context.now()
        for path, (sentence, identity) in found.refused.items():
            file = Path(os.fsdecode(path))
            self.arriving.refuse(path)
            if journal.trouble(file, "file", sentence, now, str(identity)):
                context.tell(Event.REFUSED, sentence, file=file, journal=False)
        for path, sentence in found.unread.items():
            self.left_out[os.fsdecode(path)] = sentence
            if journal.trouble(Path(os.fsdecode(path)), "folder", sentence, now):
                context.tell(
                    Event.UNREADABLE, sentence, file=Path(os.fsdecode(path)), level="warning", journal=False
                )
        self._forget_troubles(found)

    def _forget_troubles(self, found: Scan) -> None:
        """What was wrong below a folder that was looked through and is not wrong any more, or not there."""
        journal = self._context.ledger.journal
        still = {*found.refused, *found.unread, *found.new}
        for name in [
            n for n in self.left_out if self._is_in(n, found.folder) and os.fsencode(n) not in still
        ]:
            del self.left_out[name]
        for trouble in journal.troubles():
            if not self._is_in(trouble.subject, found.folder) or os.fsencode(trouble.subject) in still:
                continue
            if trouble.kind == "file":
                journal.clear(trouble.subject)
            elif trouble.kind == "folder":
                self._trouble_over(Path(trouble.subject))

    def _is_in(self, subject: str, folder: Path) -> bool:
        """True if a path lies below a drop folder, and in none that lies below that one."""
        inside = (f for f in self._context.folders if subject.startswith(f"{f}/"))
        return max(inside, key=lambda f: len(str(f)), default=None) == folder

    def _trouble_over(self, folder: Path) -> bool:
        """The folder can be read (again), or is not there. That notes cannot be written in it is another trouble, and over
        by that only if no recording is there any more that wants them.
        """
        journal = self._context.ledger.journal
        self.left_out.pop(str(folder), None)
        trouble = next((t for t in journal.troubles() if t.subject == str(folder)), None)
        if trouble is None:
            return False
        if (
            trouble.seen == UNWRITABLE
            and os.path.exists(folder)  # noqa: PTH110 - false, too, where nobody may look
            and self._context.ledger.places.any_troubled(folder)
        ):
            return False
        return journal.clear(folder)

    def _arm(self) -> None:
        if self._context.config.intake.watch == "off":
            self._watcher.stop()
            return
        pairs = [(f, self._context.settings(f).recursive) for f in self._context.folders]
        for folder, reason in self._watcher.arm(pairs).items():
            if self._unwatched.get(folder) != reason:
                self._context.tell(Event.NOT_WATCHED, reason, file=folder, level="warning", journal=False)
            self._unwatched[folder] = reason


def _as_met(other: Path, folder: Path) -> Path:
    """A drop folder as the look through another one meets it, which reads names as the disk lists them."""
    listed, top = spelled(other), spelled(folder)
    return folder / listed.relative_to(top) if listed.is_relative_to(top) else other


def _fact(context: Context) -> float:
    known = context.ledger.journal.fact(NOTES_SEEN)
    try:
        return float(known[0]) if known else float("-inf")
    except ValueError:
        return float("-inf")
