"""What is said of passages that were found, and of what is not found, by `earmark search` and by the page of search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from earmark.files import counted

if TYPE_CHECKING:
    from earmark.verbs.searching import Found, Result

DRAFT = "a draft: a better transcript is to come, and its words may be others"
AWAY = "file gone: its note is there"
NOWHERE = "neither file nor note is where it was: moved or removed since earmark looked, or its disk is away"
PARTLY = "not all of the words are in it"
MEANT = "found by its meaning"

MOST_AWAY = 5
"""Recordings that are named, of those whose notes are not where they were."""

MOST_UNREAD = 5
"""Notes that are named, of those that are not read."""


def of_passage(result: Result) -> list[str]:
    """What is said of a passage besides its words."""
    said = [MEANT] if result.hit.meant else [PARTLY] if not result.hit.whole else []
    said += [DRAFT] if result.draft else []
    return said if result.here else [*said, NOWHERE if result.note is None else AWAY]


def how_many(found: Found, limit: int) -> str:
    """`The best 10 passages in 4 recordings`. `limit`: how many were asked for at most."""
    results = found.results
    recordings = len({result.hit.recording_id for result in results})
    best = "The best " if len(results) == limit else ""
    return f"{best}{counted(len(results), 'passage')} in {counted(recordings, 'recording')}"


def unread(reasons: Sequence[str]) -> Iterator[str]:
    """Why notes are not read that people changed."""
    yield from reasons[:MOST_UNREAD]
    if len(reasons) > MOST_UNREAD:
        yield f"{len(reasons) - MOST_UNREAD} more (earmark status)"


def left_out(found: Found, named: Callable[[Path], str]) -> Iterator[str]:
    """That recordings are not found. `named`: how a path is said."""
    if found.away:
        yield _away(found, named)
    if found.missing:
        what = counted(found.missing, "recording")
        yield f"The words of {what} are not in the index yet, and are not found."
    if found.unheard:
        what = counted(found.unheard, "recording")
        notes = "its notes were" if found.unheard == 1 else "their notes were"
        yield (
            f"What is said in {what} is not found: {notes} there before this ledger was, and earmark has not heard"
            " what they are of (earmark retry FILE hears it)."
        )
    if found.out_by_rule:
        what = counted(found.out_by_rule, "recording")
        yield f"What is said in {what} is not found: a rule keeps it out of the index (retention.index)."
    if found.in_trash:
        what, lies = counted(found.in_trash, "recording"), "lie" if found.in_trash > 1 else "lies"
        notes = "their notes" if found.in_trash > 1 else "its note"
        yield f"What is said in {what} is not found: {notes} {lies} in the trash (earmark trash list)."


def by_words_only(found: Found) -> str:
    """Why nothing, or not everything, was looked for by its meaning; "" if it was, or no model for that is here."""
    if found.why:
        return f"By words only: {found.why}."
    if not found.by_words:
        return ""
    wait = "waits for its" if found.by_words == 1 else "wait for their"
    return f"By words only: {counted(found.by_words, 'recording')} {wait} vectors (earmark run makes them)."


def _away(found: Found, named: Callable[[Path], str]) -> str:
    """Of which recordings notes were moved, renamed or removed, in one line."""
    paths = found.away[:MOST_AWAY]
    names = ", ".join(map(named, paths))
    more = len(found.away) - len(paths)
    many = f"{counted(more, 'more recording')} and " if more else ""
    are = "notes with the transcripts" if len(found.away) > 1 else "note with the transcript"
    what = f"The {are} of {many}{names}"
    is_not = "are not where earmark wrote them" if len(found.away) > 1 else "is not where earmark wrote it"
    return f"{what} {is_not}: what you correct there is not found."
