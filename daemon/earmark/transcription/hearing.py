"""From samples to final segments, window by window: the loop that the worker runs and tests can run without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from earmark.domain import Mark, Segment, is_speech
from earmark.transcription.between import NOTHING, Between
from earmark.transcription.engine import RATE, Answer, Engine, Phrase, Samples, Wish
from earmark.transcription.guard import confidence, marks
from earmark.transcription.lanes import Lanes, in_order, sides
from earmark.transcription.languages import of_side, stretches
from earmark.transcription.names import Names, with_names
from earmark.transcription.side_by_side import side_by_side
from earmark.transcription.windows import MOST_SPEECH, Span, Window, Windows
from earmark.transcription.word_times import moved, spoken, within
from earmark.transcription.wordless import wordless
from earmark.translation import is_what_was_said

LEAST_LEFT = 0.5
"""Seconds of speech that an answer may leave over without being asked again: no word is so short and so late."""

Heard = tuple[tuple[Segment, ...], tuple[Segment, ...]]
"""What is said, and the same in English where that is wanted."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What one window gave: its final segments, and the second of the recording where it ends. `english`: the same in
    English, if that is wanted and it was not said in it.
    """

    upto: float
    segments: tuple[Segment, ...]
    speech_seconds: float
    english: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants: everything in `language`, or, if that is None, each stretch in its own one.

    `main`: the language that most of the recording is in (see `languages.settle`), for what is in doubt. `allowed`: the
    languages that can occur; empty for all that the engine knows. `names`: what sounds like one is spelled like it.
    `english`: what is in another language is wanted in English, too. `words`: when each word is said is wanted, too.
    """

    language: str | None = None
    main: str = "en"
    allowed: tuple[str, ...] = ()
    hotwords: str | None = None
    names: Names | None = None
    initial_prompt: str | None = None
    beam_size: int = 5
    english: bool = False
    words: bool = False


def listen(
    engine: Engine,
    blocks: Iterable[Samples],
    asked: Asked,
    resume_at: float = 0.0,
    lanes: Lanes | None = None,
    alive: Callable[[], object] = lambda: None,
    at_once: int = 1,
    between: Between = NOTHING,
) -> Iterator[Passage]:
    """Hear a recording from `resume_at` seconds on, which must be 0 or the `upto` of an earlier passage.

    `blocks` is the recording from its start, and `lanes` holds its sides up to the last block. `at_once` windows are heard
    side by side; a window depends on nothing but its samples, so that neither their number nor resuming changes a word.
    `alive` is called after each answer of the engine, in any thread. `between` windows other recordings may be heard.
    """
    cutter = Windows(blocks, engine.voice, round(resume_at * RATE))
    cut = ((window, _apart(engine, window, lanes)) for window in cutter)
    return side_by_side(lambda each: _passage(engine, *each, asked, alive), cut, at_once, between)


def _apart(engine: Engine, window: Window, lanes: Lanes | None) -> list[Window]:
    return sides(window, lanes.between(window.start, window.end), engine.voice) if lanes else []


def _passage(
    engine: Engine, window: Window, apart: list[Window], asked: Asked, alive: Callable[[], object]
) -> Passage:
    """What a window gives; `apart`: its sides where two talk at once."""
    if apart:
        said, english = _sides(engine, apart, asked, alive)
    else:
        said, english = _stretches(engine, window, asked, alive)
    return Passage(window.end / RATE, said, window.speech_seconds, english)


def _sides(engine: Engine, apart: list[Window], asked: Asked, alive: Callable[[], object]) -> Heard:
    tongues = [asked.language or of_side(engine, side.speech(), asked.main, asked.allowed) for side in apart]
    said: list[tuple[Segment, ...]] = []
    english: list[tuple[Segment, ...]] = []
    for side, tongue in zip(apart, tongues, strict=True):
        phrases = _all_phrases(engine, side.speech(), _wish(asked, tongue), asked.names)
        heard = _segments(side, phrases, _named(asked, tongue))
        alive()
        english.append(_in_english(engine, side, side.speech(), heard, asked, tongue))
        said.append(_with_wordless(side, [_place(side, phrase) for phrase in phrases], heard))
    return in_order(said), in_order(english)


def _stretches(engine: Engine, window: Window, asked: Asked, alive: Callable[[], object]) -> Heard:
    """What is said in a window: as far as the model reaches in the language that it begins in, then of what is left."""
    said: list[Segment] = []
    english: list[Segment] = []
    places: list[Span] = []
    left, speech, least = window, window.speech(), 0.0
    while len(speech) > least:
        language, part = _first_language(engine, speech, asked)
        answer = _hear(engine, part, _wish(asked, language), asked.names)
        alive()
        reached = len(part) / RATE
        if answer.reached < reached - LEAST_LEFT:
            # Where the model itself ended a sentence. Moving to a quieter moment nearby cost words when measured.
            reached = answer.reached
        found = _segments(left, answer.phrases, _named(asked, language))
        said += found
        passed = left.start - window.start
        places += [(passed + a, passed + b) for a, b in (_place(left, phrase) for phrase in answer.phrases)]
        english += _in_english(engine, left, part[: round(reached * RATE)], found, asked, language)
        alive()
        left = left.after(max(1, left.sample_of(reached, end=True)))
        speech, least = left.speech(), LEAST_LEFT * RATE
    return _with_wordless(window, places, tuple(said)), tuple(english)


