package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// A provider of single sign-on answers on another page than the one that asked for a
// proof. What was typed waits meanwhile in a cookie of the browser: sealed, for this
// person only and for a few minutes.

// mostKept bounds the form that is kept, so that the cookie is one that browsers take.
const mostKept = 2500

type keptForm struct {
	To   string     `json:"to"` // the act that the form is for
	Back string     `json:"back"`
	Form url.Values `json:"form"`
}

func (v *visit) keptCookie() *http.Cookie {
	return &http.Cookie{Name: v.cookieName() + "-kept", Path: "/", HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode}
}

// keep lets the browser hold a form; false where it cannot.
func (v *visit) keep(f keptForm) (bool, error) {
	text, err := json.Marshal(f)
	if err != nil || len(text) > mostKept {
		return false, err
	}
	sealed, err := v.Identity.Keep(v.who.Person.ID, text)
	if err != nil {
		return false, err
	}
	c := v.keptCookie()
	c.Value, c.MaxAge = base64.RawURLEncoding.EncodeToString(sealed), int(identity.KeptFor.Seconds())
	http.SetCookie(v.w, c)
	return true, nil
}

// kept gives the form that the browser holds; false where there is none any more.
func (v *visit) kept() (f keptForm, found bool) {
	c, err := v.r.Cookie(v.keptCookie().Name)
	if err != nil {
		return f, false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return f, false
	}
	text, err := v.Identity.Kept(v.who.Person.ID, sealed)
	if err != nil || json.Unmarshal(text, &f) != nil {
		return f, false
	}
	return f, within(f.To) == f.To
}

// goOn shows after the proof what waits to be sent; nothing is sent by itself.
func (v *visit) goOn() error {
	p := goOnPage{Frame: v.frame(v.T("Go on")), Home: v.in()}
	f, found := v.kept()
	if found {
		p.Action, p.Back = f.To, within(f.Back)
		p.Carried = carriedOf(f.Form)
	}
	gone := v.keptCookie()
	gone.MaxAge = -1
	http.SetCookie(v.w, gone)
	return v.show(http.StatusOK, goOnView(p))
}

// goOnPage lets somebody send what they typed before they proved who they are.
type goOnPage struct {
	Frame   ui.Page
	Action  string // "" where nothing is kept
	Carried []ui.Option
	Back    string
	Home    string
}
