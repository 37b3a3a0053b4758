"""Where the properties of a note are no YAML, and what would be right there. Pure."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass

from earmark.notes.frontmatter import first_block, is_plain_yaml, loaded

_ITEM = re.compile(r"(?P<before>[ \t]*-[ \t]+)(?P<said>\S.*)")
_PAIR = re.compile(r"(?P<before>[^\s#\-:'\"][^:\n]*:[ \t]+)(?P<said>\S.*)")
_BULLET = re.compile(r"(?P<before>[ \t]*)[*+\u2022](?P<said>[ \t]+\S.*)")
"""An entry of a list as Markdown has it."""
_REMARK = re.compile(r"[ \t]+#.*|\r$")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line of a note, counted from 1, and as it would be right ("": nobody can tell)."""

    line: int
    right: str


@functools.lru_cache(maxsize=16)
def mistake_in(text: str) -> Mistake | None:
    """The first line for which the properties of a note are no YAML; None if they are, or if it has none that are
    closed, or more than anybody reads.
    """
    block, closed = first_block(text)
    if not closed or not block.strip() or not is_plain_yaml(block):
        return None
    first = text[: text.index(block)].count("\n") + 1
    wrong = _problem(block)
    if wrong is None:
        return None
    lines = block.splitlines()
    righted = [_righted(line) if _is_wrong(line) else line for line in lines]
    changed = [n for n, line in enumerate(lines) if righted[n] != line]
    if changed and _problem("\n".join(righted)) is None:
        return Mistake(first + changed[0], righted[changed[0]].strip())
    return Mistake(first + min(wrong, len(lines) - 1), "")


def _problem(block: str) -> int | None:
    """The line, counted from 0, at which a parser stumbles; None if it reads a mapping."""
    try:
        found = loaded(block)
    except Exception as error:  # a parser fed with anybody's text raises far more than its own errors
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        return int(getattr(mark, "line", 0))
    return None if isinstance(found, dict) else 0


def _is_wrong(line: str) -> bool:
    known = _ITEM.fullmatch(line) or _PAIR.fullmatch(line) or _BULLET.fullmatch(line)
    return known is not None and _raises(line.strip())


def _raises(text: str) -> bool:
    try:
        loaded(text)
    except Exception:
        return True
    return False


def _righted(line: str) -> str:
    """A line with what it says in quotes, or with the mark of a list that YAML has."""
    if (entry := _BULLET.fullmatch(line)) is not None:
        return f"{entry['before']}-{entry['said']}"
    found = _ITEM.fullmatch(line) or _PAIR.fullmatch(line)
    if found is None:
        return line
    remark = _REMARK.search(found["said"])
    said = found["said"][: remark.start()] if remark else found["said"].rstrip()
    rest = remark[0] if remark else ""
    if found.re is _PAIR and said.startswith("[") and said.endswith("]"):
        said = f"[{', '.join(_quoted(item.strip()) for item in said[1:-1].split(','))}]"
    else:
        said = _quoted(said)
    return f"{found['before']}{said}{rest}"


def _quoted(text: str) -> str:
    if re.fullmatch(r"\"[^\"\\]*\"|'[^']*'", text):
        return text
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)
