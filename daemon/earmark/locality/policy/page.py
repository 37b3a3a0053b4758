"""The policy page as Markdown, HTML or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from earmark.locality.policy.parts import Operation, Page

Format = Literal["md", "json", "html"]


def render_page(page: Page, format: Format) -> str:
    """The page as text that ends in a newline. The HTML stands alone: no script, no style sheet, no image from anywhere."""
    if format == "json":
        body = asdict(page)
        body["operations"] = [asdict(o) | {"needs_connectivity": o.connectivity} for o in page.operations]
        return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    offline, online = split(page.operations)
    return (
        _environment().get_template(f"privacy.{format}.j2").render(page=page, offline=offline, online=online)
        + "\n"
    )


def split(operations: tuple[Operation, ...]) -> tuple[list[Operation], list[Operation]]:
    """Those that need no connection, and those that do."""
    return [o for o in operations if not o.connectivity], [o for o in operations if o.connectivity]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("earmark.locality.policy"),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return made
