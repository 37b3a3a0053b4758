"""What stands in a note of who speaks, if that is not what was known: names, or what cannot be read as any.

A note's list is held against what stood there when it was written, or read last, so that an older one takes nothing back
that another note or a verb has said since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from earmark.context import Context
from earmark.domain import ArtifactState, Transcript
from earmark.events import Event
from earmark.files import digest, read_bytes
from earmark.ledger import Artifact
from earmark.notes.comments import mark_of_merge
from earmark.notes.comparing import Likeness
from earmark.notes.encoding import in_windows_1252, with_our_lines
from earmark.notes.frontmatter import decoded
from earmark.notes.name_lists import names_in, why_no_names
from earmark.notes.names_said import Held, Shown, said
from earmark.notes.naming import given, news
from earmark.notes.no_yaml import Mistake, mistake_in
from earmark.notes.own_links import compared
from earmark.notes.reading import read_transcript
from earmark.notes.speakers import names_of
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import moved_to
from earmark.pipeline.stands_there import what_stands_there
from earmark.pipeline.words_held import has_transcript, words_held
from earmark.speaking import Turn, names_after

READ = (ArtifactState.HERE, ArtifactState.EDITED, ArtifactState.WRITING)


@dataclass(frozen=True, slots=True)
class NamesThere:
    """What a note says that is not as it was: when it was written last, the names that it is held against from now on, what
    is new among them, what names nobody, with what would be right, and where its properties are no YAML, for which the
    note itself stays as it is.
    """

    artifact: Artifact
    at: float
    names: tuple[str, ...]
    news: Mapping[int, str]
    odds: tuple[str, ...]
    mistake: Mistake | None = None


def is_read(context: Context, artifact: Artifact) -> bool:
    """Whether it is read what a person says in a note."""
    return artifact.state in READ or moved_to(context, artifact) is not None


def has_names(context: Context, artifact: Artifact) -> bool:
    """Whether a note has names that nobody has taken, or that name nobody."""
    found = names_there(context, artifact)
    return found is not None and bool(
        found.odds or found.names != artifact.names or is_to_show(context, found)
    )


def is_to_show(context: Context, found: NamesThere) -> bool:
    """Whether a note that stayed as it was, for a mistake in its properties, can show its names in its turns by now."""
    artifact = found.artifact
    if artifact.state is not ArtifactState.EDITED or artifact.mergeable or found.mistake or found.odds:
        return False
    key = style_of(context.config.notes).key("speakers")
    if found.names != artifact.names or found.names == names_in(artifact.top, key):
        return False
    if artifact.rev < 1 or not any(place.here for place in context.ledger.places.of(artifact.recording_id)):
        return False
    try:
        return compared(context.ledger, read_bytes(artifact.path), artifact, key) is Likeness.LINKS
    except OSError:
        return False


def has_other_names(context: Context, artifact: Artifact) -> bool:
    """Whether somebody has another name in a note than when it was read last."""
    found = names_there(context, artifact)
    return found is not None and bool(found.news)


def why_names_not_read(context: Context, artifact: Artifact) -> str:
    """Why some of what a note says of who speaks names nobody, and what would be right; "" if all of it does."""
    found = names_there(context, artifact)
    return "; ".join(found.odds) if found is not None else ""


def why_stays(context: Context, artifact: Artifact) -> str:
    """Where the properties of a note that a person changed are no YAML, for which it stays as it is; "" where they are."""
    if not artifact.note or not is_read(context, artifact):
        return ""
    for _, data in what_stands_there(context, artifact):
        mistake = mistake_in(with_our_lines(decoded(data)))
        return _at(mistake, mistake.right) if mistake is not None else ""
    return ""


def _at(mistake: Mistake, right: str) -> str:
    what = (
        f"right would be: {right}"
        if right
        else "put into quotes what is no plain word, and write no property twice"
    )
    return (
        f"line {mistake.line} is no YAML, so that nobody can tell what you changed above the text, and this note alone keeps"
        f" the names that its turns had; {what}"
    )


def _without_words(right: str) -> str:
    """What would be right, as the journal says it."""
    if not right:
        return ""
    if not right.startswith("- "):
        return 'what stands there, between two "'
    return (
        '- "..." with what stands there for the dots'
        if right[2] in "\"'"
        else "- ... with what stands there for the dots"
    )


def say_odds(context: Context, found: NamesThere) -> None:
    """Tell once that names in a note are nobody's, and have it count as a person's; which, the journal is not to hold. And
    that its properties are no YAML.
    """
    if found.mistake is not None:
        context.warn_once(
            Event.NO_YAML,
            f"{found.artifact.path.name}: {_at(found.mistake, _without_words(found.mistake.right))}",
            found.artifact.recording_id,
            found.artifact.path,
        )
    if not found.odds:
        return
    artifact = found.artifact
    if artifact.state is ArtifactState.HERE:
        context.ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
    context.warn_once(
        Event.NAMES_NOT_READ,
        f"{artifact.path.name}: {'; '.join(found.odds)}",
        artifact.recording_id,
        artifact.path,
    )


def names_there(context: Context, artifact: Artifact) -> NamesThere | None:
    """What a note says of who speaks, if it is none of our own writing."""
    if not artifact.note or artifact.names == () or not is_read(context, artifact):
        return None
    key = style_of(context.config.notes).key("speakers")
    for at, data in what_stands_there(context, artifact):
        if artifact.has_bytes(digest(data)):
            return None
        text = decoded(data)
        if "\ufffd" in text:
            text = in_windows_1252(data, ()) or text
        if mark_of_merge(with_our_lines(text)):
            return None
        return _said(context, artifact, at, text, key)
    return None


def _said(context: Context, artifact: Artifact, at: float, text: str, key: str) -> NamesThere | None:
    listed, unreadable = names_in(text, key), why_no_names(text, key)
    transcript = context.ledger.words.transcript(artifact.recording_id)
    called = names_of(transcript) if transcript is not None else ()
    held = Held(names_in(artifact.top, key), artifact.names, called)
    if unreadable:
        return NamesThere(artifact, at, artifact.names or (), {}, (unreadable,))
    if not listed and not held.written:
        return None
    found = said(listed, held, _shown(context, artifact, with_our_lines(text), held))
    names = tuple(found.names)
    mistake = mistake_in(with_our_lines(text))
    return NamesThere(artifact, at, names, news(artifact.names, names), tuple(found.odds), mistake)


def _shown(context: Context, artifact: Artifact, text: str, held: Held) -> tuple[Shown, ...]:
    """With which names the turns of a note begin, if it is known whose they are."""
    before = words_held(context, artifact) if held.written and has_transcript(context, artifact) else None
    if before is None or len(before.speakers) != len(held.written) or before.speakers_unsure:
        return ()
    if not _is_of_the_same(before, context.ledger.words.transcript(artifact.recording_id)):
        return ()
    # Those who went by one name when it was written are one there.
    read = read_transcript(
        text, replace(before, speakers=given(held.written)), style_of(context.config.notes)
    )
    return read.shown if read is not None else ()


def _is_of_the_same(held: Transcript, now: Transcript | None) -> bool:
    """Whether those who speak have the numbers by now that they had when a note was written."""
    if now is None or held.segments == now.segments:
        return now is not None
    numbers = tuple(str(n) for n, _ in enumerate(held.speakers, start=1))
    turns = [Turn(s.start, s.end, s.speaker, s.overlapped) for s in now.segments if s.speaker]
    return names_after(replace(held, speakers=numbers), turns) == numbers
