"""Where what a followed process writes to leads: whose the other end is, asked once or when it may have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from earmark.proof.running.holdings import Others, names_of
from earmark.proof.running.sampler import rows
from earmark.proof.running.special import kind_of, told


@dataclass
class Ends:
    """`family`: processes of the daemon, between which pipes are what they are for."""

    family: Callable[[], Iterable[int]] = tuple
    _pipes: dict[str, str] = field(default_factory=dict)
    _lines: dict[str, str] = field(default_factory=dict)

    def readers(self, pipe: str) -> str:
        """Who reads a pipe and is not of the family, asked when it is first written to; "" for nobody. One that has a name
        may get a reader later.
        """
        named = pipe.startswith("/")
        if pipe not in self._pipes or (named and not self._pipes[pipe]):
            self._pipes[pipe] = names_of(Others.now(self.family(), only=pipe).readers(pipe))
        return self._pipes[pipe]

    def led(self, pid: int, fd: int, path: str) -> str:
        """A path that a descriptor leads to, and what stands there if it is no ordinary file."""
        kind = kind_of(pid, fd, path) if path.startswith("/") else ""
        return told(kind, path, self.readers(path)) if kind else path

    def line(self, pid: int, line: str) -> str:
        """A socket with where it leads, from the kernel's tables, once."""
        if line not in self._lines:
            found = rows(pid, [line[len("socket:[") : -1]])
            if not found or "in no table" in found[0]:
                return line
            self._lines[line] = f"socket {found[0]}"
        return self._lines[line]
