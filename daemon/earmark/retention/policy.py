"""Keep rules: which apply to a file, and whether one of them keeps it. Pure.

The model is restic's `forget`: each rule may keep, any one that keeps wins, and a class without rules is kept whole.
Ranks ("newest", "of this day") are counted within one drop folder and one class, so that no rule can eat another set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from pydantic import TypeAdapter

from earmark.config import Config, folder_settings
from earmark.config.schema import RetentionRule
from earmark.domain import Instant, Kind

FAILED = "failed"
"""The class of recordings that could not be transcribed."""

_RULES: TypeAdapter[dict[str, RetentionRule]] = TypeAdapter(dict[str, RetentionRule])


@dataclass(frozen=True, slots=True)
class Scoped:
    """A rule and where it comes from: `class`, `folder`, `tag NAME` or `item`."""

    rule: RetentionRule
    scope: str
    about: str

    def named(self, text: str) -> str:
        """`audio: keep_for 30d (folder)`."""
        return f"{self.about}: {text} ({self.scope})"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a file stands among the rankable files of its folder and class, newest first.

    `rank` from 1; `bytes_to` includes its own; `day`, `week`, `month`: the how-many-eth different one this is, if the file
    is the newest of it, else None.
    """

    rank: int
    bytes_to: int
    day: int | None
    week: int | None
    month: int | None


class Ranking:
    """Gives each file of one folder and class its standing; feed it newest first."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._rank = 0
        self._bytes = 0
        self._last: tuple[str, str, str] = ("", "", "")
        self._counts = [0, 0, 0]

    def place(self, dated: Instant, size: int) -> Standing:
        """The standing of the next file; `zone` None is this machine's local time."""
        when = _local(dated, self._zone)
        buckets = (f"{when:%Y-%m-%d}", f"{when:%G-%V}", f"{when:%Y-%m}")
        self._rank += 1
        self._bytes += size
        new: list[int | None] = [None, None, None]
        for n, bucket in enumerate(buckets):
            if bucket != self._last[n]:
                self._counts[n] += 1
                new[n] = self._counts[n]
        self._last = buckets
        return Standing(self._rank, self._bytes, new[0], new[1], new[2])


