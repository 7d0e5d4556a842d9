package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// maxAnswer bounds what a browser sends for a passkey.
const maxAnswer = 64 << 10

// relyingParty is this node as passkeys know it; without w they cannot be used, for
// the reason in why.
type relyingParty struct {
	w   *webauthn.WebAuthn
	why string
}

// newRelyingParty takes the host of the node's address as the name to which passkeys
// are bound.
func newRelyingParty(origin string) (*relyingParty, error) {
	if origin == "" {
		return &relyingParty{why: "this node does not know the address by which browsers reach it; tell its operator to set it"}, nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, entente.Invalid("the node's address %q is not of the form https://entente.example", origin)
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if !ip.IsLoopback() {
			return &relyingParty{why: "passkeys need a host name, and this node is reached by the bare address " + host}, nil
		}
		// Browsers bind no passkey to an address, but they do to localhost.
		host, u.Host = "localhost", "localhost:"+u.Port()
		if u.Port() == "" {
			u.Host = "localhost"
		}
	}
	if u.Scheme == "http" && host != "localhost" {
		return &relyingParty{why: "passkeys need https, and this node is reached by http"}, nil
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Entente", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		// Some password managers add outputs that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, entente.Invalid("the node's address %q cannot be used for passkeys: %s", origin, err.Error()).Because(err)
	}
	return &relyingParty{w: w}, nil
}

// PasskeysPossible says whether passkeys can be used on this node, and if not, why.
func (s *Service) PasskeysPossible() (ok bool, why string) {
	return s.passkeys.w != nil, s.passkeys.why
}

func (s *Service) webauthn() (*webauthn.WebAuthn, error) {
	if s.passkeys.w == nil {
		return nil, entente.Unavailable("%s", s.passkeys.why)
	}
	return s.passkeys.w, nil
}

// Ceremony is the task that the page hands to the browser, which the finishing method
// wants back by its ID together with the browser's answer.
type Ceremony struct {
	ID      string          `json:"id"`
	Options json.RawMessage `json:"options"` // {"publicKey": …}, for navigator.credentials
}

// Passkey is one passkey of a person.
type Passkey struct {
	ID      string
	Name    string
	Synced  bool // it is backed up, so losing one device does not lose it
	Created time.Time
	Used    time.Time // zero: never
}

// holder is a person as the passkey library wants to see them.
type holder struct {
	person Person
	keys   []webauthn.Credential
}

// WebAuthnID is the handle that the passkey keeps.
func (h holder) WebAuthnID() []byte { return []byte(h.person.ID) }

// WebAuthnName is shown when choosing among passkeys.
func (h holder) WebAuthnName() string { return h.person.Email }

// WebAuthnDisplayName is shown when choosing among passkeys.
func (h holder) WebAuthnDisplayName() string { return h.person.Name }

// WebAuthnCredentials lists the passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func holderOf(ctx context.Context, tx *db.Tx, p Person) (holder, error) {
	rows, err := credentialsOf(ctx, tx, p.ID, kindPasskey)
	if err != nil {
		return holder{}, err
	}
	h := holder{person: p}
	for _, row := range rows {
		key, err := keyOf(row)
		if err != nil {
			return holder{}, err
		}
		h.keys = append(h.keys, key)
	}
	return h, nil
}

func keyOf(row credential) (webauthn.Credential, error) {
	var key webauthn.Credential
	if err := json.Unmarshal(row.data, &key); err != nil {
		return key, fmt.Errorf("a passkey of %s: %w", row.person, err)
	}
	key.Authenticator.SignCount = uint32(row.counter)
	return key, nil
}

func passkeyID(key []byte) string { return base64.RawURLEncoding.EncodeToString(key) }

// The kinds of ceremonies with passkeys.
const (
	ceremonyAdd    = "passkey-add"
	ceremonySignIn = "passkey-sign-in"
	ceremonyProof  = "passkey-proof"
	ceremonyJoin   = "passkey-join"
)

// BeginAddPasskey begins to add a passkey to the account. It needs a fresh session.
func (s *Service) BeginAddPasskey(ctx context.Context, session Session, c Client) (Ceremony, error) {
	var h holder
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return err
		}
		h, err = holderOf(ctx, tx, session.Person)
		return err
	})
	if err != nil {
		return Ceremony{}, err
	}
	if len(h.keys) >= maxPasskeys {
		return Ceremony{}, entente.TooLarge("you have %d passkeys; remove one that you do not use", len(h.keys))
	}
	return s.beginRegistration(ctx, ceremonyAdd, h, c, nil)
}

