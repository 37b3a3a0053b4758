"""Decisions, tasks and open questions that somebody says outright. Doubt is left out: a list that is short and right can be
used, one that is long has to be checked line by line.

What counts are the words of `phrases/`, in the languages that have a file there. A decision is one that "we" made; a task
is a promise or a request with something to be delivered; a question is one that was called open.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeVar

from rapidfuzz import fuzz

from earmark.domain import Point, Task
from earmark.summarization.cues import Cues
from earmark.summarization.sentences import Sentence
from earmark.summarization.words import content_words

MOST_ITEMS = 20
"""Most decisions, tasks or questions that are listed; a reading of a novel is full of "will you"."""

SHORTEST = 4
"""Words of a sentence that can be understood on its own."""

LONGEST = 60
"""Words from which on a sentence is not to be read as one statement."""

ALIKE = 85
"""rapidfuzz token_set_ratio (0-100) from which two lines say the same."""

CLAUSE = re.compile(r"[,;:.!?…–—]")
BETWEEN = 3
"""Words that may stand between "I will" and the verb: "I'll certainly also send"."""


def decisions_in(sentences: Sequence[Sentence], cues: Cues | None, language: str) -> tuple[Point, ...]:
    """What the speakers say they have decided."""
    return _said(sentences, cues.decision, cues, language) if cues else ()


def questions_in(
    sentences: Sequence[Sentence], cues: Cues | None, language: str, taken: Collection[float | None] = ()
) -> tuple[Point, ...]:
    """What the speakers say is open."""
    found = _said(sentences, cues.open_question, cues, language, doubted=True) if cues else ()
    return tuple(point for point in found if point.at not in taken)


def _said(
    sentences: Sequence[Sentence], what: re.Pattern[str], cues: Cues, language: str, doubted: bool = False
) -> tuple[Point, ...]:
    """The sentences that say so, and something besides. `doubted`: it may be a question, or stand behind an "if"."""
    found: list[Point] = []
    for sentence in sentences:
        text = sentence.text
        cue = what.search(text) if SHORTEST <= sentence.words <= LONGEST else None
        if cue is None or (not doubted and (asked(text) or cues.doubt.search(text, 0, cue.end()))):
            continue
        about = text if cues.verb_last or doubted else text[cue.end() :]
        if _names_a_thing(about, language):
            found.append(Point(text, sentence.start))
    return tuple(_once(found))


def tasks_in(
    sentences: Sequence[Sentence], cues: Cues | None, language: str, taken: Collection[float | None] = ()
) -> tuple[Task, ...]:
    """What somebody promised or was asked to do, with the owner and the due date if they were said. What the speaker
    promises is theirs, if it is known who speaks.
    """
    found: list[Task] = []
    for sentence in sentences:
        if cues is None or sentence.start in taken or not SHORTEST <= sentence.words <= LONGEST:
            continue
        text = sentence.text
        due = cues.due.search(text)
        name, begins, ends = owner_in(text, cues)
        owner = name if _has_work(text, begins, ends, cues, language) else None
        if owner is None and not asked(text) and _cue(text, cues.promise, cues, language):
            owner = sentence.speaker or None
        elif owner is None and not _is_asked_for(text, due is not None, cues, language):
            continue
        found.append(Task(text, sentence.start, owner=owner, due=due.group().strip() if due else None))
    return tuple(_once(found))


def _is_asked_for(text: str, dated: bool, cues: Cues, language: str) -> bool:
    """Whether somebody is asked to do something, or everybody is to have done it by a day."""
    if _cue(text, cues.request, cues, language):
        return True
    if dated and not asked(text) and _cue(text, cues.ours, cues, language):
        return True
    reminder = cues.reminder.search(text)
    return (
        reminder is not None
        and cues.doubt.search(text, _clause(text, reminder.start()), reminder.start()) is None
        and _names_a_thing(cues.due.sub(" ", text[: reminder.start()] + text[reminder.end() :]), language)
    )


def _cue(text: str, what: re.Pattern[str], cues: Cues, language: str) -> bool:
    """Whether the text says so, and what is to be delivered, with no doubt before it."""
    return any(
        cues.doubt.search(text, _clause(text, match.start()), match.start()) is None
        and _has_work(text, match.start(), match.end(), cues, language)
        for match in what.finditer(text)
    )


def _clause(text: str, at: int) -> int:
    """Where the statement begins that a place in the text belongs to."""
    return max((match.end() for match in re.finditer(r"[.!?;]", text[:at])), default=0)


def _has_work(text: str, begins: int, ends: int, cues: Cues, language: str) -> bool:
    """Whether there is a verb of work in a cue or behind it, near enough, and something that it is about."""
    for verb in cues.work.finditer(text, begins):
        between = text[ends : verb.start()]
        if not cues.verb_last and (
            CLAUSE.search(between.strip(" ,"))
            or len(between.split()) > BETWEEN
            or cues.doubt.search(between)
            or cues.somebody.search(between)
        ):
            return False
        rest = re.sub(r"^\w*", "", text[verb.end() :])
        if _names_a_thing(cues.due.sub(" ", f"{between} {rest}" if cues.verb_last else rest), language):
            return True
    return False


Item = TypeVar("Item", Point, Task)


def _once(items: Sequence[Item]) -> list[Item]:
    """The items without those that say again what one before them says, and no more than can be read."""
    kept: list[Item] = []
    for item in items:
        if not any(fuzz.token_set_ratio(item.text, other.text) >= ALIKE for other in kept):
            kept.append(item)
    return kept[:MOST_ITEMS]


def _names_a_thing(text: str, language: str) -> bool:
    """Whether there is a word that carries a topic."""
    return any(len(word) > 2 for word in content_words(text, language))


def asked(text: str) -> bool:
    """Whether it ends with a question mark."""
    return text.rstrip("\"'”’») ").endswith(("?", "？", "؟"))


def owner_in(text: str, cues: Cues) -> tuple[str | None, int, int]:
    """The name that is said to do something, and where the phrase that says so begins and ends."""
    for match in cues.owned_task.finditer(text):
        name = next((group for group in match.groups() if group), None)
        if name is None or cues.doubt.search(text, 0, match.start()):
            continue
        words = [word for word in name.split() if not cues.nobody.fullmatch(word.rstrip(","))]
        if words:
            return " ".join(words), match.start(), match.end()
    return None, len(text), len(text)
