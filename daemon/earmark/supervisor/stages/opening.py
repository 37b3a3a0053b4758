"""What the stages have in common whose workers open recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from earmark.domain import Stage as StageName
from earmark.messages import LoadModel, LoadSpeakers
from earmark.pipeline.diarizing import Diarizing
from earmark.pipeline.transcribing import Transcribing
from earmark.supervisor.stages.base import Stage
from earmark.supervisor.stages.seat import Seat

Opened = TypeVar("Opened", Transcribing, Diarizing)

SLOWEST_DISK = 5e6
"""Bytes a second. A file of terabytes is read for hours before the first word of it is heard."""


class OpeningStage(Stage[Opened]):
    """A stage whose worker reads the file of a recording."""

    _folders_are: Mapping[Path, str] = {}
    """What the drop folders were when a worker was told."""

    name: StageName
    """Which jobs it does."""

    def known_folders(self) -> dict[Path, str]:
        """What the folders are, as far as a worker was told, that do not answer now: there nothing has changed."""
        return {folder: self._folders_are.get(folder, "") for folder in self._context.silent}

    def told_folders(self, order: LoadModel | LoadSpeakers) -> None:
        """A worker is told so."""
        self._folders_are = dict(zip(self._context.folders, order.readable_as, strict=True))

    def slack(self, work: Opened) -> float:
        # It reads the whole file first, to see that it is what was asked for.
        return work.place.identity.size / SLOWEST_DISK

    def shown(self, work: Opened) -> tuple[str, str]:
        return self.name, str(work.place.path)

    def file_of(self, work: Opened) -> Path | None:
        return work.place.path

    def memory_of(self, seat: Seat[Opened]) -> int:
        return seat.order.memory_limit_mb if isinstance(seat.order, LoadModel | LoadSpeakers) else 0
