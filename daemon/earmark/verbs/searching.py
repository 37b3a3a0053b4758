"""Finding what was said: the passages for a query, each with the file and the time at which it is heard."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from earmark.config import Config
from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import (
    EarmarkError,
    IndexMadeAnew,
    LedgerError,
    LedgerTooNew,
    LedgerTooOld,
    NotFound,
    UsageError,
)
from earmark.ledger import Artifact, Place, Recording
from earmark.notes.links import time_link
from earmark.notes.style import style_of
from earmark.paths import Home, whole
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.rebuild import FOUND
from earmark.search.finding import Hit, find
from earmark.search.query import Query
from earmark.search.wanted import meant
from earmark.verbs.filling import due, fill, kept_out_no_more
from earmark.verbs.known import below_its_folder, shown_as
from earmark.verbs.listing import is_tagged, notes_of_places, title_of
from earmark.verbs.meaning import Asked, MeaningWorker, asked_for
from earmark.verbs.opening import opened_context
from earmark.verbs.reading_notes import NotRead, changed_notes, read_changed_notes
from earmark.verbs.trusting import made_anew, made_anew_in_doubt, require_looked_at, require_trusted

MOST = 200
"""Passages that are shown at most."""


@dataclass(frozen=True, slots=True)
class Result:
    """A passage that was found. `place`: where its recording is, or was; `title` as its note has it; `draft`: a better
    transcript is to come. `here`: the file is where it was. `link` is as notes have it, `url` opens the recording at the
    time, or the note where that is all.
    """

    hit: Hit
    place: Place
    recorded: Instant
    title: str
    draft: bool
    note: Path | None
    link: str
    url: str
    here: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """`missing`: recordings whose words are not in the index yet. `by_words`: those that are found by words only, as
    their vectors are not made yet; 0 where there is no model. `why`: why none was looked for by its meaning all the same.
    `not_read`: why what people changed in notes lately is not in it. `unheard`: recordings of whose words the ledger has
    none, as their notes were there before it was. `out_by_rule`: those that a rule keeps out of the index, of those that
    the query is about but for who speaks; `in_trash`: those of them whose note lies in the trash. `away`: recordings of
    which a note with the transcript is not where it was, so that what was changed there since is not in it.
    """

    results: tuple[Result, ...]
    tops: frozenset[Path]
    missing: int
    by_words: int = 0
    why: str = ""
    not_read: tuple[str, ...] = ()
    unheard: int = 0
    out_by_rule: int = 0
    in_trash: int = 0
    away: tuple[Path, ...] = ()


def search(
    home: Home,
    config: Config,
    query: Query,
    most: int,
    tell: Callable[[int, int], None] = lambda done, of: None,
    standing: MeaningWorker | None = None,
) -> Found:
    """Read the notes that were changed, bring the index up to date, if it is not, and ask it. `tell`: recordings that are
    done, and of how many. `standing`: who says what the query means, for a process that cannot write; None for one of its
    own. Raises UsageError, NotFound.
    """
    writes = standing is None

    def read() -> NotRead:
        return read_changed_notes(home) if writes else changed_notes(home, config)

    try:
        left = read()
    except Exception as error:
        if not _is_another_now(home, error, writes=writes):
            raise
        left = read()
    found = _found(home, config, query, most, tell, standing)
    return replace(found, not_read=left.reasons, away=left.away)


def _found(
    home: Home,
    config: Config,
    query: Query,
    most: int,
    tell: Callable[[int, int], None],
    standing: MeaningWorker | None,
) -> Found:
    with asked_for(home, meant(query), standing) as asked:
        writes = standing is None
        try:
            found = _search(home, config, query, most, tell, asked)
            if found.results or not made_anew_in_doubt(home, config, writes=writes):
                return found
        except Exception as error:
            if not _is_another_now(home, error, writes=writes):
                raise
        return _search(home, config, query, most, tell, asked)


def _search(
    home: Home, config: Config, query: Query, most: int, tell: Callable[[int, int], None], asked: Asked | None
) -> Found:
    with opened_context(home, config, read_only=True) as context:
        context.ledger.index.require_words()
        if not context.ledger.index.is_made():
            raise LedgerError(f"{home.ledger_file}: the ledger is damaged; `earmark run` repairs it")
        missing = due(context, kept_out_no_more(context))
        if asked and asked.model and context.ledger.index.vectors.any(asked.model.digest):
            asked.begin(config)
        if not require_trusted(context):
            require_looked_at(context)
    return _ask(home, config, query, most, asked, full=not missing or fill(home, config, missing, tell))


def _is_another_now(home: Home, error: Exception, *, writes: bool) -> bool:
    """Whether the index was damaged, and is made anew. Rows that make no sense come out as errors of any kind. Raises
    LedgerError.
    """
    if isinstance(error, IndexMadeAnew):  # by who was to fill it
        return True
    return not _is_of_another(error) and made_anew(home, writes=writes, pages=True)


def _is_of_another(error: Exception) -> bool:
    """True for what no index that is made anew helps against."""
    known = isinstance(error, EarmarkError | OSError) and not isinstance(error, LedgerError)
    return known or isinstance(error, LedgerTooOld | LedgerTooNew)


def _ask(home: Home, config: Config, query: Query, most: int, asked: Asked | None, *, full: bool) -> Found:
    """`full`: all is in the index that is to be."""
    with opened_context(home, config, read_only=True) as context:
        index, among = context.ledger.index, _among(context, query)
        unseen, model = index.unfound.unseen(), asked.model if asked else None
        waiting = index.vectors.without(model.digest, model.languages) - unseen if model else set()
        meaning = asked.meaning() if asked else None
        hits = find(index, query, most, among, unseen, meaning)
        folders = [_folder(context, said) for said in query.folders]
        results = [found for hit in hits if (found := _result(context, hit, folders)) is not None]
        tops = frozenset({*context.folders, *context.ledger.places.folders()})
        unheard = context.ledger.jobs.count_wordless(FOUND)
        waits = set[str]() if full else kept_out_no_more(context)
        missing = 0 if full else due(context, waits, unseen)
        by_rule = index.unfound.by_rule() - waits
        in_trash = index.unfound.in_trash() if unseen else set[str]()
    counts = [len(ids if among is None else ids & among) for ids in (waiting, by_rule, in_trash)]
    return Found(
        tuple(results), tops, missing, counts[0], asked.why if asked else "",
        unheard=unheard, out_by_rule=counts[1], in_trash=counts[2],
    )  # fmt: skip


def _among(context: Context, query: Query) -> set[str] | None:
    """The recordings that the query is about; None for all."""
    ledger, among = context.ledger, None
    if query.after or query.before:
        since = _instant("after", query.after) if query.after else None
        until = _instant("before", query.before) if query.before else None
        among = {r.id for r in ledger.recordings.all() if _is_between(r, since, until)}
        if not among and since is not None and since > context.now():
            raise UsageError(
                f"after:{query.after}: has not begun, so nothing is from then on; say an earlier day"
            )
    for said in query.folders:
        folder = _folder(context, said)
        among = _both(among, {p.recording_id for p in ledger.places.all() if p.path.is_relative_to(folder)})
    if query.tags:
        notes = notes_of_places(ledger.artifacts.all())
        for tag in query.tags:
            tagged = {recording_id for (_, recording_id), mine in notes.items() if is_tagged(mine, tag)}
            among = _both(among, tagged)
    return among


def _is_between(recording: Recording, since: Instant | None, until: Instant | None) -> bool:
    return (since is None or recording.recorded_at >= since) and (
        until is None or recording.recorded_at < until
    )


def _both(one: set[str] | None, other: set[str]) -> set[str]:
    return other if one is None else one & other


def _instant(key: str, day: date) -> Instant:
    try:
        return Instant(datetime(day.year, day.month, day.day).astimezone().timestamp())
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{key}:{day}: is a day that no clock knows; name a later one") from None


def _folder(context: Context, said: str) -> Path:
    """The folder that is meant: below the current one, or below a drop folder, with that one's name or without it."""
    tops = {*context.folders, *context.ledger.places.folders()}
    typed = Path(os.path.expanduser(said))  # noqa: PTH111 - never raises
    if "\0" in said:
        raise NotFound(f"folder:{said}: no recording is or was at or below it")
    below = [path for top in sorted(tops) for path in (*shown_as(top, typed), top.parent / typed)]
    places = [place.path for place in context.ledger.places.all()]
    for folder in (below_its_folder(context, whole(typed)), *below):
        if any(path.is_relative_to(folder) for path in places):
            return folder
    raise NotFound(f"folder:{said}: no recording is or was at or below it")


