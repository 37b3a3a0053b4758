"""What `status` says of workers that do not start, and of those that start without what should hold them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.messages import LoadModel, LoadSpeakers
from earmark.pipeline.verdict import End, describe
from earmark.supervisor.stages.seat import Order


def not_held(said: Sequence[str], order: Order | None, system: str = sys.platform) -> str:
    """The trouble that a worker on macOS works without all of its walls, by what it said of them; "" if it has them, or is
    to do without. Nobody has tried them there; elsewhere `status` says the same in a line of its own.
    """
    missing = [sentence.removeprefix(NOT_ENFORCED) for sentence in said if sentence.startswith(NOT_ENFORCED)]
    if system != "darwin" or not missing or _is_off(order):
        return ""
    which = "transcription worker" if isinstance(order, LoadModel) else "summarization worker"
    which = "worker that tells voices apart" if isinstance(order, LoadSpeakers) else which
    return (
        f"The {which} works without all of its walls: {'; '.join(missing)}. Please report it; with "
        "require_sandbox = true nothing is worked on like that"
    )


def why_not_started(end: End, order: Order | None, times: int, system: str = sys.platform) -> str:
    """What `status` says where workers end before they are ready, again and again."""
    again = "It is tried again in an hour, and when the configuration is read again"
    if isinstance(order, LoadModel) and end.out_of_memory:
        return (
            f"The model {order.model_name} does not fit into the memory that earmark may use: the system ended its worker"
            f" while it was loading{_in_a_row(times)}. Choose a smaller model ([transcription] model), or allow more"
            f" memory (MemoryMax= of the unit, the limit of the container). {again}."
        )
    if isinstance(order, LoadSpeakers) and end.out_of_memory:
        return (
            "What tells voices apart does not fit into the memory that earmark may use: the system ended its worker"
            f" while it was loading{_in_a_row(times)}. {again}."
        )
    walls = ""
    if system == "darwin" and not _is_off(order):
        walls = (
            " Its macOS sandbox profile, which was made without a Mac, may be the reason: please report it."
        )
        if isinstance(order, LoadModel | LoadSpeakers) and order.sandbox != "require":
            walls += ' [transcription] sandbox = "off" shows whether it is, and works without it.'
    return (
        f"A worker cannot start: {describe(end)}{_in_a_row(times)}.{walls} Look at: earmark doctor. {again}."
    )


def _is_off(order: Order | None) -> bool:
    return isinstance(order, LoadModel | LoadSpeakers) and order.sandbox == "off"


def _in_a_row(times: int) -> str:
    return f", {times} times in a row" if times > 1 else ""
