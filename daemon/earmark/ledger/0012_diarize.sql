-- Who says what is a stage of its own: the same table, in which a job may be for it.
CREATE TABLE jobs_again (
    id             INTEGER PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    stage          TEXT NOT NULL CHECK (stage IN ('transcribe', 'diarize', 'summarize')),
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'parked', 'done', 'failed')),
    attempts       INTEGER NOT NULL DEFAULT 0, -- charged before the work, given back if it was not its fault
    interruptions  INTEGER NOT NULL DEFAULT 0, -- times the work was cut short by somebody else
    not_before     REAL NOT NULL DEFAULT 0,
    reason         TEXT,
    claimed_by     TEXT,                       -- daemon run
    changed_at     REAL NOT NULL,
    UNIQUE (recording_id, stage)
) STRICT;
INSERT INTO jobs_again SELECT id, recording_id, stage, state, attempts, interruptions, not_before, reason, claimed_by,
    changed_at FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_again RENAME TO jobs;
CREATE INDEX jobs_by_state ON jobs (stage, state);

-- What is known of the voices of a recording so far; survives any kill. Deleted when its speakers are known. A row a stretch:
-- some minutes of sound.
CREATE TABLE stretches (
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    windows        INTEGER NOT NULL,           -- windows that are done with it, from the start of the recording
    settings       TEXT NOT NULL,              -- with which models; what others found is not gone on with
    body           TEXT NOT NULL,              -- who speaks when, and the prints of the voices, as JSON
    PRIMARY KEY (recording_id, windows)
) STRICT, WITHOUT ROWID;

-- Who speaks when, without a word of what they say: also of a better transcript of the same recording.
CREATE TABLE turns (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    settings       TEXT NOT NULL,              -- with which models, and for how many people
    unsure         INTEGER NOT NULL,           -- it is not known well enough to be told
    body           TEXT NOT NULL               -- speaking.Turn as JSON
) STRICT, WITHOUT ROWID;
