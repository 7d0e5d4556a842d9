-- +goose Up

-- What suppliers say of whether their products are affected. One of each party for a
-- product and a vulnerability stands; those before it, and those taken back, are history.
CREATE TABLE advisory_vex (
  org           TEXT NOT NULL,
  product       TEXT NOT NULL,
  vulnerability TEXT NOT NULL, -- folded
  party         TEXT NOT NULL,
  number        INTEGER NOT NULL,
  n             INTEGER NOT NULL, -- within the entry
  name          TEXT NOT NULL, -- of the vulnerability, as it was said
  by            TEXT NOT NULL, -- what the party calls itself
  status        TEXT NOT NULL,
  justification TEXT NOT NULL,
  text          TEXT NOT NULL,
  action        TEXT NOT NULL,
  packages      TEXT NOT NULL, -- JSON: parts of the product; empty: all
  at            INTEGER NOT NULL,
  state         TEXT NOT NULL, -- standing, replaced or recalled
  ended_at      INTEGER NOT NULL,
  PRIMARY KEY (org, product, vulnerability, party, number, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX advisory_vex_entry ON advisory_vex (org, party, number);
