"""The answers of verbs that set up: models, speakers, servers, the service, the configuration."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from earmark.cli.answers.parts import Answer, Moment, Part, Text, key
from earmark.probes import EndpointReport


class Used(Part):
    recordings: int = key("Transcripts by it.")
    last_used: Moment = key("When it was used last.")
    speed: float = key("Seconds of audio for each second of work; 0 if nobody measured.")


class Model(Part):
    name: Text = key("What it is called.")
    folder: Text = key("Where it lies.")
    size: int = key("Bytes.")
    source: Text = key("Where it came from.")
    license: Text = key("Its license.")
    sha256: Text = key("Of its weights.")
    added_at: Moment = key("When it was brought in.")
    runs: Text = key("`well`, `slowly` or `not`.")
    usage: Used = key("How it was used here.")
    problem: Text = key("Why it cannot be used.")
    removable: bool = key("It lies in the models folder.")
    kind: Text = key("`speech`, `speakers` or `search`.")
    features: Text = key("What its encoder takes.")
    files: dict[str, int] = key("Bytes of each file.")


class ModelsAnswer(Answer):
    """The models on this device."""

    models: list[Model] = key("In the order in which they are looked for.")


class Person(Part):
    name: Text = key("Who it is.")
    recordings: int = key("In how many.")
    voices: int = key("Voiceprints.")
    voice_seconds: float = key("Speech that they were taken from.")
    since: Moment = key("Since when.")


class Corrected(Part):
    recording: Text = key("The recording.")
    path: Text | None = key("A file of it; null if none is known any more.")


class Offered(Part):
    word: Text = key("As it was corrected.")
    heard: list[Text] = key("What had been heard, the most frequent first.")
    times: int = key("In how many sentences.")
    recordings: list[Corrected] = key("Where.")


class VocabularyAnswer(Answer):
    """Words that were corrected more than once, and what was said to them."""

    file: Text = key("Where accepted and ignored words are kept.")
    offered: list[Offered] = key("What is offered.")
    accepted: list[Text] = key("What is expected in each recording.")
    ignored: list[Text] = key("What is not offered any more.")
    problems: list[Text] = key("Lines of the file that cannot be used.")


class PeopleAnswer(Answer):
    """Who was named."""

    remember_voices: bool = key("Whether voices are remembered.")
    people: list[Person] = key("Each with their voices.")
    likely_voices: int = key(
        "Voices in which somebody who was named is recognized, or may be; nobody has said so."
    )
    nameless_voices: int = key("Voices of nobody who was named.")


class Speaking(Part):
    number: int = key("By which the note calls them.")
    called: Text = key("What they are called there.")
    name: Text = key("The name that somebody gave them.")
    seconds: float = key("For how long they speak.")
    voice: bool = key("Their voice is stored.")
    likely: Text = key("Whom it sounds like.")


class SpeakersAnswer(Answer):
    """Who speaks in one recording."""

    recording: Text = key("Its id.")
    path: Text = key("Its file.")
    unsure: bool = key("Who says what is uncertain.")
    speakers: list[Speaking] = key("Those who speak.")


class VoicesForgottenAnswer(Answer):
    """What was erased of voices."""

    voiceprints: int = key("How many.")
    recordings_renamed: int = key("Recordings in which a name was taken back.")
    named_still: list[Text] = key(
        "Notes and other text files below the drop folders in which the name stands still."
    )
    in_trash: list[Text] = key("Where files were that lie in the trash and have the name in them.")
    receipt: int | None = key("Number of the proof.")
    found_again: list[Text] = key("Files that still hold bytes of it.")
    compacted: bool = key("The ledger was written anew.")
    complete: bool = key(
        "Nothing is left in the state folder, but what it takes to read notes in `named_still`."
    )


class ServersAnswer(Answer):
    """Which server would write summaries. Exit code 69 if none can be used."""

    servers: list[EndpointReport] = key("Each that was asked; `problem` says why it cannot be used.")


class ServiceAnswer(Answer):
    """How the service is. Besides these keys it has what the service manager says, by that one's names."""

    model_config = ConfigDict(frozen=True, extra="allow")

    ok: bool = key("False if it failed.")
    sentence: Text = key("How it is.")


class ConfigAnswer(Answer):
    """The configuration in force."""

    file: Text = key("Where it is, or would be.")
    config: dict[str, Any] = key("Every setting (docs/configuration.md).")


class PageAnswer(Answer):
    """The page on what leaves this machine."""

    page: dict[str, Any] = key("As `--format json` prints it.")


class TranscriptAnswer(Answer):
    """A transcript, as a `json` sidecar has it; times are seconds into the recording."""

    model_config = ConfigDict(frozen=True, extra="allow")

    language: Text = key("The one of most of it.")
    duration: float = key("Seconds.")
    text: Text = key("All that was said.")
    segments: list[dict[str, Any]] = key("Each with `start`, `end` and `text`.")
