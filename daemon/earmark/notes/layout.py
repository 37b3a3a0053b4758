"""A user's own layout for the summary note: Jinja2 in a sandbox, with values that are safe before they get there.

The layout comes from the user's template folder and is trusted with Markdown, not with Python. Whatever was said or
answered reaches it escaped already, so that no layout has to remember to do it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from earmark.errors import ConfigError

LONGEST = 1_000_000
"""Characters; a layout that loops must not fill the disk."""


@functools.cache
def _environment() -> jinja2.Environment:
    return ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # this is Markdown; the values come escaped
    )


def fill_layout(source: str, values: Mapping[str, object]) -> str:
    """The body of a note by this layout. Raises ConfigError that says what is wrong with it, and where."""
    try:
        parts: list[str] = []
        length = 0
        for part in _environment().from_string(source).generate(values):
            parts.append(part)
            length += len(part)
            if length > LONGEST:
                raise ConfigError(
                    f"the layout of the template makes a note of more than {LONGEST:,} characters"
                )
    except jinja2.TemplateSyntaxError as error:
        raise ConfigError(
            f"the layout of the template is wrong in line {error.lineno}: {error.message}"
        ) from None
    except jinja2.UndefinedError as error:
        raise ConfigError(
            f"the layout of the template uses something that there is not: {error.message}"
        ) from None
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Its text may quote what was said.
        raise ConfigError(f"the layout of the template cannot be used ({type(error).__name__})") from None
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip("\n") + "\n"
