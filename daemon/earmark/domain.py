"""The words of the field as values: recording, segment, transcript, summary. No I/O, no clock, no libraries.

Times in a recording are seconds from its start. Instants are Unix seconds, local time only where a person reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

Seconds = float
"""A duration or an offset into a recording."""
WordTimes = tuple[tuple[Seconds, Seconds, int], ...]
"""Of each word of a text when it is said, from and until, and the character at which it begins."""
Replaced = tuple[tuple[int, str, str], ...]
"""What the table `replace` changed in a text: the character at which it stands, what was heard, and what stands there."""

Instant = NewType("Instant", float)
"""Unix time in seconds, UTC: what is written down."""

Tick = NewType("Tick", float)
"""Seconds of a monotonic clock: what is waited for. Never compared with an `Instant`."""


def later(instant: Instant, seconds: float) -> Instant:
    """The instant so many seconds later."""
    return Instant(instant + seconds)


class Mark(StrEnum):
    """Why a segment is not presented as plain speech."""

    LOW_CONFIDENCE = "low-confidence"
    REPETITION = "repetition"
    OVER_SILENCE = "over-silence"
    UNTRANSLATED = "untranslated"
    """Of what was to be English: it is what was said, in the language in which it was said."""
    WORDLESS = "wordless"
    """Somebody speaks there, and no words were made out: the text is empty."""


class Stage(StrEnum):
    """The kinds of work that a job can be for, in their order. Writing notes is the supervisor's own act, not a job."""

    TRANSCRIBE = "transcribe"
    DIARIZE = "diarize"
    """Find out who says what in the transcript."""
    SUMMARIZE = "summarize"


class JobState(StrEnum):
    """Where a job stands; `parked` waits for something outside (a server, a disk) and costs no attempts."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"


class Kind(StrEnum):
    """What an artifact is; retention rules are given per kind."""

    AUDIO = "audio"
    TRANSCRIPT = "transcript"
    SUMMARY = "summary"
    SIDECAR = "sidecar"


class Gone(StrEnum):
    """Why a file does not hold a recording any more."""

    MISSING = "missing"
    """A scan did not find it."""
    MOVED = "moved"
    """It has another name or folder now."""
    REPLACED = "replaced"
    """The file has other content now."""
    TRASHED = "trashed"
    """A rule took it."""


class Owed(StrEnum):
    """Why notes have to be looked at again although no words changed."""

    NOTHING = ""
    BACK = "back"
    """The recording was away and is here again: notes that are missing beside it are written anew."""
    RENAMED = "renamed"
    """Links in its notes name the file."""
    AUDIO_WENT = "audio went"
    AUDIO_BACK = "audio is back"
    REPLACED = "replaced"
    """Its file has other content now: its notes make room for those of that content."""
    POLICY = "policy changed"
    """Its audio expires on another day."""


class ArtifactState(StrEnum):
    """Where a note or sidecar stands."""

    WRITING = "writing"  # announced; its bytes may or may not be there
    HERE = "here"
    EDITED = "edited"  # a person changed it
    GONE = "gone"
    """A person removed it; it stays removed."""
    TRASHED = "trashed"
    """A rule took it."""


class TrashState(StrEnum):
    """Where a file that a rule took stands."""

    MOVING = "moving"
    HERE = "here"
    RESTORING = "restoring"
    RESTORED = "restored"
    PURGING = "purging"
    PURGED = "purged"
    HANDED = "handed"  # given to the desktop's trash, as versions before 0.2 could
    LOST = "lost"
    """Somebody else took it out of the trash."""


class Dated(StrEnum):
    """Where a recording's date comes from, the better ones first."""

    CONTAINER = "container"
    NAME = "name"
    FILE = "file date"
    ARRIVAL = "arrival"
    UNKNOWN = ""
    """Not looked at since the ledger learned of dates."""


@dataclass(frozen=True, slots=True)
class Date:
    """When something was recorded: the instant, the local wall time "YYYY-MM-DDTHH:MM:SS" of notes, whence it is known.

    Where only the day is known the text is "YYYY-MM-DD", and the instant its beginning.
    """

    at: Instant
    text: str
    source: Dated


class Fault(StrEnum):
    """Who is to blame when a worker says that it could not do the work."""

    MEDIA = "media"
    """The file itself: final, no retry helps."""
    CHANGED = "changed"
    """The file is no longer the content that was asked for; the folder scan will find what it became."""
    GONE = "gone"
    """The file is not there any more."""
    ACCESS = "access"
    """The worker may not read the file."""
    CLOUD = "cloud"
    """A cloud has the bytes of the file, and this machine has not."""
    MEMORY = "memory"
    """The recording asked for more memory than the worker may have."""
    ENVIRONMENT = "environment"
    """Disk, permissions of a folder, model: pause and try again, charge nobody."""
    ENDPOINT = "endpoint"
    """The summary server is down, busy or loading: park, charge nobody."""
    ANSWER = "answer"
    """The summary server answered with something that is not a summary."""
    LOCALITY = "locality"
    """The step would have left the device."""
    INTERNAL = "internal"
    """A bug of ours; tried again, then failed."""


