"""Which names in a folder are taken, also for a disk or sync client that folds case; remembered between two questions."""

from __future__ import annotations

import os
from collections import Counter, OrderedDict

from earmark.files.folders import Folder
from earmark.files.identity import Identity
from earmark.files.naming import fold

MOST = 16
"""Folders that are remembered."""


def respelled(old: Folder, name: str, new: Folder, target: str) -> bool:
    """True if both names lead to one file because the disk folds case or Unicode form, and not because it has two links."""
    if fold(name) != fold(target) or name == target:
        return False
    one, other = old.look_at(name), new.look_at(target)
    if one is None or other is None or not Identity.of(one).is_file(Identity.of(other)):
        return False
    return os.path.samestat(os.fstat(old.fd), os.fstat(new.fd)) and target not in new.names()


class Listings:
    """Names of folders, folded. What is remembered is good while the folder's time stands still; what others add at the
    very moment of an act of ours may be missed, which costs two names that differ in case alone, and no file.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], tuple[int, Counter[str]]] = OrderedDict()

    def taken(self, folder: Folder, name: str, *, but: str = "") -> bool:
        """True if a file has this name, or one that differs in case or Unicode form alone. `but`: a name that does not
        count, because its file is about to get this one.
        """
        if name != but and folder.look_at(name) is not None and not respelled(folder, but, folder, name):
            return True
        count = self._names(folder)[fold(name)]
        return count > (1 if but and fold(but) == fold(name) else 0)

    def changed(self, folder: Folder, *, added: str = "", removed: str = "") -> None:
        """We gave or took a name ourselves."""
        found = os.fstat(folder.fd)
        known = self._known.get((found.st_dev, found.st_ino))
        if known is not None:
            names = known[1]
            names.update((fold(added),) if added else ())
            names.subtract((fold(removed),) if removed else ())
            self._known[(found.st_dev, found.st_ino)] = (found.st_mtime_ns, names)

    def _names(self, folder: Folder) -> Counter[str]:
        found = os.fstat(folder.fd)
        key = (found.st_dev, found.st_ino)
        known = self._known.get(key)
        if known is None or known[0] != found.st_mtime_ns:
            known = (found.st_mtime_ns, Counter(fold(name) for name in folder.names()))
            self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return known[1]
