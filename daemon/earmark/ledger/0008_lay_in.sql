-- In which folder a note lies, by what the folder is (files/handles.py; '': nobody wrote it down): a folder that is renamed stays
-- what it is, and another one that takes its name is not it.
ALTER TABLE artifacts ADD COLUMN lay_in TEXT NOT NULL DEFAULT '';
