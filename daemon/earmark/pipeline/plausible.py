"""What a worker says is compared with what can be: a worker is an enemy once it has opened a file. Pure.

`messages` bounds each field; here is what needs to know the recording, or what was said of it before. Each function
returns what cannot be, as the end of "the worker said ...", or None.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from struct import iter_unpack

from earmark.domain import Mark, Point, Segment, Summary
from earmark.messages import Failed, Finished, Heard, Stretch, Summarized, ToldApart, VoicePrint
from earmark.speaking import Turn

LONGEST_STEP = 180.0
"""Seconds of a recording between two checkpoints at most; a window is 60 s (`transcription/windows.py`)."""

SLACK = 1.0
"""Seconds by which times may be off: they are rounded, and a decoder's last block may be short."""

LONGEST_SENTENCE = 30_000
"""Characters of one segment: 448 tokens, the longest answer of Whisper's decoder, of up to 64 characters."""

MOST_AT_ONCE = 64_000
CHARACTERS_PER_SECOND = 100.0
CHARACTERS_PER_BYTE = 2.0
"""What a recording may have of words: so many in the beginning, and so many for each second up to where it is heard, and for
each byte of the file. The fastest speech has about 30 a second, a model that has got into a loop about 90; a second
of speech has 87 bytes at least (Codec2 at 700 bit/s). How long it is only the worker says; how large it is we know.
"""

CHECKPOINTS_AT_ONCE, CHECKPOINTS_PER_SECOND = 100, 2.0
SEGMENTS_AT_ONCE, SEGMENTS_PER_SECOND, SEGMENTS_PER_BYTE = 2_000, 5.0, 0.05
"""The same for checkpoints, of which each but the last gets at least a second further (`transcription/timestamps.py`), and
for segments, which are at least as long as a token of time, 0.02 s, and honestly some seconds."""

WINDOWS_PER_SECOND, PIECES_PER_WINDOW = 0.2, 600
"""What may be found of voices: a window each 5 s, and in it a piece for each of 589 frames (`diarization/segmentation.py`).
"""

TURNS_AT_ONCE, TURNS_PER_SECOND = 1_000, 20.0
"""Turns that a recording may have: so many, and so many for each second. People who interrupt one another all the time take
one or two a second; what joins turns to words takes seconds for as many as this."""

MOST_TOGETHER = 40
"""Turns that may overlap; there are at most 20 people (`speaking.MOST_PEOPLE`), who take one at a time."""

SIZES = range(4, 4 * 1024 + 1, 4)
"""Bytes of a voice's print: float32, and as many of them as a stretch may have."""

LANGUAGE = re.compile(r"[a-z]{2,3}")

MORE_SPEECH = "more speech than there is sound"

LOCALITIES = ("device", "unverified", "lan", "cloud")
WRITERS = ("", "extractive", "model")
"""Who a line of a summary may be by (`domain.Point`)."""
LONGEST_NAME = 300

LONGEST_FAILURE = 1_000
"""Characters of the sentence about a recording; those about the machine may quote long paths, and come before any."""

LONGEST_TEXT = 6_000
MOST_ENTRIES = 500
MOST_TEXT = 300_000
"""Characters of one entry of a summary, its entries, and its characters in all; its own limits are a tenth of that
(`summarization/answer.py`, `chat.py`)."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How many segments there are, and their characters."""

    segments: int = 0
    characters: int = 0

    def plus(self, segments: Collection[Segment]) -> Amount:
        return Amount(self.segments + len(segments), self.characters + sum(len(s.text) for s in segments))

    def cannot_be(self, seconds: float, size: int) -> bool:
        """True if it is more than the first `seconds` of a recording of `size` bytes can hold."""
        most = min(CHARACTERS_PER_SECOND * seconds, CHARACTERS_PER_BYTE * size)
        most_segments = min(SEGMENTS_PER_SECOND * seconds, SEGMENTS_PER_BYTE * size)
        return self.characters > MOST_AT_ONCE + most or self.segments > SEGMENTS_AT_ONCE + most_segments


@dataclass(slots=True)
class Told:
    """What was said of one recording of `size` bytes: up to which second, and how much; in earlier attempts, too.
    `checkpoints` are those of one attempt, from `start` on. `english`: the same of what is said in English beside it; None
    where nobody asked for that.
    """

    start: float
    size: int
    upto: float = field(init=False)
    begun: bool = False
    checkpoints: int = 0
    segments: int = 0
    characters: int = 0
    english: Amount | None = None

    def __post_init__(self) -> None:
        self.upto = self.start


