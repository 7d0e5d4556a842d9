-- +goose Up

-- The advisories that hit us are few among many. The count stands in the key: SQLite
-- would not look into an index that knows no more of a question than the primary key.
DROP INDEX advisory_group_affected;
CREATE INDEX advisory_group_affected ON advisory_group (org, affected, id) WHERE affected > 0;
CREATE INDEX advisory_group_unknown ON advisory_group (org, unknown, id) WHERE unknown > 0;
