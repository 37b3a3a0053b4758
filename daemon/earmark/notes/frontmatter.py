"""The few lines on top of a note: written flat and quoted, read leniently.

Obsidian knows no nested properties and one type per property name for a whole vault, so values are scalars or lists
of strings and keys can be renamed (`NoteStyle.key`). Logseq has `key:: value` lines instead of YAML.
"""

from __future__ import annotations

import codecs
import copy
import functools
import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from earmark.domain import Kind
from earmark.ledger.note_ids import ANY
from earmark.notes.escape import neutralize, normalize, openings
from earmark.notes.style import NoteStyle

NOTES = frozenset({Kind.TRANSCRIPT.value, Kind.SUMMARY.value})
"""What stands as `type` in a note."""

LIMIT = 1024 * 1024
"""Bytes of a note that are looked at for frontmatter; a longer one is somebody else's data."""

YAML_LIMIT = 64 * 1024
"""Characters of frontmatter that are read as YAML, which takes a second for so many; a longer one is read by its lines."""

YAML_BRACKETS = 2_000
"""Brackets in frontmatter that is read as YAML; as many as a parser is given, so deep it may have to go."""

_FENCED = re.compile(
    r"\A(?:[\s\ufeff\u200b]*\n)?[\ufeff\u200b]*---[ \t]*\r?\n(?P<yaml>.*?)(?:(?<=\n)|\A)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)",
    re.S,
)
_PROPERTIES = re.compile(r"\A(?:[\s\ufeff]*\n)?\ufeff?(?:(?:- )?[ \t]*[\w./-]+:: ?[^\r\n]*(?:\r?\n|\Z))+")
_BLOCK = re.compile(r"\A\ufeff?- ")
"""A block of a Logseq page, which is no property of the page."""
_PROPERTY = re.compile(r"^(?:- )?[ \t]*([\w./-]+):: ?([^\r\n]*)", re.M)
_LOOSE = re.compile(r"^([\w./-]+)[ \t]*:[ \t]+([^\r\n]*)", re.M)
_ALIAS, _ANCHOR = re.compile(r"(?:^|[\s\[{,])\*\w"), re.compile(r"(?:^|[\s\[{,])&\w")
"""What an alias of YAML, by which a few bytes say gigabytes, or themselves, and what it stands for look like. A star alone
may stand in a name, and is a mistake elsewhere.
"""

_LINE = re.compile(r"^[ \t]*(?:[-*][ \t]+)?[\"']?([\w./-]+)[\"']?[ \t]*:{1,2}[ \t]*([^\r\n]*)", re.M)
"""A property on a line of its own, however it is indented or quoted."""

_NAMED = re.compile(
    rf"^[ \t>]*(?:[-*][ \t]+)?[\"']?([\w./-]+)[\"']?[ \t]*:{{1,2}}[ \t]*[\"']?({ANY.pattern})", re.M | re.I
)
"""A property, on a line of its own or in a quotation, of which an id of a recording is the value."""


class LocalTime(str):
    """A local date or date-time that YAML is to hold unquoted: `2026-03-05` or `2026-03-05T09:30:00`."""

    __slots__ = ()

    PATTERN = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?")

    def __new__(cls, text: str) -> LocalTime:
        if not cls.PATTERN.fullmatch(text):
            raise ValueError(f"{text!r} is not a local time; write it as YYYY-MM-DDTHH:MM:SS or YYYY-MM-DD")
        return super().__new__(cls, text)


class Link(str):
    """A wikilink of our own making, the only text that may stand in a property as a link."""

    __slots__ = ()


class FileName(str):
    """The name of a file, which stands in YAML as it is, but for what is not UTF-8. What another program might take for
    markup is written as the number of its character, and so is what nobody sees; whoever reads YAML reads the character.
    """

    __slots__ = ()


class _Representer(SafeRepresenter):
    pass


def _plain_time(representer: SafeRepresenter, value: LocalTime) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:timestamp", str(value))


_BARE = re.compile(r"[A-Za-z][A-Za-z0-9 ._/-]*[A-Za-z0-9]|[A-Za-z]")
_YAML_1_1 = frozenset({"y", "yes", "n", "no", "true", "false", "on", "off", "null"})
"""Words that a YAML 1.1 reader (PyYAML, Jekyll, Hugo) takes for something else than text, where 1.2 would not."""


def _quoted(representer: SafeRepresenter, value: str) -> Any:
    return _text(representer, value.replace(_NUMBER, f"{_NUMBER}{_NUMBER}"))


