-- +goose Up

-- The revision at which the organisation's own things last changed. What suppliers tell
-- of theirs makes revisions too, and stands in nobody's way.
ALTER TABLE chain_revision ADD COLUMN mapped INTEGER NOT NULL DEFAULT 0;
UPDATE chain_revision SET mapped = revision;
