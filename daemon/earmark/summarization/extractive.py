"""A summary without a model: the recording's own sentences, chosen and never rewritten.

Central sentences by TextRank; decisions, tasks and open questions by what people say when they make them. Every line
is something that was said, at the time it was said.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from rapidfuzz import fuzz

from earmark.domain import Point, Summary, Task, Transcript
from earmark.messages import SummarizeRequest
from earmark.notes.speakers import names_of
from earmark.summarization.cues import Cues, cues_for
from earmark.summarization.engine import Heartbeat, Result
from earmark.summarization.ranking import WORD, content_words, empty_words_for, rank
from earmark.summarization.sentences import Sentence, sentences_of

BY = "extractive"
NO_SPEECH = "No speech was found in this recording."
NOT_UNDERSTOOD = "The speech in this recording was not understood."
SHORT = 3
"""A recording of so few sentences is its own summary."""
SHORT_CHARACTERS = 350
OVERVIEW = 3
OVERVIEW_CHARACTERS = 600
FEWEST_WORDS = 5
"""Shorter sentences ("Yes, exactly.") are no points."""
LONG = 50
"""Sentences (about four minutes) from which on the points are spread over the recording."""
TITLE_CHARACTERS = 60
ALIKE = 85
"""rapidfuzz token_set_ratio (0-100) from which two sentences say the same."""
BETWEEN = re.compile(r"\s*(?:[\w'’]+\s+){0,2}")
"""What may stand between "I will" and what says that there is something to do: "I'll certainly follow up with"."""
MOST_ITEMS = 20
"""Most decisions, tasks or questions that are listed; a reading of a novel is full of "will you"."""


class ExtractiveSummarizer:
    """Implements `Summarizer` on this machine, without a model, in about a second per hour of speech."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result:
        beat(0, 1)
        summary = extract(request.transcript, request.template, request.max_points)
        beat(1, 1)
        return Result(summary)


