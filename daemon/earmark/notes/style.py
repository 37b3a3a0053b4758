"""How notes are to look, and what a note says beyond the words: values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from earmark.config.schema import Notes
from earmark.domain import Seconds
from earmark.notes.escape import Dialect
from earmark.notes.paragraphs import PAUSE, SECONDS

_OBSIDIANS_OWN = frozenset({"tags", "aliases", "cssclasses"})


@dataclass(frozen=True, slots=True)
class NoteStyle:
    """How notes are written in one folder.

    `key_prefix` goes before every frontmatter key but Obsidian's own three and `earmark_id`; `keys` renames single
    keys (old name to full new name). A paragraph of a transcript ends at a pause of `paragraph_pause` seconds, or
    at the first sentence end after `paragraph_seconds`. `times`: what begins with a time in it.
    """

    dialect: Dialect = "obsidian"
    layout: Literal["two-files", "one-file"] = "two-files"
    key_prefix: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    confidence_marks: bool = True
    paragraph_pause: Seconds = PAUSE
    paragraph_seconds: Seconds = SECONDS
    times: Literal["paragraph", "sentence"] = "paragraph"
    summary_layout: str = ""
    """Jinja2 source of a user's own layout for the body of the summary note; empty for ours."""

    def key(self, name: str) -> str:
        """The frontmatter key to write for our key `name`."""
        if name in self.keys:
            return self.keys[name]
        return name if name in _OBSIDIANS_OWN or name == "earmark_id" else self.key_prefix + name


def style_of(notes: Notes, layout: str = "") -> NoteStyle:
    """The style that the configuration asks for; `layout` is the source of a user's own layout of a summary."""
    return NoteStyle(
        notes.dialect, notes.layout, notes.key_prefix, notes.keys, times=notes.times, summary_layout=layout
    )


@dataclass(frozen=True, slots=True)
class NoteContext:
    """What a note needs to know besides transcript and summary.

    `audio_gone`: a sentence, when and by which rule the audio went; None while it is there. `recorded_at`: local
    wall time "YYYY-MM-DDTHH:MM:SS", or "" if nobody knows. `recorded_from`: where that date comes from, if not from the
    recording itself. `transcript_note`, `summary_note`: the ways to them from the note's folder,
    in it their names. `notices`: plain sentences for the top of the note. `draft`: a better transcript follows.
    `likely`: whom speakers without a name sound like, by number. `note_id`: the id by which notes name the recording, if it
    is not the short one.
    """

    recording_id: str
    audio_name: str
    recorded_at: str = ""
    recorded_from: str | None = None
    duration: Seconds = 0.0
    audio_here: bool = True
    audio_gone: str | None = None
    transcript_note: str | None = None
    summary_note: str | None = None
    tags: tuple[str, ...] = ()
    audio_expires: str | None = None
    notices: tuple[str, ...] = ()
    draft: bool = False
    likely: Mapping[int, str] = field(default_factory=dict)
    note_id: str = ""

    @property
    def audio_there(self) -> bool:
        """True if links to the recording lead to it."""
        return self.audio_here and self.audio_gone is None


def stamp(seconds: Seconds) -> str:
    """A place in a recording as people write it: `01:23`, `1:02:03`. Whole seconds, rounded down."""
    hours, rest = divmod(max(0, int(seconds)), 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes:02}:{second:02}"


def length(seconds: Seconds) -> str:
    """A duration: `0:32`, `48:00`, `1:02:03`. Rounded to the nearest second."""
    text = stamp(round(seconds))
    return text[1:] if text.startswith("0") else text
