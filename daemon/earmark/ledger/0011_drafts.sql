-- Recordings whose transcript is a first version by a quick model. As long as `kept` is empty their job 'transcribe' is the
-- better one, which replaces it.
CREATE TABLE drafts (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    model_bytes    INTEGER NOT NULL,           -- of the weights that wrote it: only a larger model is better
    asked          INTEGER NOT NULL DEFAULT 0, -- a person wants the better one now, whatever the hour and the plug
    kept           TEXT NOT NULL DEFAULT ''    -- why it stays the transcript after all; '' while the better one is owed
) STRICT, WITHOUT ROWID;
