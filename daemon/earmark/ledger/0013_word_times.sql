-- When each word of a segment is said, as JSON; '' where that was not measured.
ALTER TABLE heard ADD COLUMN words TEXT NOT NULL DEFAULT '';
