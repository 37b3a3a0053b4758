"""The story of one file in sentences: what happened to it, with what each event is called where people read it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from earmark.domain import Instant
from earmark.events import Event
from earmark.ledger.journal import Entry

_SAID = {
    Event.ACCEPTED: "It came in",
    Event.SAME_CONTENT: "It has the content of another recording",
    Event.RENAMED: "It was renamed or moved",
    Event.REPLACED: "Its file got other content",
    Event.CONTINUED: "It goes on",
    Event.BACK: "It is here again",
    Event.MISSING: "Its file is not in the folder any more",
    Event.NOTES_FOUND: "Its notes were found",
    Event.TRANSCRIBED: "It was heard",
    Event.NOT_TRANSCRIBED: "It could not be heard",
    Event.TOLD_APART: "Who says what was found out",
    Event.NOT_TOLD_APART: "Who says what could not be found out",
    Event.DRAFT_STAYS: "Its draft stays",
    Event.SPEAKERS_NAMED: "Its speakers were named",
    Event.CORRECTED: "Its words were corrected",
    Event.CORRECTIONS_NOT_READ: "What you corrected was not read",
    Event.NAMES_NOT_READ: "A name that you wrote is nobody's",
    Event.NO_YAML: "The properties of a note are no YAML",
    Event.SUMMARIZED: "It was summarized",
    Event.NOT_SUMMARIZED: "It could not be summarized",
    Event.WORKER_DIED: "The work on it was cut short",
    Event.WRITTEN: "Its note was written",
    Event.NOT_WRITTEN: "Its note could not be written",
    Event.LEFT: "Its note was left as it is",
    Event.NOTE_FOLLOWED: "Its note followed it",
    Event.NOTE_SET_ASIDE: "Its note was set aside",
    Event.LAYOUT_NOT_USED: "The layout of its template was not used",
    Event.WENT_WRONG: "Earmark itself went wrong with it",
    Event.LEFTOVER_NAMED: "A file that was left over has its name back",
    Event.RETRIED: "It is to be tried again",
    Event.RESUMMARIZE: "It is to be summarized again",
    Event.HELD: "It was held",
    Event.RELEASED: "Its hold was taken back",
    Event.RULE_SET: "It has a rule of its own",
    Event.QUALITY_ACCEPTED: "Its transcript was accepted",
    Event.QUALITY_RESTORED: "The quality gate decides again",
    Event.PROTECTION_RESTORED: "What protects it was read back",
    Event.TRASHED: "It went to the trash",
    Event.NOT_TRASHED: "It stayed, although a rule would let it go",
    Event.RESTORED: "It came back from the trash",
    Event.PURGED: "It was removed from the trash",
    Event.NOT_PURGED: "It could not be removed from the trash",
    Event.LOST: "It is lost",
    Event.WORDS_DROPPED: "Words of it were let go",
    Event.ERASED: "It was erased",
}
"""What a person reads; of an event that is not here the sentence that was written down stands alone."""


NO_ACTS = frozenset(
    (
        Event.KNOWN, Event.STILL_WRITTEN, Event.READING, Event.PERHAPS_PARTIAL, Event.TRANSCRIBING, Event.TELLING_APART,
        Event.SUMMARIZING,
    )
)  # fmt: skip
"""Events of a file that say what goes on, and not what was done."""

TROUBLE = frozenset(
    (
        Event.REFUSED, Event.UNREADABLE, Event.NOT_TRANSCRIBED, Event.NOT_TOLD_APART, Event.NOT_SUMMARIZED,
        Event.NOT_WRITTEN, Event.WORKER_DIED, Event.WENT_WRONG, Event.NOT_TRASHED, Event.NOT_PURGED, Event.LOST,
    )
)  # fmt: skip
"""Those that say what could not be done."""


def told(entry: Entry) -> str:
    """One event as a sentence, or two: what happened, and what was written down of it."""
    happened = _SAID.get(Event(entry.what)) if entry.what in set(Event) else None
    detail = entry.detail.strip()
    if happened is None:
        return detail or f"{entry.what.replace('-', ' ').capitalize()}."
    return (
        f"{happened}: {detail[:1].lower() + detail[1:] if _may_be_small(detail) else detail}"
        if detail
        else f"{happened}."
    )


def as_sentence(event: Event, detail: str) -> str:
    """One event as a sentence while it happens."""
    return told(Entry(0, Instant(0.0), None, None, event, detail))


def _may_be_small(detail: str) -> bool:
    """True for a sentence whose first word is no name: `A new recording.`"""
    first = detail.split(" ", 1)[0]
    return first in {"A", "An", "Asked", "Held", "By", "The", "It", "Its", "No", "Decided", "Another", "Also"}


def apart(
    entries: Collection[Entry], path: Path, others: Collection[Path]
) -> tuple[list[Entry], dict[Path, list[Entry]]]:
    """The events of one file, and those of each other file that holds the same recording. `others`: these files."""
    mine = [
        entry for entry in entries if entry.path is None or entry.path == path or entry.path not in others
    ]
    theirs = {other: [entry for entry in entries if entry.path == other] for other in others}
    return mine, theirs
