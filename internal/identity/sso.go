package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// SSOCallback is the path to which providers of single sign-on send the browser back;
// the operator of a provider registers it behind the node's address.
const SSOCallback = "/sign-in/sso/callback"

// SSO is the OpenID Connect provider by which members of one organisation sign in.
type SSO struct {
	Label    string // on the button: "Beanline account"
	Issuer   string // https address
	ClientID string
	Secret   string // never given back; empty when set anew keeps the former one
	// TrustEmails takes the provider's e-mail addresses as verified though it does not
	// say so, as providers do that know only the addresses of their own organisation.
	TrustEmails bool
	Changed     time.Time

	sealed []byte
}

// SSO gives the actor's organisation's provider without its secret; nil if there is none.
func (s *Service) SSO(ctx context.Context, actor entente.Actor) (*SSO, error) {
	if err := Require(actor, OrganisationManage, In(actor.Org)); err != nil {
		return nil, err
	}
	return s.provider(ctx, actor.Org)
}

func (s *Service) provider(ctx context.Context, org entente.OrgID) (p *SSO, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = readSSO(ctx, tx, org)
		return err
	})
	return p, err
}

// SetSSO sets up or changes single sign-on of the actor's organisation. The provider
// is asked who it is, so that a wrong address is told now and not at the first sign-in.
// With another issuer or client everybody is linked anew.
func (s *Service) SetSSO(ctx context.Context, actor entente.Actor, n SSO) error {
	if err := Require(actor, OrganisationManage, In(actor.Org)); err != nil {
		return err
	}
	if _, err := s.callback(); err != nil {
		return err
	}
	label, err := cleanName("provider's name", n.Label)
	if err != nil {
		return err
	}
	n.Label, n.Issuer, n.ClientID = label, strings.TrimSpace(n.Issuer), strings.TrimSpace(n.ClientID)
	u, err := url.Parse(n.Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(n.Issuer) > 500 {
		return entente.Invalid("the issuer %.80q is not an https address; copy it from the provider's settings", n.Issuer)
	}
	if n.ClientID == "" || len(n.ClientID) > 500 || len(n.Secret) > 2000 {
		return entente.Invalid("the client ID is missing or too long; copy it from the provider's settings")
	}
	if s.c.Key.Check() == "" {
		return errNoKey
	}
	before, err := s.provider(ctx, actor.Org)
	if err != nil {
		return err
	}
	same := before != nil && before.Issuer == n.Issuer && before.ClientID == n.ClientID
	if n.Secret == "" && !same {
		return entente.Invalid("the client secret is missing; copy it from the provider's settings")
	}
	if _, err := s.sso.get(ctx, n.Issuer); err != nil {
		s.c.Log.Info("a provider of single sign-on does not answer", "issuer", n.Issuer, "error", err)
		return entente.Invalid("%s does not answer as an OpenID Connect provider; check the address, and that this node may reach it", n.Issuer)
	}
	if n.Secret != "" {
		n.sealed, err = s.c.Key.Seal([]byte(n.Secret), ssoContext(actor.Org))
		if err != nil {
			return err
		}
	} else {
		n.sealed = before.sealed
	}
	n.Changed = s.now()
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if err := putSSO(ctx, tx, actor.Org, n); err != nil {
			return err
		}
		if !same {
			if err := unlinkAll(ctx, tx, actor.Org); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, actor, EventSSOChanged, string(actor.Org), map[string]any{
			"label": n.Label, "issuer": n.Issuer, "client": n.ClientID, "trustEmails": n.TrustEmails, "newSecret": n.Secret != "",
		})
	})
	s.forget()
	return err
}

func ssoContext(org entente.OrgID) string { return "sso " + string(org) }

// RemoveSSO ends single sign-on of the actor's organisation, with the sessions that it
// opened.
func (s *Service) RemoveSSO(ctx context.Context, actor entente.Actor) error {
	if err := Require(actor, OrganisationManage, In(actor.Org)); err != nil {
		return err
	}
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		before, err := readSSO(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if before == nil {
			return entente.NotFound("this organisation has no single sign-on")
		}
		if err := deleteSSO(ctx, tx, actor.Org); err != nil {
			return err
		}
		if err := unlinkAll(ctx, tx, actor.Org); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventSSOChanged, string(actor.Org), map[string]any{"removed": before.Issuer})
	})
	s.forget()
	return err
}

// SSOLabel gives the name of an organisation's provider for the sign-in page; ok is
// false where there is none, whether or not there is such an organisation.
func (s *Service) SSOLabel(ctx context.Context, org entente.OrgID) (label string, ok bool, err error) {
	p, err := s.provider(ctx, org)
	if err != nil || p == nil {
		return "", false, err
	}
	return p.Label, true, nil
}

// SSOAddress is the address that the operator of a provider registers for this node.
func (s *Service) SSOAddress() (string, error) { return s.callback() }

func (s *Service) callback() (string, error) {
	if s.c.Origin == "" {
		return "", entente.Unavailable("this node does not know the address by which browsers reach it; tell its operator to set it")
	}
	return strings.TrimSuffix(s.c.Origin, "/") + SSOCallback, nil
}

