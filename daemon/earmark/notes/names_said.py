"""What a note says of who speaks, by its list and by the names with which its turns begin; and what nobody can tell. Pure.

A name in the place of another in all turns of a voice is theirs, if the list has the former one still. A list or turns that
contradict themselves name nobody; nor does another name in some of the turns, which is an edit of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from earmark.domain import Seconds
from earmark.notes.name_lists import ONE_EACH
from earmark.notes.naming import given, given_to, left_over, news
from earmark.notes.style import stamp

BY_HAND = "or say it with: earmark speakers name FILE NUMBER NAME"

MOST_SHOWN = 3
"""Turns whose times are said."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A turn in a note: at which second it begins, whose it is by number (0: nobody's), and with which name ("": none)."""

    at: Seconds
    speaker: int
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a note is held against. `written`: the names with which its turns were written (empty: nobody knows); `known`:
    those that it said when it was read last (None: nobody knows); `called`: what those who speak are called now.
    """

    written: tuple[str, ...]
    known: tuple[str, ...] | None
    called: tuple[str, ...]


@dataclass(slots=True)
class Said:
    """`names`: by number, as they are known from now on; `odds`: what names nobody, and what would be right."""

    names: list[str]
    odds: list[str] = field(default_factory=list)
    edited: set[int] = field(default_factory=set)
    """For whom the list has another name than the one that was written."""


def said(listed: tuple[str, ...], held: Held, shown: Sequence[Shown]) -> Said:
    """What a note says whose list holds these names (none: it has no list, or one that cannot be read)."""
    found = _by_list(listed, held)
    fits = not listed or held.known is None or len(listed) == len(held.known)
    if fits and held.written and len(held.written) == len(found.names):
        for written in dict.fromkeys(held.written):
            numbers = [n for n, name in enumerate(held.written, start=1) if name == written]
            _by_turns(found, held, numbers, written, shown)
        found.odds += _strays([turn for turn in shown if turn.speaker == 0 and turn.name], ())
    return found


def _by_list(listed: tuple[str, ...], held: Held) -> Said:
    known = held.known
    if not listed:
        return Said([*(known or held.written)])
    if known is None or len(known) == len(listed):
        return _place_by_place(listed, held)
    # What was written there before is not put back by a list that does not fit.
    before = dict(enumerate(held.written, start=1))
    given = {n: name for n, name in news(known, listed).items() if name != before.get(n)}
    found = Said([given.get(n, name) for n, name in enumerate(known, start=1)], edited={*given})
    names, count = left_over(known, listed), len(listed)
    if names:
        them = (
            "a name in its list of speakers is"
            if len(names) == 1
            else f"{len(names)} names in its list of speakers are"
        )
        are = "is" if count == 1 else "are"
        found.odds.append(
            f"{them} nobody's, because {len(known)} people speak and {count} {are} listed; write one line for each, in their"
            f" order, {BY_HAND}"
        )
    elif count != len(dict.fromkeys(known)) and (count < len(known) or any(listed[len(known) :])):
        entries = "1 entry" if count == 1 else f"{count} entries"
        found.odds.append(
            f"its list of speakers has {entries}, and {len(known)} people speak, so that whoever had a name keeps it; write"
            f" one line for each, in their order, {BY_HAND}"
        )
    return found


def _place_by_place(listed: tuple[str, ...], held: Held) -> Said:
    known, written = held.known or (), held.written
    unclear = {
        n
        for n, name in enumerate(listed, start=1)
        if known and name != known[n - 1] and given_to(n, name) is None
    }
    # In another order: whose name stands in the place of somebody else, while that one's place is another's.
    kept, more = set[int](), unclear
    while more - kept:
        kept |= more
        former = {known[n - 1] for n in kept}
        more = {n for n, name in enumerate(listed, start=1) if name in former and name != known[n - 1]}
    found = Said([known[n - 1] if n in kept else name for n, name in enumerate(listed, start=1)])
    if len(written) == len(listed):
        found.edited = {n for n, name in enumerate(listed, start=1) if name != written[n - 1]} - kept
    if unclear:
        where = ", ".join(map(str, sorted(unclear)))
        places = f"place {where} of its list of speakers has" if len(unclear) == 1 else f"places {where} have"
        found.odds.append(
            f"{places} the number of another speaker, so that nobody knows who is meant; {ONE_EACH}, {BY_HAND}"
        )
    return found


def _by_turns(found: Said, held: Held, numbers: Sequence[int], written: str, shown: Sequence[Shown]) -> None:
    """What the turns of one voice say, or of several that were one person's when the note was written."""
    turns = [turn for turn in shown if turn.speaker in numbers]
    names = {turn.name for turn in turns}
    known = {held.known[n - 1] if held.known else written for n in numbers}
    listed = {found.names[n - 1] for n in numbers if n in found.edited}
    usual = {written} | known | listed
    who = " and ".join(map(str, numbers))
    if names == {""} or not names:
        return
    if names & usual:
        if not listed and names <= known - {written} and len(known) == 1:
            _call(found, numbers, next(iter(known)))  # by its turns, when it was read last
            return
        first = next(iter(names & listed or names & (known - {written}) or {written}))
        if not listed and first in known:
            _call(found, numbers, first)
        # What we wrote for somebody without a name is no other name than the one that the list has by now.
        fits = {"", first, written} if listed and not given(held.written)[numbers[0] - 1] else {"", first}
        found.odds += _strays([turn for turn in turns if turn.name not in fits], numbers)
    elif listed:
        for n in numbers:
            if held.known:
                found.names[n - 1] = held.known[n - 1]
        found.odds.append(
            f"speaker {who} has one name in its list of speakers and another one in the turns, so that nobody is named by"
            f" either; write the same in both, {BY_HAND}"
        )
    elif len(names) > 1:
        found.odds += _strays([turn for turn in turns if turn.name], numbers)
    elif _is_anothers(next(iter(names)), found, held, numbers, shown):
        found.odds.append(
            f"the turns of speaker {who} begin with what is another speaker's name or number, so that nobody is named by"
            f" them; if both are one person, write the name in both places of its list of speakers, {BY_HAND}"
        )
    else:
        _call(found, numbers, next(iter(names)))


def _call(found: Said, numbers: Iterable[int], name: str) -> None:
    for n in numbers:
        found.names[n - 1] = name


def _is_anothers(name: str, found: Said, held: Held, numbers: Sequence[int], shown: Iterable[Shown]) -> bool:
    """Whether a name is in any other place: of the list, of the turns, or of those that are known."""
    others = {turn.name for turn in shown if turn.speaker not in numbers}
    for names in (held.written, held.known or (), held.called, found.names):
        others |= {each for n, each in enumerate(names, start=1) if n not in numbers}
    folded = {each.casefold() for each in others}
    return name.casefold() in folded or any(given_to(n, name) is None for n in numbers)


def _strays(turns: Sequence[Shown], numbers: Sequence[int]) -> list[str]:
    """That some turns begin with a name that is not their speaker's."""
    if not turns:
        return []
    first = ", ".join(stamp(turn.at) for turn in turns[:MOST_SHOWN])
    more = f" and {len(turns) - MOST_SHOWN} more" if len(turns) > MOST_SHOWN else ""
    them = "the turn at {} begins" if len(turns) == 1 else "the turns at {} begin"
    whose = f"speaker {' and '.join(map(str, numbers))} has" if numbers else "anybody who is known there"
    return [
        f"{them.format(first + more)} with another name than {whose}: that stays in this note, and is in no other note,"
        f" file, summary or search; if it is the speaker's name everywhere, write it in its list of speakers, {BY_HAND}"
    ]
