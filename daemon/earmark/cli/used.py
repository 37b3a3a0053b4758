"""Which of the models that are here recordings are heard with, and which write drafts: for all folders, and for one."""

from __future__ import annotations

from earmark.config import Config, FolderSettings, folder_settings
from earmark.errors import ModelError
from earmark.paths import Home
from earmark.transcription.drafting import AUTO, NONE, draft_model
from earmark.transcription.models import SpeechModel, find_model


def used(home: Home, config: Config) -> list[str]:
    """A sentence for all folders, if a model can be used there, and one for each folder in which it is otherwise."""
    everywhere = folder_settings(config, home.state)
    usual = _sentence(home, config, everywhere, "[transcription]")
    sentences = [usual] if usual is not None else []
    for folder in config.folder:
        where = "[[folder]]" if folder.draft else "[transcription]"
        sentence = _sentence(home, config, folder_settings(config, folder.path), where)
        if sentence is not None and sentence != usual:
            sentences.append(f"{folder.path}: {sentence}")
    return sentences


def who_drafts(final: SpeechModel, home: Home, settings: FolderSettings) -> str:
    """The model that writes drafts for this one; "" if none does."""
    quick = draft_model(settings.draft, final, settings.language, settings.languages, home.models)
    return quick.name if quick else ""


def _sentence(home: Home, config: Config, settings: FolderSettings, where: str) -> str | None:
    try:
        final = find_model(settings.model, config.transcription.model_dir, home.models)
    except ModelError:
        return None
    quick = who_drafts(final, home, settings)
    if not quick and settings.draft not in (AUTO, NONE):
        why = _cannot_draft(settings.draft, final, home, where)
        return f"Used: {final.name}, and none for drafts: {why}"
    return f"Used: {final.name}; drafts by {quick}." if quick else f"Used: {final.name}, and none for drafts."


def _cannot_draft(name: str, final: SpeechModel, home: Home, where: str) -> str:
    """Why the model that `draft` names there writes no drafts for that one."""
    try:
        find_model(name, None, home.models)
    except ModelError as error:
        return f"the draft of {where} cannot be used. {error}"
    return f"{where} draft names {name}, which is not smaller than {final.name}."