// registration is the state of a ceremony that adds a passkey.
type registration struct {
	Data   webauthn.SessionData
	Person Person // of an invitation being accepted
	Secret []byte // hash of that invitation's secret
}

func (s *Service) beginRegistration(ctx context.Context, kind string, h holder, c Client, secret []byte) (Ceremony, error) {
	w, err := s.webauthn()
	if err != nil {
		return Ceremony{}, err
	}
	options, data, err := w.BeginRegistration(h,
		webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()), webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a passkey: %w", err)
	}
	id, err := s.start(ctx, kind, h.person.ID, registration{Data: *data, Person: h.person, Secret: secret}, c)
	if err != nil {
		return Ceremony{}, err
	}
	raw, err := json.Marshal(options)
	return Ceremony{ID: id, Options: raw}, err
}

// finishRegistration checks the browser's answer and gives the passkey to store.
func (s *Service) finishRegistration(ctx context.Context, kind, id string, answer []byte) (registration, credential, error) {
	w, err := s.webauthn()
	if err != nil {
		return registration{}, credential{}, err
	}
	if len(answer) > maxAnswer {
		return registration{}, credential{}, entente.TooLarge("the browser's answer is larger than %d bytes", maxAnswer)
	}
	var begun registration
	if _, err := s.finish(ctx, kind, id, &begun); err != nil {
		return registration{}, credential{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return registration{}, credential{}, s.refused(err)
	}
	key, err := w.CreateCredential(holder{person: begun.Person}, begun.Data, parsed)
	if err != nil {
		return registration{}, credential{}, s.refused(err)
	}
	data, err := json.Marshal(key)
	if err != nil {
		return registration{}, credential{}, err
	}
	return begun, credential{
		person: begun.Person.ID, kind: kindPasskey, id: passkeyID(key.ID), data: data,
		counter: int64(key.Authenticator.SignCount), created: s.now(),
	}, nil
}

// refused is the answer to every passkey that does not hold; the library's reason is
// for the log.
func (s *Service) refused(err error) error {
	var detail *protocol.Error
	info := ""
	if errors.As(err, &detail) {
		info = detail.DevInfo
	}
	s.c.Log.Info("a passkey was refused", "error", err, "info", info)
	return entente.Denied("the passkey was not accepted; try again, or use another way to sign in").Because(err)
}

// FinishAddPasskey adds the passkey under a name that the person chose; without one it
// is named after the browser.
func (s *Service) FinishAddPasskey(ctx context.Context, session Session, id, name string, answer []byte, c Client) (Passkey, error) {
	name, err := passkeyName(name, c)
	if err != nil {
		return Passkey{}, err
	}
	begun, row, err := s.finishRegistration(ctx, ceremonyAdd, id, answer)
	if err != nil {
		return Passkey{}, err
	}
	if begun.Person.ID != session.Person.ID {
		return Passkey{}, entente.Denied("this passkey was begun by somebody else; begin again")
	}
	row.name = name
	err = s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		if err := s.storePasskey(ctx, tx, row); err != nil {
			return nil, err
		}
		return &act{kind: EventFactorAdded, body: map[string]any{"factor": "passkey", "name": name}}, nil
	})
	if err != nil {
		return Passkey{}, err
	}
	return passkeyOf(row)
}

func passkeyName(name string, c Client) (string, error) {
	if name == "" {
		name = shortAgent(c.Agent)
	}
	return cleanName("passkey's name", name)
}

func (s *Service) storePasskey(ctx context.Context, tx *db.Tx, row credential) error {
	taken, err := passkeyTaken(ctx, tx, row.id)
	if err != nil {
		return err
	}
	if taken {
		return entente.Conflict("this passkey is in use already")
	}
	return putCredential(ctx, tx, row)
}

func passkeyOf(row credential) (Passkey, error) {
	key, err := keyOf(row)
	if err != nil {
		return Passkey{}, err
	}
	return Passkey{ID: row.id, Name: row.name, Synced: key.Flags.BackupState, Created: row.created, Used: row.used}, nil
}

