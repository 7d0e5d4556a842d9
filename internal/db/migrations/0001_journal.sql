-- +goose Up

-- The end of each organisation's chain of events.
CREATE TABLE journal_head (
  org  TEXT NOT NULL,
  seq  INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (org)
) STRICT, WITHOUT ROWID;

-- Append-only: what happened, in the order of commits within one organisation.
CREATE TABLE journal_event (
  org     TEXT NOT NULL,
  seq     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  person  TEXT NOT NULL,
  actor   TEXT NOT NULL,
  role    TEXT NOT NULL,
  door    TEXT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  body    TEXT NOT NULL,
  prev    BLOB NOT NULL,
  hash    BLOB NOT NULL,
  PRIMARY KEY (org, seq)
) STRICT;

-- How far each consumer has read, and what stops it.
CREATE TABLE journal_cursor (
  org      TEXT NOT NULL,
  consumer TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER NOT NULL DEFAULT 0,
  error    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (org, consumer)
) STRICT, WITHOUT ROWID;

-- Work that is due at a time, leased by one replica at a time.
CREATE TABLE journal_job (
  org         TEXT NOT NULL,
  id          INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  body        TEXT NOT NULL,
  state       TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  attempt     INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER NOT NULL DEFAULT 0,
  holder      TEXT NOT NULL DEFAULT '',
  error       TEXT NOT NULL DEFAULT '',
  created_at  INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org, id)
) STRICT;

CREATE INDEX journal_job_due ON journal_job (org, state, due_at);
