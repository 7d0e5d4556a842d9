-- +goose Up

-- What the rooms made of what a partner said.
ALTER TABLE exchange_entry ADD COLUMN outcome TEXT NOT NULL DEFAULT ''; -- taken or refused; empty: not yet, or nothing to make of it
ALTER TABLE exchange_entry ADD COLUMN outcome_why TEXT NOT NULL DEFAULT ''; -- JSON