// Passkeys lists the passkeys of the person of a session, the oldest first.
func (s *Service) Passkeys(ctx context.Context, session Session) (list []Passkey, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := credentialsOf(ctx, tx, session.Person.ID, kindPasskey)
		if err != nil {
			return err
		}
		list = nil
		for _, row := range rows {
			k, err := passkeyOf(row)
			if err != nil {
				return err
			}
			list = append(list, k)
		}
		return nil
	})
	return list, err
}

// RenamePasskey changes the name by which a person knows a passkey.
func (s *Service) RenamePasskey(ctx context.Context, session Session, id, name string) error {
	name, err := cleanName("passkey's name", name)
	if err != nil {
		return err
	}
	return s.db.WriteNode(ctx, func(tx *db.Tx) error {
		if err := s.own(ctx, tx, session, false); err != nil {
			return err
		}
		row, err := mustPasskey(ctx, tx, session.Person.ID, id)
		if err != nil {
			return err
		}
		row.name = name
		return putCredential(ctx, tx, row)
	})
}

func mustPasskey(ctx context.Context, tx *db.Tx, p entente.PersonID, id string) (credential, error) {
	row, err := credentialOf(ctx, tx, p, kindPasskey, id)
	if err != nil {
		return credential{}, err
	}
	if row == nil {
		return credential{}, entente.NotFound("there is no such passkey; it may have been removed already")
	}
	return *row, nil
}

// RemovePasskey removes a passkey, but not the last way in. It needs a fresh session.
func (s *Service) RemovePasskey(ctx context.Context, session Session, id string) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		row, err := mustPasskey(ctx, tx, session.Person.ID, id)
		if err != nil {
			return nil, err
		}
		ways, err := countCredentials(ctx, tx, session.Person.ID)
		if err != nil {
			return nil, err
		}
		if ways <= 1 {
			return nil, entente.Conflict("this passkey is your only way to sign in; add another one or a password first")
		}
		if _, err := deleteCredential(ctx, tx, session.Person.ID, kindPasskey, id); err != nil {
			return nil, err
		}
		return &act{kind: EventFactorRemoved, body: map[string]any{"factor": "passkey", "name": row.name}}, nil
	})
}

// RemovePassword leaves passkeys as the only way in, which nobody can be talked out
// of. It takes the authenticator app along and needs a fresh session.
func (s *Service) RemovePassword(ctx context.Context, session Session) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		keys, err := credentialsOf(ctx, tx, session.Person.ID, kindPasskey)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, entente.Conflict("the password is your only way to sign in; add a passkey first")
		}
		gone := int64(0)
		for _, kind := range []credentialKind{kindTOTP, kindTOTPNew, kindRecovery, kindPassword} {
			gone, err = deleteCredentials(ctx, tx, session.Person.ID, kind)
			if err != nil {
				return nil, err
			}
		}
		if gone == 0 {
			return nil, entente.NotFound("there is no password to remove")
		}
		return &act{kind: EventFactorRemoved, body: map[string]any{"factor": "password"}}, nil
	})
}

// BeginPasskeySignIn begins a sign-in in which the passkey says who it is.
func (s *Service) BeginPasskeySignIn(ctx context.Context, c Client) (Ceremony, error) {
	return s.beginAssertion(ctx, ceremonySignIn, "", c)
}

// BeginPasskeyProof begins a fresh proof of the person of a session by passkey.
func (s *Service) BeginPasskeyProof(ctx context.Context, session Session, c Client) (Ceremony, error) {
	if session.Pending {
		return Ceremony{}, errPending()
	}
	return s.beginAssertion(ctx, ceremonyProof, session.Person.ID, c)
}

func (s *Service) beginAssertion(ctx context.Context, kind string, p entente.PersonID, c Client) (Ceremony, error) {
	w, err := s.webauthn()
	if err != nil {
		return Ceremony{}, err
	}
	options, data, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	id, err := s.start(ctx, kind, p, data, c)
	if err != nil {
		return Ceremony{}, err
	}
	raw, err := json.Marshal(options)
	return Ceremony{ID: id, Options: raw}, err
}

// FinishPasskeySignIn opens a session by passkey. A passkey is possession and
// presence of the person in one, so no second factor is asked.
func (s *Service) FinishPasskeySignIn(ctx context.Context, id string, answer []byte, c Client) (token string, session Session, err error) {
	err = s.finishAssertion(ctx, ceremonySignIn, id, answer, c, func(tx *db.Tx, p Person) (*act, error) {
		token, err = s.openSession(ctx, tx, p.ID, ByPasskey, "", false, c)
		return signedIn(ByPasskey, c, ""), err
	})
	if err != nil {
		return "", Session{}, err
	}
	session, err = s.Session(ctx, token)
	return token, session, err
}

