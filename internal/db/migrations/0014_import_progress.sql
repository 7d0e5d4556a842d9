-- +goose Up

-- How far a started import is: of its rows, those that are checked. All of them means
-- that they are being taken over.
ALTER TABLE chain_import ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;
