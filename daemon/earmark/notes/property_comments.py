"""Comments in the properties of a note, which only a person writes there. Pure."""

from __future__ import annotations

import re

from ruamel.yaml import YAML

from earmark.notes.frontmatter import is_plain_yaml

_COMMENT = re.compile(r"(?:^|\s)#", re.M)
"""What begins a comment in YAML, but for quotes."""


def has_comment(top: str) -> bool:
    """Whether something in these lines of YAML is a comment, or may be: what is quoted ("Anna #1") is none."""
    return _COMMENT.search(_without_quoted(top)) is not None


def comments_in(lines: str) -> tuple[str, str]:
    """The comments in these lines of YAML, which `has_comment`: what stands behind the first line, and the rest, each on a
    line of its own, as indented as it was.
    """
    behind, below = "", ""
    for number, (line, bare) in enumerate(
        zip(lines.split("\n"), _without_quoted(lines).split("\n"), strict=True)
    ):
        found = _COMMENT.search(bare)
        if found is None:
            continue
        comment = line[found.start() :].strip()
        if number == 0 and not line.lstrip().startswith("#"):
            behind = f"  {comment}"
        else:
            below += f"{line[: len(line) - len(line.lstrip())]}{comment}\n"
    return behind, below


def _without_quoted(lines: str) -> str:
    """Lines of YAML with something else, as long, in the place of what is quoted; as they are if they do not parse."""
    if not _COMMENT.search(lines) or not is_plain_yaml(lines):
        return lines
    rest = list(lines)
    try:
        for token in YAML(typ="safe", pure=True).scan(lines):
            if getattr(token, "style", None) in ("'", '"'):
                start, end = token.start_mark.index, token.end_mark.index
                rest[start:end] = ("\n" if char == "\n" else "_" for char in rest[start:end])
    except Exception:  # a parser fed with anybody's text raises anything
        return lines
    return "".join(rest)
