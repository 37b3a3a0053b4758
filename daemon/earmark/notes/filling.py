"""Our own templates of notes, filled."""

from __future__ import annotations

import functools
import re

import jinja2

from earmark.notes.escape import Dialect, escape_inline, escape_notice


@functools.cache
def _environment(dialect: Dialect) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("earmark.notes"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # this is Markdown, not HTML; the filter `said` is the escape
    )
    environment.filters["said"] = lambda text: escape_inline(text, dialect)
    environment.filters["told"] = lambda text: escape_notice(text, dialect)
    return environment


def fill(name: str, dialect: Dialect, **values: object) -> str:
    """The text of a note by the template of this name. What was said goes through the filter `said` there."""
    template = f"{name}.logseq.md.j2" if dialect == "logseq" else f"{name}.md.j2"
    text = _environment(dialect).get_template(template).render(values)
    # Nothing that was said holds a line break any more, so empty lines are the template's own.
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
