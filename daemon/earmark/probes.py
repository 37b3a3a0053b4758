"""What is asked of a summary worker about its server, and what was found; one JSON object per line, as in `messages`.

No word of a recording is in it, and the daemon never asks for it: the verbs do.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from earmark.messages import Failed, Message, Progress, Ready, ServerRequest


class ProbeRequest(ServerRequest):
    """Connect as a summary would and ask one small question of our own.

    Answered by Probed. No word of a recording is in it.
    """

    type: Literal["probe"] = "probe"


class EndpointReport(BaseModel):
    """One endpoint as it was found.

    `context`: tokens of the window as loaded, 0 if nobody says (then `assumed` is planned with). `structured`: the way
    in which JSON can be had ("json_schema", "json_object" or "text"), empty if the model gave none. `speed`: answer
    tokens per second, 0.0 unknown. `waited`: seconds to the first answer, with the loading of the model. `locality`:
    "device", "unverified", "lan" or "cloud". `problem`: one sentence if it cannot be used, else empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    url: str
    server: str = ""
    model: str = ""
    models: tuple[str, ...] = ()
    context: int = 0
    assumed: int = 0
    structured: str = ""
    tokenizer: bool = False
    slots: int = 1
    speed: float = 0.0
    waited: float = 0.0
    locality: str = ""
    made_at: str = ""
    problem: str = ""

    @property
    def usable(self) -> bool:
        return not self.problem


class Probed(Message):
    """What was found where the configuration points: one report, or with "auto" one for each server that listens."""

    type: Literal["probed"] = "probed"
    job: int
    reports: tuple[EndpointReport, ...]


parse_probe_reply: TypeAdapter[Ready | Progress | Probed | Failed] = TypeAdapter(
    Annotated[Ready | Progress | Probed | Failed, Field(discriminator="type")]
)
"""What a worker answers to Confine and ProbeRequest. Probed is no `Reply`: the daemon never asks for one."""
