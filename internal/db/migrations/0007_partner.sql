-- +goose Up

-- What people know of a supplier that the chain does not tell. The values are those
-- of the tier's criteria, 0 to 3.
CREATE TABLE partner_answer (
  org       TEXT NOT NULL,
  supplier  TEXT NOT NULL,
  criterion TEXT NOT NULL,
  value     INTEGER NOT NULL,
  reason    TEXT NOT NULL,
  by        TEXT NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (org, supplier, criterion)
) STRICT, WITHOUT ROWID;

-- A tier that a person set over the computed one, for a time.
CREATE TABLE partner_override (
  org      TEXT NOT NULL,
  supplier TEXT NOT NULL,
  tier     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  by       TEXT NOT NULL,
  at       INTEGER NOT NULL,
  until    INTEGER NOT NULL,
  PRIMARY KEY (org, supplier)
) STRICT, WITHOUT ROWID;
