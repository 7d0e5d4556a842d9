package identity

import (
	"context"
	"encoding/json"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// API tokens.

const tokenColumns = "t.org, t.id, t.hash, t.name, t.person, t.verbs, t.created_at, t.expires_at, t.used_at, t.revoked_at, " + memberColumns

func scanToken(row db.Scanner) (t token, err error) {
	var made, expires, used, revoked, since, created int64
	var verbs, scope string
	err = row.Scan(append([]any{&t.Org, &t.ID, &t.hash, &t.Name, &t.Person.ID, &verbs, &made, &expires, &used, &revoked, &t.role, &scope, &since},
		personInto(&t.Person, &created)...)...)
	if err != nil {
		return t, err
	}
	t.Created, t.Expires, t.Used, t.Revoked = db.Time(made), db.Time(expires), db.Time(used), db.Time(revoked)
	t.Person.Created = db.Time(created)
	if err := json.Unmarshal([]byte(verbs), &t.Verbs); err != nil {
		return t, err
	}
	return t, json.Unmarshal([]byte(scope), &t.scope)
}

const tokenFrom = ` FROM identity_token t
	JOIN identity_member m ON m.org = t.org AND m.person = t.person
	JOIN identity_person p ON p.id = t.person
	WHERE t.org = $1`

func readToken(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (*token, error) {
	return orNone(db.One(ctx, tx, scanToken, "SELECT "+tokenColumns+tokenFrom+" AND t.id = $2", org, id))
}

// tokensOf lists tokens that were not revoked, of one person or ("") of all.
func tokensOf(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID) ([]token, error) {
	return db.AllOf(ctx, tx, scanToken, db.Select("SELECT "+tokenColumns+tokenFrom+" AND t.revoked_at = 0", org).
		AndIf(p != "", "t.person = $1", p).Order("t.created_at DESC, t.id"))
}

func insertToken(ctx context.Context, tx *db.Tx, t token) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_token (org, id, hash, name, person, verbs, created_at, expires_at, used_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`,
		t.Org, t.ID, t.hash, t.Name, t.Person.ID, jsonText(t.Verbs), db.Millis(t.Created), db.Millis(t.Expires))
	return err
}

func touchToken(ctx context.Context, tx *db.Tx, org entente.OrgID, id string, at time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE identity_token SET used_at = $3 WHERE org = $1 AND id = $2 AND used_at < $3", org, id, db.Millis(at))
	return err
}

func revokeToken(ctx context.Context, tx *db.Tx, org entente.OrgID, id string, now time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE identity_token SET revoked_at = $3 WHERE org = $1 AND id = $2 AND revoked_at = 0", org, id, db.Millis(now))
	return err
}

func revokeTokensOf(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID, now time.Time) (int64, error) {
	return tx.Exec(ctx, "UPDATE identity_token SET revoked_at = $3 WHERE org = $1 AND person = $2 AND revoked_at = 0", org, p, db.Millis(now))
}

// Invitations.

const invitationColumns = "org, id, hash, email, name, role, scope, invited_by, created_at, expires_at, outcome, outcome_at"

func scanInvitation(row db.Scanner) (inv Invitation, err error) {
	var scope string
	var created, expires, at int64
	err = row.Scan(&inv.Org, &inv.ID, &inv.hash, &inv.Email, &inv.Name, &inv.Role, &scope, &inv.InvitedBy, &created, &expires, &inv.Outcome, &at)
	if err != nil {
		return inv, err
	}
	inv.Created, inv.Expires, inv.OutcomeAt = db.Time(created), db.Time(expires), db.Time(at)
	return inv, json.Unmarshal([]byte(scope), &inv.Scope)
}

func readInvitation(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (*Invitation, error) {
	return orNone(db.One(ctx, tx, scanInvitation, "SELECT "+invitationColumns+" FROM identity_invitation WHERE org = $1 AND id = $2", org, id))
}

func invitationsOf(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Invitation, error) {
	return db.All(ctx, tx, scanInvitation, "SELECT "+invitationColumns+" FROM identity_invitation WHERE org = $1 ORDER BY created_at DESC, id LIMIT 1000", org)
}

func openInvitations(ctx context.Context, tx *db.Tx, org entente.OrgID, now time.Time) ([]Invitation, error) {
	return db.All(ctx, tx, scanInvitation, "SELECT "+invitationColumns+` FROM identity_invitation
		WHERE org = $1 AND outcome = '' AND expires_at > $2 ORDER BY created_at, id`, org, db.Millis(now))
}

func insertInvitation(ctx context.Context, tx *db.Tx, inv Invitation) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_invitation
		(org, id, hash, email, name, role, scope, invited_by, created_at, expires_at, outcome, outcome_at, accepted_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0, '')`,
		inv.Org, inv.ID, inv.hash, inv.Email, inv.Name, string(inv.Role), jsonText(inv.Scope), inv.InvitedBy, db.Millis(inv.Created), db.Millis(inv.Expires))
	return err
}

func closeInvitation(ctx context.Context, tx *db.Tx, inv Invitation, o Outcome, at time.Time, by entente.PersonID) error {
	_, err := tx.Exec(ctx, "UPDATE identity_invitation SET outcome = $3, outcome_at = $4, accepted_by = $5 WHERE org = $1 AND id = $2",
		inv.Org, inv.ID, string(o), db.Millis(at), by)
	return err
}

func openInvitationOf(ctx context.Context, tx *db.Tx, org entente.OrgID, email string, now time.Time) (*Invitation, error) {
	return orNone(db.One(ctx, tx, scanInvitation, "SELECT "+invitationColumns+` FROM identity_invitation
		WHERE org = $1 AND email = $2 AND outcome = '' AND expires_at > $3 ORDER BY created_at DESC, id`, org, email, db.Millis(now)))
}

// Single sign-on.

func readSSO(ctx context.Context, tx *db.Tx, org entente.OrgID) (*SSO, error) {
	return orNone(db.One(ctx, tx, func(row db.Scanner) (p SSO, err error) {
		var changed int64
		err = row.Scan(&p.Label, &p.Issuer, &p.ClientID, &p.sealed, &p.TrustEmails, &changed)
		p.Changed = db.Time(changed)
		return p, err
	}, "SELECT label, issuer, client_id, secret, trust, changed_at FROM identity_oidc WHERE org = $1", org))
}

func putSSO(ctx context.Context, tx *db.Tx, org entente.OrgID, p SSO) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_oidc (org, label, issuer, client_id, secret, trust, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org) DO UPDATE SET label = excluded.label, issuer = excluded.issuer, client_id = excluded.client_id,
			secret = excluded.secret, trust = excluded.trust, changed_at = excluded.changed_at`,
		org, p.Label, p.Issuer, p.ClientID, p.sealed, p.TrustEmails, db.Millis(p.Changed))
	return err
}

func deleteSSO(ctx context.Context, tx *db.Tx, org entente.OrgID) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_oidc WHERE org = $1", org)
	return err
}

func linkedSSO(ctx context.Context, tx *db.Tx, org entente.OrgID, issuer, subject string) (entente.PersonID, error) {
	p, err := orNone(db.One(ctx, tx, db.Value[entente.PersonID],
		"SELECT person FROM identity_oidc_subject WHERE org = $1 AND issuer = $2 AND subject = $3", org, issuer, subject))
	if err != nil || p == nil {
		return "", err
	}
	return *p, nil
}

func linksOf(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM identity_oidc_subject WHERE org = $1 AND person = $2", org, p)
}

func linkSSO(ctx context.Context, tx *db.Tx, org entente.OrgID, issuer, subject string, p entente.PersonID, now time.Time) error {
	_, err := tx.Exec(ctx, "INSERT INTO identity_oidc_subject (org, issuer, subject, person, created_at) VALUES ($1, $2, $3, $4, $5)",
		org, issuer, subject, p, db.Millis(now))
	return err
}

func unlinkSSO(ctx context.Context, tx *db.Tx, org entente.OrgID, p entente.PersonID) error {
	_, err := tx.Exec(ctx, "DELETE FROM identity_oidc_subject WHERE org = $1 AND person = $2", org, p)
	return err
}

// unlinkAll forgets whom an organisation's provider spoke of, and ends the sessions
// that it opened.
func unlinkAll(ctx context.Context, tx *db.Tx, org entente.OrgID) error {
	if _, err := tx.Exec(ctx, "DELETE FROM identity_oidc_subject WHERE org = $1", org); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM identity_session WHERE only_org = $1", org)
	return err
}
