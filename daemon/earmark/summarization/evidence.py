"""What the recording bears out. A model's claim is shown only if the words that it rests on were said.

A claim is supported when its quote is found in the transcript (by fuzzy match, first near the time it cites, then
anywhere) and the statement has something to do with what was said there; or, without a usable quote, when most of the
statement's own words were said near the cited time. Names and numbers that were never said are flagged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from earmark.domain import Point, Seconds, Task
from earmark.notes.speakers import any_of, has_number
from earmark.summarization.answer import Claim
from earmark.summarization.cues import cues_for
from earmark.summarization.numerals import numbers_said, numbers_written, value
from earmark.summarization.sentences import Sentence
from earmark.summarization.window import NOBODY
from earmark.summarization.words import content_words, stop_words_for

NEAR = 60.0
"""Seconds around a cited time in which its words are looked for; models round, and sentences take time."""
CONTEXT = 45.0
"""Seconds around the place where a quote was found that its statement may draw on."""
QUOTE_NEAR = 78.0
QUOTE_ANYWHERE = 88.0
"""rapidfuzz partial_ratio (0-100) for a quote near its time, and for one found elsewhere. Speech engines and models
spell alike but not the same; at 78 one word in five may differ."""
SHORTEST_QUOTE = 12
"""Characters; "yes okay" is said everywhere and proves nothing."""
WORDS_WITH_QUOTE = 0.3
WORDS_WITHOUT = 0.6
"""Share of a statement's topic words that must have been said around its evidence, with and without a quote."""
SAME = 90.0
"""token_set_ratio from which two statements are the same."""

CAPITALISED = re.compile(r"(?<![.!?…:\"“„«] )(?<!^)\b[A-ZÀ-ÖØ-Þ][\w'’-]+")

_A_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters side by side; one sign of a script without spaces makes no statement either."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the recording a statement's words were found: the sentence's time and number. `score` 0-100."""

    at: Seconds
    score: float
    index: int


