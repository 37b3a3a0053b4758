-- What passages mean, as numbers that a model made of their words. Never the only copy of anything: gone with the passage, and
-- made again where there is a model.
CREATE TABLE vectors (
    id             INTEGER PRIMARY KEY,        -- of the passage
    vector         BLOB NOT NULL               -- float16, little endian, of length 1
) STRICT;

-- Recordings whose passages have vectors, with the signs of all of them, which are looked through first.
CREATE TABLE embedded (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    model          TEXT NOT NULL,              -- which made them; those of others cannot be compared with them
    words          TEXT NOT NULL,              -- SHA-256 of what they were made of
    first          INTEGER NOT NULL,           -- its first passage
    signs          BLOB NOT NULL               -- a bit for each number; empty where none could be made
) STRICT;

CREATE TRIGGER passage_means_nothing AFTER DELETE ON passages BEGIN
    DELETE FROM vectors WHERE id = old.id;
END;
CREATE TRIGGER indexed_means_nothing AFTER DELETE ON indexed BEGIN
    DELETE FROM embedded WHERE recording_id = old.recording_id;
END;
