"""Retention rules as the ends of sentences."""

from __future__ import annotations

from typing import Literal

from earmark.config import Config
from earmark.config.retention import RetentionRule, RuleSet
from earmark.files import counted

KEPT_UNTIL_DELETED = "until you delete it"


def rule_in_words(rule: RetentionRule | None) -> str:
    """A retention rule as the end of a sentence: "kept for 30d after they are done"."""
    if rule is None or rule.empty or rule.never:
        return "kept until you delete them"
    reasons = []
    if rule.keep_for is not None:
        since = "it was recorded" if rule.count_from == "recorded" else "the recording was done"
        reasons.append(f"for {rule.keep_for} after {since}")
    if rule.keep_last:
        reasons.append(f"while among the newest {rule.keep_last} of their folder")
    if rule.keep_within_size:
        reasons.append(f"while among the newest {counted(rule.keep_within_size, 'byte')} of their folder")
    for name, count in (("day", rule.keep_daily), ("week", rule.keep_weekly), ("month", rule.keep_monthly)):
        if count:
            reasons.append(f"while the newest of one of the last {counted(count, name)}")
    return "kept " + " or ".join(reasons) if reasons else "deleted once all notes are written"


def with_exceptions(config: Config, kind: Literal["audio", "transcript", "summary", "sidecar"]) -> str:
    """The rule of a class for one file, and where tags and folders have another."""
    words = (
        rule_in_words(getattr(config.retention, kind))
        .replace(" them", " it")
        .replace("their folder", "its folder")
    )
    sets: list[tuple[str, RuleSet]] = [
        *((f"tag {tag}", rules) for tag, rules in config.retention.tags.items()),
        *((f"folder {f.path}", f.retention) for f in config.folder if f.retention is not None),
    ]
    for name, rules in sets:
        rule: RetentionRule | None = getattr(rules, kind)
        if rule is not None:
            words += f"; {name}: {rule_in_words(rule)}"
    return words


def of_index(duration: object) -> str:
    """How long words are in the index of search."""
    words = "as long as these words"
    return (
        words
        if duration is None
        else f"{term(duration)} after their notes were written, and no longer than these words"
    )


def term(duration: object) -> str:
    """A length of time, or until you delete it."""
    return f"for {duration}" if duration is not None else KEPT_UNTIL_DELETED
