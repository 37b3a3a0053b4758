"""What was heard and what it came down to: checkpoints, transcripts, summaries. The only tables that hold words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from earmark.domain import Instant, Mark, Segment, Summary, Transcript, WordTimes
from earmark.ledger.condition import Condition, conditions
from earmark.ledger.connection import Connection
from earmark.ledger.words_of_notes import WordsOfNotes
from earmark.messages import Finished, Heard

_TRANSCRIPT: TypeAdapter[Transcript] = TypeAdapter(Transcript)
_SUMMARY: TypeAdapter[Summary] = TypeAdapter(Summary)
_TIMES: TypeAdapter[WordTimes] = TypeAdapter(WordTimes)

_SPEAKERS = "json_each(CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.speakers')"
"""The names of those who speak in a transcript, one a row."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything before `upto` seconds is heard and stored. `settings` says with which model and options."""

    settings: str
    upto: float
    language: str
    language_probability: float
    speech_seconds: float
    bad_packets: int


class Words:
    """Rows of `checkpoints`, `heard`, `transcripts` and `summaries`."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.of_notes = WordsOfNotes(db)

    def checkpoint(self, recording_id: str) -> Checkpoint | None:
        row = self._db.one("SELECT * FROM checkpoints WHERE recording_id = ?", (recording_id,))
        return Checkpoint(**{key: row[key] for key in Checkpoint.__slots__}) if row else None

    def heard_so_far(self, recording_id: str, *, english: bool = False) -> tuple[Segment, ...]:
        """What was heard of a recording that is not finished; with `english`, what that is in English."""
        rows = self._db.all(
            "SELECT * FROM heard WHERE recording_id = ? AND english = ? ORDER BY seq", (recording_id, english)
        )
        return tuple(
            Segment(
                r["start"],
                r["end"],
                r["text"],
                r["confidence"],
                Mark(r["mark"]) if r["mark"] else None,
                r["language"],
                words=_TIMES.validate_json(r["words"]) if r["words"] else (),
            )
            for r in rows
        )

    def heard_size(self, recording_id: str, *, english: bool = False) -> tuple[int, int]:
        """How many segments are stored of a recording that is not finished, and their characters."""
        row = self._db.one(
            "SELECT count(*) AS n, coalesce(sum(length(text)), 0) AS size FROM heard WHERE recording_id = ?"
            " AND english = ?",
            (recording_id, english),
        )
        return (row["n"], row["size"]) if row else (0, 0)

    def begin(self, recording_id: str, settings: str) -> Checkpoint | None:
        """The checkpoint to go on from, if it was made with the same settings; one made with others is dropped."""
        found = self.checkpoint(recording_id)
        if found is not None and found.settings == settings:
            return found
        self.drop_checkpoint(recording_id)
        return None

    def hear(self, recording_id: str, settings: str, base: Checkpoint | None, heard: Heard) -> None:
        """Store new segments and move the checkpoint. `base` is where this request started from."""
        with self._db.transaction():
            row = self._db.one(
                "SELECT coalesce(max(seq), 0) AS seq FROM heard WHERE recording_id = ?", (recording_id,)
            )
            seq = row["seq"] if row else 0
            self._db.execute_many(
                "INSERT INTO heard (recording_id, seq, start, end, text, confidence, mark, language, english, words)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(recording_id, seq + n, *each) for n, each in enumerate(_both(heard), start=1)],
            )
            self._db.execute(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    recording_id,
                    settings,
                    heard.upto,
                    heard.language,
                    heard.language_probability,
                    heard.speech_seconds + (base.speech_seconds if base else 0.0),
                    heard.bad_packets,
                ),
            )

    def finish(
        self,
        recording_id: str,
        settings: str,
        base: Checkpoint | None,
        finished: Finished,
        model: str,
        engine: str,
        now: Instant,
        *,
        to_english: bool = False,
        amended: Callable[[Transcript], Transcript] = lambda heard: heard,
    ) -> Transcript:
        """Turn what was heard into the transcript and count its revision up, in one transaction. `amended`: gives it
        what is known already from elsewhere.
        """
        english = self.heard_so_far(recording_id, english=True) if to_english else None
        transcript = finished.transcript(
            recording_id, self.heard_so_far(recording_id), model, engine, english
        )
        if base is not None:
            transcript = replace(transcript, speech_seconds=transcript.speech_seconds + base.speech_seconds)
        transcript = amended(transcript)
        with self._db.transaction():
            self.of_notes.keep(recording_id)
            self.store_transcript(transcript, settings, now)
            self._are_others(recording_id)
            self.drop_checkpoint(recording_id)
        return transcript

    def correct(self, transcript: Transcript, now: Instant) -> None:
        """Put a transcript with a person's words, or with other speakers, in the place of the same without them; what notes
        hold that are not written anew is kept.
        """
        with self._db.transaction():
            self.of_notes.keep(transcript.recording_id)
            self.store_speakers(transcript, now)
            self._are_others(transcript.recording_id)

    def revision(self, recording_id: str) -> int:
        """How often the words of a recording became others; notes are known by it that hold those of now."""
        row = self._db.one("SELECT words_rev FROM recordings WHERE id = ?", (recording_id,))
        return row["words_rev"] if row else 0

    def _are_others(self, recording_id: str) -> None:
        self._db.execute("UPDATE recordings SET words_rev = words_rev + 1 WHERE id = ?", (recording_id,))

    def store_transcript(self, transcript: Transcript, settings: str, now: Instant) -> None:
        """Put a complete transcript in the place of any earlier one; notes on disk are behind from now on."""
        with self._db.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO transcripts (recording_id, settings, stored_at, body) VALUES (?, ?, ?, ?)",
                (transcript.recording_id, settings, now, _TRANSCRIPT.dump_json(transcript).decode()),
            )
            self._db.execute(
                "UPDATE recordings SET transcript_rev = transcript_rev + 1, duration = ? WHERE id = ?",
                (transcript.duration, transcript.recording_id),
            )

    def store_speakers(self, transcript: Transcript, now: Instant) -> None:
        """Put a transcript whose speakers are known now in the place of the same without them, or with others."""
        row = self._db.one(
            "SELECT settings FROM transcripts WHERE recording_id = ?", (transcript.recording_id,)
        )
        self.store_transcript(transcript, row["settings"] if row else "", now)

    def summary_is_older(self, recording_id: str) -> bool:
        """True if there is no summary, or the transcript was stored after it."""
        row = self._db.one(
            "SELECT 1 FROM summaries s JOIN transcripts t ON t.recording_id = s.recording_id"
            " WHERE s.recording_id = ? AND s.stored_at >= t.stored_at",
            (recording_id,),
        )
        return row is None

    def rename_speakers(self, transcript: Transcript) -> None:
        """Those who speak in a transcript have other names, and nothing else is new; its revision is counted up."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE transcripts SET body = ? WHERE recording_id = ?",
                (_TRANSCRIPT.dump_json(transcript).decode(), transcript.recording_id),
            )
            self._db.execute(
                "UPDATE recordings SET transcript_rev = transcript_rev + 1 WHERE id = ?",
                (transcript.recording_id,),
            )

    def store_summary(self, summary: Summary, now: Instant) -> None:
        """Put a summary in the place of any earlier one and count its revision up."""
        with self._db.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO summaries (recording_id, stored_at, body) VALUES (?, ?, ?)",
                (summary.recording_id, now, _SUMMARY.dump_json(summary).decode()),
            )
            self._db.execute(
                "UPDATE recordings SET summary_rev = summary_rev + 1 WHERE id = ?", (summary.recording_id,)
            )

    def transcript(self, recording_id: str) -> Transcript | None:
        row = self._db.one("SELECT body FROM transcripts WHERE recording_id = ?", (recording_id,))
        return _TRANSCRIPT.validate_json(row["body"]) if row else None

    def spoken_by(self, name: str) -> list[str]:
        """The recordings in which somebody was given this name."""
        rows = self._db.all(
            f"SELECT recording_id FROM transcripts WHERE EXISTS (SELECT 1 FROM {_SPEAKERS} WHERE value = ?)",
            (name,),
        )
        return [row["recording_id"] for row in rows]

    def names_given(self) -> dict[str, int]:
        """The names that were given to those who speak, and in how many recordings each."""
        rows = self._db.all(
            f"SELECT value AS name, count(DISTINCT recording_id) AS n FROM transcripts, {_SPEAKERS}"
            " WHERE value != '' GROUP BY value ORDER BY value"
        )
        return {row["name"]: row["n"] for row in rows}

    def titles(self) -> dict[str, str]:
        """The titles of all summaries, by recording."""
        rows = self._db.all(
            "SELECT recording_id, CASE WHEN json_valid(body) THEN json_extract(body, '$.title') END AS title FROM summaries"
        )
        return {row["recording_id"]: str(row["title"]) for row in rows if row["title"]}

    def conditions(self) -> dict[str, Condition]:
        """How each recording was heard, by its id. A transcript is long: all are read once, and not once a question."""
        return conditions(self._db)

    def drop_extractive_summary(self, recording_id: str) -> None:
        """Of another transcript it would be another one, and it costs nothing to be made anew."""
        self._db.execute(
            "DELETE FROM summaries WHERE recording_id = ? AND CASE WHEN json_valid(body) THEN"
            " json_extract(body, '$.by') = 'extractive' END",
            (recording_id,),
        )

    def summary(self, recording_id: str) -> Summary | None:
        row = self._db.one("SELECT body FROM summaries WHERE recording_id = ?", (recording_id,))
        return _SUMMARY.validate_json(row["body"]) if row else None

    def wish(self, recording_id: str, template: str, now: Instant) -> None:
        """A person wants this recording's summary by this template, whatever its folder says."""
        self._db.execute("INSERT OR REPLACE INTO wishes VALUES (?, ?, ?)", (recording_id, template, now))

    def wished_template(self, recording_id: str) -> str | None:
        row = self._db.one("SELECT template FROM wishes WHERE recording_id = ?", (recording_id,))
        return row["template"] if row else None

    def summaries_made_with(self) -> list[tuple[str, str, str, str, str]]:
        """(recording, by, model, template, template that a person asked for) of every summary, without its words."""
        rows = self._db.all(
            "SELECT recording_id, json_extract(body, '$.by') AS made_by, json_extract(body, '$.model') AS model,"
            " json_extract(body, '$.template') AS made_as, wishes.template AS wished FROM summaries"
            " LEFT JOIN wishes USING (recording_id)"
        )
        return [
            (r["recording_id"], r["made_by"], r["model"] or "", r["made_as"] or "", r["wished"] or "")
            for r in rows
        ]

    def made_where(self) -> list[tuple[str, str, str, int]]:
        """(host, by, locality, how many) of all summaries, the most frequent first."""
        rows = self._db.all(
            "SELECT json_extract(body, '$.by') AS made_by, json_extract(body, '$.made_at') AS made_at,"
            " json_extract(body, '$.locality') AS locality, count(*) AS n FROM summaries GROUP BY 1, 2, 3 ORDER BY n DESC"
        )
        return [(r["made_at"], r["made_by"], r["locality"], r["n"]) for r in rows]

    def models_used(self) -> dict[str, tuple[int, Instant]]:
        """By speech model: transcripts that there are of it, and when the latest was stored."""
        rows = self._db.all(
            "SELECT json_extract(body, '$.model') AS model, count(*) AS recordings, max(stored_at) AS last_used"
            " FROM transcripts GROUP BY 1"
        )
        return {r["model"]: (r["recordings"], r["last_used"]) for r in rows if r["model"]}

    def latest_transcripts(self, count: int) -> list[Transcript]:
        """Those that were stored last."""
        rows = self._db.all("SELECT body FROM transcripts ORDER BY stored_at DESC LIMIT ?", (count,))
        return [_TRANSCRIPT.validate_json(r["body"]) for r in rows]

    def drop_checkpoint(self, recording_id: str) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM heard WHERE recording_id = ?", (recording_id,))
            self._db.execute("DELETE FROM checkpoints WHERE recording_id = ?", (recording_id,))


def _both(heard: Heard) -> list[tuple[Segment, bool]]:
    """The segments of a window, and the same in English."""
    return [*((_counted(s), False) for s in heard.segments), *((_counted(s), True) for s in heard.english)]


def _row(recording_id: str, number: int, s: Segment, english: bool) -> tuple[object, ...]:
    """A segment as a row of `heard`."""
    return (
        recording_id, number, s.start, s.end, s.text, s.confidence, s.mark, s.language, english,
        _TIMES.dump_json(s.words).decode() if s.words else "",
    )  # fmt: skip


def _counted(segment: Segment) -> Segment:
    """SQLite counts the characters of a text up to the first NUL. Without it, its words begin elsewhere."""
    return (
        replace(segment, text=segment.text.replace("\0", ""), words=()) if "\0" in segment.text else segment
    )
