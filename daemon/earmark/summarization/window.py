"""How much fits: characters per token learned from the server, and a transcript cut into parts that do."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from earmark.domain import Seconds
from earmark.summarization.sentences import Sentence

ASSUMED_WINDOW = 4096
"""Tokens, where nobody says: LM Studio's usual default, and Ollama's on machines with little memory."""

CAUTIOUS = 3.0
"""Characters per token before anything was learned. English has about 4.3, German 3.4 with English vocabularies."""

SLACK = 1.06
"""Room for what an estimate gets wrong."""

LEAST_WINDOW = 1024
"""Instructions and an answer take about 800 tokens; a smaller window has no room for a transcript."""

NOBODY = "(unknown)"
"""What stands for a speaker whom nobody knows, among some who are known."""


def wide(text: str) -> int:
    """How many characters of scripts in which a character is about a token (CJK and the like)."""
    return sum(1 for character in text if unicodedata.east_asian_width(character) in ("W", "F"))


@dataclass
class Meter:
    """Counts tokens: exactly where the server has a tokenizer to ask, else by what `usage` has taught.

    `exact`: a function from text to its number of tokens, or None. `ratio`: characters per token.
    """

    exact: Callable[[str], int | None] | None = None
    ratio: float = CAUTIOUS
    learned: bool = False
    samples: list[tuple[float, int]] = field(default_factory=list)

    def weight(self, text: str) -> float:
        """Characters, with a wide one counting as a whole token's worth."""
        wides = wide(text)
        return (len(text) - wides) + wides * self.ratio if wides else float(len(text))

    def tokens(self, text: str) -> int:
        if self.exact is not None:
            counted = self.exact(text)
            if counted is not None:
                return counted
            self.exact = None
        return math.ceil(self.weight(text) / self.ratio)

    def learn(self, text: str, tokens: int) -> None:
        """Remember that a prompt of this text had so many tokens. Small or absurd counts teach nothing."""
        if tokens < 50 or len(text) < 200:
            return
        ratio = len(text) / tokens
        if not 0.3 < ratio < 12:
            return
        self.samples = [*self.samples[-7:], (float(len(text)), tokens)]
        # The worst recent ratio: planning by the mean would overflow on every second chunk.
        self.ratio = min(chars / count for chars, count in self.samples)
        self.learned = True


def looks_cut(meter: Meter, prompt: str, reported: int) -> bool:
    """True if the server counted so much less than we sent that it must have dropped the beginning.

    Some servers (Ollama by default) cut the front of a prompt without a word; what they leave shows only in
    `usage.prompt_tokens`. Without anything learned only a gross difference counts.
    """
    if reported <= 0:
        return False
    expected = meter.tokens(prompt)
    share = 0.9 if meter.exact is not None else 0.75 if meter.learned else 0.45
    return expected > 300 and reported < share * expected


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring sentences that go to the model together. `depth`: how often it was halved for a bad answer."""

    sentences: tuple[Sentence, ...]
    depth: int = 0

    @property
    def start(self) -> Seconds:
        return self.sentences[0].start

    @property
    def end(self) -> Seconds:
        return max(sentence.end for sentence in self.sentences)

    @property
    def lines(self) -> str:
        """The transcript as the model sees it: `[seconds] words`, one sentence a line, and where another begins to speak
        `[seconds] Anna: words`.
        """
        named = any(s.speaker for s in self.sentences)
        lines, before = [], None
        for s in self.sentences:
            turn = f"{s.speaker or NOBODY}: " if named and s.speaker != before else ""
            lines.append(f"[{int(s.start)}] {turn}{s.text}")
            before = s.speaker
        return "\n".join(lines)

    def halves(self) -> tuple[Chunk, ...]:
        """Two chunks, cut at the longest pause near the middle; itself alone if it is one sentence."""
        if len(self.sentences) < 2:
            return (self,)
        middle = len(self.sentences) // 2
        reach = max(1, len(self.sentences) // 8)
        cut = longest_pause(
            self.sentences, max(1, middle - reach), min(len(self.sentences) - 1, middle + reach)
        )
        return Chunk(self.sentences[:cut], self.depth + 1), Chunk(self.sentences[cut:], self.depth + 1)


def longest_pause(sentences: Sequence[Sentence], first: int, last: int) -> int:
    """The index in first..last before which the speakers paused longest; the latest of equals."""
    return max(range(first, last + 1), key=lambda i: (round(sentences[i].start - sentences[i - 1].end, 1), i))


def room_for_transcript(window: int, instructions: int, answer: int) -> int:
    """Tokens of transcript that fit beside the instructions and the answer; at least a few lines."""
    return max(120, int((window - instructions - answer) / SLACK))


def plan(sentences: Sequence[Sentence], budget: int, meter: Meter) -> list[Chunk]:
    """Cut a transcript into as few chunks of at most `budget` tokens as there can be, about equal in size.

    Every sentence is in exactly one chunk. Cuts fall at the longest pause in the last tenth of a chunk. A single
    sentence longer than the budget is a chunk of its own; whoever sends it finds out that it does not fit.
    """
    if not sentences:
        return []
    costs = [sentence_cost(sentence, meter) for sentence in sentences]
    pieces = max(1, math.ceil(sum(costs) / max(budget, 1)))
    target = sum(costs) / pieces
    chunks: list[Chunk] = []
    begin = 0
    while begin < len(sentences):
        end, used = begin, 0.0
        while end < len(sentences) and (end == begin or used + costs[end] <= budget):
            if used >= target and len(chunks) < pieces - 1:
                break
            used += costs[end]
            end += 1
        if end < len(sentences) and end - begin >= 10:
            end = longest_pause(sentences, end - max(1, (end - begin) // 10), end)
        chunks.append(Chunk(tuple(sentences[begin:end])))
        begin = end
    return chunks


def sentence_cost(sentence: Sentence, meter: Meter) -> float:
    """Tokens of one transcript line. By ratio even where the server counts: one request per line would be absurd."""
    name = (
        f"{sentence.speaker}: " if sentence.speaker else ""
    )  # on its first line only, which one nobody knows yet
    return (meter.weight(f"{name}{sentence.text}") + len(f"[{int(sentence.start)}] \n")) / meter.ratio + 1