class Evidence:
    """The transcript, prepared for looking things up. `written`: the summary's language, if it is another one."""

    def __init__(self, sentences: Sequence[Sentence], language: str, written: str = "") -> None:
        self.sentences = tuple(sentences)
        self.language = language
        self.written = written or language
        self.same_language = self.written == language
        self.whole = normal(" ".join(sentence.text for sentence in sentences))
        self.said = frozenset(self.whole.split())
        self.texts = [normal(sentence.text) for sentence in self.sentences]
        self.stems = [frozenset(content_words(sentence.text, language)) for sentence in self.sentences]
        self.all_stems: frozenset[str] = frozenset().union(*self.stems)
        self.numbers = numbers_said(self.whole)
        self.speakers = frozenset(sentence.speaker for sentence in sentences) - {""}
        self.unnamed = frozenset(normal(name) for name in self.speakers if has_number(name))
        either = any_of(self.speakers)
        self.names = re.compile(rf"(?<!\w)({either})(?!\w)") if either else None
        self.prefixes = re.compile(rf"(?<!\w)(?:{either}|{re.escape(NOBODY)}):") if either else None

    def point(self, claim: Claim) -> Point | None:
        """The claim as a point at the time where it was really said, or None if it has no support."""
        place = self.place(claim)
        if place is None:
            return None
        return Point(claim.text, place.at, self.unsaid(claim.text, self.around(place.at, CONTEXT)))

    def task(self, claim: Claim) -> Task | None:
        """The claim as a task; the due date stays only if it was said near it, and so does the owner, unless it is who says
        it.
        """
        place = self.place(claim)
        if place is None:
            return None
        around = self.around(place.at, CONTEXT)
        return Task(
            claim.text,
            place.at,
            owner=self.speaker(claim.owner, place.index) or self.owner(claim.owner, around),
            due=claim.due if claim.due and self.was_said(claim.due, around) else None,
            flagged=self.unsaid(claim.text, around),
        )

    def speaker(self, name: str, index: int) -> str | None:
        """The name if it is that of who says this sentence, or answers it."""
        speaking = {sentence.speaker for sentence in self.sentences[index : index + 2]} - {""}
        return next((known for known in speaking if normal(known) == normal(name)), None)

    def owner(self, name: str, among: Sequence[int]) -> str | None:
        """The name if it was said there and is one: "we" and "everyone" do not own a task."""
        name = name.strip(" ,.;:-")
        if normal(name) in self.unnamed:
            return None  # they speak, and not here
        cues = cues_for(self.language)
        if not name or (cues is not None and cues.nobody.fullmatch(name)) or not self.was_said(name, among):
            return None
        return name

    def place(self, claim: Claim) -> Place | None:
        """Where the claim's evidence is, or None. What has no word in it (a small model said "188") says nothing."""
        if not _A_WORD.search(claim.text):
            return None
        place = self.find_quote(claim.quote, claim.at)
        if place is not None:
            if not self.same_language:
                return place
            share = self.share(claim.text, self.around(place.at, CONTEXT))
            return place if share >= WORDS_WITH_QUOTE else None
        if not self.same_language or claim.at is None:
            return None
        near = self.around(claim.at, NEAR)
        if not near or self.share(claim.text, near) < WORDS_WITHOUT:
            return None
        stems = set(content_words(self.bare(claim.text), self.language))
        best = max(near, key=lambda i: len(stems & self.stems[i]) / (1 + len(self.stems[i]) ** 0.5))
        return Place(self.sentences[best].start, 100 * self.share(claim.text, near), best)

    def find_quote(self, quote: str, at: Seconds | None) -> Place | None:
        """Where a quote was said: near its time if it can be found there, else wherever it is said best."""
        quote = quote if self.prefixes is None else self.prefixes.sub(" ", quote)
        wanted = normal(quote)
        if len(wanted) < SHORTEST_QUOTE or not content_words(quote, self.language):
            return None
        if at is not None and (near := self.around(at, NEAR)):
            found = self.match(wanted, near)
            if found is not None and found.score >= QUOTE_NEAR:
                return found
        found = self.match(wanted, range(len(self.sentences)))
        return found if found is not None and found.score >= QUOTE_ANYWHERE else None

    def match(self, wanted: str, among: Iterable[int]) -> Place | None:
        """The best place of a normalised quote among sentences; a quote may run over into the next one."""
        indexes = list(among)
        # A quote longer than the text would be aligned the other way round, and one word would match any long quote.
        windows = {i: self.window(i, len(wanted)) for i in indexes}
        if not windows:
            return None
        _, score, index = process.extractOne(wanted, windows, scorer=fuzz.partial_ratio, processor=None)
        # The window starts before the quote where the quote begins in a later sentence of it.
        while index + 1 < len(self.texts) and index + 1 in windows:
            if fuzz.partial_ratio(wanted, windows[index + 1]) < score - 1:
                break
            index += 1
        return Place(self.sentences[index].start, float(score), index)

    def window(self, index: int, length: int) -> str:
        """The sentence, and as many after it as a quote of this length may reach into."""
        text = self.texts[index]
        following = index + 1
        while following < len(self.texts) and len(text) < length * 1.5 + 20:
            text = f"{text} {self.texts[following]}"
            following += 1
        return text if len(text) >= length else text.ljust(length)

    def around(self, at: Seconds, reach: float) -> list[int]:
        """The sentences said within `reach` seconds of a time."""
        return [i for i, s in enumerate(self.sentences) if s.end >= at - reach and s.start <= at + reach]

    def share(self, text: str, among: Iterable[int]) -> float:
        """The share of a statement's topic words that were said in these sentences; 1.0 if it has none."""
        stems = set(content_words(self.bare(text), self.language))
        if not stems:
            return 1.0
        said: set[str] = set()
        for index in among:
            said |= self.stems[index]
        return len(stems & said) / len(stems)

    def was_said(self, words: str, among: Iterable[int]) -> bool:
        """True if a name or a date was said in these sentences, spelling aside."""
        wanted = normal(words)
        text = " ".join(self.texts[i] for i in among)
        if len(wanted) < 2 or not text:
            return False
        if re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text):
            return True
        return len(wanted) >= 4 and len(text) >= len(wanted) and fuzz.partial_ratio(wanted, text) >= 88

    def bare(self, text: str) -> str:
        """The text without the names of those who speak: they are known, and need not have been said."""
        return text if self.names is None else self.names.sub(" ", text)

    def unsaid(self, text: str, among: Sequence[int] | None = None) -> tuple[str, ...]:
        """Names and numbers in a statement that the whole transcript does not hold, and speakers who say nothing in these
        sentences (None: in all).

        Numbers count as said in digits or, for the languages that write them apart, in words.
        """
        found: dict[str, None] = {}
        if self.names is not None:
            here = self.speakers if among is None else {self.sentences[i].speaker for i in among}
            speaking = {normal(speaker) for speaker in here}
            for name in self.names.findall(text):
                said = normal(name) not in self.unnamed and self.was_said(name, range(len(self.sentences)))
                if normal(name) not in speaking and not said:
                    found[name] = None
            text = self.bare(text)
        for number in numbers_written(text):
            if value(number) not in self.numbers:
                found[number] = None
        for name in names_in(text, self.written):
            word = normal(name)
            if not word or word in self.said or is_short_for(name, self.written):
                continue
            if set(content_words(name, self.language)) & self.all_stems:
                continue
            if len(word) >= 4 and process.extractOne(word, self.said, scorer=fuzz.ratio, score_cutoff=82):
                continue
            found[name] = None
        return tuple(found)

    def supported_prose(self, text: str) -> tuple[str, int]:
        """The sentences of an overview that the recording bears out, and how many were dropped.

        Prose cites no times, so that each sentence is held against the whole transcript: most of its topic words
        must have been said, and no name or number in it may be new. In another language only those are checked.
        """
        kept: list[str] = []
        dropped = 0
        for sentence in prose_sentences(text):
            stems = set(content_words(self.bare(sentence), self.language))
            share = len(stems & self.all_stems) / len(stems) if stems else 1.0
            enough = share >= 0.5 if self.same_language else True
            if enough and not self.unsaid(sentence):
                if not any(fuzz.token_set_ratio(sentence, other) >= SAME for other in kept):
                    kept.append(sentence)
            else:
                dropped += 1
        return " ".join(kept), dropped


