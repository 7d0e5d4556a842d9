package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Time-based one-time passwords (RFC 6238) in the one form that every authenticator
// app understands.
const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after that are accepted
	totpSecret = 20 // bytes

	recoveryCodes = 10
)

var totpOptions = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// errWrongCode is answered to every code that does not fit, whatever the reason.
func errWrongCode() error {
	return entente.Denied("the code is wrong or was used already; wait for the next one in your authenticator app, or enter a recovery code")
}

// Enrolment is an authenticator app on its way in: it counts once
// [Service.ConfirmTOTP] saw its first code.
type Enrolment struct {
	Secret string // to type into the app
	URL    string // the same for a QR code
}

// EnrolTOTP begins to add an authenticator app, or to replace the one there is. It
// needs a fresh session.
func (s *Service) EnrolTOTP(ctx context.Context, session Session) (Enrolment, error) {
	raw := make([]byte, totpSecret)
	rand.Read(raw)
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	sealed, err := s.seal([]byte(secret), session.Person.ID)
	if err != nil {
		return Enrolment{}, err
	}
	err = s.db.WriteNode(ctx, func(tx *db.Tx) error {
		if err := s.own(ctx, tx, session, true); err != nil {
			return err
		}
		return putCredential(ctx, tx, credential{person: session.Person.ID, kind: kindTOTPNew, id: single, data: sealed, created: s.now()})
	})
	if err != nil {
		return Enrolment{}, err
	}
	values := url.Values{"secret": {secret}, "issuer": {"Entente"}}
	address := url.URL{Scheme: "otpauth", Host: "totp", Path: "/Entente:" + session.Person.Email, RawQuery: values.Encode()}
	return Enrolment{Secret: secret, URL: address.String()}, nil
}

// ConfirmTOTP makes the authenticator app count, proven by its first code, and gives
// the recovery codes, which are shown this once only.
func (s *Service) ConfirmTOTP(ctx context.Context, session Session, code string, c Client) (recovery []string, err error) {
	a := attemptOn("code", string(session.Person.ID), c)
	if err := s.begin(ctx, a); err != nil {
		return nil, err
	}
	err = s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		recovery = nil
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		fresh, err := credentialOf(ctx, tx, session.Person.ID, kindTOTPNew, single)
		if err != nil {
			return nil, err
		}
		if fresh == nil {
			return nil, entente.NotFound("no authenticator app is being added; begin again")
		}
		step, ok, err := s.match(*fresh, code)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, entente.Denied("the code does not fit; check that the clock of your phone is right, and enter the code that is shown now")
		}
		if _, err := deleteCredential(ctx, tx, session.Person.ID, kindTOTPNew, single); err != nil {
			return nil, err
		}
		fresh.kind, fresh.counter, fresh.used = kindTOTP, step, s.now()
		if err := putCredential(ctx, tx, *fresh); err != nil {
			return nil, err
		}
		if err := a.succeed(ctx, tx); err != nil {
			return nil, err
		}
		recovery, err = s.putRecoveryCodes(ctx, tx, session.Person.ID)
		return &act{kind: EventFactorAdded, body: map[string]any{"factor": "authenticator app"}}, err
	})
	return recovery, err
}

// RemoveTOTP removes the authenticator app and its recovery codes. It needs a fresh
// session.
func (s *Service) RemoveTOTP(ctx context.Context, session Session) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		n, err := deleteCredential(ctx, tx, session.Person.ID, kindTOTP, single)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, entente.NotFound("there is no authenticator app to remove")
		}
		if _, err := deleteCredentials(ctx, tx, session.Person.ID, kindRecovery); err != nil {
			return nil, err
		}
		return &act{kind: EventFactorRemoved, body: map[string]any{"factor": "authenticator app"}}, nil
	})
}

// NewRecoveryCodes replaces the recovery codes. It needs a fresh session.
func (s *Service) NewRecoveryCodes(ctx context.Context, session Session) (recovery []string, err error) {
	err = s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, true); err != nil {
			return nil, err
		}
		app, err := credentialOf(ctx, tx, session.Person.ID, kindTOTP, single)
		if err != nil {
			return nil, err
		}
		if app == nil {
			return nil, entente.NotFound("recovery codes belong to an authenticator app; add one first")
		}
		recovery, err = s.putRecoveryCodes(ctx, tx, session.Person.ID)
		return &act{kind: EventFactorAdded, body: map[string]any{"factor": "recovery codes"}}, err
	})
	return recovery, err
}

// SecondFactor says what a person has beside the password.
type SecondFactor struct {
	App           time.Time // since when there is an authenticator app; zero: none
	RecoveryCodes int       // that are left
}

