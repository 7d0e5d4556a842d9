-- +goose Up

-- When the organisation left for another node: it signs nothing here any more.
ALTER TABLE exchange_self ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;