def extract(transcript: Transcript, template: str = "meeting", max_points: int = 7) -> Summary:
    """The extractive summary of a transcript. Never fails: no speech gives an honest empty one."""
    sentences = sentences_of(transcript.segments, names_of(transcript))
    language = transcript.language

    def summary(title: str, overview: str, **parts: object) -> Summary:
        return Summary(
            recording_id=transcript.recording_id, by=BY, title=title, overview=overview, language=language,
            template=template, **parts,  # type: ignore[arg-type]
        )  # fmt: skip

    if not any(WORD.search(sentence.text) for sentence in sentences):
        return summary("", NO_SPEECH)
    if transcript.misheard is not None:
        # A title and points out of words that nobody said would be believed.
        return summary("", NOT_UNDERSTOOD)

    cues = cues_for(language)
    whole = " ".join(sentence.text for sentence in sentences)
    scores = rank(sentences, language)
    title = title_of(sentences, scores, language)
    decisions = decisions_in(sentences, cues)
    # What is said to be open is no task, even where it holds a "must"; a plain question may well be one.
    undecided = questions_in(sentences, cues, {point.at for point in decisions}, only_named=True)
    tasks = tasks_in(sentences, cues, {point.at for point in (*decisions, *undecided)})
    listed = {point.at for point in decisions} | {task.at for task in tasks}
    questions = questions_in(sentences, cues, listed)
    # Who speaks stands in the list of speakers; here are those who are spoken of.
    people = tuple(dict.fromkeys(name for task in tasks if cues and (name := owner_in(task.text, cues)[0])))
    items = {"decisions": decisions, "tasks": tasks, "open_questions": questions, "people": people}
    if len(sentences) <= SHORT or len(whole) <= SHORT_CHARACTERS:
        # The whole text stands above; listing its only sentence again as a point would be noise.
        return summary(title, bounded(whole, 4 * OVERVIEW_CHARACTERS), **items)

    listed |= {question.at for question in questions}
    order = sorted(range(len(sentences)), key=lambda i: -scores[i])
    order = [i for i in order if says_something(sentences[i], language)] or order
    overview = choose(sentences, order, OVERVIEW, characters=OVERVIEW_CHARACTERS)
    room = min(max_points, max(0, len(sentences) // 4))
    rest = [i for i in order if i not in overview and sentences[i].start not in listed]
    points = points_from(sentences, rest, room, [sentences[i].text for i in overview])
    return summary(
        title,
        " ".join(sentences[i].text for i in overview),
        key_points=tuple(Point(sentences[i].text, sentences[i].start) for i in points),
        **items,
    )


def says_something(sentence: Sentence, language: str) -> bool:
    """False for what is too short to be a point, and for greetings and thanks, however central they are."""
    topics = [word for word in WORD.findall(sentence.text.lower()) if word not in empty_words_for(language)]
    return sentence.words >= FEWEST_WORDS and len(topics) >= 2


def points_from(
    sentences: Sequence[Sentence], order: Sequence[int], count: int, unlike: Sequence[str]
) -> list[int]:
    """The key points among `order`; of a long recording one from each of `count` stretches first.

    Centrality alone puts all points where the longest topic is; over an hour the others matter too.
    """
    chosen: list[int] = []
    if len(sentences) >= LONG:
        for stretch in range(count):
            inside = [i for i in order if i * count // len(sentences) == stretch]
            taken = [*unlike, *(sentences[i].text for i in chosen)]
            chosen.extend(choose(sentences, inside, 1, unlike=taken))
    rest = [i for i in order if i not in chosen]
    taken = [*unlike, *(sentences[i].text for i in chosen)]
    return sorted([*chosen, *choose(sentences, rest, count - len(chosen), unlike=taken)])


def choose(
    sentences: Sequence[Sentence],
    order: Sequence[int],
    count: int,
    characters: int | None = None,
    unlike: Sequence[str] = (),
) -> list[int]:
    """The first `count` of `order` that do not repeat each other, in the order they were said."""
    chosen: list[int] = []
    texts = list(unlike)
    used = 0
    for index in order:
        if len(chosen) >= count:
            break
        text = sentences[index].text
        if characters is not None and chosen and used + len(text) > characters:
            continue
        if any(fuzz.token_set_ratio(text, other) >= ALIKE for other in texts):
            continue
        chosen.append(index)
        texts.append(text)
        used += len(text)
    return sorted(chosen)


def title_of(sentences: Sequence[Sentence], scores: Sequence[float], language: str) -> str:
    """The phrases around which the central sentences turn: runs of one to three topic words, as they were said."""
    stop = empty_words_for(language)
    weight: defaultdict[str, float] = defaultdict(float)
    frequency: Counter[str] = Counter()
    mean = sum(scores) / len(scores) or 1.0
    for sentence, score in zip(sentences, scores, strict=True):
        for stem in set(content_words(sentence.text, language)):
            weight[stem] += min(score / mean, 4.0)
            frequency[stem] += 1
    phrases: dict[str, tuple[float, str]] = {}
    for sentence in sentences:
        for phrase in topic_runs(sentence.text, stop):
            stems = content_words(phrase, language)
            if not stems:
                continue
            repeated = [stem for stem in stems if frequency[stem] > 1] or stems[:1]
            value = sum(weight[stem] for stem in repeated) / len(stems) * (1.0 + 0.25 * (len(stems) - 1))
            key = " ".join(stems)
            if value > phrases.get(key, (0.0, ""))[0]:
                phrases[key] = (value, phrase)
    comes_back = any(frequency[stem] > 1 for key in phrases for stem in key.split())
    if not comes_back or len(sentences) <= 2:
        # Nothing comes up twice in what is this short: its first words say more than any picked one.
        opening = next((s for s in sentences if says_something(s, language)), sentences[0])
        return bounded(" ".join(opening.text.rstrip(".!?…").split()[:8]), TITLE_CHARACTERS)
    title, used, parts = "", set[str](), 0
    for key, (_, phrase) in sorted(phrases.items(), key=lambda item: -item[1][0])[:12]:
        words = set(key.split())
        longer = f"{title}, {phrase}" if title else phrase
        # Only what was said more than once is what the recording is about.
        passing = all(frequency[stem] < 2 for stem in words)
        if used & words or passing or len(longer) > TITLE_CHARACTERS or parts == 3:
            continue
        title, used, parts = longer, used | words, parts + 1
    return title[:1].upper() + title[1:]


def topic_runs(text: str, stop: frozenset[str]) -> list[str]:
    """Neighbouring words without a stop word or punctuation between them, at most three at a time."""
    runs: list[str] = []
    for part in re.split(r"[^\w\s'’-]+", text):
        run: list[str] = []
        for word in [*part.split(), ""]:
            if word and word.lower() not in stop and len(word) > 2 and WORD.fullmatch(word):
                run.append(word)
                if len(run) < 3:
                    continue
            if run:
                runs.append(" ".join(run))
            run = []
    return runs


def decisions_in(sentences: Sequence[Sentence], cues: Cues | None) -> tuple[Point, ...]:
    """What the speakers say they have decided."""
    if cues is None:
        return ()
    found = [Point(s.text, s.start) for s in sentences if s.words >= 4 and cues.decision.search(s.text)]
    return tuple(found[:MOST_ITEMS])


def tasks_in(
    sentences: Sequence[Sentence],
    cues: Cues | None,
    taken: set[float | None] | frozenset[float | None] = frozenset(),
) -> tuple[Task, ...]:
    """What somebody said would be done, with the owner and the due date if they were said. What the speaker takes on is
    theirs, if it is known who speaks.
    """
    if cues is None:
        return ()
    found: list[Task] = []
    for sentence in sentences:
        if sentence.start in taken or sentence.words < 3:
            continue
        text = sentence.text
        owner, after = owner_in(text, cues)
        due = cues.due.search(text)
        if owner is None:
            cue = cues.strong_task.search(text) or cues.weak_task.search(text)
            if cue is None:
                continue
            after = cue.end()
            strong = cue.re is cues.strong_task
            owner = sentence.speaker if takes_it_on(text, cue.start(), cues) else None
        else:
            strong = False
        if (due is None and cues.work.search(text, after) is None) and not (strong and after == len(text)):
            continue
        found.append(
            Task(text, sentence.start, owner=owner or None, due=due.group().strip() if due else None)
        )
    return tuple(found[:MOST_ITEMS])


def takes_it_on(text: str, before: int, cues: Cues) -> bool:
    """Whether it is the speaker who is to do what is said to be done at `before` ("I will send it"), and no question."""
    mine = cues.mine.search(text)
    if mine is None or asked(text) or mine.start() > before:
        return False
    return mine.end() > before or BETWEEN.fullmatch(text[mine.end() : before]) is not None


def asked(text: str) -> bool:
    """Whether it ends with a question mark."""
    return text.rstrip("\"'”’») ").endswith(("?", "？"))


def owner_in(text: str, cues: Cues) -> tuple[str | None, int]:
    """The name that is said to do something, and where the phrase that says so ends."""
    for match in cues.owned_task.finditer(text):
        name = next((group for group in match.groups() if group), None)
        if name is None:
            continue
        words = [word for word in name.split() if not cues.nobody.fullmatch(word.rstrip(","))]
        if words:
            return " ".join(words), match.end()
    return None, 0


def questions_in(
    sentences: Sequence[Sentence],
    cues: Cues | None,
    taken: set[float | None] | frozenset[float | None] = frozenset(),
    only_named: bool = False,
) -> tuple[Point, ...]:
    """What was said to be open and, unless `only_named`, real questions about those present."""
    if cues is None:
        return ()
    found = []
    for sentence in sentences:
        text = sentence.text
        if sentence.start in taken or sentence.words < 4:
            continue
        if cues.open_question.search(text) or (
            not only_named
            and asked(text)
            and cues.asking.match(text.lstrip("¿\"'“„«( "))
            and cues.us.search(text)
        ):
            found.append(Point(text, sentence.start))
    return tuple(found[:MOST_ITEMS])


def bounded(text: str, characters: int) -> str:
    """The text, cut at a word with an ellipsis if it is longer."""
    if len(text) <= characters:
        return text
    return text[: characters - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
