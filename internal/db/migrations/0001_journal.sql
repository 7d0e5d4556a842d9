-- +goose Up

-- The end of each organisation's chain of events, and the last number given to a job.
CREATE TABLE journal_head (
  org  TEXT NOT NULL,
  seq  INTEGER NOT NULL,
  hash BLOB NOT NULL,
  job  INTEGER NOT NULL,
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
  failures INTEGER NOT NULL,
  retry_at INTEGER NOT NULL,
  error    TEXT NOT NULL,
  PRIMARY KEY (org, consumer)
) STRICT, WITHOUT ROWID;

CREATE INDEX journal_cursor_retry ON journal_cursor (retry_at) WHERE failures > 0;

-- Work that is due at a time. wake_at is when the runner looks at a job again:
-- the due time of a waiting one, the end of the lease of a running one; for one
-- that is done or dead it is when it ended.
CREATE TABLE journal_job (
  org        TEXT NOT NULL,
  id         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  body       TEXT NOT NULL,
  state      TEXT NOT NULL,
  attempt    INTEGER NOT NULL,
  wake_at    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  error      TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;

CREATE INDEX journal_job_wake ON journal_job (state, wake_at, org);
CREATE INDEX journal_job_org ON journal_job (org, state, wake_at, id);
