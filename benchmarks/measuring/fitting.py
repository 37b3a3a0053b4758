"""QMSum's meetings through a real model: what it says alone, and what stands in the note beside the picked sentences."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from pathlib import Path

from earmark.domain import Summary
from earmark.messages import SummarizeRequest
from earmark.notes.speakers import names_of
from earmark.summarization.chat import answer_of
from earmark.summarization.connection import connect
from earmark.summarization.engine import SummaryFault
from earmark.summarization.extractive import extract
from earmark.summarization.fit import Fit, measured, merged
from earmark.summarization.sentences import sentences_of
from earmark.summarization.templating import load_template

from measuring import proposed
from measuring.qmsum import Meeting, lines_of, meetings
from measuring.rouge import rouge

PATIENCE = 3600.0
"""Seconds; a real model on two cores is slow to say its first word."""

HEAD = "ROUGE-1  ROUGE-2  ROUGE-L  words"


def through_a_model(file: Path, endpoint: str, model: str, first: int, items: bool = False) -> None:
    """Print, for the first meetings of a file, the picked sentences, the model alone, and what is shown by the rule.
    `items`: and each line that the model proposed for its lists, with what became of it.
    """
    connection, spoken = proposed.overheard(connect(endpoint, model, timeout=PATIENCE))
    print(f"{file.name} through {connection.shown_model}   {HEAD}")
    rows: dict[str, list[tuple[float, ...]]] = {"picked": [], "model": [], "shown": []}
    for number, meeting in enumerate(meetings(file)[:first]):
        transcript = meeting.transcript
        picked = extract(transcript)
        rows["picked"].append(_scores(picked, meeting))
        _print(f"{number:2} picked", rows["picked"][-1])
        request = SummarizeRequest(
            job=1, transcript=transcript, endpoint=endpoint, model=model, timeout=PATIENCE
        )
        sentences = sentences_of(transcript.segments, names_of(transcript))
        template = load_template("meeting", None)
        begun = time.monotonic()
        spoken.clear()
        try:
            said = answer_of(connection, request, template, sentences, lambda at, total: None)
        except SummaryFault as fault:
            print(f"   no summary after {time.monotonic() - begun:.0f} s: {fault.sentence}")
            rows["model"].append((0.0, 0.0, 0.0, 0.0))
            rows["shown"].append(rows["picked"][-1])
            continue
        took = time.monotonic() - begun
        fit = measured(said.summary, picked, sentences, transcript.language, said.held, said.said)
        shown = merged(said.summary, picked, fit, sentences, transcript.language)
        rows["model"].append(_scores(said.summary, meeting))
        rows["shown"].append(_scores(shown, meeting))
        _print("   model ", rows["model"][-1])
        _print("   shown ", rows["shown"][-1])
        print(
            f"   window {connection.window}, {said.parts} parts in {took:.0f} s, coverage {said.summary.coverage:.2f}, "
            f"{fit.held} of {fit.said} lines held, {_share(fit)} covered, lists backed {fit.backed} of {fit.listed}: "
            f"{fit.why_not or 'the model'}"
        )
        if items:
            proposed.items(
                number, proposed.proposed(spoken, template, sentences, picked, said.summary, shown)
            )
        else:
            _lines(shown)
    for name, scores in rows.items():
        if scores:
            _print(f"mean {name:6}", tuple(statistics.mean(column) for column in zip(*scores, strict=True)))


def floor(file: Path) -> None:
    """Print how much of the picked sentences' words summaries speak of that people wrote, and beginnings of them."""
    shares: dict[str, list[float]] = {}
    for meeting in meetings(file):
        transcript = meeting.transcript
        picked, words = extract(transcript), meeting.reference.split()
        sentences = sentences_of(transcript.segments, names_of(transcript))
        for name, text in (("whole", words), ("50 words", words[:50]), ("20 words", words[:20])):
            written = replace(
                picked, overview=" ".join(text), key_points=(), decisions=(), tasks=(), open_questions=()
            )
            fit = measured(written, picked, sentences, transcript.language, 1, 1)
            shares.setdefault(name, []).append(fit.covered or 0.0)
    print(
        f"{file.name}: share of the picked sentences' words in summaries that people wrote: least, median, most"
    )
    for name, found in shares.items():
        print(f"  {name:9} {min(found):.2f}  {statistics.median(found):.2f}  {max(found):.2f}")


def _scores(summary: Summary, meeting: Meeting) -> tuple[float, ...]:
    lines = lines_of(summary)
    return (*rouge(lines, meeting.reference), float(len(" ".join(lines).split())))


def _share(fit: Fit) -> str:
    return "?" if fit.covered is None else f"{fit.covered:.2f}"


def _print(name: str, scores: tuple[float, ...]) -> None:
    print(f"{name}  {'  '.join(f'{score:.3f}' for score in scores[:3])}  {scores[3]:.0f}", flush=True)


def _lines(summary: Summary) -> None:
    for kind in ("decisions", "tasks", "open_questions"):
        for line in getattr(summary, kind):
            print(f"     {kind}\t{line.by or summary.by}\t{line.text}", flush=True)
