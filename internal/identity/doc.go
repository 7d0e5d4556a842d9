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
// identity_oidc_subject (whom its provider speaks of), identity_notice (below).
//
// Secrets. Session tokens, API tokens, invitation links and recovery codes are
// random (256 bits, codes 80), and only a SHA-256 hash is stored; passwords are
// argon2id in PHC form; what must be readable again (authenticator secrets, client
// secrets of single sign-on) is sealed by internal/identity/seal with the node's
// key, which lives in a file beside the database and never in it.
//
// Events written: the Event constants in events.go. Events read: none. An act of a
// member on an organisation is written to that organisation's journal in the same
// transaction. An act on a person's own account (a password changed, a passkey
// added) belongs into the journal of every organisation of theirs, each of which has
// its own writer: it is noted in identity_notice in the same transaction, and
// carried into the journals after it ([Service.Run]).
//
// Trust. A session opens every organisation of its person, except one that single
// sign-on opened: an organisation chooses its provider itself, so the provider's
// word counts in that organisation alone and never for the person's account.
// Accounts are never joined by an e-mail address that somebody merely claims: an
// invitation to an address with an account is accepted by signing in with it.
//
// Where to look: policy.go who may do what; signin.go, totp.go, passkeys.go, sso.go
// the ways in; sessions.go, tokens.go what they open; rates.go what guessing costs;
// audit.go what the journal hears; worker.go what happens by itself.
package identity
