"""Lines that earmark itself writes into a note, above a transcript and around a summary. Pure.

A person who changes words leaves lines there that the note needs no more - what marks mean, when the last mark has gone - or
that are of an earlier hearing. Unchanged they are nobody's but ours, so each is known by its wording, whatever it counts.
"""

from __future__ import annotations

import re

from earmark.notes.escape import JOINER
from earmark.notes.labels import HEADINGS, IN_ENGLISH
from earmark.notes.notices import NO_SPEECH, NOBODY_NAMED, OVERLAPPED, UNSURE, UNSURE_ENGLISH

_MOST = 4_000
"""Characters of a line that may be ours: names of models and rules are in some, and paths."""

_N = r"[\d,.]+"
_TIME = r"[\d:]+"
_PATTERNS = (
    # damage.py
    rf"The recording breaks off: the file (?:announces {_TIME}, and {_TIME} of it could be read"
    rf"|ends early, after {_TIME})\.",
    rf"The file is {_N} recordings? one after the other; {_N} of them could not be read and (?:was|were) left out\.",
    rf"The file has {_N} bytes behind what was heard, in which no sound was found: half of a copy, perhaps\.",
    rf"{_N} of the {_N} sound tracks of the file (?:was|were) not heard\. Left out is what cannot be decoded here, and"
    r" another version of what was heard \(in another language, with a commentary\)\.",
    rf"Somebody speaks for {_N} seconds? of it, and no words were made out there\.",
    rf"The file is damaged: {_N} (?:seconds|pieces?) of it could not be read, so words may be missing\.",
    r"What could be heard of it is silent\.",
    r"The recording is silent: a microphone that was muted, or another than the one that was spoken into\.",
    rf"Very quiet \(-?{_N} dB\): the recording was made louder to hear it, and words may be missing\. Record closer to the"
    r" microphone, or set its level higher\.",
    r"Hardly any of these words is sure, so there is no summary of them\.",
    r"This does not look like English, (?:and the model .+ knows nothing else: what it wrote|which it was heard as: what was"
    r" written) is probably not what was said\.(?: (?:To hear it again|If it is in another language, say so) .+ then earmark"
    r" retry FILE\.)?",
    r"(?:Nothing was|This could not be) translated into English(?:: the model| by the model) .+ earmark models download .+"
    r" then earmark retry FILE\.",
    rf"Which language this is in is not sure \(.+ by {_N}%\)\. If it is another, say so .+ then earmark retry FILE\.",
    # drafts.py, render.py, note_facts.py, our_properties.py
    r"This is a draft\. A better version follows .+, and takes the place of this note unless you have changed it\.",
    r"Translated by the speech model(?: .+)? on this device\. Compare with what was said before you quote\.",
    r"The audio is not here any more\.",
    r".+ has held another recording since \d{4}-\d\d-\d\d; this is the earlier one\.",
    r"The audio (?:was deleted|went to the (?:system's )?trash) on \d{4}-\d\d-\d\d by the rule .+\.",
    # notices.py, and the last line of a summary
    rf"Much of this recording was hard to hear \(confidence {_N}\): listen before you quote\.",
    rf"{_N} statements? (?:was|were) left out because the recording does not bear them out\.",
    rf"The summary rests on {_N}% of what was said(?:; it has not seen .+)?\.",
    r"(?:Sentences picked from the .+ as they were heard, without what only fills time|Summed up from the .+ by ).*\.",
)  # fmt: skip
_OURS = re.compile("|".join(_PATTERNS))
_FIXED = frozenset((NO_SPEECH, NOBODY_NAMED, UNSURE, UNSURE_ENGLISH, OVERLAPPED))
_HEADINGS = HEADINGS | {f"## {IN_ENGLISH}"}
_MARKUP = re.compile(rf"[\\`{JOINER}]")
_BULLET = re.compile(r"(?:- )?(?P<star>\*?)(?P<said>.*?)(?P=star)", re.S)


def is_own(line: str) -> bool:
    """Whether earmark writes such a line into its notes, in any of their forms."""
    if len(line) > _MOST:
        return False
    found = _BULLET.fullmatch(_MARKUP.sub("", line.strip()))
    said = found["said"] if found is not None else line
    return said in _FIXED or said in _HEADINGS or _OURS.fullmatch(said) is not None
