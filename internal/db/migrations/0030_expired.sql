-- +goose Up

-- When what a partner said ended, and whether its time ran out or its sender took it
-- back. What is known of that stands with the entries; a recall of before has no date.
-- VEX and disclosures say it in their state.
ALTER TABLE exchange_entry ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
UPDATE exchange_entry SET ended_at = expires_at WHERE state = 'expired';

ALTER TABLE advisory_record RENAME COLUMN recalled_at TO ended_at;
ALTER TABLE advisory_record ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
UPDATE advisory_record SET expired = 1, ended_at = (SELECT e.ended_at FROM exchange_entry e WHERE e.org = advisory_record.org AND e.party = advisory_record.party AND e.way = 'in' AND e.number = advisory_record.number)
  WHERE ended_at <> 0 AND EXISTS (SELECT 1 FROM exchange_entry e WHERE e.org = advisory_record.org AND e.party = advisory_record.party AND e.way = 'in' AND e.number = advisory_record.number AND e.state = 'expired' AND e.ended_at > 0);

ALTER TABLE inventory_document ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
UPDATE inventory_document SET expired = 1, recalled = 0, removed_at = (SELECT e.ended_at FROM exchange_entry e WHERE e.org = inventory_document.org AND e.party = inventory_document.party AND e.way = 'in' AND e.number = inventory_document.number)
  WHERE recalled = 1 AND EXISTS (SELECT 1 FROM exchange_entry e WHERE e.org = inventory_document.org AND e.party = inventory_document.party AND e.way = 'in' AND e.number = inventory_document.number AND e.state = 'expired' AND e.ended_at > 0);

ALTER TABLE threat_object RENAME COLUMN recalled_at TO ended_at;
ALTER TABLE threat_object ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
UPDATE threat_object SET expired = 1, ended_at = (SELECT e.ended_at FROM exchange_entry e WHERE e.org = threat_object.org AND e.party = threat_object.party AND e.way = 'in' AND e.number = threat_object.number)
  WHERE ended_at <> 0 AND EXISTS (SELECT 1 FROM exchange_entry e WHERE e.org = threat_object.org AND e.party = threat_object.party AND e.way = 'in' AND e.number = threat_object.number AND e.state = 'expired' AND e.ended_at > 0);

UPDATE advisory_vex SET state = 'expired', ended_at = (SELECT e.ended_at FROM exchange_entry e WHERE e.org = advisory_vex.org AND e.party = advisory_vex.party AND e.way = 'in' AND e.number = advisory_vex.number)
  WHERE state = 'recalled' AND EXISTS (SELECT 1 FROM exchange_entry e WHERE e.org = advisory_vex.org AND e.party = advisory_vex.party AND e.way = 'in' AND e.number = advisory_vex.number AND e.state = 'expired' AND e.ended_at > 0);
UPDATE chain_disclosed SET state = 'expired', ended_at = (SELECT e.ended_at FROM exchange_entry e WHERE e.org = chain_disclosed.org AND e.party = chain_disclosed.party AND e.way = 'in' AND e.number = chain_disclosed.number)
  WHERE state = 'recalled' AND EXISTS (SELECT 1 FROM exchange_entry e WHERE e.org = chain_disclosed.org AND e.party = chain_disclosed.party AND e.way = 'in' AND e.number = chain_disclosed.number AND e.state = 'expired' AND e.ended_at > 0);
