"""Pages as HTML: what comes out of a recording, a name or a note is text on them, and never anything else."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.filesize import decimal
from starlette.responses import Response

from earmark.files import counted
from earmark.notes.style import length
from earmark.pages.asked import in_address
from earmark.readable import day, moment, one_line, readable


def page_of(base: str, template: str, *, status: int = 200, **said: Any) -> Response:
    """The page that a template makes of these values. `base`: the path that all addresses begin with."""
    text = _environment().get_template(template).render(base=base, **said)
    return Response(text.encode("utf-8", "backslashreplace"), status, media_type="text/html; charset=utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("earmark.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters |= {
        "moment": moment,
        "day": day,
        "length": length,
        "position": position,
        "bytes": decimal,
        "seconds": seconds,
    }
    made.filters |= {"one_line": one_line, "urlencode": in_address, "counted": counted}
    return made


def _shown(value: Any) -> Any:
    """Text without what is not seen: a name can turn what stands beside it around."""
    return readable(value) if type(value) is str else value


def position(at: float) -> str:
    """Where something is said, as notes' links say it: whole seconds, rounded down."""
    return length(int(at))


def seconds(at: float) -> str:
    """A second as a script and a media fragment take it."""
    return f"{max(0.0, at):.2f}"
