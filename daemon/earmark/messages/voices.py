"""Who says what: requests to the worker that tells voices apart, and its replies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from earmark.messages.fields import REPLY_LIMIT, Count, JobId, Message, Moment, Voice
from earmark.speaking import MOST_PEOPLE, Turn


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
    above: Annotated[float, Field(ge=-100, le=100)] | None = None
    """Powers of ten by which speech is louder than what is between."""


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
    number, if they were asked for and can be known again; else none.
    """

    type: Literal["told apart"] = "told apart"
    job: JobId
    turns: Annotated[tuple[Turn, ...], Field(max_length=200_000)]
    people: Annotated[int, Field(ge=0, le=100)]
    unsure: bool
    voices: Annotated[tuple[VoicePrint, ...], Field(max_length=100)] = ()
