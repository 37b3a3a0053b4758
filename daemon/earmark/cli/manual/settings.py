"""The page earmark.toml(5), from docs/configuration.md, which is itself written from the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable

from earmark.cli.manual.man import as_text

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def page(reference: str, version: str) -> str:
    """The page."""
    prose = _COMMENT.sub("", reference.partition("<!-- tests -->")[0])
    lines = [
        f'.TH EARMARK.TOML 5 "" "earmark {version}" "File Formats"',
        ".SH NAME",
        "earmark.toml \\- the configuration of earmark, config.toml",
        ".SH DESCRIPTION",
    ]
    for block in re.split(r"\n\s*\n", prose):
        lines += _block(block.strip())
    return "\n".join([*lines, ".SH SEE ALSO", ".BR earmark (1)"]) + "\n"


def _block(block: str) -> Iterable[str]:
    if not block or block.startswith("# "):
        return
    if block.startswith("#"):
        level, _, title = block.partition(" ")
        yield f"{'.SH' if level == '##' else '.SS'} {_plain(title)}"
    elif block.startswith("|"):
        for row in block.splitlines()[2:]:
            key, kind, default, meaning = (_plain(cell) for cell in re.split(r"(?<!\\)\|", row)[1:5])
            yield from (".TP", f"\\fB{key}\\fR ({kind}; default: {default})", meaning)
    else:
        yield from (".PP", _plain(" ".join(block.split())))


def _plain(text: str) -> str:
    """Without the marks of Markdown, for the man macros."""
    return as_text(_LINK.sub(r"\1", text.strip()).replace("\\|", "|").replace("`", ""))
