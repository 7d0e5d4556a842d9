package identity

import (
	"context"
	"regexp"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Preferences are how a person likes to read. They are the person's own and hold in
// every organisation and on every device.
type Preferences struct {
	Language string // a tag as HTML has it; "" is what the browser asks for
	Zone     string // a name of the IANA database; "" is that of the browser
	Rows     int    // on a page of a list; 0 is the program's choice
}

const mostPreferredRows = 1000

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

func (p Preferences) check() error {
	if p.Language != "" && !languageTag.MatchString(p.Language) {
		return entente.Invalid("%.40q is not the name of a language", p.Language)
	}
	if p.Rows < 0 || p.Rows > mostPreferredRows {
		return entente.Invalid("a page of a list has between 1 and %d rows", mostPreferredRows)
	}
	if p.Zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "Local" || len(p.Zone) > 60 {
		return entente.Invalid("%.60q is not the name of a time zone; choose one of the list, like Europe/Berlin", p.Zone)
	}
	return nil
}

// PreferencesOf tells how the person with an e-mail address likes to read, for what is
// mailed to them; the zero value where the node does not know them.
func (s *Service) PreferencesOf(ctx context.Context, email string) (p Preferences, err error) {
	email, err = cleanEmail(email)
	if err != nil {
		return p, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = preferencesOf(ctx, tx, email)
		return err
	})
	return p, err
}

// SetPreferences keeps how the person of a session likes to read. Every session of
// theirs has it at once on this replica, and within two seconds on others.
func (s *Service) SetPreferences(ctx context.Context, session Session, p Preferences) error {
	switch {
	case session.Person.ID == "":
		return errSignedOut()
	case session.Pending:
		return errPending()
	}
	if err := p.check(); err != nil {
		return err
	}
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error { return putPreferences(ctx, tx, session.Person.ID, p) })
	s.forget()
	return err
}
