"""Which decisions, tasks and questions of a model are shown: those that say, in its words, what somebody said outright.

Small models call a decision whatever was talked about, and quote it rightly. What somebody says outright the strict rules
list (`lists`), so an entry is shown if they list the sentence that it rests on, and no other is. Pure.
"""

from __future__ import annotations

from earmark.domain import Point, Summary, Task
from earmark.summarization.cues import Cues, cues_for
from earmark.summarization.extractive import LISTS
from earmark.summarization.polarity import turned_round
from earmark.summarization.words import content_words


def backed(model: Summary, picked: Summary, language: str) -> dict[str, tuple[Point | Task, ...]]:
    """The model's entries that are shown, by list. `picked`: what the rules list; `language`: of the recording. None in a
    language without words by which people decide, promise and ask.
    """
    cues = cues_for(language)
    if cues is None:
        return dict.fromkeys(LISTS, ())
    compared = in_one_language(model, language)

    def bears_out(entry: Point | Task, name: str) -> bool:
        lines = [line for line in getattr(picked, name) if entry.at is not None and line.at == entry.at]
        return not entry.flagged and any(
            not compared or _says_it(entry.text, line.text, name, cues, language) for line in lines
        )

    return {name: tuple(entry for entry in getattr(model, name) if bears_out(entry, name)) for name in LISTS}


def in_one_language(summary: Summary, language: str) -> bool:
    """Whether a summary is written in this language, so that words can be compared."""
    return summary.language.split("-")[0].lower() == language.split("-")[0].lower()


def _says_it(entry: str, line: str, name: str, cues: Cues, language: str) -> bool:
    """Whether an entry speaks of what the line does, and does not say the contrary. What is open has none, and "don't forget
    to" denies nothing.
    """
    if not {*content_words(entry, language)} & {*content_words(line, language)}:
        return False
    may_deny = name == "open_questions" or cues.reminder.search(line) is not None
    return may_deny or not turned_round(entry, [line], language)
