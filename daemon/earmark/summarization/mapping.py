"""Map: every sentence of a recording before a model, through a window that may be much smaller, or named as missing.

The window is what the server tells, what its errors teach, or what `usage` shows after a silent cut; each time it turns
out to be smaller, what is left is planned again. What a chunk claims is checked against the recording at once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from earmark.domain import Point, Task
from earmark.summarization.answer import Draft, schema_for
from earmark.summarization.completion import Chat, Spoken
from earmark.summarization.engine import AnswerFault, Heartbeat
from earmark.summarization.evidence import Evidence, normal, prose_sentences
from earmark.summarization.overflow import Overflow
from earmark.summarization.parts import Mapped, Part, checked, draft_in, thought_too_long
from earmark.summarization.prompts import Message, chunk_messages, instructions, joined
from earmark.summarization.sentences import Sentence
from earmark.summarization.templating import Template
from earmark.summarization.window import (
    ASSUMED_WINDOW,
    LEAST_WINDOW,
    Chunk,
    Meter,
    looks_cut,
    plan,
    room_for_transcript,
)

PROSE_TOKENS = 300
CLAIM_TOKENS = 60
"""Tokens of an answer for title, overview and names, and for each claim that it may hold: half of what the schema's
bounds would allow, because no model fills every list with its longest sentences."""
LEAST_ANSWER = 320
THINKING_TOKENS = 4000
"""More for a model that thinks aloud and will not be told not to."""
MOST_ROUNDS = 8
"""Re-plans before the rest counts as missing. Where nobody tells the window, each takes 0.6 of the last: 128k to 2k."""
MOST_SLOTS = 4
"""Requests at once, however many the server would take: they share its one processor and memory."""
PATIENCE = 5
"""Unusable answers, and not one good, after which a model is given up on."""
FOCUS = 12_000
"""Most transcript tokens in one chunk even if more would fit: small models lose the middle of long prompts
(Liu et al., "Lost in the Middle", TACL 2024), and an answer of bounded length must not stand for hours of speech."""
LEAST_DIVISIBLE = 1600
"""Characters of transcript (two minutes of speech) below which a bad answer is not the length's fault."""


class Cut(Exception):
    """The server dropped the beginning of the prompt; `kept`: the tokens that it counted."""

    def __init__(self, kept: int) -> None:
        super().__init__(f"the server kept {kept} tokens of the prompt")
        self.kept = kept


