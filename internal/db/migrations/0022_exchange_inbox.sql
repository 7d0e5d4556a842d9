-- +goose Up

-- What lists of entries search, filter and sort by.
ALTER TABLE exchange_entry ADD COLUMN title TEXT NOT NULL DEFAULT ''; -- what it is called, as far as it says so
ALTER TABLE exchange_entry ADD COLUMN search TEXT NOT NULL DEFAULT ''; -- in lower case; empty where it is for named people only
ALTER TABLE exchange_entry ADD COLUMN tlp INTEGER NOT NULL DEFAULT 0; -- the label as it counts now
ALTER TABLE exchange_entry ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0; -- until when an answer is asked for; 0: none is
ALTER TABLE exchange_entry ADD COLUMN embargo_at INTEGER NOT NULL DEFAULT 0; -- until when nobody passes it on
ALTER TABLE exchange_entry ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchange_entry ADD COLUMN narrowed INTEGER NOT NULL DEFAULT 0; -- 1: its marking is narrower now than it was signed

-- The entry of a partner that a statement passes on, and why a person let it go on.
ALTER TABLE exchange_statement ADD COLUMN of_party TEXT NOT NULL DEFAULT ''; -- empty: it is our own
ALTER TABLE exchange_statement ADD COLUMN of_number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchange_statement ADD COLUMN need_why TEXT NOT NULL DEFAULT '';

CREATE INDEX exchange_statement_of ON exchange_statement (org, of_party, of_number);
