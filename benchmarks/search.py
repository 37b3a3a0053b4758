"""Search by words, meaning and both: how often a question finds what it asks about in real meetings, and what that costs.

    python benchmarks/search.py [--copies N] [--models FOLDER] [--vectors FILE] [FILE]

On QMSum's validation split in ../shared/qmsum (Zhong et al., 2021; nothing of it is copied): 35 meetings, 237 questions
about some part of one, and the turns that answer it (`specific_query_list`, `relevant_text_span`). A passage is right if one
of these turns is in it. MRR@10: the mean of 1 / the place of the first right one among ten; hit@5: how often one is among
five. Within one meeting, and over all. `--copies`: how often the meetings are put in, for size and times, which are of this
machine; 1 and 43 are some 2,300 and 100,000 passages. `--models`: where `earmark models download search` put what finds by
meaning; without it words are measured alone. Vectors of all take four minutes of processor time; `--vectors` keeps them.

The transcripts are reference ones, with the names of those who speak, as notes have them once somebody said them. There are
no titles.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.config import Config
from earmark.context import Context
from earmark.domain import Date, Dated, Instant, Transcript
from earmark.ledger import Ledger
from earmark.ledger.index import Index
from earmark.paths import Home
from earmark.search.encoder import Encoder
from earmark.search.finding import NEAR, Hit, find
from earmark.search.indexing import bring_up_to_date
from earmark.search.models import MeaningModel, find_meaning_model
from earmark.search.nearest import nearest
from earmark.search.query import parse
from earmark.search.vectors import Meaning, signs_of
from earmark.search.wanted import meant as words_meant

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measuring.qmsum import BETWEEN, WORD_SECONDS, meetings, plain

FILE = Path(__file__).resolve().parents[2] / "shared" / "qmsum" / "val.jsonl"
BASELINE = "FTS5, any of the words, porter: 0.589  0.768   0.371  0.464 (measured apart, for issue 15)"


@dataclass(frozen=True)
class Question:
    """`spans`: seconds of its meeting in which it is answered."""

    meeting: str
    text: str
    spans: tuple[tuple[float, float], ...]

    def answered_by(self, recording_id: str, start: float, end: float) -> bool:
        return recording_id == self.meeting and any(
            start < last and end > first for first, last in self.spans
        )


def questions(file: Path, transcripts: list[Transcript]) -> Iterator[Question]:
    for transcript, line in zip(transcripts, file.read_text("utf-8").splitlines(), strict=True):
        data = json.loads(line)
        turns, at = [], 0.0
        for turn in data["meeting_transcripts"]:  # as `meetings` gives them times
            text = plain(turn["content"])
            length = len(text.split()) * WORD_SECONDS if re.search(r"\w", text) else 0.0
            turns.append((at, at + length))
            at += length + BETWEEN if length else 0.0
        for asked in data["specific_query_list"]:
            spans = tuple(
                (turns[int(first)][0], turns[min(int(last), len(turns) - 1)][1])
                for first, last in asked["relevant_text_span"]
            )
            yield Question(transcript.recording_id, asked["query"], spans)


def put_in(context: Context, transcripts: list[Transcript]) -> float:
    """Seconds of processor that the index takes, and nothing else."""
    ledger, now = context.ledger, Instant(time.time())
    for number, transcript in enumerate(transcripts):
        recording_id = transcript.recording_id
        with ledger.transaction():
            ledger.recordings.add(recording_id, number, now, Date(now, "", Dated.ARRIVAL), 0)
            ledger.words.store_transcript(transcript, "{}", now)
    begun = time.process_time()
    while bring_up_to_date(context, 60.0):
        pass
    return time.process_time() - begun


Finds = Callable[[Question, set[str] | None], list[tuple[str, float, float]]]
"""Recording, start and end of ten passages, the best first."""


def ways(index: Index, meant: dict[str, Meaning]) -> Iterator[tuple[str, Finds]]:
    """What is compared. `meant`: what each question means; nothing where there is no model."""

    def told(hits: list[Hit]) -> list[tuple[str, float, float]]:
        return [(hit.recording_id, hit.start, hit.end) for hit in hits]

    def near(question: Question, among: set[str] | None) -> list[tuple[str, float, float]]:
        ids = list(nearest(index.vectors, meant[question.text], NEAR, among, ()))[:10]
        stored = index.stored(ids)
        return [(stored[n].recording_id, stored[n].entry.start, stored[n].entry.end) for n in ids]

    yield "words", lambda question, among: told(find(index, parse(question.text), 10, among))
    if meant:
        yield "meaning", near
        yield (
            "both",
            lambda question, among: told(
                find(index, parse(question.text), 10, among, (), meant[question.text])
            ),
        )


def score(finds: Finds, asked: list[Question], *, within: bool) -> tuple[float, float]:
    """MRR@10 and hit@5."""
    places = []
    for question in asked:
        found = finds(question, {question.meeting} if within else None)
        places.append(next((n for n, each in enumerate(found, start=1) if question.answered_by(*each)), 0))
    return (
        statistics.mean(1 / place if place else 0.0 for place in places),
        statistics.mean(0 < place <= 5 for place in places),
    )


class Sentences:
    """Vectors by text, kept in a file from one call to the next. `took`: seconds of processor that new ones took."""

    def __init__(self, model: MeaningModel, file: Path | None) -> None:
        self.model, self.took = model, 0.0
        self._encoder = Encoder(model.model, model.tokenizer)
        self._file = file
        kept = json.loads(file.read_text()) if file and file.exists() else {}
        self._known = {text: base64.b64decode(vector) for text, vector in kept.items()}

    def vector(self, text: str) -> bytes:
        if text not in self._known:
            begun = time.process_time()
            self._known[text] = self._encoder.vectors([text])[0].tobytes()
            self.took += time.process_time() - begun
        return self._known[text]

    def store(self, index: Index, transcripts: list[Transcript]) -> None:
        for said in filter(None, (index.vectors.said(each.recording_id) for each in transcripts)):
            vectors = [self.vector(text) for text in said.texts]
            index.vectors.put(said, self.model.digest, vectors, b"".join(map(signs_of, vectors)))

    def keep(self) -> None:
        if self._file:
            kept = {text: base64.b64encode(vector).decode() for text, vector in self._known.items()}
            self._file.write_text(json.dumps(kept))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    given = parser.parse_args()
    transcripts = [meeting.transcript for meeting in meetings(given.file)]
    asked = list(questions(given.file, transcripts))
    model = find_meaning_model(given.models, Path("/nonexistent")) if given.models else None
    sentences = Sentences(model, given.vectors) if model else None
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), Path(folder), Path(folder))
        with Ledger(home.ledger_file) as ledger:
            context = Context(ledger, home, Config(), (), logs=False)
            ledger.db.fold()
            took = put_in(context, transcripts)
            meant = {}
            if sentences:
                with ledger.transaction():
                    sentences.store(ledger.index, transcripts)
                print(f"{sentences.took:.0f} s of processor for {ledger.index.size()} vectors")
                meant = {
                    q.text: Meaning(sentences.model.digest, sentences.vector(words_meant(parse(q.text))))
                    for q in asked
                }
                sentences.keep()
            print(f"{len(transcripts)} meetings, {len(asked)} questions, {ledger.index.size()} passages")
            if given.copies == 1:
                print("                      within one: MRR@10  hit@5   over all: MRR@10  hit@5")
                for name, finds in ways(ledger.index, meant):
                    one, over = (score(finds, asked, within=within) for within in (True, False))
                    print(f"  {name:<8} {one[0]:.3f}  {one[1]:.3f}   {over[0]:.3f}  {over[1]:.3f}")
                print(f"  {BASELINE}")
            for copy in range(1, given.copies):
                again = [replace(t, recording_id=f"{copy:04x}{t.recording_id[4:]}") for t in transcripts]
                took += put_in(context, again)
                if sentences:
                    with ledger.transaction():
                        sentences.store(ledger.index, again)
            cost(context, asked, took, meant, {each.recording_id: each.speakers for each in transcripts})


def cost(
    context: Context,
    asked: list[Question],
    took: float,
    meant: dict[str, Meaning],
    speakers: Mapping[str, Sequence[str]],
) -> None:
    """Print what the index takes of room and processor time. `speakers`: who speaks, by recording."""
    index = context.ledger.index
    long = [question.text for question in asked[::4]]
    short = [" ".join(sorted(re.findall(r"\w+", text), key=len)[-2:]) for text in long]
    theirs = [
        f'{words} speaker:"{names[len(words) % len(names)]}"'
        for words, question in zip(short, asked[::4], strict=True)
        if (names := speakers[question.meeting])
    ]
    (of_long, slow), (of_short, _), (of_one, slow_of_one) = (
        _middle(index, texts, {}) for texts in (long, short, theirs)
    )
    if meant:
        both, slowest = _middle(index, long, meant)
        print(
            f"  {index.vectors.room() / 1e6:.0f} MB of vectors; a question by words and meaning {both:.0f} ms (the slowest"
            f" of twenty {slowest:.0f})"
        )
    begun = time.process_time()
    sound = index.check()
    checked = time.process_time() - begun
    begun = time.process_time()
    index.clean()
    cleaned = time.process_time() - begun
    print(
        f"  {index.size()} passages: {took:.1f} s to build, {index.room() / 1e6:.0f} MB; a question {of_long:.0f} ms (the"
        f" slowest of twenty {slow:.0f}), two words {of_short:.0f} ms, of one speaker {of_one:.0f} ms (the slowest"
        f" of twenty {slow_of_one:.0f}); check {checked:.1f} s"
        f" ({'sound' if sound else 'NOT sound'}), cleaning {cleaned:.1f} s; seconds of processor"
    )


def _middle(index: Index, texts: list[str], meant: dict[str, Meaning]) -> tuple[float, float]:
    """Milliseconds of a query: the median, and the twentieth part that is slowest."""
    times = []
    for text in texts:
        begun = time.process_time()
        find(index, parse(text), 10, meaning=meant.get(text))
        times.append(1000 * (time.process_time() - begun))
    times.sort()
    return statistics.median(times), times[-max(1, len(times) // 20)]


if __name__ == "__main__":
    main()
