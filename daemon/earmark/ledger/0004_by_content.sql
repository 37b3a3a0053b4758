-- Notes, holds and dates belong to a recording, which is a content; a path is only where it was seen.

-- One date per recording, from the best source that is believable. `recorded_text` is the same as local wall time, as it
-- stands in notes; '' in `recorded_from` means that nobody has looked since this migration.
ALTER TABLE recordings RENAME COLUMN media_time TO recorded_at;
ALTER TABLE recordings ADD COLUMN recorded_text TEXT NOT NULL DEFAULT '';
ALTER TABLE recordings ADD COLUMN recorded_from TEXT NOT NULL DEFAULT ''
    CHECK (recorded_from IN ('container', 'name', 'file date', 'arrival', ''));
-- SHA-256 of the bytes after the header (files/content.py): a file that goes on begins with the same.
ALTER TABLE recordings ADD COLUMN body_sha256 TEXT NOT NULL DEFAULT '';

-- A place is a file that holds, or held, one recording; a path can have held several, one after the other.
CREATE TABLE places_by_content (
    path           BLOB NOT NULL,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    folder         BLOB NOT NULL,              -- the drop folder it was found in
    size           INTEGER NOT NULL,
    mtime_ns       INTEGER NOT NULL,
    inode          INTEGER NOT NULL,
    device         INTEGER NOT NULL,
    accepted_at    REAL NOT NULL,
    gone_at        REAL,                       -- since when the file does not hold the recording any more
    gone_why       TEXT CHECK (gone_why IN ('missing', 'moved', 'replaced', 'trashed')),
    transcript_rev INTEGER NOT NULL DEFAULT 0, -- revision of the notes on disk
    summary_rev    INTEGER NOT NULL DEFAULT 0,
    owed           TEXT NOT NULL DEFAULT ''    -- why its notes are to be looked at again (domain.Owed)
        CHECK (owed IN ('', 'back', 'renamed', 'audio went', 'audio is back', 'replaced', 'policy changed')),
    not_before     REAL NOT NULL DEFAULT 0,    -- backoff after a failed write
    trouble        TEXT,                       -- why its notes could not be written
    watched        INTEGER NOT NULL DEFAULT 1, -- 0: its drop folder is not watched any more
    PRIMARY KEY (path, recording_id)
) STRICT, WITHOUT ROWID;
INSERT INTO places_by_content
    SELECT path, recording_id, folder, size, mtime_ns, inode, device, accepted_at, gone_at, gone_why, transcript_rev,
        summary_rev,
        CASE WHEN outputs = 'back' THEN 'back' WHEN gone_why = 'trashed' AND path IN (SELECT place FROM relooks)
            THEN 'audio went' WHEN path IN (SELECT place FROM relooks) THEN 'policy changed' ELSE '' END,
        not_before, trouble, 1
    FROM places;
DROP TABLE relooks;
DROP TABLE places;
ALTER TABLE places_by_content RENAME TO places;
CREATE UNIQUE INDEX places_live ON places (path) WHERE gone_at IS NULL;
CREATE INDEX places_by_recording ON places (recording_id);

-- What a note says without the targets of its own links, and what its body says without frontmatter: an app that rewrites
-- links after a rename, or a person who adds a tag, has not edited the words (notes/comparing.py).
ALTER TABLE artifacts ADD COLUMN plain_sha256 TEXT;
ALTER TABLE artifacts ADD COLUMN words_sha256 TEXT;

-- The rules of today are the rules; what a recording was accepted under has no say.
DROP TRIGGER recording_remembers_policy;
DROP TABLE accepted_under;
ALTER TABLE policies ADD COLUMN reported_at REAL;   -- when a sweep first said what this policy takes
ALTER TABLE policies ADD COLUMN approved_at REAL;   -- when a person applied it by hand
UPDATE policies SET reported_at = (SELECT at FROM facts WHERE name = 'retention.reported' AND value = digest)
    WHERE id = (SELECT max(id) FROM policies);
DELETE FROM facts WHERE name = 'retention.reported';

-- What protects outlives the row of its recording: after damage, or while the recording is away.
CREATE TABLE holds_kept (
    recording_id   TEXT PRIMARY KEY,
    at             REAL NOT NULL,
    why            TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO holds_kept SELECT recording_id, at, why FROM holds;
DROP TABLE holds;
ALTER TABLE holds_kept RENAME TO holds;
CREATE TABLE item_rules_kept (
    recording_id   TEXT NOT NULL,
    kind           TEXT NOT NULL,
    body           TEXT NOT NULL,              -- config.RetentionRule as JSON
    at             REAL NOT NULL,
    PRIMARY KEY (recording_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO item_rules_kept SELECT recording_id, kind, body, at FROM item_rules;
DROP TABLE item_rules;
ALTER TABLE item_rules_kept RENAME TO item_rules;

-- Every note that was ever seen with an earmark_id, and what it said; `keep` counts until a person says otherwise.
CREATE TABLE notes_seen (
    path           BLOB NOT NULL,
    recording_id   TEXT NOT NULL,
    kind           TEXT NOT NULL DEFAULT '',   -- the note's `type`
    identity       TEXT NOT NULL,              -- of the file when it was read
    keep           INTEGER NOT NULL,
    tags           TEXT NOT NULL,              -- JSON list
    first_seen     REAL NOT NULL,
    seen_at        REAL NOT NULL,
    PRIMARY KEY (path, recording_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_seen_by_recording ON notes_seen (recording_id);
INSERT INTO notes_seen SELECT path, recording_id, '', '', keep, tags, 0, 0 FROM note_marks;
DROP TABLE note_marks;

ALTER TABLE tombstones RENAME COLUMN mark TO keyed_id;

UPDATE events SET what = replace(what, 'summarised', 'summarized') WHERE what LIKE '%summarised%';
