"""Keep rules: which apply to a file, and whether one of them keeps it. Pure.

The model is restic's `forget`: each rule may keep, any one that keeps wins, and a class without rules is kept whole.
Ranks ("newest", "of this day") are counted within one drop folder and one class, so that no rule can eat another set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from earmark.config import Config, Duration, folder_settings
from earmark.config.duration import EVER_AFTER
from earmark.config.retention import RetentionRule
from earmark.domain import Instant
from earmark.ledger.candidates import CLASSES
from earmark.notes.frontmatter import tag_names
from earmark.retention.rules.ranking import RANKS, Standing


class Kept(NamedTuple):
    """A rule keeps the file: `by` which, and for `span` from `since` on; None if nobody can say for how long."""

    by: str
    span: Duration | None
    since: Instant

    @property
    def until(self) -> Instant | None:
        """When it stops keeping; None: never, or not to be known."""
        return _end(self.span, self.since) if self.span is not None else None


ALWAYS = Instant(0.0)
"""Since when a rule keeps that keeps for ever."""

_CALENDAR = ("keep_daily", "keep_weekly", "keep_monthly")


class Scoped:
    """A rule and where it comes from, made ready to judge a million files: `scope` is `class`, `folder`, `tag NAME` or
    `item`.
    """

    __slots__ = ("_about", "by_time", "longest", "ranks", "rule", "scope", "shortest", "verdict")

    def __init__(self, rule: RetentionRule, scope: str, about: str) -> None:
        self.rule = rule
        self.scope = scope
        self._about = about
        self.verdict: Kept | None = None
        """What it says of every file, if it says the same of all."""
        if rule.empty or rule.never:
            self.verdict = Kept(self.named("no rule" if rule.empty else "never"), None, ALWAYS)
        self.ranks = tuple(
            (Kept(self.named(f"{name} {limit}"), None, ALWAYS), limit, number)
            for number, name in enumerate(RANKS)
            if (limit := getattr(rule, name))
        )
        span = rule.keep_for
        self.by_time = "" if span is None else self.named(f"keep_for {span}{_since(rule)}")
        self.shortest = self.longest = 0.0
        if span is not None:
            fixed = (span.days * 24 + span.hours) * 3600.0
            # Bounds of a calendar span in seconds, so that most files need no calendar at all.
            self.shortest = fixed + (span.years * 365 + span.months * 28) * 86400.0
            self.longest = fixed + (span.years * 366 + span.months * 31) * 86400.0

    def named(self, text: str) -> str:
        """`audio: keep_for 30d (folder)`."""
        return f"{self._about}: {text} ({self.scope})"

    def begins(self, done_at: Instant, recorded_at: Instant) -> Instant:
        """When the clock of this rule starts for a file."""
        return recorded_at if self.rule.count_from == "recorded" else done_at


def kept_by(
    scoped: Scoped, standing: Standing | None, done_at: Instant, recorded_at: Instant, now: Instant
) -> Kept | None:
    """The first thing in one rule set that keeps a file of a recording with these dates; None if nothing does.

    Without a standing (it does not count among the others) rank rules cannot judge, so they keep.
    """
    if scoped.verdict is not None:
        return scoped.verdict
    for kept, limit, number in scoped.ranks:
        if standing is None or standing[number] <= limit:
            return kept
    span, since = scoped.rule.keep_for, scoped.begins(done_at, recorded_at)
    if span is None or now >= since + scoped.longest:
        return None
    if now >= since + scoped.shortest:
        until = _end(span, since)
        if until is not None and now >= until:
            return None
    return Kept(scoped.by_time, span, since)


def _end(span: Duration, since: Instant) -> Instant | None:
    """When a span ends; None where the calendar does not reach that far, which is for ever."""
    end = span.after(since)
    return None if end == EVER_AFTER else end


def item_rule(body: str, about: str) -> Scoped:
    """A person's rule for one recording; one that cannot be read keeps."""
    try:
        rule = RetentionRule.model_validate_json(body)
    except ValidationError:
        rule = RetentionRule(never=True)
    return Scoped(rule, "item", about)


def _since(rule: RetentionRule) -> str:
    return " from its recording" if rule.count_from == "recorded" else ""


def describe(rule: RetentionRule) -> str:
    """The rule as a person wrote it: `keep_for 30d, keep_last 5`."""
    parts = []
    for name in type(rule).model_fields:
        value = "" if name == "count_from" else getattr(rule, name)
        if value is True:
            parts.append(name)
        elif value:
            parts.append(f"{name} {value}{_since(rule) if name == 'keep_for' else ''}")
    return ", ".join(parts) or "no rule"


