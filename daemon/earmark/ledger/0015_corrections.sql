-- How often the words of a recording became others: heard anew, or corrected by a person.
ALTER TABLE recordings ADD COLUMN words_rev INTEGER NOT NULL DEFAULT 0;

-- Of which of these words a note was written, or read last; -1 where nobody knows, and its words are not read.
ALTER TABLE artifacts ADD COLUMN words_rev INTEGER NOT NULL DEFAULT -1;

-- 1: a person changed it, and all that they changed is known (words that they corrected, properties), so that a later version
-- with that in it may take its place.
ALTER TABLE artifacts ADD COLUMN mergeable INTEGER NOT NULL DEFAULT 0;

-- The properties on top of it as we wrote them; '' where nobody knows.
ALTER TABLE artifacts ADD COLUMN top TEXT NOT NULL DEFAULT '';

-- A note of the transcript that is there now; one of both has the transcript's revision in its last six digits.
UPDATE artifacts SET words_rev = 0 WHERE state = 'here' AND form = 'md' AND kind IN ('transcript', 'summary')
    AND rev % 1000000 = (SELECT transcript_rev FROM recordings WHERE id = artifacts.recording_id);
