"""How a path is said that lies in a drop folder: files of equal names in several folders are told apart."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

from earmark.readable import one_line


def below(path: Path | str, folders: Collection[Path], elsewhere: Callable[[Path], str] = one_line) -> str:
    """A path as it is listed: relative to its drop folder, and where there are several of these, with as much of that
    folder's own path in front as tells it from the others. `earmark why` takes it in this form. `elsewhere`: how a path is
    said that is in none of them.
    """
    path = Path(path)
    top = max((f for f in folders if path.is_relative_to(f)), key=lambda f: len(f.parts), default=None)
    if top is None or path == top:
        return elsewhere(path)
    if len(folders) == 1:
        return one_line(path.relative_to(top))
    shown = _told_apart(frozenset(folders))[top]
    return elsewhere(path) if shown is None else one_line(shown / path.relative_to(top))


@cache
def _told_apart(folders: frozenset[Path]) -> dict[Path, Path | None]:
    """The least of each folder's path, from its end, that begins like no other's, unless both begin at the same folder; None
    where all of it is needed.
    """
    parts = dict.fromkeys(folders, 1)
    while True:
        ends = {folder: folder.parts[-count:] for folder, count in parts.items()}
        alike = {
            one
            for one, end in ends.items()
            for other, its in ends.items()
            if end[: len(its)] == its[: len(end)]
            and one.parts[: -len(end)] != other.parts[: -len(its)]
            and len(end) < len(one.parts)
        }
        if not alike:
            return {f: Path(*end) if len(end) < len(f.parts) else None for f, end in ends.items()}
        for folder in alike:
            parts[folder] += 1
