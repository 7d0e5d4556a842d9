package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// visit is one request under way: who visits, in which organisation, and how to
// answer.
type visit struct {
	*server
	w http.ResponseWriter
	r *http.Request

	who    *identity.Session // nil when nobody is signed in
	token  string
	actor  entente.Actor // in the organisation of the path; zero outside of one
	org    ui.Organisation
	answer int            // the status, once sent
	failed *entente.Error // what was refused just now, for the list that is shown again
	seen   int64          // up to which event of the journal the visited organisation was when the page began
}

func (s *server) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{server: s, w: w, r: s.heard(r)}
}

// reader is for whom the page is said.
func (v *visit) reader() *lang.Reader { return lang.Of(v.r.Context()) }

// T says a text to the visitor.
func (v *visit) T(text entente.Text, args ...any) string { return v.reader().T(text, args...) }

// N says a text that depends on a number to the visitor.
func (v *visit) N(n int, one, other entente.Text, args ...any) string {
	return v.reader().N(n, one, other, args...)
}

// Say says a message to the visitor.
func (v *visit) Say(m entente.Message) string { return v.reader().Say(m) }

// may asks identity.Can about the organisation as a whole, to show only what works.
func (v *visit) may(verb identity.Verb) bool {
	ok, _ := identity.Can(v.actor, verb, identity.In(v.actor.Org))
	return ok
}

// mayOn asks identity.Can about one thing.
func (v *visit) mayOn(verb identity.Verb, kind, id string) bool {
	ok, _ := identity.Can(v.actor, verb, identity.Object{Kind: kind, Org: v.actor.Org, ID: id})
	return ok
}

// in is the path of a page of the visited organisation.
func (v *visit) in(parts ...string) string {
	return pathIn(v.actor.Org, parts...)
}

func pathIn(org entente.OrgID, parts ...string) string {
	var b strings.Builder
	b.WriteString("/o/" + url.PathEscape(string(org)))
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// text is a value of the posted form, without the blanks around it.
func (v *visit) text(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// redirect leads on after an act was done.
func (v *visit) redirect(to string) error {
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	v.answer = http.StatusSeeOther
	return nil
}

const leastToPack = 1400 // below that, an answer fits into one packet anyway

// show renders a page as a whole before the first byte is sent, so that an error in
// between becomes an error page and never half a page.
func (v *visit) show(status int, page templ.Component) error {
	var body bytes.Buffer
	err := page.Render(v.r.Context(), &body)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding")
	content := body.Bytes()
	if len(content) >= leastToPack && ui.AcceptsGzip(v.r) {
		content, err = packed(content)
		if err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.answer = status
	v.w.WriteHeader(status)
	if v.r.Method == http.MethodHead {
		return nil
	}
	_, _ = v.w.Write(content) // the reader has gone; there is nobody to tell
	return nil
}

func packed(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(content)
	if err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// frame is what the frame around a page shows: who and where, and only those parts
// of the program that the visitor may see.
func (v *visit) frame(title string) ui.Page {
	p := ui.Page{
		Title: title, Org: v.org, Home: v.in(), Account: v.in("account"),
		Person: v.who.Person.Name, Several: len(v.who.Memberships) > 1,
	}
	v.equip(&p)
	add := func(name entente.Text, items ...ui.NavItem) {
		if len(items) > 0 {
			p.Nav = append(p.Nav, ui.NavGroup{Name: v.T(name), Items: items})
		}
	}
	add("", v.item(identity.ChainRead, "Home")...)
	add("Chain", join(
		v.item(identity.ChainRead, "Processes", "processes"),
		v.item(identity.ChainRead, "Systems", "systems"),
		v.item(identity.ChainRead, "Suppliers", "suppliers"),
		v.item(identity.ChainRead, "Supplies", "supplies"),
		v.item(identity.ChainRead, "Graph", "graph"),
		v.item(identity.ChainRead, "Data flows", "data-flows"),
		v.item(identity.ChainRead, "What if", "what-if"),
		v.importItem(),
	)...)
	add("Products & advisories", join(
		v.item(identity.AdvisoryRead, "Advisories", "advisories"),
		v.item(identity.AdvisoryRead, "Threats", "threats"),
		v.item(identity.InventoryRead, "Products", "products"),
		v.item(identity.InventoryRead, "SBOMs", "documents"),
		v.item(identity.InventoryRead, "Components", "components"),
	)...)
	add("Partners", join(
		v.inboxItem(),
		v.item(identity.ExchangeRead, "Concerns", "concerns"),
		v.item(identity.PartnerRead, "Partnerships", "partners"),
		v.item(identity.PartnerRead, "Partner invitations", "partner-invitations"),
		v.item(identity.ExchangeRead, "Ledger", "ledger"),
		v.item(identity.PartnerRead, "Contacts for partners", "contacts"),
	)...)
	add("Settings", join(
		v.item(identity.ChainRead, "Map", "map"),
		v.item(identity.PeopleRead, "People", "people"),
		v.item(identity.TokenManage, "API tokens", "tokens"),
		v.item(identity.WebhookRead, "Webhooks", "webhooks"),
		v.item(identity.JournalRead, "Journal", "journal"),
		v.item(identity.OrganisationRead, "Organisation", "organisation"),
		v.item(identity.PartnerRead, "Key", "key"),
		[]ui.NavItem{v.navItem("Account", "account")},
	)...)
	return p
}

func join(items ...[]ui.NavItem) []ui.NavItem {
	var all []ui.NavItem
	for _, i := range items {
		all = append(all, i...)
	}
	return all
}

func (v *visit) item(verb identity.Verb, text entente.Text, parts ...string) []ui.NavItem {
	if !v.may(verb) {
		return nil
	}
	return []ui.NavItem{v.navItem(text, parts...)}
}

func (v *visit) navItem(text entente.Text, parts ...string) ui.NavItem {
	href := v.in(parts...)
	current := v.r.URL.Path == href || len(parts) > 0 && strings.HasPrefix(v.r.URL.Path, href+"/")
	return ui.NavItem{Link: ui.Link{Text: v.T(text), Href: href}, Current: current}
}
