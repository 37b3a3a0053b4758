-- People whose voices earmark may recognize, because somebody named them and asked for it (remember_voices).
CREATE TABLE people (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    since          REAL NOT NULL
) STRICT;

-- The voice of one speaker of one recording. Biometric data: only where remember_voices asks for it.
CREATE TABLE voiceprints (
    id             INTEGER PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    speaker        INTEGER NOT NULL,           -- their number in its transcript
    encoder        TEXT NOT NULL,              -- which made it; prints of others cannot be compared with it
    print          BLOB NOT NULL,              -- float32, little endian
    seconds        REAL NOT NULL,              -- of speech that it was made of
    stored_at      REAL NOT NULL,
    person         INTEGER REFERENCES people (id) ON DELETE SET NULL, -- who it is, by a person's word
    likely         INTEGER REFERENCES people (id) ON DELETE SET NULL, -- whom it sounds like
    UNIQUE (recording_id, speaker)
) STRICT;

-- Nobody is known of whom there is no voice any more.
CREATE TRIGGER voice_gone AFTER DELETE ON voiceprints WHEN OLD.person IS NOT NULL BEGIN
    DELETE FROM people WHERE id = OLD.person AND id NOT IN (SELECT person FROM voiceprints WHERE person IS NOT NULL);
END;
CREATE TRIGGER voice_of_another AFTER UPDATE OF person ON voiceprints WHEN OLD.person IS NOT NULL BEGIN
    DELETE FROM people WHERE id = OLD.person AND id NOT IN (SELECT person FROM voiceprints WHERE person IS NOT NULL);
END;

-- The names that stand in the list of speakers of a note, as we wrote it or as they were read last; NULL where nobody knows.
ALTER TABLE artifacts ADD COLUMN names TEXT;
UPDATE artifacts SET names = '[]'; -- no version before wrote such a list
