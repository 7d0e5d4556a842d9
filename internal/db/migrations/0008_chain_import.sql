-- +goose Up

-- Imports of spreadsheets, from the upload on.
CREATE TABLE chain_import (
  org       TEXT NOT NULL,
  id        INTEGER NOT NULL,
  kind      TEXT NOT NULL, -- suppliers, processes, …
  file      TEXT NOT NULL, -- its name
  state     TEXT NOT NULL, -- draft, waiting, done, failed or undone
  rows      INTEGER NOT NULL,
  heading   TEXT NOT NULL, -- JSON list
  options   TEXT NOT NULL, -- JSON
  counts    TEXT NOT NULL, -- JSON
  note      TEXT NOT NULL, -- why it failed
  by_person TEXT NOT NULL,
  by_name   TEXT NOT NULL,
  at        INTEGER NOT NULL,
  done_at   INTEGER NOT NULL,
  undone_at INTEGER NOT NULL,
  undone_by TEXT NOT NULL,
  sheet     BLOB,          -- JSON, packed: all rows, and after the import those that were refused
  result    BLOB,          -- JSON, packed: what became of each row
  undo      BLOB,          -- JSON, packed: what each touched thing was before
  PRIMARY KEY (org, id)
) STRICT;

CREATE INDEX chain_import_state ON chain_import (org, state, at);