class Mapper:
    """The map step for one recording on one model. `window`: tokens, 0 if nobody has said."""

    def __init__(
        self,
        chat: Chat,
        meter: Meter,
        evidence: Evidence,
        template: Template,
        language: str,
        *,
        window: int = 0,
        slots: int = 1,
        most: int = 7,
        vocabulary: Sequence[str] = (),
        beat: Heartbeat = lambda at, total: None,
    ) -> None:
        self.chat = chat
        self.meter = meter
        self.evidence = evidence
        self.template = template
        self.window = window or ASSUMED_WINDOW
        self.slots = max(1, min(slots, MOST_SLOTS))
        self.most = most
        self.system = instructions(template, language, most, vocabulary, bool(evidence.speakers))
        self.schema = schema_for(template.sections, most)
        self.beat = beat
        self.done = 0
        self.total = 0
        self.cuts = 0
        self.bad = 0
        self.thinks = False
        self.lock = threading.Lock()

    def calibrate(self, text: str) -> None:
        """Learn characters per token from one tiny request, which also has the server load the model.

        Only where there is no tokenizer to ask. A server without `usage` teaches nothing, and is planned for
        with care.
        """
        if self.meter.exact is not None:
            counted = self.meter.exact(text[:6000])
            if counted:
                self.meter.learn(text[:6000], counted)
                return
            self.meter.exact = None
        sample = [{"role": "user", "content": text[:1500]}]
        try:
            spoken = self.chat.ask(sample, None, 1, lambda: self.beat(self.done, None))
        except Overflow:
            return  # a server that refuses so little teaches nothing; what it refuses next is planned again
        self.meter.learn(joined(sample), spoken.prompt_tokens)

    @property
    def hopeless(self) -> bool:
        """True for a model that has only ever failed: a long recording would keep it busy for hours, for nothing."""
        return self.done == 0 and self.bad >= PATIENCE

    @property
    def answer_tokens(self) -> int:
        wanted = PROSE_TOKENS + CLAIM_TOKENS * self.most * len(self.template.sections)
        if self.thinks:
            return max(LEAST_ANSWER, min(wanted + THINKING_TOKENS, self.window // 2))
        return max(LEAST_ANSWER, min(wanted, self.window // 3))

    @property
    def budget(self) -> int:
        """Tokens of transcript in one chunk."""
        overhead = self.meter.tokens(self.system) + 60
        return min(FOCUS, room_for_transcript(self.window, overhead, self.answer_tokens))

    def run(self, sentences: Sequence[Sentence]) -> Mapped:
        """Put every sentence before the model, re-planning as the window becomes known."""
        pending = plan(sentences, self.budget, self.meter)
        mapped = Mapped()
        for _ in range(MOST_ROUNDS):
            if not pending:
                break
            self.total = self.done + len(pending)
            self.beat(self.done, self.total)
            pending = self.round(pending, mapped)
        mapped.missing.extend(pending)
        mapped.parts.sort(key=lambda part: part.chunk.start)
        mapped.missing.sort(key=lambda chunk: chunk.start)
        return mapped

    def round(self, chunks: list[Chunk], mapped: Mapped) -> list[Chunk]:
        """Try each chunk once; returns the chunks of the next round, smaller where these did not fit."""
        again: list[Chunk] = []
        unfit: list[Chunk] = []
        narrowest = self.window
        outcomes: list[Part | Overflow | Cut | AnswerFault] = []
        # The first one alone: what it teaches (window, format, tokens) spares the others the same mistake.
        for group in (chunks[:1], chunks[1:]):
            if outcomes and isinstance(outcomes[0], (Overflow, Cut)):
                unfit.extend(group)
                continue
            outcomes.extend(self.together(group, len(chunks)))
        for chunk, outcome in zip(chunks, outcomes, strict=False):
            if isinstance(outcome, Part):
                mapped.parts.append(outcome)
                continue
            if isinstance(outcome, AnswerFault):
                if self.divisible(chunk):
                    again.extend(chunk.halves())
                else:
                    mapped.missing.append(chunk)
                    mapped.faults.append(outcome.sentence)
                continue
            narrowest = min(narrowest, self.narrower(outcome))
            if len(chunk.sentences) == 1 and narrowest <= LEAST_WINDOW:
                mapped.missing.append(chunk)
                mapped.faults.append(f"the context window of {self.chat.where} is too small")
            else:
                unfit.append(chunk)
        if unfit:
            self.window = narrowest
            again.extend(plan([s for chunk in unfit for s in chunk.sentences], self.budget, self.meter))
        return sorted(again, key=lambda chunk: chunk.start)

    def divisible(self, chunk: Chunk) -> bool:
        """True if smaller parts may go better: some models only lose their way in long ones.

        Halved once and no more: a model that cannot do it at all would be asked for ever.
        """
        return (
            chunk.depth == 0 and len(chunk.sentences) > 1 and self.meter.weight(chunk.lines) > LEAST_DIVISIBLE
        )

    def narrower(self, outcome: Overflow | Cut) -> int:
        """The window to plan with after a prompt did not fit."""
        told = outcome.limit if isinstance(outcome, Overflow) else outcome.kept
        if isinstance(outcome, Overflow) and outcome.prompt:
            # The estimate was wrong by this much: learn it, or the next plan is wrong in the same way.
            self.meter.ratio = min(self.meter.ratio, self.meter.ratio * 0.97)
        halved = int(self.window * 0.6)
        return max(LEAST_WINDOW, min(told, self.window) if 0 < told < self.window else halved)

    def together(self, chunks: list[Chunk], total: int) -> list[Part | Overflow | Cut | AnswerFault]:
        """Try chunks, as many at once as the server works on at once."""
        if len(chunks) <= 1 or self.slots == 1:
            return [self.attempt(chunk, total) for chunk in chunks]
        with ThreadPoolExecutor(self.slots) as pool:
            return list(pool.map(lambda chunk: self.attempt(chunk, total), chunks))

    def attempt(self, chunk: Chunk, total: int) -> Part | Overflow | Cut | AnswerFault:
        """One chunk, once. An EndpointFault or PrivacyError ends the whole run and is not caught here."""
        if self.hopeless:
            return AnswerFault(f"given up after {PATIENCE} unusable answers and not one good")
        messages = chunk_messages(self.system, chunk, self.done + 1, total)
        try:
            spoken = self.speak(messages)
            draft = draft_in(spoken, self.template.sections, last_resort=not self.divisible(chunk))
        except (Overflow, Cut) as misfit:
            return misfit
        except AnswerFault as fault:
            self.bad += 1
            return fault
        part = self.check(chunk, draft)
        if part.claims >= 4 and part.unsupported == part.claims and len(chunk.sentences) > 3:
            self.bad += 1
            return AnswerFault(f"none of what {self.chat.model} said about a part is in the recording")
        with self.lock:
            self.done += 1
            self.beat(self.done, max(self.total, self.done))
        return part

    def speak(self, messages: list[Message]) -> Spoken:
        prompt = joined(messages)
        spoken = self.chat.ask(messages, self.schema, self.answer_tokens, self.pulse)
        if not self.thinks and thought_too_long(spoken):
            # A model that thinks first, and whose thinking cannot be turned off: it needs room for both.
            self.thinks = True
            spoken = self.chat.ask(messages, self.schema, self.answer_tokens, self.pulse)
        # A server that does not count what it has cached falls short by the same amount however small the prompt
        # is made; after two re-plans for it, it is believed.
        if self.cuts < 2 and looks_cut(self.meter, prompt, spoken.prompt_tokens):
            self.cuts += 1
            raise Cut(spoken.prompt_tokens)
        if spoken.prompt_tokens and self.cuts == 0:
            self.meter.learn(prompt, spoken.prompt_tokens)
        return spoken

    def pulse(self) -> None:
        self.beat(self.done, max(self.total, self.done))

    def check(self, chunk: Chunk, draft: Draft) -> Part:
        """Hold a draft against the recording."""
        sections: dict[str, tuple[Point, ...]] = {}
        unsupported = 0
        tasks: list[Task] = []
        for key, claims in draft.sections.items():
            kept, dropped = checked(claims, self.evidence, key)
            unsupported += dropped
            if key == "tasks":
                tasks = [item for item in kept if isinstance(item, Task)]
            else:
                sections[key] = tuple(item for item in kept if isinstance(item, Point))
        overview, dropped = self.evidence.supported_prose(draft.overview)
        held = draft.claims - unsupported + len(prose_sentences(overview))
        around = self.evidence.around((chunk.start + chunk.end) / 2, (chunk.end - chunk.start) / 2 + 1)
        return Part(
            chunk=chunk,
            title=draft.title,
            overview=overview,
            sections=sections,
            tasks=tuple(tasks),
            people=tuple(
                name
                for name in draft.people
                if normal(name) not in self.evidence.unnamed and self.evidence.was_said(name, around)
            ),
            tags=draft.tags,
            claims=draft.claims,
            held=held,
            unsupported=unsupported + dropped,
        )
