"""What earmark's own words mean, for somebody who has never seen them: rules, classes, times, sizes. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import ValidationError

from earmark.config.duration import Duration
from earmark.config.retention import RetentionRule
from earmark.files import counted, named
from earmark.retention.overdue import (
    FAILED,
    NEW_RULES,
    NEXT_SWEEP,
    NO_DAEMON,
    NOT_IN_TRASH,
    OTHER_RULES,
    STOPPED,
    TRASH_AWAY,
)

WHAT = {
    "audio": "recording",
    "failed": "recording that could not be transcribed",
    "transcript": "transcript",
    "summary": "summary",
    "sidecar": "subtitles or data",
    "voiceprints": "stored voices",
    "index": "search index",
}
"""What one file of a class is called."""

CLASSES = {
    "audio": "Recordings",
    "failed": "Recordings that could not be transcribed",
    "transcript": "Transcripts (what was said, in writing)",
    "summary": "Summaries",
    "sidecar": "Subtitles and data files of transcripts",
    "voiceprints": "Stored voices of speakers",
    "index": "Search index (the words of transcripts once more)",
}

_MANY = {
    "audio": "recordings",
    "failed": "recordings that could not be transcribed",
    "transcript": "transcripts",
    "summary": "summaries",
    "sidecar": "subtitles and data files",
    "voiceprints": "stored voices",
    "index": "the search index",
}

_DONE = {"failed": "its transcription failed", "voiceprints": "they were stored"}
"""When the clock of a class starts, where that is not when all of a recording is done."""

_PART = re.compile(r"(\w+): (.*?)(?: \((class|folder|item|tag .*)\))?", re.DOTALL)
_SAYS = re.compile(r"(\w+)(?: (\w+))?( from its recording)?")
_SCOPES = {
    "class": "the general rule for {}",
    "folder": "the rule of its folder for {}",
    "item": "a rule for this one recording",
}


def one_line(text: object) -> str:
    """A name or sentence as one line in which everything can be seen: controls and marks of direction are spelled out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in named(str(text)))


def iso(instant: float | None) -> str | None:
    """ISO 8601 to the second, with the offset of this machine's zone at that time; None for a time in no calendar."""
    if instant is None:
        return None
    try:
        return datetime.fromtimestamp(instant).astimezone().isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None


def shown(time: str | None) -> str:
    """`2026-03-05 23:30:00 +01:00` of an ISO time; "" for none."""
    if time is None or "T" not in time:
        return time or ""
    day, clock = time.split("T", 1)
    return f"{day} {clock[:8]} {clock[8:]}".strip()


def count_of(count: int, one: str) -> str:
    """`1 file`, `1,200 files`."""
    return counted(count, one)


def size_of(count: int) -> str:
    """`3,004 bytes`, `1,500,000 bytes (1.5 MB)`; powers of 1000."""
    exact = counted(count, "byte")
    for unit, power in (("TB", 4), ("GB", 3), ("MB", 2), ("kB", 1)):
        if count >= 10 * 1000**power or (power > 1 and count >= 1000**power):
            return f"{exact} ({count / 1000**power:,.1f} {unit})"
    return exact


def span_of(span: Duration) -> str:
    """`1 year, 6 months`, `30 days`."""
    parts = ((span.years, "year"), (span.months, "month"), (span.days, "day"), (span.hours, "hour"))
    return ", ".join(counted(n, unit) for n, unit in parts if n) or "no time"


def rule_in_words(rule: RetentionRule, about: str) -> str:
    """`kept for 30 days after the recording was transcribed and summarized, then deleted`."""
    if rule.empty:
        return "no rule: kept without end"
    if rule.never:
        return "never deleted by a rule"
    done = _DONE.get(about, "the recording was transcribed and summarized")
    keeps = []
    if rule.keep_for is not None:
        since = "the date of the recording" if rule.count_from == "recorded" else done
        keeps.append(f"for {span_of(rule.keep_for)} after {since}")
    if rule.keep_last:
        keeps.append(f"while it is among the newest {rule.keep_last} of its folder")
    if rule.keep_within_size:
        keeps.append(
            f"while the newest of its folder are no more than {size_of(rule.keep_within_size)} in all"
        )
    for count, unit in (
        (rule.keep_daily, "day"),
        (rule.keep_weekly, "week"),
        (rule.keep_monthly, "month"),
    ):
        if count:
            some = counted(count, f"{unit} that has any", f"{unit}s that have any")
            keeps.append(f"while it is the newest of one of the last {some}")
    if not keeps:
        return f"deleted as soon as {done}"
    return f"kept {' and '.join(keeps)}, then deleted"


