-- +goose Up

-- Which entry of a partner brought something, so that it goes when the entry is taken
-- back; recalled says that it was.
ALTER TABLE advisory_record ADD COLUMN party TEXT NOT NULL DEFAULT '';
ALTER TABLE advisory_record ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE advisory_record ADD COLUMN recalled_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX advisory_record_entry ON advisory_record (org, party, number) WHERE party <> '';

ALTER TABLE inventory_document ADD COLUMN party TEXT NOT NULL DEFAULT '';
ALTER TABLE inventory_document ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inventory_document ADD COLUMN recalled INTEGER NOT NULL DEFAULT 0;
CREATE INDEX inventory_document_entry ON inventory_document (org, party, number) WHERE party <> '';

ALTER TABLE threat_object ADD COLUMN recalled_at INTEGER NOT NULL DEFAULT 0;
