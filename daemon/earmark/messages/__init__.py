"""What supervisor and workers say to each other: one JSON object per line, checked on arrival.

The supervisor writes requests to a worker's stdin and reads replies from its stdout; stderr is for logs. A worker
parses untrusted media, so what it says is validated like any other outside input. File paths travel as
percent-encoded bytes, because a POSIX name need not be text. Anything a recording's words could be in goes
through these pipes only, never through argv or the environment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from earmark.domain import Fault, Segment, Summary, Transcript, spoken_languages
from earmark.messages.fields import (
    LINE_LIMIT,
    REPLY_LIMIT,
    WHEN_ASKED,
    Bytes,
    Count,
    JobId,
    Language,
    Level,
    Message,
    Moment,
    Segments,
    Sentence,
    Share,
)
from earmark.messages.meaning import Embed, Embedded, LoadEncoder
from earmark.messages.signs import Progress, PutOff, Ready, Started
from earmark.messages.voices import LoadSpeakers, Stretch, TellApart, ToldApart, VoicePrint
from earmark.misheard import misheard
from earmark.translation import untranslated

__all__ = [
    "LINE_LIMIT",
    "REPLY_LIMIT",
    "Confine",
    "Embed",
    "Embedded",
    "Failed",
    "Finished",
    "Heard",
    "LoadEncoder",
    "LoadModel",
    "LoadSpeakers",
    "Message",
    "Progress",
    "PutOff",
    "Ready",
    "Reply",
    "ServerRequest",
    "Started",
    "Stretch",
    "SummarizeRequest",
    "Summarized",
    "TellApart",
    "ToldApart",
    "TranscribeRequest",
    "VoicePrint",
    "parse_meaning_request",
    "parse_reply",
    "parse_speaker_request",
    "parse_transcription_request",
]


# --- transcription: requests ---


class LoadModel(Message):
    """First request to a transcription worker: shut the doors, then load the model from a directory."""

    type: Literal["load"] = "load"
    model_dir: str
    """Packed path of a CTranslate2 Whisper directory."""
    model_name: str
    device: str = "auto"
    compute_type: str = "auto"
    cpu_threads: int = 0
    """Threads that hear a window."""
    at_once: int = 1
    """Windows that are heard side by side, on a processor."""
    sandbox: Literal["auto", "require", "off"] = "auto"
    readable: tuple[str, ...] = ()
    """Packed paths of the folders that recordings may be read from."""
    readable_as: tuple[str, ...] = ()
    """What is at each of them, as device and inode: a worker keeps the folders that were there when it shut the doors, and
    one that was made, replaced or mounted since takes a new worker."""
    memory_limit_mb: int = 0
    """Address-space cap for the worker in MiB; 0 for none."""


class TranscribeRequest(Message):
    """Transcribe one file from `resume_at` on. `recording_id` is the SHA-256 that its bytes must have."""

    type: Literal["transcribe"] = "transcribe"
    job: int
    path: str
    recording_id: str
    language: str | None = None
    languages: tuple[str, ...] = ()
    """Everything is in `language`; None: each stretch in its own one of `languages`, or of all if that is empty."""
    settled: str | None = None
    settled_probability: float = 0.0
    """The main language as an earlier attempt settled it, so that it need not be settled again."""
    to_english: bool = False
    """What is not in English is wanted in English, too."""
    word_times: bool = False
    """When each word is said is wanted, too."""
    hotwords: str | None = None
    names: tuple[str, ...] = ()
    """Titles and terms; what sounds like a name in them is spelled like it."""
    initial_prompt: str | None = None
    beam_size: int = 5
    careful: bool = False
    """One window at a time, because a worker has ended over this recording."""
    resume_at: float = 0.0
    """Seconds; everything before it is already checkpointed. Always the `upto` of an earlier `Heard`."""
    max_seconds: float = 24 * 3600.0
    most: float | None = None
    """Seconds of the recording after which it is put off, as it is if it says that it is longer; None for all of it. A
    recording that is heard between the windows of another one has a `most`."""


# --- transcription: replies ---


class Heard(Message):
    """A checkpoint: `segments` are final, and nothing before `upto` seconds will be heard again.

    `speech_seconds` counts from the start of this request, `bad_packets` from the start of the recording, which is
    decoded again whole.
    """

    type: Literal["heard"] = "heard"
    job: JobId
    upto: Moment
    segments: Segments
    language: Language
    language_probability: Share
    speech_seconds: Moment
    bad_packets: Count = 0
    english: Segments = ()
    """The same in English, of what was not heard as English, if that was asked for."""


class Finished(Message):
    """The end of the file was reached. Everything is of the whole recording, but `speech_seconds` of this request only."""

    type: Literal["finished"] = "finished"
    job: JobId
    duration: Moment
    declared_duration: Moment | None
    language: Language
    language_probability: Share
    speech_seconds: Moment
    bad_packets: Count
    truncated: bool
    tracks: Count = 1
    tracks_unheard: Count = 0
    parts: Count = 1
    parts_unheard: Count = 0
    bytes_unheard: Bytes = 0
    unreadable_seconds: Moment = 0.0
    loudest: Level | None = None
    only_english: bool = False
    """The model knows no other language."""
    recorded_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$")] | None

    def transcript(
        self,
        recording_id: str,
        segments: tuple[Segment, ...],
        model: str,
        engine: str,
        english: tuple[Segment, ...] | None = None,
    ) -> Transcript:
        """The transcript that a request ends in. What counts only for this request is as it was said here. `english`: None
        if that was not asked for.
        """
        spoken = spoken_languages(segments)
        heard = Transcript(
            recording_id=recording_id,
            segments=segments,
            language=spoken[0] if spoken else self.language,
            language_probability=self.language_probability,
            duration=self.duration,
            speech_seconds=self.speech_seconds,
            model=model,
            engine=engine,
            declared_duration=self.declared_duration,
            bad_packets=self.bad_packets,
            truncated=self.truncated,
            recorded_at=self.recorded_at,
            tracks=self.tracks,
            tracks_unheard=self.tracks_unheard,
            parts=self.parts,
            parts_unheard=self.parts_unheard,
            bytes_unheard=self.bytes_unheard,
            unreadable_seconds=self.unreadable_seconds,
            loudest=self.loudest,
            only_english=self.only_english,
            to_english=english is not None,
            english=english or (),
        )
        return replace(heard, misheard=misheard(heard), untranslated=untranslated(heard))


class Failed(Message):
    """The work was not done; `sentence` is shown to the user as it is."""

    type: Literal["failed"] = "failed"
    job: JobId
    fault: Fault
    sentence: Sentence
    model: str = ""
    """Whose answer could not be used, where one answered."""


# --- summarization: requests ---


class Confine(Message):
    """First request to a summarization worker: give up every connection but to this endpoint. Answered by Ready.

    The fields are those of ServerRequest. With `require` a system that cannot enforce it ends the worker.
    """

    type: Literal["confine"] = "confine"
    endpoint: str
    privacy: Literal["device", "lan", "cloud"] = "device"
    allowed_hosts: tuple[str, ...] = ()
    consent: str = ""
    template_dir: str = ""
    require: bool = False


class ServerRequest(Message):
    """What every request says of the server that it is for, and of how far it may go (`privacy`).

    `endpoint`: "auto", "none" or a base URL.
    """

    job: int = 0
    endpoint: str
    model: str = "auto"
    api_key: str = ""
    privacy: Literal["device", "lan", "cloud"] = "device"
    allowed_hosts: tuple[str, ...] = ()
    consent: str = ""
    """What the user allowed (the ledger's fact `privacy.allowed`), held against the addresses that are connected to."""
    template_dir: str = ""
    timeout: float = 600.0
    """Seconds without a single byte from the server before it counts as hung."""


class SummarizeRequest(ServerRequest):
    """Summarize one transcript. Everything the worker needs to know is in here; it reads no configuration.

    With the endpoint "none" it is extractive only.
    """

    type: Literal["summarize"] = "summarize"
    job: int
    transcript: Transcript
    template: str = "meeting"
    language: str = "auto"
    vocabulary: tuple[str, ...] = ()
    max_points: int = 7
    context: int = 0
    """Context window in tokens if the user fixed it; 0 asks the server."""
    meanwhile: bool = False
    """There is no summary of this recording yet: send the extractive one if the server is slow to say a word."""
    unfit: str = ""
    """The model that is not to be asked again; if it is still the one that is there, that is a fault of the endpoint."""


# --- summarization: replies ---


class Summarized(Message):
    """The summary; `note` is one plain sentence on anything the user should know (or empty)."""

    type: Literal["summarized"] = "summarized"
    job: JobId
    summary: Summary
    note: Sentence = ""
    unfit: Sentence = ""
    """Why the model's own summary is not the one that is shown, or ""."""
    meanwhile: bool = False
    """Not the answer yet: what stands there until it comes, or until the job waits for a server."""


parse_transcription_request: TypeAdapter[LoadModel | TranscribeRequest] = TypeAdapter(
    Annotated[LoadModel | TranscribeRequest, Field(discriminator="type")], config=WHEN_ASKED
)
parse_speaker_request: TypeAdapter[LoadSpeakers | TellApart] = TypeAdapter(
    Annotated[LoadSpeakers | TellApart, Field(discriminator="type")], config=WHEN_ASKED
)
parse_meaning_request: TypeAdapter[LoadEncoder | Embed] = TypeAdapter(
    Annotated[LoadEncoder | Embed, Field(discriminator="type")], config=WHEN_ASKED
)
Reply = (
    Ready
    | Started
    | Progress
    | Heard
    | Finished
    | PutOff
    | Stretch
    | ToldApart
    | Embedded
    | Summarized
    | Failed
)
parse_reply: TypeAdapter[Reply] = TypeAdapter(
    Annotated[Reply, Field(discriminator="type")], config=WHEN_ASKED
)
