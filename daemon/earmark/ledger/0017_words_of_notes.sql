-- What is said by the transcript that a note holds, once the words of its recording are others and the note has not got them,
-- because a person changed it: by it one can tell what they correct there since.
CREATE TABLE words_of_notes (
    artifact_id    INTEGER PRIMARY KEY REFERENCES artifacts (id) ON DELETE CASCADE,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    body           TEXT NOT NULL               -- domain.Transcript as JSON
) STRICT;

-- Triggers, so that no way of writing, reading or taking a note can leave words behind that it does not hold.
CREATE TRIGGER note_has_other_words AFTER UPDATE OF words_rev ON artifacts
WHEN new.words_rev IS NOT old.words_rev OR new.recording_id IS NOT old.recording_id BEGIN
    DELETE FROM words_of_notes WHERE artifact_id = new.id;
END;
CREATE TRIGGER note_is_taken AFTER UPDATE OF state ON artifacts WHEN new.state = 'trashed' BEGIN
    DELETE FROM words_of_notes WHERE artifact_id = new.id;
END;
