-- A recording that was appended to is another content and the same recording; notes that its owner edited go on naming the
-- former one. Every former content of a recording stands here, not the latest alone.
CREATE TABLE formers (
    former         TEXT NOT NULL,              -- id of the content that went on
    recording_id   TEXT NOT NULL,              -- what it went on as
    size           INTEGER NOT NULL,           -- bytes of the former content
    tags           TEXT NOT NULL,              -- JSON list: those that earmark wrote into the former's notes
    PRIMARY KEY (former, recording_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX formers_by_recording ON formers (recording_id);
