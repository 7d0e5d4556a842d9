-- +goose Up

-- People and what belongs to them alone are node-wide: one person can be a member
-- of several organisations.
CREATE TABLE identity_person (
    id         TEXT    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE, -- in lower case
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity_credential (
    person     TEXT    NOT NULL REFERENCES identity_person (id),
    kind       TEXT    NOT NULL, -- password, totp, totp-new, recovery, passkey
    id         TEXT    NOT NULL, -- of the passkey; hash of the recovery code; else '-'
    name       TEXT    NOT NULL, -- given by the person
    data       BLOB    NOT NULL, -- PHC string; sealed secret; public key
    counter    INTEGER NOT NULL, -- last used time step; signature counter
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    PRIMARY KEY (person, kind, id)
) STRICT;

CREATE UNIQUE INDEX identity_credential_passkey ON identity_credential (id) WHERE kind = 'passkey';

CREATE TABLE identity_session (
    hash       BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the token
    id         TEXT    NOT NULL UNIQUE,      -- by which the person names it in the list
    person     TEXT    NOT NULL REFERENCES identity_person (id),
    only_org   TEXT    NOT NULL,             -- single sign-on of one organisation opens that one only
    method     TEXT    NOT NULL,
    pending    INTEGER NOT NULL,             -- 1: the second factor is still due
    agent      TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    proven_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_session_person ON identity_session (person, created_at);
CREATE INDEX identity_session_expires ON identity_session (expires_at);

CREATE TABLE identity_challenge (
    hash       BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of what the browser brings back
    kind       TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    address    TEXT    NOT NULL, -- that began it, to bound how many it begins
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_challenge_address ON identity_challenge (address);
CREATE INDEX identity_challenge_expires ON identity_challenge (expires_at);

CREATE TABLE identity_rate (
    key      TEXT    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_rate_last ON identity_rate (last_at);

CREATE TABLE identity_node_setting (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- What follows belongs to one organisation.
CREATE TABLE identity_organisation (
    org        TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity_member (
    org        TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    scope      TEXT    NOT NULL, -- JSON array
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, person)
) STRICT;

CREATE INDEX identity_member_person ON identity_member (person);

CREATE TABLE identity_invitation (
    org         TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    hash        BLOB    NOT NULL, -- SHA-256 of the secret in the link
    email       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    invited_by  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    outcome     TEXT    NOT NULL, -- '' while open, accepted, withdrawn
    outcome_at  INTEGER NOT NULL,
    accepted_by TEXT    NOT NULL,
    PRIMARY KEY (org, id)
) STRICT;

CREATE TABLE identity_token (
    org        TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    hash       BLOB    NOT NULL, -- SHA-256 of the secret in the token
    name       TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    verbs      TEXT    NOT NULL, -- JSON array
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT;

CREATE INDEX identity_token_person ON identity_token (org, person);

CREATE TABLE identity_oidc (
    org        TEXT    NOT NULL PRIMARY KEY,
    label      TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    secret     BLOB    NOT NULL, -- sealed
    trust      INTEGER NOT NULL, -- 1: its e-mail addresses count as verified without its saying so
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity_oidc_subject (
    org        TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    person     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, issuer, subject)
) STRICT;

CREATE INDEX identity_oidc_subject_person ON identity_oidc_subject (org, person);

-- What happened to a person's own account, on its way into the journal of each of
-- their organisations; written with the act, removed with the journal's event.
CREATE TABLE identity_notice (
    org        TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org, id)
) STRICT;
