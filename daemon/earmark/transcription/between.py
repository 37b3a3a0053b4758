"""What is heard between the windows of a long recording, so that it need not wait for its end."""

from __future__ import annotations

from typing import Protocol


class Between(Protocol):
    """Recordings that were asked for while another one is heard."""

    def wanted(self) -> bool:
        """True if one waits. May be asked in any thread."""

    def hear(self) -> None:
        """Hear the first one that waits, if any does. To be called in the thread that requests are worked on in, and where
        nothing of another recording is being heard: should the worker end, it is known over which one.
        """


class _Nothing:
    def wanted(self) -> bool:
        return False

    def hear(self) -> None:
        pass


NOTHING: Between = _Nothing()
"""Nobody is let in."""