// FinishPasskeyProof makes the session of a token fresh by a passkey of its person.
func (s *Service) FinishPasskeyProof(ctx context.Context, token, id string, answer []byte, c Client) error {
	session, err := s.Session(ctx, token)
	if err != nil {
		return err
	}
	err = s.finishAssertion(ctx, ceremonyProof, id, answer, c, func(_ *db.Tx, p Person) (*act, error) {
		if p.ID != session.Person.ID {
			return nil, entente.Denied("this is a passkey of another account; use one of %s", session.Person.Email)
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	return s.freshen(ctx, token)
}

// finishAssertion checks the browser's answer, keeps the passkey's counter, and does
// what follows in the same transaction.
func (s *Service) finishAssertion(ctx context.Context, kind, id string, answer []byte, c Client, then func(*db.Tx, Person) (*act, error)) error {
	w, err := s.webauthn()
	if err != nil {
		return err
	}
	if len(answer) > maxAnswer {
		return entente.TooLarge("the browser's answer is larger than %d bytes", maxAnswer)
	}
	var data webauthn.SessionData
	expected, err := s.finish(ctx, kind, id, &data)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return s.refused(err)
	}
	p := entente.PersonID(parsed.Response.UserHandle)
	if expected != "" && p != expected {
		return entente.Denied("this is a passkey of another account; use one of your own")
	}
	copied := false
	err = s.personally(ctx, p, func(tx *db.Tx) (*act, error) {
		copied = false
		who, err := personByID(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		if who == nil {
			return nil, s.refused(errors.New("unknown user handle"))
		}
		h, err := holderOf(ctx, tx, *who)
		if err != nil {
			return nil, err
		}
		_, key, err := w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) { return h, nil }, data, parsed)
		if err != nil {
			return nil, s.refused(err)
		}
		row, err := mustPasskey(ctx, tx, p, passkeyID(key.ID))
		if err != nil {
			return nil, err
		}
		if key.Authenticator.CloneWarning {
			copied = true
			return &act{kind: EventFactorSuspect, body: map[string]any{"factor": "passkey", "name": row.name, "address": shortAddress(c.Address)}}, nil
		}
		row.data, err = json.Marshal(key)
		if err != nil {
			return nil, err
		}
		row.counter, row.used = int64(key.Authenticator.SignCount), s.now()
		if err := putCredential(ctx, tx, row); err != nil {
			return nil, err
		}
		return then(tx, *who)
	})
	if err == nil && copied {
		return entente.Denied("this passkey may have been copied: its counter ran backwards; sign in another way, remove it and add a new one")
	}
	return err
}

// BeginPasskeyInvitation begins to accept an invitation with a new account that has a
// passkey and no password.
func (s *Service) BeginPasskeyInvitation(ctx context.Context, secret, name string, c Client) (Ceremony, error) {
	offer, err := s.Offer(ctx, secret)
	if err != nil {
		return Ceremony{}, err
	}
	if offer.HasAccount {
		return Ceremony{}, entente.Conflict("%s has an account on this node already; sign in with it and open the link again", offer.Email)
	}
	p, err := s.newcomer(offer.Invitation, name)
	if err != nil {
		return Ceremony{}, err
	}
	return s.beginRegistration(ctx, ceremonyJoin, holder{person: p.person}, c, hashed(secret))
}

// FinishPasskeyInvitation makes the account with its passkey, a member, and signs them in.
func (s *Service) FinishPasskeyInvitation(ctx context.Context, secret, id string, answer []byte, c Client) (token string, session Session, err error) {
	begun, row, err := s.finishRegistration(ctx, ceremonyJoin, id, answer)
	if err != nil {
		return "", Session{}, err
	}
	if !slices.Equal(begun.Secret, hashed(secret)) {
		return "", Session{}, entente.Conflict("this passkey was begun for another invitation; begin again")
	}
	row.name, err = passkeyName("", c)
	if err != nil {
		return "", Session{}, err
	}
	return s.welcome(ctx, secret, preparedPerson{person: begun.Person}, ByPasskey, func(tx *db.Tx) error { return s.storePasskey(ctx, tx, row) }, c)
}
