-- What the loop asks in each of its turns is looked up among what waits, and not by reading all that was ever done.
CREATE INDEX jobs_waiting ON jobs (not_before) WHERE state = 'waiting';
CREATE INDEX places_resting ON places (not_before) WHERE not_before > 0;

-- Whether the notes of a place are behind what is known, or owed for another reason. Triggers, so that no way of changing a
-- revision can leave a note unwritten.
ALTER TABLE places ADD COLUMN to_write INTEGER NOT NULL DEFAULT 1;
UPDATE places SET to_write = 0 WHERE owed = '' AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.id = recording_id
    AND (places.transcript_rev < r.transcript_rev OR places.summary_rev < r.summary_rev)
    AND (places.gone_at IS NULL OR places.gone_why IS 'trashed'));
CREATE INDEX places_to_write ON places (accepted_at) WHERE to_write = 1;
CREATE TRIGGER place_is_to_be_written AFTER INSERT ON places BEGIN
    UPDATE places SET to_write = owed != '' OR EXISTS (SELECT 1 FROM recordings r WHERE r.id = new.recording_id
            AND (new.transcript_rev < r.transcript_rev OR new.summary_rev < r.summary_rev)
            AND (new.gone_at IS NULL OR new.gone_why IS 'trashed'))
        WHERE path = new.path AND recording_id = new.recording_id;
END;
CREATE TRIGGER place_is_written
AFTER UPDATE OF recording_id, transcript_rev, summary_rev, owed, gone_at, gone_why ON places BEGIN
    UPDATE places SET to_write = owed != '' OR EXISTS (SELECT 1 FROM recordings r WHERE r.id = new.recording_id
            AND (new.transcript_rev < r.transcript_rev OR new.summary_rev < r.summary_rev)
            AND (new.gone_at IS NULL OR new.gone_why IS 'trashed'))
        WHERE path = new.path AND recording_id = new.recording_id;
END;
CREATE TRIGGER recording_has_other_words AFTER UPDATE OF transcript_rev, summary_rev ON recordings
WHEN new.transcript_rev IS NOT old.transcript_rev OR new.summary_rev IS NOT old.summary_rev BEGIN
    UPDATE places SET to_write = owed != '' OR ((transcript_rev < new.transcript_rev OR summary_rev < new.summary_rev)
            AND (gone_at IS NULL OR gone_why IS 'trashed'))
        WHERE recording_id = new.id;
END;
CREATE TRIGGER recording_is_there AFTER INSERT ON recordings BEGIN
    UPDATE places SET to_write = owed != '' OR ((transcript_rev < new.transcript_rev OR summary_rev < new.summary_rev)
            AND (gone_at IS NULL OR gone_why IS 'trashed'))
        WHERE recording_id = new.id;
END;