class Misheard(StrEnum):
    """Why the words of a transcript may not be what was said."""

    LANGUAGE = "language"
    """They were taken for English, and do not look like it."""
    UNCLEAR = "unclear"
    """Hardly any of them is sure."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of speech as the engine heard it.

    `start`/`end`: seconds from the start of the recording, start <= end. `confidence`: exp(mean log probability of its
    tokens), 0-1. `mark` is None for plain speech. `language`: the code of what it was heard in, or "" where all was
    heard in one that was asked for. `speaker`: the number of who says it, from 1 in the order in which they first speak; 0:
    nobody knows. `overlapped`: somebody else talks at the same time. `words`: empty where they were not measured. `heard`:
    what the engine heard, where a person corrected it, whose `text` it is then. `replaced`: what the
    configuration has written otherwise than it was heard; never where a person corrected it.
    """

    start: Seconds
    end: Seconds
    text: str
    confidence: float = 1.0
    mark: Mark | None = None
    language: str = ""
    speaker: int = 0
    overlapped: bool = False
    words: WordTimes = ()
    heard: str | None = None
    replaced: Replaced = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """All segments of one recording with what is known of how they came about.

    `duration` is what was decoded; `declared_duration` what the container claims (None if it does not say).
    `speech_seconds` is voice activity as the detector saw it. `bad_packets` counts packets that did not decode.
    `truncated` is true when the file ends before its own declaration says it should.
    `unreadable_seconds` are those that did not decode, or that the file declares and does not have, where that is known.
    `tracks` are the sound tracks of the file; the words of `tracks_unheard` of them are not in the transcript.
    `language` is the one of most of it (`languages`: all of them). `misheard`: why the words may not be what was said.
    `parts` are the recordings that the file holds one after the other; `parts_unheard` of them could not be read.
    `bytes_unheard` lie behind one of them and are no recording that could be read.
    `only_english`: the model knows no other language. `to_english`: a translation into English was asked for; `english` is
    that of all that was not heard as English, and `untranslated` says that there is none though there should be one.
    `loudest` is the level of the loudest second in decibels of full scale, before it was made louder; None if unknown.
    `recorded_at` is a local wall time "YYYY-MM-DDTHH:MM:SS" from the container's metadata, or None.
    `speakers` are those who say something, by number, with "" for one without a name; empty where nobody knows, and where
    there is one voice. `speakers_unsure`: who says what is not known well enough to be told.
    """

    recording_id: str
    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    duration: Seconds
    speech_seconds: Seconds
    model: str
    engine: str
    declared_duration: Seconds | None = None
    bad_packets: int = 0
    truncated: bool = False
    recorded_at: str | None = None
    tracks: int = 1
    tracks_unheard: int = 0
    parts: int = 1
    parts_unheard: int = 0
    bytes_unheard: int = 0
    unreadable_seconds: Seconds = 0.0
    loudest: float | None = None
    misheard: Misheard | None = None
    only_english: bool = False
    to_english: bool = False
    english: tuple[Segment, ...] = ()
    untranslated: bool = False
    speakers: tuple[str, ...] = ()
    speakers_unsure: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages of the recording, `language` first; empty if nothing was heard."""
        found = spoken_languages(self.segments)
        return found or ((self.language,) if self.language else ())

    @property
    def text(self) -> str:
        """The spoken words without times; segments marked as not speech are left out."""
        return " ".join(s.text.strip() for s in self.segments if is_speech(s) and s.text.strip())


SURE_OF_LANGUAGE = 0.5
"""Probability of a language that was detected, under which it is not known."""

LEAST_SPOKEN = 2.0
"""Seconds of a recording in a language that make it one of its languages."""


def spoken_languages(segments: Iterable[Segment]) -> tuple[str, ...]:
    """The codes of the languages that a recording was heard in, the one of most of its speech first."""
    seconds: dict[str, float] = {}
    for segment in segments:
        if segment.language and is_speech(segment):
            seconds[segment.language] = seconds.get(segment.language, 0.0) + segment.end - segment.start
    order = sorted(seconds, key=lambda code: (-seconds[code], code))
    return tuple(code for code in order if code == order[0] or seconds[code] >= LEAST_SPOKEN)


def is_speech(segment: Segment) -> bool:
    """True for what may be presented as said: plain or low-confidence, never a loop or text over silence."""
    return segment.mark in (None, Mark.LOW_CONFIDENCE)


def wordless_seconds(transcript: Transcript) -> Seconds:
    """For how long somebody speaks without a word being made out."""
    return sum(s.end - s.start for s in transcript.segments if s.mark is Mark.WORDLESS)


@dataclass(frozen=True, slots=True)
class Point:
    """One statement of a summary, and the second of the recording that it rests on (None: the whole). `flagged`: names and
    numbers that the transcript does not hold. `by`: "extractive" or "model", if not who made the rest of the summary.
    """

    text: str
    at: Seconds | None = None
    flagged: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something somebody said would be done. `owner` and `due` only if said; the rest as of a point."""

    text: str
    at: Seconds | None = None
    owner: str | None = None
    due: str | None = None
    flagged: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a recording comes down to, and how far that can be trusted.
    `by`: "extractive", or the kind of server ("lm-studio", ...). `model`: who was asked, also if `by` is "extractive".
    `coverage`: share of speech seconds that reached it, 0-1; `missing` names the (start, end) ranges that did not.
    `unsupported`: statements dropped because the transcript did not bear them out. `jump_marks`: where other words begin.
    `extra`: further sections by heading, for templates that have their own (interview: quotes; journal: mood ...).
    `locality`: "device" (checked), "unverified", "lan" or "cloud"; `made_at`: host that made it, or "this device".
    """

    recording_id: str
    by: str
    title: str
    overview: str
    key_points: tuple[Point, ...] = ()
    decisions: tuple[Point, ...] = ()
    tasks: tuple[Task, ...] = ()
    open_questions: tuple[Point, ...] = ()
    jump_marks: tuple[Point, ...] = ()
    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    template: str = "meeting"
    model: str = ""
    made_at: str = "this device"
    locality: str = "device"
    coverage: float = 1.0
    missing: tuple[tuple[Seconds, Seconds], ...] = ()
    unsupported: int = 0
    extra: dict[str, tuple[Point, ...]] = field(default_factory=dict)