def prose_sentences(text: str) -> list[str]:
    """The sentences of an overview; a language that puts no space behind its full stops has one."""
    return [sentence for sentence in re.split(r"(?<=[.!?…])\s+", text) if sentence]


DETERMINED = re.compile(
    r"\b(?:[dD](?:er|ie|as|en|em|es)|\w*ein\w{0,2}|zu[mr]|[iavb]\w{0,2}m|ins|ans|[a-zäöüß]+(?:e|en|er|es|em)) $"
)
"""What stands before a German noun and hardly ever before a name: articles, contractions, declined adjectives."""


def names_in(text: str, language: str) -> list[str]:
    """The words of a statement that look like names: capitalised inside a sentence, or named at its start as a doer.

    In German, where every noun is capitalised, only those without an article or adjective before them.
    """
    names = []
    for match in CAPITALISED.finditer(text):
        if language == "de" and DETERMINED.search(text[: match.start()]):
            continue
        names.append(match.group())
    cues = cues_for(language)
    if cues is None:
        return list(dict.fromkeys(names))
    if doer := cues.owned_task.match(text):
        names.extend(next((group for group in doer.groups() if group), "").split())
    # Days and months are written in capitals in some languages; in a translation they are bound to be unsaid.
    return [name for name in dict.fromkeys(names) if not cues.nobody.fullmatch(name)]


def is_short_for(word: str, language: str) -> bool:
    """Whether a word with an apostrophe is two that carry nothing: "I'll", "We've", "J'ai", "C'è". Not "O'Brien"."""
    before, mark, behind = word.replace("’", "'").partition("'")
    # What is short for a word is a letter or two ("l'", "qu'"), and no name goes on in lower case behind it.
    return (
        bool(mark) and behind.islower() and (len(before) <= 2 or before.lower() in stop_words_for(language))
    )


def normal(text: str) -> str:
    """Lower case, punctuation gone, single spaces: what quotes and transcripts are compared in."""
    return " ".join(default_process(text).split())


def distinct(points: Iterable[Point]) -> list[Point]:
    """The points without those that repeat an earlier one, in the order given."""
    kept: list[Point] = []
    for point in points:
        if not any(
            fuzz.token_set_ratio(point.text, other.text, processor=default_process) >= SAME for other in kept
        ):
            kept.append(point)
    return kept


def distinct_tasks(tasks: Iterable[Task], speakers: Collection[str] = ()) -> list[Task]:
    """The tasks without repetitions; of two that say the same the one with more known about it stays. What two of the
    speakers take on are two tasks.
    """
    kept: list[Task] = []
    for task in tasks:
        for index, other in enumerate(kept):
            if task.owner != other.owner and {task.owner, other.owner} <= set(speakers):
                continue
            if fuzz.token_set_ratio(task.text, other.text, processor=default_process) >= SAME:
                if (task.owner is not None) + (task.due is not None) > (other.owner is not None) + (
                    other.due is not None
                ):
                    kept[index] = task
                break
        else:
            kept.append(task)
    return kept
