"""The first request to a worker that makes vectors, be it for the daemon or for a query."""

from __future__ import annotations

from earmark.config import Config
from earmark.files import pack_path
from earmark.messages import LoadEncoder
from earmark.search.models import MeaningModel

MODULE = "earmark.search.worker"

MEMORY, TIMES = 1536, 4
"""MiB of address space of such a worker, besides its model, which is there some four times while it is loaded."""


def meaning_order(config: Config, model: MeaningModel, *, once: bool = False) -> LoadEncoder:
    """What to load, and behind which walls. `once`: for one query."""
    size = model.model.stat().st_size >> 20
    return LoadEncoder(
        model=pack_path(model.model),
        tokenizer=pack_path(model.tokenizer),
        once=once,
        sandbox=config.sandbox,
        memory_limit_mb=config.transcription.memory_limit_mb or MEMORY + TIMES * size,
    )
