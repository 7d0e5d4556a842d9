-- +goose Up

-- Requests that carried an Idempotency-Key, and the answers that a repetition gets.
CREATE TABLE api_idempotency (
  org     TEXT NOT NULL,
  key     TEXT NOT NULL,
  request BLOB NOT NULL, -- hash of who asked for what, without the body
  claim   TEXT NOT NULL, -- who runs it
  done    INTEGER NOT NULL,
  body    BLOB,          -- hash of the request's body
  status  INTEGER NOT NULL,
  header  TEXT NOT NULL,
  answer  BLOB,
  until   INTEGER NOT NULL,
  PRIMARY KEY (org, key)
) STRICT;

CREATE INDEX api_idempotency_until ON api_idempotency (org, until);
