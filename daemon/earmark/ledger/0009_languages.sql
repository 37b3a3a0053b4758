-- The language of each segment, where it was detected.
ALTER TABLE heard ADD COLUMN language TEXT NOT NULL DEFAULT '';
