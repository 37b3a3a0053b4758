"""What a person has set before the time of a turn, or right behind it: who speaks, or something that is no name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


_BEHIND = re.compile(
    r"\s*(?:(?P<bold>\*\*\*|\*\*|__|<b>|<strong>)(?P<strong>[^*_<>:\n]{1,80})(?P<in>:)?(?:\*\*\*|\*\*|__|</b>|</strong>)(?(in)|:)"
    r"|[*_]?(?P<plain>[^\W\d_][^*_<>:\[\]\n]{0,79})(?::[*_]?|[*_]:))(?=\s|$)"
)
"""Who speaks, as a person writes it behind the time: in bold, in italics or plain, with a colon."""


def name_behind(text: str, heard: Sequence[str]) -> tuple[str, str]:
    """The name with which a text behind a time begins, and what is behind that; ("", the text) if it begins with none.
    `heard`: the words that were heard there. What was heard is no name; what is not in bold is one only where what was heard
    follows on it, and it is written like a name.
    """
    found = _BEHIND.match(text)
    name = name_before(found["strong"] or found["plain"]) if found is not None else ""
    if found is None or not name:
        return "", text
    words, first = _bare(name.split()), _bare(heard[: len(name.split())])
    rest = text[found.end() :]
    if words == first:
        return "", text
    if found["bold"] is None:
        following = _bare([word.text for word in read_back(rest).words[:1]])
        capitals = all(word[0].isupper() for word in name.split())
        if not capitals or not following or following != _bare(heard[:1]):
            return "", text
    return name, rest


def _bare(words: Sequence[str]) -> list[str]:
    return [re.sub(r"\W+", "", word).casefold() for word in words]
