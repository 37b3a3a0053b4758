"""What a daemon prepares when it writes its first note: patterns, templates, stemmers. Import it in the process that is to
be forked (tests/daemon_rig.py): each of hundreds of children would prepare it anew, for more than half of its time.

That a process without it prepares them is shown by whatever starts `python -m earmark`.
"""

from __future__ import annotations

import gc
from importlib import import_module

from earmark.domain import Mark, Point, Segment, Summary, Transcript
from earmark.notes.comparing import digests
from earmark.notes.render import render_summary, render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.search.terms import stems_and_pairs
from earmark.summarization.templating import load_template

SPOKEN = Transcript(
    recording_id="5e" * 32,
    segments=(Segment(0.0, 5.0, "Hello, here.", 0.9), Segment(5.0, 9.0, "Hm.", 0.2, Mark.LOW_CONFIDENCE)),
    language="en", language_probability=1.0, duration=9.0, speech_seconds=9.0, model="tiny.en", engine="faster-whisper",
)  # fmt: skip
CAME_TO = Summary(SPOKEN.recording_id, "extractive", "Hello", "Hello.", (Point("Hello", 0.0),), language="en")
ABOUT = NoteContext(
    SPOKEN.recording_id, "memo.m4a", "2026-01-02T03:04:05", duration=9.0, audio_expires="2026-02-02"
)
STYLE = NoteStyle()

for late in ("pathspec", "rapidfuzz.distance", "structlog"):
    import_module(late)  # what is loaded when it is first needed

for note in (render_transcript(SPOKEN, ABOUT, STYLE), render_summary(CAME_TO, SPOKEN, ABOUT, STYLE)):
    digests(note)
load_template(CAME_TO.template)
stems_and_pairs(SPOKEN.text, "en")

gc.collect()
gc.freeze()  # what a child only reads stays shared: else its first collection copies it all, 0.03 s
