"""The sentences in which it is said how everything stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from earmark.files import counted
from earmark.models.catalog import known
from earmark.readable import moment
from earmark.standing.gathered import Line, Status

FAILED = "Failed (earmark retry FILE tries again)"
DRAFTS = "Drafts that stay (earmark retry FILE has them heard again)"
WRONG = "Wrong right now"
WAITING = "Waiting"
EDITED = "Edited by you"
COPIES = "Copies"


class Part(NamedTuple):
    """What is listed below one heading. `command`: the verb that lists all of it."""

    heading: str
    lines: tuple[Line, ...]
    command: str


class Reason(NamedTuple):
    """Files of which the same is said: those that are shown, and how many more there are."""

    sentence: str
    shown: list[Line]
    more: int


def parts(found: Status) -> list[Part]:
    """What is listed, with nothing that is empty."""
    all_of_them = (
        Part(FAILED, found.failed, "list --state failed"), Part(DRAFTS, found.drafts_kept, "status --json"),
        Part(WRONG, found.troubles, "status --json"), Part(WAITING, found.waiting, "list --state waiting"),
        Part(EDITED, found.edited, "status --json"), Part(COPIES, found.copies, "status --json"),
    )  # fmt: skip
    return [part for part in all_of_them if part.lines]


def grouped(lines: Sequence[Line], shown: int) -> Iterator[Reason]:
    """By reason, at most `shown` files in all; of each reason one at least."""
    by_reason: dict[str, list[Line]] = {}
    for line in lines:
        by_reason.setdefault(line.reason, []).append(line)
    left = max(shown, len(by_reason))
    for reason, files in by_reason.items():
        here = max(1, min(len(files), left - len(by_reason) + 1))
        left -= here - 1
        yield Reason(reason, files[:here], len(files) - here)


def counts(found: Status) -> str:
    """How many recordings there are, and in which state."""
    numbers = found.counts
    return (
        f"{counted(numbers['recordings'], 'recording')}: "
        f"{numbers['transcribed']} transcribed, {numbers['waiting']} waiting, {numbers['failed']} failed"
    )


def heard(found: Status) -> Iterator[tuple[str, str]]:
    """What was not heard as it should be, and what says more, or helps."""
    if found.not_whole:
        yield (
            f"{counted(found.not_whole, 'recording was', 'recordings were')} not heard whole",
            "earmark list",
        )
    for model, number in found.not_understood.items():
        what = counted(number, "recording does", "recordings do")
        published = known(model)
        knows_more = published is not None and not published.english_only
        helps = "its notes say what helps" if knows_more else "earmark models download base"
        them = "it" if number == 1 else "them"
        yield f"{what} not look like English, as {model} heard {them}", f"earmark list; {helps}"
    for model, number in found.not_translated.items():
        published = known(model)
        other = "base" if published is not None and published.english_only else "small"
        what = f"{counted(number, 'recording')} could not be translated by {model}"
        yield what, f"earmark models download {other}"
    if found.wordless:
        what = counted(found.wordless, "recording")
        long = counted(round(found.wordless_seconds), "second")
        in_all = " in all" if found.wordless > 1 else ""
        yield (
            f"In {what} somebody speaks for {long}{in_all}, and no words were made out there",
            "earmark list",
        )
    if found.silent:
        yield f"{counted(found.silent, 'recording is', 'recordings are')} silent", "earmark list"
    if found.very_quiet:
        yield f"{counted(found.very_quiet, 'recording is', 'recordings are')} very quiet", "earmark list"


def swept(found: Status, when: Callable[[float], str]) -> str:
    """When and how rules were carried out last, and when they will be; "" before the first time. `when`: how an instant is
    said.
    """
    if found.last_sweep is None:
        return ""
    then = f"; next one {moment(found.next_sweep)}" if found.next_sweep else ""
    said = found.last_sweep.reason
    return f"{when(found.last_sweep.since or 0.0)}: {said.removesuffix('.') if then else said}{then}"
