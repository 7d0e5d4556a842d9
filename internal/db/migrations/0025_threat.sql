-- +goose Up

-- STIX objects that partners shared, each as it came.
CREATE TABLE threat_object (
  org    TEXT NOT NULL,
  party  TEXT NOT NULL,
  number INTEGER NOT NULL, -- of the entry
  id     TEXT NOT NULL,    -- of the object
  type   TEXT NOT NULL,
  title  TEXT NOT NULL,
  by     TEXT NOT NULL,    -- what the party calls itself
  tlp    TEXT NOT NULL,    -- the stricter of the entry's and what is written inside
  at     INTEGER NOT NULL, -- when it was said
  raw    BLOB NOT NULL,
  PRIMARY KEY (org, party, number, id)
) STRICT, WITHOUT ROWID;
