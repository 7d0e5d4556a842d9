-- +goose Up

-- The dictionary: every different package that stands in a document of the
-- organisation. Rows are never changed or removed, so that an id means one package
-- for ever and ids grow. The key is a hash of the other columns that tell packages
-- apart.
CREATE TABLE inventory_package (
  org        TEXT NOT NULL,
  id         INTEGER NOT NULL,
  key        BLOB NOT NULL,
  type       TEXT NOT NULL,
  namespace  TEXT NOT NULL,
  name       TEXT NOT NULL,
  version    TEXT NOT NULL,
  qualifiers TEXT NOT NULL,
  subpath    TEXT NOT NULL,
  purl       TEXT NOT NULL,
  cpe        TEXT NOT NULL,
  search     TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX inventory_package_key ON inventory_package (org, key);
CREATE INDEX inventory_package_search ON inventory_package (org, search, version);

-- Texts that many components repeat: types, scopes, suppliers, licences.
CREATE TABLE inventory_word (
  org  TEXT NOT NULL,
  id   INTEGER NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX inventory_word_word ON inventory_word (org, word);

-- One bill of materials as it was recorded. It is the current one of its product
-- and part while superseded_at and removed_at are 0.
CREATE TABLE inventory_document (
  org             TEXT NOT NULL,
  id              INTEGER NOT NULL,
  product         TEXT NOT NULL,
  part            TEXT NOT NULL,
  file            TEXT NOT NULL,
  format          TEXT NOT NULL,
  spec_version    TEXT NOT NULL,
  encoding        TEXT NOT NULL,
  serial          TEXT NOT NULL,
  revision        TEXT NOT NULL,
  name            TEXT NOT NULL,
  subject         TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  recorded_at     INTEGER NOT NULL,
  recorded_by     TEXT NOT NULL,
  sha256          TEXT NOT NULL,
  size            INTEGER NOT NULL,
  components      INTEGER NOT NULL,
  packages        INTEGER NOT NULL,
  assessable      INTEGER NOT NULL,
  unversioned     INTEGER NOT NULL,
  vulnerabilities INTEGER NOT NULL,
  types           TEXT NOT NULL,
  authors         TEXT NOT NULL,
  tools           TEXT NOT NULL,
  oddities        TEXT NOT NULL,
  more_oddities   INTEGER NOT NULL,
  superseded_at   INTEGER NOT NULL,
  superseded_by   INTEGER NOT NULL,
  removed_at      INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX inventory_document_product ON inventory_document (org, product, id);
CREATE INDEX inventory_document_current ON inventory_document (org, product, part) WHERE superseded_at = 0 AND removed_at = 0;

-- What a document lists, in its order. Role 0 is a component, 1 the subject of the
-- document, 2 a further package URL of the component before.
CREATE TABLE inventory_component (
  org      TEXT NOT NULL,
  document INTEGER NOT NULL,
  n        INTEGER NOT NULL,
  package  INTEGER NOT NULL,
  role     INTEGER NOT NULL,
  depth    INTEGER NOT NULL,
  type     INTEGER NOT NULL,
  scope    INTEGER NOT NULL,
  supplier INTEGER NOT NULL,
  licence  INTEGER NOT NULL,
  PRIMARY KEY (org, document, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX inventory_component_package ON inventory_component (org, package, document);

-- The different packages of a document as ascending differences, each an unsigned
-- varint: five million of them are read in a moment, row by row they are not.
CREATE TABLE inventory_content (
  org      TEXT NOT NULL,
  document INTEGER NOT NULL,
  packages BLOB NOT NULL,
  PRIMARY KEY (org, document)
) STRICT, WITHOUT ROWID;
