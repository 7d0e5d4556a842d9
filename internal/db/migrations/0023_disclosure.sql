-- +goose Up

-- How much a partner is told of our own suppliers; supplier '' is what holds for all
-- of whom nothing else is said.
CREATE TABLE chain_disclosure_choice (
  org      TEXT NOT NULL,
  party    TEXT NOT NULL,
  supplier TEXT NOT NULL,
  level    TEXT NOT NULL,
  PRIMARY KEY (org, party, supplier)
) STRICT, WITHOUT ROWID;

-- What suppliers told of their own suppliers. One of each party stands; those before
-- it, and those taken back, are history. The body of what was taken back is empty.
CREATE TABLE chain_disclosed (
  org      TEXT NOT NULL,
  party    TEXT NOT NULL,
  number   INTEGER NOT NULL,
  supplier TEXT NOT NULL, -- which organisation of the chain the party is, '' for none
  name     TEXT NOT NULL, -- of the party
  tlp      TEXT NOT NULL,
  at       INTEGER NOT NULL,
  state    TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (org, party, number)
) STRICT, WITHOUT ROWID;
