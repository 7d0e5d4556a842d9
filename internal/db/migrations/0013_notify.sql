-- +goose Up

-- Where an organisation wants to hear of what happens to it.
CREATE TABLE notify_hook (
  org           TEXT NOT NULL,
  id            TEXT NOT NULL,
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  kinds         TEXT NOT NULL,    -- JSON: the kinds of events that are told
  secret        BLOB NOT NULL,    -- sealed
  former        BLOB,             -- sealed; the secret before, if there was one
  former_until  INTEGER NOT NULL, -- how long the secret before counts too
  state         TEXT NOT NULL,    -- on, paused (by a person) or stopped (by the program)
  why           TEXT NOT NULL,    -- it was stopped
  person        TEXT NOT NULL,    -- who registered it: what they may not see is not told
  by            TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  since         INTEGER NOT NULL, -- the latest event before it was registered; only later ones are told
  failing_since INTEGER NOT NULL, -- 0 while the latest attempt succeeded
  armed_at      INTEGER NOT NULL, -- the time of the job that delivers next; 0 without one
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

-- What was told or is to be told, one row per hook and event.
CREATE TABLE notify_delivery (
  org        TEXT NOT NULL,
  id         TEXT NOT NULL, -- the same at every attempt: webhook-id
  hook       TEXT NOT NULL,
  seq        INTEGER NOT NULL, -- the event
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  state      TEXT NOT NULL, -- waiting, delivered or failed
  attempts   INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  tried_at   INTEGER NOT NULL, -- 0: not yet
  code       INTEGER NOT NULL, -- the status of the latest answer; 0: none came
  took       INTEGER NOT NULL, -- milliseconds of the latest attempt
  error      TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notify_delivery_due ON notify_delivery (org, hook, state, due_at);
CREATE INDEX notify_delivery_log ON notify_delivery (org, created_at);
