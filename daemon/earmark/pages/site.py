"""Which address shows which page. All below one path that only this installation has; nothing is acted on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from typing import Any

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from earmark.context import Clock
from earmark.errors import EarmarkError, NotFound, place_of
from earmark.pages import asked
from earmark.pages.gate import COOKIE
from earmark.pages.looking import Asked, listed
from earmark.pages.looks import page_of
from earmark.pages.presence import heard_at, why_silent
from earmark.pages.reading import Reader
from earmark.pages.sound import sound
from earmark.pages.tags import Tags
from earmark.pages.telling import place_meant, told
from earmark.pages.turns import Turn
from earmark.readable import readable
from earmark.verbs.pages_at import Key

_STATIC = {"page.css": "text/css", "player.js": "text/javascript", "icon.svg": "image/svg+xml"}


def site(reader: Reader, key: Key) -> Starlette:
    """The pages of one installation."""
    show = partial(page_of, f"/{key.place}/")

    def page(
        path: str,
        template: str,
        said: Callable[[Request], dict[str, Any]],
        is_slow: Callable[[Request], bool] | None = None,
    ) -> Route:
        turn = Turn()

        def made(request: Request, left: Callable[[], bool]) -> Response:
            request.state.left = left
            return _guarded(show, lambda: show(template, asked=_asked(request), **said(request)))

        async def answer(request: Request) -> Response:
            if is_slow is not None and is_slow(request):
                return await turn.take(request, partial(made, request))
            return await run_sync(made, request, _never)

        return Route(path, answer)

    async def heard(request: Request) -> Response:
        return await _sound(reader, request)

    pages = [
        page("/", "work.html", lambda _: reader.work(), _always),
        page(
            "/recordings",
            "recordings.html",
            partial(_listed, reader, Tags()),
            lambda r: _list_asked(r).is_slow,
        ),
        page("/recordings/{id}", "recording.html", partial(_told, reader)),
        page("/search", "search.html", lambda request: reader.found(_typed(request)), _always),
        page("/trash", "trash.html", lambda _: reader.trash()),
        page(
            "/receipts",
            "receipts.html",
            lambda request: reader.receipts(asked.number(_asked(request), "skip")),
        ),
        page("/models", "models.html", lambda _: reader.models()),
        page("/privacy", "privacy.html", lambda _: reader.privacy()),
        Route("/enter", partial(_entered, show, key)),
        Route("/sound/{id}", heard),
        *(Route(f"/{name}", _static(name)) for name in _STATIC),
    ]
    return Starlette(
        routes=[Mount(f"/{key.place}", routes=pages)],
        exception_handlers={
            HTTPException: lambda request, error: _wrong(show, 404, "There is no such page.")
        },
    )


def _always(_: Request) -> bool:
    return True


def _never() -> bool:
    return False


def _wrong(show: Callable[..., Response], status: int, sentence: str) -> Response:
    return show("wrong.html", status=status, sentence=sentence, asked={})


def _guarded(show: Callable[..., Response], made: Callable[[], Response]) -> Response:
    """The page, or one that says why there is none."""
    try:
        return made()
    except NotFound as error:
        return _wrong(show, 404, str(error))
    except EarmarkError as error:
        return _wrong(show, 503, str(error))
    except Exception as error:
        # Never its text, which may hold what was said.
        sentence = f"This page went wrong ({type(error).__name__} at {place_of(error)[-1]})."
        return _wrong(show, 500, sentence)


def _asked(request: Request) -> dict[str, str]:
    return asked.asked_in(request.scope["query_string"])


def _typed(request: Request) -> str:
    """What is searched for: text, whatever bytes were sent."""
    return readable(asked.word(_asked(request), "q").strip())


def _list_asked(request: Request) -> Asked:
    said = _asked(request)
    folder, tag, speaker = (asked.word(said, name) for name in ("folder", "tag", "speaker"))
    return Asked(folder, tag, speaker, asked.number(said, "skip"))


def _listed(reader: Reader, tags: Tags, request: Request) -> dict[str, Any]:
    wanted = _list_asked(request)
    with reader.looking() as context:
        try:
            found = listed(context, wanted, tags, request.state.left)
        except NotFound as error:
            found = {"rows": [], "more": None, "of": "", "sentence": str(error)}
    return {"sentence": "", **found, **asdict(wanted)}


def _told(reader: Reader, request: Request) -> dict[str, Any]:
    with reader.looking() as context:
        return told(context, request.path_params["id"], asked.second(_asked(request), "from"))


def _entered(show: Callable[..., Response], key: Key, request: Request) -> Response:
    """Give the browser its cookie for a link that may be used now. The page leads on by itself: a cookie that is SameSite
    would not go with a redirection, where the link was clicked in another program's page.
    """
    until, seal = (_asked(request).get(name, "") for name in ("until", "seal"))
    if not key.opens(until, seal, Clock().wall()):
        return _wrong(show, 403, "This link is too old, or none of ours; `earmark open` prints another.")
    response = show("enter.html", asked={})
    response.set_cookie(COOKIE, key.cookie, path=f"/{key.place}/", httponly=True, samesite="strict")
    return response


async def _sound(reader: Reader, request: Request) -> Response:
    """The sound of a recording; of a question for its headers only those."""

    def meant() -> Any:
        with reader.looking() as context:
            known = place_meant(context, request.path_params["id"])
            found = heard_at(context, known.recording_id)
            if found is None:
                raise NotFound(why_silent(context, known.recording_id))
            return found

    try:
        place = await run_sync(meant)
        part, unless = request.headers.get("range"), request.headers.get("if-range")
        response = await sound(place, part, place.recording_id, unless)
    except EarmarkError:
        return Response("The sound of this recording is not here.\n", 404, media_type="text/plain")
    if request.method == "HEAD":
        return Response(status_code=response.status_code, headers=dict(response.headers))
    return response


def _static(name: str) -> Callable[[Request], Awaitable[Response]]:
    body = files("earmark.pages").joinpath("static", name).read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, media_type=_STATIC[name])

    return answer
