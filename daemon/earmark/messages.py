"""What supervisor and workers say to each other: one JSON object per line, checked on arrival.

The supervisor writes requests to a worker's stdin and reads replies from its stdout; stderr is for logs. A worker
parses untrusted media, so what it says is validated like any other outside input. File paths travel as
percent-encoded bytes, because a POSIX name need not be text. Anything a recording's words could be in goes
through these pipes only, never through argv or the environment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from earmark.domain import Fault, Segment, Summary, Transcript, spoken_languages
from earmark.misheard import misheard
from earmark.speaking import MOST_PEOPLE, Turn
from earmark.translation import untranslated

LINE_LIMIT = 64 * 1024 * 1024
"""Longest line that a worker reads, in bytes; a transcript of a day of speech is about 2 MB."""

REPLY_LIMIT = 4 * 1024 * 1024
"""Longest line that is read from a worker, in bytes; the longest honest one, a summary, has about 100 kB."""

YEARS = 10 * 366 * 86_400.0
"""Seconds. No recording is longer, whatever its header says."""

JobId = Annotated[int, Field(ge=0, lt=1 << 63)]
Moment = Annotated[float, Field(ge=0.0, le=YEARS)]
"""Seconds into a recording, or how long something in it takes."""
Voice = Annotated[int, Field(ge=0, le=2)]
"""One of the three voices of a window."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Level = Annotated[float, Field(ge=-120.0, le=3.1)]
"""Decibels of full scale; a square wave on it has a root mean square of 0, and of 3 where a sine's is called 0."""
Label = Annotated[str, Field(max_length=300)]
"""A name of an engine, device or model."""
Language = Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")]
"""A code as Whisper has them, too short to hide a word in it: it is logged."""
Sentence = Annotated[str, Field(max_length=10_000)]
"""What is shown to a person; it may quote a path, which has up to 4,096 bytes."""
Measures = Annotated[tuple[Sentence, ...], Field(max_length=50)]


class Message(BaseModel):
    """Base of all messages: immutable; unknown keys and numbers that are none (NaN, infinity) are errors on either side."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def line(self) -> bytes:
        """This message as one line of JSON."""
        return self.model_dump_json().encode() + b"\n"


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
    hotwords: str | None = None
    names: tuple[str, ...] = ()
    """Titles and terms; what sounds like a name in them is spelled like it."""
    initial_prompt: str | None = None
    beam_size: int = 5
    resume_at: float = 0.0
    """Seconds; everything before it is already checkpointed. Always the `upto` of an earlier `Heard`."""
    max_seconds: float = 24 * 3600.0


# --- transcription: replies ---


class Ready(Message):
    """The model is loaded and the doors are shut; `sandbox` lists what is enforced, in words."""

    type: Literal["ready"] = "ready"
    engine: Label
    device: Label
    compute_type: Label
    sandbox: Measures = ()


class Started(Message):
    """The file is open and is what was asked for; from here on a crash is this recording's."""

    type: Literal["started"] = "started"
    job: JobId
    declared_duration: Moment | None


class Progress(Message):
    """A sign of life. `at`/`total` are seconds of audio (transcription) or chunks (summaries)."""

    type: Literal["progress"] = "progress"
    job: JobId
    at: Moment
    total: Moment | None


class Heard(Message):
    """A checkpoint: `segments` are final, and nothing before `upto` seconds will be heard again.

    `speech_seconds` counts from the start of this request, `bad_packets` from the start of the recording, which is
    decoded again whole.
    """

    type: Literal["heard"] = "heard"
    job: JobId
    upto: Moment
    segments: Annotated[tuple[Segment, ...], Field(max_length=2_000)]
    language: Language
    language_probability: Share
    speech_seconds: Moment
    bad_packets: Count = 0
    english: Annotated[tuple[Segment, ...], Field(max_length=2_000)] = ()
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


# --- who says what: requests and reply ---


class LoadSpeakers(Message):
    """First request to a transcription worker that is to tell voices apart: shut the doors, then load both models."""

    type: Literal["load speakers"] = "load speakers"
    segmentation: str
    encoder: str
    """Packed paths of ONNX files."""
    features: Literal["logmel40", "fbank80"] = "logmel40"
    """What the encoder takes."""
    threads: int = 1
    sandbox: Literal["auto", "require", "off"] = "auto"
    readable: tuple[str, ...] = ()
    readable_as: tuple[str, ...] = ()
    """As in LoadModel."""
    memory_limit_mb: int = 0


