-- +goose Up

-- The embargoes among all entries.
CREATE INDEX exchange_entry_embargo ON exchange_entry (org, kind, state, subject) WHERE kind = 'embargo';
