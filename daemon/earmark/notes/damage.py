"""What could not be heard of a recording, in plain words: it breaks off, is damaged, has tracks of another kind, or is in a
language that the model does not know.
"""

from __future__ import annotations

from earmark.domain import Misheard, Transcript
from earmark.notes.style import length


def damage(transcript: Transcript) -> list[str]:
    """A sentence for each reason why words may be missing; none for a recording that was heard whole."""
    sentences = []
    if transcript.truncated:
        declared = transcript.declared_duration
        sentences.append(
            f"The recording breaks off: the file announces {length(declared)}, and {length(transcript.duration)} "
            "of it could be read."
            if declared and declared > transcript.duration
            else f"The recording breaks off: the file ends early, after {length(transcript.duration)}."
        )
    if unheard := transcript.tracks_unheard:
        were = "was" if unheard == 1 else "were"
        sentences.append(
            f"{unheard} of the {transcript.tracks} sound tracks of the file {were} not heard. Left out is what cannot be "
            "decoded here, and another version of the first track (in another language, with a commentary)."
        )
    if transcript.bad_packets:
        pieces = "piece" if transcript.bad_packets == 1 else "pieces"
        sentences.append(
            f"The file is damaged: {transcript.bad_packets} {pieces} of it could not be read, so words may be missing."
        )
    return sentences + misheard_as(transcript)


def misheard_as(transcript: Transcript) -> list[str]:
    """Why the words may not be what was said, and what would help."""
    model = transcript.model
    if transcript.misheard is Misheard.UNCLEAR:
        return ["Hardly any of these words is sure, so there is no summary of them."]
    if transcript.misheard is not Misheard.LANGUAGE:
        return []
    if model.endswith(".en") or model.startswith("distil-"):
        return [
            f"This does not look like English, and the model {model} knows nothing else: what it wrote is probably not what "
            "was said. To hear it again with one that knows 99 languages: `earmark models download base`, then "
            "`earmark retry FILE`."
        ]
    return [
        "This does not look like English, which it was heard as: what was written is probably not what was said. If it is "
        'in another language, say so (`language = "de"` or "auto" under [transcription]), then `earmark retry FILE`.'
    ]
