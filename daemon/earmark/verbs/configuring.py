"""Changing config.toml for a person: what comes out is checked whole before it takes the file's place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from earmark.config import Config, document, parse_config, require_sound
from earmark.config.editing import Key, is_of, key_named, parsed, value_meant, with_value, without
from earmark.errors import ConfigError, EnvironmentFault, NotFound, UsageError
from earmark.files import OtherContent, make_private, opened, put_in_place, read_bytes, spelled
from earmark.paths import Home, whole
from earmark.verbs.file_or_folder import require_no_file
from earmark.verbs.settings_named import Absent, absent


def written(home: Home) -> str:
    """What stands in config.toml; "" if there is none. Raises ConfigError where it is no text, OSError."""
    try:
        return read_bytes(_where(home)).decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigError(f"{home.config_file}: is not UTF-8 text") from None


def sample_or_written(home: Home) -> str:
    """What an editor begins with: the file, or where there is none the sample with every setting."""
    return written(home) if home.config_file.exists() else document.sample()


def checked(text: str, home: Home) -> Config:
    """The configuration that a text stands for. Raises ConfigError that lists every problem."""
    origin = str(home.config_file)
    try:
        raw = parsed(text)
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None
    config = parse_config(raw, origin)
    require_sound([folder.path for folder in config.folder], home, origin)
    return config


def replace(home: Home, before: str, text: str) -> None:
    """Put `text` into the place of config.toml, which held `before`. A link stays one, and what it leads to is changed; it
    keeps its owner, rights and attributes. Raises EnvironmentFault if another program saved it meanwhile, OSError.
    """
    file = _where(home)
    there = os.path.lexists(file)
    if not there and not file.parent.is_dir():
        make_private(file.parent)
    with opened(file.parent) as folder:
        try:
            expected = hashlib.sha256(before.encode()).hexdigest() if there else None
            put_in_place(folder, file.name, text.encode(), expected)
        except (OtherContent, FileExistsError):
            raise EnvironmentFault(
                f"{file}: was saved by another program at this moment; nothing was changed, say it again"
            ) from None


def unnamed(text: str, home: Home) -> list[Absent]:
    """What a right text names and is not there; of one that is wrong nothing."""
    try:
        return absent(checked(text, home), home)
    except ConfigError:
        return []


def set_key(home: Home, name: str, words: Sequence[str], folder: Path | None = None) -> tuple[str, list[str]]:
    """Set one key; returns it as a sentence names it, and what it names that is not there yet. Raises UsageError for a key
    or value that cannot be, or that names what is not there, ConfigError for a file that was wrong before, NotFound for a
    folder that is neither in the file nor on the disk.
    """
    before = written(home)
    path = _folder(home, before, folder)
    key, kind = key_named(name, path)
    text = _tried(home, key, lambda: with_value(before, key, value_meant(kind, list(words))))
    _require_right(home, before, text, key)
    missing = [one for one in unnamed(text, home) if (one.key, one.folder) == (".".join(key.parts), path)]
    if hinders := [one for one in missing if one.hinders]:
        said = "\n".join(map(str, hinders))
        raise UsageError(f"{said}\nNothing was changed in {home.config_file}")
    if text != before or not home.config_file.exists():
        replace(home, before, text)
    return str(key), [one.sentence for one in missing]


def unset_key(home: Home, name: str, folder: Path | None = None) -> bool:
    """Take one key out of the file, so that its default holds; False if it is not there. A wrong one can be taken out, too.
    Raises UsageError for a key that is neither in the file nor a setting, ConfigError.
    """
    before = written(home)
    key = Key(tuple(name.split(".")), spelled(whole(folder)) if folder is not None else None)
    text = _tried(home, key, lambda: without(before, key))
    if text == before:
        key_named(name, key.folder)
        return False
    _require_right(home, before, text, key)
    replace(home, before, text)
    return True


def _where(home: Home) -> Path:
    """The file itself, where config.toml is a link to it."""
    return Path(os.path.realpath(home.config_file))


def _folder(home: Home, text: str, named: Path | None) -> Path | None:
    if named is None:
        return None
    path = spelled(whole(named))
    require_no_file(path)
    sections = parsed(text).get("folder")
    known = sections if isinstance(sections, list) else []
    if not any(is_of(section, path) for section in known) and not path.is_dir():
        raise NotFound(f"{path}: there is no such folder, and none of that name in {home.config_file}")
    return path


def _tried(home: Home, key: Key, act: Callable[[], str]) -> str:
    try:
        return act()
    except ConfigError as error:
        raise ConfigError(f"{home.config_file}: {error}") from None


def _require_right(home: Home, before: str, text: str, key: Key) -> None:
    """Raises UsageError if this change makes a right file wrong, ConfigError if it was wrong and still is."""
    try:
        checked(text, home)
    except ConfigError as error:
        try:
            checked(before, home)
        except ConfigError:
            raise ConfigError(f"{error}\nNothing was changed: earmark config edit opens the file") from None
        said = str(error).replace(f"{home.config_file}: ", "")
        raise UsageError(f"{said}\nNothing was changed in {home.config_file}") from None
