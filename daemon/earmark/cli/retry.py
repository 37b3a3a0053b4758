"""`earmark retry`: another try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from earmark.cli.acts import acting
from earmark.cli.console import here_to_look, plain_errors
from earmark.domain import Stage
from earmark.errors import NotFound
from earmark.verbs import retrying
from earmark.verbs.opening import opened_context, wake_daemon


def retry(
    files: Annotated[
        list[Path] | None, typer.Argument(readable=False, help="Recordings to try again.", metavar="FILE...")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that failed.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", hidden=True, help="What `earmark resummarize` does.")
    ] = False,
    speakers: Annotated[
        bool, typer.Option("--speakers", help="Only who says what, and the summary.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where your words in a note cannot be read.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Try recordings again from the start: after a failure, or with another model. Of a draft, the better one now.

    Examples: [bold]earmark retry bad.mp3[/] · [bold]earmark retry --failed[/] · [bold]earmark retry --speakers talk.m4a[/]
    """
    with plain_errors(), acting("retry", json) as acts:
        if not files and not failed:
            raise typer.BadParameter("name recordings, or say --failed")
        if files and failed:
            raise typer.BadParameter("say one of them: recordings, or --failed")
        if summary and speakers:
            raise typer.BadParameter("--speakers makes the summary again too; say one of the two")
        home, config = here_to_look()
        with opened_context(home, config) as context:
            only = Stage.SUMMARIZE if summary else Stage.DIARIZE if speakers else None
            wanted = retrying.to_retry(context, files or [], failed=failed, only=only)
            refused = {again: why for again in wanted if (why := retrying.why_not(context, again))}
            for again in wanted:
                if again in refused:
                    acts.refused(
                        again.name,
                        refused[again],
                        recording=again.recording_id,
                        exit_code=NotFound.exit_code,
                    )
                elif not anyway and (unread := retrying.why_unread(context, again)):
                    acts.refused(again.name, unread, recording=again.recording_id)
                else:
                    queued, said = retrying.retry(context, again)
                    tell = {True: acts.did, False: acts.was, None: acts.refused}[queued]
                    tell(again.name, said, recording=again.recording_id)
        if not wanted:
            acts.say("Nothing to try again.")
        wake_daemon(home)
