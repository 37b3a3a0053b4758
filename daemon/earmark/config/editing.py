"""One key of config.toml changed as text: everything else in the file, comments and order too, stays as it is.

A key that is there already is changed where it stands (tomlkit). A new one goes under the line of the sample that shows its
default, else behind the last key of its section. What comes out is read again: it has to say
what the file said, but for the key.
"""

from __future__ import annotations

import copy
import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import tomlkit
from pydantic import BaseModel

from earmark.config.load import MARK
from earmark.config.schema import Config, Folder
from earmark.errors import ConfigError, UsageError
from earmark.paths import whole

_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True, slots=True)
class Key:
    """A setting by its words, as `summary.endpoint`; `folder`: of the section [[folder]] with this path."""

    parts: tuple[str, ...]
    folder: Path | None = None

    def __str__(self) -> str:
        where = f" of {self.folder}" if self.folder is not None else ""
        return ".".join(self.parts) + where


def key_named(text: str, folder: Path | None = None) -> tuple[Key, Any]:
    """The key that a person typed, and the type of its value. Raises UsageError that names the nearest."""
    kind: Any = Folder if folder is not None else Config
    if not text.strip():
        raise UsageError(
            "the key is empty; say one, such as summary.endpoint; earmark config sample shows all of them"
        )
    parts = tuple(text.split("."))
    for part in parts:
        kind = _below(kind, part)
        if kind is None or (not folder and parts[0] == "folder"):
            raise UsageError(_unknown(parts, folder))
    if (inside := _model(kind)) is not None:
        some = ", ".join(f"{text}.{name}" for name in list(inside.model_fields)[:3])
        raise UsageError(f"`{text}` is a section and has no value of its own; name a key in it: {some} ...")
    return Key(parts, folder), kind


def value_meant(kind: Any, words: list[str]) -> Any:
    """The value that a person typed for a key of this type. Whether it is right is for the schema to say."""
    text = " ".join(words)
    kinds = {get_origin(k) or k for k in (kind, *get_args(kind))}
    if tuple in kinds:
        found = _toml(text) if text.startswith("[") else None
        parts = words if len(words) > 1 else [part.strip() for part in text.split(",")]
        return found if isinstance(found, list) else [part for part in parts if part]
    if bool in kinds and text.lower() in (*_YES, *_NO):
        return text.lower() in _YES
    found = _toml(text)
    number = isinstance(found, int | float) and kinds & {int, float}
    table = isinstance(found, dict) and (dict in kinds or _model(kind) is not None)
    quoted = isinstance(found, str) and text[:1] in ("'", '"')
    return found if number or table or quoted else text


def with_value(text: str, key: Key, value: Any) -> str:
    """The file `text` with this key set. Raises ConfigError if it is no TOML, or too unusual to be changed safely."""
    mark, text = _mark_of(text)
    raw = parsed(text)
    wanted = copy.deepcopy(raw)
    section = _section(wanted, key, make=True)
    there = key.parts[-1] in section
    section[key.parts[-1]] = value
    line = f"{key.parts[-1]} = {tomlkit.item(value).as_string()}"
    if key.folder is not None and len(wanted["folder"]) > len(raw.get("folder", ())):
        path = f"path = {tomlkit.item(str(key.folder)).as_string()}"
        dotted = f"{'.'.join(key.parts[:-1])}.{line}".removeprefix(".")
        tries = [_appended(text, "[[folder]]", path if key.parts == ("path",) else f"{path}\n{dotted}")]
    else:
        tries = [] if there else [*_in_its_section(text, raw, key, line)]
    return mark + _first_that_says(wanted, [*tries, _by_tomlkit(text, key, value)], key)


def without(text: str, key: Key) -> str:
    """The file without this key; the same text if it is not there. Raises ConfigError as `with_value`."""
    mark, text = _mark_of(text)
    raw = parsed(text)
    wanted = copy.deepcopy(raw)
    section = _section(wanted, key, make=False)
    if key.parts[-1] not in section:
        return mark + text
    del section[key.parts[-1]]
    document = tomlkit.parse(text)
    del _section(document, key, make=False)[key.parts[-1]]
    return mark + _first_that_says(_without_empty(wanted), [tomlkit.dumps(document)], key)


def parsed(text: str) -> dict[str, Any]:
    """What the file says, as plain data. Raises ConfigError."""
    try:
        return tomllib.loads(text.removeprefix(MARK))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not valid TOML: {error}; earmark config edit opens it") from error


def _mark_of(text: str) -> tuple[str, str]:
    """The mark in front, which stays where it is, and the text behind it."""
    return (MARK, text[1:]) if text.startswith(MARK) else ("", text)


def all_keys() -> list[str]:
    """Every key outside of [[folder]], with its section."""
    return [*_keys(Config, "")]


