-- What search finds: some 120 words of a recording, out of its transcript, and gone with it.
CREATE TABLE passages (
    id             INTEGER PRIMARY KEY,        -- those of one recording follow on each other
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    number         INTEGER NOT NULL,           -- from 0, in order of time
    start          REAL NOT NULL,
    end            REAL NOT NULL,
    sentences      TEXT NOT NULL,              -- of each where it begins in the text, its second, and who says it, as JSON
    UNIQUE (recording_id, number)
) STRICT;

-- Their words: as they are shown, by their stems, by pairs of signs in scripts without spaces; who speaks, and in the first
-- passage of a recording its title, file names and tags. Marks belong to the letters of many scripts.
CREATE VIRTUAL TABLE passages_fts USING fts5 (
    text, stems, pairs, speakers, heading,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);

-- Recordings whose words are in the index. Whoever changes the words takes the row away, and the passages with it; a change of
-- title or name makes it stale.
CREATE TABLE indexed (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    form           INTEGER NOT NULL,           -- in which way its words were made (search/terms.py)
    stale          INTEGER NOT NULL DEFAULT 0,
    language       TEXT NOT NULL,
    heading        TEXT NOT NULL               -- its title, file names and tags
) STRICT, WITHOUT ROWID;

-- Triggers, so that no way of changing, dropping or erasing words can forget the index. Where words
-- went, their letters are still in its pages until these are written anew, which is owed ('search.gone').
CREATE TRIGGER passage_is_removed AFTER DELETE ON passages BEGIN
    DELETE FROM passages_fts WHERE rowid = old.id;
END;
CREATE TRIGGER indexed_is_removed AFTER DELETE ON indexed BEGIN
    DELETE FROM passages WHERE recording_id = old.recording_id;
END;
CREATE TRIGGER transcript_is_stored AFTER INSERT ON transcripts BEGIN
    DELETE FROM indexed WHERE recording_id = new.recording_id;
END;
CREATE TRIGGER transcript_is_changed AFTER UPDATE OF body ON transcripts BEGIN
    DELETE FROM indexed WHERE recording_id = new.recording_id;
    INSERT OR REPLACE INTO facts (name, value, at) VALUES ('search.gone', '', CAST(strftime('%s', 'now') AS REAL));
END;
CREATE TRIGGER transcript_is_dropped AFTER DELETE ON transcripts BEGIN
    DELETE FROM indexed WHERE recording_id = old.recording_id;
    INSERT OR REPLACE INTO facts (name, value, at) VALUES ('search.gone', '', CAST(strftime('%s', 'now') AS REAL));
END;
CREATE TRIGGER summary_is_dropped AFTER DELETE ON summaries BEGIN
    DELETE FROM indexed WHERE recording_id = old.recording_id;
    INSERT OR REPLACE INTO facts (name, value, at) VALUES ('search.gone', '', CAST(strftime('%s', 'now') AS REAL));
END;
CREATE TRIGGER erasure_is_begun AFTER INSERT ON erasures BEGIN
    DELETE FROM indexed WHERE recording_id = new.recording_id;
END;
CREATE TRIGGER summary_is_stored AFTER INSERT ON summaries BEGIN
    UPDATE indexed SET stale = 1 WHERE recording_id = new.recording_id;
END;
CREATE TRIGGER place_is_new AFTER INSERT ON places BEGIN
    UPDATE indexed SET stale = 1 WHERE recording_id = new.recording_id;
END;
CREATE TRIGGER place_is_dropped AFTER DELETE ON places BEGIN
    UPDATE indexed SET stale = 1 WHERE recording_id = old.recording_id;
END;
CREATE TRIGGER place_is_another AFTER UPDATE OF path, gone_at ON places
WHEN old.path IS NOT new.path OR (old.gone_at IS NULL) != (new.gone_at IS NULL) BEGIN
    UPDATE indexed SET stale = 1 WHERE recording_id = new.recording_id;
END;
