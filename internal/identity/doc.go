// Package identity knows the people of a node, how they prove who they are, which
// organisations they belong to, and what they may do there.
//
// The decision what an actor may do is [Can] in policy.go: pure, and one table.
// Everything else here leads to an [entente.Actor] that Can can judge: sign-in by
// password (with a second factor where one is enrolled), passkey or single
// sign-on makes a session; a session or an API token and an organisation make an
// actor.
//
// Tables owned. Node-wide, because one person can belong to several organisations:
// identity_person, identity_credential (password, authenticator, recovery codes,
// passkeys), identity_session, identity_challenge (ceremonies under way),
// identity_rate, identity_node_setting. Per organisation: identity_organisation,
// identity_member, identity_invitation, identity_token, identity_oidc,
// identity_denial.
//
// Secrets. Session tokens, API tokens, invitation links and recovery codes are 32
// (codes: 10) random bytes of which only a SHA-256 hash is stored; passwords are
// argon2id in PHC form; what must be readable again (authenticator secrets, client
// secrets of single sign-on) is sealed by internal/identity/seal with the node's
// key, which lives in a file beside the database and never in it.
//
// Events written: the Kind constants in events.go. Events read: none. An act of a
// member on an organisation is written to that organisation's journal in the same
// transaction; an act on a person's own account (a password changed, a passkey
// added) is written to the journal of every organisation that the person belongs to.
package identity
