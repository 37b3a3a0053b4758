"""Which sentences of an answer the passages bear out. Pure.

On top of the rules for summaries (`evidence`), because who asks sees a sentence and a time and takes it for what was said:
it is made of the words that it quotes, no name or number in it is new there, nothing is denied or made sure that was not
(`polarity`), and it has to do with the question. Even so its words may be put together anew ("Maria sends it to Sarah"),
so what is shown is never the server's sentence but the one that it rests on, word for word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from earmark.questions import LONGEST, GivenPassage
from earmark.summarization.answer import Claim, clean
from earmark.summarization.evidence import (
    Evidence,
    Place,
    is_short_for,
    names_in,
    normal,
    prose_sentences,
)
from earmark.summarization.numerals import (
    SCALES,
    UNITS,
    numbers_said,
    numbers_written,
    value,
    without_endings,
)
from earmark.summarization.polarity import agrees, is_ordered, parts_of
from earmark.summarization.sentences import Sentence
from earmark.summarization.words import content_words, stemmer_for, stop_words_for, words_in

ALIKE, ALIKE_ABLAUT = 85.0, 80.0
"""rapidfuzz ratio of two stems that are forms of one word; the second where vowels change in verbs ("verschoben")."""

_OF_ONESELF = {
    "en": "i me my mine we us our let", "de": "ich mir mich mein meine meinen wir uns unser unsere",
    "fr": "je j me moi mon ma mes nous notre nos on", "nl": "ik mij me mijn we wij ons onze", "es": "yo mi nosotros",
    "it": "io mio mia noi", "pt": "eu meu minha nós",
}  # fmt: skip
"""By which somebody speaks of themselves."""

_POINTING = frozenset(
    "it its this that these those they them their he she his her him one so then there yes no".split()
)
"""English words that may stand for what was named before."""

_CAPITAL = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'’-]+")

LEAST = 2
"""Words and numbers that say something, of a sentence: "Yes, sure." and "I dunno." answer nothing."""

_LITTLE = frozenset(
    "a an the this that these those it its they them their he she his her him we us our you your i me my who whom whose"
    " which what when where why how and or but so as if than then there here of to in on at by for from with about into onto"
    " is are was were be been being am do does did doing have has had having will would shall should can could may might"
    " must not no nor also too just one ones it's they're there's we're don't doesn't didn't isn't aren't wasn't weren't"
    " won't can't cannot whether s t get got make made".split()
)
"""English words that may be said or not: no fact hangs on them but what `polarity` looks at. The usual lists of stop words
leave out "sent", "before" and "more", too."""

_TELLING = {
    "en": "ask asks asked asking said say says mention mentioned discuss discussed talk talked speaker speakers"
    " state stated note noted explain"
    " explained according person someone somebody participant participants add added also meeting recording passage",
    "de": "sagte sagt gesagt erwähnt erwähnte besprochen sprecher erklärt erklärte laut jemand person teilnehmer aufnahme"
    " besprechung außerdem",
    "fr": "dit mentionne mentionné discuté parlé explique expliqué selon personne participant participants réunion",
    "es": "dijo dice mencionó mencionado discutió habló explicó según persona participante participantes reunión",
    "it": "detto dice menzionato discusso parlato spiegato secondo persona partecipante partecipanti riunione",
    "pt": "disse diz mencionou mencionado discutiu falou explicou segundo pessoa participante participantes reunião",
    "nl": "zei zegt gezegd genoemd besproken vertelde uitgelegd volgens iemand persoon deelnemer deelnemers vergadering",
}
"""Words with which an answer tells that something was said; they need not have been said themselves."""

_ASKING = (
    "decide decided decision discuss discussed mention mentioned opinion opinions conclude conclusion summarize"
    " summary promise promised say said talk talked think thought happen happened tell told agree agreed meeting"
    " recording know"
)
"""English words of a question that say what is wanted, and not what it is about."""


_NUMBERS = frozenset(UNITS) | frozenset(SCALES)


@dataclass(frozen=True, slots=True)
class Held:
    """A sentence that holds: the passage and the sentence in it that it rests on, by number from 0, and its words."""

    passage: int
    sentence: int
    text: str


class Bearing:
    """The passages of one question, prepared for looking things up."""

    def __init__(self, question: str, passages: Sequence[GivenPassage]) -> None:
        self._passages = passages
        languages = {p.language for p in passages} | {"en"}
        empty = frozenset[str]().union(*(stop_words_for(each) for each in languages))
        stem, asking = stemmer_for("en"), _stems_of(_ASKING, "en")
        bare = " ".join(w for w in words_in(question) if w not in empty and stem(w) not in asking)
        self._about = frozenset(w for each in languages for w in _topic(bare, each))
        self._names = {normal(n) for p in passages[:1] for n in names_in(question, p.language)}
        named = {stem for each in languages for stem in content_words(" ".join(self._names), each)}
        self._about = self._about - named or self._about
        self._numbers = {value(number) for number in numbers_written(question)}
        self._kept: set[str] = set()

    def held(self, text: str, quote: str, cited: int | None) -> tuple[list[Held], int]:
        """What holds of an item of the answer, and how many sentences of it do not. `cited`: the passage, from 0."""
        found, dropped = [], 0
        text = without_endings(text)
        for sentence in [text] if self._word_for_word(text, cited) else prose_sentences(text):
            held = self._one(sentence, quote, cited)
            if held is None:
                dropped += 1
            elif normal(held.text) not in self._kept:
                self._kept.add(normal(held.text))
                found.append(held)
        return found, dropped

    def _one(self, text: str, quote: str, cited: int | None) -> Held | None:
        if len(text) > LONGEST:
            return None
        if same := self._word_for_word(text, cited):
            return next((h for h in (self._quoted(*each) for each in same if self._says(*each)) if h), None)
        for number in self._numbers_from(cited):
            bare = self._bare(text, number)
            place = self._place(bare, quote, number, cited=number == cited)
            if place is not None and self._bears(number, bare, quote, place.index):
                return self._quoted(number, self._nearest(number, bare, quote, place.index))
        return None

    def _numbers_from(self, cited: int | None) -> list[int]:
        """The passages, the one that is cited first."""
        every = range(len(self._passages))
        return [*(n for n in every if n == cited), *(n for n in every if n != cited)]

    def _bare(self, text: str, number: int) -> str:
        prefixes = self._evidence(number).prefixes
        return text if prefixes is None else prefixes.sub("", text, count=1).strip()

    def _word_for_word(self, text: str, cited: int | None) -> list[tuple[int, int]]:
        """Where exactly this was said, as a whole sentence."""
        return [
            (number, index)
            for number in self._numbers_from(cited)
            for index, said in enumerate(self._evidence(number).texts)
            if said and normal(without_endings(said)) == normal(self._bare(text, number))
        ]

    def _says(self, number: int, index: int) -> bool:
        """Whether a sentence of a passage says something that has to do with the question, and is no order."""
        evidence = self._evidence(number)
        text = evidence.sentences[index].text
        around = range(max(0, index - 1), min(len(evidence.sentences), index + 2))
        return (
            not is_ordered([s.text for s in evidence.sentences], range(index, index + 1))
            and len(_topic(text, evidence.language)) + len(numbers_written(text)) >= LEAST
            and self._is_about(number, range(index, index + 1), around)
        )

    def _nearest(self, number: int, text: str, quote: str, index: int) -> int:
        """The sentence that one rests on, where its quote goes over several."""
        evidence = self._evidence(number)
        stems = frozenset(content_words(text, evidence.language))
        return max(
            _near(evidence.texts, index, len(normal(quote))), key=lambda i: len(stems & evidence.stems[i])
        )

    def _quoted(self, number: int, index: int) -> Held | None:
        """A sentence of a passage as what is shown; None if it is too long to be shown whole."""
        text = clean(self._passages[number].sentences[index].text, LONGEST + 1)
        return Held(number, index, text) if 0 < len(text) <= LONGEST else None

    def _place(self, text: str, quote: str, number: int, *, cited: bool) -> Place | None:
        """Where in a passage a sentence's words are: its quote, or in the one that it cites the sentence most like it."""
        evidence = self._evidence(number)
        if not evidence.sentences:
            return None
        middle = (evidence.sentences[0].start + evidence.sentences[-1].end) / 2
        place = evidence.place(Claim(text=text, quote=quote, at=middle if cited else None))
        if place is None and cited:
            stems = frozenset(content_words(text, evidence.language))
            best = max(range(len(evidence.stems)), key=lambda i: len(stems & evidence.stems[i]))
            place = evidence.place(Claim(text=text, at=evidence.sentences[best].start))
        return place

    def _bears(self, number: int, text: str, quote: str, index: int) -> bool:
        evidence = self._evidence(number)
        near = _near(evidence.texts, index, len(normal(quote)))
        around = range(max(0, near.start - 1), min(len(evidence.sentences), near.stop + 1))
        if is_ordered([s.text for s in evidence.sentences], near):
            return False
        here = Evidence([evidence.sentences[i] for i in near], evidence.language)
        said = [sentence.text for sentence in here.sentences]
        return (
            not here.unsaid(text)
            and _spoken(text, here, evidence)
            and _said(text, here)
            and _bound(text, said, here)
            and _in_order(text, " ".join(said), evidence.language)
            and agrees(text, said, evidence.language)
            and self._is_about(number, near, around)
        )

    def _is_about(self, number: int, near: range, around: range) -> bool:
        """Whether it has to do with the question: a word of that is said there (next to it, where "it" or "they" may stand
        for that), or in the title or a speaker's name, and all its names and numbers are in the passage.
        """
        passage, whole = self._passages[number], self._evidence(number)
        called = f"{passage.called} {' '.join(whole.speakers)}"
        title = frozenset(content_words(called, passage.language))
        points = passage.language != "en" or any(
            not _POINTING.isdisjoint(whole.texts[i].split()) for i in near
        )
        here = title.union(*(whole.stems[i] for i in (around if points else near)))
        words = whole.all_stems | title
        known = normal(called).split()
        for name in self._names:
            if name not in known and not _among(name, whole.said) and not _among(name, words):
                return False
        if any(n not in whole.numbers and n not in known for n in self._numbers):
            return False
        return not self._about or any(_among(word, here) for word in self._about)

    @functools.cache  # noqa: B019 - lives as long as one question
    def _evidence(self, number: int) -> Evidence:
        passage = self._passages[number]
        ends = [*(s.at for s in passage.sentences[1:]), float("inf")]
        sentences = (
            [
                Sentence(s.text, s.at, max(s.at, min(end, s.at + 60.0)), s.speaker)
                for s, end in zip(passage.sentences, ends, strict=True)
            ]
            if passage.sentences
            else []
        )
        return Evidence(sentences, passage.language)


