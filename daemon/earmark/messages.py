"""What supervisor and workers say to each other: one JSON object per line, checked on arrival.

The supervisor writes requests to a worker's stdin and reads replies from its stdout; stderr is for logs. A worker
parses untrusted media, so what it says is validated like any other outside input. File paths travel as
percent-encoded bytes, because a POSIX name need not be text. Anything a recording's words could be in goes
through these pipes only, never through argv or the environment.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from earmark.domain import Fault, Segment, Summary, Transcript

LINE_LIMIT = 64 * 1024 * 1024
"""Longest line that is read from a peer, in bytes; a transcript of a day of speech is about 2 MB."""


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
    memory_limit_mb: int = 0
    """Address-space cap for the worker in MiB; 0 for none."""


class TranscribeRequest(Message):
    """Transcribe one file from `resume_at` on. `recording_id` is the SHA-256 that its bytes must have."""

    type: Literal["transcribe"] = "transcribe"
    job: int
    path: str
    recording_id: str
    language: str | None = None
    hotwords: str | None = None
    initial_prompt: str | None = None
    beam_size: int = 5
    resume_at: float = 0.0
    """Seconds; everything before it is already checkpointed. Always the `upto` of an earlier `Heard`."""
    max_seconds: float = 24 * 3600.0


# --- transcription: replies ---


class Ready(Message):
    """The model is loaded and the doors are shut; `sandbox` lists what is enforced, in words."""

    type: Literal["ready"] = "ready"
    engine: str
    device: str
    compute_type: str
    sandbox: tuple[str, ...] = ()


class Started(Message):
    """The file is open and is what was asked for; from here on a crash is this recording's."""

    type: Literal["started"] = "started"
    job: int
    declared_duration: float | None


class Progress(Message):
    """A sign of life. `at`/`total` are seconds of audio (transcription) or chunks (summaries)."""

    type: Literal["progress"] = "progress"
    job: int
    at: float
    total: float | None


class Heard(Message):
    """A checkpoint: `segments` are final, and nothing before `upto` seconds will be heard again.

    `speech_seconds` counts from the start of this request (not from the start of the recording).
    """

    type: Literal["heard"] = "heard"
    job: int
    upto: float
    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    speech_seconds: float
    bad_packets: int = 0


class Finished(Message):
    """The end of the file was reached. Durations are of the whole recording; counts are of this request only."""

    type: Literal["finished"] = "finished"
    job: int
    duration: float
    declared_duration: float | None
    language: str
    language_probability: float
    speech_seconds: float
    bad_packets: int
    truncated: bool
    recorded_at: str | None


class Failed(Message):
    """The work was not done; `sentence` is shown to the user as it is."""

    type: Literal["failed"] = "failed"
    job: int
    fault: Fault
    sentence: str


# --- summarization: requests ---


class Confine(Message):
    """First request to a summarization worker: give up every connection but to this endpoint. Answered by Ready.

    The fields are those of SummarizeRequest. With `require` a system that cannot enforce it ends the worker.
    """

    type: Literal["confine"] = "confine"
    endpoint: str
    privacy: Literal["device", "lan", "cloud"] = "device"
    allowed_hosts: tuple[str, ...] = ()
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
    template: str = "meeting"
    template_dir: str = ""
    language: str = "auto"
    vocabulary: tuple[str, ...] = ()
    max_points: int = 7
    timeout: float = 600.0
    """Seconds without a single byte from the server before it counts as hung."""
    context: int = 0
    """Context window in tokens if the user fixed it; 0 asks the server."""


# --- summarization: replies ---


class Summarized(Message):
    """The summary; `note` is one plain sentence on anything the user should know (or empty)."""

    type: Literal["summarized"] = "summarized"
    job: int
    summary: Summary
    note: str = ""


TranscriptionRequest = Annotated[LoadModel | TranscribeRequest, Field(discriminator="type")]
parse_transcription_request: TypeAdapter[LoadModel | TranscribeRequest] = TypeAdapter(TranscriptionRequest)
Reply = Ready | Started | Progress | Heard | Finished | Summarized | Failed
parse_reply: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="type")])
SummarizationRequest = Annotated[Confine | SummarizeRequest, Field(discriminator="type")]
parse_summarization_request: TypeAdapter[Confine | SummarizeRequest] = TypeAdapter(SummarizationRequest)