def implausible_started(told: Told | ToldOf) -> str | None:
    """It begins once; saying so again and again would be a sign of life without end."""
    if told.begun:
        return "that it has begun, twice"
    told.begun = True
    return None


def implausible_heard(message: Heard, told: Told, max_seconds: float) -> str | None:
    """Times lie in the recording and go forward; words are as many as somebody can say. Counts them if so."""
    if message.upto < told.upto or message.upto > told.upto + LONGEST_STEP:
        return "it has heard what does not follow on what it had heard"
    if message.upto > max_seconds + LONGEST_STEP:
        return "the recording is longer than it may be"
    if message.speech_seconds > message.upto - told.start + LONGEST_STEP:
        return MORE_SPEECH
    if any(segment.mark is Mark.UNTRANSLATED for segment in message.segments):
        return "that what was said is no translation"
    if message.english and told.english is None:
        return "English that nobody asked for"
    for segment in (*message.segments, *message.english):
        if not _in_order(segment, told.upto - SLACK, message.upto + SLACK):
            return "words at a time that is not in the recording"
        if segment.language and not LANGUAGE.fullmatch(segment.language):
            return "a language that is none"
        if len(segment.text) > LONGEST_SENTENCE:
            return "a sentence that nobody can have said"
        if segment.speaker or segment.overlapped:
            return "who speaks, which nobody asked it"
        if not _words_in_order(segment):
            return "times of words that cannot be its words'"
    if any(segment.words for segment in message.english):
        return "when words are said that nobody said"
    got, checkpoints = message.upto, told.checkpoints + 1
    said = Amount(told.segments, told.characters).plus(message.segments)
    english = told.english.plus(message.english) if told.english is not None else None
    if checkpoints > CHECKPOINTS_AT_ONCE + CHECKPOINTS_PER_SECOND * (got - told.start):
        return "again and again that it has heard something, and got nowhere"
    if any(amount is not None and amount.cannot_be(got, told.size) for amount in (said, english)):
        return "more words than the recording can hold"
    told.upto, told.checkpoints, told.english = got, checkpoints, english
    told.segments, told.characters = said.segments, said.characters
    return None


def implausible_finished(message: Finished, told: Told) -> str | None:
    """The end is where it was heard up to."""
    # The decoder may find the last samples to be none, or leave out what lies behind the limit.
    if abs(message.duration - told.upto) > LONGEST_STEP:
        return "the recording ends where it has not been heard"
    if message.speech_seconds > message.duration + LONGEST_STEP:
        return MORE_SPEECH
    if message.tracks_unheard > message.tracks:
        return "more sound tracks not heard than there are"
    if message.parts_unheard >= max(1, message.parts):
        return "as many parts not heard as there are"
    if message.bytes_unheard > told.size:
        return "more bytes not heard than the file has"
    return None


@dataclass(slots=True)
class ToldOf:
    """What was said of the voices in a recording of so many seconds: how many windows, and up to which second."""

    duration: float
    windows: int = 0
    upto: float = 0.0
    begun: bool = False


