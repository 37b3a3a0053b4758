"""Summaries from an OpenAI-compatible server."""

from __future__ import annotations

from earmark.locality.endpoint import NameNotFound, resolve_endpoint
from earmark.locality.transport import forget_environment, listening
from earmark.messages import SummarizeRequest
from earmark.summarization.engine import EndpointFault, Heartbeat, Result


class ChatSummarizer:
    """Implements `Summarizer` on a Chat Completions server."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result:
        forget_environment()
        url = "http://localhost:1234/v1" if request.endpoint == "auto" else request.endpoint
        try:
            pinned = resolve_endpoint(url, request.privacy, request.allowed_hosts)
        except NameNotFound as error:
            raise EndpointFault(str(error)) from None
        if listening(pinned) is None:
            raise EndpointFault(f"no summary server answers at {pinned.host} port {pinned.port}")
        raise EndpointFault(f"the summary server at {pinned.host} port {pinned.port} is not supported yet")
