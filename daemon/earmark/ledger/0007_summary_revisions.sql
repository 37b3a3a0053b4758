-- Revisions of summary notes in both layouts on one scale (pipeline/outputs.py): those of the summary count in millions, and
-- those of the transcript below it where one note holds both. Which layout a note has, nobody wrote down: one that has
-- no transcript beside it holds it.
CREATE TEMP TABLE alone AS SELECT p.path, p.recording_id, p.transcript_rev + p.summary_rev AS was,
    p.summary_rev * 1000000 + p.transcript_rev AS rev FROM places p
    WHERE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.place = p.path AND a.recording_id = p.recording_id
        AND a.kind = 'transcript' AND a.form = 'md')
    AND NOT EXISTS (SELECT 1 FROM removed r WHERE r.place = p.path AND r.recording_id = p.recording_id
        AND r.kind = 'transcript' AND r.form = 'md');
UPDATE artifacts SET rev = coalesce(
    (SELECT CASE WHEN artifacts.rev >= was THEN alone.rev ELSE artifacts.rev END FROM alone
        WHERE alone.path = place AND alone.recording_id = artifacts.recording_id), rev * 1000000)
    WHERE kind = 'summary' AND form = 'md' AND rev > 0;
UPDATE removed SET rev = coalesce(
    (SELECT CASE WHEN removed.rev >= was THEN alone.rev ELSE removed.rev END FROM alone
        WHERE alone.path = place AND alone.recording_id = removed.recording_id), rev * 1000000)
    WHERE kind = 'summary' AND form = 'md' AND rev > 0;
DROP TABLE alone;
