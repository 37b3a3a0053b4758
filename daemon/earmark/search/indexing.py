"""Bringing the index up to date: whatever is not in it, or in another form, or with another title or name, is put in.

There is one way for what was just heard, for all of an older ledger, and for an index that was damaged.
"""

from __future__ import annotations

from collections.abc import Callable

from earmark.context import Context, log
from earmark.domain import Transcript
from earmark.errors import place_of
from earmark.events import Event
from earmark.files import named
from earmark.ledger import Entry
from earmark.search.passages import Passage, passages_of
from earmark.search.terms import FORM, joined, stems_and_pairs

AT_ONCE = 50
"""Recordings that are put in by one transaction at most."""


def bring_up_to_date(context: Context, seconds: float, tell: Callable[[], None] = lambda: None) -> bool:
    """Put in what is not in the index, for about so long; true if there is more. `tell` is called after each recording."""
    index, clock = context.ledger.index, context.clock.monotonic
    until = clock() + seconds
    while due := index.due(FORM, AT_ONCE):
        with context.ledger.transaction():  # each that is durable by itself costs a write to the medium
            for recording_id in due:
                _put(context, recording_id)
                tell()
                if clock() >= until:
                    break
        if clock() >= until:
            return bool(index.due(FORM, 1))
    return False


def _put(context: Context, recording_id: str) -> None:
    ledger = context.ledger
    transcript = ledger.words.transcript(recording_id)
    if transcript is None or ledger.erasing.is_begun(recording_id):  # since it was looked up
        ledger.index.take_out(recording_id)
        return
    try:
        entries = entries_of(transcript)
    except Exception as error:
        # One that nobody thought of is found by its title, and keeps no other from the index.
        log.error(Event.WENT_WRONG, error=type(error).__name__, where=place_of(error))
        entries = [_entry(0, Passage(()), transcript.language)]
    heading = _heading(context, recording_id, transcript.language)
    ledger.index.put(recording_id, entries, FORM, transcript.language, heading)


def entries_of(transcript: Transcript) -> list[Entry]:
    """The passages of a transcript as they are stored. One of nothing, where nobody speaks: a recording has a name."""
    passages = passages_of(transcript) or [Passage(())]
    return [_entry(number, passage, transcript.language) for number, passage in enumerate(passages)]


def _entry(number: int, passage: Passage, language: str) -> Entry:
    speakers = tuple(dict.fromkeys(s.speaker for s in passage.sentences if s.speaker))
    _, named = stems_and_pairs(" ".join(speakers), language)
    begins, text = [], ""
    for sentence in passage.sentences:
        text += " " if text else ""
        speaker = speakers.index(sentence.speaker) + 1 if sentence.speaker else 0
        begins.append((len(text), round(sentence.start, 2), speaker))
        text += joined(sentence.text)
    stems, pairs = stems_and_pairs(text, language)
    return Entry(number, passage.start, passage.end, tuple(begins), text, stems, pairs, speakers, named)


def _heading(context: Context, recording_id: str, language: str) -> str:
    """Title, tags and names of the files, a line each: what people call a recording. Behind them their stems and pairs."""
    ledger = context.ledger
    summary = ledger.words.summary(recording_id)
    called = [summary.title, *summary.tags] if summary is not None else []
    called += [place.path.stem for place in ledger.places.of(recording_id) if place.here]
    lines = [joined(named(" ".join(line.split()))) for line in dict.fromkeys(called) if line.strip()]
    return "\n".join([*lines, *stems_and_pairs(" ".join(lines), language)])
