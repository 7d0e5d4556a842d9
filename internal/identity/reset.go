package identity

import (
	"context"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// ResetLife is how long a link that sets a new password works.
const ResetLife = time.Hour

// kindReset is the ceremony of a link that sets a new password.
const kindReset = "reset"

// Reset is a link that sets a new password: its secret, and to whom it is mailed.
type Reset struct {
	Secret string
	Person Person
	// Org is one of the person's organisations, which sends the mail.
	Org   entente.OrgID
	Until time.Time
}

// BeginReset makes a link that sets a new password, for a door that can mail it; nil
// where the address has no account with a password. The door answers both alike. Each
// request counts against the address of the account and of the caller.
func (s *Service) BeginReset(ctx context.Context, email string, c Client) (*Reset, error) {
	email, err := cleanEmail(email)
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx, attemptOn("reset", email, c)); err != nil {
		return nil, err
	}
	made := Reset{Secret: newSecret(), Until: s.now().Add(ResetLife)}
	known := false
	err = s.db.WriteNode(ctx, func(tx *db.Tx) error {
		known = false
		p, err := personByEmail(ctx, tx, email)
		if err != nil || p == nil {
			return err
		}
		password, err := credentialOf(ctx, tx, p.ID, kindPassword, single)
		if err != nil || password == nil {
			return err // a passkey is not weakened by a mailbox
		}
		orgs, err := orgsOf(ctx, tx, p.ID)
		if err != nil || len(orgs) == 0 {
			return err
		}
		known, made.Person, made.Org = true, *p, orgs[0]
		return insertChallenge(ctx, tx, hashed(made.Secret), challengeRow{kind: kindReset, person: p.ID, data: []byte("{}")}, made.Until)
	})
	if err != nil || !known {
		return nil, err
	}
	return &made, nil
}

// FinishReset sets the password of the account that a link belongs to, ends all its
// sessions and makes the link useless. A second factor is still asked for at the next
// sign-in.
func (s *Service) FinishReset(ctx context.Context, secret, password string) error {
	gone := func() error {
		return entente.NotFound("this link does not work any more: it works once, and for %d minutes; ask for a new one", int(ResetLife.Minutes()))
	}
	var p *Person
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		row, err := readChallenge(ctx, tx, hashed(secret), kindReset, s.now())
		if err != nil || row == nil {
			return err
		}
		p, err = personByID(ctx, tx, row.person)
		return err
	})
	if err != nil {
		return err
	}
	if p == nil {
		return gone()
	}
	if err := CheckPassword(password, p.Name, p.Email); err != nil {
		return err
	}
	stored, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.personally(ctx, p.ID, func(tx *db.Tx) (*act, error) {
		row, err := takeChallenge(ctx, tx, hashed(secret), kindReset, s.now())
		if err != nil {
			return nil, err
		}
		before, err := credentialOf(ctx, tx, p.ID, kindPassword, single)
		if err != nil {
			return nil, err
		}
		if row == nil || before == nil {
			return nil, gone() // it was used, or the password removed, at this moment
		}
		if err := putCredential(ctx, tx, credential{person: p.ID, kind: kindPassword, id: single, data: []byte(stored), created: s.now()}); err != nil {
			return nil, err
		}
		ended, err := deleteSessions(ctx, tx, p.ID, "")
		if err != nil {
			return nil, err
		}
		err = deleteRate(ctx, tx, attemptOn("account", p.Email, Client{}).account)
		return &act{kind: EventPasswordChanged, body: map[string]any{"by": "a link sent by mail", "sessionsEnded": ended}}, err
	})
}

// Belongs gives a person with the identifiers of their organisations, in order, for
// rooms that write to people; no organisation where there is no such person.
func (s *Service) Belongs(ctx context.Context, id entente.PersonID) (p Person, orgs []entente.OrgID, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		found, err := personByID(ctx, tx, id)
		if err != nil || found == nil {
			return err
		}
		p = *found
		orgs, err = orgsOf(ctx, tx, id)
		return err
	})
	return p, orgs, err
}

func orgsOf(ctx context.Context, tx *db.Tx, p entente.PersonID) ([]entente.OrgID, error) {
	memberships, err := membershipsOf(ctx, tx, p)
	orgs := make([]entente.OrgID, len(memberships))
	for i, m := range memberships {
		orgs[i] = m.Org
	}
	slices.Sort(orgs)
	return orgs, err
}
