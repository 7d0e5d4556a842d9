-- +goose Up

-- Of a recipient: that a person decided that it needs to know, and what it was asked to
-- do afterwards, whether or not it could be told.
ALTER TABLE exchange_ledger ADD COLUMN need INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchange_ledger ADD COLUMN revise TEXT NOT NULL DEFAULT ''; -- recall or narrow; empty: nothing
ALTER TABLE exchange_ledger ADD COLUMN revised_at INTEGER NOT NULL DEFAULT 0;

UPDATE exchange_ledger SET
  revise = coalesce((SELECT e.kind FROM exchange_entry e WHERE e.org = exchange_ledger.org AND e.party = exchange_ledger.party AND e.way = 'out' AND e.number = exchange_ledger.recall), 'recall'),
  revised_at = coalesce((SELECT e.said_at FROM exchange_entry e WHERE e.org = exchange_ledger.org AND e.party = exchange_ledger.party AND e.way = 'out' AND e.number = exchange_ledger.recall), 1)
WHERE recall > 0;

CREATE INDEX exchange_ledger_open ON exchange_ledger (org, statement) WHERE revised_at > 0 AND recall_acked_at = 0;

-- Whom partners can reach at our side, as it was last told to all of them.
ALTER TABLE exchange_self ADD COLUMN contacts TEXT NOT NULL DEFAULT '[]'; -- JSON
