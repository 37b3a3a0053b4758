"""Does a note ask to be kept? Whatever a person may have meant by it is a yes; nothing and a clear no are a no. Pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from typing import Any

from earmark.notes.frontmatter import first_block, is_plain_yaml, loaded
from earmark.notes.style import NoteStyle

_TOML = re.compile(r"\A\s*\+\+\+[ \t]*\r?\n(?P<block>.*?)^\+\+\+[ \t]*\r?$", re.S | re.M)
_OPENED = re.compile(r"\A\s*(?:---|\+\+\+)")
_LINE = re.compile(r"^[ \t]*(?:[-*][ \t]+)?[\"'`]?([\w./-]+)[\"'`]?[ \t]*(?::{1,2}|=)([^\r\n]*)", re.M)
"""A property on a line of its own, however it is indented or quoted."""
_INSIDE = re.compile(r"[{\[(,;][ \t]*[\"']?([\w./-]+)[\"']?[ \t]*[:=][ \t]*([^\r\n,;}\])]*)")
"""A property inside of a line, of JSON or of a table in TOML."""
_FIELD = re.compile(
    r"(?:^[ \t>]*(?:[-*+][ \t]+)?|[\[(])[*_`]{0,2}([\w./-]+)[*_`]{0,2}[ \t]?::[ \t]*([^\r\n\])]*)", re.M
)
"""A property of a Logseq block, or an inline field of Dataview; it stands anywhere in a note."""
_TITLE = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)+")
_BLOCK = re.compile(r"\s*^---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.S | re.M)
"""What stands between two fences: under a title, or as a second one that a template has put under the first."""
_SCALAR = re.compile(
    r"^([ \t]*)([^\s:][^\n:]*:[ \t]*)[|>][-+0-9]*[ \t]*\r?\n(?:\1[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\r?\n)+", re.M
)
"""A text of several lines in YAML, which is no property."""
_KEY = re.compile(r"^[ \t\[{(,\"'*?-]*([\w./-]+)", re.M)
"""The word at the place of a key, on lines that nobody can parse."""
_UNSEEN = dict.fromkeys(
    (0xAD, 0x61C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
)
"""Characters that nobody sees."""
_STRAIGHT = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"') | dict.fromkeys(
    map(ord, "\u2018\u2019\u201a\u201b"), "'"
)
"""Quotes that a word processor, or a Mac, makes of straight ones as they are typed."""
_NO = frozenset({"false", "no", "off", "0", "n", "f"})
_NOTHING = frozenset({"", "null", "none", "nil", "~", "[]", "{}"})


def keep_keys(style: NoteStyle | None = None) -> frozenset[str]:
    """The properties by which a note asks to be kept: `keep`, with earmark's name before it or not, and what the
    configuration calls it.
    """
    chosen = style or NoteStyle()
    configured = {chosen.key("keep").casefold(), chosen.keys.get("keep", "keep").casefold()}
    return frozenset({"keep", "earmark-keep", "earmark_keep", "earmark.keep"} | configured)


def asks_to_keep(text: str, keys: frozenset[str]) -> bool:
    """Whether a note asks to be kept, by any of `keys` (case-folded).

    It may say so in YAML, TOML, JSON or Logseq properties, at any depth, with or without fences or the closing one, under a
    title, quoted, indented or without a space, or as a field anywhere. `false`, `no`, `off`, `0` and nothing at all (`""`,
    `null`, `[]`) are no request; what else stands there is one, and so is the word in the place of a key in frontmatter that
    does not parse, unless a clear no follows it.
    """
    text = unicodedata.normalize("NFKC", text.translate(_UNSEEN))
    toml = _TOML.match(text)
    block, closed = (toml["block"], True) if toml is not None else first_block(text)
    parsed, found = _parsed(block) if toml is None else _parsed_toml(block)
    text, block = text.translate(_STRAIGHT), block.translate(_STRAIGHT)
    values = list(_said(found, keys))
    if not parsed:
        values += [value.strip() for key, value in _INSIDE.findall(block) if key.casefold() in keys]
    for part in (block if closed or not _OPENED.match(text) else text, *_blocks_on_top(text)):
        values += [
            value.strip()
            for key, value in _LINE.findall(_SCALAR.sub(r"\1\2\n", part))
            if key.casefold() in keys
        ]
    values += [value.strip() for key, value in _FIELD.findall(text) if key.casefold() in keys]
    if any(not _is_nothing(value) and not _is_no(value) for value in values):
        return True
    if parsed:
        return False
    if values:
        return any(value == "" or value is None for value in values)
    return bool(keys.intersection(word.casefold() for word in _KEY.findall(block)))


def _blocks_on_top(text: str) -> Iterator[str]:
    """Blocks between fences before any other text than a title."""
    title = _TITLE.match(text)
    at = title.end() if title is not None else 0
    while (found := _BLOCK.match(text, at)) is not None:
        yield found[1]
        at = found.end()


def _parsed(block: str) -> tuple[bool, Any]:
    """Whether this is YAML (as JSON is), and what it says."""
    if not is_plain_yaml(block):
        return False, None
    try:
        return True, loaded(block)
    except Exception:
        return False, None


def _parsed_toml(block: str) -> tuple[bool, Any]:
    """The same for TOML."""
    if not is_plain_yaml(block):
        return False, None
    try:
        return True, tomllib.loads(block)
    except (ValueError, RecursionError):
        return False, None


def _said(found: Any, keys: frozenset[str]) -> Iterator[Any]:
    """What stands under one of these keys, however deep."""
    if isinstance(found, dict):
        for key, value in found.items():
            if str(key).translate(_STRAIGHT).strip("\"'` \t").casefold() in keys:
                yield value
            yield from _said(value, keys)
    elif isinstance(found, list | tuple):
        for item in found:
            yield from _said(item, keys)


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return value.translate(_STRAIGHT).split(" #")[0].strip().strip("\"'").casefold() in _NOTHING
    return value is None or value in ([], (), {})


def _is_no(value: object) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(_is_no(item) for item in value)
    if isinstance(value, str):
        value = value.translate(_STRAIGHT).split(" #")[0]
        return value.strip().strip("\"'[]{},").strip().casefold() in _NO
    return not value
