package web

import (
	"cmp"
	_ "embed"
	"net/http"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func preferenceRoutes() []Route {
	return []Route{
		page("/o/{org}/account/preferences", identity.AccountSelf, (*visit).preferences),
		act("/o/{org}/account/preferences", identity.AccountSelf, (*visit).setPreferences),
	}
}

// zones are the names of time zones to choose from, a line each.
//
//go:embed zones.txt
var zones string

// prefer answers in the way that the signed-in person chose for all their devices.
func (v *visit) prefer(p identity.Preferences) {
	if p.Language == "" && p.Zone == "" {
		return
	}
	reader := v.Languages.Reader(cmp.Or(p.Language, cookieValue(v.r, languageCookie)), v.r.Header.Get("Accept-Language"), cmp.Or(p.Zone, cookieValue(v.r, zoneCookie)))
	v.r = v.r.WithContext(lang.With(v.r.Context(), reader))
}

// preferences asks how the visitor likes to read.
func (v *visit) preferences() error {
	return v.showPreferences(http.StatusOK, v.done(), v.who.Preferences, strconv.Itoa(v.who.Preferences.Rows), "")
}

func (v *visit) showPreferences(status int, notice ui.Notice, has identity.Preferences, rows, wrongZone string) error {
	p := preferencesPage{
		Frame: v.frame(v.T("Reading")), Notice: notice, Action: v.in("account", "preferences"),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Account"), Href: v.in("account")}}, Title: v.T("Reading"),
			Lead: v.T("How you like to read. It is yours on every device, in every organisation."),
		},
		Language: ui.Choice{Name: "language", Label: v.T("Language"), Value: has.Language, Options: []ui.Option{{Label: v.T("That of the browser")}}},
		Zone: ui.Field{
			Name: "zone", Label: v.T("Time zone"), Value: has.Zone, Wrong: wrongZone, MaxLength: 60,
			Hint: v.T("Empty: that of the browser. Otherwise a name like Europe/Berlin. Now it is %s.", v.reader().Zone().String()),
		},
		Rows: ui.Choice{Name: "rows", Label: v.T("Rows on a page of a list"), Value: rows, Options: []ui.Option{{Value: "0", Label: v.T("As the program has it: %d", rowsByDefault)}}},
	}
	for _, l := range v.Languages.All() {
		p.Language.Options = append(p.Language.Options, ui.Option{Value: l.Tag(), Label: l.Name()})
	}
	for z := range strings.FieldsSeq(zones) {
		p.Zones = append(p.Zones, ui.Option{Value: z, Label: strings.ReplaceAll(z[strings.LastIndexByte(z, '/')+1:], "_", " ")})
	}
	for _, n := range rowsToChoose {
		p.Rows.Options = append(p.Rows.Options, ui.Option{Value: strconv.Itoa(n), Label: v.reader().Count(n)})
	}
	return v.show(status, preferencesView(p))
}

// setPreferences keeps how the visitor likes to read.
func (v *visit) setPreferences() error {
	p := identity.Preferences{Language: v.text("language"), Zone: v.text("zone")}
	p.Rows, _ = strconv.Atoi(v.text("rows"))
	if _, known := v.Languages.Known(p.Language); !known {
		p.Language = ""
	}
	err := v.Identity.SetPreferences(v.r.Context(), *v.who, p)
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		return v.showPreferences(statusFor(wrong), ui.Notice{Tone: ui.Bad, Text: v.T("Nothing was changed.")}, p, v.text("rows"), v.wrongText(wrong))
	}
	if err != nil {
		return err
	}
	v.keepCookie(languageCookie, p.Language)
	v.keepCookie(zoneCookie, p.Zone)
	return v.redirect(v.in("account", "preferences") + "?done=preferences")
}

// keepCookie gives the browser a preference, for the pages before somebody signs in;
// nothing takes it away.
func (v *visit) keepCookie(name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 60 * 60, Secure: v.Secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}
