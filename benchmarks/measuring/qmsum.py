"""QMSum's meetings (Zhong et al., 2021) as transcripts: real people who talk, and what a person says it comes down to.

The transcripts have no times: 150 words a minute are taken, and a fifth of a second between turns.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Segment, Summary, Transcript
from earmark.notes.speakers import names_of
from earmark.summarization.extractive import extract
from earmark.summarization.sentences import sentences_of

from measuring.rouge import rouge, words

WORD_SECONDS, BETWEEN = 0.4, 0.2
LENGTH = 150
"""Words of each summary that is compared; a longer one covers more whatever it says."""
RUNS = 10
NEAR = 60.0
HISTORY = "before that, by TextRank, on the validation split: 0.224  0.024  0.196 (its best 150 of 326 words)"
"""Of the picker that was here before; measured with this scorer at commit 784d907."""


@dataclass(frozen=True)
class Meeting:
    transcript: Transcript
    reference: str
    topics: tuple[float, ...]
    """Seconds at which people saw another topic begin."""


def meetings(file: Path) -> list[Meeting]:
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        data = json.loads(line)
        names: dict[str, int] = {}
        segments, begins, at = [], [], 0.0
        for turn in data["meeting_transcripts"]:
            text = plain(turn["content"])
            speaker = names.setdefault(turn["speaker"], len(names) + 1)
            begins.append(at)
            if re.search(r"\w", text):
                length = len(text.split()) * WORD_SECONDS
                segments.append(Segment(at, at + length, text, speaker=speaker))
                at += length + BETWEEN
        transcript = Transcript(
            f"{number:064x}", tuple(segments), "en", 1.0, at, at, "reference", "QMSum", speakers=tuple(names)
        )
        firsts = sorted({int(topic["relevant_text_span"][0][0]) for topic in data["topic_list"]})
        topics = tuple(begins[min(first, len(begins) - 1)] for first in firsts if first > 5)
        found.append(Meeting(transcript, plain(data["general_query_list"][0]["answer"]), topics))
    return found


def plain(text: str) -> str:
    """Without marks like {vocalsound}, and with punctuation where it belongs."""
    text = re.sub(r"\s+([.,?!;:])", r"\1", re.sub(r"\{[^}]*\}", " ", text))
    text = re.sub(r"\s+('(?:s|m|re|ve|ll|d|t)\b)", r"\1", text)
    return " ".join(re.sub(r"\b(\w+) (n't)\b", r"\1\2", text).split())


def table(file: Path, length: int = LENGTH) -> None:
    """Print what each way of picking reaches, all at the same length."""
    read = meetings(file)
    begun = time.process_time()
    made = [extract(meeting.transcript) for meeting in read]
    took = time.process_time() - begun
    hours = sum(meeting.transcript.duration for meeting in read) / 3600
    print(f"{file.name}: {len(read)} meetings, {length} words   ROUGE-1  ROUGE-2  ROUGE-L")
    rows: dict[str, list[tuple[float, ...]]] = {
        "random": [_at_random(meeting, length) for meeting in read],
        "lead": [_scored(meeting, lambda texts: up_to(texts, range(len(texts)), length)) for meeting in read],
        "earmark": [rouge(lines_of(summary), m.reference) for m, summary in zip(read, made, strict=True)],
        "oracle": [_scored(m, lambda texts, m=m: _oracle(texts, m.reference, length)) for m in read],  # type: ignore[misc]
    }
    for name, scores in rows.items():
        print(
            f"  {name:10} {'  '.join(f'{statistics.mean(column):.3f}' for column in zip(*scores, strict=True))}"
        )
    print(f"  {HISTORY}")
    better = sum(
        own[0] > by_chance[0] for own, by_chance in zip(rows["earmark"], rows["random"], strict=True)
    )
    count = statistics.mean(len(" ".join(lines_of(summary)).split()) for summary in made)
    print(
        f"  better than random in {better} of {len(read)}; {count:.0f} words; {took / hours:.2f} s of processor an hour"
    )
    _lists(made)
    _jump_marks(read, made)


def lines_of(summary: Summary) -> list[str]:
    """Overview and points, which are the summary; the lists are judged by reading them."""
    overview = re.split(r"(?<=[.!?…]) ", summary.overview)
    return [*overview, *(point.text for point in summary.key_points)]


def items(file: Path) -> None:
    """Print each line of the lists, to be read and judged."""
    for number, meeting in enumerate(meetings(file)):
        summary = extract(meeting.transcript)
        listed = (
            ("decision", summary.decisions),
            ("question", summary.open_questions),
            ("task", summary.tasks),
        )
        for kind, lines in listed:
            for line in lines:
                print(f"{number}\t{kind}\t{line.text}")


def _lists(made: Sequence[Summary]) -> None:
    counts = {
        "decisions": sum(len(summary.decisions) for summary in made),
        "tasks": sum(len(summary.tasks) for summary in made),
        "questions": sum(len(summary.open_questions) for summary in made),
    }
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"  lists: {listed}: {sum(counts.values()) / len(made):.1f} lines a meeting (read them: --items)")


def _jump_marks(read: Sequence[Meeting], made: Sequence[Summary]) -> None:
    """How many of the places at which people saw another topic begin have a mark within a minute, and by chance."""
    near = by_chance = begun = marked = 0.0
    for meeting, summary in zip(read, made, strict=True):
        if (
            not summary.jump_marks or len(meeting.topics) > 20
        ):  # each question of a parliament is a topic there
            continue
        places = [point.at or 0.0 for point in summary.jump_marks[1:]]
        begun += len(meeting.topics)
        marked += len(places)
        near += _near(meeting.topics, places)
        for seed in range(RUNS):
            dice = random.Random(seed)
            by_chance += (
                _near(meeting.topics, [dice.uniform(0, meeting.transcript.duration) for _ in places]) / RUNS
            )
    print(
        f"  jump marks: {near / begun:.2f} of {begun:.0f} beginnings of topics have one of {marked:.0f} within a minute "
        f"(by chance {by_chance / begun:.2f})"
    )


def _near(wanted: Sequence[float], places: Sequence[float]) -> int:
    return sum(any(abs(place - at) <= NEAR for place in places) for at in wanted)


def _sentences(meeting: Meeting) -> list[str]:
    return [s.text for s in sentences_of(meeting.transcript.segments, names_of(meeting.transcript))]


def _scored(meeting: Meeting, pick: Callable[[list[str]], list[int]]) -> tuple[float, ...]:
    texts = _sentences(meeting)
    return rouge([texts[i] for i in pick(texts)], meeting.reference)


def _at_random(meeting: Meeting, length: int) -> tuple[float, ...]:
    runs = []
    for seed in range(RUNS):

        def shuffled(texts: list[str], seed: int = seed) -> list[int]:
            order = list(range(len(texts)))
            random.Random(seed).shuffle(order)
            return up_to(texts, order, length)

        runs.append(_scored(meeting, shuffled))
    return tuple(statistics.mean(column) for column in zip(*runs, strict=True))


def up_to(texts: Sequence[str], order: Sequence[int], length: int) -> list[int]:
    """As many of `order`, sorted, as come closest to so many words: a longer summary scores better whatever it says."""
    picked: list[int] = []
    used = 0
    for index in order:
        count = len(texts[index].split())
        if picked and used + count / 2 > length:
            break
        picked.append(index)
        used += count
    return sorted(picked)


def _oracle(texts: Sequence[str], reference: str, length: int) -> list[int]:
    """What could be reached by one who knows the reference: sentence by sentence, what adds most of its words."""
    wanted, counted = Counter(words(reference)), [Counter(words(text)) for text in texts]
    have: Counter[str] = Counter()
    picked: list[int] = []
    used = 0
    while True:
        gains = {}
        for index, count in enumerate(counted):
            size = len(texts[index].split())
            if index not in picked and size and used + size / 2 <= length:
                gain = ((have + count) & wanted).total() - (have & wanted).total()
                gains[index] = gain / size**0.8
        best = max(gains, key=lambda index: gains[index], default=None)
        if best is None or gains[best] <= 0:
            return sorted(picked)
        picked.append(best)
        used += len(texts[best].split())
        have += counted[best]
