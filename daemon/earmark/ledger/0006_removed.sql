-- A note that its owner removed stays removed, wherever its recording goes and whatever takes the note's name.
CREATE TABLE removed (
    place          BLOB NOT NULL,              -- the recording file that it belonged to
    recording_id   TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    kind           TEXT NOT NULL,
    form           TEXT NOT NULL,
    rev            INTEGER NOT NULL,           -- it is written again for a later revision only
    PRIMARY KEY (place, recording_id, kind, form)
) STRICT, WITHOUT ROWID;
INSERT INTO removed SELECT place, recording_id, kind, form, max(rev) FROM artifacts WHERE state = 'gone'
    GROUP BY place, recording_id, kind, form;