def _text(representer: SafeRepresenter, value: str) -> Any:
    bare = _BARE.fullmatch(value) and value.lower() not in _YAML_1_1
    return representer.represent_scalar("tag:yaml.org,2002:str", value, style=None if bare else '"')


_NUMBER = "\uf8ff"
"""Stands before a character of a name that is to be written as its number, until that is done (Unicode: private use)."""
_NUMBERED = re.compile(f"{_NUMBER}(\\\\?.)")


def _by_numbers(representer: SafeRepresenter, value: FileName) -> Any:
    opens = openings(value)
    marked = (
        f"{_NUMBER}{char}"
        if at in opens or char == _NUMBER or (char != " " and normalize(char) != char)
        else char
        for at, char in enumerate(re.sub("[\ud800-\udfff]", "\ufffd", value))
    )
    return _text(representer, "".join(marked))


def _number(found: re.Match[str]) -> str:
    """What YAML has escaped itself stays as it is."""
    code = ord(found[1][0])
    if len(found[1]) > 1:
        return found[1]
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


_Representer.add_representer(LocalTime, _plain_time)
_Representer.add_representer(FileName, _by_numbers)
_Representer.add_representer(str, _quoted)
_Representer.add_representer(Link, _quoted)

Value = str | int | float | bool | list[str] | tuple[str, ...]


def frontmatter(fields: Mapping[str, Value | None], style: NoteStyle) -> str:
    """The block of a new note, with its fences and final line break; None and empty lists are left out."""
    kept = {style.key(k): v for k, v in fields.items() if v is not None and v != () and v != []}
    if style.dialect == "logseq":
        return "".join(f"{key}:: {_logseq_value(value)}\n" for key, value in kept.items()) + "\n"
    return f"---\n{dumped({key: _yaml_value(value) for key, value in kept.items()})}---\n"


def dumped(properties: Mapping[str, object]) -> str:
    """Properties as lines of YAML, without fences."""
    stream = io.StringIO()
    _writer().dump(dict(properties), stream)
    return _NUMBERED.sub(_number, stream.getvalue())


def read_frontmatter(text: str) -> dict[str, Any] | None:
    """The properties of any note, whoever wrote it; None if it has none, {} if they are no mapping.

    YAML that does not parse is read line by line (`key: value`, values as text), so that a `keep: true` above
    somebody's typing mistake still counts.
    """
    head = text[:LIMIT]
    fenced = _FENCED.match(head)
    if fenced is not None:
        return _parse(fenced["yaml"])
    properties = _PROPERTIES.match(head)
    if properties is not None:
        return {key: _scalar(value.strip()) for key, value in _PROPERTY.findall(properties[0])}
    return None


def well_formed(top: str) -> dict[str, Any] | None:
    """The properties between two fences, if they are a mapping in YAML that says nothing twice; else None."""
    fenced = _FENCED.match(top)
    if fenced is None or not is_plain_yaml(fenced["yaml"]):
        return None
    try:
        found = loaded(fenced["yaml"])
    except Exception:
        return None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else None


def loaded(block: str, *, twice: bool = False) -> Any:
    """What a block of YAML says, the caller's own. `twice`: also where it says something twice. It must be plain
    (`is_plain_yaml`); raises whatever a parser does that is fed with anybody's text.
    """
    return copy.deepcopy(_loaded(block, twice))


@functools.lru_cache(maxsize=16)
def _loaded(block: str, twice: bool) -> Any:
    # Whoever writes a note, or looks whether it may go, asks several times for the same properties, 3 ms each.
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = twice
    return yaml.load(block)


def is_plain_yaml(block: str) -> bool:
    """True if a parser may be fed with it: neither long, nor full of brackets, nor with aliases."""
    short = len(block) <= YAML_LIMIT and block.count("[") + block.count("{") <= YAML_BRACKETS
    return short and (_ALIAS.search(block) is None or _ANCHOR.search(block) is None)


def top_of(text: str) -> str:
    """The properties of a note with their fences, as they stand there: what `body_of` leaves out."""
    return text[: len(text) - len(body_of(text))]


def body_of(text: str) -> str:
    """The note without its frontmatter."""
    head = text[:LIMIT]
    found = _FENCED.match(head) or _PROPERTIES.match(head)
    return text[found.end() :] if found is not None else text