// SecondFactor gives what the person of the session has beside the password.
func (s *Service) SecondFactor(ctx context.Context, session Session) (f SecondFactor, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		app, err := credentialOf(ctx, tx, session.Person.ID, kindTOTP, single)
		if err != nil || app == nil {
			return err
		}
		codes, err := credentialsOf(ctx, tx, session.Person.ID, kindRecovery)
		f = SecondFactor{App: app.created, RecoveryCodes: len(codes)}
		return err
	})
	return f, err
}

// ConfirmCode ends the sign-in of a pending session with a code of the authenticator
// app or a recovery code, and gives the token of the session that takes its place.
func (s *Service) ConfirmCode(ctx context.Context, token, code string, c Client) (string, Session, error) {
	session, err := s.Session(ctx, token)
	if err != nil {
		return "", Session{}, err
	}
	if !session.Pending {
		return "", Session{}, entente.Conflict("this sign-in is complete already")
	}
	a := attemptOn("account", session.Person.Email, c)
	if err := s.begin(ctx, a); err != nil {
		return "", Session{}, err
	}
	var fresh string
	wrong := false
	err = s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		wrong = false
		err := s.useCode(ctx, tx, session.Person.ID, code)
		if entente.KindOf(err) == entente.KindDenied {
			wrong = true
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := deleteSessionByID(ctx, tx, session.Person.ID, session.ID)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, errSignedOut()
		}
		if err := a.succeed(ctx, tx); err != nil {
			return nil, err
		}
		fresh, err = s.openSession(ctx, tx, session.Person.ID, ByPasswordCode, "", false, c)
		return signedIn(ByPasswordCode, c, ""), err
	})
	if err != nil {
		return "", Session{}, err
	}
	if wrong {
		if err := s.failed(ctx, &account{person: session.Person}, c, "wrong code"); err != nil {
			return "", Session{}, err
		}
		return "", Session{}, errWrongCode()
	}
	session, err = s.Session(ctx, fresh)
	return fresh, session, err
}

// useCode accepts a code of the authenticator app once, or uses up a recovery code.
func (s *Service) useCode(ctx context.Context, tx *db.Tx, p entente.PersonID, code string) error {
	app, err := credentialOf(ctx, tx, p, kindTOTP, single)
	if err != nil {
		return err
	}
	if app == nil {
		return errWrongCode()
	}
	step, ok, err := s.match(*app, code)
	if err != nil {
		return err
	}
	if ok {
		if step <= app.counter {
			return errWrongCode()
		}
		app.counter, app.used = step, s.now()
		return putCredential(ctx, tx, *app)
	}
	n, err := deleteCredential(ctx, tx, p, kindRecovery, recoveryID(p, code))
	if err != nil {
		return err
	}
	if n == 0 {
		return errWrongCode()
	}
	return nil
}

// match finds the time step of which code is the code.
func (s *Service) match(app credential, code string) (step int64, ok bool, err error) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	if len(code) != totpOptions.Digits.Length() {
		return 0, false, nil
	}
	secret, err := s.open(app.data, app.person)
	if err != nil {
		return 0, false, err
	}
	now := s.c.Now().Unix() / totpPeriod
	for at := now - totpSkew; at <= now+totpSkew; at++ {
		want, err := hotp.GenerateCodeCustom(string(secret), uint64(at), totpOptions)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = at, true
		}
	}
	return step, ok, nil
}

func (s *Service) putRecoveryCodes(ctx context.Context, tx *db.Tx, p entente.PersonID) ([]string, error) {
	if _, err := deleteCredentials(ctx, tx, p, kindRecovery); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		t := strings.ToLower(rand.Text()[:16]) // 80 bits
		codes[i] = t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:]
		err := putCredential(ctx, tx, credential{person: p, kind: kindRecovery, id: recoveryID(p, codes[i]), data: []byte{}, created: s.now()})
		if err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// recoveryID is the hash under which a recovery code is kept; people type them with
// and without hyphens.
func recoveryID(p entente.PersonID, code string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return hashedHex(string(p) + " " + plain)
}

func (s *Service) seal(secret []byte, p entente.PersonID) ([]byte, error) {
	if s.c.Key.Check() == "" {
		return nil, errNoKey
	}
	return s.c.Key.Seal(secret, "totp "+string(p))
}

func (s *Service) open(sealed []byte, p entente.PersonID) ([]byte, error) {
	if s.c.Key.Check() == "" {
		return nil, errNoKey
	}
	return s.c.Key.Open(sealed, "totp "+string(p))
}

var errNoKey = entente.Unavailable("this node was started without its key file, so authenticator apps and single sign-on cannot be used; tell its operator")
