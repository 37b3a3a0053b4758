"""The answers of verbs that look at recordings and at the daemon."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from earmark.cli.answers.parts import Answer, Moment, Part, Text, key
from earmark.report import Queue, Report


class Line(Part):
    path: Text = key("A file, a folder, or the name of what is meant, such as `[disk]`.")
    reason: Text = key("A sentence.")
    since: Moment = key("Since when.", None)


def _daemon() -> type[Part]:
    """The daemon's own account as its file has it (report.py), with its times as ISO 8601."""
    fields: dict[str, Any] = {
        name: (Moment if name in ("started_at", "next_sweep") else field.annotation, field.get_default())
        for name, field in Report.model_fields.items()
    }
    return create_model("Daemon", __base__=Part, __doc__=Report.__doc__, **fields)


Daemon = _daemon()


class StatusAnswer(Answer):
    """What is being done, what waits and why, what failed, what is wrong. With `--watch` one whenever it has changed."""

    running: bool = key("Whether a daemon runs.")
    daemon: Text | None = key("Who it is.")
    report: Daemon | None = key("The running daemon's own account, or that of the one that ran last.")  # type: ignore[valid-type]
    counts: dict[str, int] = key("`recordings`, each of which is one of `transcribed`, `waiting`, `failed`.")
    queue: Queue | None = key(
        "What is to be heard; null if nothing is. `left`: seconds, null while nothing was measured."
    )
    waiting: list[Line] = key("What waits, for what comes next.")
    failed: list[Line] = key("What failed.")
    wants_better_summary: list[Line] = key("What has an extractive summary and waits for a better one.")
    edited: list[Line] = key(
        "Notes that a person changed. `since`: when they saved it last; null if a version of earmark's took its place since."
    )
    troubles: list[Line] = key("What is wrong right now.")
    last_sweep: Line | None = key("The last sweep: `path` is its outcome, `reason` its sentence.")
    next_sweep: Moment = key("When the next one comes.")
    outdated_summaries: int = key("Summaries by another template or model than is configured.")
    untaken: dict[str, int] = key("Files that were not taken, by reason.")
    not_whole: int = key("Recordings that were not heard whole.")
    not_understood: dict[str, int] = key(
        "Recordings that do not look like English, by the model that heard them so."
    )
    not_translated: dict[str, int] = key("Recordings that could not be translated, by model.")
    very_quiet: int = key("Recordings that are very quiet, and not silent.")
    silent: int = key("Recordings in which nothing at all can be heard.")
    wordless: int = key("Recordings in which somebody speaks for a while and no words were made out.")
    wordless_seconds: float = key("For how long in all of them.")
    drafts: int = key("Transcripts that wait for a better one.")
    drafts_wait: Text = key("For what they wait.")
    drafts_kept: list[Line] = key("Drafts that stay.")
    closed: dict[str, int] = key("Folders of other programs that are not looked into, by kind.")
    remedy: Text = key("What starts the daemon, or starts it anew.")
    elsewhere: list[Text] = key("What other ledgers are used by what runs.")
    folders: list[Text] = key("Drop folders, of now and of before.")
    copies: list[Line] = key("Files with the content of another one: `reason` says of which.")
    config_newer: Text = key("That another configuration is on the disk than in force, and why.")
    words_offered: int = key(
        "Names and terms that were corrected more than once (`earmark vocabulary list`)."
    )


class Row(Part):
    path: Text = key("The file.")
    folder: Text = key("Its drop folder.")
    state: Text = key("In a word, with `, file gone` where it is not there any more.")
    group: Text = key("`done`, `waiting` or `failed`.")
    reason: Text = key("Why, if there is a reason to give.")
    recorded: Moment = key("Its date.")
    duration: float | None = key("Seconds; null until it was heard.")
    title: Text = key("Of its summary, as its note has it.")
    recording: Text = key("Its id: SHA-256 of the content.")
    notes: list[Text] = key("Its notes and sidecars.")
    not_heard: list[Text] = key("Why words may be missing.")
    whole: bool = key("False if something was not heard at all.")
    wordless_seconds: float = key("Seconds in which somebody speaks and no words were made out.")
    copy_of: Text | None = key("The file that was here first with the same content; null if it is none.")


class ListAnswer(Answer):
    """Recordings, a row for each path."""

    recordings: list[Row] = key("In the order that was asked for.")
    counts: dict[str, int] = key("How many of these rows are `done`, `waiting`, `failed`.")


class FoundPassage(Part):
    recording: Text = key("Its recording.")
    path: Text = key("The file that holds it.")
    folder: Text = key("Its drop folder.")
    note: Text | None = key("The note with its words; null if none is there.")
    title: Text = key("Of the summary, as its note has it.")
    recorded: Moment = key("Its date.")
    at: float = key("Second of the recording at which the snippet is said.")
    start: float = key("From which second the passage goes.")
    end: float = key("Until which.")
    speaker: Text = key("Who says the snippet; empty where nobody knows.")
    snippet: Text = key("The words that show why it was found.")
    marks: list[list[int]] = key("From and until which character of it the words are that were looked for.")
    all_words: bool = key("All words that tell something are there.")
    by_meaning: bool = key("It was found by its meaning, and not by its words.")
    draft: bool = key("A better transcript is to come.")
    here: bool = key("False if the file is not where it was.")
    link: Text = key("To the time in the recording, as notes have it.")
    url: Text = key("Opens the recording at the time, or its note where the file is gone.")