class Stretch(Message):
    """What was found of the voices in some minutes in a row; survives whatever comes. Asked with it again, a worker goes on
    behind it.

    `windows`: how many are done with it, from the start of the recording. `pieces`: from second, until second, window and
    voice of it; `both`: the same of two voices at once. `prints`: of each piece, float16 in base64, `size` numbers each.
    """

    type: Literal["stretch"] = "stretch"
    job: JobId
    windows: Annotated[int, Field(ge=1, le=1_000_000_000)]
    upto: Moment
    pieces: Annotated[tuple[tuple[Moment, Moment, Count, Voice], ...], Field(max_length=20_000)]
    both: Annotated[tuple[tuple[Moment, Moment, Count, Voice, Voice], ...], Field(max_length=20_000)]
    size: Annotated[int, Field(ge=1, le=1024)]
    prints: Annotated[str, Field(max_length=REPLY_LIMIT, pattern="^[A-Za-z0-9+/]*={0,2}$")]
    mean: Annotated[tuple[float, ...], Field(max_length=200)]
    """Of the channel, with which the prints were made."""


class TellApart(Message):
    """Say who speaks when in one file. `recording_id` is the SHA-256 that its bytes must have. `done`: what was found of it
    before, in order.
    """

    type: Literal["tell apart"] = "tell apart"
    job: int
    path: str
    recording_id: str
    fewest: int = 1
    most: int = MOST_PEOPLE
    """How many people there are, as far as that is known."""
    max_seconds: float = 24 * 3600.0
    done: tuple[Stretch, ...] = ()
    voices: bool = False
    """Say the prints of their voices, too."""


class VoicePrint(Message):
    """The voice of somebody, of so many seconds of speech: float32, little endian, in base64."""

    print: Annotated[str, Field(max_length=6_000, pattern="^[A-Za-z0-9+/]+={0,2}$")]
    seconds: Moment


class ToldApart(Message):
    """Who speaks when, by time. `people`: how many; `unsure`: it is not known well enough to be told. `voices`: theirs, by
    number, if they were asked for.
    """

    type: Literal["told apart"] = "told apart"
    job: JobId
    turns: Annotated[tuple[Turn, ...], Field(max_length=200_000)]
    people: Annotated[int, Field(ge=0, le=100)]
    unsure: bool
    voices: Annotated[tuple[VoicePrint, ...], Field(max_length=100)] = ()


# --- summarization: requests ---


class Confine(Message):
    """First request to a summarization worker: give up every connection but to this endpoint. Answered by Ready.

    The fields are those of SummarizeRequest. With `require` a system that cannot enforce it ends the worker.
    """

    type: Literal["confine"] = "confine"
    endpoint: str
    privacy: Literal["device", "lan", "cloud"] = "device"
    allowed_hosts: tuple[str, ...] = ()
    consent: str = ""
    template_dir: str = ""
    require: bool = False


class SummarizeRequest(Message):
    """Summarize one transcript. Everything the worker needs to know is in here; it reads no configuration.

    `endpoint`: "auto", "none" (extractive only) or a base URL. `privacy`: how far the request may go.
    """

    type: Literal["summarize"] = "summarize"
    job: int
    transcript: Transcript
    endpoint: str
    model: str = "auto"
    api_key: str = ""
    privacy: Literal["device", "lan", "cloud"] = "device"
    allowed_hosts: tuple[str, ...] = ()
    consent: str = ""
    """What the user allowed (the ledger's fact `privacy.allowed`), held against the addresses that are connected to."""
    template: str = "meeting"
    template_dir: str = ""
    language: str = "auto"
    vocabulary: tuple[str, ...] = ()
    max_points: int = 7
    timeout: float = 600.0
    """Seconds without a single byte from the server before it counts as hung."""
    context: int = 0
    """Context window in tokens if the user fixed it; 0 asks the server."""
    meanwhile: bool = False
    """There is no summary of this recording yet: send the extractive one if the server is slow to say a word."""


# --- summarization: replies ---


class Summarized(Message):
    """The summary; `note` is one plain sentence on anything the user should know (or empty)."""

    type: Literal["summarized"] = "summarized"
    job: JobId
    summary: Summary
    note: Sentence = ""
    meanwhile: bool = False
    """Not the answer yet: what stands there until it comes, or until the job waits for a server."""


parse_transcription_request: TypeAdapter[LoadModel | TranscribeRequest] = TypeAdapter(
    Annotated[LoadModel | TranscribeRequest, Field(discriminator="type")]
)
parse_speaker_request: TypeAdapter[LoadSpeakers | TellApart] = TypeAdapter(
    Annotated[LoadSpeakers | TellApart, Field(discriminator="type")]
)
Reply = Ready | Started | Progress | Heard | Finished | Stretch | ToldApart | Summarized | Failed
parse_reply: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="type")])
