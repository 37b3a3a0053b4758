"""What a rule is overdue for, a line a file; each reason in a word there, and whole below, with the way to decide."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from earmark.cli.console import day, one_line
from earmark.cli.lines import below, print_lines, print_sentence
from earmark.files import counted
from earmark.retention.overdue import (
    FAILED,
    NEW_RULES,
    NEXT_SWEEP,
    NO_DAEMON,
    NOT_IN_TRASH,
    OTHER_RULES,
    STOPPED,
    TRASH_AWAY,
    Overdue,
)

TOLD = 5
"""Different reasons of one kind that are told whole."""

BY_ITSELF = "it goes on by itself"

REASONS = (
    ("quality gate", "quality gate", "earmark retention accept FILE"),
    ("held by its own rule", "own rule", "earmark retention set FILE --clear"),
    ("held by `keep", "its note", "take `keep: true` out of the note"),
    ("held by /", "marker", "remove the marker"),
    ("held: the ledger was damaged", "damage", "earmark retention trust"),
    (
        "held, as long as",
        "out of sight",
        "let it be seen: mount its disk, make the folder readable, or remove the marker",
    ),
    ("held", "held", "earmark unhold FILE"),
    ("edited by you", "edited", "delete it yourself, or hold it"),
    ("its drop folder is not watched", "not watched", "watch the folder again: earmark run FOLDER"),
    ("its drop folder is not there", "folder away", "mount its disk, or bring the folder back"),
    ("it is not there", "not there", "nothing: it goes from this list when the daemon has looked"),
    ("it has changed", "changed", "delete it yourself, or hold it"),
    ("its content is not", "changed", "delete it yourself, or hold it"),
    ("it cannot be read", "unreadable", "make it readable"),
    ("it is in iCloud only", "in the cloud", "download it, or delete it yourself"),
    ("dated in the future", "future date", "set the clock right, or delete it yourself"),
    (NO_DAEMON, "no daemon", "earmark run FOLDER, or: earmark retention apply"),
    (STOPPED, "stopped", "earmark retention plan, then: earmark retention apply"),
    (NEW_RULES, "new rules", "earmark retention apply, or wait"),
    (OTHER_RULES, "other rules", "let the daemon read the configuration, or: earmark retention apply"),
    (NEXT_SWEEP, "next sweep", "earmark retention apply, or wait"),
    (FAILED, "failed", "mend what is wrong; each sweep tries again"),
    (TRASH_AWAY, "disk away", "mount its disk"),
    (NOT_IN_TRASH, "taken out", BY_ITSELF),
)
"""How a reason begins, in a word, and what a person can do who decides otherwise. The first that fits counts."""


def way_out(reason: str) -> str:
    """What a person can do who wants a file to go all the same, or to stay for good."""
    return next((way for begin, _, way in REASONS if reason.startswith(begin)), BY_ITSELF)


def in_a_word(reason: str) -> str:
    return next((word for begin, word, _ in REASONS if reason.startswith(begin)), "not finished")


def print_overdue(late: Sequence[Overdue], folders: Collection[Path]) -> None:
    """By rule, the longest overdue first, a line a file; then each reason once. `folders`: drop folders."""
    if not late:
        return
    count = sum(o.count for o in late)
    print_sentence(f"[bold]Overdue: {counted(count, 'file')} that a rule should have let go by now[/]")
    for rule in dict.fromkeys(o.rule for o in late):
        print_sentence(f"[dim]by[/] {escape(one_line(rule))}")
        lines = []
        for o in (o for o in late if o.rule == rule):
            name = o.counted if o.path is None else below(o.path, folders)
            lines.append(f"  {day(o.since) or 'not known':<10}  {in_a_word(o.why):<12}  {escape(name)}")
        print_lines(lines)
    print_sentence("Why, and how to decide otherwise:")
    for word, way in dict.fromkeys((in_a_word(o.why), way_out(o.why)) for o in late):
        whys = list(dict.fromkeys(o.why for o in late if in_a_word(o.why) == word))
        for why in whys[:TOLD]:
            begin = "" if why.startswith(word) else f"{word}: "
            print_sentence(f"  {escape(begin + one_line(why))}")
        if len(whys) > TOLD:
            print_sentence(f"  {escape(word)}: ... and {len(whys) - TOLD} more (--json lists them all)")
        print_sentence(f"    [dim]→ {escape(way)}[/]")


def overdue_document(o: Overdue) -> dict[str, Any]:
    return {
        "path": None if o.path is None else str(o.path),
        "class": o.about,
        "count": o.count,
        "rule": o.rule,
        "since": o.since,
        "reason": o.why,
        "way_out": way_out(o.why),
    }
