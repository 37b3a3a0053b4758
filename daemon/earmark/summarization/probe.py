"""What `earmark summary test` shows: which server and model were found, what they can do, and where they really run.

Only words of our own are sent, never anything from a recording.
"""

from __future__ import annotations

from collections.abc import Sequence

from earmark.errors import PrivacyError
from earmark.locality.policy.addresses import LOCAL_PORTS as PORTS
from earmark.locality.policy.endpoint import Privacy
from earmark.probes import EndpointReport, ProbeRequest
from earmark.summarization.answer import clean, objects_in, without_thinking
from earmark.summarization.completion import Spoken
from earmark.summarization.connection import Connection, connect, connect_to, open_on_loopback
from earmark.summarization.engine import EndpointFault, SummaryFault
from earmark.summarization.overflow import Overflow
from earmark.summarization.window import ASSUMED_WINDOW

PROBE_TOKENS = 160
MOST_MODELS = 200
"""Names of models in one report."""
QUESTION = "Repeat this sentence word for word: The bridge will be closed for three weeks in autumn."
SCHEMA = {
    "type": "object",
    "properties": {"sentence": {"type": "string"}, "weeks": {"type": "integer"}},
    "required": ["sentence", "weeks"],
    "additionalProperties": False,
}


def probe(
    endpoint: str,
    model: str = "auto",
    api_key: str = "",
    privacy: Privacy = "device",
    allowed_hosts: Sequence[str] = (),
    timeout: float = 600.0,
    consent: str = "",
) -> EndpointReport:
    """Connect as a summary would and ask one small question. Never raises for what an endpoint does."""
    try:
        connection = connect(endpoint, model, api_key, privacy, allowed_hosts, timeout, consent)
    except (SummaryFault, PrivacyError) as fault:
        return EndpointReport(url=endpoint, problem=str(fault))
    return report_on(connection)


def probe_all(model: str = "auto", api_key: str = "", timeout: float = 600.0) -> tuple[EndpointReport, ...]:
    """A report for everything on this device that answers at a port where model servers live."""
    reports = []
    for port in PORTS:
        if not open_on_loopback(port):
            continue
        url = f"http://127.0.0.1:{port}/v1"
        try:
            reports.append(report_on(connect_to(url, model, api_key, "device", (), timeout)))
        except (EndpointFault, PrivacyError) as fault:
            reports.append(EndpointReport(url=url, problem=str(fault)))
    return tuple(reports)


def examined(request: ProbeRequest) -> tuple[EndpointReport, ...]:
    """What the request's endpoint is, by the way that a summary takes. With "auto" and nobody at home one report says so."""
    if request.endpoint == "auto":
        reports = probe_all(request.model, request.api_key, request.timeout)
        if reports:
            return reports
    return (
        probe(
            request.endpoint, request.model, request.api_key, request.privacy, request.allowed_hosts, request.timeout,
            request.consent,
        ),
    )  # fmt: skip


def report_on(connection: Connection) -> EndpointReport:
    """Ask the connected model one question and put together what is known."""
    problem, structured, spoken = "", "", Spoken("")
    warm = Spoken("")
    try:
        warm = connection.chat.ask([{"role": "user", "content": "Say yes."}], None, 4)
        spoken = connection.chat.ask([{"role": "user", "content": QUESTION}], SCHEMA, PROBE_TOKENS)
        structured = connection.chat.dialect.formats[0] if gave_json(spoken) else ""
    except (SummaryFault, PrivacyError) as fault:
        problem = str(fault)
    except Overflow:
        problem = f"{connection.chat.where} has a window too small for a single question"
    speed = spoken.completion_tokens / spoken.seconds if spoken.seconds > 0 else 0.0
    return EndpointReport(
        url=connection.pinned.base_url,
        server=connection.server.name,
        model=connection.shown_model,
        models=tuple(clean(model.id, 200) for model in connection.server.models if model.chat)[:MOST_MODELS],
        context=connection.window or connection.window_now(),
        assumed=ASSUMED_WINDOW,
        structured=structured,
        tokenizer=connection.meter().exact is not None,
        slots=connection.slots,
        speed=round(speed, 1),
        waited=round(warm.seconds, 1),
        locality=connection.locality,
        made_at=connection.made_at,
        problem=problem,
    )


def gave_json(spoken: Spoken) -> bool:
    """True if the answer, or where there is none the reasoning, holds an object with the keys that were asked for."""
    text = spoken.content if spoken.content.strip() else spoken.reasoning
    return any({"sentence", "weeks"} <= value.keys() for value in objects_in(without_thinking(text)))