def rule_text_in_words(text: str, *, tags: bool) -> str | None:
    """The rule that a receipt names, in words; None if it is not written as earmark writes one. `tags`: name them."""
    said = []
    for part in text.split("; "):
        found = _PART.fullmatch(part)
        rule = _parsed(found[2]) if found else None
        if found is None or rule is None or found[1] not in WHAT:
            return None
        tag = f" {one_line(found[3][4:])}" if tags and found[3] else ""
        scope = _SCOPES.get(found[3] or "class", "").format(_MANY[found[1]]) or (
            f"the rule for {_MANY[found[1]]} with {'the' if tag else 'a certain'} tag{tag}"
        )
        said.append(f"{rule_in_words(rule, found[1])} ({scope})")
    return "; and ".join(said)


def _parsed(text: str) -> RetentionRule | None:
    """A rule out of `keep_for 30d, keep_last 5`."""
    fields: dict[str, object] = {}
    for part in text.split(", "):
        found = _SAYS.fullmatch(part)
        if found is None:
            return None
        name, value, since = found.groups()
        if name not in RetentionRule.model_fields or name == "count_from":
            return None
        fields[name] = True if value is None else value
        if since:
            fields["count_from"] = "recorded"
    try:
        return RetentionRule.model_validate(fields)
    except ValidationError:
        return None


WAITS = (
    (NEXT_SWEEP, "earmark looks once a day, and takes them the next time"),
    (
        NO_DAEMON,
        "earmark was not running when this document was made, and nothing is deleted while it is not",
    ),
    (
        STOPPED,
        "earmark stopped its last daily run before it deleted anything, and waits for a person to look",
    ),
    (
        NEW_RULES,
        "the rules are new, and earmark shows for some hours what they would take before it takes it",
    ),
    (OTHER_RULES, "earmark was running with other rules than those that are written down now"),
)
"""By how the reason begins for which nothing is taken at the moment, what it means."""

KEEPS = (
    ("quality gate", "its transcript is not good enough to stand in for it"),
    ("held by its own rule", "a rule for this one recording keeps it"),
    ("held by `keep", "its note says that it is to be kept"),
    ("held by", "somebody laid a marker into its folder that holds all that is in it"),
    ("held, as long as", "a marker may hold it that nobody can look for at the moment"),
    (
        "held: the ledger was damaged",
        "earmark's records were damaged, and nothing is deleted until a person has looked",
    ),
    ("held", "a person holds it"),
    ("edited by you", "a person has edited it, and then no rule deletes it"),
    ("its drop folder is not watched", "its folder is not watched any more"),
    ("its drop folder is not there", "its folder cannot be found at the moment"),
    ("it is not there", "it is not where it was any more: earmark did not delete it"),
    ("it has changed since", "the file has changed since it was transcribed"),
    ("its content is not what", "the file has changed since it was transcribed"),
    ("it cannot be read", "the file cannot be read"),
    ("it is in iCloud only", "it is stored in a cloud only, where nobody can see whether it is the same"),
    ("it is being erased", "it is being erased at this moment"),
    ("it waits for its better", "a better transcription is still to come"),
    ("its transcription is not", "its transcription is not finished"),
    ("who says what", "its transcription is not finished"),
    ("its summary is not", "its summary is not finished"),
    ("not all of its notes", "not all of its notes are written"),
    ("its notes are behind", "not all of its notes are written"),
    ("dated in the future", "its date lies in the future"),
    (FAILED, "earmark tried to take it, and the computer's disk did not let it"),
    (TRASH_AWAY, "the disk that the trash is on is not there at the moment"),
    (NOT_IN_TRASH, "somebody took it out of the trash"),
)
"""By how a reason of the plan begins, the first that fits: what it means, without any name in it."""


def keeps_in_words(reason: str, *, coded: bool) -> str:
    """Why a file stays, for who has never seen earmark; `coded`: without what a person wrote."""
    words = next((words for begin, words in (*KEEPS, *WAITS) if reason.startswith(begin)), None)
    if words is None:
        return "another reason, which may hold a name and is not shown here" if coded else one_line(reason)
    said = reason.removeprefix("held: ")
    if words == "a person holds it" and said != reason and not coded:
        return f"{words}: {one_line(said)}"
    return words