def _local(instant: Instant, zone: tzinfo | None) -> datetime:
    try:
        return datetime.fromtimestamp(instant, zone)
    except (OverflowError, ValueError, OSError):
        # A file time outside the calendar; it only has to sort somewhere.
        return datetime(1, 1, 1) if instant < 0 else datetime(9999, 12, 31)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule keeps the file: which one, why, and until when if that is known."""

    by: str
    until: Instant | None


def kept_by(scoped: Scoped, standing: Standing | None, since: Instant, now: Instant) -> Kept | None:
    """The first thing in one rule set that keeps a file whose clock started at `since`; None if nothing does.

    Without a standing (it does not count among the others) rank rules cannot judge, so they keep.
    """
    rule = scoped.rule
    if rule.empty:
        return Kept(scoped.named("no rule"), None)
    if rule.never:
        return Kept(scoped.named("never"), None)
    for name, limit, at in _ranks(rule, standing):
        if limit and (at is None or at <= limit):
            return Kept(scoped.named(f"{name} {limit}"), None)
    if rule.keep_for is not None:
        until = _after(rule, since)
        if until is None or now < until:
            return Kept(scoped.named(f"keep_for {rule.keep_for}"), until)
    return None


def _ranks(rule: RetentionRule, standing: Standing | None) -> Iterable[tuple[str, int, int | None]]:
    """Each rank rule with its limit and the number to compare; a None number keeps."""
    none_of = 10**18
    yield "keep_last", rule.keep_last, standing.rank if standing else None
    yield "keep_within_size", rule.keep_within_size, standing.bytes_to if standing else None
    for name, limit, number in (
        ("keep_daily", rule.keep_daily, standing.day if standing else None),
        ("keep_weekly", rule.keep_weekly, standing.week if standing else None),
        ("keep_monthly", rule.keep_monthly, standing.month if standing else None),
    ):
        yield name, limit, (number if number is not None else none_of) if standing else None


def _after(rule: RetentionRule, since: Instant) -> Instant | None:
    """When `keep_for` ends; None where the calendar does not reach that far, which is for ever."""
    try:
        return rule.keep_for.after(since) if rule.keep_for is not None else since
    except (OverflowError, ValueError, OSError):
        return None


def describe(rule: RetentionRule) -> str:
    """The rule as a person wrote it: `keep_for 30d, keep_last 5`."""
    parts = []
    for name in type(rule).model_fields:
        value = getattr(rule, name)
        if value is True:
            parts.append(name)
        elif value:
            parts.append(f"{name} {value}")
    return ", ".join(parts) or "no rule"


@dataclass(frozen=True)
class Policy:
    """All rules of one moment: per class, per folder and class, per tag and class; and the tags of each folder."""

    classes: dict[str, RetentionRule]
    folders: dict[str, dict[str, RetentionRule]]
    tags: dict[str, dict[str, RetentionRule]]
    folder_tags: dict[str, tuple[str, ...]]
    common_tags: tuple[str, ...]

    def rules(self, about: str, folder: str, tags: Iterable[str]) -> tuple[Scoped, ...]:
        """What holds for a file: the folder's and its tags' rules if there are any, else the class's.

        Several of the same rank all have to let it go ("ties go to keeping").
        """
        found = []
        if (rule := self.folders.get(folder, {}).get(about)) is not None:
            found.append(Scoped(rule, "folder", about))
        of_folder = self.folder_tags.get(folder, self.common_tags)
        for tag in sorted({*of_folder, *tags}):
            if (rule := self.tags.get(tag, {}).get(about)) is not None:
                found.append(Scoped(rule, f"tag {tag}", about))
        if not found and (rule := self.classes.get(about)) is not None:
            found.append(Scoped(rule, "class", about))
        return tuple(found)

    @property
    def empty(self) -> bool:
        """True if no rule anywhere lets anything go."""
        sets = [self.classes, *self.folders.values(), *self.tags.values()]
        return all(rule.empty or rule.never for rules in sets for rule in rules.values())

    @property
    def reads_tags(self) -> bool:
        return bool(self.tags)

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
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of `body`: two policies are the same if this is."""
        return hashlib.sha256(self.body.encode("utf-8", "surrogateescape")).hexdigest()


NOTHING = Policy({}, {}, {}, {}, ())
"""The policy of somebody who has said nothing; it keeps everything."""


def policy_of(config: Config) -> Policy:
    """The policy that a configuration stands for."""
    retention = config.retention
    folders = {str(f.path): _present(f.retention) for f in config.folder if f.retention is not None}
    names = (*(kind.value for kind in Kind), FAILED)
    return Policy(
        classes={name: getattr(retention, name) for name in names},
        folders=folders,
        tags={tag: _present(rules) for tag, rules in retention.tags.items()},
        folder_tags={
            str(f.path): folder_settings(config, f.path).tags
            for f in config.folder
            if f.tags and retention.tags
        },
        common_tags=config.notes.tags if retention.tags else (),
    )


def read_policy(body: str) -> Policy:
    """The inverse of `Policy.body`."""
    document = json.loads(body)
    return Policy(
        classes=_RULES.validate_python(document["classes"]),
        folders={path: _RULES.validate_python(rules) for path, rules in document["folders"].items()},
        tags={tag: _RULES.validate_python(rules) for tag, rules in document["tags"].items()},
        folder_tags={path: tuple(tags) for path, tags in document["folder_tags"].items()},
        common_tags=tuple(document["common_tags"]),
    )


def _present(rules: Any) -> dict[str, RetentionRule]:
    found = {name: getattr(rules, name) for name in type(rules).model_fields}
    return {name: rule for name, rule in found.items() if rule is not None}


def _dump(rules: dict[str, RetentionRule]) -> dict[str, Any]:
    return {name: rule.model_dump(mode="json", exclude_defaults=True) for name, rule in sorted(rules.items())}