@dataclass(frozen=True)
class Policy:
    """All rules of one moment: per class, per folder and class, per tag and class; and the tags of each folder."""

    classes: dict[str, RetentionRule]
    folders: dict[str, dict[str, RetentionRule]]
    tags: dict[str, dict[str, RetentionRule]]
    folder_tags: dict[str, tuple[str, ...]]
    common_tags: tuple[str, ...]
    configured: tuple[str, ...] = ()
    """The folders of the configuration."""

    def scope_of(self, path: Path, folder: Path) -> str:
        """The folder whose rules hold for a file that was taken in from `folder`: the deepest configured one it lies in."""
        inside = (f for f in self.configured if len(f) > len(str(folder)) and path.is_relative_to(f))
        return max(inside, key=len, default=str(folder))

    def rules(self, about: str, folder: str, tags: Iterable[str]) -> tuple[Scoped, ...]:
        """What holds for a file: the folder's and its tags' rules if there are any, else the class's.

        Several of the same rank all have to let it go ("ties go to keeping"). Of what a folder says nothing about, the
        folder above it may.
        """
        found = []
        if (rule := self._of_folder(folder, about)) is not None:
            found.append(Scoped(rule, "folder", about))
        of_folder = self.folder_tags.get(folder, self.common_tags)
        for tag in sorted({*of_folder, *tags}):
            if (rule := self.tags.get(tag, {}).get(about)) is not None:
                found.append(Scoped(rule, f"tag {tag}", about))
        if not found and (rule := self.classes.get(about)) is not None:
            found.append(Scoped(rule, "class", about))
        return tuple(found)

    def _of_folder(self, folder: str, about: str) -> RetentionRule | None:
        """The rule of the deepest folder in which `folder` lies, or that it is, and that has one."""
        here = Path(folder)
        saying = [f for f, rules in self.folders.items() if about in rules and here.is_relative_to(f)]
        return self.folders[max(saying, key=len)][about] if saying else None

    @property
    def empty(self) -> bool:
        """True if no rule anywhere lets anything go."""
        sets = [self.classes, *self.folders.values(), *self.tags.values()]
        return all(rule.empty or rule.never for rules in sets for rule in rules.values())

    @property
    def counts_days(self) -> bool:
        """True if some rule keeps the newest of days, weeks or months."""
        sets = [self.classes, *self.folders.values(), *self.tags.values()]
        return any(getattr(rule, name) for rules in sets for rule in rules.values() for name in _CALENDAR)

    @property
    def tags_of_notes(self) -> frozenset[str]:
        """The tags that bring a rule along, wherever a note has them."""
        return frozenset(self.tags)

    @property
    def ranks(self) -> bool:
        """True if some rule keeps the newest, of a number, a size or a time."""
        sets = [self.classes, *self.folders.values(), *self.tags.values()]
        return any(getattr(rule, name) for rules in sets for rule in rules.values() for name in RANKS)

    @property
    def weighs(self) -> frozenset[str]:
        """The classes for which the size of every file has to be known."""
        sets = [self.classes, *self.folders.values(), *self.tags.values()]
        return frozenset(about for rules in sets for about, rule in rules.items() if rule.keep_within_size)

    @property
    def body(self) -> str:
        """This policy as canonical JSON."""
        document = {
            "classes": _dump(self.classes),
            "folders": {path: _dump(rules) for path, rules in self.folders.items()},
            "tags": {tag: _dump(rules) for tag, rules in self.tags.items()},
            "folder_tags": {path: sorted(tags) for path, tags in self.folder_tags.items()},
            "common_tags": sorted(self.common_tags),
            "configured": sorted(self.configured),
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of `body`: two policies are the same if this is."""
        return hashlib.sha256(self.body.encode("utf-8", "surrogateescape")).hexdigest()


def policy_of(config: Config) -> Policy:
    """The policy that a configuration stands for."""
    retention = config.retention
    folders = {str(f.path): _present(f.retention) for f in config.folder if f.retention is not None}
    return Policy(
        classes={name: getattr(retention, name) for name in CLASSES},
        folders=folders,
        tags={tag.lstrip("#").casefold(): _present(rules) for tag, rules in retention.tags.items()},
        folder_tags={
            str(f.path): _names(folder_settings(config, f.path).tags)
            for f in config.folder
            if f.tags and retention.tags
        },
        configured=tuple(str(folder.path) for folder in config.folder),
        common_tags=_names(config.notes.tags) if retention.tags else (),
    )


def _names(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*map(tag_names, tags))))


def _present(rules: Any) -> dict[str, RetentionRule]:
    found = {name: getattr(rules, name) for name in type(rules).model_fields}
    return {name: rule for name, rule in found.items() if rule is not None}


def _dump(rules: dict[str, RetentionRule]) -> dict[str, Any]:
    return {name: rule.model_dump(mode="json", exclude_defaults=True) for name, rule in sorted(rules.items())}
