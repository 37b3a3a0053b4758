"""A plan in a file: looked at today, applied tomorrow, and refused if the world has moved on since."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from earmark.domain import Instant
from earmark.errors import NotFound, RetentionError, as_said
from earmark.files import pack_path, read_bytes, why, write_new
from earmark.retention.rules.decide import Decision, Plan


class SavedItem(BaseModel):
    """One file that would go. `path` is percent-encoded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    kind: str
    sha256: str
    bytes: int
    rule: str


class SavedPlan(BaseModel):
    """What `earmark retention plan --save` writes. `earmark_plan` is the version of this format."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    earmark_plan: Literal[1, 2] = 2
    made_at: float
    policy: str
    fingerprint: str
    items: tuple[SavedItem, ...]


def save(plan: Plan, file: Path, made_at: Instant) -> None:
    """Write what would go to `file`, which must not exist yet. Raises UsageError if it does, EnvironmentFault."""
    document = SavedPlan(
        made_at=made_at,
        policy=plan.policy,
        fingerprint=plan.fingerprint,
        items=tuple(_item(decision) for decision in plan.goes),
    )
    with as_said(file):
        write_new(file, document.model_dump_json(indent=1).encode() + b"\n")


def load(file: Path) -> SavedPlan:
    """A saved plan. Raises RetentionError if it is none."""
    try:
        return SavedPlan.model_validate_json(read_bytes(file))
    except FileNotFoundError:
        raise NotFound(f"{file}: there is no such file") from None
    except OSError as error:
        raise RetentionError(f"{file}: the plan cannot be read: {why(error)}") from error
    except ValidationError:
        raise RetentionError(f"{file}: is not a plan saved by `earmark retention plan --save`") from None


def narrowed(saved: SavedPlan, fresh: Plan) -> Plan:
    """The fresh plan reduced to what was saved.

    Raises RetentionError if the policy is another one, or if any saved item would not go now exactly as it was saved.
    What has become due since is left for another plan.
    """
    if saved.policy != fresh.policy:
        raise RetentionError(
            "The saved plan was made under another retention policy; make a new one with: earmark retention plan --save"
        )
    by_path = {pack_path(d.item.path): d for d in fresh.goes}
    differences = [text for item in saved.items if (text := _difference(item, by_path.get(item.path)))]
    if differences:
        shown = "\n".join(differences[:10])
        more = f"\nand {len(differences) - 10} more" if len(differences) > 10 else ""
        raise RetentionError(
            f"The saved plan no longer matches the world; nothing was touched.\n{shown}{more}\n"
            "Make a new one with: earmark retention plan --save"
        )
    wanted = {item.path for item in saved.items}
    fresh.goes = [d for d in fresh.goes if pack_path(d.item.path) in wanted]
    return fresh


def _item(decision: Decision) -> SavedItem:
    item = decision.item
    return SavedItem(
        path=pack_path(item.path),
        kind=item.kind.value,
        sha256=item.sha256,
        bytes=item.size,
        rule=decision.rule,
    )


def _difference(saved: SavedItem, now: Decision | None) -> str | None:
    if now is None:
        return f"{saved.path}: would not go any more"
    return None if saved == _item(now) else f"{saved.path}: has changed, or another rule decides"
