"""Who speaks in recordings, by name: saying so, listing it, and letting two names be one person's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, Owed, Seconds, Transcript, is_speech
from earmark.errors import NotFound, UsageError
from earmark.files import is_locked
from earmark.notes.name_lists import is_number, without_links
from earmark.notes.naming import given_to
from earmark.notes.speakers import names_of
from earmark.pipeline.names_given import fitting, give_names, take_names
from earmark.verbs.resolve import Meant
from earmark.verbs.sweeping import PATIENCE, owed_of, write_owed


@dataclass(frozen=True, slots=True)
class Speaker:
    """One who speaks in a recording: what they are called in its notes, `name` if somebody gave them one, for how long they
    speak, whether their voice is stored, and whom it sounds like.
    """

    number: int
    called: str
    name: str
    seconds: Seconds
    voice: bool
    likely: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name that was given in so many recordings, and of how many of them the voice is stored, since when, in seconds."""

    name: str
    recordings: int
    voices: int = 0
    voice_seconds: Seconds = 0.0
    since: Instant | None = None


def speakers(context: Context, meant: Meant) -> tuple[list[Speaker], bool]:
    """Who speaks in a recording, by number, and whether that is not sure. Raises NotFound where it is not known."""
    transcript = _spoken(context, meant)
    names = names_of(transcript) or tuple(f"Speaker {n + 1}" for n in range(len(transcript.speakers)))
    stored, likely = context.ledger.voices.speakers(meant.recording_id), _likely(context, meant.recording_id)
    seconds: defaultdict[int, Seconds] = defaultdict(float)
    for segment in filter(is_speech, transcript.segments):
        seconds[segment.speaker] += segment.end - segment.start
    return [
        Speaker(
            n, names[n - 1], name, round(seconds[n], 1), n in stored, "" if name else likely.get(n, ""),
        )
        for n, name in enumerate(transcript.speakers, start=1)
    ], transcript.speakers_unsure  # fmt: skip


def people(context: Context) -> list[Named]:
    """Every name that was given, and everybody whose voice is known."""
    given = context.ledger.words.names_given()
    found = {name: Named(name, count) for name, count in given.items()}
    for person in context.ledger.voices.people():
        found[person.name] = Named(
            person.name, given.get(person.name, 0), person.recordings, round(person.seconds, 1), person.since
        )
    return sorted(found.values(), key=lambda each: each.name.casefold())


def name(context: Context, meant: Meant, who: str, called: str) -> tuple[list[int], str]:
    """Call those of a recording who go by `who`, a number or a name, by another name; "" takes it back. Returns their
    numbers and the name as it is kept. Raises NotFound if nobody goes by that; UsageError for the number of another.
    """
    kept = fitting(context, without_links(called))
    with context.ledger.acting(PATIENCE):
        take_names(context, meant.recording_id)
        transcript = _spoken(context, meant)
        if transcript.speakers_unsure:
            raise NotFound(
                f"{meant.shown}: who says what is not known well enough there, so nobody can be named; see: earmark speakers"
                " list FILE"
            )
        numbers = _numbers(transcript, who, meant.shown)
        if is_number(kept):
            if any(given_to(number, kept) is None for number in numbers):
                raise UsageError(
                    f'{kept} is the number of another speaker, and no name; "" takes a name back'
                )
            kept = ""
        with context.ledger.transaction():
            give_names(context, transcript, dict.fromkeys(numbers, kept), "by hand")
            if not kept or context.config.remember_voices:
                _say_who(context, meant.recording_id, numbers, kept)
    write_owed(context)
    return numbers, kept


def waits(context: Context, recording_id: str) -> bool:
    """Whether notes of a recording could not be written, and no daemon runs that would: the next run does."""
    return not is_locked(context.home.lock_file) and bool(owed_of(context, recording_id))


def merge(context: Context, one: str, other: str) -> tuple[int, int]:
    """Two names are one person's, who goes by the second from now on; returns in how many recordings that is news, and in
    how many of them both speak, who are one person there from now on. Raises NotFound if nobody goes by either, UsageError.
    """
    kept = fitting(context, without_links(other))
    if not kept or one == kept or is_number(kept):
        raise UsageError("say two names that differ: earmark speakers merge ANNA ANN")
    ledger = context.ledger
    with ledger.acting(PATIENCE):
        for recording_id in ledger.words.spoken_by(one):
            take_names(context, recording_id)
        for each in (one, kept):
            require_known(context, each)
        with ledger.transaction():
            both = {*ledger.words.spoken_by(one)} & {*ledger.words.spoken_by(kept)}
            renamed = rename_everywhere(context, one, kept)
            person, into = ledger.voices.person(one), ledger.voices.person(kept)
            if person is not None:
                affected = ledger.voices.with_person(person)
                if into is None:
                    ledger.voices.call(person, kept)
                else:
                    ledger.voices.merge(person, into)
                for recording_id in affected:
                    ledger.places.owe_recording(recording_id, Owed.POLICY)
    write_owed(context)
    return renamed, len(both)


def rename_everywhere(context: Context, one: str, other: str) -> int:
    """Call everybody by another name who goes by this one; returns in how many recordings. Call in `ledger.acting`, in a
    transaction.
    """
    count = 0
    for recording_id in context.ledger.words.spoken_by(one):
        transcript = context.ledger.words.transcript(recording_id)
        if transcript is not None:
            given = {n: other for n, name in enumerate(transcript.speakers, start=1) if name == one}
            count += give_names(context, transcript, given, "by hand")
    return count


def require_known(context: Context, name: str) -> None:
    """Raises NotFound if nobody goes by this name, neither in a recording nor by a voice."""
    if context.ledger.voices.person(name) is None and not context.ledger.words.spoken_by(name):
        raise NotFound(f"{name}: nobody was given this name; who was: earmark speakers list")


def _spoken(context: Context, meant: Meant) -> Transcript:
    transcript = context.ledger.words.transcript(meant.recording_id)
    if transcript is None:
        raise NotFound(f"{meant.shown}: has no transcript yet")
    if not transcript.speakers:
        raise NotFound(
            f"{meant.shown}: nobody is told apart there: "
            + (
                "one voice says all, or several that sound alike; `earmark transcribe --speakers 2` would part them"
                if transcript.speakers_unsure
                else "one voice says all, or who says what is not known"
            )
        )
    return transcript


def _numbers(transcript: Transcript, who: str, shown: Path) -> list[int]:
    names = names_of(transcript)
    if who.isascii() and who.isdigit():
        found = [int(who)] if 1 <= int(who) <= len(names) else []
    else:
        found = [n for n, each in enumerate(names, start=1) if each.casefold() == who.casefold()]
    if not found:
        there = ", ".join(f"{n} ({each})" for n, each in enumerate(names, start=1))
        raise NotFound(f"{shown}: nobody goes by {who} there; who speaks: {there}")
    return found


def _likely(context: Context, recording_id: str) -> dict[int, str]:
    return context.ledger.voices.likely(recording_id) if context.config.remember_voices else {}


def _say_who(context: Context, recording_id: str, numbers: list[int], name: str) -> None:
    """Whose the voices are, by a person's word, also where they had been recognized; without a name nobody's, and that they
    sound like somebody is taken back, too.
    """
    for number in numbers:
        context.ledger.voices.say(recording_id, number, name, context.now())
    context.ledger.places.owe_recording(recording_id, Owed.POLICY)
