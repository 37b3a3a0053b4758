"""Serving the tools to an assistant over stdin and stdout (Model Context Protocol), by its official SDK.

The SDK can serve HTTP as well and brings along what that takes; nothing of it is started, and behind the walls nothing of it
could be: this process makes no socket, starts no program and changes no file.
"""

from __future__ import annotations

import asyncio
import io
import json
import selectors
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from earmark import __version__
from earmark.assistants.tools import DATA, TOOLS, Tools
from earmark.locality.confinement import calls
from earmark.locality.confinement.sandbox import Mode, shut_the_doors
from earmark.verbs.opening import opened_context

AT_ONCE = 2
"""Calls that are worked on at once; questions come one after the other."""

LONGEST = 64_000
"""Characters of one answer as JSON; what the tools give is a fourth of that at most."""


def serve(tools: Tools, readable: Sequence[Path], mode: Mode) -> None:
    """Answer an assistant until its end of a pipe closes. Raises PrivacyError where walls are required and not there."""
    # A loop that waits for the thread that reads would end at the next line only, however often somebody presses Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(_serve, tools, readable, mode, backend_options={"loop_factory": _loop})
    except BaseExceptionGroup as group:
        if group.split((BrokenPipeError, anyio.BrokenResourceError))[1] is not None:
            raise
        # The assistant hung up amid an answer; the rest of that goes nowhere, also when Python ends.
        sys.stdout = io.StringIO()


def _loop() -> asyncio.AbstractEventLoop:
    """A loop that waits by poll(), which the walls leave."""
    return asyncio.SelectorEventLoop(selectors.PollSelector())


async def _serve(tools: Tools, readable: Sequence[Path], mode: Mode) -> None:
    # The loop has its pair of sockets by now, and no thread has begun.
    shut_the_doors(readable, None, mode, what="the ledger, notes and recordings", may=calls.ASSISTANTS)
    slots, questions = anyio.CapacityLimiter(AT_ONCE), anyio.Lock()

    async def name_tools(context: Any, asked: Any) -> types.ListToolsResult:
        del context, asked
        return types.ListToolsResult(tools=[_tool(name) for name in TOOLS])

    async def call(context: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        del context

        async def told() -> dict[str, Any]:
            return await anyio.to_thread.run_sync(
                tools.call, asked.name, asked.arguments or {}, limiter=slots, abandon_on_cancel=True
            )

        if asked.name == "ask":
            async with questions:
                answer = await told()
        else:
            answer = await told()
        text = json.dumps(answer, ensure_ascii=False, indent=1)
        if len(text) > LONGEST:
            answer = {"wrong": "the answer is too long; ask for less"}
            text = json.dumps(answer)
        return types.CallToolResult(content=[types.TextContent(text=text)], is_error="wrong" in answer)

    server: Server[Any] = Server(
        "earmark", version=__version__, instructions=f"Reads the user's own recordings. {DATA}",
        on_list_tools=name_tools, on_call_tool=call,
    )  # fmt: skip
    # Whoever closes the ledger last takes away the files beside it, without which it cannot be read, and which nobody can
    # make behind the walls: it stays open. It is opened only now, so that none of them is open for writing.
    with opened_context(tools.home, tools.config, read_only=True):
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


def _tool(name: str) -> types.Tool:
    what, arguments, needed = TOOLS[name]
    return types.Tool(
        name=name, description=what,
        input_schema={"type": "object", "properties": arguments, "required": needed, "additionalProperties": False},
        annotations=types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )  # fmt: skip
