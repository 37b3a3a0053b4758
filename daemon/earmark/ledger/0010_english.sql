-- Whether a segment is the translation of what was heard, and not what was heard.
ALTER TABLE heard ADD COLUMN english INTEGER NOT NULL DEFAULT 0;
