"""The sample config file and docs/configuration.md, both written from the schema so that neither can lie."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import tomlkit
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from earmark.config.retention import RuleSet
from earmark.config.schema import Config, Folder, Intake, Notes, Summary, Transcription


def sample() -> str:
    """A config.toml with every key at its default, commented out, under its description."""
    lines = [
        "# earmark's configuration. Every line is optional; what is commented out shows the default.",
        "# Check it with: earmark config check",
        "",
    ]
    lines += _sample_keys(Config)
    for name, field in Config.model_fields.items():
        section = _section(field)
        if section is not None and section is not Folder:
            lines += _sample_section(name, section)
    lines += [
        "",
        f"# {_first_line(Folder)}",
        "# Take the # away from [[folder]] itself, too.",
        "# [[folder]]",
    ]
    lines += _sample_keys(Folder)
    lines += [f"# {Folder.model_fields['retention'].description}", f"# retention = {EXAMPLE_RULES}"]
    return "\n".join(lines) + "\n"


def in_force(config: Config) -> str:
    """The configuration as TOML, which says the same when it is read. What is not set and has no default is left out."""
    return tomlkit.dumps(config.model_dump(mode="json", exclude_none=True))


def reference() -> str:
    """docs/configuration.md: every key with type, default and meaning. Comments tie it to tests (tests/shown.py)."""
    lines = [
        "# Configuration",
        "",
        "<!-- Written by `earmark config reference`; change the descriptions in daemon/earmark/config/schema.py. -->",
        "",
        "earmark needs no configuration. To change something, write `config.toml` where `earmark config show` says",
        "(Linux: `~/.config/earmark/`, macOS: `~/Library/Application Support/earmark/`). Unknown keys are errors.",
        "<!-- configuration:unknown-keys -->",
        "A running daemon reads the file again on SIGHUP; a broken file changes nothing and says why.",
        "<!-- configuration:reload -->",
        "",
        "`earmark config set KEY VALUE` changes one key and leaves comments and order as they are, `config unset KEY`",
        "takes one out; `--folder FOLDER` is for a key of that folder's `[[folder]]`, which is made if the folder is",
        "there. What comes out is checked whole; if it is wrong, the file stays as it was. Lists are several words,",
        "words with commas, or TOML.",
        "<!-- configuration:set -->",
        "A template, model, folder or file that a value names has to be there; only a model that",
        "`earmark models download` brings can be set before. `config check` says what is named and not there.",
        "<!-- configuration:named -->",
        "`config edit` opens a copy in `$VISUAL` or `$EDITOR`, and what is right takes the file's place; what is not",
        "is kept, and the next edit goes on with it.",
        "<!-- configuration:edit -->",
        "After each of them a running daemon reads the file. `config show` prints as TOML what would be in force.",
        "`status` says when the file is another one than the daemon has read, and why.",
        "<!-- configuration:newer -->",
        "",
        "Every key stands here, with its type and its default. <!-- configuration:every-key -->",
        "",
        "## Top level",
        "",
    ]
    lines += _table(Config)
    for name, field in Config.model_fields.items():
        section = _section(field)
        if section is None:
            continue
        heading = f"[[{name}]]" if section is Folder else f"[{name}]"
        lines += ["", f"## `{heading}`", "", section.__doc__.strip() if section.__doc__ else "", ""]
        lines += _table(section)
        for inner_name, inner in section.model_fields.items():
            if (rule := _section(inner)) is not None:
                lines += ["", f"### `[{name}.{inner_name}]`", "", inner.description or "", ""]
                lines += _table(rule)
    return "\n".join([*lines, "", "<!-- tests -->"]) + "\n"


def _sample_section(name: str, section: type[BaseModel]) -> list[str]:
    lines = ["", f"# {_first_line(section)}", f"[{name}]", *_sample_keys(section)]
    for inner_name, field in section.model_fields.items():
        if (inner := _section(field)) is not None:
            lines += ["", f"# {field.description}", f"[{name}.{inner_name}]"]
            lines += _sample_keys(inner) if inner is not RuleSet else [f"# private = {EXAMPLE_RULES}"]
    return lines


EXAMPLE_RULES = '{ audio = { keep_for = "30d" } }   # an example; not set by default'
"""Rules by class, of a folder or a tag."""


def _sample_keys(model: type[BaseModel]) -> list[str]:
    lines = []
    for name, field in _plain_fields(model):
        unset = not field.is_required() and field.get_default(call_default_factory=True) is None
        note = "   # an example; not set by default" if unset else ""
        lines += [f"# {field.description}", f"# {name} = {_example(name, field)}{note}"]
    return lines


def _example(name: str, field: FieldInfo) -> str:
    """A value that is right when its line is uncommented: the default, or where that is nothing, what it inherits."""
    if field.is_required():
        return '"~/Recordings"'
    default = field.get_default(call_default_factory=True)
    if default is not None:
        return _toml(default)
    for section in (Intake, Transcription, Summary, Notes):
        inherited = section.model_fields.get(name)
        if inherited is not None and inherited.default is not None:
            return _toml(inherited.default)
    return '"30d"' if "Duration" in str(field.annotation) else f'"/path/to/{name}"'


def _plain_fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    return ((name, field) for name, field in model.model_fields.items() if _section(field) is None)


def _table(model: type[BaseModel]) -> list[str]:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    if model is RuleSet:
        return rows + [
            f"| `{name}` | keys of `[retention.{name}]` | `none` | {field.description} |"
            for name, field in model.model_fields.items()
        ]
    for name, field in _plain_fields(model):
        default = (
            "required" if field.is_required() else f"`{_toml(field.get_default(call_default_factory=True))}`"
        )
        kind = _type_name(field.annotation).replace("|", "\\|")
        rows.append(
            f"| `{name}` | {kind} | {default} | {(field.description or '').replace('|', chr(92) + '|')} |"
        )
    return rows


def _section(field: FieldInfo) -> type[BaseModel] | None:
    candidates = [field.annotation, *get_args(field.annotation)]
    return next((t for t in candidates if isinstance(t, type) and issubclass(t, BaseModel)), None)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value)
    return json.dumps(str(value))


def _type_name(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{a}`" for a in args)
    if origin is tuple:
        return f"list of {_type_name(args[0])}"
    if origin is dict:
        return "table of text"
    if args:
        return _type_name(next(a for a in args if a is not NoneType))
    names = {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "true/false",
        "Duration": "length of time",
        "Between": "stretch of a day",
    }
    return names.get(getattr(annotation, "__name__", ""), getattr(annotation, "__name__", "text").lower())
