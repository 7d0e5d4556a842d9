-- +goose Up

-- Which blobs belong to which entries.
CREATE TABLE exchange_entry_blob (
  org    TEXT NOT NULL,
  party  TEXT NOT NULL,
  way    TEXT NOT NULL,
  number INTEGER NOT NULL,
  hash   BLOB NOT NULL,
  size   INTEGER NOT NULL,
  PRIMARY KEY (org, party, way, number, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX exchange_entry_blob_hash ON exchange_entry_blob (org, hash);
