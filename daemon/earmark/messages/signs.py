"""What a worker says of itself and of how far it is: that it is ready, has begun, lives, or is to hear no more for now."""

from __future__ import annotations

from typing import Literal

from earmark.messages.fields import JobId, Label, Measures, Message, Moment


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


class PutOff(Message):
    """The recording is longer than what was to be heard of it at this time; what was said of it before holds."""

    type: Literal["put off"] = "put off"
    job: JobId
