"""Asking the summary server by the daemon's own way: a worker confined as the daemon's is, started for this one question.

`earmark summary test` shows what comes back; whoever else wants to say something about the server asks here, too.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from typing import Protocol

from pydantic import ValidationError

from earmark.config import Config, api_key
from earmark.errors import ConfigError, EarmarkError
from earmark.files import pack_path
from earmark.locality.policy.consent import FACT, missing_consent
from earmark.messages import Confine, Failed
from earmark.paths import Home
from earmark.probes import EndpointReport, Probed, ProbeRequest, parse_probe_reply
from earmark.verbs.opening import opened_context
from earmark.workers import start_process

MODULE = "earmark.summarization.worker"

LONGEST_REPLY = 1024 * 1024
"""Bytes of one line of the worker's: 200 names of models of 200 characters, with room."""

OVERTIME = 120.0
"""Seconds for starting and for the server's native addresses, besides `timeout_seconds` for each of two questions."""


class Starts(Protocol):
    """As `workers.start_process`."""

    def __call__(self, module: str, *, stderr: int | None = None) -> subprocess.Popen[bytes]: ...


def summary_server(home: Home, config: Config, start: Starts = start_process) -> tuple[EndpointReport, ...]:
    """What the configuration's endpoint is, and if it can be used: one report, or with "auto" one for each that listens.

    Raises ConfigError where no server is to be asked, or the key cannot be read. What the server does, and what the
    privacy setting forbids, is in the reports.
    """
    summary = config.summary
    if summary.endpoint == "none":
        raise ConfigError(
            '[summary] endpoint is "none": no server is asked; set it to "auto" or to an address'
        )
    key, consent = api_key(config), consent_given(home, config)
    if reason := missing_consent(config, consent):
        return (
            EndpointReport(url=summary.endpoint, problem=reason),
        )  # as the daemon: not even a lookup before
    confine = Confine(
        endpoint=summary.endpoint, privacy=config.privacy, allowed_hosts=summary.allowed_hosts, consent=consent or "",
        template_dir=pack_path(home.templates), require=config.require_sandbox,
    )  # fmt: skip
    asked = ProbeRequest(
        endpoint=summary.endpoint, model=summary.model, api_key=key, privacy=config.privacy,
        allowed_hosts=summary.allowed_hosts, consent=consent or "", timeout=summary.timeout_seconds,
    )  # fmt: skip
    process = start(MODULE, stderr=subprocess.DEVNULL)
    limit = threading.Timer(2 * summary.timeout_seconds + OVERTIME, process.kill)
    limit.start()
    try:
        return answered(process, confine.line() + asked.line(), summary.endpoint)
    finally:
        limit.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def answered(process: subprocess.Popen[bytes], lines: bytes, url: str) -> tuple[EndpointReport, ...]:
    """The reports of a worker that is sent these lines; its own failure is a report, too."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError), process.stdin as stdin:
        stdin.write(lines)
    while line := process.stdout.readline(LONGEST_REPLY):
        try:
            reply = parse_probe_reply.validate_json(line)
        except ValidationError:
            return (EndpointReport(url=url, problem="the summary worker said something that is no answer"),)
        if isinstance(reply, Probed):
            return reply.reports
        if isinstance(reply, Failed):
            return (EndpointReport(url=url, problem=reply.sentence),)
    process.wait()
    ended = f"the summary worker ended without an answer (exit status {process.returncode})"
    return (EndpointReport(url=url, problem=ended),)


def consent_given(home: Home, config: Config) -> str | None:
    """What a person allowed, as it was written down; None where there is no ledger that can be read."""
    if not home.ledger_file.exists():
        return None
    try:
        with opened_context(home, config, read_only=True) as context:
            fact = context.ledger.journal.fact(FACT)
    except EarmarkError:
        return None
    return fact[0] if fact else None
