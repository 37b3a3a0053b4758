"""What is wrong with drop folders and with files that cannot be taken, as scans find it; and when it is over."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.context import Context
from earmark.events import Event
from earmark.intake.folder import Scan
from earmark.pipeline.publishing import UNWRITABLE


class FolderTroubles:
    """Only the loop's thread calls it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.left_out: dict[str, str] = {}
        """Files and folders that could not be read, and why."""

    def away(self, folder: Path, sentence: str) -> None:
        """A drop folder cannot be looked through."""
        self.left_out[str(folder)] = sentence
        if self._context.ledger.journal.trouble(folder, "folder", sentence, self._context.now()):
            self._context.tell(Event.FOLDER_AWAY, sentence, file=folder, level="warning", journal=False)

    def note(self, found: Scan) -> None:
        """Files that were refused and folders that could not be read; what was so before and is no more is forgotten."""
        context, journal, now = self._context, self._context.ledger.journal, self._context.now()
        for path, (sentence, identity) in found.refused.items():
            file = Path(os.fsdecode(path))
            if journal.trouble(file, "file", sentence, now, str(identity)):
                context.tell(Event.REFUSED, sentence, file=file, journal=False)
        for path, sentence in found.unread.items():
            self.left_out[os.fsdecode(path)] = sentence
            if journal.trouble(Path(os.fsdecode(path)), "folder", sentence, now):
                context.tell(
                    Event.UNREADABLE, sentence, file=Path(os.fsdecode(path)), level="warning", journal=False
                )
        self.forget(found)

    def forget(self, found: Scan) -> None:
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
                self.over(Path(trouble.subject))

    def _is_in(self, subject: str, folder: Path) -> bool:
        """True if a path lies below a drop folder, and in none that lies below that one."""
        inside = (f for f in self._context.folders if subject.startswith(f"{f}/"))
        return max(inside, key=lambda f: len(str(f)), default=None) == folder

    def over(self, folder: Path) -> bool:
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
