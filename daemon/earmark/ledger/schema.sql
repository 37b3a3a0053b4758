-- The ledger, version 1. Paths are BLOBs (os.fsencode), because a POSIX name need not be text.
-- Instants are Unix seconds. A recording is its content: its id is the SHA-256 of its bytes.

CREATE TABLE recordings (
    id             TEXT PRIMARY KEY,
    size           INTEGER NOT NULL,           -- bytes
    accepted_at    REAL NOT NULL,
    media_time     REAL NOT NULL,              -- modification time of the file it came as; orders the queue
    priority       INTEGER NOT NULL DEFAULT 0,
    duration       REAL,                       -- seconds, once known
    transcript_rev INTEGER NOT NULL DEFAULT 0, -- goes up with every new transcript; notes on disk trail it
    summary_rev    INTEGER NOT NULL DEFAULT 0,
    done_at        REAL                        -- when all its notes were on disk; starts the retention clock
) STRICT;

-- A place is a file in a drop folder that holds (or held) a recording's content.
CREATE TABLE places (
    path           BLOB PRIMARY KEY,
    folder         BLOB NOT NULL,              -- the drop folder it was found in
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    size           INTEGER NOT NULL,
    mtime_ns       INTEGER NOT NULL,
    inode          INTEGER NOT NULL,
    device         INTEGER NOT NULL,
    accepted_at    REAL NOT NULL,
    gone_at        REAL,                       -- first scan that did not find it
    gone_why       TEXT,                       -- 'missing', 'moved', 'replaced', 'trashed'
    transcript_rev INTEGER NOT NULL DEFAULT 0, -- revision of the notes on disk
    summary_rev    INTEGER NOT NULL DEFAULT 0,
    outputs        TEXT NOT NULL DEFAULT '',   -- what the notes on disk were written for (formats, gone_why)
    not_before     REAL NOT NULL DEFAULT 0,    -- backoff after a failed write
    trouble        TEXT                        -- why its notes could not be written
) STRICT;
CREATE INDEX places_by_recording ON places (recording_id);

CREATE TABLE jobs (
    id             INTEGER PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    stage          TEXT NOT NULL CHECK (stage IN ('transcribe', 'summarize')),
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'parked', 'done', 'failed')),
    attempts       INTEGER NOT NULL DEFAULT 0, -- charged before the work, given back if it was not its fault
    interruptions  INTEGER NOT NULL DEFAULT 0, -- times the work was cut short by somebody else
    not_before     REAL NOT NULL DEFAULT 0,
    reason         TEXT,
    claimed_by     TEXT,                       -- daemon run
    changed_at     REAL NOT NULL,
    UNIQUE (recording_id, stage)
) STRICT;
CREATE INDEX jobs_by_state ON jobs (stage, state);

-- What has been heard so far; survives any kill. Deleted when the transcript is complete.
CREATE TABLE checkpoints (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    settings       TEXT NOT NULL,              -- model, language, vocabulary ... as JSON; others start at zero
    upto           REAL NOT NULL,
    language       TEXT NOT NULL,
    language_probability REAL NOT NULL,
    speech_seconds REAL NOT NULL,
    bad_packets    INTEGER NOT NULL
) STRICT;

CREATE TABLE heard (
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    seq            INTEGER NOT NULL,
    start          REAL NOT NULL,
    end            REAL NOT NULL,
    text           TEXT NOT NULL,
    confidence     REAL NOT NULL,
    mark           TEXT,
    PRIMARY KEY (recording_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE transcripts (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    settings       TEXT NOT NULL,
    stored_at      REAL NOT NULL,
    body           TEXT NOT NULL               -- domain.Transcript as JSON
) STRICT;

CREATE TABLE summaries (
    recording_id   TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    stored_at      REAL NOT NULL,
    body           TEXT NOT NULL               -- domain.Summary as JSON
) STRICT;

-- Every file that we wrote. A row is there before the file ('writing') and says which bytes are ours.
CREATE TABLE artifacts (
    id             INTEGER PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    place          BLOB NOT NULL,              -- the recording file it belongs to
    kind           TEXT NOT NULL CHECK (kind IN ('transcript', 'summary', 'sidecar')),
    form           TEXT NOT NULL,              -- 'md', 'srt', 'vtt', 'txt', 'json'
    path           BLOB NOT NULL UNIQUE,
    rev            INTEGER NOT NULL,           -- revision of transcript or summary it was written for
    sha256         TEXT NOT NULL,              -- of the bytes that are on disk
    next_sha256    TEXT,                       -- of the bytes being written, while state is 'writing'
    state          TEXT NOT NULL CHECK (state IN ('writing', 'here', 'edited', 'gone', 'trashed')),
    written_at     REAL NOT NULL
) STRICT;
CREATE INDEX artifacts_by_place ON artifacts (place);

CREATE TABLE events (
    id             INTEGER PRIMARY KEY,
    at             REAL NOT NULL,
    recording_id   TEXT,
    path           BLOB,
    what           TEXT NOT NULL,              -- accepted, transcribed, written, retried, trashed ...
    detail         TEXT NOT NULL DEFAULT ''    -- one sentence without a word of what was said
) STRICT;
CREATE INDEX events_by_recording ON events (recording_id, id);
CREATE INDEX events_by_path ON events (path, id);

-- What is wrong right now and has no job to be written on: a file that cannot be read, a folder that is away.
CREATE TABLE troubles (
    subject        BLOB PRIMARY KEY,           -- path of the file or folder, or a name in square brackets
    kind           TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'system')),
    sentence       TEXT NOT NULL,
    since          REAL NOT NULL,
    seen           TEXT NOT NULL DEFAULT ''    -- size:mtime:inode of a file, so that only a change is looked at again
) STRICT;

-- Small facts about the daemon itself: last sweep, last scan.
CREATE TABLE facts (
    name           TEXT PRIMARY KEY,
    value          TEXT NOT NULL,
    at             REAL NOT NULL
) STRICT;
