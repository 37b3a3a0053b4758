"""Where tests build their worlds that need no disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import in_memory
from tests.retention_world import World


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder in memory. The ledgers of the worlds in it are closed in the end."""
    with in_memory() as folder:
        yield folder
        while World.made:
            World.made.pop().ledger.close()
