"""What is ours in a note whose words a person changed: the day on which its audio goes, the link to the recording, and the
line that says of which recording it is. That is brought up to date, and every other byte stays. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from earmark.notes.encoding import MARK, with_our_lines
from earmark.notes.escape import Dialect, escape_inline
from earmark.notes.frontmatter import body_of, top_of
from earmark.notes.kept_properties import Entry, commented, entries

EXPIRES, RECORDING = "audio_expires", "recording"
"""Properties that say what is so of the file and not what was said in it (before prefix and other names)."""

_EARLIER = "{name} has held another recording since {day}; this is the earlier one."
_TOLD = r"\*[^\n]+ has held another recording since \d{4}-\d\d-\d\d; this is the earlier one\.\*\n"
_SAID = re.compile(rf"{_TOLD}\n|- {_TOLD}")

_FIELD = re.compile(r"^(?P<key>(?:- )?[ \t]*[\w./-]+):: ?(?P<value>[^\n]*)\n", re.M)
"""A property of a Logseq page."""


def earlier_one(name: str, day: str) -> str:
    """What the note of a recording says whose file has other content since that day ("YYYY-MM-DD")."""
    return _EARLIER.format(name=name, day=day)


def says_earlier(raw: str) -> bool:
    """True if the line is there that `up_to_date` puts above the text."""
    return _SAID.match(body_of(with_our_lines(raw))) is not None


def up_to_date(
    raw: str,
    written: str,
    ours: str,
    keys: Collection[str],
    earlier: str | None,
    dialect: Dialect = "obsidian",
) -> str | None:
    """The note as it is (`raw`, with whatever line ends) with these properties as in `ours`, the note as we would write it.

    `written`: the properties as we wrote them, "" where nobody knows; what a person gave another value, or took out, stays.
    `earlier`: the sentence by which it says whose it is, None where its recording is here. None where its lines end in
    different ways, so that nobody could put it together again.
    """
    text = with_our_lines(raw)
    ends = "\r\n" if "\r\n" in raw else "\n"
    mark = MARK if raw.startswith(MARK) else ""
    if mark + text.replace("\n", ends) != raw:
        return None
    top, body = properties_of(top_of(text), written, top_of(ours), keys), body_of(text)
    said = _SAID.match(body)
    body = body[said.end() :] if said is not None else body
    if earlier is not None:
        told = f"*{escape_inline(earlier, dialect)}*\n"
        if told not in body:
            body = (f"- {told}" if dialect == "logseq" else f"{told}\n") + body
    return mark + (top + body).replace("\n", ends)


def properties_of(top: str, written: str, ours: str, keys: Collection[str]) -> str:
    """The properties `top`, with those of `keys` that are as in `written` as they are in `ours`; none is added to them."""
    now, before, new = entries(top), entries(written) if written else None, entries(ours)
    if now is None or new is None or not top.startswith("---"):
        return _fields(top, written, ours, keys)
    if written and before is None:
        return top
    kept = {key: raw for key, (raw, _) in now.items()}
    for key in keys:
        was = before.get(key) if before is not None else now.get(key)
        if key not in kept or _value(now[key]) != _value(was) or _value(was) == _value(new.get(key)):
            continue
        kept[key] = commented(new[key][0] if key in new else "", kept[key])
    opening, closing = top.split("\n", 1)[0], top.rstrip("\n").rpartition("\n")[2]
    return f"{opening}\n{''.join(kept.values())}{closing}{top[len(top.rstrip(chr(10))) :]}"


def _fields(top: str, written: str, ours: str, keys: Collection[str]) -> str:
    """The same for properties of Logseq; one that is not there yet is not added."""
    was = {found["key"].strip("- \t"): found["value"] for found in _FIELD.finditer(written)}
    new = {found["key"].strip("- \t"): found["value"] for found in _FIELD.finditer(ours)}

    def line(found: re.Match[str]) -> str:
        key = found["key"].strip("- \t")
        if key not in keys or (written and found["value"] != was.get(key)) or new.get(key) == found["value"]:
            return found[0]
        return f"{found['key']}:: {new[key]}\n" if key in new else ""

    return _FIELD.sub(line, top)


def _value(entry: Entry | None) -> object:
    return None if entry is None else entry[1]
