package identity

import (
	"testing"
	"time"

	"github.com/entente-project/entente/internal/db/dbtest"
)

// What stands before every request: one read, or none within two seconds.
func benchAuthenticate(b *testing.B, remembered bool) {
	d := dbtest.SQLite(b)
	clock := time.Now()
	s, err := New(b.Context(), d, Config{Cost: cheap, Now: func() time.Time { return clock }})
	if err != nil {
		b.Fatal(err)
	}
	_, err = s.CreateOrganisation(b.Context(), NewOrganisation{Name: "Beanline", Owner: NewPerson{"Ada", "ada@beanline.example", good}})
	if err != nil {
		b.Fatal(err)
	}
	token, _, err := s.SignIn(b.Context(), "ada@beanline.example", good, Client{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !remembered {
			s.forget()
		}
		if _, _, err := s.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
