"""Which recordings there are, and what a person looks them through by: state, date, title, folder, speakers, tags, holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Instant, Kind, Transcript
from earmark.files import counted, read_bytes
from earmark.ledger import Artifact, Ledger, Place, Recording
from earmark.notes.damage import damage, is_quiet, is_silent
from earmark.notes.escape import JOINER
from earmark.notes.frontmatter import body_of, decoded, read_frontmatter, tag_names, tags_of
from earmark.retention.gate import verdict
from earmark.retention.held import By, everything_held
from earmark.retention.rules.quality import unsure
from earmark.verbs.states import GROUPS, State, everything

TOP = 64 * 1024
"""Bytes of a note in which its title and tags are looked for."""

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
"""What a backslash stands before that Markdown does not show: ASCII punctuation (CommonMark 2.4)."""

FLAGS = ("damaged", "low-confidence", "held", "gone")
"""What a recording can be besides its state."""

STATES = tuple(dict.fromkeys([*GROUPS.values(), *FLAGS, *GROUPS]))


@dataclass(frozen=True, slots=True)
class Listed:
    """One recording at one path, in a drop folder.

    `state` in one word; `reason` if there is one to give; `dated`: its one date, `date` that as its notes show it; `title`
    is that of its summary, as its note has it. `not_heard`: why words may be missing; `whole`: false if it is because
    something was not heard at all, and not for its level only. `wordless`: seconds in which somebody speaks and no words
    were made out. `silent`: nothing at all can be heard. `copy_of`: the file that was here first with the same
    content, if it is not this one.
    """

    place: Place
    state: State
    duration: float | None
    notes: tuple[Path, ...]
    not_heard: tuple[str, ...]
    whole: bool
    dated: Instant
    date: str
    title: str
    copy_of: Path | None = None
    wordless: float = 0.0
    silent: bool = False

    @property
    def path(self) -> Path:
        return self.place.path

    @property
    def recording(self) -> str:
        return self.place.recording_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None or "": whatever there is. `state`: one of STATES; `since`: dated then or later; `folder`: at
    or below it; `speaker` and `tag` in whatever case.
    """

    state: str | None = None
    since: Instant | None = None
    folder: Path | None = None
    speaker: str = ""
    tag: str = ""


def listed(context: Context, wanted: Wanted) -> list[Listed]:
    """The recordings that are asked for, a row for each path, the newest first."""
    ledger = context.ledger
    recordings = {recording.id: recording for recording in ledger.recordings.all()}
    everywhere = ledger.places.all()
    places = [p for p in everywhere if _is_meant(p, recordings[p.recording_id], wanted)]
    if wanted.speaker:
        spoken = _spoken_by(context, wanted.speaker)
        places = [p for p in places if p.recording_id in spoken]
    of: dict[str, list[Place]] = {}
    for place in everywhere:
        of.setdefault(place.recording_id, []).append(place)
    return _rows(context, places, recordings, of, wanted)


def _is_meant(place: Place, recording: Recording, wanted: Wanted) -> bool:
    """As far as the ledger's own rows say it."""
    if wanted.folder is not None and not place.path.is_relative_to(wanted.folder):
        return False
    return wanted.since is None or recording.recorded_at >= wanted.since


def _rows(
    context: Context,
    places: list[Place],
    recordings: Mapping[str, Recording],
    everywhere: Mapping[str, list[Place]],
    wanted: Wanted,
) -> list[Listed]:
    """`everywhere`: all places of each recording, in the order in which they came."""
    ledger, known = context.ledger, everything(context)
    heard = ledger.words.conditions()
    not_whole = {recording_id for recording_id, c in heard.items() if not c.whole}
    quiet = {recording_id for recording_id, c in heard.items() if is_quiet(c.loudest)}
    titles, notes = ledger.words.titles(), notes_of_places(context.ledger.artifacts.all())
    meant = _flagged(context, not_whole, wanted.state)
    rows = []
    for place in places:
        recording_id, recording = place.recording_id, recordings[place.recording_id]
        state = known.at(place, here=any(p.here for p in everywhere[recording_id]))
        mine = notes.get((place.path, recording_id), [])
        if not _is_in(context, place, state, meant, wanted.state):
            continue
        if wanted.tag and not is_tagged(mine, wanted.tag):
            continue
        row = Listed(
            place, state, recording.duration, tuple(a.path for a in mine),
            not_heard(ledger, ledger.words.transcript(recording_id))
            if recording_id in not_whole or recording_id in quiet else (),
            recording_id not in not_whole, recording.recorded_at, recording.recorded_text,
            title_of(mine, titles.get(recording_id, "")),
            copy_of(place, everywhere[recording_id]),
            heard[recording_id].wordless if recording_id in heard else 0.0,
            recording_id in heard and is_silent(heard[recording_id].loudest),
        )  # fmt: skip
        rows.append(row)
    return sorted(rows, key=lambda row: (-row.dated, row.path))


