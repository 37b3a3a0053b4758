"""Names that people give to those who speak: read from the lists and the turns of notes, and given to the transcript.

Names are no edit, but a note that was edited as well stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind, Owed, Stage, Transcript
from earmark.events import Event
from earmark.files import read_bytes
from earmark.ledger import Artifact, Recording
from earmark.notes.comparing import Likeness
from earmark.notes.encoding import with_our_lines
from earmark.notes.escape import clip
from earmark.notes.kept_properties import with_theirs
from earmark.notes.naming import given, renamed, words_too
from earmark.notes.own_links import compared
from earmark.notes.speakers import LONGEST, names_of
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.names_again import say_again
from earmark.pipeline.names_there import NamesThere, is_to_show, names_there, say_odds
from earmark.pipeline.outputs import revision


def take_names(context: Context, recording_id: str) -> bool:
    """Read what people have written into the notes of a recording of who speaks, and give those names; true if any are news.
    Of notes that say different things the one counts that was written last. Call in `ledger.acting`.
    """
    ledger = context.ledger
    notes = [a for a in ledger.artifacts.of_recording(recording_id) if a.note and a.names != ()]
    found = [there for a in notes if (there := names_there(context, a)) is not None]
    transcript = ledger.words.transcript(recording_id) if found else None
    if transcript is None or not names_of(transcript):
        return False
    with ledger.transaction():
        for each in found:
            _show(context, each)
            if each.names:
                ledger.artifacts.names_read(each.artifact.path, each.names)
            say_odds(context, each)
            _say_cut(context, each)
            _say_several(context, each)
        given: dict[int, str] = {}
        by: dict[int, str] = {}
        for each in sorted(found, key=lambda there: there.at):
            lies = lies_at(context, each.artifact)
            name = lies.name
            for number in sorted(n for n in given.keys() & each.news if given[n] != each.news[n]):
                context.tell(
                    Event.SPEAKERS_NAMED,
                    f"{by[number]} and {name} say different things of speaker {number}; {name} was written last and counts.",
                    recording=recording_id, file=lies,
                )  # fmt: skip
            given |= each.news
            by |= dict.fromkeys(each.news, name)
        news = give_names(context, transcript, given, f"in {' and '.join(dict.fromkeys(by.values()))}")
        for each in found if news else ():
            say_again(context, each, {n: fitting(context, name) for n, name in each.news.items()})
        return news


def _say_cut(context: Context, found: NamesThere) -> None:
    """Tell that a name is longer than it is kept."""
    for number in sorted(n for n in found.news if len(found.names[n - 1]) > LONGEST):
        _warn_of(
            context, found, f"the name of speaker {number} has {len(found.names[number - 1])} characters, and is cut to"
            f" {LONGEST} wherever it is written.",
        )  # fmt: skip


def _say_several(context: Context, found: NamesThere) -> None:
    """Tell that a line with a comma is one name, where somebody has none who may be meant by it."""
    if all(given(found.names)):
        return
    for number in sorted(n for n, name in found.news.items() if re.search(r"\S[,;]\s*\S", name)):
        _warn_of(
            context, found, f"the name of speaker {number} has a comma or semicolon in it: one line is one name; if those"
            " are two people, write one line for each.",
        )  # fmt: skip


def _warn_of(context: Context, found: NamesThere, sentence: str) -> None:
    """Tell something of the names in a note, where it lies by now."""
    lies, recording = lies_at(context, found.artifact), found.artifact.recording_id
    context.tell(
        Event.SPEAKERS_NAMED, f"{lies.name}: {sentence}", recording=recording, file=lies, level="warning"
    )


def _show(context: Context, found: NamesThere) -> None:
    """Have a note written anew whose turns do not show yet what its list says, once."""
    artifact, recording = found.artifact, context.ledger.recordings.get(found.artifact.recording_id)
    if recording is None or not is_to_show(context, found):
        return
    now = revision(recording, artifact.kind, one_file=context.config.notes.layout == "one-file")
    if artifact.rev >= now:
        context.ledger.artifacts.stands_as(artifact.path, now - 1)
        context.ledger.places.owe_recording(artifact.recording_id, Owed.POLICY)


def give_names(context: Context, transcript: Transcript, given: Mapping[int, str], where: str) -> bool:
    """Call those who speak by the names given, by number ("": by none); true if any is news. `where`: somebody said so.
    Its notes and the summary are owed with them; what its owner removed stays away. Call in `ledger.acting`, in a
    transaction.
    """
    ledger, recording_id = context.ledger, transcript.recording_id
    names = [fitting(context, given.get(n, old)) for n, old in enumerate(transcript.speakers, start=1)]
    changed = [n for n, old in enumerate(transcript.speakers, start=1) if names[n - 1] != old]
    before = ledger.recordings.get(recording_id)
    if not changed or before is None:
        return False
    edited = edited_otherwise(context, recording_id)
    after = replace(transcript, speakers=tuple(names))
    ledger.words.rename_speakers(after)
    summary = ledger.words.summary(recording_id)
    if summary is not None:
        former, present = names_of(transcript), names_of(after)
        going = {old for old, new in zip(former, present, strict=True) if old != new}
        unclear = words_too(going, " ".join(segment.text for segment in transcript.segments))
        ledger.words.store_summary(renamed(summary, former, present, unclear), context.now())
        if _parts(former, present) or unclear:
            ledger.jobs.requeue(recording_id, Stage.SUMMARIZE, context.now())
    _say_whose(context, recording_id, {n: names[n - 1] for n in changed})
    ledger.artifacts.stay_removed(recording_id)
    now = ledger.recordings.get(recording_id)
    leave_edited(context, edited, before, now or before)
    context.tell(
        Event.SPEAKERS_NAMED,
        f"{_said(changed, names)} {where}.",
        recording=recording_id,
        file=_shown(context, recording_id),
    )
    return True


def fitting(context: Context, name: str) -> str:
    """A name as it can stand in notes: on one line, not too long; in the list of Logseq a comma begins another one."""
    if context.config.notes.dialect == "logseq":
        name = name.replace(",", " ")
    return clip(name, LONGEST)


def edited_otherwise(context: Context, recording_id: str) -> list[Artifact]:
    """The notes and sidecars of a recording that a person changed otherwise than by names, by words that are known, and by
    properties, which a later version keeps.
    """
    key, found = style_of(context.config.notes).key("speakers"), []
    for artifact in context.ledger.artifacts.of_recording(recording_id):
        edited = artifact.state is ArtifactState.EDITED
        if artifact.mergeable if edited else artifact.state is not ArtifactState.HERE:
            continue
        try:
            data = read_bytes(artifact.path) if context.answers(artifact.path) else None
            like = None if data is None else compared(context.ledger, data, artifact, key)
        except OSError:
            data = like = None
        if like in (Likeness.EDITED, None):
            found += [artifact] if edited or like is not None else []
        elif like is Likeness.PROPERTIES and data is not None:
            text = with_our_lines(data.decode())
            listed = key in text or bool(
                artifact.names
            )  # who is to be called how there, nobody may have read
            found += [artifact] if listed or with_theirs(artifact.top, text, artifact.top) is None else []
    return found


def leave_edited(context: Context, edited: Iterable[Artifact], before: Recording, after: Recording) -> None:
    """Nothing is put beside a note that a person changed because somebody has another name, or words were corrected in
    another one: it has what it had.
    """
    one_file = context.config.notes.layout == "one-file"
    for artifact in edited:
        kind = artifact.kind if artifact.note else Kind.TRANSCRIPT
        if artifact.rev >= revision(before, kind, one_file=one_file):
            context.ledger.artifacts.stands_as(artifact.path, revision(after, kind, one_file=one_file))


def _say_whose(context: Context, recording_id: str, named: Mapping[int, str]) -> None:
    """Voices that are stored are theirs who were named; nobody else's at least, where voices are not remembered any more."""
    for number, name in named.items():
        known = name if context.config.remember_voices else ""
        context.ledger.voices.say(recording_id, number, known, context.now())


def _parts(former: Sequence[str], present: Sequence[str]) -> bool:
    """True if two of one name have different ones now: then nobody knows whom a summary means by it."""
    pairs = {*zip(former, present, strict=True)}
    return len(pairs) > len({before for before, _ in pairs})


def _said(changed: Sequence[int], names: Sequence[str]) -> str:
    named = [str(n) for n in changed if names[n - 1]]
    nameless = [str(n) for n in changed if not names[n - 1]]
    said = []
    for numbers, what in ((named, "got a name"), (nameless, "went back to a number")):
        if numbers:
            who = "Speaker" if len(numbers) == 1 else "Speakers"
            said.append(f"{who} {', '.join(numbers)} {what}")
    return "; ".join(said)


def _shown(context: Context, recording_id: str) -> Path | None:
    return next((place.path for place in context.ledger.places.of(recording_id)), None)
