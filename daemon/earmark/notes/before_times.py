"""What a person has set before the time of a turn: who speaks, or something that is no name. Pure."""

from __future__ import annotations

import re

from earmark.notes.escape import normalize
from earmark.notes.runs import read_back

LONGEST = 60
"""Characters of a name before a time."""

MOST_WORDS = 6
"""Words of a name before a time; more are a remark."""

_AROUND = " *_=~`,;:|–—-"
"""What stands around a name and is none of it."""
_IN_BRACKETS = re.compile(r"\((?P<round>[^()]+)\)|\[(?P<square>[^\[\]]+)\]")
_SENTENCE = re.compile(
    r"[!…。！？]|\?(?!\))"
    r"|(?<!\b\w)(?<!\b[^\W\d_a-z]\w)(?<!\b[^\W\d_a-z]\w\w)(?<!\b[^\W\d_a-z]\w{3})\.(?= )"  # no Dr., Prof. or J.
    r"|(?<!\b\w)(?<!\b[JS]r)\.$"
)
"""Where a sentence ends."""


def name_before(text: str) -> str:
    """The name for which a text before a time stands, as a reader sees it; "" if it stands for none."""
    shown = normalize(" ".join(word.text for word in read_back(text).words)).strip(_AROUND)
    inner = _IN_BRACKETS.fullmatch(shown)
    name = (inner["round"] or inner["square"]).strip(_AROUND) if inner else shown
    if len(name) > LONGEST or len(name.split()) > MOST_WORDS or _SENTENCE.search(name):
        return ""
    return name if any(char.isalpha() for char in name) else ""
