"""What is said of a model that was brought in: where it is, and how it comes to be used."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rich.markup import escape

from earmark.cli.acts import Acts
from earmark.cli.console import readable
from earmark.cli.used import who_drafts
from earmark.config import Config, folder_settings
from earmark.diarization.models import NAME
from earmark.errors import ModelError
from earmark.models.encoder import Added
from earmark.paths import Home
from earmark.search.models import NAME as MEANING
from earmark.transcription.models import STARTERS, find_model


def is_in(acts: Acts, name: str, said: str) -> None:
    """It is here now."""
    acts.did(name, said, shown=f"[green]✓[/] {escape(readable(f'{name} {said}'))}")


def further(acts: Acts, sentence: str) -> None:
    """What else is good to know."""
    acts.say(sentence, shown=f"[dim]  {escape(readable(sentence))}[/]")


def _beside_the_program() -> str:
    """The name of the model that is used by whoever brings none; "" if there is none."""
    with suppress(ModelError):
        return find_model("auto", None, Path("/nonexistent")).name
    return ""


def tell_encoder(acts: Acts, name: str, added: Added, home: Home) -> None:
    """An encoder is here now, in the place of another one."""
    is_in(acts, name, f"is the speaker encoder now, in {home.models / NAME}; it takes {added.card.features}")
    back = f"earmark models remove {NAME}"
    again = f"The one to download comes back with: {back}, then earmark models download {NAME}"
    replaced = f"It replaced the one that was there. {again}"
    beside = f"It is used in place of the one beside the program. Back to that: {back}"
    further(acts, replaced if added.replaced else beside)


def how_to_use(acts: Acts, name: str, home: Home, config: Config) -> None:
    """The line for the configuration, unless the model is what would be used without it."""
    if name == NAME:
        off = "; but `speakers` is off in the configuration" if config.transcription.speakers == "off" else ""
        further(
            acts,
            "`earmark transcribe FILE` and the notes of new recordings say who speaks from now on; those of what was"
            f" transcribed before do by: earmark retry --speakers FILE{off}",
        )
        return
    if name == MEANING:
        further(
            acts,
            "`earmark run` makes vectors of what was said when nothing else waits; `earmark search` uses them",
        )
        return
    speech = config.transcription
    with suppress(ModelError):
        final = find_model(speech.model, speech.model_dir, home.models)
        if final.name == name:
            if (before := _beside_the_program()) not in ("", name):
                both = (
                    f"earmark models download {before}"
                    if before in STARTERS
                    else f"earmark models add {before}"
                )
                further(
                    acts,
                    f"It is used from now on, in place of {before}, which lies beside the program. Of two"
                    f" that you bring yourself, the larger one is used: {both}",
                )
            return
        if name == who_drafts(final, home, folder_settings(config, home.state)):
            further(acts, f"It writes drafts now, which {final.name} replaces")
            return
    first = (
        "remove model_dir, then " if speech.model_dir is not None else ""
    )  # which would be used in any case
    further(acts, f'To use it: {first}model = "{name}" in the section [transcription] of config.toml')