_MISSING = "Recordings whose words are not in the index yet."
_NOT_READ = "Why what was changed in notes lately is not in it; a sentence for each note."
_UNHEARD = (
    "Recordings of whose words nothing is found: their notes were there before the ledger was, and they were not"
    " heard."
)
_OUT_BY_RULE = (
    "Recordings that a rule keeps out of the index ([retention.index]), of those in the folders, with the tags and of"
    " the days that were asked about."
)
_IN_TRASH = (
    "Recordings whose note lies in the trash, of those in the folders, with the tags and of the days that were asked"
    " about."
)
_AWAY = "Recordings of which a note with the transcript is not where it was: what was changed there since is not in it."


class SearchAnswer(Answer):
    """What was found; nothing is an answer, too."""

    query: Text = key("What was asked.")
    results: list[FoundPassage] = key("Passages, the best first.")
    missing: int = key(_MISSING)
    unheard: int = key(_UNHEARD)
    out_by_rule: int = key(_OUT_BY_RULE)
    in_trash: int = key(_IN_TRASH)
    not_read: list[Text] = key(_NOT_READ)
    away: list[Text] = key(_AWAY)
    by_words: int = key("Recordings that are found by words only, because their vectors are not made yet.")
    why_by_words: Text = key(
        "Why nothing was looked for by its meaning, though a model is there; else empty."
    )


class Cited(Part):
    text: Text = key("A sentence of the answer: one of the recording, word for word.")
    recording: Text = key("The recording that it rests on.")
    path: Text = key("The file that holds it.")
    note: Text | None = key("The note with its words; null if none is there.")
    title: Text = key("Of the summary, as its note has it.")
    recorded: Moment = key("Its date.")
    at: float = key("Second of the recording at which its words are said.")
    speaker: Text = key("Who says them; empty where nobody knows.")
    said: Text = key("The words.")
    link: Text = key("To the time in the recording, as notes have it.")
    url: Text = key("Opens the recording at the time, or its note where the file is gone.")


class AskAnswer(Answer):
    """The answer to a question. Exit code 0, too, if there is none in the recordings, or no server gives one."""

    question: Text = key("What was asked.")
    answered: bool = key("There is at least one sentence.")
    nothing: bool = key(
        "It is not in the recordings: nothing was found, or nothing that the server said holds."
    )
    why: Text = key("Why the server gave no answer, or no whole one; empty if it did.")
    sentences: list[Cited] = key("The answer: sentences that the recordings bear out.")
    dropped: int = key("How many sentences of the server they do not.")
    passages: list[FoundPassage] = key("What was found for the question, the best first.")
    missing: int = key(_MISSING)
    unheard: int = key(_UNHEARD)
    out_by_rule: int = key(_OUT_BY_RULE)
    in_trash: int = key(_IN_TRASH)
    not_read: list[Text] = key(_NOT_READ)
    away: list[Text] = key(_AWAY)
    read: int = key("How many of the passages, from the first, the server was given.")
    model: Text = key("Which model answered; empty if none did.")
    made_at: Text = key("Where it runs: `this device`, or a host.")
    locality: Text = key("`device`, `unverified`, `lan` or `cloud`.")


class Happened(Part):
    id: int = key("Its number.")
    at: Moment = key("When.")
    recording_id: Text | None = key("Of which recording.")
    path: Text | None = key("Of which file.")
    what: Text = key("What happened, in the program's own word.")
    detail: Text = key("What was written down of it.")
    sentence: Text = key("Both in a sentence.")


class WhyAnswer(Answer):
    """The story of one file."""

    path: Text = key("The file that is meant.")
    recording: Text | None = key("Its recording; null if it is none.")
    state: Text = key("In a word.")
    reason: Text = key("Why.")
    not_heard: list[Text] = key("Why words may be missing.")
    wordless_seconds: float = key("Seconds in which somebody speaks and no words were made out.")
    translated: Text | None = key("`en` if there is an English version.")
    not_translated: list[Text] = key("Why there is none though it was asked for.")
    also_at: list[Text] = key("Other files that hold the same recording.")
    copy_of: Text | None = key("Of these the one that was here first, if it is not this one.")
    events: list[Happened] = key("What happened, oldest first, of all its files.")


class Check(Part):
    name: Text = key("What was looked at.")
    ok: bool = key("False: something is wrong.")
    sentence: Text = key("What is so, and what would be right.")
    note: bool = key("Nothing is wrong, and it is still good to know.")


class FindingsAnswer(Answer):
    """What was found. Exit code 1 if something is wrong."""

    findings: list[Check] = key("One for each thing that was looked at.")


class DoctorAnswer(FindingsAnswer):
    """What could stop the daemon. Exit code 1 if something is wrong."""


class ConfigCheckedAnswer(FindingsAnswer):
    """That the configuration is right. Where it is wrong the answer is an error, exit code 78, with every problem."""


class ModelsVerifiedAnswer(FindingsAnswer):
    """Whether models are as they were brought in. Exit code 1 if one is not."""


class Claim(Part):
    claim: Text = key("What is promised.")
    held: bool | None = key("Null where it could not be tried.")
    detail: Text = key("What was seen.")
    later: bool = key("The daemon was too busy; it can be tried again.")


class PrivacyAnswer(Answer):
    """The claims, tried on the processes that run."""

    passed: bool = key("False if a claim failed.")
    claims: list[Claim] = key("Each with what was seen.")
