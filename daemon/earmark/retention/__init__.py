"""The only package that deletes: rules, sweep, trash, erasure, receipts. What the other parts call stands here.

Five rooms: `rules` say what may go (pure), `sweep` looks at it and carries it out, `trash` takes, restores and purges,
`erasure` forgets on a person's word, `receipts` prove it. `holds` is the one answer to "is it held?".
"""

from earmark.retention.erasure.tombstones import why_refused
from earmark.retention.markers import look_at_markers
from earmark.retention.note_facts import expires_on, how_it_went
from earmark.retention.note_reading import tags_we_wrote
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.sweep.apply import SweepReport
from earmark.retention.sweep.planning import plan_now, remember_policy
from earmark.retention.sweep.schedule import next_sweep, sweep_due
from earmark.retention.sweep.sweep import sweep_by_clock, sweep_by_hand

__all__ = [
    "NotesSeen",
    "SweepReport",
    "expires_on",
    "how_it_went",
    "look_at_markers",
    "next_sweep",
    "plan_now",
    "remember_policy",
    "sweep_by_clock",
    "sweep_by_hand",
    "sweep_due",
    "tags_we_wrote",
    "why_refused",
]
