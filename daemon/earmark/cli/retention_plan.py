"""A retention plan as a table for people and as a document for scripts."""

from __future__ import annotations

from typing import Any

from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from earmark.cli.console import ago, counted, moment, out, readable, short
from earmark.config import Config
from earmark.retention.rules.decide import Decision, Plan
from earmark.retention.rules.policy import policy_of

SHOWN = 200
"""Rows of a table before it says how many more there are; `--json` has them all."""


def print_plan(found: Plan, config: Config, everything: bool) -> None:
    if policy_of(config).empty:
        out.print(r"No rule in \[retention] lets anything go: everything is kept for ever.")
    rows = [*found.goes, *(found.kept if everything else [])]
    if rows:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("", "what", "class", "size", "since", "rule", "reason", "from"):
            table.add_column(heading, overflow="fold")
        for d in rows[:SHOWN]:
            table.add_row(
                "[red]goes[/]" if d.goes else "[green]stays[/]",
                escape(short(d.item.path)),
                d.about,
                decimal(d.item.size) if d.item.size else "",
                ago(d.since, found.now) if d.since else "",
                escape(d.rule) if d.goes else "",
                escape(readable(d.reason)),
                moment(d.when) if d.when is not None else "",
            )
        out.print(table)
        if len(rows) > SHOWN:
            out.print(f"... and {len(rows) - SHOWN} more (--json lists them all)")
    out.print(
        f"{counted(len(found.goes), 'file')}, {decimal(found.bytes)}, would go."
        if found.goes
        else "Nothing would go."
    )
    if found.kept_because and not everything:
        for reason, count in found.kept_because.most_common(8):
            out.print(f"  [dim]{count} stay: {escape(readable(reason))}[/]")


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
