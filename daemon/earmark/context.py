"""What every part below the loop is handed: the ledger, the configuration in force, the clocks, and one way to tell."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from earmark.config import Config, FolderSettings, folder_settings
from earmark.domain import Instant, Tick
from earmark.events import Event
from earmark.files import Listings, Step, named, quiet
from earmark.ledger import Ledger
from earmark.log import get_logger
from earmark.paths import Home
from earmark.power import on_battery

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """`wall`: Unix seconds, for what is written down. `monotonic`: seconds that stand still while the machine sleeps
    (CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS), for what is waited for.
    """

    wall: Callable[[], Instant] = lambda: Instant(time.time())
    monotonic: Callable[[], Tick] = lambda: Tick(time.monotonic())


@dataclass(slots=True)
class Context:
    """Handed to each part. `config` and `folders` (the drop folders that are watched) are replaced together when the
    configuration is reloaded. `step` is called around every durable act; tests kill the process in there.
    """

    ledger: Ledger
    home: Home
    config: Config
    folders: tuple[Path, ...]
    clock: Clock = field(default_factory=Clock)
    jitter: Callable[[], float] = random.random
    on_battery: Callable[[], bool] = on_battery
    step: Step = quiet
    logs: bool = True
    """Whether acts go to the log, too; a verb says itself what it did."""
    listings: Listings = field(default_factory=Listings)
    quicker: Counter[Path] = field(default_factory=Counter)
    """How often in a row somebody was quicker at the notes of a recording."""
    stumbled: Counter[Path] = field(default_factory=Counter)
    """How often in a row earmark itself went wrong with a file or its notes."""
    server_faults_told: set[str] = field(default_factory=set)
    """What is wrong with the summary server and was told since it last made a summary: it concerns no recording alone."""
    notes_found: dict[Path, Collection[bytes]] = field(default_factory=dict)
    """By drop folder, the paths of all notes that the last complete look at it found."""
    missed: set[bytes] = field(default_factory=set)
    """Notes that were not beside their recording at a scan, and of which it is not written down yet who took them."""
    silent: frozenset[Path] = frozenset()
    """Drop folders that do not answer: nothing in them is looked at, opened or written, because that would hang."""
    coming: Callable[[int], bool] = lambda _: False
    """Whether a file of so many bytes was found and is not read yet: it may be the recording that left another place."""
    examined: Tick | None = None
    """When the whole ledger was found sound, after something had gone wrong."""

    def settings(self, folder: Path) -> FolderSettings:
        """What holds for a drop folder."""
        return folder_settings(self.config, folder)

    def top_of(self, path: Path) -> Path | None:
        """The drop folder, or the state folder, that a path lies in: below it no symlink is followed."""
        tops = {*self.folders, *(f.path for f in self.config.folder), self.home.state}
        return max((t for t in tops if path.is_relative_to(t)), key=lambda t: len(t.parts), default=None)

    def answers(self, path: Path) -> bool:
        """False if a path lies in a drop folder that does not answer."""
        return not self.silent or self.top_of(path) not in self.silent

    def now(self) -> Instant:
        return self.clock.wall()

    def tell(
        self,
        event: Event,
        sentence: str = "",
        *,
        recording: str | None = None,
        file: Path | None = None,
        level: Literal["info", "warning", "error"] = "info",
        journal: bool = True,
        by_worker: bool = False,
        **facts: Any,
    ) -> None:
        """Tell an act once: a line in the log (and on the terminal), and if there is a sentence a row in the journal.

        The sentence holds no word of what was said. `file`: what it is about, as far as a file is. `journal` false: what it
        says is in another table, as long as it is so. `by_worker`: the words are a worker's, which has opened a file, and no
        log that outlives the recording gets them (log.py). `facts` go to the log.
        """
        if sentence:
            if journal:
                self.ledger.journal.record(self.now(), event, named(sentence), recording, file)
            facts["sentence"] = sentence
        if not self.logs:
            return
        if file is not None:
            facts["file"] = str(file)
        if by_worker:
            facts["by_worker"] = True
        getattr(log, level)(event.value, **facts)

    def warn_once(self, event: Event, sentence: str, recording: str, file: Path) -> None:
        """Tell it of a recording as a warning, unless that was the last of its kind that was told of it."""
        told = [entry for entry in self.ledger.journal.events(recording) if entry.what == event]
        if not told or told[-1].detail != named(sentence):
            self.tell(event, sentence, recording=recording, file=file, level="warning")
