"""What could not be heard of a recording, in plain words: it breaks off, is damaged, or has tracks of another kind."""

from __future__ import annotations

from earmark.domain import Transcript
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
    return sentences
