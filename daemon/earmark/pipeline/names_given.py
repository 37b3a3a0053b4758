"""Names that people give to those who speak: read from the lists in the notes, and given to the transcript.

A note's list is held against what stood there when it was written, or read last, so that an older one takes nothing back
that another note or a verb has said since. Names are no edit, but a note that was edited as well stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind, Stage, Transcript
from earmark.events import Event
from earmark.files import digest, read_bytes
from earmark.ledger import Artifact, Recording
from earmark.notes.comments import mark_of_merge
from earmark.notes.comparing import Likeness
from earmark.notes.encoding import in_windows_1252, with_our_lines
from earmark.notes.escape import clip
from earmark.notes.frontmatter import decoded
from earmark.notes.kept_properties import with_theirs
from earmark.notes.naming import left_over, names_in, news, renamed, words_too
from earmark.notes.own_links import compared
from earmark.notes.speakers import LONGEST, names_of
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import moved_to
from earmark.pipeline.outputs import revision

READ = (ArtifactState.HERE, ArtifactState.EDITED, ArtifactState.WRITING)


@dataclass(frozen=True, slots=True)
class _List:
    """The list of speakers in a note that is not as it was: when the note was written last, and what is new in it."""

    artifact: Artifact
    at: float
    names: tuple[str, ...]
    news: Mapping[int, str]

    @property
    def known(self) -> tuple[str, ...]:
        """What the note is held against from now on: of a list with too few or too many what fits."""
        before = self.artifact.names
        if before is None or len(before) == len(self.names):
            return self.names
        return tuple(self.news.get(number, name) for number, name in enumerate(before, start=1))


def is_read(context: Context, artifact: Artifact) -> bool:
    """Whether it is read what a person says in a note."""
    return artifact.state in READ or moved_to(context, artifact) is not None


def has_names(context: Context, artifact: Artifact) -> bool:
    """Whether a note has names in its list that nobody has taken."""
    return artifact.names != () and _listed(context, artifact) is not None


def has_other_names(context: Context, artifact: Artifact) -> bool:
    """Whether somebody has another name in a note's list than when it was read last."""
    found = _listed(context, artifact) if artifact.names != () else None
    return found is not None and bool(found.news)


def take_names(context: Context, recording_id: str) -> bool:
    """Read what people have written into the lists of a recording's notes, and give those names; true if any are news. Of
    notes that say different things the one counts that was written last. Call in `ledger.acting`.
    """
    ledger = context.ledger
    notes = [a for a in ledger.artifacts.of_recording(recording_id) if a.note and a.names != ()]
    lists = [found for a in notes if is_read(context, a) and (found := _listed(context, a)) is not None]
    if not lists:
        return False
    transcript = ledger.words.transcript(recording_id)
    if transcript is None or not names_of(transcript):
        return False
    with ledger.transaction():
        for each in lists:
            ledger.artifacts.names_read(each.artifact.path, each.known)
            _say_left_over(context, each, len(transcript.speakers))
        given: dict[int, str] = {}
        by: dict[int, str] = {}
        for each in sorted(lists, key=lambda found: found.at):
            name = each.artifact.path.name
            for number in sorted(n for n in given.keys() & each.news if given[n] != each.news[n]):
                context.tell(
                    Event.SPEAKERS_NAMED,
                    f"{by[number]} and {name} say different things of speaker {number}; {name} was written last and counts.",
                    recording=recording_id, file=each.artifact.path,
                )  # fmt: skip
            given |= each.news
            by |= dict.fromkeys(each.news, name)
        return give_names(context, transcript, given, f"in {' and '.join(dict.fromkeys(by.values()))}")


def _say_left_over(context: Context, found: _List, speakers: int) -> None:
    """Tell once that names of a list are nobody's; which, the journal is not to hold."""
    names, note = left_over(found.artifact.names, found.names), found.artifact.path.name
    if not names:
        return
    them = (
        "a name in its list of speakers is"
        if len(names) == 1
        else f"{len(names)} names in its list of speakers are"
    )
    count = len(found.names)
    context.warn_once(
        Event.NAMES_NOT_READ,
        f"{note}: {them} nobody's, because {speakers} people speak and {count} {'is' if count == 1 else 'are'} listed;"
        " write one line for each, in their order, or say it with: earmark speakers name FILE NUMBER NAME",
        found.artifact.recording_id,
        found.artifact.path,
    )


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


def _listed(context: Context, artifact: Artifact) -> _List | None:
    """What stands in the list of a note, if that is not what was known, and if it is not our own writing."""
    key = style_of(context.config.notes).key("speakers")
    for at, data in what_stands_there(context, artifact):
        if digest(data) in (artifact.sha256, artifact.next_sha256):
            return None
        text = decoded(data)
        if "\ufffd" in text:
            text = in_windows_1252(data, ()) or text
        names = names_in(text, key)
        if not names or names == artifact.names or mark_of_merge(with_our_lines(text)):
            return None
        return _List(artifact, at, names, news(artifact.names, names))
    return None


def what_stands_there(context: Context, artifact: Artifact) -> Iterator[tuple[float, bytes]]:
    """When a note was written last, and its bytes, for each place in which it may lie and can be read."""
    for path in _where_it_lies(context, artifact):
        if not context.answers(path):
            continue
        try:
            found = path.lstat().st_mtime, read_bytes(path)
        except OSError:
            continue
        yield found


def _where_it_lies(context: Context, artifact: Artifact) -> Iterable[Path]:
    """Where a note lies; if its folder has another name by now, beside its recording; or where its owner moved it."""
    yield artifact.path
    if (moved := moved_to(context, artifact)) is not None:
        yield moved
    for place in context.ledger.places.of(artifact.recording_id):
        if place.here and place.path.parent != artifact.path.parent:
            beside = place.path.parent / artifact.path.name
            if context.ledger.artifacts.at(beside) is None:
                yield beside


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
