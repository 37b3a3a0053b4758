"""How good are the summaries? Against references, against stupid baselines, and against what was really said.

    .venv/bin/python benchmarks/summaries.py                     QMSum and the meetings of meetings.toml, without a model
    .venv/bin/python benchmarks/summaries.py --qmsum FILE        another split of QMSum (JSON lines), nothing else
    .venv/bin/python benchmarks/summaries.py --qmsum FILE --items    each line of its lists, to be read and judged
    .venv/bin/python benchmarks/summaries.py --qmsum FILE --fit      how much people's summaries speak of the same
    .venv/bin/python benchmarks/summaries.py --qmsum FILE --endpoint URL [--first N]    its meetings through a model
    .venv/bin/python benchmarks/summaries.py --qmsum FILE --endpoint URL --items    and each line of the model's lists
    .venv/bin/python benchmarks/summaries.py --endpoint URL      and a model (auto, or a base URL)
    .venv/bin/python benchmarks/summaries.py --endpoint URL --hour   a dense hour through that model, with its coverage

QMSum's are real meetings, and the score: each way of picking gets 150 words. The meetings in meetings.toml were written
by the people who wrote the cue phrases, after them: they show that nothing is broken, and score nothing. There the
baselines get as many words as the summary has, and decisions, tasks and questions are scored by the line they rest on.
ROUGE is the F of lower-case words without stemming (measuring/rouge.py).
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.domain import Point, Segment, Summary, Task, Transcript
from earmark.messages import SummarizeRequest
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.engine import SummaryFault
from earmark.summarization.extractive import extract
from measuring import fitting, qmsum
from measuring.rouge import rouge as all_three

HERE = Path(__file__).resolve().parent
QMSUM = HERE.parents[1] / "shared" / "qmsum" / "val.jsonl"
LONGFORM = HERE.parents[1] / "shared" / "corpus" / "longform" / "libri_10speakers_chapters.segments.tsv"
STEP = 5.0
RANDOM_RUNS = 50


@dataclass(frozen=True)
class Meeting:
    """A transcript with what a person says it comes down to."""

    name: str
    transcript: Transcript
    reference: str
    decisions: tuple[float, ...] = ()
    tasks: tuple[tuple[float, str, str], ...] = ()
    questions: tuple[float, ...] = ()


def spoken(name: str, rows: Sequence[tuple[float, float, str]], language: str) -> Transcript:
    segments = tuple(Segment(start, end, text) for start, end, text in rows)
    end = segments[-1].end
    return Transcript(
        name, segments, language, 1.0, end, sum(s.end - s.start for s in segments), "reference", "reference"
    )


def meetings() -> list[Meeting]:
    data = tomllib.loads((HERE / "meetings.toml").read_text(encoding="utf-8"))
    found = []
    for entry in data["meeting"]:
        rows = [(i * STEP, i * STEP + STEP - 1, line) for i, line in enumerate(entry["lines"])]
        found.append(
            Meeting(
                entry["name"],
                spoken(entry["name"], rows, entry["language"]),
                entry["summary"],
                tuple(i * STEP for i in entry["decisions"]),
                tuple((line * STEP, owner, due) for line, owner, due in entry["tasks"]),
                tuple(i * STEP for i in entry["questions"]),
            )
        )
    return found


def longform() -> tuple[Meeting, list[float]] | None:
    """Ten stretches of ten readers on ten subjects, and where each begins; None without the corpus."""
    if not LONGFORM.is_file():
        return None
    rows, starts, speaker = [], [], ""
    for line in LONGFORM.read_text(encoding="utf-8").splitlines():
        start, end, who, words = line.split("\t")
        if who != speaker:
            starts.append(float(start))
            speaker = who
        rows.append((float(start), float(end), words[:1].upper() + words[1:] + "."))
    data = tomllib.loads((HERE / "meetings.toml").read_text(encoding="utf-8"))
    return Meeting(
        "longform", spoken("longform", rows, "en"), " ".join(data["longform"]["references"])
    ), starts


# --- summarizers: a meeting to the sentences that stand for it ---


def words_of(summary: Summary) -> list[str]:
    points = (*summary.key_points, *summary.decisions)
    said = [*re.split(r"(?<=[.!?…]) ", summary.overview), *(point.text for point in points)]
    return [text for text in dict.fromkeys(said) if text.strip()]


def lead(meeting: Meeting, words: int) -> list[str]:
    texts = [segment.text for segment in meeting.transcript.segments]
    return [texts[i] for i in qmsum.up_to(texts, range(len(texts)), words)]


def at_random(meeting: Meeting, words: int, seed: int) -> list[str]:
    texts = [segment.text for segment in meeting.transcript.segments]
    order = list(range(len(texts)))
    random.Random(seed).shuffle(order)
    return [texts[i] for i in qmsum.up_to(texts, order, words)]


def count_words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)


# --- scores ---


def rouge(produced: Sequence[str], reference: str) -> tuple[float, float]:
    """ROUGE-1 and ROUGE-L."""
    one, _, longest = all_three(produced, reference)
    return one, longest


def hits(found: Sequence[float | None], wanted: Sequence[float]) -> tuple[int, int, int]:
    """(right, found, wanted) by the line that an item rests on; models may cite the line before or after."""
    left = list(wanted)
    right = 0
    for at in found:
        near = next((line for line in left if at is not None and abs(line - at) <= STEP), None)
        if near is not None:
            left.remove(near)
            right += 1
    return right, len(found), len(wanted)


def f1(rows: Sequence[tuple[int, int, int]]) -> str:
    right, found, wanted = (sum(row[i] for row in rows) for i in range(3))
    precision, recall = right / found if found else 0.0, right / wanted if wanted else 0.0
    f = 2 * precision * recall / (precision + recall) if right else 0.0
    return f"precision {precision:.2f}  recall {recall:.2f}  F {f:.2f}  ({right} of {wanted}, {found} named)"


def owners(tasks: Sequence[Task], wanted: Sequence[tuple[float, str, str]]) -> tuple[int, int, int]:
    """Of the tasks that were found: (owner right, due right, all)."""
    owner = due = both = 0
    for at, name, when in wanted:
        task = next((task for task in tasks if task.at is not None and abs(task.at - at) < STEP / 2), None)
        if task is None:
            continue
        both += 1
        owner += (task.owner or "") == name
        due += (task.due or "").lower() == when.lower() or bool(
            when and when.lower() in (task.due or "").lower()
        )
    return owner, due, both


def score(name: str, make: Callable[[Meeting], Summary]) -> None:
    """Print the scores of a summarizer over all meetings."""
    rouges, decisions, tasks, questions, owned, unsupported, coverage, seconds = (
        [],
        [],
        [],
        [],
        [],
        0,
        [],
        0.0,
    )
    for meeting in meetings():
        begun = time.perf_counter()
        try:
            summary = make(meeting)
        except SummaryFault as fault:
            print(f"  {meeting.name}: no summary: {fault.sentence}")
            continue
        seconds += time.perf_counter() - begun
        produced = words_of(summary)
        rouges.append(rouge(produced, meeting.reference))
        decisions.append(hits([p.at for p in summary.decisions], meeting.decisions))
        tasks.append(hits([t.at for t in summary.tasks], [row[0] for row in meeting.tasks]))
        questions.append(hits([p.at for p in summary.open_questions], meeting.questions))
        owned.append(owners(summary.tasks, meeting.tasks))
        unsupported += summary.unsupported
        coverage.append(summary.coverage)
        print(f"  {meeting.name}: {summary.title!r}, {len(produced)} sentences, ROUGE-1 {rouges[-1][0]:.2f}, "
              f"ROUGE-L {rouges[-1][1]:.2f}")  # fmt: skip
    if not rouges:
        return
    one, longest = (statistics.mean(row[i] for row in rouges) for i in range(2))
    print(f"{name}: ROUGE-1 {one:.3f}  ROUGE-L {longest:.3f}  coverage {statistics.mean(coverage):.2f}  "
          f"unsupported {unsupported}  {seconds:.1f} s")  # fmt: skip
    print(f"  decisions  {f1(decisions)}\n  tasks      {f1(tasks)}\n  questions  {f1(questions)}")
    owner, due, both = (sum(row[i] for row in owned) for i in range(3))
    print(f"  of {both} tasks found: owner right {owner}, due date right {due}")


def baselines() -> None:
    """lead-3 as it is; and the lead and random picks of as many words as the extractive summary has."""
    lead_three, lead_same, randoms = [], [], []
    for meeting in meetings():
        count = count_words(words_of(extract(meeting.transcript)))
        lead_three.append(rouge([s.text for s in meeting.transcript.segments[:3]], meeting.reference))
        lead_same.append(rouge(lead(meeting, count), meeting.reference))
        runs = [rouge(at_random(meeting, count, seed), meeting.reference) for seed in range(RANDOM_RUNS)]
        randoms.append((statistics.mean(r[0] for r in runs), statistics.mean(r[1] for r in runs)))
    named = {
        "lead-3": lead_three,
        "lead, same words": lead_same,
        f"random, same words, {RANDOM_RUNS} runs": randoms,
    }
    for name, rows in named.items():
        print(
            f"{name}: ROUGE-1 {statistics.mean(r[0] for r in rows):.3f}  ROUGE-L {statistics.mean(r[1] for r in rows):.3f}"
        )


def stretches(points: Sequence[Point], starts: Sequence[float]) -> int:
    """In how many of the ten stretches the points lie."""
    return len({max(i for i, start in enumerate(starts) if start <= (point.at or 0.0)) for point in points})


def long_recording() -> None:
    found = longform()
    if found is None:
        print("longform: the corpus is not here, skipped")
        return
    meeting, starts = found
    begun = time.perf_counter()
    summary = extract(meeting.transcript, max_points=10)
    took = time.perf_counter() - begun
    produced = words_of(summary)
    own = rouge(produced, meeting.reference)
    words = count_words(produced)
    runs = [rouge(at_random(meeting, words, seed), meeting.reference) for seed in range(RANDOM_RUNS)]
    where = stretches(summary.key_points, starts)
    one, longest = (statistics.mean(run[i] for run in runs) for i in range(2))
    print(f"longform (14 min, 10 subjects), {words} words in {took:.2f} s:")
    print(f"  extractive ROUGE-1 {own[0]:.3f} ROUGE-L {own[1]:.3f}, points in {where} of 10 stretches")
    print(f"  random     ROUGE-1 {one:.3f} ROUGE-L {longest:.3f}")
    first = rouge(lead(meeting, words), meeting.reference)
    print(f"  lead       ROUGE-1 {first[0]:.3f} ROUGE-L {first[1]:.3f}")
    print(f"  tasks {len(summary.tasks)}, decisions {len(summary.decisions)}, questions {len(summary.open_questions)} "
          "(novels have none, so each is a false one)")  # fmt: skip


def asked(meeting: Meeting, arguments: Any) -> SummarizeRequest:
    return SummarizeRequest(
        job=1, transcript=meeting.transcript, endpoint=arguments.endpoint, model=arguments.model, max_points=7
    )


def dense_hour(arguments: Any) -> None:
    """The longform readings over and over until the hour is full, through the model."""
    found = longform()
    if found is None:
        print("hour: the corpus is not here, skipped")
        return
    base = found[0].transcript
    rows = [
        (segment.start + turn * base.duration, segment.end + turn * base.duration, segment.text)
        for turn in range(round(3600 / base.duration))
        for segment in base.segments
    ]
    meeting = Meeting("hour", spoken("hour", rows, "en"), found[0].reference)
    begun = time.perf_counter()
    last = [0.0]

    def beat(at: float, total: float | None) -> None:
        if at != last[0]:
            last[0] = at
            print(f"  {at:.0f} / {total or 0:.0f}  after {time.perf_counter() - begun:.0f} s", flush=True)

    try:
        result = ChatSummarizer().summarize(asked(meeting, arguments), beat)
    except SummaryFault as fault:
        print(f"hour: no summary after {time.perf_counter() - begun:.0f} s: {fault.sentence}")
        return
    made, took = result.summary, time.perf_counter() - begun
    print(f"hour: {len(rows)} sentences in {took:.0f} s, coverage {made.coverage}, missing {made.missing}")
    print(f"  unsupported {made.unsupported}, {len(made.key_points)} points. {result.note}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--endpoint", help="auto, or the base URL of a server, to score a model too")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--hour", action="store_true", help="a dense hour through the model")
    parser.add_argument(
        "--qmsum", type=Path, help="meetings of QMSum, one JSON object a line; nothing else is scored"
    )
    parser.add_argument("--items", action="store_true", help="the lines of the lists instead of scores")
    parser.add_argument("--fit", action="store_true", help="the floor under which a model does not fit")
    parser.add_argument("--first", type=int, default=5, help="so many meetings through the model")
    arguments = parser.parse_args()
    if arguments.qmsum and arguments.endpoint:
        fitting.through_a_model(
            arguments.qmsum, arguments.endpoint, arguments.model, arguments.first, arguments.items
        )
        return 0
    if arguments.fit:
        fitting.floor(arguments.qmsum or QMSUM)
        return 0
    if arguments.qmsum or arguments.items:
        (qmsum.items if arguments.items else qmsum.table)(arguments.qmsum or QMSUM)
        return 0
    if arguments.hour:
        dense_hour(arguments)
        return 0
    if QMSUM.is_file():
        qmsum.table(QMSUM)
    else:
        print("QMSum: the meetings are not here, skipped")
    baselines()
    score("extractive", lambda meeting: extract(meeting.transcript))
    long_recording()
    if arguments.endpoint:
        score(
            arguments.endpoint,
            lambda meeting: (
                ChatSummarizer().summarize(asked(meeting, arguments), lambda at, total: None).summary
            ),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
