"""Logging: one event per decision, for a person on a terminal or as JSON under a service; never what was said.

Only names, paths, numbers and our own sentences are logged. Tracebacks are written without local variables, because
locals hold transcripts.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

Renderer = Callable[[Any, str, MutableMapping[str, Any]], str]


class _Late:
    """structlog is loaded with the first event: most verbs log nothing, and it would be a quarter of their start."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, level: str) -> Any:
        import structlog

        return getattr(structlog.get_logger(self._name), level)


def get_logger(name: str) -> Any:
    """A structlog logger; `log.info("event-name", key=value)`."""
    return _Late(name)


def configure_logging(
    stream: TextIO, *, json: bool, verbose: bool = False, renderer: Renderer | None = None
) -> None:
    """Send events to `stream`: as JSON lines, or through `renderer` (a person's view; the default is `plain`)."""
    import structlog

    processors: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    if json:
        processors += [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
            ),
            _without_a_workers_words,
            _without_surrogates,
            structlog.processors.JSONRenderer(),
        ]
    else:
        processors += [structlog.processors.format_exc_info, _without_surrogates, renderer or plain]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    # Libraries (apscheduler, watchdog) log through the standard library; only their warnings matter here.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s", force=True)


def plain(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
    """`event key=value ...` on one line."""
    for key in ("level", "by_worker"):
        event.pop(key, None)
    name = event.pop("event", "")
    trace = event.pop("exception", None)
    line = " ".join([str(name), *(f"{key}={value}" for key, value in event.items())])
    return f"{line}\n{trace}" if trace else line


def _without_a_workers_words(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A worker that a recording has taken over could hide words in its sentences, and `forget` reaches no journal of the
    system. The ledger has them, for `earmark why`.
    """
    if event.pop("by_worker", False):
        for key in ("sentence", "by"):
            event.pop(key, None)
    return event


def _without_surrogates(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # File names may hold bytes that are not text; a stream would refuse them.
    return {
        k: v.encode("utf-8", "backslashreplace").decode() if isinstance(v, str) else v
        for k, v in event.items()
    }
