"""The transcript in formats that are read line by line: SubRip, WebVTT, plain text, JSON. Pure."""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from earmark.domain import Seconds, Segment, Transcript, is_speech
from earmark.notes.escape import JOINER, clip, normalize
from earmark.notes.paragraphs import paragraphs
from earmark.notes.speakers import called, names_of
from earmark.replacing import before_replacing
from earmark.speaking import as_told
from earmark.translation import in_english

LINE = 42
"""Columns of a subtitle line (BBC and Netflix timed-text guidelines: 37-42); a CJK character takes two."""
LINES = 2
NAME = LINE - 2
"""Columns of a name before what somebody says, so that it stands on one line with its colon."""
LONGEST = 7.0
"""Seconds that one subtitle stays on screen at most (same guidelines)."""
READ = 20
"""Columns that are read in a second (Netflix: 20 characters for adults)."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: milliseconds from the start, one or two lines, and the name of who says them, or ""."""

    start: int
    end: int
    lines: tuple[str, ...]
    name: str = ""


def srt(transcript: Transcript) -> str:
    """SubRip. It has no escape character, so a tag or an arrow in the speech is broken with U+2060.

    It has no field for a speaker either: as in subtitles for the deaf, the first of a turn begins with the name and a
    colon, which players show and editors know, and with a dash where nobody knows who it is. A name stands on one line.
    """
    blocks = []
    for number, cue in enumerate(_cues(transcript, named=True), start=1):
        text = re.sub(r"(?<=[<{])(?=\S)|(?<=--)(?=>)", JOINER, "\n".join(cue.lines))
        blocks.append(f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def vtt(transcript: Transcript) -> str:
    """WebVTT (W3C), with `&`, `<` and `>` as character references. Each cue has its voice (`<v Anna>`), if that is known."""
    blocks = ["WEBVTT\n"]
    for cue in _cues(transcript):
        text, name = (
            words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            for words in ("\n".join(cue.lines), cue.name)
        )
        text = f"<v {name}>{text}" if name else text
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n")
    return "\n".join(blocks)


def txt(transcript: Transcript) -> str:
    """The spoken words, a paragraph per pause or turn, after the name of who says it, without times."""
    names = names_of(transcript)
    said = (
        (called(paragraph.speaker, names), normalize(" ".join(run.text for run in paragraph.runs())))
        for paragraph in paragraphs(as_told(transcript).segments, 2.0, 60.0)
        if paragraph.left_out is None
    )
    return "".join(f"{name}: {text}\n\n" if name else f"{text}\n\n" for name, text in said if text)[:-1]


def as_json(transcript: Transcript) -> str:
    """Everything that is known, with what was not speech apart in `left_out`. Times are seconds.

    Where it is known who speaks, `speakers` are the names by number, from 1 ("": without a name), and each segment has its
    `speaker` (0: nobody knows) and whether it is `overlapped`; they are guesses where `speakers_unsure` says so. A segment
    that a person corrected, or in which words were `replaced` by the configuration, has what was `heard` beside its `text`.
    Where it was measured when each word is said, a segment that nobody corrected has its `words`; elsewhere nobody knows.
    """
    speakers = bool(transcript.speakers)
    said = [s for s in transcript.segments if is_speech(s)]
    other = [s for s in transcript.segments if not is_speech(s)]
    document = {
        "earmark_id": transcript.recording_id,
        "language": transcript.language,
        "languages": [*transcript.languages],
        "language_probability": round(transcript.language_probability, 4),
        "duration": transcript.duration,
        "declared_duration": transcript.declared_duration,
        "speech_seconds": transcript.speech_seconds,
        "truncated": transcript.truncated,
        "bad_packets": transcript.bad_packets,
        "tracks": transcript.tracks,
        "tracks_unheard": transcript.tracks_unheard,
        "misheard": transcript.misheard,
        "parts": transcript.parts,
        "parts_unheard": transcript.parts_unheard,
        "bytes_unheard": transcript.bytes_unheard,
        "unreadable_seconds": transcript.unreadable_seconds,
        "loudest": transcript.loudest,
        "recorded_at": transcript.recorded_at,
        "engine": transcript.engine,
        "model": transcript.model,
        "text": normalize(" ".join(s.text for s in said)),
        "segments": [_segment(s, speakers) for s in said],
        "left_out": [_segment(s, speakers) for s in other],
    }
    if speakers or transcript.speakers_unsure:
        names = [normalize(name) for name in transcript.speakers]
        document |= {"speakers": names, "speakers_unsure": transcript.speakers_unsure}
    if transcript.to_english:
        english = [s for s in transcript.english if is_speech(s)]
        document |= {
            "english": [_segment(s, speakers) for s in english],
            "english_left_out": [_segment(s, speakers) for s in transcript.english if not is_speech(s)],
            "english_text": normalize(" ".join(s.text for s in in_english(transcript) if is_speech(s))),
            "untranslated": transcript.untranslated,
        }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _segment(segment: Segment, speakers: bool) -> dict[str, object]:
    who = {"speaker": segment.speaker, "overlapped": segment.overlapped} if speakers else {}
    begins = [*(at for _, _, at in segment.words), len(segment.text)]
    words = [
        {"start": start, "end": end, "text": normalize(segment.text[first:last])}
        for (start, end, _), (first, last) in zip(segment.words, pairwise(begins), strict=True)
    ]
    return (
        {
            "start": segment.start,
            "end": segment.end,
            "text": normalize(segment.text),
            "confidence": round(segment.confidence, 4),
            "mark": str(segment.mark) if segment.mark else None,
        }
        | ({"language": segment.language} if segment.language else {})
        | _as_heard(segment)
        | ({"words": words} if words and segment.heard is None else {})
        | who
    )


def _as_heard(segment: Segment) -> dict[str, object]:
    """What was heard, where something else is written, and what of it the configuration replaced."""
    if segment.replaced:
        pairs = [{"heard": normalize(heard), "written": normalize(now)} for _, heard, now in segment.replaced]
        return {"heard": normalize(before_replacing(segment)), "replaced": pairs}
    return {} if segment.heard is None else {"heard": normalize(segment.heard)}


def _cues(transcript: Transcript, *, named: bool = False) -> Iterator[Cue]:
    """Speech as subtitles in order, none overlapping the next, none empty, none longer than it should be, and none of two
    speakers. `named`: the first of a turn begins with who says it.

    Of two sides that talk at once the later one waits until what the other says can be read.
    """
    names = names_of(transcript)
    said = sorted((s for s in as_told(transcript).segments if is_speech(s)), key=lambda s: s.start)
    free_from, before = 0, 0
    for index, segment in enumerate(said):
        text, name = normalize(segment.text), called(segment.speaker, names)
        who = ""
        if text and named and segment.speaker != before:
            who = f"{_shortened(name)}:" if name else "-"
        before = segment.speaker if text else before
        pages = _pages(text, segment.end - segment.start, who)
        start = max(round(segment.start * 1000), free_from)
        weights = [sum(map(_width, page)) or 1 for page in pages]
        length = round((segment.end - segment.start) * 1000)
        readable = start + max(len(pages), min(length, sum(weights) * 1000 // READ))
        end = max(round(segment.end * 1000), readable)
        if index + 1 < len(said):
            end = max(min(end, round(said[index + 1].start * 1000)), readable)
        at, done = start, 0
        for page, weight in zip(pages, weights, strict=True):
            done += weight
            until = max(start + (end - start) * done // sum(weights), at + 1)
            yield Cue(at, until, page, name)
            at = until
        free_from = at


def _pages(text: str, seconds: Seconds, who: str = "") -> list[tuple[str, ...]]:
    """The words of one segment, one or two lines at a time. `who`: what stands before them, in one piece."""
    if not text:
        return []
    text = f"{who.replace(' ', _IN_ONE)} {text}" if who else text
    columns = _width(text)
    wanted = max(-(-columns // (LINE * LINES)), int(seconds / LONGEST) + 1)
    # A long segment of few words is spread over narrower lines, so that no subtitle stays for too long.
    column = LINE if wanted == 1 else max(LINE // 3, min(LINE, -(-columns // (wanted * LINES))))
    column = max(column, _width(who))
    lines = _wrapped(text, column)
    # Where the last word stands alone on a page of its own, somewhat longer lines have room for it.
    while len(lines) > wanted * LINES and column < LINE:
        column += 1
        lines = _wrapped(text, column)
    return [tuple(lines[i : i + LINES]) for i in range(0, len(lines), LINES)]


_IN_ONE = "\u00a0"
"""Stands for a space at which no line ends; `normalize` leaves none in a text."""


def _wrapped(text: str, column: int) -> list[str]:
    lines = textwrap.wrap(text, max(1, column * len(text) // _width(text)), break_on_hyphens=False)
    return [line.replace(_IN_ONE, " ") for line in lines]


def _shortened(name: str) -> str:
    short = clip(name, NAME)
    return short if _width(short) <= NAME else clip(name, NAME // 2)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _clock(milliseconds: int, point: str) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{thousandths:03}"