def implausible_stretch(message: Stretch, told: ToldOf) -> str | None:
    """It follows on the one before, and lies in the recording; prints are as many as pieces. Counts it if so."""
    last = told.duration + LONGEST_STEP
    if message.windows <= told.windows or not told.upto <= message.upto <= last:
        return "what it found of voices that does not follow on what it had found"
    if message.windows > last * WINDOWS_PER_SECOND + 1:
        return "that it has found voices in more sound than there is"
    if len(message.pieces) + len(message.both) > PIECES_PER_WINDOW * (message.windows - told.windows):
        return "of more speech than there is sound"
    if any(not start <= end <= last for start, end, *_ in (*message.pieces, *message.both)):
        return "that somebody speaks at a time that is not in the recording"
    if len(message.prints) != -(-2 * message.size * len(message.pieces) // 3) * 4:
        return "of other voices than those that speak"
    told.windows, told.upto = message.windows, message.upto
    return None


def implausible_turns(message: ToldApart, duration: float, *, voices: bool = False) -> str | None:
    """Turns in a recording of so many seconds. `voices`: their prints were asked for."""
    last, people = duration + SLACK, set()
    if len(message.turns) > TURNS_AT_ONCE + TURNS_PER_SECOND * duration:
        return "that people take more turns than they can"
    for turn in message.turns:
        if not 0.0 <= turn.start <= turn.end <= last:
            return "that somebody speaks at a time that is not in the recording"
        if not 1 <= turn.speaker <= message.people:
            return "that somebody speaks who is nobody"
        people.add(turn.speaker)
    if any(after.start < before.start for before, after in pairwise(message.turns)):
        return "that people speak in no order"
    if _together(message.turns) > MOST_TOGETHER:
        return "that more people speak at once than there are"
    if len(message.voices) not in ((0, message.people) if voices else (0,)):
        return "of other voices than those that it was asked for"
    if not _are_prints(message.voices):
        return "of voices that are none"
    return "of more people than speak" if len(people) < message.people else None


def implausible_summary(message: Summarized, recording_id: str, template: str, duration: float) -> str | None:
    """It is of this recording, by the template that was asked for, and no larger than a summary is."""
    summary = message.summary
    if summary.recording_id != recording_id:
        return "a summary of another recording"
    if summary.template != template:
        return "a summary by another template"
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in _names(summary)):
        return "a summary with a name that is none"
    if summary.locality not in LOCALITIES:
        return "a summary that was made nowhere"
    if not {*(p.by for p in _points(summary)), *(task.by for task in summary.tasks)} <= {*WRITERS}:
        return "a summary with a line by somebody else"
    entries = list(_entries(summary))
    if len(entries) > MOST_ENTRIES or sum(map(len, entries)) > MOST_TEXT:
        return "a summary that is longer than one can be"
    if any(len(text) > LONGEST_TEXT for text in entries):
        return "a summary with a sentence that is longer than one can be"
    if not 0.0 <= summary.coverage <= 1.0 or not 0 <= summary.unsupported <= 1_000_000:
        return "a summary with a share that is none"
    last = duration + SLACK
    cited = [*(p.at for p in _points(summary)), *(task.at for task in summary.tasks)]
    if any(at is not None and not 0.0 <= at <= last for at in cited):
        return "a summary that cites a time that is not in the recording"
    if len(summary.missing) > MOST_ENTRIES or any(not 0.0 <= a <= b <= last for a, b in summary.missing):
        return "a summary that leaves out what is not in the recording"
    return None


def implausible_failure(message: Failed) -> str | None:
    """Its sentence is one."""
    if len(message.sentence) > LONGEST_FAILURE:
        return "a sentence that is longer than one can be"
    if len(message.model) > LONGEST_NAME or not message.model.isprintable():
        return "a model with a name that is none"
    if not any(char.isalnum() for char in message.sentence):
        return "a sentence without a word"
    return None


def _together(turns: Sequence[Turn]) -> int:
    """How many turns, in order of their beginnings, overlap at most."""
    ends = sorted(turn.end for turn in turns)
    return max((n + 1 - bisect_right(ends, turn.start) for n, turn in enumerate(turns)), default=0)


def _are_prints(voices: Iterable[VoicePrint]) -> bool:
    """Whether voices are finite numbers, as many of them in each."""
    sizes = set()
    for voice in voices:
        try:
            numbers = b64decode(voice.print, validate=True)
        except ValueError:
            return False
        if len(numbers) not in SIZES or not all(math.isfinite(n) for (n,) in iter_unpack("<f", numbers)):
            return False
        sizes.add(len(numbers))
    return len(sizes) < 2


def _in_order(segment: Segment, first: float, last: float) -> bool:
    return first <= segment.start <= segment.end <= last and 0.0 <= segment.confidence <= 1.0


def _words_in_order(segment: Segment) -> bool:
    """Each word begins within the segment and its text, and behind the one before."""
    now, last = segment.start - SLACK, -1
    for start, end, at in segment.words:
        if not now <= start <= end <= segment.end + SLACK or not last < at < len(segment.text):
            return False
        now, last = start, at
    return True


def _names(summary: Summary) -> Iterable[str]:
    """What is shown without a recording's words around it."""
    yield from (
        summary.by,
        summary.model,
        summary.made_at,
        summary.language,
        *summary.extra,
    )


def _points(summary: Summary) -> Iterable[Point]:
    yield from (*summary.key_points, *summary.decisions, *summary.open_questions, *summary.jump_marks)
    for points in summary.extra.values():
        yield from points


def _entries(summary: Summary) -> Iterable[str]:
    """Every text of a summary, its own headings too."""
    yield from (summary.title, summary.overview, *summary.people, *summary.tags, *summary.extra)
    for point in _points(summary):
        yield from (point.text, *point.flagged)
    for task in summary.tasks:
        yield from (task.text, *task.flagged, task.owner or "", task.due or "")