def _near(texts: Sequence[str], index: int, length: int) -> range:
    """The sentences over which a quote of so many characters goes that begins in this one."""
    last, room = index + 1, length - len(texts[index])
    while last < len(texts) and room > 10:
        room -= len(texts[last])
        last += 1
    return range(index, last)


def _said(text: str, here: Evidence) -> bool:
    """Whether a sentence is made of the words that it quotes, other than those with which it tells that they were said."""
    language = here.language
    stem, telling = stemmer_for(language), _stems_of(_TELLING.get(language, ""), language)
    stems = _topic(text, language, names=here) - telling
    if language == "en":
        small = {
            stem(w)
            for w in words_in(here.bare(text))
            if w not in _LITTLE | _NUMBERS and not is_short_for(w, language)
        }
        if not small - stems - telling <= {stem(word) for word in here.said}:
            return False
    if len(stems) + len(numbers_written(text)) < LEAST:
        return False
    return all(_among(each, here.all_stems, language) for each in stems)


def _spoken(text: str, here: Evidence, evidence: Evidence) -> bool:
    """Whether each speaker whom a sentence names is named in what it quotes, or says it: of themselves ("I will"), or as the
    sentence tells ("Tom mentioned").
    """
    if evidence.names is None:
        return True
    speaking = {normal(sentence.speaker) for sentence in here.sentences}
    words = set(words_in(text))
    tells = not words.isdisjoint(_TELLING.get(here.language, "").split())
    themselves = not here.said.isdisjoint(_OF_ONESELF.get(here.language, "").split())
    for name in map(normal, evidence.names.findall(text)):
        if name not in here.whole and not (name in speaking and (tells or themselves)):
            return False
    return True


