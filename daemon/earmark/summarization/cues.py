"""Phrases by which people announce a decision, take on a task or leave a question open, one file per language.

The files in `phrases/` hold lists of regular expressions, matched without regard to case from the start of a word on:

- `decision`: the speakers say that they have decided.
- `strong_task`: makes a sentence a task together with a verb of work or a due date, or at the sentence's end.
- `weak_task`: "we will"; the same, but people also say "we will see", so the verb must follow.
- `mine`: the speaker takes it on, "I will".
- `owned_task`: with `{name}`, somebody is named as the one who does it (case matters here: a name is capitalised).
- `work`: stems of verbs of work. `due`: when something is to be done.
- `open_question`: said to be open. `asking`, `us`: a real question begins like this and is about those present.
- `empty`: greetings, days and measures, which are said in every recording and are what none is about.
- `nobody`: capitalised words that are not names. `stop_words`: only where sumy has none.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources

NAME = (
    r"(?P<owner{number}>[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’-]{{1,20}}"
    r"(?: [A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ'’-]{{1,20}})?)"
)
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")


@dataclass(frozen=True, slots=True)
class Cues:
    """The compiled phrases of one language."""

    decision: re.Pattern[str]
    strong_task: re.Pattern[str]
    weak_task: re.Pattern[str]
    mine: re.Pattern[str]
    owned_task: re.Pattern[str]
    work: re.Pattern[str]
    open_question: re.Pattern[str]
    asking: re.Pattern[str]
    us: re.Pattern[str]
    due: re.Pattern[str]
    nobody: re.Pattern[str]


@functools.cache
def phrases_for(language: str) -> dict[str, list[str]]:
    """The lists of one language by name, empty for languages that have no file."""
    if language not in LANGUAGES:
        return {}
    file = resources.files("earmark.summarization") / "phrases" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@functools.cache
def cues_for(language: str) -> Cues | None:
    """The cues of a language by its code, or None where earmark knows none: then nothing is claimed."""
    phrases = phrases_for(language)
    if not phrases:
        return None

    def compiled(name: str, before: str = r"(?<!\w)", after: str = "") -> re.Pattern[str]:
        return re.compile(f"{before}(?:{'|'.join(phrases[name])}){after}", re.IGNORECASE)

    owned = "|".join(
        phrase.replace("{name}", NAME.format(number=number))
        for number, phrase in enumerate(phrases["owned_task"])
    )
    return Cues(
        decision=compiled("decision"),
        strong_task=compiled("strong_task"),
        weak_task=compiled("weak_task", after=r"(?!\w)"),
        mine=compiled("mine", after=r"(?!\w)"),
        owned_task=re.compile(rf"(?<!\w)(?:{owned})"),
        work=compiled("work"),
        open_question=compiled("open_question"),
        asking=compiled("asking", before="", after=r"(?!\w)"),
        us=compiled("us", after=r"(?!\w)"),
        due=compiled("due", after=r"(?!\w)"),
        nobody=compiled("nobody", before=""),
    )
