"""Reading config.toml: all problems at once, each with its key, what is wrong and what would be right."""

from __future__ import annotations

import difflib
import errno
import hashlib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from earmark.config.schema import Config, Folder
from earmark.config.section import OutputFormat
from earmark.errors import ConfigError
from earmark.replacing import problems as table_problems
from earmark.unfit import in_our_words

REMOVED = {"retention.trash_to": "there is one trash, earmark's own; remove the line"}
"""Settings of earlier versions, and what to do about them."""


MARK = "\ufeff"
"""What some editors put in front of UTF-8 text; it is no part of what the text says."""

LONGEST_FOUND = 80
"""Characters of a wrong value that are shown."""


def load_config(file: Path) -> Config:
    """The configuration in `file`, or the defaults if there is no such file. Raises ConfigError listing every problem."""
    try:
        text = _text(file)
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}; it must be a readable UTF-8 text file"
        ) from error
    try:
        raw = tomllib.loads(text.removeprefix(MARK))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not valid TOML: {error}") from error
    return parse_config(raw, str(file))


def digest_of(file: Path) -> str:
    """SHA-256 of the file, by which another version of it is known; "" where there is none that can be read."""
    try:
        return hashlib.sha256(_text(file).encode()).hexdigest()
    except (OSError, UnicodeDecodeError):
        return ""


def api_key(config: Config) -> str:
    """The key for the summary server; "" without one. Raises ConfigError if its file cannot be read."""
    file = config.summary.api_key_file
    if file is None:
        return ""
    try:
        return _text(file).removeprefix(MARK).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"summary.api_key_file {file} cannot be read: {error}") from error


def _text(file: Path) -> str:
    """What is in a file, which may be a link to one. OSError for a FIFO, socket or device, which nobody is to wait for."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "is not an ordinary file", str(file))
    return file.read_bytes().decode("utf-8")


def parse_config(raw: dict[str, Any], origin: str) -> Config:
    """The configuration that a parsed TOML document stands for; `origin` names it in errors."""
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        lines = [f"{origin}: {explain(problem)}" for problem in error.errors()]
        raise ConfigError("\n".join(lines)) from error
    problems = list(_contradictions(config))
    if problems:
        raise ConfigError("\n".join(f"{origin}: {p}" for p in problems))
    return config


def explain(problem: ErrorDetails) -> str:
    """One pydantic error as a sentence a person can act on."""
    key = ".".join(str(part) for part in problem["loc"])
    if key in REMOVED:
        return f"`{key}` is no setting any more: {REMOVED[key]}"
    if problem["type"] == "extra_forbidden":
        known = list(_keys_at(problem["loc"][:-1]))
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.6)
        hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}"
        return f"`{key}` is not a setting; {hint}"
    message = in_our_words(problem["msg"].removeprefix("Value error, "))
    if key.startswith(("summary.endpoint", "summary.allowed_hosts")) and problem["type"] == "value_error":
        return f"`{key}`: {message}"  # not shown: it may hold a password
    return f"`{key}`: {message[0].lower()}{message[1:]} (found {_clipped(repr(problem['input']))})"


def _clipped(found: str) -> str:
    return found if len(found) <= LONGEST_FOUND else f"{found[: LONGEST_FOUND - 1]}…"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Config
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        if field is None:
            return []
        inner = [field.annotation, *get_args(field.annotation)]
        model = next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), model)
    return list(model.model_fields)


def _contradictions(config: Config) -> list[str]:
    problems = []
    seen: dict[Path, int] = {}
    for number, folder in enumerate(config.folder):
        if folder.path in seen:
            problems.append(f"`folder.{number}.path`: {folder.path} is listed twice; keep one of them")
        seen[folder.path] = number
        if folder.replace:
            together = config.transcription.replace | folder.replace
            problems += [
                f"`folder.{number}.replace`, with `transcription.replace`: {problem}"
                for problem in table_problems(together)
            ]
    if config.privacy != "device" and not config.summary.allowed_hosts:
        problems.append(
            f"`privacy` is {config.privacy!r} but `summary.allowed_hosts` is empty; name the hosts that may be reached"
        )
    if config.require_sandbox and config.transcription.sandbox == "off":
        problems.append(
            '`require_sandbox` is true but `transcription.sandbox` is "off"; remove one of the two settings'
        )
    return problems


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """Everything that holds for one drop folder, overrides applied."""

    path: Path
    recursive: bool
    ignore: tuple[str, ...]
    language: str | None
    languages: tuple[str, ...]
    to_english: bool
    model: str
    draft: str
    speakers: str
    vocabulary: tuple[str, ...]
    vocabulary_from: Path | None
    replace: Mapping[str, str]
    prompt: str
    tags: tuple[str, ...]
    template: str
    formats: tuple[OutputFormat, ...]
    priority: int


def folder_settings(config: Config, path: Path) -> FolderSettings:
    """The settings for the drop folder `path`, which need not be in the file (it may come from the command line)."""
    folder = next((f for f in config.folder if f.path == path), Folder(path=path))
    language = folder.language or config.transcription.language
    return FolderSettings(
        path=path,
        recursive=config.intake.recursive if folder.recursive is None else folder.recursive,
        ignore=(*config.intake.ignore, *(folder.ignore or ())),
        language=None if language == "auto" else language,
        languages=config.transcription.languages if folder.languages is None else folder.languages,
        to_english=(folder.task or config.transcription.task) == "translate" and language != "en",
        model=folder.model or config.transcription.model,
        draft=folder.draft or config.transcription.draft,
        speakers=folder.speakers or config.transcription.speakers,
        vocabulary=(*config.transcription.vocabulary, *(folder.vocabulary or ())),
        vocabulary_from=folder.vocabulary_from or config.transcription.vocabulary_from,
        replace=config.transcription.replace | (folder.replace or {}),
        prompt=config.transcription.prompt if folder.prompt is None else folder.prompt,
        tags=tuple(dict.fromkeys((*config.notes.tags, *(folder.tags or ())))),
        template=folder.template or config.summary.template,
        formats=config.notes.formats if folder.formats is None else folder.formats,
        priority=folder.priority,
    )
