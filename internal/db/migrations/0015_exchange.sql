-- +goose Up

-- The organisation itself among all nodes: its name there, and the key document that
-- proves it.
CREATE TABLE exchange_self (
  org      TEXT NOT NULL PRIMARY KEY,
  party    TEXT NOT NULL,
  document TEXT NOT NULL, -- JSON: entente.KeyDocument
  made_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Its private keys, sealed with the node's key.
CREATE TABLE exchange_key (
  org     TEXT NOT NULL,
  id      TEXT NOT NULL,
  sealed  BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

-- Invitations to become partners. Whoever holds the secret may accept, once.
CREATE TABLE exchange_invitation (
  org        TEXT NOT NULL,
  id         TEXT NOT NULL,
  secret     BLOB NOT NULL, -- SHA-256
  name       TEXT NOT NULL, -- of whom is invited, as the inviter calls it
  known_as   TEXT NOT NULL, -- the organisation in the chain that it is; empty: none
  terms      TEXT NOT NULL, -- JSON
  state      TEXT NOT NULL, -- open, accepted or withdrawn
  party      TEXT NOT NULL, -- who accepted
  made_at    INTEGER NOT NULL,
  by         TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX exchange_invitation_secret ON exchange_invitation (org, secret);

-- The other side of each partnership.
CREATE TABLE exchange_partner (
  org         TEXT NOT NULL,
  party       TEXT NOT NULL,
  name        TEXT NOT NULL,
  known_as    TEXT NOT NULL, -- the organisation in the chain that it is; empty: none
  address     TEXT NOT NULL, -- of its node
  document    TEXT NOT NULL, -- JSON: its key document as last verified
  state       TEXT NOT NULL, -- active or ended
  began_at    INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL,
  ended_by    TEXT NOT NULL, -- the party that ended it
  ended_why   TEXT NOT NULL,
  verified_at INTEGER NOT NULL, -- when a person compared the fingerprint; 0: not yet
  verified_by TEXT NOT NULL,
  verified_key TEXT NOT NULL, -- the key that was compared
  contacts    TEXT NOT NULL, -- JSON: as it last said
  PRIMARY KEY (org, party)
) STRICT, WITHOUT ROWID;

-- Versions of the agreement with each partner.
CREATE TABLE exchange_agreement (
  org      TEXT NOT NULL,
  party    TEXT NOT NULL,
  number   INTEGER NOT NULL,
  state    TEXT NOT NULL, -- proposed, signed or refused
  proposer TEXT NOT NULL, -- the party that proposed it
  envelope BLOB NOT NULL,
  at       INTEGER NOT NULL, -- when it came into this state
  why      TEXT NOT NULL,
  PRIMARY KEY (org, party, number)
) STRICT, WITHOUT ROWID;

-- Where the feeds stand: what we say to a partner (out) and what it says to us (in).
CREATE TABLE exchange_feed (
  org        TEXT NOT NULL,
  party      TEXT NOT NULL,
  way        TEXT NOT NULL, -- in or out
  number     INTEGER NOT NULL,
  head       BLOB NOT NULL,
  key        TEXT NOT NULL, -- the key that signed the last entry
  quarantine TEXT NOT NULL, -- JSON: why nothing more is taken; empty: all is well
  acked      INTEGER NOT NULL, -- out: up to where the partner holds it
  receipt    BLOB,          -- the receipt for that, theirs (out) or ours (in)
  acked_at   INTEGER NOT NULL,
  tried_at   INTEGER NOT NULL, -- the latest attempt to deliver (out) or to fetch (in)
  failures   INTEGER NOT NULL, -- of such attempts in a row
  error      TEXT NOT NULL,
  armed_at   INTEGER NOT NULL, -- the time of the job that does it next; 0 without one
  PRIMARY KEY (org, party, way)
) STRICT, WITHOUT ROWID;

-- Every entry that was sent or received, as it was signed.
CREATE TABLE exchange_entry (
  org        TEXT NOT NULL,
  party      TEXT NOT NULL,
  way        TEXT NOT NULL,
  number     INTEGER NOT NULL,
  hash       BLOB NOT NULL,
  envelope   BLOB,          -- empty after its content was deleted
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  originator TEXT NOT NULL,
  marking    TEXT NOT NULL, -- JSON: as it counts now; never wider than what was signed
  statement  TEXT NOT NULL, -- out: the statement that it carries; empty: none of a person
  state      TEXT NOT NULL, -- standing, held (the marking does not let us have it) or recalled
  why        TEXT NOT NULL, -- JSON: of the state
  said_at    INTEGER NOT NULL, -- by the clock of the sender
  stored_at  INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL, -- out: when its receiver signed for it
  read_at    INTEGER NOT NULL, -- by a person of the receiver
  read_by    TEXT NOT NULL,    -- in: who
  answered_at INTEGER NOT NULL, -- when the receiver acknowledged it by hand
  PRIMARY KEY (org, party, way, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX exchange_entry_subject ON exchange_entry (org, way, subject);
CREATE INDEX exchange_entry_kind ON exchange_entry (org, way, kind, stored_at);
CREATE INDEX exchange_entry_statement ON exchange_entry (org, statement);

-- What contradicts what a partner said before: the proof that its feed forked.
CREATE TABLE exchange_fork (
  org      TEXT NOT NULL,
  party    TEXT NOT NULL,
  number   INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  envelope BLOB NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (org, party, number, hash)
) STRICT, WITHOUT ROWID;

-- What a person of ours decided to say.
CREATE TABLE exchange_statement (
  org        TEXT NOT NULL,
  id         TEXT NOT NULL,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  title      TEXT NOT NULL, -- what it is, in words
  marking    TEXT NOT NULL, -- JSON
  body       BLOB NOT NULL,
  blobs      TEXT NOT NULL, -- JSON
  originator TEXT NOT NULL, -- empty: ourselves
  withheld   INTEGER NOT NULL,
  basis      TEXT NOT NULL, -- on what ground it is shared, for counsel
  decisions  TEXT NOT NULL, -- JSON: what was found that should perhaps not be shared, and what was decided
  state      TEXT NOT NULL, -- said or recalled
  why        TEXT NOT NULL, -- it was recalled
  at         INTEGER NOT NULL,
  person     TEXT NOT NULL,
  by         TEXT NOT NULL,
  recalled_at INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exchange_statement_subject ON exchange_statement (org, subject);

-- Who was entitled to a statement and who was not, and what became of it there.
CREATE TABLE exchange_ledger (
  org        TEXT NOT NULL,
  statement  TEXT NOT NULL,
  party      TEXT NOT NULL,
  name       TEXT NOT NULL,
  allowed    INTEGER NOT NULL,
  reason     TEXT NOT NULL, -- JSON
  number     INTEGER NOT NULL, -- of the entry that carries it; 0: none
  agreement  INTEGER NOT NULL, -- the version of the agreement that counted
  recall     INTEGER NOT NULL, -- of the entry that takes it back or narrows it; 0: none
  recall_acked_at INTEGER NOT NULL, -- when the receiver acknowledged that by its signature
  PRIMARY KEY (org, statement, party)
) STRICT, WITHOUT ROWID;

CREATE INDEX exchange_ledger_number ON exchange_ledger (org, party, number);

-- What is too large for an entry, in parts of one MiB.
CREATE TABLE exchange_blob (
  org     TEXT NOT NULL,
  hash    BLOB NOT NULL,
  size    INTEGER NOT NULL,
  held    INTEGER NOT NULL, -- bytes that are here
  at      INTEGER NOT NULL,
  PRIMARY KEY (org, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE exchange_blob_part (
  org   TEXT NOT NULL,
  hash  BLOB NOT NULL,
  part  INTEGER NOT NULL, -- 0, 1, 2 …
  bytes BLOB NOT NULL,
  PRIMARY KEY (org, hash, part)
) STRICT, WITHOUT ROWID;

-- Requests that were taken, so that none is taken twice.
CREATE TABLE exchange_nonce (
  org   TEXT NOT NULL,
  nonce TEXT NOT NULL,
  at    INTEGER NOT NULL,
  PRIMARY KEY (org, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX exchange_nonce_at ON exchange_nonce (org, at);
