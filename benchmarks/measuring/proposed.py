"""Each line that a model proposes for its lists, and what becomes of it: printed, to be read and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from earmark.domain import Point, Summary, Task
from earmark.summarization.answer import Claim, Draft, read_draft
from earmark.summarization.completion import Chat, Spoken
from earmark.summarization.connection import Connection
from earmark.summarization.engine import AnswerFault
from earmark.summarization.evidence import Evidence
from earmark.summarization.extractive import LISTS
from earmark.summarization.sentences import Sentence
from earmark.summarization.templating import Template


@dataclass
class Heard(Chat):
    """A chat that keeps what the model said."""

    spoken: list[Spoken] = field(default_factory=list)

    def ask(self, *given: Any, **named: Any) -> Spoken:
        spoken = super().ask(*given, **named)
        self.spoken.append(spoken)
        return spoken


@dataclass(frozen=True, slots=True)
class Proposed:
    """A line as the model proposed it, what was said where its words were found (None: nowhere), and what became of it."""

    kind: str
    claim: Claim
    heard: Sentence | None
    fate: str


def overheard(connection: Connection) -> tuple[Connection, list[Spoken]]:
    """The connection, and what its model says from now on."""
    chat = connection.chat
    heard = Heard(**{one.name: getattr(chat, one.name) for one in fields(chat)})
    return replace(connection, chat=heard), heard.spoken


def proposed(
    spoken: Sequence[Spoken],
    template: Template,
    sentences: Sequence[Sentence],
    picked: Summary,
    model: Summary,
    shown: Summary,
) -> list[Proposed]:
    """The lines of the model's lists in the order in which it said them. `model`: what held of them; `shown`: of both."""
    evidence = Evidence(sentences, model.language)
    found = []
    for draft in _drafts(spoken, template):
        for kind in LISTS:
            for claim in draft.sections.get(kind, ()):
                item = evidence.task(claim) if kind == "tasks" else evidence.point(claim)
                heard = next((s for s in sentences if item is not None and s.start == item.at), None)
                found.append(Proposed(kind, claim, heard, _fate(item, kind, picked, model, shown)))
    return found


def _drafts(spoken: Sequence[Spoken], template: Template) -> list[Draft]:
    drafts = []
    for answer in spoken:
        try:
            drafts.append(read_draft(answer.content, template.sections, partial=answer.cut_off))
        except AnswerFault:
            continue
    return drafts


def _fate(item: Point | Task | None, kind: str, picked: Summary, model: Summary, shown: Summary) -> str:
    def among(summary: Summary) -> bool:
        return item is not None and (item.text, item.at) in {(o.text, o.at) for o in getattr(summary, kind)}

    if item is None:
        return "dropped: not borne out"
    if not among(model):
        return "dropped: said twice"
    by_rule = item.at in {other.at for other in getattr(picked, kind)}
    if among(shown):
        return "shown: said outright" if by_rule else "shown"
    if by_rule:
        return "dropped: the rules' line stands there"
    return "dropped: nobody says so outright"


def items(number: int, lines: Sequence[Proposed]) -> None:
    """Print them: number of the meeting, kind, fate, text, the words it cites, and the sentence where they were found."""
    for line in lines:
        heard = f"{line.heard.start:.0f} {line.heard.text}" if line.heard else "-"
        print(
            f"{number}\t{line.kind}\t{line.fate}\t{line.claim.text}\t{line.claim.quote}\t{heard}", flush=True
        )
