"""The whole configuration as one typed schema; every key is documented here and nowhere else.

`earmark config sample` and docs/configuration.md are generated from these descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from earmark.config.between import Between, BetweenField
from earmark.config.endpoint import EndpointField, HostField
from earmark.config.retention import Retention, RuleSet
from earmark.config.section import (
    LanguageCode,
    LanguageOrAuto,
    OutputFormat,
    Replacements,
    Section,
    Speakers,
    UserPath,
    WrittenLanguage,
)


class Intake(Section):
    """What counts as a recording, and when it is taken."""

    recursive: bool = Field(True, description="Look into subfolders too.")
    ignore: tuple[str, ...] = Field(
        (), description='Further names to ignore, as in .gitignore: `["drafts/", "*.tmp.wav"]`.'
    )
    settle_seconds: float = Field(
        2.0,
        ge=0.2,
        le=3600,
        description="A file is taken when size, time and inode have not changed for this long; thirty times as "
        "long if its name is like `x.part.wav` or `temp-0123abcd.wav`.",
    )
    scan_seconds: float = Field(
        60.0, ge=1, le=3600, description="How often the folders are read through, whatever the watcher says."
    )
    order: Literal["newest-first", "oldest-first"] = Field(
        "newest-first", description="Which waiting recording comes next."
    )
    watch: Literal["auto", "off"] = Field(
        "auto",
        description="`off` does without the operating system's change events (slow or network folders).",
    )


class Transcription(Section):
    """How speech becomes text. Runs on this machine only."""

    model: str = Field(
        "auto",
        description="Name of a model (`earmark models list`), or `auto`: the largest in the models folder, else `base`, "
        "`tiny.en` or the only one beside the program.",
    )
    model_dir: UserPath | None = Field(
        None, description="A folder with a CTranslate2 Whisper model; comes before `model`."
    )
    draft: str = Field(
        "auto",
        description="Name of a quicker model that writes a first version at once, which `model` then replaces; `auto`: the "
        "smallest that is here, is much smaller and knows the languages; `none`: no first version.",
    )
    better_between: BetweenField = Field(
        Between(),
        description='When drafts may be heard again, by this machine\'s clock: `"22:00-06:00"`; empty: whenever nothing '
        "else waits.",
    )
    better_on_battery: bool = Field(
        False,
        description="Hear drafts again, and make vectors for search, on battery, too, and not on mains power only.",
    )
    language: LanguageOrAuto = Field(
        "auto",
        description="Language code such as `en` or `de`, or `auto` to detect it on the speech, passage by passage.",
    )
    languages: tuple[LanguageCode, ...] = Field(
        (),
        description='With `auto`, the languages that can occur: `["de", "en"]`; empty: all that the model knows.',
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe",
        description="`translate` writes, beside what was said, what it is in English; for what is transcribed from then on.",
    )
    vocabulary: tuple[str, ...] = Field((), description="Names and terms that occur, to be heard rightly.")
    vocabulary_from: UserPath | None = Field(
        None,
        description='A folder of notes whose titles are names: `"~/Vault/People"`. What sounds like one is spelled like it.',
    )
    replace: Replacements = Field(
        {},
        description='Words or phrases that are heard wrongly, and what is written instead: `{ "wrong" = "right" }`. What '
        "stands here in small letters is found with a capital, too, which stays.",
    )
    prompt: str = Field("", max_length=800, description="A sentence in the style the transcript should have.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the model runs.")
    compute_type: Literal[
        "auto", "int8", "int8_float16", "int8_float32", "float16", "float32", "bfloat16"
    ] = Field("auto", description="Number format; `auto` is int8 on a CPU and float16 on a GPU.")
    workers: int = Field(
        0, ge=0, le=32, description="Recordings transcribed at once; 0 chooses by cores, memory and model."
    )
    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Threads per worker, over all windows of a recording that it hears at once; 0 chooses by cores.",
    )
    beam_size: int = Field(5, ge=1, le=20, description="Wider is slower and a little more accurate.")
    idle_seconds: float = Field(
        60.0, ge=0, le=86400, description="An idle worker leaves (and gives its memory back) after this long."
    )
    hang_seconds: float = Field(
        300.0, ge=10, le=86400, description="A worker that says nothing for this long is ended."
    )
    speakers: Speakers = Field(
        "auto",
        description="Who says what, where the models for it are here: `auto`, `off`, or how many people speak: `2`, "
        '`"2..4"`.',
    )
    stay_awake: bool = Field(
        False,
        description="On macOS, keep the Mac awake while recordings are heard and summarized; on mains power only.",
    )
    memory_limit_mb: int = Field(
        0, ge=0, description="Address-space limit per worker in MiB on a CPU; 0 chooses by model and threads."
    )
    max_hours: float = Field(24.0, gt=0, le=240, description="A longer recording is refused with a reason.")
    sandbox: Literal["auto", "off"] = Field(
        "auto",
        description="`off` leaves the worker its network and your files (to find out whether the sandbox is the trouble).",
    )


class Summary(Section):
    """Who writes the summary. Without a server the built-in extractive summary is used."""

    endpoint: EndpointField = Field(
        "http://localhost:1234/v1",
        description="Base URL of an OpenAI-compatible server (default: LM Studio); `auto` looks on this device; or `none`.",
    )
    model: str = Field(
        "auto",
        description="Model name as the server knows it, or `auto`: a chat model, a loaded one before others.",
    )
    api_key_file: UserPath | None = Field(
        None,
        description="A file that holds the server's key, if it wants one; only you should be able to read it.",
    )
    template: str = Field(
        "meeting", description="meeting, memo, interview, lecture, call, journal, or one of yours."
    )
    language: WrittenLanguage = Field(
        "auto", description="Language of the summary; `auto` is the recording's."
    )
    max_points: int = Field(7, ge=1, le=30, description="At most this many key points.")
    context: int = Field(0, ge=0, description="The server's context window in tokens; 0 asks the server.")
    timeout_seconds: float = Field(
        600.0,
        ge=5,
        le=86400,
        description="Give up on a server that sends nothing for this long (loading takes minutes).",
    )
    allowed_hosts: tuple[HostField, ...] = Field(
        (),
        description="Hosts that privacy `lan` or `cloud` may reach; nothing is reached that is not named here.",
    )


class Notes(Section):
    """How the Markdown looks."""

    dialect: Literal["obsidian", "logseq", "plain"] = Field(
        "obsidian", description="Whose Markdown to write."
    )
    layout: Literal["two-files", "one-file"] = Field(
        "two-files",
        description="Transcript and summary as two notes, or as one; for what is written from then on.",
    )
    times: Literal["paragraph", "sentence"] = Field(
        "paragraph",
        description="Before what a time to click on stands in a transcript: each paragraph, or each sentence in it, too; "
        "for what is written from then on.",
    )
    key_prefix: str = Field(
        "", max_length=32, description="Put before every frontmatter key, for example `em_`."
    )
    keys: dict[str, str] = Field(
        default_factory=dict, description='Other names for frontmatter keys: `{ recorded = "date" }`.'
    )
    tags: tuple[str, ...] = Field(("recording",), description="Tags of every note.")
    formats: tuple[OutputFormat, ...] = Field(
        (), description="Also write the transcript as: srt, vtt, txt, json, html, docx."
    )


class Folder(Section):
    """One drop folder. Every key but `path` is optional and overrides the section of the same name for this folder."""

    path: UserPath = Field(description="The folder to watch.")
    recursive: bool | None = Field(None, description="See [intake].")
    ignore: tuple[str, ...] | None = Field(None, description="Added to [intake].ignore.")
    language: LanguageOrAuto | None = Field(None, description="See [transcription].")
    languages: tuple[LanguageCode, ...] | None = Field(None, description="See [transcription].")
    task: Literal["transcribe", "translate"] | None = Field(None, description="See [transcription].")
    model: str | None = Field(None, description="See [transcription].")
    draft: str | None = Field(None, description="See [transcription].")
    speakers: Speakers | None = Field(None, description="See [transcription].")
    vocabulary: tuple[str, ...] | None = Field(None, description="Added to [transcription].vocabulary.")
    vocabulary_from: UserPath | None = Field(None, description="See [transcription].")
    replace: Replacements | None = Field(None, description="Added to [transcription].replace.")
    prompt: str | None = Field(None, max_length=800, description="See [transcription].")
    tags: tuple[str, ...] | None = Field(None, description="Added to [notes].tags.")
    template: str | None = Field(None, description="See [summary].")
    formats: tuple[OutputFormat, ...] | None = Field(None, description="See [notes].")
    priority: int = Field(0, ge=-100, le=100, description="Recordings of a higher priority come first.")
    retention: RuleSet | None = Field(
        None, description="Rules by class that come before [retention] in this folder."
    )


class Config(Section):
    """The whole of config.toml. Everything has a default; an empty file is a good file."""

    privacy: Literal["device", "lan", "cloud"] = Field(
        "device",
        description="How far a summary request may go: this device, named LAN hosts, or named hosts. Audio never leaves.",
    )
    require_sandbox: bool = Field(
        False,
        description="Refuse to work where the operating system cannot take the network away from the workers.",
    )
    remember_voices: bool = Field(
        False,
        description="Keep the voices of those who speak, so that somebody who was named is recognized in later recordings. "
        "A voiceprint is biometric data: see `earmark privacy`.",
    )
    folder: tuple[Folder, ...] = Field((), description="Drop folders, one [[folder]] each.")
    intake: Intake = Field(Intake())
    transcription: Transcription = Field(Transcription())
    summary: Summary = Field(Summary())
    notes: Notes = Field(Notes())
    retention: Retention = Field(Retention())

    @property
    def sandbox(self) -> Literal["auto", "require", "off"]:
        """How the transcription worker is to be confined."""
        return "require" if self.require_sandbox else self.transcription.sandbox
