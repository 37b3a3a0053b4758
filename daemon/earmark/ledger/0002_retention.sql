-- Retention: what may go, what went, and who said so. Written by earmark/retention/ only.

-- Every policy that was ever in force, in order. The body is the policy as JSON (retention/policy.py).
CREATE TABLE policies (
    id             INTEGER PRIMARY KEY,
    digest         TEXT NOT NULL,
    body           TEXT NOT NULL,
    since          REAL NOT NULL
) STRICT;

-- The policy in force when a recording was accepted; NULL if there was none. A trigger, so that no way of
-- accepting a recording can forget it, and so that no clock has a say.
CREATE TABLE accepted_under (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    policy_id      INTEGER REFERENCES policies (id)
) STRICT, WITHOUT ROWID;
INSERT INTO accepted_under SELECT id, NULL FROM recordings;
CREATE TRIGGER recording_remembers_policy AFTER INSERT ON recordings BEGIN
    INSERT INTO accepted_under VALUES (new.id, (SELECT max(id) FROM policies));
END;

-- Looked up for every file that is about to go, and for cascades.
CREATE INDEX artifacts_by_recording ON artifacts (recording_id);

CREATE TABLE holds (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    at             REAL NOT NULL,
    why            TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- A person's rule for one recording; comes before folder, tag and class rules.
CREATE TABLE item_rules (
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    kind           TEXT NOT NULL,
    body           TEXT NOT NULL,              -- config.RetentionRule as JSON
    at             REAL NOT NULL,
    PRIMARY KEY (recording_id, kind)
) STRICT, WITHOUT ROWID;

-- What the quality gate said of a transcript revision; `released_at` if a person let it pass all the same.
CREATE TABLE quality (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    transcript_rev INTEGER NOT NULL,
    gate           TEXT NOT NULL,              -- which thresholds judged
    failing        TEXT NOT NULL,              -- sentences, one per line; empty if it passed
    released_at    REAL
) STRICT, WITHOUT ROWID;

-- Tags and `keep` of the notes as they were last read; looked at again when size or mtime differ.
CREATE TABLE note_marks (
    path           BLOB PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    seen           TEXT NOT NULL,              -- size:mtime
    keep           INTEGER NOT NULL,
    tags           TEXT NOT NULL               -- JSON list
) STRICT, WITHOUT ROWID;
CREATE INDEX note_marks_by_recording ON note_marks (recording_id);

-- One row per file that a rule took, from before it was moved until for ever (or until it is erased).
CREATE TABLE trash (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    recording_id   TEXT NOT NULL REFERENCES recordings (id),
    kind           TEXT NOT NULL CHECK (kind IN ('audio', 'transcript', 'summary', 'sidecar')),
    original       BLOB NOT NULL,              -- where it was
    place          BLOB NOT NULL,              -- the recording file it belongs to
    trashed        BLOB NOT NULL,              -- where it lies in the trash; empty: the system's trash has it
    size           INTEGER NOT NULL,
    sha256         TEXT NOT NULL,
    rule           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('moving', 'here', 'restoring', 'restored', 'purging', 'purged', 'handed', 'lost')),
    trashed_at     REAL NOT NULL,
    ended_at       REAL
) STRICT;
CREATE INDEX trash_by_state ON trash (state);
CREATE INDEX trash_by_recording ON trash (recording_id);

-- Places whose notes have to be written again although no words changed: the audio went, came back, or expires on
-- another day.
CREATE TABLE relooks (
    place          BLOB PRIMARY KEY,
    why            TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sweeps (
    id             INTEGER PRIMARY KEY,
    began_at       REAL NOT NULL,
    ended_at       REAL,
    outcome        TEXT NOT NULL DEFAULT 'under way',
    sentence       TEXT NOT NULL DEFAULT '',
    trashed        INTEGER NOT NULL DEFAULT 0,
    purged         INTEGER NOT NULL DEFAULT 0,
    bytes          INTEGER NOT NULL DEFAULT 0,
    errors         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Content-free proof of every deletion; each row's hash covers the one before it.
CREATE TABLE receipts (
    seq            INTEGER PRIMARY KEY,
    at             REAL NOT NULL,
    act            TEXT NOT NULL,
    body           TEXT NOT NULL,              -- canonical JSON: no name, no path, no word, no plain content hash
    prev           TEXT NOT NULL,
    hash           TEXT NOT NULL
) STRICT;
CREATE TRIGGER receipts_are_never_changed BEFORE UPDATE ON receipts BEGIN
    SELECT RAISE (ABORT, 'receipts are append-only');
END;
CREATE TRIGGER receipts_are_never_removed BEFORE DELETE ON receipts
WHEN NOT EXISTS (SELECT 1 FROM facts WHERE name = 'receipts.pruning') BEGIN
    SELECT RAISE (ABORT, 'receipts are append-only');
END;

-- Erased content, as a keyed hash: enough to know it again, not enough to know what it was.
CREATE TABLE tombstones (
    mark           TEXT PRIMARY KEY,
    at             REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- An erasure that has begun; gone when it is complete. What is left of a kill in between.
CREATE TABLE erasures (
    recording_id   TEXT PRIMARY KEY,
    begun_at       REAL NOT NULL,
    files          TEXT NOT NULL               -- JSON list of packed paths that have to go
) STRICT, WITHOUT ROWID;

-- The key of all keyed hashes of this installation (32 random bytes).
CREATE TABLE keys (
    name           TEXT PRIMARY KEY,
    value          BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO keys VALUES ('retention', randomblob(32));
