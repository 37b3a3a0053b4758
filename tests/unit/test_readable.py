"""What a terminal shows of a name."""

from __future__ import annotations

import pytest
from earmark.cli.voice import readable


@pytest.mark.parametrize("name", ["علی\u200cرضا", "क्\u200dष", "👩\u200d👩\u200d👧 Anna", "❤\ufe0f\u200d🔥"])
def test_a_name_that_is_written_with_joiners_is_shown_as_it_is(name: str) -> None:
    assert readable(name) == name


@pytest.mark.parametrize("name", ["an\u200dna", "\u200dAnna", "Anna\u200c", "an\u202ena", "an\x1b[2Jna"])
def test_what_nobody_sees_is_shown_elsewhere(name: str) -> None:
    assert readable(name).isascii()
