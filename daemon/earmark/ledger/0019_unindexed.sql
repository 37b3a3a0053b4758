-- Recordings that a rule took out of the index of search, and that are not put in again while it stands.
CREATE TABLE unindexed (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    at             REAL NOT NULL
) STRICT, WITHOUT ROWID;