def recording_of(text: str, style: NoteStyle | None = None) -> str | None:
    """The one recording that a note belongs to by its `earmark_id`, as it stands there (ledger/note_ids.py), or None.

    A note that names several in its own properties belongs to none of them.
    """
    names = {(style or NoteStyle()).key("earmark_id"), "earmark_id"}
    found = read_frontmatter(text) or {}
    written = {
        value.strip().strip("\"'") for key, value in _LINE.findall(first_block(text)[0]) if key in names
    }
    values = [found[name] for name in names if name in found]
    if len(written) > 1 or not values or any(value != values[0] for value in values):
        return None
    value = values[0]
    return value if isinstance(value, str) and ANY.fullmatch(value) else None


def owner_of(data: bytes, style: NoteStyle) -> str | None:
    """The one recording that a file is a note of, from its first LIMIT bytes: its own properties name it and say which of
    its notes this is (`type`). A page of somebody's that refers to a recording, or has its properties in a block, is none.
    """
    text = decoded(data)
    found = read_frontmatter(text) or {}
    kinds = {found.get(name) for name in (style.key("type"), "type") if isinstance(found.get(name), str)}
    if _BLOCK.match(text) or not kinds.intersection(NOTES):
        return None
    return recording_of(text, style)


def named_in_blocks(text: str, style: NoteStyle) -> set[str]:
    """The recordings that a text names as notes do, in a property `earmark_id`, wherever in it that stands: one that was put
    together of several notes names them all.
    """
    keys = {style.key("earmark_id"), "earmark_id"}
    return {found[2].lower() for found in _NAMED.finditer(text) if found[1] in keys}


def tags_of(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of a note as `tag_names`, sorted; from a list, or from text with commas, semicolons or spaces."""
    said: set[str] = set()
    for key, tags in found.items():
        if str(key).casefold() in ("tags", "tag"):
            listed = re.split(r"[,;\s]+", tags) if isinstance(tags, str) else tags
            said.update(str(tag) for tag in listed or () if tag) if isinstance(
                listed, list | tuple | set
            ) else None
    return tuple(sorted(set().union(*map(tag_names, said))))


def tag_names(tag: str) -> frozenset[str]:
    """What a tag goes by: without `#` and in lower case, as Obsidian compares them; `private/x` is `private`, too."""
    parts = tag.strip().lstrip("#").casefold().split("/")
    return frozenset("/".join(parts[:end]) for end in range(1, len(parts) + 1)) - {""}


def first_block(text: str) -> tuple[str, bool]:
    """What stands for frontmatter, well-formed or not, and whether it is closed: from a fence to the next, else the lines up
    to the first empty one or heading.
    """
    head = text[:LIMIT]
    fenced = _FENCED.match(head)
    if fenced is not None:
        return fenced["yaml"], True
    lines = head.lstrip("\ufeff\u200b \t\r\n").splitlines()
    start = 1 if lines and lines[0].startswith(("---", "+++")) else 0
    end = next(
        (n for n, line in enumerate(lines[start:], start) if not line.strip() or line.startswith("#")), None
    )
    return "\n".join(lines[start:end]), False


def decoded(data: bytes) -> str:
    """The text of a note as its bytes say: UTF-8, or UTF-16 and UTF-32 with their mark in front, as some editors on Windows
    save it, or UTF-16 without. What is in no such encoding is shown as far as it goes.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32", "replace")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:64]:
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    return data.decode("utf-8", "replace")


def _writer() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1_000_000  # Obsidian reads folded scalars but rewrites them; one key, one line
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _yaml_value(value: Value) -> object:
    if isinstance(value, LocalTime | bool | int | float):
        return value
    if isinstance(value, str):
        return value if isinstance(value, Link | FileName) else neutralize(value)
    return [neutralize(item) for item in value]


def _logseq_value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(neutralize(item) for item in value)
    if isinstance(value, str) and not isinstance(value, Link | LocalTime):
        return neutralize(value)
    return str(value)


def _parse(block: str) -> dict[str, Any]:
    try:
        if not is_plain_yaml(block):
            raise ValueError("too long")
        found = loaded(block, twice=True)
    except (
        Exception
    ):  # a parser fed with anybody's text raises far more than its own errors (ValueError, RecursionError)
        return {key: _scalar(value.strip()) for key, value in _LOOSE.findall(block)}
    if found is None:
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _scalar(text: str) -> Any:
    bare = text.strip("\"'") if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
    return {"true": True, "false": False}.get(bare.lower(), bare)
