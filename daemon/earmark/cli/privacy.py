"""`earmark privacy`: the policy page of this installation, the claims as tests, and the consent to leave the device."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.asking import agreed
from earmark.cli.console import err, here, one_line, out, plain_errors, print_answer, readable
from earmark.cli.lines import print_sentence
from earmark.config import Config
from earmark.errors import Declined, EarmarkError, PrivacyError
from earmark.files import counted, is_locked
from earmark.locality.policy.consent import missing_consent
from earmark.locality.policy.destination import Destination, destination
from earmark.locality.policy.page import Format, render_page
from earmark.locality.policy.snapshot import snapshot
from earmark.paths import Home
from earmark.proof.outcome import Outcome
from earmark.report import Report, read_report
from earmark.verbs import consenting
from earmark.verbs.opening import opened_context, wake_daemon
from earmark.verbs.policy_facts import CHECKED, facts_now

app = typer.Typer(help="Show what leaves this device and what is kept, and prove it.")


@app.callback(invoke_without_command=True)
def privacy(
    context: typer.Context,
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="md, json or html, to print or pipe.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, with a version.")] = False,
) -> None:
    """The policy page of this installation, from the configuration in force.

    Examples: [bold]earmark privacy[/] · [bold]earmark privacy --format html > page.html[/] · [bold]earmark privacy check[/]
    """
    if context.invoked_subcommand is not None:
        return
    out.answers = json
    with plain_errors():
        home, config = here()
        page = snapshot(config, facts_now(home, config))
        if json:
            print_answer("privacy", {"page": jsonlib.loads(render_page(page, "json"))})
        elif format is None and out.is_terminal:
            from rich.markdown import Markdown  # the daemon starts through this module and has no use for it

            out.print(Markdown(readable(render_page(page, "md"))), soft_wrap=False)
        else:
            typer.echo(render_page(page, format or "md"), nl=False)


LATER = 3
"""Exit code of a check that failed nowhere, but for which the daemon was too busy."""


@app.command()
def check(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    recording: Annotated[
        bool,
        typer.Option("--recording/--no-recording", help="Drop a recording for the running daemon to hear."),
    ] = True,
    wait: Annotated[float, typer.Option(help="Seconds that this recording may take.", min=1.0)] = 300.0,
) -> None:
    """Try every claim, on the daemon that runs and from inside fresh processes.

    A daemon that runs is watched while it hears a recording of ours, which is dropped into its folder and erased afterwards.
    Exit code 1 if a claim fails, 3 if the daemon was too busy. To see all of another user's daemon, ask as root.

    Examples: [bold]earmark privacy check[/] · [bold]earmark privacy check --no-recording[/]
    """
    with plain_errors():
        home, config = here()
        from earmark.proof.claims import check_everything
        from earmark.proof.running.beside import commands_of
        from earmark.proof.running.commands import Beside
        from earmark.proof.running.ending import alone, end_by_signal
        from earmark.proof.running.prove import Running
        from earmark.proof.running.watching import Watcher, step_down

        report, nobody = daemon_that_runs(home, config)
        watcher = Watcher(report.pid) if report is not None else None
        beside = Beside(config, home, commands_of(home))
        step_down(home.state)
        end_by_signal()
        say = (lambda _: None) if json else (lambda line: err.print(f"[dim]{escape(one_line(line))}[/]"))
        running = Running(config, home, report, watcher, wait, say) if report and watcher else None
        outcomes: list[Outcome] = []
        with alone(home):
            for outcome in check_everything(
                config, home, _phrases(home, config), running, recording, nobody, beside
            ):
                outcomes.append(outcome)
                if not json:
                    mark = {True: "[green]pass[/]", False: "[bold red]FAIL[/]", None: "[yellow] ?  [/]"}
                    print_sentence(
                        f"{mark[outcome.held]}  {escape(one_line(outcome.claim))}: {escape(one_line(outcome.detail))}"
                    )
        passed = not any(o.held is False for o in outcomes)
        if json:
            print_answer("privacy check", {"passed": passed, "claims": [asdict(o) for o in outcomes]})
        elif passed:
            open_ = sum(1 for o in outcomes if o.held is None)
            untried = f", {open_} could not be tried." if open_ else "."
            print_sentence(counted(len(outcomes) - open_, "claim holds", "claims hold") + untried)
        _remember(home, config, outcomes)
        if not passed:
            raise typer.Exit(1)
        if any(o.later for o in outcomes):
            raise typer.Exit(LATER)


def _remember(home: Home, config: Config, outcomes: Sequence[Outcome]) -> None:
    """Keep for the page how the check went. A ledger that cannot be written now takes nothing from what was found."""
    failed, untried = (sum(o.held is held for o in outcomes) for held in (False, None))
    try:
        if home.ledger_file.exists():
            with opened_context(home, config) as inside:
                passing = jsonlib.dumps({"passed": not failed, "untried": untried})
                inside.ledger.journal.set_fact(CHECKED, passing, inside.now())
    except EarmarkError as error:
        err.print(f"That this was checked is not kept for the page: {escape(one_line(str(error)))}")


def daemon_that_runs(home: Home, config: Config) -> tuple[Report | None, str]:
    """What the daemon that runs says of itself, with the pid that the kernel has for it, or what is known of one that says
    nothing; or why none is looked at.
    """
    from earmark.proof.running.descriptors import has_proc
    from earmark.proof.running.holder import holder_of, unreported

    report, runs = read_report(home.status_file), is_locked(home.lock_file)
    if not runs or not has_proc():
        return None, "; ".join([not_looked_at(str(home.state), runs, has_proc()), *_others(home)])
    holder = holder_of(home.lock_file)
    if not holder.pid:
        return None, f"not looked at: {holder.why_not}"
    if report is None:
        return unreported(holder.pid, config, home.config_file), ""
    return report.model_copy(update={"pid": holder.pid}), ""


def not_looked_at(state: str, runs: bool, proc: bool) -> str:
    """Why no running daemon is looked at; `proc`: whether this system would show one."""
    if proc or not runs:
        return f"no daemon is running for {state}"
    return f"the daemon that runs for {state} is not looked at: this system shows no process to others (it has no /proc)"


def _others(home: Home) -> list[str]:
    """Daemons of this machine that are not looked at because they keep their things elsewhere, with what checks them."""
    from earmark.service.elsewhere import elsewhere
    from earmark.service.reach import Here

    return elsewhere(home, Here(), verb="privacy check")


@app.command()
def allow(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Let transcripts go to the summary server that the configuration names outside this device.

    Asked for once, and again after each change of endpoint, privacy or, without TLS, address. Audio never goes.

    Examples: [bold]earmark privacy allow[/] · [bold]earmark privacy allow --withdraw[/]
    """
    with plain_errors(), acting("privacy allow", json) as acts:
        home, config = here()
        end = destination(config, None)
        with opened_context(home, config) as context:
            if withdraw:
                consenting.withdraw(context)
                stays = "Transcripts stay on this device from the next summary on."
                acts.did(config.summary.endpoint, stays, shown=stays)
                return
            if end is None or not _may_be_allowed(config, end):
                acts.say("There is nothing to allow: with this configuration no words leave this device.")
                return
            if end.refused:
                raise PrivacyError(end.refused)
            where = readable(_where(end, config.privacy))
            to = "The text of every transcript (never audio) would go to "
            rest = f", as {readable(config.summary.endpoint)}, with privacy = {config.privacy!r}."
            acts.say(f"{to}{where}{rest}", shown=f"{to}[bold]{escape(where)}[/]{escape(rest)}")
            if not yes and not agreed("Allow it until the configuration or the address changes?"):
                raise Declined("Nothing was allowed.")
            consenting.allow(context, end)
        wake_daemon(home)
        said = (
            "Allowed. Summaries that waited for it are made now; earmark resummarize FILE makes others again."
        )
        acts.did(config.summary.endpoint, said, shown=said)


def _may_be_allowed(config: Config, end: Destination) -> bool:
    """Whether words could leave with this configuration: by themselves, or by a server here that hands them on."""
    if config.privacy == "device" or config.summary.endpoint == "auto":
        return False
    return config.privacy == "cloud" or missing_consent(config, None) is not None or not end.allowed


def _where(end: Destination, privacy: str) -> str:
    """Where words would go, with what its addresses are now."""
    if end.scope is None:
        return f"{end.named}, whose name does not resolve to any address now"
    if end.scope == "device":
        further = ", and by what answers there on to anywhere" if privacy == "cloud" else ""
        return f"{end.named}, which is this device now{further}"
    return end.named


def _phrases(home: Home, config: Config) -> list[str]:
    """A few runs of four words that were said, from the latest transcripts."""
    from earmark.proof.running.words import phrases_of

    if not home.ledger_file.exists():
        return []
    try:
        with opened_context(home, config, read_only=True) as context:
            found = context.ledger.words.latest_transcripts(3)
    except EarmarkError:
        return []
    return [phrase for transcript in found for phrase in phrases_of(transcript.text)]
