"""The quality gate: may the audio go, now that this is what was understood of it? Pure.

Audio is the only thing that cannot be made again. A rule may take it only if the transcript is one that a person
could work from; what fails is shown with these sentences and waits for `earmark retention accept FILE`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from earmark.domain import SURE_OF_LANGUAGE, Mark, Misheard, Segment, Transcript, is_speech, wordless_seconds
from earmark.files import counted
from earmark.notes.labels import IN_ENGLISH
from earmark.notes.paragraphs import PAUSE, SECONDS, paragraphs
from earmark.notes.speakers import TURN
from earmark.notes.style import stamp
from earmark.speaking import as_told

GATE = "3"
"""Goes up when a threshold changes, so that earlier verdicts are not taken for this gate's."""

COVERAGE = 0.8
"""Share of the voice seconds that the detector saw which must lie under words. Segments reach over short pauses, so a
sound transcript is at about 1; a decoder that gave up half-way is far below."""

CONFIDENCE = 0.5
"""Mean token probability over time. Whisper's own fallback threshold (mean log probability -1) is exp(-1) = 0.37 for a
single window; a whole recording that is hardly better than that is not a transcript."""

DOUBTFUL_SHARE = 0.3
"""Share of speech time in passages marked as low confidence that is still good enough."""

LANGUAGE = SURE_OF_LANGUAGE
"""Probability of the detected language; 1 where the language was given."""

SPEECH = 1.0
"""Seconds of voice below which there is nothing to judge by."""

REPEATS = 4
"""The same words in so many segments in a row are a loop even if nobody marked them."""

UNREADABLE = 0.5
"""Seconds that could not be decoded, from which words may be missing."""

BAD_PACKETS = 25
"""About half a second of MP3 or AAC frames that did not decode; another program might hear what we could not."""


KEPT_WORDS = 0.5
"""Share of the transcript's number of words that a note must still have to stand for the recording after a person edited
it; who corrects changes words, who condenses or loses half of a file in a sync conflict has far fewer."""

KEPT_TIMES = 0.8
"""Share of the times that we wrote over its paragraphs which must still be there: no passage was taken out."""


def covers(body: str, transcript: Transcript) -> bool:
    """True if a note that a person edited still covers its recording, as far as its length and its times show."""
    if transcript.english:
        body = re.split(rf"^(?:- )?## {IN_ENGLISH}$", body, maxsplit=1, flags=re.MULTILINE)[0]
    spoken = " ".join(s.text for s in transcript.segments if is_speech(s))
    if len(body.split()) < KEPT_WORDS * len(spoken.split()):
        return False
    # A note from before it was known who speaks has fewer paragraphs.
    told = as_told(transcript if TURN.search(body) else replace(transcript, speakers=()))
    for as_before in (False, True):
        parts = paragraphs(told.segments, PAUSE, SECONDS, as_before=as_before)
        said = [p for p in parts if p.left_out is None]
        if said and sum(stamp(p.at) in body for p in said) >= KEPT_TIMES * len(said):
            return True
    return False


def failings(transcript: Transcript) -> list[str]:
    """Why the audio must stay, one sentence each; empty if the transcript passes."""
    found = []
    spoken = [s for s in transcript.segments if is_speech(s) and s.text.strip()]
    if transcript.speech_seconds < SPEECH or not spoken:
        found.append(
            "no words were made out in it, so there is nothing that could stand in for the audio"
            if wordless_seconds(transcript)
            else "no speech was found in it, so there is nothing that could stand in for the audio"
        )
    else:
        covered = _covered(spoken) / transcript.speech_seconds
        if covered < COVERAGE:
            found.append(f"only {covered:.0%} of the speech is transcribed ({COVERAGE:.0%} needed)")
        length = sum(max(0.01, s.end - s.start) for s in spoken)
        sure = sum(s.confidence * max(0.01, s.end - s.start) for s in spoken) / length
        if not sure >= CONFIDENCE:
            found.append(f"mean confidence is {sure:.2f} ({CONFIDENCE} needed)")
        doubtful = sum(max(0.01, s.end - s.start) for s in spoken if s.mark is Mark.LOW_CONFIDENCE) / length
        if doubtful > DOUBTFUL_SHARE:
            found.append(f"{doubtful:.0%} of it is marked as doubtful (at most {DOUBTFUL_SHARE:.0%})")
    if wordless := wordless_seconds(transcript):
        found.append(
            f"somebody speaks for {counted(round(wordless), 'second')} of it, and no words were made out"
        )
    if any(s.mark is Mark.REPETITION for s in transcript.segments) or _loops(spoken):
        found.append("the transcript runs in a loop somewhere")
    if not transcript.language_probability >= LANGUAGE:
        found.append(f"the language is uncertain ({transcript.language_probability:.2f}, {LANGUAGE} needed)")
    if transcript.misheard is Misheard.LANGUAGE:
        found.append("it was heard as English, which it does not look like")
    if transcript.untranslated and not transcript.only_english:
        found.append("it was to be translated into English, and could not be")
    if transcript.truncated:
        found.append("the recording ends before its own declared end")
    if transcript.unreadable_seconds >= UNREADABLE:
        found.append(f"{transcript.unreadable_seconds:.1f} seconds of it could not be read")
    if transcript.parts_unheard:
        found.append(
            f"{transcript.parts_unheard} of its {counted(transcript.parts, 'part')} could not be read"
        )
    if transcript.bytes_unheard:
        found.append(f"{transcript.bytes_unheard:,} bytes behind what was heard could not be read")
    if transcript.tracks_unheard:
        found.append(
            f"{transcript.tracks_unheard} of its {counted(transcript.tracks, 'sound track')} could not be heard"
        )
    if transcript.bad_packets > BAD_PACKETS:
        found.append(f"{counted(transcript.bad_packets, 'packet')} of it could not be decoded")
    return found


_UNSURE = re.compile(r"^(?:mean confidence is |\d+% of it is marked as doubtful )", re.MULTILINE)
"""How `failings` says that hardly anything in a transcript is sure."""


def unsure(failing: str) -> bool:
    """True if a verdict, a sentence a line, says that the words themselves are in doubt."""
    return _UNSURE.search(failing) is not None


def _covered(segments: list[Segment]) -> float:
    """Seconds under at least one segment."""
    total, upto = 0.0, 0.0
    for segment in sorted(segments, key=lambda s: s.start):
        start = max(segment.start, upto)
        if segment.end > start:
            total += segment.end - start
            upto = segment.end
    return total


def _loops(segments: list[Segment]) -> bool:
    words = (" ".join(s.text.casefold().split()) for s in segments)
    return any(len(list(run)) >= REPEATS for _, run in groupby(words))