def _with_wordless(window: Window, places: Sequence[Span], said: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """What was said in the window, and where somebody speaks without a word being made out.

    `places`: first and last sample of each phrase.
    """
    gaps = wordless(window.voice, places, len(window.samples))
    silent = [
        Segment(
            round((window.start + a) / RATE, 2), round((window.start + b) / RATE, 2), "", 0.0, Mark.WORDLESS
        )
        for a, b in gaps
    ]
    return tuple(sorted((*said, *silent), key=lambda segment: segment.start)) if silent else said


def _in_english(
    engine: Engine,
    window: Window,
    speech: Samples,
    said: Sequence[Segment],
    asked: Asked,
    language: str,
) -> tuple[Segment, ...]:
    """The beginning `speech` of a window's speech, heard as `said` in a language, in English; nothing where nobody wants it
    or nothing was said.
    """
    if not asked.english or language == "en" or not any(map(is_speech, said)):
        return ()
    # No vocabulary, no prompt: with words of the language before it Whisper goes on in that language. Of three recordings
    # that were tried, one was not translated from its middle on, one kept Spanish words, and one lost a sentence.
    wish = Wish(language, beam_size=asked.beam_size, english=True)
    phrases = _all_phrases(engine, speech, wish)
    found = _segments(window, phrases, _named(asked, language))
    if not found:
        first, last = min(s.start for s in said), max(s.end for s in said)
        return (Segment(first, last, "", 0.0, Mark.UNTRANSLATED, _named(asked, language)),)
    if is_what_was_said([s.text for s in said if is_speech(s)], [s.text for s in found if is_speech(s)]):
        return tuple(replace(s, mark=Mark.UNTRANSLATED) if is_speech(s) else s for s in found)
    return tuple(_as_doubtful(segment, said) for segment in found)


def _as_doubtful(english: Segment, said: Sequence[Segment]) -> Segment:
    """A translation of what is left out of the transcript is left out as well, for the same reason."""
    around = [s for s in said if s.start < english.end and english.start < s.end]
    if not around or any(map(is_speech, around)) or not is_speech(english):
        return english
    return replace(english, mark=around[0].mark)


def _hear(engine: Engine, speech: Samples, wish: Wish, names: Names | None) -> Answer:
    """What is said in a passage; what sounds like one of the names is spelled like it."""
    answer = engine.hear(speech, wish)
    return answer if names is None else with_names(engine, speech, wish, answer, names)


def _all_phrases(engine: Engine, speech: Samples, wish: Wish, names: Names | None = None) -> list[Phrase]:
    """Everything that is said in it, however often the model ends early."""
    found: list[Phrase] = []
    at = 0
    while len(speech) - at > (LEAST_LEFT * RATE if at else 0):
        answer = _hear(engine, speech[at : at + int(MOST_SPEECH * RATE)], wish, names)
        seconds = at / RATE
        found += [_later(phrase, seconds) for phrase in answer.phrases]
        at += max(1, round(answer.reached * RATE))
    return found


def _later(phrase: Phrase, by: float) -> Phrase:
    words = moved(phrase.words, lambda at: at + by)
    return replace(phrase, start=phrase.start + by, end=phrase.end + by, words=words)


def _first_language(engine: Engine, speech: Samples, asked: Asked) -> tuple[str, Samples]:
    """The language that a window begins in, and its speech up to where that changes."""
    if asked.language is not None or len(speech) == 0:
        return asked.language or asked.main, speech
    first = stretches(engine, speech, asked.main, asked.allowed)[0]
    return first.language, speech[: first.last]


def _wish(asked: Asked, language: str) -> Wish:
    return Wish(language, asked.hotwords, asked.initial_prompt, asked.beam_size, words=asked.words)


def _named(asked: Asked, language: str) -> str:
    """What a segment says of its language: nothing where everything is in the one that was asked for."""
    return "" if asked.language is not None else language


def _place(window: Window, phrase: Phrase) -> tuple[int, int]:
    """First and last sample of a phrase in its window."""
    return window.sample_of(phrase.start), window.sample_of(phrase.end, end=True)


def _segments(window: Window, phrases: Sequence[Phrase], language: str) -> tuple[Segment, ...]:
    at = [_place(window, phrase) for phrase in phrases]
    found = []
    for phrase, (first, last), mark in zip(phrases, at, marks(phrases, window.voice, at), strict=True):
        start = round((window.start + first) / RATE, 2)
        end = round((window.start + max(first, last)) / RATE, 2)
        words = []
        for begins, ends, char in phrase.words:
            a, b = spoken(window.sample_of(begins), window.sample_of(ends, end=True), window.voice)
            words.append(((window.start + a) / RATE, (window.start + b) / RATE, char))
        sure = round(confidence(phrase), 3)
        found.append(Segment(start, end, phrase.text, sure, mark, language, words=within(words, start, end)))
    return tuple(found)
