package web

import (
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// enter finds who visits and decides whether they may, before the page's own code
// runs.
func (v *visit) enter(route Route) error {
	err := v.recognise(!route.unasked)
	if err != nil || route.Door == Open {
		return err
	}
	switch {
	case v.who == nil:
		return errSignedIn
	case v.who.Pending:
		return errHalfway
	case route.Door == SignedIn:
		return nil
	}
	org := entente.OrgID(v.r.PathValue("org"))
	actor, err := v.who.Actor(org, entente.DoorPage)
	if err != nil {
		if entente.KindOf(err) == entente.KindNotFound {
			return errNoPage // and not even whether the organisation exists
		}
		return err
	}
	v.actor = actor
	for _, m := range v.who.Memberships {
		if m.Org == org {
			v.org = ui.Organisation{ID: string(org), Name: m.OrgName}
		}
	}
	if route.Method == http.MethodGet {
		// Read before everything that the page tells, so that a stream from here misses nothing.
		v.seen, err = headOf(v.r.Context(), v.DB, org)
		if err != nil {
			return err
		}
	}
	object := route.object(org, v.r.PathValue("id"))
	err = identity.Require(actor, route.Verb, object)
	if err != nil || route.Method == http.MethodGet {
		return err // what only shows needs no fresh proof
	}
	err = v.takeProof()
	if err != nil {
		return err
	}
	return v.Identity.Require(*v.who, actor, route.Verb, object)
}

// recognise finds the session of the browser, if it has one that still lives; used
// says whether that counts as use of it.
func (v *visit) recognise(used bool) error {
	cookie, err := v.r.Cookie(v.cookieName())
	if err != nil {
		return nil // there is none
	}
	find := v.Identity.StillSession
	if used {
		find = v.Identity.Session
	}
	session, err := find(v.r.Context(), cookie.Value)
	switch {
	case err == nil:
		v.who, v.token = &session, cookie.Value
		v.prefer(session.Preferences)
		return nil
	case entente.KindOf(err) == entente.KindDenied:
		return nil // it has ended
	}
	return err
}

// lookAround finds who visits where no route does, to show the error in the frame
// that the visitor knows.
func (v *visit) lookAround() {
	err := v.recognise(true)
	if err != nil || v.who == nil || v.who.Pending {
		return
	}
	rest, inside := strings.CutPrefix(v.r.URL.Path, "/o/")
	if !inside {
		return
	}
	org, _, _ := strings.Cut(rest, "/")
	actor, err := v.who.Actor(entente.OrgID(org), entente.DoorPage)
	if err != nil {
		return
	}
	v.actor = actor
	for _, m := range v.who.Memberships {
		if m.Org == actor.Org {
			v.org = ui.Organisation{ID: org, Name: m.OrgName}
		}
	}
}

// cookieName is the session's cookie. Behind TLS the name binds it to this host, so
// that no neighbouring host can set it.
func (s *server) cookieName() string {
	if s.Secure {
		return "__Host-entente"
	}
	return "entente"
}

// remember gives the browser the token of its session.
func (v *visit) remember(token string, session identity.Session) {
	http.SetCookie(v.w, &http.Cookie{
		Name: v.cookieName(), Value: token, Path: "/", Expires: session.Expires,
		HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func (v *visit) forget() {
	http.SetCookie(v.w, &http.Cookie{
		Name: v.cookieName(), Path: "/", MaxAge: -1,
		HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode,
	})
	kept := v.keptCookie()
	kept.MaxAge = -1
	http.SetCookie(v.w, kept)
}

func (v *visit) client() identity.Client {
	return identity.Client{Address: v.Address(v.r), Agent: v.r.UserAgent()}
}

// toSignIn leads to the sign-in, and from there back to the page that was asked for.
func (v *visit) toSignIn() {
	to := "/sign-in"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?" + url.Values{"next": {v.r.URL.RequestURI()}}.Encode()
	}
	_ = v.redirect(to)
}

// within keeps a redirect on this node: a path, and not what a browser takes for
// another host.
func within(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || len(next) > 2000 {
		return "/"
	}
	return next
}

// upload gives the one file of a multipart form as it arrives, without keeping it in
// memory or on the disk.
func (v *visit) upload(field string) (io.ReadCloser, string, error) {
	form, err := v.r.MultipartReader()
	if err != nil {
		return nil, "", entente.Invalid("The form did not carry a file. Choose one and send the form again.")
	}
	for {
		var part *multipart.Part
		part, err = form.NextPart()
		if err == io.EOF {
			return nil, "", errNoFile
		}
		if err != nil {
			return nil, "", unreadable(err)
		}
		if part.FormName() != field {
			continue
		}
		if part.FileName() == "" {
			return nil, "", errNoFile
		}
		return part, part.FileName(), nil
	}
}

// done tells what an act just before this page did; its words come from the program,
// never from the URL.
func (v *visit) done() ui.Notice {
	what := v.r.URL.Query().Get("done")
	n := notices[what]
	for _, of := range []map[string]told{peopleNotices, exchangeNotices, inboxNotices} {
		if known, ok := of[what]; ok {
			n = known
		}
	}
	return ui.Notice{Tone: n.tone, Text: v.T(n.text)}
}

// told is what a page tells of an act just before it.
type told struct {
	tone ui.Tone
	text entente.Text
}

var notices = map[string]told{
	"imported":            {ui.Good, "The map was imported."},
	"same":                {ui.Calm, "The map says the same as before. Nothing was changed."},
	"documents-withdrawn": {ui.Good, "It was withdrawn. What hung on it is worked out anew now; reload in a moment to see the result."},
	"recorded":            {ui.Good, "The document was recorded. It is compared with all advisories now; reload in a moment to see the result."},
	"known":               {ui.Calm, "This very document was recorded before. Nothing was changed."},
	"password":            {ui.Good, "The password was changed, and all your other sessions have ended."},
	"ended":               {ui.Good, "The session has ended."},
	"others":              {ui.Good, "All other sessions have ended."},
	"advisory":            {ui.Good, "The advisories were recorded."},
	"saved":               {ui.Good, "It was saved. If that was not meant, undo it here."},
	"gone":                {ui.Good, "It was removed. Undoing the change brings it back."},
	"preferences":         {ui.Good, "It was saved, for all your devices."},

	"view": {ui.Good, "The view was saved. It stands above the list."},

	"view-changed": {ui.Good, "The view was changed."},
	"view-removed": {ui.Good, "The view was removed."},

	"undone":    {ui.Good, "The change was undone."},
	"answered":  {ui.Good, "Your answer was recorded, and the tier was worked out anew."},
	"freed":     {ui.Good, "The computed tier applies again."},
	"unchanged": {ui.Calm, "All of these advisories were known already. Nothing was changed."},
}
