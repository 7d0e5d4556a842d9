-- +goose Up

-- How a person likes to read, on every device.
CREATE TABLE identity_preference (
    person   TEXT    NOT NULL PRIMARY KEY REFERENCES identity_person (id),
    language TEXT    NOT NULL, -- '' is that of the browser
    zone     TEXT    NOT NULL, -- '' is that of the browser
    rows     INTEGER NOT NULL  -- of a page of a list; 0 is the program's choice
) STRICT;

-- Views of lists that somebody gave a name.
CREATE TABLE identity_view (
    org        TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    person     TEXT    NOT NULL, -- who made it
    list       TEXT    NOT NULL, -- the path of the list inside the organisation
    name       TEXT    NOT NULL,
    query      TEXT    NOT NULL, -- what the URL says: search, filters, sort, columns, rows
    shared     INTEGER NOT NULL, -- 1: everybody in the organisation has it
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT;

CREATE INDEX identity_view_list ON identity_view (org, list, name);

-- With which view a list opens for a person.
CREATE TABLE identity_view_standard (
    org    TEXT NOT NULL,
    person TEXT NOT NULL,
    list   TEXT NOT NULL,
    view   TEXT NOT NULL,
    PRIMARY KEY (org, person, list)
) STRICT;
