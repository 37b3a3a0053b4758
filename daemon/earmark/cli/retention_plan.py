"""A retention plan for people, sums first and a line a file, and as a document for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.console import day, one_line, readable
from earmark.cli.lines import Numbered, below, print_columns, print_sentence
from earmark.config import Config
from earmark.files import counted
from earmark.retention.rules.decide import Decision, Plan
from earmark.retention.rules.policy import policy_of


def print_plan(found: Plan, config: Config, everything: bool) -> None:
    """What would go: sums for each rule, then a line a file. `everything`: what stays, too."""
    others = (config.retention.index.keep_for, config.retention.voiceprints.keep_for)
    if policy_of(config).empty and others == (None, None):
        print_sentence(
            r"No rule in \[retention] lets anything go; one of a single recording may (retention set)."
        )
    marks = Numbered()
    print_sentence(f"{_sum(found.goes)} would go:" if found.goes else "Nothing would go.")
    for rule, goes in _by(found.goes, lambda d: d.rule).items():
        print_sentence(f" {marks.mark(rule)} {_sum(goes)} by {escape(one_line(rule))}", 6)
    for reason, count in found.kept_because.most_common():
        number = marks.mark(_stays(reason)) if everything else " "
        print_sentence(
            f" {number} [dim]{counted(count, 'file')} stay{'s' * (count == 1)}: {escape(one_line(reason))}[/]",
            6,
        )
    rows = [*found.goes, *(found.kept if everything else [])]
    tops = {d.item.folder for d in rows}
    print_columns(
        (
            (
                f"[red]goes[/]{marks.mark(d.rule)}" if d.goes else f"[green]stays[/]{marks.mark(_stays(d.reason))}",
                d.about,
                decimal(d.item.size) if d.item.size else "",
                day(d.when),
                escape(below(d.item.path, tops)),
            )
            for d in rows
        ),
        right=(2,),
    )  # fmt: skip


def print_voices(count: int, config: Config) -> None:
    """How many voices that are stored would go, which are no files."""
    if count:
        rule = escape(f"voiceprints: keep_for {config.retention.voiceprints.keep_for}")
        print_sentence(f"{counted(count, 'voiceprint')} would go by {rule}.")


def print_index(count: int, config: Config) -> None:
    """How many recordings would go out of the index of search, which is no file."""
    if count:
        rule = escape(f"index: keep_for {config.retention.index.keep_for}")
        print_sentence(
            f"{counted(count, 'recording')} would go out of the index of search by {rule}; what was said stays in the notes."
        )


def _stays(reason: str) -> str:
    return f"stays: {reason}"


def _sum(decisions: Sequence[Decision]) -> str:
    return f"{counted(len(decisions), 'file')}, {decimal(sum(d.item.size for d in decisions))},"


def _by(decisions: Iterable[Decision], key: Callable[[Decision], str]) -> dict[str, list[Decision]]:
    found: dict[str, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(key(decision), []).append(decision)
    return found


def plan_document(found: Plan) -> dict[str, Any]:
    return {
        "for": found.now,
        "policy": found.policy,
        "fingerprint": found.fingerprint,
        "goes": [decision_document(d) for d in found.goes],
        "stays": [decision_document(d) for d in found.kept],
        "stays_because": dict(found.kept_because),
        "bytes": found.bytes,
        "total_bytes": found.total_bytes,
    }


def decision_document(d: Decision) -> dict[str, Any]:
    return {
        "path": readable(d.item.path),
        "class": d.about,
        "bytes": d.item.size,
        "recording": d.item.recording_id,
        "since": d.since,
        "rule": d.rule,
        "reason": d.reason,
        "when": d.when,
    }
