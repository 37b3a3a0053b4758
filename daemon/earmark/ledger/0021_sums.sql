-- A checksum of what search shows of each passage, and of vectors: a changed byte in a row cannot pass for what was said. Made
-- by who puts words in (ledger/index_sums.py); empty until that happens.
ALTER TABLE passages ADD COLUMN sum INTEGER;
ALTER TABLE vectors ADD COLUMN sum INTEGER;
ALTER TABLE embedded ADD COLUMN sum INTEGER;
