-- What a person wants for the summary of one recording, beyond what its folder says.
CREATE TABLE wishes (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    template       TEXT NOT NULL,
    asked_at       REAL NOT NULL
) STRICT;
