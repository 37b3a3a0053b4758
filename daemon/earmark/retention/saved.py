"""A plan in a file: looked at today, applied tomorrow, and refused if the world has moved on since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.errors import RetentionError
from earmark.messages import pack_path
from earmark.retention.plan import Decision, Plan

FORMAT = 1


def save(plan: Plan, file: Path, made_at: Instant, *, retroactive: bool) -> None:
    """Write what would go to `file`, which must not exist yet. Raises RetentionError."""
    document = {
        "earmark_plan": FORMAT,
        "made_at": made_at,
        "for": plan.now,
        "policy": plan.policy,
        "retroactive": retroactive,
        "fingerprint": plan.fingerprint,
        "items": [_item(decision) for decision in plan.goes],
    }
    try:
        with file.open("x", encoding="utf-8") as out:
            json.dump(document, out, indent=1)
    except OSError as error:
        raise RetentionError(f"{file}: the plan cannot be saved: {error.strerror}") from error


def load(file: Path) -> dict[str, Any]:
    """A saved plan. Raises RetentionError if it is none."""
    try:
        document = json.loads(file.read_text("utf-8"))
        if document["earmark_plan"] != FORMAT or not isinstance(document["items"], list):
            raise ValueError("another format")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RetentionError(
            f"{file}: is not a plan saved by `earmark retention plan --save`: {error}"
        ) from error
    found: dict[str, Any] = document
    return found


def narrowed(saved: dict[str, Any], fresh: Plan) -> Plan:
    """The fresh plan reduced to what was saved.

    Raises RetentionError if the policy is another one, or if any saved item would not go now exactly as it was saved.
    What has become due since is left for another plan.
    """
    if saved["policy"] != fresh.policy:
        raise RetentionError(
            "The saved plan was made under another retention policy; make a new one with: earmark retention plan --save"
        )
    by_path = {pack_path(d.item.path): d for d in fresh.goes}
    wrong = [_difference(item, by_path.get(item.get("path"))) for item in saved["items"]]
    differences = [text for text in wrong if text]
    if differences:
        shown = "\n".join(differences[:10])
        more = f"\nand {len(differences) - 10} more" if len(differences) > 10 else ""
        raise RetentionError(
            f"The saved plan no longer matches the world; nothing was touched.\n{shown}{more}\n"
            "Make a new one with: earmark retention plan --save"
        )
    wanted = {item["path"] for item in saved["items"]}
    fresh.goes = [d for d in fresh.goes if pack_path(d.item.path) in wanted]
    return fresh


def _item(decision: Decision) -> dict[str, Any]:
    item = decision.item
    return {
        "path": pack_path(item.path),
        "kind": item.kind.value,
        "sha256": item.sha256,
        "bytes": item.size,
        "rule": decision.rule,
    }


def _difference(saved: dict[str, Any], now: Decision | None) -> str | None:
    path = saved.get("path", "?")
    if now is None:
        return f"{path}: would not go any more"
    if saved != _item(now):
        return f"{path}: has changed, or another rule decides"
    return None
