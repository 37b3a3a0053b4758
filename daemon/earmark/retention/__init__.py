"""The only place in earmark that deletes: rules, plan, sweep, trash, holds, erasure, receipts, export.

What the other parts call:

- `sweep.remember_policy(ledger, config, now)` at start and after each reload, before anything is accepted;
- `sweep.sweep_due(ledger, config, now)` and `sweep.scheduled_sweep(ledger, config, now, monotonic, frontmatter=...)`
  from the supervisor's loop, again while the report says `more`;
- `ledger.retention.relooks()`, `fate.audio_fate(...)`, `fate.outdate_unedited(...)` where notes are written;
- `tombstones.tombstoned(ledger, recording_id)` before a file is accepted.
"""
