"""What every stage needs: the ledger, the configuration in force, the clock, and where the dice come from."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.config import Config, FolderSettings, folder_settings
from earmark.domain import Instant
from earmark.ledger import Ledger
from earmark.paths import Home


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall`: Unix seconds, for what is written down. `monotonic`: seconds that stand still while the machine sleeps
    (CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS), for what is waited for.
    """

    wall: Callable[[], Instant] = time.time
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Context:
    """Handed to each stage. `config` and `folders` are replaced together when the configuration is reloaded."""

    ledger: Ledger
    home: Home
    config: Config
    folders: tuple[Path, ...]
    clock: Clock = field(default_factory=Clock)
    jitter: Callable[[], float] = random.random
    step: Callable[[str], None] = lambda _: None
    """Called around every durable act; tests kill the process in there."""

    def settings(self, folder: Path) -> FolderSettings:
        """What holds for a drop folder."""
        return folder_settings(self.config, folder)

    def now(self) -> Instant:
        return self.clock.wall()
