-- In which folder a note lies, by the folder's inode (0: nobody wrote it down): a folder that is renamed stays what it is, and
-- another one that takes its name is not it.
ALTER TABLE artifacts ADD COLUMN lay_in INTEGER NOT NULL DEFAULT 0;