def _in_order(text: str, said: str, language: str) -> bool:
    """Whether the names in a sentence come in the order in which they were said: who sends something to whom. Not asked in
    German, where all nouns look like names.
    """
    if language == "de":
        return True
    there = normal(said).split()
    small = stop_words_for(language)
    names = [normal(name) for name in _CAPITAL.findall(text) if name in said and normal(name) not in small]
    at = [there.index(name) for name in names if name in there]
    return at == sorted(at)


def _bound(text: str, said: Sequence[str], evidence: Evidence) -> bool:
    """Whether each name and number of a sentence was said along with something else that it says: not "twenty thousand" of
    the budget where it speaks of what was spent. A name goes with its sentence, a number with its clause.
    """
    language = evidence.language
    stems = _topic(text, language, names=evidence)
    whole = [(normal(each), _topic(each, language)) for each in said]
    parts = [(normal(p), _topic(p, language)) for each in said for p in parts_of(each)]
    for name in {normal(n) for n in names_in(text, language)} - {normal(s) for s in evidence.speakers}:
        others = stems - _topic(name, language)
        having = [there for words, there in whole if _among(name, frozenset(words.split()))]
        if others and having and not any(others & there for there in having):
            return False
    for number in {value(n) for n in numbers_written(text)}:
        having = [there for words, there in parts if number in numbers_said(words)]
        if stems and having and not any(not there or stems & there for there in having):
            return False
    return True


def _topic(text: str, language: str, names: Evidence | None = None) -> frozenset[str]:
    """The stems of a text that say what it is about, without numbers."""
    bare = text if names is None else names.bare(text)
    return frozenset(content_words(bare, language, _NUMBERS))


@functools.cache
def _stems_of(words: str, language: str) -> frozenset[str]:
    return frozenset(map(stemmer_for(language), words.split()))


def _among(stem: str, stems: Collection[str], language: str = "") -> bool:
    """Whether a stem is among others, or one so much like it that both are forms of one word."""
    if stem in stems:
        return True
    least = ALIKE_ABLAUT if language in ("de", "nl") else ALIKE
    return (
        len(stem) >= 4 and process.extractOne(stem, stems, scorer=fuzz.ratio, score_cutoff=least) is not None
    )
