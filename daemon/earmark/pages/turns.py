"""Pages that take long are made one at a time, so that the others are answered meanwhile; and for nobody who has left."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

NOBODY = 499
"""The status of an answer that nobody waits for (as nginx logs it); it is not sent."""


class Turn:
    """One kind of page that takes long: whoever asks for one waits for those before."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    async def take(self, request: Request, made: Callable[[Callable[[], bool]], Response]) -> Response:
        """The page, made in a thread when its turn has come. `made` is given what tells whether the browser has left."""
        limiter = self._limiter = self._limiter or anyio.CapacityLimiter(1)
        left, answers = Event(), [Response(status_code=NOBODY)]
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                left.set()
                group.cancel_scope.cancel()

            group.start_soon(watch)
            answers.append(await anyio.to_thread.run_sync(made, left.is_set, limiter=limiter))
            group.cancel_scope.cancel()
        return answers[-1]
