"""What is asked of a summary worker about passages of recordings, and what it answers; one JSON object per line.

The daemon never asks: `earmark ask` does, of a worker of its own that is confined as the daemon's is.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from earmark.messages import Confine, Failed, Message, Progress, Ready, ServerRequest, SummarizeRequest
from earmark.messages.fields import Count, JobId, Label
from earmark.probes import ProbeRequest

LONGEST = 400
"""Characters of one sentence of an answer."""


class GivenSentence(BaseModel):
    """One sentence of a passage: who says it, or "", and at which second."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at: float
    speaker: str
    text: str


class GivenPassage(BaseModel):
    """A passage that an answer may rest on. `called`: title and file name of its recording, a line each."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    called: str
    day: str
    language: str
    sentences: tuple[GivenSentence, ...]


class AskRequest(ServerRequest):
    """Answer a question from these passages and nothing else. `context`: as in SummarizeRequest.

    Answered by a Stated for each sentence that holds, as soon as it is checked, and by Answered or Failed in the end.
    """

    type: Literal["ask"] = "ask"
    question: str
    passages: tuple[GivenPassage, ...]
    context: int = 0


class Stated(Message):
    """A sentence of the answer that was held against the words of a passage: `passage` and `sentence` are numbers from 0."""

    type: Literal["stated"] = "stated"
    job: JobId
    passage: Annotated[int, Field(ge=0, lt=1000)]
    sentence: Annotated[int, Field(ge=0, lt=100_000)]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Answered(Message):
    """The end of an answer. `dropped`: sentences that did not hold; `read`: how many of the passages, from the first, the
    server was given. `locality`: as in `domain.Summary`.
    """

    type: Literal["answered"] = "answered"
    job: JobId
    dropped: Count
    read: Count
    model: Label
    made_at: Label
    locality: Label


parse_summary_worker_request: TypeAdapter[Confine | SummarizeRequest | ProbeRequest | AskRequest] = (
    TypeAdapter(
        Annotated[Confine | SummarizeRequest | ProbeRequest | AskRequest, Field(discriminator="type")]
    )
)
parse_ask_reply: TypeAdapter[Ready | Progress | Stated | Answered | Failed] = TypeAdapter(
    Annotated[Ready | Progress | Stated | Answered | Failed, Field(discriminator="type")]
)
"""What a worker answers to Confine and AskRequest."""
