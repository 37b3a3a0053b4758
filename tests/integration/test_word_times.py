"""Times of words from a worker to the transcript: over a stop in between, and from before there were any."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from earmark.domain import Segment
from earmark.messages import Finished, Heard

from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


def test_what_was_heard_before_a_stop_keeps_the_times_of_its_words(root: Path) -> None:
    world = World(root)
    place = world.record("a.wav")
    words = world.ledger.words
    said = (
        Segment(0.0, 2.0, "Good morning.", words=((0.1, 0.5, 0), (0.6, 1.9, 5))),
        Segment(2.0, 3.0, "Yes."),
        Segment(3.0, 4.0, "No\0 no.", words=((3.1, 3.2, 0), (3.3, 3.4, 4))),
    )
    heard = Heard(
        job=1, upto=30.0, segments=said, language="en", language_probability=1.0, speech_seconds=20.0
    )  # fmt: skip
    words.hear(place.recording_id, "{}", None, heard)
    world.reopen()
    words = world.ledger.words
    base = words.begin(place.recording_id, "{}")
    kept = (*said[:2], Segment(3.0, 4.0, "No no."))  # a text that is stored otherwise has its words elsewhere
    assert words.heard_so_far(place.recording_id) == kept
    finished = Finished(
        job=2, duration=60.0, declared_duration=None, language="en", language_probability=1.0, speech_seconds=20.0,
        bad_packets=0, truncated=False, recorded_at=None,
    )  # fmt: skip
    transcript = words.finish(place.recording_id, "{}", base, finished, "m", "e", world.now)
    assert transcript.segments == kept
    assert words.transcript(place.recording_id) == transcript


def test_a_transcript_of_before_has_no_times_and_is_read(root: Path) -> None:
    world = World(root)
    place = world.record("a.wav", said="Good morning.")
    with closing(sqlite3.connect(world.context.home.ledger_file)) as db, db:
        db.execute("UPDATE transcripts SET body = json_remove(body, '$.segments[0].words')")
    found = world.ledger.words.transcript(place.recording_id)
    assert found is not None
    assert [(s.text, s.words) for s in found.segments] == [("Good morning.", ())]