func (s *Service) client(ctx context.Context, org entente.OrgID, p SSO) (*oidc.Provider, oauth2.Config, error) {
	callback, err := s.callback()
	if err != nil {
		return nil, oauth2.Config{}, err
	}
	if s.c.Key.Check() == "" {
		return nil, oauth2.Config{}, errNoKey
	}
	secret, err := s.c.Key.Open(p.sealed, ssoContext(org))
	if err != nil {
		return nil, oauth2.Config{}, err
	}
	provider, err := s.sso.get(ctx, p.Issuer)
	if err != nil {
		return nil, oauth2.Config{}, entente.Unavailable("%s does not answer; try again, or sign in another way", p.Label).Because(err)
	}
	return provider, oauth2.Config{
		ClientID: p.ClientID, ClientSecret: string(secret), Endpoint: provider.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, nil
}

// ssoState is what is kept between leaving for the provider and coming back.
type ssoState struct {
	Org              entente.OrgID
	Issuer, ClientID string
	Verifier, Nonce  string
	Binding          []byte // hash of the secret in the browser's cookie
	Next             string
	Fresh            bool
	Began            time.Time
}

const ceremonySSO = "sso"

// BeginSSO begins a sign-in by the provider of an organisation: the browser is sent
// to address, and keeps binding in a cookie until it is back, so that nobody can be
// made to finish a sign-in that another browser began. next is the path to open
// afterwards. With fresh the provider is to ask the person again (see [Fresh]).
func (s *Service) BeginSSO(ctx context.Context, org entente.OrgID, next string, fresh bool, c Client) (address, binding string, err error) {
	p, err := s.provider(ctx, org)
	if err != nil {
		return "", "", err
	}
	if p == nil {
		return "", "", entente.NotFound("there is no single sign-on for this organisation; sign in another way")
	}
	_, config, err := s.client(ctx, org, *p)
	if err != nil {
		return "", "", err
	}
	binding = newSecret()
	state := ssoState{
		Org: org, Issuer: p.Issuer, ClientID: p.ClientID, Verifier: oauth2.GenerateVerifier(), Nonce: newSecret(),
		Binding: hashed(binding), Next: localPath(next), Fresh: fresh, Began: s.now(),
	}
	id, err := s.start(ctx, ceremonySSO, "", state, c)
	if err != nil {
		return "", "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(state.Nonce), oauth2.S256ChallengeOption(state.Verifier)}
	if fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return config.AuthCodeURL(id, options...), binding, nil
}

// localPath keeps a path of this node; anything else would let a link send people
// who have just signed in to another site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return next
}

// SSOAnswer is what the provider sent the browser back with.
type SSOAnswer struct{ State, Code, Error string }

// claims is what is read of a provider's statement about a person.
type claims struct {
	subject  string
	email    string
	name     string
	verified bool
	at       time.Time // when the provider asked the person; zero: it does not say
}

// FinishSSO opens a session for the organisation whose provider the answer comes from,
// and for that one only. The person is found by an earlier link, else among the
// members by verified e-mail address, else by an open invitation to it, which is
// thereby accepted.
func (s *Service) FinishSSO(ctx context.Context, answer SSOAnswer, binding string, c Client) (token string, session Session, next string, err error) {
	var state ssoState
	if _, err := s.finish(ctx, ceremonySSO, answer.State, &state); err != nil {
		return "", Session{}, "", err
	}
	if subtle.ConstantTimeCompare(hashed(binding), state.Binding) != 1 {
		return "", Session{}, "", entente.Denied("this sign-in was begun in another browser; begin again here")
	}
	p, err := s.provider(ctx, state.Org)
	if err != nil {
		return "", Session{}, "", err
	}
	if p == nil || p.Issuer != state.Issuer || p.ClientID != state.ClientID {
		return "", Session{}, "", entente.Conflict("single sign-on of this organisation was changed at this moment; begin again")
	}
	if answer.Error != "" || answer.Code == "" {
		s.c.Log.Info("a provider of single sign-on refused", "issuer", p.Issuer, "error", clip(answer.Error))
		return "", Session{}, "", entente.Denied("%s did not sign you in; try again, or sign in another way", p.Label)
	}
	who, err := s.ask(ctx, state, *p, answer.Code)
	if err != nil {
		return "", Session{}, "", err
	}
	who.verified = who.verified || p.TrustEmails
	if state.Fresh && (who.at.IsZero() || who.at.Before(state.Began.Add(-time.Minute))) {
		return "", Session{}, "", entente.Denied("%s did not ask you again who you are; sign out there and repeat it", p.Label)
	}
	err = s.db.Write(ctx, state.Org, func(tx *db.Tx) error {
		person, err := s.recognise(ctx, tx, state.Org, *p, who)
		if err != nil {
			return err
		}
		m, err := mustMember(ctx, tx, state.Org, person)
		if err != nil {
			return err
		}
		token, err = s.openSession(ctx, tx, person, BySSO, state.Org, false, c)
		if err != nil {
			return err
		}
		if _, err := proveSession(ctx, tx, hashed(token), who.at); err != nil {
			return err
		}
		actor := actorOf(m.Person, Membership{Org: state.Org, Role: m.Role, Scope: m.Scope}, entente.DoorPage)
		return journal.Append(ctx, tx, actor, EventSignedIn, string(person), signedIn(BySSO, c, state.Org).body)
	})
	s.forget()
	if entente.KindOf(err) == entente.KindDenied {
		s.RecordDenial(ctx, entente.Actor{Org: state.Org, Name: clip(who.email) + " (" + p.Label + ")", Door: entente.DoorPage}, "sso.sign-in", In(state.Org), err.Error())
	}
	if err != nil {
		return "", Session{}, "", err
	}
	session, err = s.Session(ctx, token)
	return token, session, state.Next, err
}

// ask redeems the code at the provider and checks its statement.
func (s *Service) ask(ctx context.Context, state ssoState, p SSO, code string) (claims, error) {
	provider, config, err := s.client(ctx, state.Org, p)
	if err != nil {
		return claims{}, err
	}
	doubt := func(err error) (claims, error) {
		s.c.Log.Warn("the answer of a provider of single sign-on is not accepted", "issuer", p.Issuer, "error", err)
		return claims{}, entente.Denied("the answer of %s was not accepted; try again, or sign in another way", p.Label).Because(err)
	}
	ctx = s.sso.context(ctx)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(state.Verifier))
	if err != nil {
		return doubt(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return doubt(errors.New("no ID token"))
	}
	verified, err := provider.Verifier(&oidc.Config{ClientID: p.ClientID, Now: s.c.Now}).Verify(ctx, raw)
	if err != nil {
		return doubt(err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(state.Nonce)) != 1 {
		return doubt(errors.New("the nonce is another one"))
	}
	var said struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"`
		Name     string `json:"name"`
		At       int64  `json:"auth_time"`
	}
	if err := verified.Claims(&said); err != nil {
		return doubt(err)
	}
	who := claims{subject: verified.Subject, email: said.Email, name: said.Name, verified: said.Verified == true || said.Verified == "true"}
	if said.At > 0 {
		who.at = time.Unix(said.At, 0)
	}
	if who.email == "" && provider.UserInfoEndpoint() != "" {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return doubt(err)
		}
		if info.Subject != who.subject {
			return doubt(errors.New("the user info is of another subject"))
		}
		who.email, who.verified = info.Email, info.EmailVerified
	}
	if who.subject == "" || len(who.subject) > 255 {
		return doubt(errors.New("no subject"))
	}
	return who, nil
}

