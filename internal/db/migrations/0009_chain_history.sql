-- +goose Up

-- What each thing of a chain was before and after every change, as a map says it.
CREATE TABLE chain_history (
  org    TEXT NOT NULL,
  kind   TEXT NOT NULL, -- organisation, process, system, supply, product or flow
  id     TEXT NOT NULL,
  n      INTEGER NOT NULL, -- the revision of the chain that the change made
  at     INTEGER NOT NULL,
  by     TEXT NOT NULL,
  door   TEXT NOT NULL,
  what   TEXT NOT NULL, -- the kind of the event: an import or an edit
  before TEXT NOT NULL, -- empty for what was added
  after  TEXT NOT NULL, -- empty for what was removed
  PRIMARY KEY (org, kind, id, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX chain_history_n ON chain_history (org, n);
