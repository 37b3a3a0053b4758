"""Words that people correct again and again: which are offered as vocabulary, and what a person says to that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from earmark.config import Config
from earmark.config.vocabulary import Vocabulary, change_vocabulary, changed, cleaned, read_vocabulary, unfit
from earmark.context import Context
from earmark.corrections import words_of
from earmark.errors import EnvironmentFault, NotFound, UsageError
from earmark.offers import Offer, offers
from earmark.paths import Home
from earmark.summarization.words import empty_words_for


def known(home: Home) -> Vocabulary:
    """What the person has accepted and ignored. Raises EnvironmentFault."""
    try:
        return read_vocabulary(home.vocabulary_file)
    except OSError as error:
        raise EnvironmentFault(
            f"{home.vocabulary_file}: cannot be read: {error.strerror}. It must be a text file with one word a line"
        ) from error


def offered(context: Context, said: Vocabulary) -> list[Offer]:
    """What is to be offered: corrected often, and neither known to the configuration nor accepted nor ignored."""
    corrections = context.ledger.corrected.all()
    if not corrections:
        return []
    settled = {word.casefold() for word in (*said.accepted, *said.ignored, *_configured(context.config))}

    def heard(word: str) -> int:
        texts = context.ledger.corrected.texts_heard(word)
        return sum(any(each.text.strip(_SIGNS) == word for each in words_of(text)) for text in texts)

    return [
        offer for offer in offers(corrections, empty_words_for, heard) if offer.word.casefold() not in settled
    ]


_SIGNS = ".,;:!?…\"'’“”„«»()[]¿¡-–—"
"""What stands at words."""


def _configured(config: Config) -> Sequence[str]:
    """Words that are heard or written rightly by the configuration."""
    found = [*config.transcription.vocabulary, *config.transcription.replace.values()]
    for folder in config.folder:
        found += (*(folder.vocabulary or ()), *(folder.replace or {}).values())
    return found


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person said of words: those that are news, as they are kept, and those that were so before."""

    news: tuple[str, ...]
    before: tuple[str, ...]


def accept(home: Home, words: Sequence[str], offers: Sequence[Offer]) -> Settled:
    """Hear these words rightly from now on. Raises UsageError, EnvironmentFault."""
    spelled = {offer.word.casefold(): offer.word for offer in offers}
    meant = [spelled.get(word.casefold(), word) for word in _fit(words)]
    before = known(home).accepted
    return _settled(home, meant, before, lambda text, new: changed(text, accept=new))


def ignore(home: Home, words: Sequence[str]) -> Settled:
    """Offer these words never again, and do not expect them. Raises UsageError, EnvironmentFault."""
    return _settled(home, _fit(words), known(home).ignored, lambda text, new: changed(text, ignore=new))


def forget(home: Home, words: Sequence[str]) -> Settled:
    """Take words out, whatever was said of them. Raises NotFound, EnvironmentFault."""
    said = known(home)
    there = {word.casefold() for word in (*said.accepted, *said.ignored)}
    for word in map(cleaned, words):
        if word.casefold() not in there:
            raise NotFound(f"{word}: was neither accepted nor ignored; what was: earmark vocabulary list")
    return _settled(home, [*map(cleaned, words)], (), lambda text, new: changed(text, forget=new))


def _fit(words: Sequence[str]) -> list[str]:
    found = [*map(cleaned, words)]
    for word in found:
        if (problem := unfit(word)) is not None:
            raise UsageError(f"{word[:40]!r}: {problem}")
    return [*dict.fromkeys(found)]


def _settled(
    home: Home, words: Sequence[str], before: Sequence[str], change: Callable[[str, Sequence[str]], str]
) -> Settled:
    new = [word for word in words if word not in before]
    if new:
        change_vocabulary(home.vocabulary_file, lambda text: change(text, new))
    return Settled(tuple(new), tuple(word for word in words if word in before))
