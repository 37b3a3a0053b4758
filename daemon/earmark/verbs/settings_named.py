"""What a configuration names that has to be there: templates, models, folders and files of its owner's.

The schema cannot say it, and a daemon that starts is not stopped by it, as each of them may come and go while it runs: it is
said where somebody sets a key, or asks whether the file is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.config import Config
from earmark.config.schema import Folder
from earmark.errors import ConfigError, EarmarkError
from earmark.files import why
from earmark.models.catalog import CATALOG
from earmark.paths import Home
from earmark.summarization.templating import load_template
from earmark.transcription.models import find_model
from earmark.weights.packaged import SPEECH

_OF_ITSELF = {"model": ("auto",), "draft": ("auto", "none")}
"""What the names of models can be besides a model."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that names what is not there. `folder`: of its section, or None; `comes`: whether it may well come yet, as
    a model that one command brings, or a folder on a disk that is away.
    """

    key: str
    folder: Path | None
    sentence: str
    comes: bool = False
    at_once: bool = False
    """Whether one who sets the key has to have it there all the same."""

    def __str__(self) -> str:
        where = f" of {self.folder}" if self.folder is not None else ""
        return f"`{self.key}`{where}: {self.sentence}"

    @property
    def hinders(self) -> bool:
        """Whether the key cannot be set so."""
        return not self.comes or self.at_once


def absent(config: Config, home: Home) -> list[Absent]:
    """Everything that is named and not there, in the order of the file."""
    heard, summary = config.transcription, config.summary
    found = [
        *_model("transcription.model", None, heard.model, config, home),
        *_model("transcription.draft", None, heard.draft, config, home),
        *_path("transcription.model_dir", None, heard.model_dir, of_files=False),
        *_path("transcription.vocabulary_from", None, heard.vocabulary_from, of_files=False),
        *_path("summary.api_key_file", None, summary.api_key_file, of_files=True),
        *_template("summary.template", None, summary.template, home),
        *(
            ()
            if summary.model
            else (Absent("summary.model", None, "it is empty; name a model, or say auto"),)
        ),
    ]
    for folder in config.folder:
        found += _of_folder(folder, config, home)
    return found


def _of_folder(folder: Folder, config: Config, home: Home) -> Iterator[Absent]:
    at = folder.path
    if folder.model is not None:
        yield from _model("model", at, folder.model, config, home)
    if folder.draft is not None:
        yield from _model("draft", at, folder.draft, config, home)
    yield from _path("vocabulary_from", at, folder.vocabulary_from, of_files=False)
    if folder.template is not None:
        yield from _template("template", at, folder.template, home)
    yield from _path("path", at, at, of_files=False)


def _template(key: str, folder: Path | None, name: str, home: Home) -> Iterator[Absent]:
    try:
        load_template(name, home.templates)
    except ConfigError as error:
        yield Absent(key, folder, str(error) if name else "it is empty; name a template, such as meeting")


def _model(key: str, folder: Path | None, name: str, config: Config, home: Home) -> Iterator[Absent]:
    kind = key.rpartition(".")[2]
    if name in _OF_ITSELF[kind] or (kind == "model" and config.transcription.model_dir is not None):
        return
    if not name:
        yield Absent(key, folder, f"it is empty; name a model, or say {' or '.join(_OF_ITSELF[kind])}")
        return
    try:
        find_model(name, None, home.models)
    except EarmarkError as error:
        comes = name in {*(model.name for model in SPEECH), *(known.name for known in CATALOG)}
        brings = f"there is no speech model named {name!r} here yet; earmark models download {name} brings it"
        yield Absent(key, folder, brings if comes else str(error).rstrip("."), comes)


def _path(key: str, folder: Path | None, path: Path | None, *, of_files: bool) -> Iterator[Absent]:
    if path is None:
        return
    what = "file" if of_files else "folder"
    try:
        there = (path.is_file if of_files else path.is_dir)()
        wrong = f"{path} is no {what}" if path.exists() else f"{path}: there is no such {what}"
    except OSError as error:
        there, wrong = False, f"{path}: {why(error)}"
    if not there:
        yield Absent(key, folder, wrong, comes=True, at_once=True)