def _keys(model: type[BaseModel], before: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model(field.annotation)
        if inner is None:
            yield before + name
        elif inner is not Folder:
            yield from _keys(inner, f"{before}{name}.")


def _below(kind: Any, part: str) -> Any:
    """The type of what is called `part` in a section or a table of this type; None if there is none."""
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    model = _model(kind)
    field = model.model_fields.get(part) if model is not None else None
    return field.annotation if field is not None else None


def _model(kind: Any) -> type[BaseModel] | None:
    inner = [k for k in (kind, *get_args(kind)) if k is not NoneType]
    if get_origin(kind) is dict:
        return None
    return next((k for k in inner if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _unknown(parts: tuple[str, ...], folder: Path | None) -> str:
    said = ".".join(parts)
    known = [*_keys(Folder, "")] if folder is not None else all_keys()
    if parts[0] == "folder" and folder is None:
        return "settings of one folder are set with: earmark config set --folder FOLDER KEY VALUE"
    last = [key for key in known if key.rpartition(".")[2] == parts[-1]]
    near = last if len(last) == 1 else difflib.get_close_matches(said, known, n=1, cutoff=0.6)
    if not near:
        near = [
            key for key in known if difflib.get_close_matches(parts[-1], [key.rpartition(".")[2]], cutoff=0.8)
        ]
    hint = f"did you mean `{near[0]}`?" if near else "earmark config sample shows all of them"
    return f"`{said}` is not a setting{' of a folder' if folder is not None else ''}; {hint}"


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"] if "\n" not in text else None
    except tomllib.TOMLDecodeError:
        return None


def _section(document: Any, key: Key, *, make: bool) -> Any:
    """The table that the key stands in, of plain data or of tomlkit's; an empty one if it is not there."""
    here = document
    if key.folder is not None:
        folders = here.get("folder", [])
        if not isinstance(folders, list):
            raise ConfigError(
                "`folder` is no list of [[folder]] sections; earmark config edit opens the file"
            )
        here = next((f for f in folders if is_of(f, key.folder)), None)
        if here is None:
            here = {"path": str(key.folder)} if make else {}
            if make:
                document.setdefault("folder", []).append(here)
    for part in key.parts[:-1]:
        if part not in here and not make:
            return {}
        here = here.setdefault(part, {})
        if not hasattr(here, "setdefault"):
            raise ConfigError(f"`{part}` is no section in the file as it is; earmark config edit opens it")
    return here


def _without_empty(value: Any) -> Any:
    """The same without sections that say nothing, which go with their last key where that was written as `section.key`."""
    if isinstance(value, list):
        return [_without_empty(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: inner for key, one in value.items() if (inner := _without_empty(one)) != {}}


def is_of(section: Any, folder: Path | None) -> bool:
    """True if this is the [[folder]] of that folder."""
    return (
        hasattr(section, "get") and bool(section.get("path")) and whole(Path(str(section["path"]))) == folder
    )


def _by_tomlkit(text: str, key: Key, value: Any) -> str:
    document = tomlkit.parse(text)
    here = _section(document, key, make=True)
    here[key.parts[-1]] = value
    return tomlkit.dumps(document)


def _in_its_section(text: str, raw: dict[str, Any], key: Key, line: str) -> Iterator[str]:
    """The file with a new line where a person would write it, or with a new section at its end."""
    name = ".".join(key.parts[:-1])
    heading = f"[{name}]" if key.folder is None else f"[folder.{name}]"
    which = 0
    if key.folder is not None and not name:
        heading = "[[folder]]"
        which = next(n for n, f in enumerate(raw["folder"]) if is_of(f, key.folder))
    lines = text.splitlines(keepends=True)
    if not lines or not lines[-1].endswith("\n"):
        lines = [*lines[:-1], lines[-1] + "\n"] if lines else []
    headings = [n for n, one in enumerate(lines) if re.match(r"\s*\[", one)]
    if heading == "[]":
        begin = 0
    else:
        mine = [n for n in headings if lines[n].split("#")[0].replace(" ", "").strip() == heading]
        if len(mine) <= which:
            if key.folder is None:
                yield _appended(text, heading, line)
            return
        begin = mine[which] + 1
    end = next((n for n in headings if n >= begin), len(lines))
    shown = [n for n in range(begin, end) if re.match(rf"#\s*{re.escape(key.parts[-1])}\s*=", lines[n])]
    keys = [n for n in range(begin, end) if re.match(r"\s*[\w\"'.-]+\s*=", lines[n])]
    for at in [*(n + 1 for n in (*shown[:1], *keys[-1:])), begin]:
        yield "".join([*lines[:at], f"{line}\n", *lines[at:]])


def _appended(text: str, heading: str, lines: str) -> str:
    before = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{before}{chr(10) if before else ''}{heading}\n{lines}\n"


def _first_that_says(wanted: dict[str, Any], tries: list[str], key: Key) -> str:
    for text in tries:
        try:
            if wanted in ((found := tomllib.loads(text)), _without_empty(found)):
                return text
        except tomllib.TOMLDecodeError:
            continue
    raise ConfigError(f"`{key}` cannot be changed safely in the file as it is; earmark config edit opens it")
