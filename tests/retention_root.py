"""Where the retention tests build their worlds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retention_world import World


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory where there is one: nothing here needs a disk, and hundreds of worlds would wait for one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder).resolve()
        while World.made:
            World.made.pop().ledger.close()
