package identity

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// account is what a sign-in by password needs to know of a person.
type account struct {
	person   Person
	password string // PHC string, "" without one
	code     bool   // an authenticator app is enrolled
}

func readAccount(ctx context.Context, tx *db.Tx, p *Person) (*account, error) {
	if p == nil {
		return nil, nil
	}
	a := &account{person: *p}
	password, err := credentialOf(ctx, tx, p.ID, kindPassword, single)
	if err != nil {
		return nil, err
	}
	if password != nil {
		a.password = string(password.data)
	}
	totp, err := credentialOf(ctx, tx, p.ID, kindTOTP, single)
	if err != nil {
		return nil, err
	}
	a.code = totp != nil
	return a, nil
}

// SignIn opens a session by password and gives its token, which only the browser
// keeps. Where an authenticator app is enrolled the session is pending: it opens
// nothing until [Service.ConfirmCode]. The answer to an unknown account and to a
// wrong password is the same, and takes the same time.
func (s *Service) SignIn(ctx context.Context, email, password string, c Client) (token string, session Session, err error) {
	email, err = cleanEmail(email)
	if err != nil {
		return "", Session{}, err
	}
	a := attemptOn("account", email, c)
	if err := s.begin(ctx, a); err != nil {
		return "", Session{}, err
	}
	var who *account
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err := personByEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		who, err = readAccount(ctx, tx, p)
		return err
	})
	if err != nil {
		return "", Session{}, err
	}
	stored := ""
	if who != nil {
		stored = who.password
	}
	ok, renew, err := s.hasher.Check(ctx, stored, password)
	if err != nil {
		return "", Session{}, err
	}
	if !ok {
		if err := s.failed(ctx, who, c, "wrong password"); err != nil {
			return "", Session{}, err
		}
		return "", Session{}, entente.Denied("the e-mail address or the password is wrong; check both, and whether Caps Lock is on")
	}
	if renew {
		stored, err = s.hasher.Hash(ctx, password)
		if err != nil {
			return "", Session{}, err
		}
	}
	err = s.personally(ctx, who.person.ID, func(tx *db.Tx) (*act, error) {
		now, err := credentialOf(ctx, tx, who.person.ID, kindPassword, single)
		if err != nil {
			return nil, err
		}
		if now == nil || string(now.data) != who.password {
			return nil, entente.Conflict("the password was changed at this moment; sign in with the new one")
		}
		now.used = s.now()
		now.data = []byte(stored)
		if err := putCredential(ctx, tx, *now); err != nil {
			return nil, err
		}
		token, err = s.openSession(ctx, tx, who.person.ID, ByPassword, "", who.code, c)
		if err != nil {
			return nil, err
		}
		if who.code {
			return nil, a.halfway(ctx, tx)
		}
		if err := a.succeed(ctx, tx); err != nil {
			return nil, err
		}
		return signedIn(ByPassword, c, ""), nil
	})
	if err != nil {
		return "", Session{}, err
	}
	session, err = s.Session(ctx, token)
	return token, session, err
}

func signedIn(m Method, c Client, only entente.OrgID) *act {
	return &act{kind: EventSignedIn, only: only, body: map[string]any{"method": m, "address": shortAddress(c.Address), "program": shortAgent(c.Agent)}}
}

// failed notes a sign-in that failed. For an unknown account it does the same work
// with nobody to note it for.
func (s *Service) failed(ctx context.Context, who *account, c Client, why string) error {
	id := entente.PersonID("-")
	if who != nil {
		id = who.person.ID
	}
	return s.personally(ctx, id, func(*db.Tx) (*act, error) {
		return &act{kind: EventSignInFailed, body: map[string]any{"why": why, "address": shortAddress(c.Address), "program": shortAgent(c.Agent)}}, nil
	})
}

// Proof is how somebody who is signed in proves again who they are.
type Proof struct {
	Password string
	Code     string // of the authenticator app or a recovery code, where an app is enrolled
}

// Reauthenticate makes a session fresh for sensitive acts (see [Fresh]). Who has no
// password does it with a passkey or by single sign-on again.
func (s *Service) Reauthenticate(ctx context.Context, token string, proof Proof, c Client) error {
	session, err := s.Session(ctx, token)
	if err != nil {
		return err
	}
	if err := s.prove(ctx, session, proof, c); err != nil {
		return err
	}
	return s.freshen(ctx, token)
}

func (s *Service) freshen(ctx context.Context, token string) error {
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error {
		n, err := proveSession(ctx, tx, hashed(token), s.now())
		if err == nil && n == 0 {
			return errSignedOut()
		}
		return err
	})
	s.forget()
	return err
}