// recognise finds whom a provider speaks of.
func (s *Service) recognise(ctx context.Context, tx *db.Tx, org entente.OrgID, p SSO, who claims) (entente.PersonID, error) {
	known, err := linkedSSO(ctx, tx, org, p.Issuer, who.subject)
	if err != nil || known != "" {
		return known, err
	}
	email, err := cleanEmail(who.email)
	if err != nil {
		return "", entente.Denied("%s does not tell your e-mail address; its settings must allow that to this program", p.Label)
	}
	if !who.verified {
		return "", entente.Denied("%s has not verified your e-mail address %s; verify it there, or sign in another way", p.Label, email)
	}
	stranger := func() (entente.PersonID, error) {
		return "", entente.Denied("%s is not a member of this organisation; ask one of its owners to invite you", email)
	}
	person, err := personByEmail(ctx, tx, email)
	if err != nil {
		return "", err
	}
	if person == nil {
		inv, err := openInvitationOf(ctx, tx, org, email, s.now())
		if err != nil {
			return "", err
		}
		if inv == nil {
			return stranger()
		}
		name, err := cleanName("name", who.name)
		if err != nil {
			name = email
		}
		newcomer, err := s.newcomer(*inv, name)
		if err != nil {
			return "", err
		}
		if err := s.accept(ctx, tx, *inv, newcomer); err != nil {
			return "", err
		}
		person = &newcomer.person
	}
	m, err := readMember(ctx, tx, org, person.ID)
	if err != nil {
		return "", err
	}
	if m == nil {
		// Whoever has an account of their own joins with it: this organisation's
		// provider alone cannot speak for it.
		return stranger()
	}
	others, err := linksOf(ctx, tx, org, person.ID)
	if err != nil {
		return "", err
	}
	if others > 0 {
		return "", entente.Denied("%s is linked with another account of %s; an owner can remove and invite you again", email, p.Label)
	}
	if err := linkSSO(ctx, tx, org, p.Issuer, who.subject, person.ID, s.now()); err != nil {
		return "", err
	}
	actor := actorOf(*person, Membership{Org: org, Role: m.Role, Scope: m.Scope}, entente.DoorPage)
	return person.ID, journal.Append(ctx, tx, actor, EventSSOLinked, string(person.ID), map[string]any{"issuer": p.Issuer, "email": email})
}