def _result(context: Context, hit: Hit, folders: Collection[Path]) -> Result | None:
    ledger, recording_id = context.ledger, hit.recording_id
    seen = ledger.index.unfound.seen_at(recording_id)
    places = [p for p in ledger.places.of(recording_id) if os.fsencode(p.path) in seen]
    inside = [p for p in places if all(p.path.is_relative_to(folder) for folder in folders)]
    place = next((p for p in inside or places if os.path.lexists(p.path)), next(iter(inside or places), None))
    recording, summary = ledger.recordings.get(recording_id), ledger.words.summary(recording_id)
    if place is None or recording is None:
        return None  # it went while it was looked for
    written = ledger.artifacts.of_place(place)
    mine = notes_of_places(written).get((place.path, recording_id), [])
    note, here = _note(context, written), place.here and os.path.lexists(place.path)
    url = (place.path if here or note is None else note).as_uri()
    return Result(
        hit, place, recording.recorded_at, title_of(mine, summary.title if summary else ""),
        ledger.drafts.owed(recording_id), note,
        time_link(place.path.name, hit.at, style_of(context.config.notes).dialect),
        f"{url}#t={max(0, int(hit.at))}" if here else url, here,
    )  # fmt: skip


def _note(context: Context, written: Collection[Artifact]) -> Path | None:
    """The note with the words, where it lies by now, of all that was written."""
    lying = [(a, lies_at(context, a)) for a in written if a.note]
    paths = {
        a.kind.value: path for a, path in lying if (a.on_disk or path != a.path) and os.path.lexists(path)
    }
    return paths.get("transcript") or paths.get("summary")
