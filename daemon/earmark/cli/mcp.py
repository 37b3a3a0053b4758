"""`earmark mcp`: the recordings for a local assistant, which starts this and speaks to it over stdin and stdout."""

from __future__ import annotations

import importlib.util

from earmark.cli.console import here, plain_errors
from earmark.errors import ModelError
from earmark.locality.confinement.inherited import close_inherited
from earmark.verbs.meaning import MeaningWorker
from earmark.verbs.opening import opened_context
from earmark.verbs.questioning import AskWorker, unasked

MISSING = (
    "assistants are spoken to by the MCP SDK, which is not installed beside earmark; install it with:"
    " pipx inject earmark 'mcp>=2.3,<3' (or, in its environment: pip install 'mcp>=2.3,<3')"
)

UNUSABLE = (
    "assistants are spoken to by the MCP SDK, which is installed beside earmark and cannot be imported ({}); install it anew"
    " with: pipx inject --force earmark 'mcp>=2.3,<3' (or, in its environment: pip install --force-reinstall 'mcp>=2.3,<3')"
)


def mcp() -> None:
    """Let an assistant on this device read: search, read, list, ask (Model Context Protocol, over stdin and stdout).

    It changes nothing, and opens no connection; questions go to your own summary server. What an assistant reads goes where
    the assistant sends it: with one that asks a cloud the words leave this device (docs/assistants.md).
    """
    close_inherited(stdin=True)
    with plain_errors():
        if importlib.util.find_spec("mcp") is None:
            raise ModelError(MISSING)
        from earmark.assistants.tools import Tools

        try:
            from earmark.assistants.serving import serve
        except (ImportError, AttributeError) as error:  # a part of it is missing, or it is of another version
            raise ModelError(UNUSABLE.format(str(error).partition(" (/")[0])) from error
        home, config = here()
        with opened_context(home, config, read_only=True) as context:
            folders = {*context.folders, *context.ledger.places.folders()}
        server = unasked(home, config) or AskWorker(home, config)  # while programs can still be started
        standing = MeaningWorker(home, config)
        try:
            serve(
                Tools(home, config, server, standing, folders), [home.state, *sorted(folders)],
                "require" if config.require_sandbox else "auto",
            )  # fmt: skip
        finally:
            standing.stop()
            if isinstance(server, AskWorker):
                server.stop()