// prove checks a proof of the person of a session.
func (s *Service) prove(ctx context.Context, session Session, proof Proof, c Client) error {
	if session.Pending {
		return errPending()
	}
	a := attemptOn("account", session.Person.Email, c)
	if err := s.begin(ctx, a); err != nil {
		return err
	}
	var who *account
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		who, err = readAccount(ctx, tx, &session.Person)
		return err
	})
	if err != nil {
		return err
	}
	ok, _, err := s.hasher.Check(ctx, who.password, proof.Password)
	if err != nil {
		return err
	}
	if !ok {
		if err := s.failed(ctx, who, c, "wrong password"); err != nil {
			return err
		}
		return entente.Denied("the password is wrong; check whether Caps Lock is on")
	}
	return s.db.WriteNode(ctx, func(tx *db.Tx) error {
		if who.code {
			if err := s.useCode(ctx, tx, session.Person.ID, proof.Code); err != nil {
				return err
			}
		}
		return a.succeed(ctx, tx)
	})
}

// HasPassword says whether the person of a session can sign in by password.
func (s *Service) HasPassword(ctx context.Context, session Session) (has bool, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		c, err := credentialOf(ctx, tx, session.Person.ID, kindPassword, single)
		has = c != nil
		return err
	})
	return has, err
}

// ChangePassword sets a new password, proven by the old one, and ends every other
// session. Who has no password yet sets the first one with a fresh session and an
// empty old one.
func (s *Service) ChangePassword(ctx context.Context, session Session, old Proof, password string, c Client) error {
	if err := CheckPassword(password, session.Person.Name, session.Person.Email); err != nil {
		return err
	}
	has, err := s.HasPassword(ctx, session)
	if err != nil {
		return err
	}
	if has {
		if err := s.prove(ctx, session, old, c); err != nil {
			return err
		}
	}
	stored, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, !has); err != nil {
			return nil, err
		}
		now, err := credentialOf(ctx, tx, session.Person.ID, kindPassword, single)
		if err != nil {
			return nil, err
		}
		if (now != nil) != has {
			return nil, entente.Conflict("the password was changed at this moment; try again")
		}
		err = putCredential(ctx, tx, credential{person: session.Person.ID, kind: kindPassword, id: single, data: []byte(stored), created: s.now()})
		if err != nil {
			return nil, err
		}
		ended, err := deleteSessions(ctx, tx, session.Person.ID, session.ID)
		if err != nil {
			return nil, err
		}
		return &act{kind: EventPasswordChanged, body: map[string]any{"first": !has, "sessionsEnded": ended}}, nil
	})
}

// ResetPassword is how an operator at the node's command line helps somebody who has
// lost everything: it sets a new password, removes the authenticator app and its
// recovery codes, and ends all sessions. Passkeys stay.
func (s *Service) ResetPassword(ctx context.Context, actor entente.Actor, email, password string) error {
	if actor.Role != entente.RoleSystem || actor.Person != "" || actor.Door != entente.DoorCommand {
		return entente.Denied("a password is reset only at the node's command line")
	}
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	var p *Person
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = personByEmail(ctx, tx, email)
		return err
	})
	if err != nil {
		return err
	}
	if p == nil {
		return entente.NotFound("nobody on this node has the e-mail address %s", email)
	}
	if err := CheckPassword(password, p.Name, p.Email); err != nil {
		return err
	}
	stored, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.personally(ctx, p.ID, func(tx *db.Tx) (*act, error) {
		for _, kind := range []credentialKind{kindTOTP, kindTOTPNew, kindRecovery} {
			if _, err := deleteCredentials(ctx, tx, p.ID, kind); err != nil {
				return nil, err
			}
		}
		if _, err := deleteSessions(ctx, tx, p.ID, ""); err != nil {
			return nil, err
		}
		if err := deleteRate(ctx, tx, attemptOn("account", email, Client{}).account); err != nil {
			return nil, err
		}
		err := putCredential(ctx, tx, credential{person: p.ID, kind: kindPassword, id: single, data: []byte(stored), created: s.now()})
		return &act{kind: EventPasswordChanged, body: map[string]any{"by": "the operator of the node"}}, err
	})
}

// Rename changes the name by which others see the person.
func (s *Service) Rename(ctx context.Context, session Session, name string) error {
	name, err := cleanName("name", name)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, session, false, func(p *Person) { p.Name = name })
}

// ChangeEmail changes the address with which the person signs in.
func (s *Service) ChangeEmail(ctx context.Context, session Session, email string) error {
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, session, true, func(p *Person) { p.Email = email })
}

func (s *Service) changeAccount(ctx context.Context, session Session, fresh bool, change func(*Person)) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, fresh); err != nil {
			return nil, err
		}
		before, err := personByID(ctx, tx, session.Person.ID)
		if err != nil {
			return nil, err
		}
		if before == nil {
			return nil, errSignedOut()
		}
		after := *before
		change(&after)
		if after == *before {
			return nil, nil
		}
		if other, err := personByEmail(ctx, tx, after.Email); err != nil || other != nil && other.ID != after.ID {
			if err == nil {
				err = entente.Conflict("the e-mail address %s cannot be used; take another one", after.Email)
			}
			return nil, err
		}
		if err := updatePerson(ctx, tx, after, s.now()); err != nil {
			return nil, err
		}
		return &act{kind: EventAccountChanged, body: map[string]any{
			"name": after.Name, "email": after.Email, "before": map[string]any{"name": before.Name, "email": before.Email},
		}}, nil
	})
}
