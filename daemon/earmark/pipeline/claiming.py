"""Taking work: the next job that can be done, and the file that it is read from. The same for all stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from earmark.context import Context
from earmark.files import in_cloud
from earmark.ledger import Job, Place
from earmark.pipeline import endings
from earmark.pipeline.own_fault import own_fault

Work = TypeVar("Work")


def next_of(
    context: Context, claim: Callable[[], Job | None], prepare: Callable[[Job], Work | None]
) -> Work | None:
    """What `prepare` makes of the first claimed job of which it makes anything; a mistake of our own in there costs that
    recording only.
    """
    while (job := claim()) is not None:
        with own_fault(context, partial(endings.went_wrong, context, job, None, job.recording_id[:12])):
            if (work := prepare(job)) is not None:
                return work
    return None


@dataclass(frozen=True, slots=True)
class Files:
    """The places of a recording that are here and watched, those of them in folders that answer, and the one to read."""

    here: tuple[Place, ...]
    answer: tuple[Place, ...]
    to_read: Place | None


def files_of(context: Context, recording_id: str) -> Files:
    """Where a recording can be read; what only a cloud has is not read, because that would download it."""
    here = tuple(p for p in context.ledger.places.of(recording_id) if p.here and p.watched)
    answer = tuple(p for p in here if context.answers(p.path))
    return Files(here, answer, next((p for p in answer if not in_cloud(p.path)), None))
