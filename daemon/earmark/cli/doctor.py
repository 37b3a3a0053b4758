"""`earmark doctor`: what could stop the daemon, and what does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark import __version__
from earmark.cli.console import one_line, plain_errors, print_answer
from earmark.cli.lines import print_sentence
from earmark.cli.scope import scope_of
from earmark.config import Config, load_config
from earmark.diarization.models import find_speaker_model
from earmark.errors import ConfigError, EarmarkError
from earmark.files import is_locked
from earmark.ledger import NO_WORDS, lacking_here
from earmark.ledger.digests import in_words
from earmark.ledger.lock import UNKNOWN, holder, just_taken
from earmark.locality.policy.addresses import LOCAL_PORTS
from earmark.paths import Home, platform_home
from earmark.report import Report, other_config, other_version, read_report
from earmark.retention.doubt import DOUBT
from earmark.service.checks import Finding, sentence
from earmark.service.doctor import Patient, diagnose
from earmark.service.elsewhere import elsewhere
from earmark.service.idle import restarts
from earmark.service.installed import installed_folders
from earmark.service.reach import Here, absence, starters
from earmark.service.story import Scope
from earmark.transcription.models import find_model
from earmark.verbs.opening import opened_context

REREAD = "A daemon that has just been started writes it in a moment."


def doctor(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Check everything the daemon needs, and the service; exit code 1 if something is wrong.

    Examples: [bold]earmark doctor[/] · [bold]sudo earmark --system doctor[/]
    """
    with plain_errors():
        whose = scope_of(context)
        home, config, broken = _configuration()
        running = is_locked(home.lock_file)
        report = read_report(home.status_file) if running else None
        speech = config.transcription

        def model() -> Path:
            return find_model(speech.model, speech.model_dir, home.models).dir

        def speakers() -> str | None:
            found = find_speaker_model(home.models)
            return found.described if found else None

        findings = [
            *([Finding("configuration", False, sentence(broken))] if broken else []),
            *diagnose(
                Patient(
                    _folders(config, report, whose),
                    home,
                    config,
                    find_model=model,
                    find_speakers=speakers,
                    sandbox=lambda: (report.sandbox or None) if report else None,
                    troubles=[*filter(None, [lacking_here()]), *_ledger_troubles(home, config, running)],
                    ports=LOCAL_PORTS,
                    scope=whose,
                    here=Here(),
                )
            ),
            *_daemon(report, whose, home, running),
        ]
        if json:
            print_answer("doctor", {"findings": [asdict(f) for f in findings]})
        else:
            for finding in findings:
                mark = "[red]✗[/]" if not finding.ok else "[dim]·[/]" if finding.note else "[green]✓[/]"
                words = one_line(f"{finding.name}: {finding.sentence}")
                print_sentence(f"{mark} {escape(words)}")
        if not all(f.ok for f in findings):
            raise typer.Exit(1)


def _configuration() -> tuple[Home, Config, str]:
    """The third is what is wrong with it, if it cannot be used; then its defaults are looked at."""
    home = platform_home()
    try:
        return home, load_config(home.config_file), ""
    except ConfigError as error:
        return home, Config(), str(error)


def _folders(config: Config, report: Report | None, whose: Scope) -> list[Path]:
    """What is watched, or would be: by the daemon that runs, by the service that is installed, by the configuration. What a
    daemon watched that has ended is nobody's business any more.
    """
    if report is not None:
        return [Path(folder) for folder in report.folders]
    return list(installed_folders(whose, Here()) or ()) or [f.path for f in config.folder]


def _daemon(report: Report | None, whose: Scope, home: Home, running: bool) -> Iterator[Finding]:
    if report is None and running and just_taken(home.lock_file, time.time()):
        yield Finding("daemon", True, f"A daemon has just started ({holder(home.lock_file)}).", note=True)
    elif report is None and running:
        silent = f"A daemon runs ({holder(home.lock_file) or UNKNOWN}), and says nothing of itself"
        told = f"{silent}: {home.status_file} is not there, or is none; is its disk full? {REREAD}"
        yield Finding("daemon", False, told)
    elif report is None:
        here = Here()
        # Else what is with the service is said already, and what would start it.
        if installed_folders(whose, here) is None:
            how = starters(whose, absence(whose, here))
            yield Finding("daemon", True, f"No daemon runs; {how}", note=True)
        for another in elsewhere(home, here, ("system",)) if whose == "user" else ():
            yield Finding("daemon", True, another, note=True)
    elif (other := other_version(report, _restarts(whose, report))) is not None:
        yield Finding("daemon", False, other)
    elif report.paused:
        yield Finding("daemon", False, sentence(f"It runs and waits: {report.paused}"))
    elif report.config_error:
        yield Finding("daemon", False, sentence(f"It keeps its old configuration: {report.config_error}"))
    else:
        yield Finding("daemon", True, f"A daemon runs (pid {report.pid}, earmark {report.version}).")
    if report is not None and (said := other_config(report, home.config_file)):
        yield Finding("home", True, sentence(said[:1].upper() + said[1:]), note=True)


def _restarts(whose: Scope, report: Report) -> str:
    return restarts(whose, report.pid, Here()) if report.version != __version__ else ""


def _ledger_troubles(home: Home, config: Config, running: bool) -> Iterator[str]:
    """What is wrong with the ledger itself, and what a running daemon has written down as wrong right now."""
    if not home.ledger_file.exists():
        return
    try:
        with opened_context(home, config, read_only=True) as context:
            context.ledger.db.check()
            troubles = context.ledger.journal.troubles()
            other = in_words(context.ledger.protection.second.digests.disagreeing())
    except EarmarkError as error:
        yield str(error)
        return
    if other and not any(t.subject == DOUBT for t in troubles):
        yield (
            f"The ledger is damaged: other rows are there than were written in {', '.join(other)}; the next start compares"
            " them with their second copy, and nothing goes meanwhile"
        )
    # Folders are looked at by the doctor itself, so that what it says of them is of this moment, and so is this Python.
    troubles = [t for t in troubles if t.subject != NO_WORDS]
    yield from (t.sentence for t in troubles if t.subject == DOUBT or (running and t.kind == "system"))
