package web

import (
	"cmp"
	"net/http"

	"github.com/entente-project/entente/internal/web/lang"
)

// The cookies in which a person's browser keeps how they like to read.
const (
	languageCookie = "language" // a tag of a language: "de"
	zoneCookie     = "zone"     // a name of a time zone: "Europe/Berlin"
)

// readerOf tells for whom a request is answered: in the language and the zone that
// the person chose, or else in the language that the browser asks for, and in UTC.
func (s *server) readerOf(r *http.Request) *lang.Reader {
	return s.Languages.Reader(cookieValue(r, languageCookie), r.Header.Get("Accept-Language"), cookieValue(r, zoneCookie))
}

// readerFor is for whom a mail to somebody is written: in the language and the zone that
// they chose, if this node knows them, or else in the visitor's.
func (v *visit) readerFor(email string) (*lang.Reader, error) {
	likes, err := v.Identity.PreferencesOf(v.r.Context(), email)
	if err != nil {
		return nil, err
	}
	mine := v.reader()
	return v.Languages.Reader(cmp.Or(likes.Language, mine.Tag()), "", cmp.Or(likes.Zone, mine.Zone().String())), nil
}

func cookieValue(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return "" // there is none
	}
	return c.Value
}

// heard gives the request with its reader in the context, where [lang.Of] finds it.
func (s *server) heard(r *http.Request) *http.Request {
	return r.WithContext(lang.With(r.Context(), s.readerOf(r)))
}
