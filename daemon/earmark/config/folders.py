"""Which drop folders cannot be watched: earmark's own files, another drop folder or a program's own are in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from earmark.config.closed import why_no_drop_folder
from earmark.errors import ConfigError
from earmark.files import really
from earmark.paths import TRASH, Home


def require_sound(folders: Sequence[Path], home: Home, origin: str = "") -> None:
    """Raises ConfigError that lists every problem; `origin` names the file that the folders come from."""
    problems = folder_problems(folders, home)
    if problems:
        raise ConfigError("\n".join(f"{origin}: {problem}" if origin else problem for problem in problems))


def folder_problems(folders: Sequence[Path], home: Home) -> list[str]:
    """What is wrong with drop folders, a sentence each. Compares where paths really lead; folders need not exist."""
    return [*_around_own_files(folders, home), *_one_in_two_spellings(folders), *_of_programs(folders)]


def _around_own_files(folders: Sequence[Path], home: Home) -> Iterator[str]:
    """What is deleted goes to the trash in the state folder: inside a drop folder it would be taken in again."""
    own = {"state": home.state, "configuration": home.config, "data": home.data}
    for folder in folders:
        real = really(folder)
        for what, path in own.items():
            there = really(path)
            if there.is_relative_to(real):
                yield (
                    f"{folder}: earmark's own {what} folder {path} lies in it; watch a folder without it, or move that one"
                    " (EARMARK_HOME)"
                )
            elif real.is_relative_to(there):
                yield f"{folder}: lies in earmark's own {what} folder {path}; watch a folder outside of it"
        if TRASH in map(str.casefold, real.parts):
            yield f"{folder}: is, or lies in, the trash of a drop folder, {TRASH}; watch another folder"


def _one_in_two_spellings(folders: Sequence[Path]) -> Iterator[str]:
    """The same files would be met twice under different names, through a symlink or another spelling."""
    for number, folder in enumerate(folders):
        real = really(folder)
        for position, other in enumerate(folders):
            there = really(other)
            if real == there and position < number:
                yield f"{folder}: is the same folder as {other}; name it once"
            elif real != there and real.is_relative_to(there) and not folder.is_relative_to(other):
                yield f"{folder}: lies in {other} by another way; name it as {other / real.relative_to(there)}"


def _of_programs(folders: Sequence[Path]) -> Iterator[str]:
    """What a program keeps for itself changes under its feet if notes are written there, and its names say nothing."""
    user = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111 - Path.home raises where there is none
    for folder in folders:
        if (why := why_no_drop_folder(Path(os.path.realpath(folder)), user)) is not None:
            yield f"{folder}: {why}"
