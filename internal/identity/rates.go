package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// attempt is one try to prove something, counted against what it comes from. It is
// counted before it is checked, so that many tries at once count as many.
type attempt struct {
	account string // "" or what tells the account, in a form that does not name it
	address string // "" where unknown
}

func attemptOn(what, id string, c Client) attempt {
	a := attempt{account: what + ":" + hashedHex(id)[:32]}
	if key := addressKey(c.Address); key != "" {
		a.address = "address:" + key
	}
	return a
}

// TooMany is the cause of the error that asks to wait.
type TooMany struct{ Until, Now time.Time }

// Error gives the wait, for the log.
func (t *TooMany) Error() string {
	return fmt.Sprintf("too many attempts; wait %s", t.Until.Sub(t.Now))
}

// RetryAfter says how long to wait, if err is that there were too many attempts.
func RetryAfter(err error) (time.Duration, bool) {
	var t *TooMany
	if !errors.As(err, &t) {
		return 0, false
	}
	return t.Until.Sub(t.Now), true
}

// begin counts the attempt, or refuses it with the time when to try again.
func (s *Service) begin(ctx context.Context, a attempt) error {
	var until time.Time
	now := s.now()
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error {
		until = time.Time{}
		for _, key := range a.keys() {
			r, err := readRate(ctx, tx, key.name)
			if err != nil {
				return err
			}
			if r.until.After(now) && r.until.After(until) {
				until = r.until
			}
		}
		if !until.IsZero() {
			return nil
		}
		for _, key := range a.keys() {
			r, err := readRate(ctx, tx, key.name)
			if err != nil {
				return err
			}
			if now.Sub(r.last) >= key.limit.forget {
				r.failures = 0
			}
			r.failures++
			r.last, r.until = now, now.Add(key.limit.wait(r.failures))
			if err := putRate(ctx, tx, key.name, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || until.IsZero() {
		return err
	}
	e := entente.Unavailable("there were too many attempts; try again %s (at %s)", inWords(until.Sub(now)), until.Format("15:04:05 UTC"))
	e.Err = &TooMany{Until: until, Now: now}
	return e
}

// succeed takes back what begin counted: the account's count is forgotten, the
// address, behind which others may be guessing, gets one back.
func (a attempt) succeed(ctx context.Context, tx *db.Tx) error {
	return a.takeBack(ctx, tx, a.account)
}

// halfway takes back the count of the address only: who knows the password of an
// account must not thereby gain any number of tries at its second factor.
func (a attempt) halfway(ctx context.Context, tx *db.Tx) error {
	return attempt{address: a.address}.takeBack(ctx, tx, "")
}

func (a attempt) takeBack(ctx context.Context, tx *db.Tx, forget string) error {
	for _, key := range a.keys() {
		if key.name == forget {
			if err := deleteRate(ctx, tx, key.name); err != nil {
				return err
			}
			continue
		}
		r, err := readRate(ctx, tx, key.name)
		if err != nil {
			return err
		}
		if r.failures == 0 {
			continue
		}
		r.failures--
		r.until = time.Time{}
		if err := putRate(ctx, tx, key.name, r); err != nil {
			return err
		}
	}
	return nil
}

type rateKey struct {
	name  string
	limit limit
}

func (a attempt) keys() []rateKey {
	var keys []rateKey
	if a.account != "" {
		keys = append(keys, rateKey{a.account, limitAccount})
	}
	if a.address != "" {
		keys = append(keys, rateKey{a.address, limitAddress})
	}
	return keys
}

func inWords(d time.Duration) string {
	d = max(d.Round(time.Second), time.Second)
	if d == time.Second {
		return "in a second"
	}
	if d < 2*time.Minute {
		return fmt.Sprintf("in %d seconds", int(d.Seconds()))
	}
	return fmt.Sprintf("in %d minutes", int(d.Minutes()+0.5))
}
