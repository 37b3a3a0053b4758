"""What a summarizer is, and how it says that it could not do its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from earmark.domain import Fault, Summary
from earmark.messages import SummarizeRequest

Heartbeat = Callable[[float, float | None], None]
"""Called with (chunks done, chunks in all or None) whenever there is a sign of life."""


@dataclass(frozen=True, slots=True)
class Result:
    """A summary, and one plain sentence on anything the user should know (or an empty string). `unfit`: why the model's own
    is not what is shown, or "".
    """

    summary: Summary
    note: str = ""
    unfit: str = ""


class Summarizer(Protocol):
    """Turns one transcript into one summary. Raises SummaryFault when it cannot."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result: ...


class SummaryFault(Exception):
    """No summary came about. `fault` says who is to blame, `sentence` is shown to the user as it is.

    The sentence never holds what was said in the recording.
    """

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault
        self.sentence = sentence
        self.model = ""
        """Whose answer it was, where a model answered."""


class EndpointFault(SummaryFault):
    """The server is down, busy, loading, locked or lacks the model: wait for it, charge nobody."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Fault.ENDPOINT, sentence)


class AnswerFault(SummaryFault):
    """The server answered, and what it said is not a summary."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Fault.ANSWER, sentence)
