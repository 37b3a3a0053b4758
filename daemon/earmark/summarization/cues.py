"""Phrases by which people announce a decision, take on a task or leave a question open, one file per language.

The files in `phrases/` hold lists of regular expressions, matched without regard to case from the start of a word on:

- `decision`: the speakers say that they have decided something. `open_question`: they say that something is open.
- `promise`: "I will"; `ours`: "we will", which counts only with a day. `request`: somebody is asked to;
  `reminder`: so plainly that what is to be done may be anything.
- `owned_task`: with `{name}`, somebody is named as the one who does it (case matters here: a name is capitalised).
- `work`: stems of verbs of work that leave something behind. `due`: when something is to be done.
- `doubt`: words that, before any of these, make a condition, a guess or a denial of it.
- `nobody`: capitalised words that are not names.
- `empty`: greetings, days and measures, which are said in every recording and are what none is about.
- `hesitations`, `asides`, `openers`: what only fills time, anywhere, between commas, and at the beginning.
- `stammered`: words that mean nothing more when they are said twice.
- `me_and_you`, `us`, `pointing`: who speaks to whom, and what points at something outside the sentence.
- `vague`: nouns that are in every conversation, and no topic of one.
- `determiners`: what stands before nouns. `stop_words`: where stopwords-iso's list takes too many.
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
VERB_LAST = ("de", "nl")


@dataclass(frozen=True, slots=True)
class Cues:
    """The compiled phrases of one language by which its lists are made."""

    decision: re.Pattern[str]
    open_question: re.Pattern[str]
    promise: re.Pattern[str]
    ours: re.Pattern[str]
    request: re.Pattern[str]
    reminder: re.Pattern[str]
    owned_task: re.Pattern[str]
    work: re.Pattern[str]
    due: re.Pattern[str]
    doubt: re.Pattern[str]
    somebody: re.Pattern[str]
    """Who speaks and who is spoken to: behind such a word another statement begins."""
    nobody: re.Pattern[str]
    verb_last: bool
    """Whether the verb may stand far behind "I will": "Ich werde das Angebot morgen schicken"."""


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
        open_question=compiled("open_question"),
        promise=compiled("promise", after=r"(?!\w)"),
        ours=compiled("ours", after=r"(?!\w)"),
        request=compiled("request", after=r"(?!\w)"),
        reminder=compiled("reminder"),
        owned_task=re.compile(rf"(?<!\w)(?:{owned})"),
        work=compiled("work"),
        due=compiled("due", after=r"(?!\w)"),
        doubt=compiled("doubt", after=r"(?!\w)"),
        somebody=re.compile(
            rf"(?<!\w)(?:{'|'.join([*phrases['me_and_you'], *phrases['us']])})(?!\w)", re.IGNORECASE
        ),
        nobody=compiled("nobody", before=""),
        verb_last=language in VERB_LAST,
    )
