"""What sentences mean: requests to the worker that makes vectors of them, and its replies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from earmark.messages.fields import REPLY_LIMIT, JobId, Message

AT_ONCE = 16
"""Texts of one request at most; they take some two seconds of one core."""


class LoadEncoder(Message):
    """First request to a worker that is to make vectors: shut the doors, then load the encoder."""

    type: Literal["load encoder"] = "load encoder"
    model: str
    tokenizer: str
    """Packed paths of its files."""
    once: bool = False
    """One text is to come, and soon: what pays off only with many is not prepared."""
    threads: int = 1
    sandbox: Literal["auto", "require", "off"] = "auto"
    memory_limit_mb: int = 0


class Embed(Message):
    """Make a vector of each text."""

    type: Literal["embed"] = "embed"
    job: int
    texts: Annotated[tuple[str, ...], Field(min_length=1, max_length=AT_ONCE)]


class Embedded(Message):
    """The vectors, in order, of `size` numbers each: float16, little endian, of length 1, in base64."""

    type: Literal["embedded"] = "embedded"
    job: JobId
    size: Annotated[int, Field(ge=1, le=1024)]
    vectors: Annotated[str, Field(max_length=REPLY_LIMIT, pattern="^[A-Za-z0-9+/]*={0,2}$")]
