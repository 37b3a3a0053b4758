"""What a note says about its audio: when it may go, or when and by which rule it went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from earmark.config import Config
from earmark.config.schema import RetentionRule
from earmark.domain import Instant, Kind
from earmark.ledger import Ledger, Place
from earmark.retention import quality
from earmark.retention.look import hash_of
from earmark.retention.policy import NOTHING, Policy, Scoped, policy_of, read_policy


@dataclass(frozen=True, slots=True)
class AudioFate:
    """`expires`: local date "YYYY-MM-DD" from which rules let the audio go, or None (kept, or nobody can say yet).
    `gone`: a sentence if a rule took it, else None.
    """

    expires: str | None
    gone: str | None


def audio_fate(ledger: Ledger, config: Config, place: Place, now: Instant) -> AudioFate:
    """For `NoteContext.audio_expires` and `.audio_gone`. A recording that is not done yet counts as done now."""
    if place.gone_at is not None:
        return AudioFate(None, _gone(ledger, place))
    when = _expires(ledger, config, place, now)
    return AudioFate(_day(when) if when is not None else None, None)


def outdate_unedited(ledger: Ledger, place: Place) -> int:
    """Make the notes of a place that are as we wrote them owed again, before its notes are written anew for a relook.

    An edited note stays as it is: a changed date is no reason for a second version beside it. Returns how many.
    """
    count = 0
    for artifact in ledger.artifacts.of_place(place.path):
        if artifact.form != "md" or artifact.state != "here":
            continue
        try:
            unedited = hash_of(artifact.path)[0] == artifact.sha256
        except OSError:
            continue
        if unedited:
            ledger.artifacts.outdate(artifact.path)
            count += 1
    return count


def _gone(ledger: Ledger, place: Place) -> str | None:
    taken = [
        t for t in ledger.trash.of_original(place.path) if t.kind is Kind.AUDIO and t.state != "restored"
    ]
    if not taken:
        return None
    row = taken[-1]
    if row.state == "purged":
        return f"The audio was deleted on {_day(row.ended_at or row.trashed_at)} by the rule {row.rule}."
    where = "the system's trash" if row.state == "handed" else "the trash"
    return f"The audio went to {where} on {_day(row.trashed_at)} by the rule {row.rule}."


def _expires(ledger: Ledger, config: Config, place: Place, now: Instant) -> Instant | None:
    recording = ledger.places.recording(place.recording_id)
    if recording is None or ledger.retention.held(place.recording_id) is not None:
        return None
    transcript = ledger.words.transcript(place.recording_id)
    accepted = ledger.retention.quality_accepted(place.recording_id, recording.transcript_rev)
    if transcript is not None and not accepted and quality.failings(transcript):
        return None
    item = ledger.retention.item_rules(place.recording_id).get(Kind.AUDIO.value)
    if item is not None:
        rules: tuple[Scoped, ...] = (
            Scoped(RetentionRule.model_validate_json(item), "item", Kind.AUDIO.value),
        )
    else:
        rules = (*_scoped(policy_of(config), place), *_promised(ledger, place))
    since = recording.done_at if recording.done_at is not None else now
    return _latest(rules, since)


def _promised(ledger: Ledger, place: Place) -> tuple[Scoped, ...]:
    row = ledger.retention.policy_of(place.recording_id)
    policy = NOTHING if row is None else read_policy(ledger.retention.policies()[row])
    return _scoped(policy, place)


def _scoped(policy: Policy, place: Place) -> tuple[Scoped, ...]:
    found = policy.rules(Kind.AUDIO.value, str(place.folder), ())
    return found or (Scoped(RetentionRule(), "class", Kind.AUDIO.value),)


def _latest(rules: Iterable[Scoped], since: Instant) -> Instant | None:
    """When the last of these lets go; None if one never does, or depends on what else comes (ranks)."""
    latest = since
    for scoped in rules:
        rule = scoped.rule
        ranked = (rule.keep_last, rule.keep_within_size, rule.keep_daily, rule.keep_weekly, rule.keep_monthly)
        if rule.empty or rule.never or any(ranked):
            return None
        if rule.keep_for is not None:
            try:
                latest = max(latest, rule.keep_for.after(since))
            except (OverflowError, ValueError):
                return None
    return latest


def _day(instant: Instant) -> str:
    return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d")