def _flagged(context: Context, not_whole: set[str], wanted: str | None) -> tuple[set[str], set[Path]]:
    """The recordings, and folders, that are what was asked for besides their state."""
    if wanted == "held":
        held = everything_held(context, writes=False)
        markers = {h.path.parent for h in held if h.by is By.MARKER and h.path is not None}
        return {h.recording for h in held if h.recording is not None}, markers
    return (not_whole if wanted == "damaged" else set()), set()


def _is_in(
    context: Context, place: Place, state: State, flagged: tuple[set[str], set[Path]], wanted: str | None
) -> bool:
    """Whether a recording is in a state that is asked for, which may be several words of this program's."""
    match wanted:
        case None:
            return True
        case "damaged" | "held":
            recordings, folders = flagged
            return place.recording_id in recordings or any(place.path.is_relative_to(f) for f in folders)
        case "low-confidence":
            return unsure(verdict(context, place.recording_id, writes=False) or "")
        case "gone":
            return not place.here
        case _:
            return wanted in (state.word, state.group)


def _spoken_by(context: Context, name: str) -> set[str]:
    """The recordings in which somebody was given this name, in whatever case."""
    words = context.ledger.words
    names = [each for each in words.names_given() if each.casefold() == name.casefold()]
    return {recording_id for each in names for recording_id in words.spoken_by(each)}


def notes_of_places(artifacts: Iterable[Artifact]) -> dict[tuple[Path, str], list[Artifact]]:
    """What was written for each path and is on disk."""
    found: dict[tuple[Path, str], list[Artifact]] = {}
    for artifact in artifacts:
        if artifact.on_disk:
            found.setdefault((artifact.place, artifact.recording_id), []).append(artifact)
    return found


def _is_changed(note: Artifact) -> bool:
    """True if a person has changed a note, as far as the ledger and the time of the file tell."""
    try:
        return note.state is ArtifactState.EDITED or note.path.lstat().st_mtime > note.written_at + 1.0
    except OSError:
        return False


def _text(artifact: Artifact) -> str:
    """The beginning of a note, "" if it cannot be read."""
    try:
        return decoded(read_bytes(artifact.path, most=TOP))
    except OSError:
        return ""


def is_tagged(notes: Collection[Artifact], tag: str) -> bool:
    """Whether a tag stands in the notes of a recording now, whoever wrote it."""
    wanted = tag.lstrip("#").casefold()
    texts = (text for a in notes if a.note and may_say(text := _text(a), wanted))
    return any(wanted in tags_in(text) for text in texts)


def tags_in(text: str) -> frozenset[str]:
    """What the tags of a note go by, from its beginning."""
    return frozenset(name for tag in tags_of(read_frontmatter(text) or {}) for name in tag_names(tag))


def may_say(text: str, tag: str) -> bool:
    """False if no YAML in a text can mean this tag; to read it as YAML takes a thousand times as long as to look for it."""
    return tag in text.casefold() or "\\" in text or not re.fullmatch(r"[^\W\d_][^\s\\]*", tag)


def title_of(notes: Collection[Artifact], ours: str) -> str:
    """The heading of the summary as its note has it; as we wrote it where that cannot be read or has none."""
    summary = next((a for a in notes if a.note and a.kind is Kind.SUMMARY), None)
    if summary is None or not _is_changed(summary):
        return ours
    heading = re.search(r"^(?:- )?# +(.+?) *#*$", body_of(_text(summary)), re.MULTILINE)
    if heading is None:
        return ours
    return _ESCAPED.sub(r"\1", heading[1]).replace(JOINER, "")  # as an app shows it


def not_heard(ledger: Ledger, transcript: Transcript | None) -> tuple[str, ...]:
    """Why words of a recording may be missing."""
    if transcript is None:
        return ()
    return tuple(damage(transcript, draft=ledger.drafts.owed(transcript.recording_id)))


def copy_of(place: Place, same: Iterable[Place]) -> Path | None:
    """The file that was here first with the content of this one, if that is another. `same`: all places of the recording,
    in the order in which they came.
    """
    here = [other.path for other in same if other.here]
    return here[0] if place.here and place.path in here and place.path != here[0] else None


def copied(of: Path, shown: Callable[[Path], str]) -> str:
    """What is said of a file with the content of another one. `shown`: how that one's path is said."""
    return f"the same content as {shown(of)}, heard once"


def how_many(files: int, recordings: int) -> str:
    """`18 recordings`, `19 files of 18 recordings`."""
    what = counted(recordings, "recording")
    return what if files == recordings else f"{counted(files, 'file')} of {what}"
