-- +goose Up

-- Advisories as they were recorded, one row a record. digest is a hash of the record
-- as compact JSON, by which an unchanged one is known. member_of is the group to
-- which the record belongs. level and score (times ten) are its severity.
CREATE TABLE advisory_record (
  org        TEXT NOT NULL,
  id         TEXT NOT NULL,
  member_of  TEXT NOT NULL,
  digest     BLOB NOT NULL,
  modified   INTEGER NOT NULL,
  published  INTEGER NOT NULL,
  withdrawn  INTEGER NOT NULL,
  recorded   INTEGER NOT NULL,
  source     TEXT NOT NULL,
  summary    TEXT NOT NULL,
  level      INTEGER NOT NULL,
  score      INTEGER NOT NULL,
  vector     TEXT NOT NULL,
  ecosystems TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX advisory_record_member_of ON advisory_record (org, member_of);

-- The whole record as compact JSON, packed with deflate.
CREATE TABLE advisory_body (
  org  TEXT NOT NULL,
  id   TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;

-- Every name under which a record is known, its own included; folded is the name in
-- lower case, by which people find it.
CREATE TABLE advisory_alias (
  org    TEXT NOT NULL,
  folded TEXT NOT NULL,
  record TEXT NOT NULL,
  name   TEXT NOT NULL,
  PRIMARY KEY (org, record, folded)
) STRICT, WITHOUT ROWID;

CREATE INDEX advisory_alias_folded ON advisory_alias (org, folded, record);

-- The packages that a record names, folded as the matcher folds them.
CREATE TABLE advisory_affects (
  org       TEXT NOT NULL,
  ecosystem TEXT NOT NULL,
  name      TEXT NOT NULL,
  record    TEXT NOT NULL,
  PRIMARY KEY (org, ecosystem, name, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX advisory_affects_record ON advisory_affects (org, record);

-- Groups: the records that tell of one thing under several names, joined by their
-- aliases. Everything here follows from the records and matches, and is kept so that
-- lists need not compute it. affected and unknown count packages of the dictionary.
CREATE TABLE advisory_group (
  org        TEXT NOT NULL,
  id         TEXT NOT NULL,
  names      TEXT NOT NULL,
  records    TEXT NOT NULL,
  search     TEXT NOT NULL,
  summary    TEXT NOT NULL,
  level      INTEGER NOT NULL,
  score      INTEGER NOT NULL,
  vector     TEXT NOT NULL,
  ecosystems TEXT NOT NULL,
  published  INTEGER NOT NULL,
  modified   INTEGER NOT NULL,
  withdrawn  INTEGER NOT NULL,
  affected   INTEGER NOT NULL,
  unknown    INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

-- Each order of the list has its index, so that a page costs a page.
CREATE INDEX advisory_group_modified ON advisory_group (org, modified DESC, id) WHERE withdrawn = 0;
CREATE INDEX advisory_group_published ON advisory_group (org, published DESC, id) WHERE withdrawn = 0;
CREATE INDEX advisory_group_severity ON advisory_group (org, level DESC, score DESC, modified DESC, id) WHERE withdrawn = 0;
CREATE INDEX advisory_group_affected ON advisory_group (org, id) WHERE affected > 0;

-- How a package of the dictionary stands to a record. Rows are never removed; a
-- match that no longer holds changes its state.
CREATE TABLE advisory_match (
  org     TEXT NOT NULL,
  record  TEXT NOT NULL,
  package INTEGER NOT NULL,
  state   TEXT NOT NULL,
  why     TEXT NOT NULL,
  name    TEXT NOT NULL,
  version TEXT NOT NULL,
  since   INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (org, record, package)
) STRICT, WITHOUT ROWID;

CREATE INDEX advisory_match_package ON advisory_match (org, package);

-- The states a match had before.
CREATE TABLE advisory_match_history (
  org     TEXT NOT NULL,
  record  TEXT NOT NULL,
  package INTEGER NOT NULL,
  ended   INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  state   TEXT NOT NULL,
  why     TEXT NOT NULL,
  began   INTEGER NOT NULL,
  PRIMARY KEY (org, record, package, ended, n)
) STRICT, WITHOUT ROWID;

-- The compact form of the organisation's index, in parts, as of the event seq of the
-- journal. It can always be built anew from the inventory. asked is the event at
-- which it was last asked to be saved again.
CREATE TABLE advisory_index (
  org  TEXT NOT NULL,
  part INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (org, part)
) STRICT;

CREATE TABLE advisory_index_head (
  org       TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  parts     INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  saved     INTEGER NOT NULL,
  asked     INTEGER NOT NULL,
  PRIMARY KEY (org)
) STRICT, WITHOUT ROWID;
