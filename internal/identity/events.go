package identity

import "github.com/entente-project/entente/internal/journal"

// The kinds of events that identity writes. Their subject is a person's id, except
// where said otherwise; bodies never hold secrets.
const (
	EventOrganisationCreated journal.Kind = "organisation.created" // subject: the organisation
	EventOrganisationRenamed journal.Kind = "organisation.renamed" // subject: the organisation

	EventMemberAdded   journal.Kind = "member.added"
	EventMemberChanged journal.Kind = "member.changed"
	EventMemberRemoved journal.Kind = "member.removed"

	EventInvitationMade      journal.Kind = "invitation.made"      // subject: the invitation
	EventInvitationWithdrawn journal.Kind = "invitation.withdrawn" // subject: the invitation
	EventInvitationAccepted  journal.Kind = "invitation.accepted"  // subject: the invitation

	EventTokenMade    journal.Kind = "token.made"    // subject: the token
	EventTokenRevoked journal.Kind = "token.revoked" // subject: the token

	EventSSOChanged journal.Kind = "sso.changed" // subject: the organisation
	EventSSOLinked  journal.Kind = "sso.linked"

	EventSignedIn        journal.Kind = "account.signed-in"
	EventSignInFailed    journal.Kind = "account.sign-in-failed"
	EventSessionEnded    journal.Kind = "account.session-ended"
	EventAccountChanged  journal.Kind = "account.changed" // name or e-mail
	EventPasswordChanged journal.Kind = "account.password-changed"
	EventFactorAdded     journal.Kind = "account.factor-added"   // authenticator, recovery codes, passkey
	EventFactorRemoved   journal.Kind = "account.factor-removed" // the same
	EventFactorSuspect   journal.Kind = "account.factor-suspect" // a passkey's counter ran backwards: it may have been copied

	EventDenied journal.Kind = "access.denied" // subject: the verb

	EventVerified journal.Kind = "journal.verified" // subject: the organisation; body: a Verification
)
