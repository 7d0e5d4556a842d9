-- +goose Up

-- The label of what was said, as it counts now, as entries have it: what the ledger is
-- filtered and sorted by.
ALTER TABLE exchange_statement ADD COLUMN tlp INTEGER NOT NULL DEFAULT 0;

UPDATE exchange_statement SET tlp = CASE
  WHEN marking LIKE '{"tlp":"TLP:CLEAR"%' THEN 1
  WHEN marking LIKE '{"tlp":"TLP:GREEN"%' THEN 2
  WHEN marking LIKE '{"tlp":"TLP:AMBER"%' THEN 3
  WHEN marking LIKE '{"tlp":"TLP:AMBER+STRICT"%' THEN 4
  WHEN marking LIKE '{"tlp":"TLP:RED"%' THEN 5
  ELSE 0 END;
