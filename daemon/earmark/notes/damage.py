"""What could not be heard of a recording, in plain words: it breaks off, is damaged, very quiet, has tracks of another kind,
or is in a language that the model does not know.
"""

from __future__ import annotations

from earmark.domain import SURE_OF_LANGUAGE, Misheard, Transcript, wordless_seconds
from earmark.files import counted
from earmark.notes.style import length

QUIET = -50.0
"""Decibels of the loudest second from which a recording is very quiet: of 100 recordings of speech, from phones to the far
end of a table, the softest is at -38."""

SILENT = -94.0
"""Decibels of the loudest second under which there is no sound at all: less than one step of 16 bits."""


def is_quiet(loudest: float | None) -> bool:
    """True if the loudest second is known to be very quiet."""
    return loudest is not None and loudest < QUIET


def is_silent(loudest: float | None) -> bool:
    """True if nothing at all can be heard in the loudest second."""
    return loudest is not None and loudest < SILENT


def damage(transcript: Transcript, *, draft: bool = False) -> list[str]:
    """A sentence for each reason why words may be missing; none for a recording that was heard whole. `draft`: another model
    is to hear it again in any case.
    """
    return [
        *_not_heard(transcript),
        *_hard_to_hear(transcript),
        *misheard_as(transcript, draft=draft),
        *_in_doubt(transcript),
    ]


def _not_heard(transcript: Transcript) -> list[str]:
    sentences = []
    if transcript.truncated:
        declared = transcript.declared_duration
        sentences.append(
            f"The recording breaks off: the file announces {length(declared)}, and {length(transcript.duration)} "
            "of it could be read."
            if declared and declared > transcript.duration and length(declared) != length(transcript.duration)
            else f"The recording breaks off: the file ends early, after {length(transcript.duration)}."
        )
    if unheard := transcript.parts_unheard:
        were = "was" if unheard == 1 else "were"
        sentences.append(
            f"The file is {counted(transcript.parts, 'recording')} one after the other; {unheard} of them could not be read"
            f" and {were} left out."
        )
    if unheard := transcript.bytes_unheard:
        sentences.append(
            f"The file has {unheard:,} bytes behind what was heard, in which no sound was found: half of a copy, perhaps."
        )
    if unheard := transcript.tracks_unheard:
        were = "was" if unheard == 1 else "were"
        sentences.append(
            f"{unheard} of the {transcript.tracks} sound tracks of the file {were} not heard. Left out is what cannot be "
            "decoded here, and another version of what was heard (in another language, with a commentary)."
        )
    if wordless := wordless_seconds(transcript):
        sentences.append(
            f"Somebody speaks for {counted(round(wordless), 'second')} of it, and no words were made out there."
        )
    if damaged := _damaged(transcript):
        sentences.append(f"The file is damaged: {damaged} of it could not be read, so words may be missing.")
    return sentences


def _damaged(transcript: Transcript) -> str:
    """How much of it, in seconds if they are known, without those after the end of one that breaks off."""
    declared, duration = transcript.declared_duration or 0.0, transcript.duration
    inside = transcript.unreadable_seconds - (max(0.0, declared - duration) if transcript.truncated else 0.0)
    if inside >= 0.1:
        return f"{inside:.1f} seconds"
    if transcript.bad_packets:
        return counted(transcript.bad_packets, "piece")
    return ""


def _hard_to_hear(transcript: Transcript) -> list[str]:
    level = transcript.loudest
    if level is None or not is_quiet(level):
        return []
    if is_silent(level) and (transcript.tracks_unheard or transcript.parts_unheard):
        return ["What could be heard of it is silent."]
    if is_silent(level):
        return [
            "The recording is silent: a microphone that was muted, or another than the one that was spoken into."
        ]
    return [
        f"Very quiet ({level:.0f} dB): the recording was made louder to hear it, and words may be missing. Record closer to "
        "the microphone, or set its level higher."
    ]


def misheard_as(transcript: Transcript, *, draft: bool = False) -> list[str]:
    """Why the words may not be what was said, and what would help, unless it comes by itself (`draft`)."""
    model = transcript.model
    if transcript.misheard is Misheard.UNCLEAR:
        return ["Hardly any of these words is sure, so there is no summary of them."]
    if transcript.misheard is not Misheard.LANGUAGE:
        return []
    # Transcripts from before it was stored have the name only.
    if transcript.only_english or model.endswith(".en") or model.startswith("distil-"):
        what = (
            f"This does not look like English, and the model {model} knows nothing else: what it wrote is probably not what "
            "was said."
        )
        help_ = (
            "To hear it again with one that knows 99 languages: `earmark models download base`, then "
            "`earmark retry FILE`."
        )
        return [what if draft else f"{what} {help_}"]
    return [
        "This does not look like English, which it was heard as: what was written is probably not what was said. If it is "
        'in another language, say so (`language = "de"` or "auto" under [transcription]), then `earmark retry FILE`.'
    ]


def untranslated_as(transcript: Transcript) -> list[str]:
    """Why there is no English beside the transcript, though it was asked for, and what would help."""
    if not transcript.untranslated:
        return []
    model = transcript.model
    if transcript.only_english:
        return [
            f"Nothing was translated into English: the model {model} knows no other language. With one that does: `earmark "
            "models download base`, then `earmark retry FILE`."
        ]
    return [
        f"This could not be translated into English by the model {model}. One that was taught to, which large-v3-turbo was "
        "not: `earmark models download small`, name it under [transcription], then `earmark retry FILE`."
    ]


def _in_doubt(transcript: Transcript) -> list[str]:
    """That the language was guessed, and what would help."""
    sure = transcript.language_probability
    if sure >= SURE_OF_LANGUAGE or transcript.misheard is not None or not transcript.text:
        return []
    return [
        f"Which language this is in is not sure (`{transcript.language}` by {sure:.0%}). If it is another, say so "
        '(`language = "de"`, or `languages = ["de", "en"]` for those that occur, under [transcription]), then '
        "`earmark retry FILE`."
    ]
