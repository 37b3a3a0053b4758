-- What the rows that protect come to, table by table, kept in the transaction that changes them: a page that is another
-- valid one than it should be (an older version of itself, or one without rows) is told by it. Empty: not taken yet.
CREATE TABLE IF NOT EXISTS digests (
    name           TEXT PRIMARY KEY,           -- of the table
    sha256         TEXT NOT NULL
) STRICT;
INSERT OR IGNORE INTO digests VALUES ('holds', ''), ('item_rules', ''), ('notes_seen', ''), ('formers', ''),
    ('tombstones', ''), ('facts', ''), ('keys', ''), ('policies', '');
