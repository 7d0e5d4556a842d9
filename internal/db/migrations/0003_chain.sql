-- +goose Up

-- The state of an organisation's chain: how often it changed, and what its map says
-- of itself. Durations are in seconds, everywhere in this file.
CREATE TABLE chain_revision (
  org        TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  own        TEXT NOT NULL, -- the organisation whose chain this is
  currency   TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (org)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_organisation (
  org      TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  lei      TEXT NOT NULL,
  domains  TEXT NOT NULL, -- JSON list
  country  TEXT NOT NULL,
  category TEXT NOT NULL,
  parent   TEXT NOT NULL,
  note     TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_contact (
  org          TEXT NOT NULL,
  organisation TEXT NOT NULL,
  n            INTEGER NOT NULL,
  name         TEXT NOT NULL,
  role         TEXT NOT NULL,
  email        TEXT NOT NULL,
  phone        TEXT NOT NULL,
  PRIMARY KEY (org, organisation, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_process (
  org         TEXT NOT NULL,
  id          TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  owner       TEXT NOT NULL,
  criticality TEXT NOT NULL,
  rto         INTEGER NOT NULL,
  mtpd        INTEGER NOT NULL,
  rpo         INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_cost (
  org      TEXT NOT NULL,
  process  TEXT NOT NULL,
  n        INTEGER NOT NULL,
  since    INTEGER NOT NULL, -- the rate applies from this long after the process failed
  per_hour INTEGER NOT NULL,
  PRIMARY KEY (org, process, n)
) STRICT, WITHOUT ROWID;

-- Inputs and outputs of a process.
CREATE TABLE chain_item (
  org     TEXT NOT NULL,
  process TEXT NOT NULL,
  side    TEXT NOT NULL, -- input or output
  n       INTEGER NOT NULL,
  name    TEXT NOT NULL,
  party   TEXT NOT NULL,
  kind    TEXT NOT NULL,
  PRIMARY KEY (org, process, side, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_activity (
  org     TEXT NOT NULL,
  process TEXT NOT NULL,
  n       INTEGER NOT NULL,
  id      TEXT NOT NULL,
  name    TEXT NOT NULL,
  buffer  INTEGER NOT NULL,
  PRIMARY KEY (org, process, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_system (
  org      TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  kind     TEXT NOT NULL,
  operator TEXT NOT NULL,
  data     TEXT NOT NULL, -- JSON list of classes
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_supply (
  org      TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  supplier TEXT NOT NULL,
  customer TEXT NOT NULL,
  kind     TEXT NOT NULL,
  nature   TEXT NOT NULL,
  category TEXT NOT NULL,
  spend    INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

-- The supplier's ways into systems of its customer.
CREATE TABLE chain_access (
  org    TEXT NOT NULL,
  supply TEXT NOT NULL,
  n      INTEGER NOT NULL,
  system TEXT NOT NULL,
  level  TEXT NOT NULL,
  PRIMARY KEY (org, supply, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_product (
  org      TEXT NOT NULL,
  id       TEXT NOT NULL,
  name     TEXT NOT NULL,
  supplier TEXT NOT NULL,
  version  TEXT NOT NULL,
  sboms    TEXT NOT NULL, -- JSON list of file names and patterns
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

-- The products that a supply delivers or a system runs.
CREATE TABLE chain_carries (
  org     TEXT NOT NULL,
  holder  TEXT NOT NULL, -- the supply or system
  n       INTEGER NOT NULL,
  product TEXT NOT NULL,
  PRIMARY KEY (org, holder, n)
) STRICT, WITHOUT ROWID;

-- What a process, activity, system or supply needs; any of the options suffices.
CREATE TABLE chain_need (
  org    TEXT NOT NULL,
  holder TEXT NOT NULL,
  n      INTEGER NOT NULL,
  buffer INTEGER NOT NULL,
  note   TEXT NOT NULL,
  PRIMARY KEY (org, holder, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_need_option (
  org    TEXT NOT NULL,
  holder TEXT NOT NULL,
  need   INTEGER NOT NULL,
  n      INTEGER NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (org, holder, need, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain_flow (
  org       TEXT NOT NULL,
  id        TEXT NOT NULL,
  from_id   TEXT NOT NULL,
  to_id     TEXT NOT NULL,
  data      TEXT NOT NULL, -- JSON list
  class     TEXT NOT NULL,
  interface TEXT NOT NULL,
  protocol  TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
