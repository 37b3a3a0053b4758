"""What threads and handlers leave for the loop, which alone acts on it."""

from __future__ import annotations

import contextlib
import queue
from dataclasses import dataclass
from pathlib import Path

from earmark.files import Content, Identity
from earmark.workers import Left, Said

BATCH = 200
"""Posts taken before the loop looks at its other duties."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed in this folder."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Signaled:
    """The process got this signal."""

    number: int


@dataclass(frozen=True, slots=True)
class Read:
    """The content of a file, or why it could not be read; neither: it is still changing. `of_others`: it is no recording.
    `blank`: the state (`readers.state_of`) of one that is large and begins with nothing but zero bytes; "" for any other.
    """

    path: bytes
    file: Path
    folder: Path
    content: Content | None
    error: OSError | None = None
    of_others: Identity | None = None
    blank: str = ""


@dataclass(frozen=True, slots=True)
class SweepDue:
    """The daily sweep is due."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A folder was read through that was not waited for."""


Post = Hint | Signaled | Read | Scanned | SweepDue | Said | Left


class Inbox:
    """A queue of posts. `put` may be called from anywhere; the rest from the loop's thread only."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Post] = queue.SimpleQueue()
        self._hinted: set[Path] = set()

    def put(self, post: Post) -> None:
        """Leave a post. A second hint at a folder says nothing new until the first is taken."""
        if isinstance(post, Hint):
            if post.folder in self._hinted:
                return
            self._hinted.add(post.folder)
        self._queue.put(post)

    def receive(self, timeout: float) -> list[Post]:
        """What has been left, at most `BATCH`; waits for the first of it so many seconds at most. What workers said counts
        as taken.
        """
        posts: list[Post] = []
        with contextlib.suppress(queue.Empty):
            posts.append(self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait())
            while len(posts) < BATCH:
                posts.append(self._queue.get_nowait())
        for post in posts:
            if isinstance(post, Said):
                post.taken()
            elif isinstance(post, Hint):
                self._hinted.discard(post.folder)
        return posts
