"""Who wrote a summary, in sentences of ours: the model or the rules that made it, and whose lines stand among theirs."""

from __future__ import annotations

from earmark.domain import Summary
from earmark.notes.escape import Dialect, clip, escape_inline

MARK = "†"
"""Stands behind a line that is not by who made the rest of the summary; the note's last line says by whom."""

LONGEST_NAME = 120
"""Characters of a model's or a host's name in a note."""


def writers(summary: Summary) -> set[str]:
    """Who its lines are by (`domain.Point.by`)."""
    points = (*summary.key_points, *summary.decisions, *summary.open_questions)
    own = (point for section in summary.extra.values() for point in section)
    return {*(point.by for point in (*points, *own)), *(task.by for task in summary.tasks)}


def made(summary: Summary, dialect: Dialect) -> str:
    """Which model made it, and where, with the model's and the host's name escaped."""
    server = f" ({summary.by})" if summary.by != "extractive" else ""
    who = escape_inline(
        clip(f"{summary.model}{server}" if summary.model else summary.by, LONGEST_NAME), dialect
    )
    where = escape_inline(clip(summary.made_at, LONGEST_NAME), dialect)
    match summary.locality:
        case "device":
            return f"{who}, on this device"
        case "lan":
            return f"{who}, on {where} in your network"
        case "cloud":
            return f"{who}, by {where} outside this device"
        case _:
            # What that means stands in `endpoint_locality`, once, and in `earmark privacy`; not under every note.
            return f"{who}, through a server on {where}"


def by_others(summary: Summary, dialect: Dialect) -> str:
    """Our half of a sentence: which lines are by somebody else, or that a model was asked and is not what is shown."""
    marked = bool(writers(summary) - {""})
    if summary.by != "extractive":
        return f"; lines with {MARK} are sentences of the recording" if marked else ""
    if not summary.model:
        return "; no language model was used"
    if marked:
        return f"; lines with {MARK} by {made(summary, dialect)}"
    return f"; {made(summary, dialect)}, was asked and did not do better"
