"""The rules of retention as they stand in the configuration: classes, rule sets, fuses."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from earmark.config.duration import Duration, DurationField
from earmark.config.section import Section
from earmark.config.size import SizeField


def _with_alias(value: Any) -> Any:
    """`older_than` is read as `keep_for`; both at once is an error."""
    if not isinstance(value, dict) or "older_than" not in value:
        return value
    if "keep_for" in value:
        raise ValueError("`older_than` and `keep_for` mean the same; keep one of them")
    return {("keep_for" if key == "older_than" else key): v for key, v in value.items()}


class RetentionRule(Section):
    """Keep rules for one class. Any one of them keeps (they are ORed); without any, everything is kept for ever."""

    keep_for: DurationField | None = Field(
        None, description="Keep for this long: `36h`, `30d`, `2y5m7d`. `older_than` means the same."
    )
    count_from: Literal["done", "recorded"] = Field(
        "done",
        description="Since when `keep_for` counts: when all notes were written, or when it was recorded (by its own date).",
    )
    keep_last: int = Field(
        0, ge=0, description="Keep the newest so many of each drop folder; 0: no such rule."
    )
    keep_within_size: SizeField = Field(
        0, description="Keep the newest of each drop folder up to this size in all: `20GB`; 0: no such rule."
    )
    keep_daily: int = Field(
        0,
        ge=0,
        description="Keep the newest of each of the last so many days that have any; 0: no such rule.",
    )
    keep_weekly: int = Field(0, ge=0, description="The same by calendar week (ISO, from Monday).")
    keep_monthly: int = Field(0, ge=0, description="The same by calendar month.")
    delete_after_done: bool = Field(
        False, description="Nothing but the other rules here keeps it once all notes are written."
    )
    never: bool = Field(False, description="Never delete, whatever a wider rule says.")

    @model_validator(mode="before")
    @classmethod
    def _older_than_is_keep_for(cls, value: Any) -> Any:
        return _with_alias(value)

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        others = [name for name in self._saying() if name != "never"]
        if self.never and others:
            raise ValueError(f"`never` and `{others[0]}` contradict each other; keep one of them")
        return self

    @property
    def empty(self) -> bool:
        """True if nothing is said, so that everything is kept."""
        return not self._saying()

    def _saying(self) -> list[str]:
        """The keys that say something by themselves."""
        return [name for name in type(self).model_fields if name != "count_from" and getattr(self, name)]


class KeepFor(Section):
    """How long something of earmark's own is kept."""

    keep_for: DurationField | None = Field(
        None, description="Kept for this long: `30d`. Without it, for ever."
    )

    @model_validator(mode="before")
    @classmethod
    def _older_than_is_keep_for(cls, value: Any) -> Any:
        return _with_alias(value)


class TrashRule(KeepFor):
    """How long a file lies in the trash before it is gone for good."""

    keep_for: DurationField | None = Field(
        Duration(days=30), description="What a rule took can be restored for this long, then it is purged."
    )
    never: bool = Field(False, description="Never purge; `earmark trash empty` does it by hand.")


class RuleSet(Section):
    """Rules by class for one folder or tag; a class that is not named follows the wider rule."""

    audio: RetentionRule | None = Field(None, description="The recordings themselves.")
    transcript: RetentionRule | None = Field(
        None, description="Transcript notes and the words in the ledger."
    )
    summary: RetentionRule | None = Field(None, description="Summary notes and the summary in the ledger.")
    sidecar: RetentionRule | None = Field(None, description="srt, vtt, txt, json, html and docx files.")
    failed: RetentionRule | None = Field(None, description="Recordings that could not be transcribed.")


class Retention(Section):
    """What may be deleted, and when. Empty means: nothing, ever."""

    audio: RetentionRule = Field(
        RetentionRule(),
        description="The recordings themselves; only after their transcript passed the quality gate.",
    )
    transcript: RetentionRule = Field(
        RetentionRule(), description="Transcript notes; the words in the ledger go when the trash is purged."
    )
    summary: RetentionRule = Field(
        RetentionRule(), description="Summary notes; the summary in the ledger goes when the trash is purged."
    )
    sidecar: RetentionRule = Field(RetentionRule(), description="srt, vtt, txt, json, html and docx files.")
    failed: RetentionRule = Field(
        RetentionRule(), description="Recordings that could not be transcribed; no other rule touches them."
    )
    trash: TrashRule = Field(TrashRule(), description="What rules took, until it is purged.")
    history: KeepFor = Field(KeepFor(), description="The journal of decisions, and finished jobs' reasons.")
    checkpoints: KeepFor = Field(
        KeepFor(), description="Words heard of recordings that then failed; unfinished work is never touched."
    )
    receipts: KeepFor = Field(
        KeepFor(), description="Receipts of deletions; they hold no names and no words."
    )
    logs: KeepFor = Field(
        KeepFor(),
        description="Lines of the log file that launchd keeps; systemd's journal has rules of its own.",
    )
    voiceprints: KeepFor = Field(
        KeepFor(), description="Voices of those who speak, since they were stored (`remember_voices`)."
    )
    index: KeepFor = Field(
        KeepFor(),
        description="What search finds of a recording, since its notes were written: its words, and what they mean.",
    )
    tags: dict[str, RuleSet] = Field(
        default_factory=dict,
        description='Rules by tag, such as `[retention.tags.private]` with `audio = { keep_for = "7d" }`.',
    )
    fuse_items: int = Field(
        200, ge=0, description="A sweep that would take more files than this stops and asks; 0: no fuse."
    )
    fuse_percent: int = Field(
        50,
        ge=0,
        le=100,
        description="The same by share of all bytes, if more than ten files would go; 0: no fuse.",
    )
    sweep_at: str = Field(
        "03:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time of the daily sweep."
    )
