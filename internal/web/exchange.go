package web

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func exchangeRoutes() []Route {
	const kind = identity.KindPartnership
	return slices.Concat([]Route{
		page("/o/{org}/partners", identity.PartnerRead, (*visit).partners),
		page("/o/{org}/partners/{id}", identity.PartnerRead, (*visit).partner).on(kind),
		page("/o/{org}/partners/{id}/quarantine", identity.ExchangeRead, (*visit).quarantine),
		act("/o/{org}/partners/{id}/release", identity.PartnerManage, (*visit).releaseFeeds).on(kind),
		act("/o/{org}/partners/{id}/regain", identity.PartnerManage, (*visit).regainFeed).on(kind),
		act("/o/{org}/partners/regain", identity.PartnerManage, (*visit).regainFeeds),
		act("/o/{org}/partners/{id}/compared", identity.PartnerManage, (*visit).comparedKey).on(kind),
		act("/o/{org}/partners/{id}/organisation", identity.PartnerManage, (*visit).setKnownAs).on(kind),
		act("/o/{org}/partners/{id}/ask", identity.ExchangeShare, (*visit).askPartner).on(kind),
		page("/o/{org}/partners/{id}/end", identity.PartnerManage, (*visit).askEnd).on(kind),
		act("/o/{org}/partners/{id}/end", identity.PartnerManage, (*visit).endPartnership).on(kind),
	}, agreementRoutes(), disclosureRoutes(), vexRoutes(), threatRoutes(), invitingRoutes(), joinRoutes(), keyRoutes(), sayRoutes(), inboxRoutes(), ledgerRoutes(), embargoRoutes(), exchangeFileRoutes(), seatRoutes())
}

// exchangeNotices are what [visit.done] tells after acts on partnerships.
var exchangeNotices = map[string]told{
	"compared":             {ui.Good, "It is written down that the words are the same. From now on you know that nobody stands between you."},
	"known-as":             {ui.Good, "The partner was linked with the organisation of your chain."},
	"asked":                {ui.Good, "The partner was asked, and everything is up to date."},
	"released":             {ui.Good, "The partner says again what it said before. The feeds go on; the proof is kept."},
	"regained":             {ui.Good, "What you had said is back, and the feed goes on."},
	"regaining":            {ui.Calm, "The partners are being asked for what you had said. Those who cannot be reached are asked again."},
	"ended-partnership":    {ui.Calm, "The partnership has ended. Its history stays here, and nothing more is sent or taken."},
	"accepted":             {ui.Good, "You are partners now. Both have signed the same agreement."},
	"seat":                 {ui.Good, "Welcome. Your organisation has a seat here, and you are partners."},
	"seat-alone":           {ui.Warn, "Your organisation is set up, but the invitation could not be accepted. Open its link again, or ask for a new one."},
	"invitation-withdrawn": {ui.Good, "The invitation was withdrawn. Its link opens nothing any more."},
	"proposed":             {ui.Good, "Your proposal is on its way. Until the partner signs, the agreement stays as it is."},
	"signed":               {ui.Good, "You have signed. The new agreement counts from now on."},
	"refused":              {ui.Calm, "The proposal was refused. The agreement stays as it is."},
	"chosen":               {ui.Good, "Your choice is kept. Nothing was told yet: look at what it says below."},
	"told":                 {ui.Good, "It is signed and on its way."},
	"taken-back":           {ui.Good, "It is taken back. Those who got it are told; who has confirmed stands below."},
	"narrowed":             {ui.Good, "It is narrower now. Those who got it are told; who has confirmed stands below."},
	"embargo-propose":      {ui.Good, "Your proposal is on its way. Until it is answered, it is held back."},
	"embargo-accept":       {ui.Good, "You have accepted. The embargo runs."},
	"embargo-refuse":       {ui.Calm, "You have refused."},
	"embargo-revise":       {ui.Good, "Your proposal is on its way. What runs goes on until it is accepted."},
	"embargo-release":      {ui.Good, "Your partner is told."},
	"stays":                {ui.Good, "The organisation is open here again. Delete the file."},
	"moved-in":             {ui.Good, "The seat is open here. Your partners are told where they reach you now."},
	"contacts-told":        {ui.Good, "The contacts were saved, and your partners are told."},
	"key-changed":          {ui.Good, "You have a new key, and all partners are told. Read its words to them again."},
}

func (v *visit) party() entente.PartyID { return entente.PartyID(v.r.PathValue("id")) }

// partners lists the partnerships.
func (v *visit) partners() error {
	all, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	type row = exchange.Partner
	l := list[row]{
		name: "partners", one: "partnership", many: "partnerships", search: "Search by name or address", sort: "name",
		empty: ui.Empty{Title: v.T("No partnerships yet"), Text: v.T("Partners tell each other, signed and by agreement, what each must know: advisories, SBOMs, worries. Invite one by a link, or accept the invitation that you were given.")},
		text:  func(p row) []string { return []string{p.Name, p.Address, p.KnownAs} },
		columns: []column[row]{
			{key: "name", label: "Partner", order: byText(func(p row) string { return p.Name }), cell: func(p row) ui.Cell {
				return ui.Cell{Text: p.Name, Href: v.in("partners", string(p.Party)), Note: v.tradeWords(p.Supplies(), p.Buys())}
			}},
			{key: "state", label: "State", order: byText(func(p row) string { return string(p.State) }), cell: func(p row) ui.Cell { return badgeCell(v.partnerBadges(p)...) }},
			{key: "compared", label: "Words compared", tight: true, order: by(func(p row) int64 { return p.Compared.Unix() }), cell: func(p row) ui.Cell {
				if p.Compared.IsZero() {
					return badgeCell(ui.Badge{Text: v.T("not yet"), Tone: ui.Warn})
				}
				return dateCell(v, p.Compared)
			}},
			{key: "waiting", label: "Waits for them", num: true, order: by(func(p row) uint64 { return p.Out.Waiting() }), cell: func(p row) ui.Cell {
				return ui.Cell{Text: v.reader().Number(int64(p.Out.Waiting())), Note: p.Out.Error}
			}},
			{key: "sent", label: "Said by us", num: true, order: by(func(p row) uint64 { return p.Out.Number }), cell: func(p row) ui.Cell { return plainCell(v.reader().Number(int64(p.Out.Number))) }},
			{key: "heard", label: "Said by them", num: true, order: by(func(p row) uint64 { return p.In.Number }), cell: func(p row) ui.Cell {
				return ui.Cell{Text: v.reader().Number(int64(p.In.Number)), Note: p.In.Error}
			}},
			{key: "contact", label: "Last contact", tight: true, order: by(func(p row) int64 { return lastContact(p).Unix() }), cell: func(p row) ui.Cell {
				if lastContact(p).IsZero() {
					return plainCell(v.T("not yet"))
				}
				return momentCell(v, lastContact(p))
			}},
			{key: "since", label: "Partner since", tight: true, order: by(func(p row) int64 { return p.Began.Unix() }), cell: func(p row) ui.Cell { return dateCell(v, p.Began) }},
		},
		filters: []filter[row]{
			{key: "state", label: "State", options: []ui.Option{{Label: v.T("All")}, {Value: string(exchange.Active), Label: v.T("Active")}, {Value: string(exchange.Ended), Label: v.T("Ended")}}, match: func(p row, value string) bool { return string(p.State) == value }},
			{key: "trade", label: "Trade", options: []ui.Option{{Label: v.T("All")}, {Value: "supplies", Label: v.T("Supplies us")}, {Value: "buys", Label: v.T("Buys from us")}}, match: func(p row, value string) bool {
				return value == "supplies" && p.Supplies() || value == "buys" && p.Buys()
			}},
			{key: "look", label: "To look at", options: []ui.Option{{Label: v.T("All")}, {Value: "quarantine", Label: v.T("In quarantine")}, {Value: "words", Label: v.T("Words not compared")}, {Value: "behind", Label: v.T("Something waits for them")}}, match: func(p row, value string) bool {
				return value == "quarantine" && quarantined(p) || value == "words" && p.Compared.IsZero() && p.State == exchange.Active || value == "behind" && p.Out.Waiting() > 0
			}},
		},
	}
	head := ui.Head{Title: v.T("Partnerships"), Lead: v.T("With whom you exchange signed entries, by an agreement that both have signed.")}
	if v.may(identity.PartnerManage) {
		head.Main = ui.Link{Text: v.T("Invite a partner"), Href: v.in("invite-partner")}
		head.Actions = []ui.Link{{Text: v.T("I was invited"), Href: v.in("accept-partner")}}
		if len(all) == 0 {
			head.Actions = append(head.Actions, ui.Link{Text: v.T("Bring a seat with you"), Href: v.in("bring-seat")})
		}
		l.empty.Next, l.empty.More = head.Main, head.Actions
	}
	notice := v.done()
	if notice.Text == "" {
		notice, err = v.movedNotice()
		if err != nil {
			return err
		}
	}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component {
		return partnersView(partnersPage{Frame: v.frame(head.Title), Head: head, Notice: notice, List: shown})
	})
}

// movedNotice says that the organisation has left this node; nothing, if it has not.
func (v *visit) movedNotice() (ui.Notice, error) {
	moved, err := v.Exchange.Moved(v.r.Context(), v.actor)
	if err != nil || moved.IsZero() {
		return ui.Notice{}, err
	}
	return ui.Notice{Tone: ui.Warn, Text: v.T("%s was written into a file to move to another node, and is closed here. Open “Move to a node of your own” under Key to go on, or to stay.", v.org.Name)}, nil
}

// lastContact is when the partner's node was last known to answer.
func lastContact(p exchange.Partner) time.Time {
	last := p.Out.AckedAt
	for _, t := range []time.Time{p.In.AckedAt, p.In.Tried} {
		if t.After(last) && (p.In.Failures == 0 || t.Equal(p.In.AckedAt)) {
			last = t
		}
	}
	return last
}

func quarantined(p exchange.Partner) bool {
	return !p.In.Quarantine.Blank() || !p.Out.Quarantine.Blank()
}

func (v *visit) partnerBadges(p exchange.Partner) []ui.Badge {
	badges := []ui.Badge{{Text: v.T("active"), Tone: ui.Good}}
	if p.State == exchange.Ended {
		badges[0] = ui.Badge{Text: v.T("ended")}
	}
	if quarantined(p) {
		badges = append(badges, ui.Badge{Text: v.T("in quarantine"), Tone: ui.Bad})
	}
	return badges
}

// tradeWords says who buys from whom.
func (v *visit) tradeWords(supplies, buys bool) string {
	switch {
	case supplies && buys:
		return v.T("supplies us and buys from us")
	case supplies:
		return v.T("supplies us")
	case buys:
		return v.T("buys from us")
	}
	return ""
}

// partner shows one partnership.
func (v *visit) partner() error { return v.showPartner(http.StatusOK, v.done()) }

func (v *visit) showPartner(status int, notice ui.Notice) error {
	ctx := v.r.Context()
	p, err := v.Exchange.Partner(ctx, v.actor, v.party())
	if err != nil {
		return err
	}
	at := v.in("partners", string(p.Party))
	shown := partnerPage{
		Frame: v.frame(p.Name), Notice: notice, Name: p.Name, Active: p.State == exchange.Active, At: at,
		Head:   ui.Head{Crumbs: v.partnerCrumbs(nil), Title: p.Name, Badges: v.partnerBadges(p), Lead: lang.Capital(v.tradeWords(p.Supplies(), p.Buys()))},
		Manage: v.mayOn(identity.PartnerManage, identity.KindPartnership, string(p.Party)) && p.State == exchange.Active,
		Ask:    v.mayOn(identity.ExchangeShare, identity.KindPartnership, string(p.Party)) && p.State == exchange.Active,
		Theirs: p.Fingerprint(), Key: string(p.Ring.Current().Public.ID()), Compared: p.Compared, ComparedBy: p.ComparedBy,
		Feeds: v.feedRows(p), FeedErrors: v.feedErrors(p),
		File: at + "/file", Ledger: v.in("ledger") + "?partner=" + string(p.Party),
		Welcome: v.r.URL.Query().Get("done") == "seat",
	}
	if quarantined(p) {
		shown.Quarantine = at + "/quarantine"
		if !v.may(identity.ExchangeRead) {
			shown.Quarantine = ""
		}
	}
	if !v.may(identity.ExchangeRead) {
		shown.Ledger = ""
	}
	if v.may(identity.PartnerRead) {
		self, err := v.Exchange.Self(ctx, v.actor)
		if err != nil {
			return err
		}
		shown.Ours = self.Fingerprint()
	}
	shown.Contacts = reachable(p.Contacts)
	if v.may(identity.ExchangeRead) {
		said, err := v.Exchange.Inbox(ctx, v.actor, exchange.InboxQuery{Party: p.Party, Limit: saidShown})
		if err != nil {
			return err
		}
		for _, r := range said {
			shown.Said = append(shown.Said, ui.Row{Cells: []ui.Cell{momentCell(v, r.Said), {Text: v.entryTitle(r), Href: v.entryPath(r), Note: v.entryName(r.Kind)}, badgeCell(tlpBadge(r.Marking.TLP)), badgeCell(v.entryBadges(r)...)}})
		}
		shown.AllSaid = v.in("inbox") + "?partner=" + string(p.Party)
	}
	known, err := v.chainNames()
	if err != nil {
		return err
	}
	shown.Defs = v.partnerDefs(p, known)
	if shown.Manage {
		shown.Known = v.knownAsChoice(p.KnownAs, known)
	}
	versions, err := v.Exchange.Versions(ctx, v.actor, p.Party)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(versions, func(w exchange.Version) bool { return w.State == exchange.VersionProposed }); i >= 0 && shown.Active {
		shown.Proposal = v.T("%s has proposed a change of the agreement, which waits for your answer.", p.Name)
		if versions[i].Proposer != p.Party {
			shown.Proposal = v.T("You have proposed a change of the agreement, which waits for the answer of %s.", p.Name)
		}
	}
	shown.Terms = v.termsOf(p.Agreement, p.Agreement.Other(p.Party))
	return v.show(status, partnerView(shown))
}

// saidShown is how much of what a partner said its page shows.
const saidShown = 10

var saidColumns = []ui.Column{{Label: "Said", Tight: true}, {Label: "What"}, {Label: "Marked", Tight: true}, {Label: "State"}}

// partnerCrumbs lead back to the list, for those who may see it, and to the partner.
func (v *visit) partnerCrumbs(p *exchange.Partner) []ui.Link {
	var crumbs []ui.Link
	if v.may(identity.PartnerRead) {
		crumbs = append(crumbs, ui.Link{Text: v.T("Partnerships"), Href: v.in("partners")})
	}
	if p != nil {
		crumbs = append(crumbs, ui.Link{Text: p.Name, Href: v.in("partners", string(p.Party))})
	}
	return crumbs
}

func (v *visit) partnerDefs(p exchange.Partner, known map[string]string) []ui.Def {
	defs := []ui.Def{{Term: v.T("Partner since"), View: ui.Date(p.Began)}}
	if p.State == exchange.Ended {
		by := v.org.Name
		if p.EndedBy == p.Party {
			by = p.Name
		}
		defs = append(defs, ui.Def{Term: v.T("Ended"), View: ui.Phrase(entente.Say("%s, by %s", ui.Date(p.Ended), by))}, ui.Def{Term: v.T("Reason"), Text: p.EndedWhy})
	}
	if name := known[p.KnownAs]; p.KnownAs != "" && name != "" {
		defs = append(defs, ui.Def{Term: v.T("In your chain"), View: ui.LinkTo(ui.Link{Text: name, Href: v.in("suppliers", p.KnownAs)})})
	}
	node := ui.Def{Term: v.T("Node"), View: code(p.Address)}
	if p.Address == "" {
		node = ui.Def{Term: v.T("Node"), Text: v.T("none that can be reached: you exchange files")}
	}
	return append(defs, node, ui.Def{Term: v.T("Name among all nodes"), View: code(string(p.Party))})
}

// chainNames gives the names of the organisations of the chain by their ids, as far
// as the visitor may see the chain.
func (v *visit) chainNames() (map[string]string, error) {
	if !v.may(identity.ChainRead) {
		return nil, nil
	}
	g, err := v.Chain.Graph(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	names, m := map[string]string{}, g.Map()
	for _, o := range m.Organisations {
		if o.ID != m.Own {
			names[string(o.ID)] = o.Name
		}
	}
	return names, nil
}

// suggested is a field with what a person may type into it.
type suggested struct {
	ui.Field
	Options []ui.Option
}

// mostKnown bounds the organisations that a form suggests.
const mostKnown = 200

// knownAsChoice asks which organisation of the chain a partner is.
func (v *visit) knownAsChoice(id string, known map[string]string) suggested {
	c := suggested{Field: ui.Field{
		Name: "organisation", Label: v.T("Which organisation of your chain it is"), Value: id, MaxLength: entente.MaxSlug,
		Hint: v.T("Its name or identifier; empty: none of them. What the partner says then shows where the organisation does."),
	}}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if len(c.Options) == mostKnown {
			break
		}
		c.Options = append(c.Options, ui.Option{Value: id, Label: known[id]})
	}
	return c
}

// organisationIn finds the organisation that a person named, by its identifier or its
// name; empty: none was named.
func organisationIn(known map[string]string, text string) (string, error) {
	if text == "" || known[text] != "" {
		return text, nil
	}
	found := ""
	for id, name := range known {
		if !strings.EqualFold(name, text) {
			continue
		}
		if found != "" {
			return "", entente.Invalid("several organisations of the chain are called %.60q; write the identifier", text)
		}
		found = id
	}
	if found == "" {
		return "", entente.Invalid("there is no organisation %.60q in the chain; write its name or identifier, or leave it empty", text)
	}
	return found, nil
}

// feedRows tells how the two feeds of a partnership stand.
func (v *visit) feedRows(p exchange.Partner) []ui.Row {
	row := func(name string, f exchange.Feed, waiting ui.Cell) ui.Row {
		receipt := plainCell(v.T("none yet"))
		if !f.AckedAt.IsZero() {
			receipt = ui.Cell{Text: v.T("up to entry %d", int(f.Acked)), NoteView: ui.Time(f.AckedAt)}
		}
		tried := plainCell(v.T("not yet"))
		if !f.Tried.IsZero() {
			tried = momentCell(v, f.Tried)
		}
		return ui.Row{Cells: []ui.Cell{plainCell(name), plainCell(v.reader().Number(int64(f.Number))), receipt, waiting, tried}}
	}
	waiting := plainCell(v.reader().Number(int64(p.Out.Waiting())))
	return []ui.Row{
		row(v.T("What you say to %s", p.Name), p.Out, waiting),
		row(v.T("What %s says to you", p.Name), p.In, plainCell(v.T("known at their side"))),
	}
}

// feedColumns are those of [visit.feedRows].
var feedColumns = []ui.Column{{Label: "Feed"}, {Label: "Entries", Num: true}, {Label: "Signed receipt"}, {Label: "Still waits", Num: true}, {Label: "Last attempt", Tight: true}}

// feedErrors says what went wrong last, by feed.
func (v *visit) feedErrors(p exchange.Partner) []string {
	var all []string
	if p.Out.Error != "" {
		all = append(all, v.T("What you say was not delivered: %s. Attempts in a row: %d.", p.Out.Error, p.Out.Failures))
	}
	if p.In.Error != "" {
		all = append(all, v.T("Their node was not to be asked: %s. Attempts in a row: %d.", p.In.Error, p.In.Failures))
	}
	return all
}

// partnerDone leads back to the partner after an act, or says there why it failed.
func (v *visit) partnerDone(done, anchor string, err error) error {
	if err == nil {
		return v.redirect(v.in("partners", string(v.party())) + "?done=" + done + anchor)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) && !(errors.As(err, &wrong) && wrong.Kind == entente.KindUnavailable) {
		return err
	}
	return v.showPartner(statusFor(wrong), v.wrongNotice(wrong))
}

func (v *visit) comparedKey() error {
	return v.partnerDone("compared", "", v.Exchange.Compared(v.r.Context(), v.actor, v.party(), entente.KeyID(v.text("key"))))
}

func (v *visit) setKnownAs() error {
	known, err := v.chainNames()
	if err != nil {
		return err
	}
	id, err := organisationIn(known, v.text("organisation"))
	if err != nil {
		return v.partnerDone("", "", err)
	}
	return v.partnerDone("known-as", "", v.Exchange.SetKnownAs(v.r.Context(), v.actor, v.party(), id))
}

func (v *visit) askPartner() error {
	return v.partnerDone("asked", "#feeds", v.Exchange.Fetch(v.r.Context(), v.actor, v.party()))
}

// askEnd asks whether a partnership is to end, and why.
func (v *visit) askEnd() error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	title := v.T("End the partnership with %s?", p.Name)
	at := v.in("partners", string(p.Party))
	return v.show(http.StatusOK, endView(endPage{Frame: v.frame(title), Head: ui.Head{Crumbs: v.partnerCrumbs(&p), Title: title}, Name: p.Name, Action: at + "/end", Back: at}))
}

func (v *visit) endPartnership() error {
	return v.partnerDone("ended-partnership", "", v.Exchange.End(v.r.Context(), v.actor, v.party(), v.text("reason")))
}

// quarantine explains why nothing more is taken from a feed.
func (v *visit) quarantine() error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	found, err := v.Exchange.Contradictions(v.r.Context(), v.actor, p.Party)
	if err != nil {
		return err
	}
	title := v.T("Quarantine of %s", p.Name)
	shown := quarantinePage{Frame: v.frame(title), Head: ui.Head{Crumbs: v.partnerCrumbs(&p), Title: title}, Name: p.Name, Quarantined: quarantined(p), Contacts: reachable(p.Contacts)}
	if shown.Quarantined && p.State == exchange.Active && v.mayOn(identity.PartnerManage, identity.KindPartnership, string(p.Party)) {
		shown.Release = v.in("partners", string(p.Party), "release")
		if err := v.mayRegain(p, &shown); err != nil {
			return err
		}
	}
	shown.Theirs, shown.Ours = !p.In.Quarantine.Blank(), !p.Out.Quarantine.Blank()
	for _, c := range found {
		shown.Cases = append(shown.Cases, v.contradiction(p, c))
	}
	return v.show(http.StatusOK, quarantineView(shown))
}

// releaseFeeds lifts a quarantine, if the partner's node says again what it said.
func (v *visit) releaseFeeds() error {
	return v.partnerDone("released", "#feeds", v.Exchange.Release(v.r.Context(), v.actor, v.party()))
}

// mayRegain fills in how what we said is got back from a partner, or from several.
func (v *visit) mayRegain(p exchange.Partner, shown *quarantinePage) error {
	if p.Out.Quarantine.Blank() {
		return nil
	}
	shown.Regain, shown.Key = v.in("partners", string(p.Party), "regain"), v.in("key")
	if !v.may(identity.PartnerManage) {
		return nil
	}
	all, err := v.Exchange.Partners(v.r.Context(), v.actor)
	for _, other := range all {
		if !other.Out.Quarantine.Blank() {
			shown.All++
		}
	}
	if shown.All > 1 {
		shown.RegainAll = v.in("partners", "regain")
	}
	return err
}

// regainFeed gets back what we said to a partner, and lost.
func (v *visit) regainFeed() error {
	return v.partnerDone("regained", "#feeds", v.Exchange.Regain(v.r.Context(), v.actor, v.party()))
}

// regainFeeds does so with all partners, in the background.
func (v *visit) regainFeeds() error {
	if _, err := v.Exchange.RegainAll(v.r.Context(), v.actor); err != nil {
		return err
	}
	return v.redirect(v.in("partners") + "?done=regaining")
}

// reachable are contacts as pages show them.
func reachable(contacts []entente.Contact) []ui.Contact {
	all := make([]ui.Contact, len(contacts))
	for i, c := range contacts {
		all[i] = ui.Contact{Name: cmp.Or(c.Name, c.Email, c.Phone), Role: c.Role, Email: c.Email, Phone: c.Phone}
	}
	return all
}

// contradiction tells one case in words, with the two sides beside each other.
func (v *visit) contradiction(p exchange.Partner, c exchange.Contradiction) contradictionView {
	shown := contradictionView{At: c.At}
	switch {
	case c.Way == exchange.Out:
		shown.Words = v.T("%s signed that it holds another entry %d than the one that you sent. One of the two nodes has lost or changed its history.", p.Name, int(c.Second.Number))
		shown.First, shown.Second = "What you sent", "What they signed for"
	case c.First.Number == c.Second.Number:
		shown.Words = v.T("%s signed two different entries with the number %d. Only one of them can be what it said.", p.Name, int(c.Second.Number))
		shown.First, shown.Second = "What came first, and you hold", "What came later"
	default:
		shown.Words = v.T("Entry %d of %s does not follow the entry before it as you hold it: it names another one.", int(c.Second.Number), p.Name)
		shown.First, shown.Second = "The entry before, as you hold it", "What came after"
	}
	add := func(label entente.Text, value func(exchange.Proof) ui.Cell) {
		first, second := value(c.First), value(c.Second)
		if !first.Blank() || !second.Blank() {
			shown.Rows = append(shown.Rows, ui.Row{Cells: []ui.Cell{plainCell(v.T(label)), first, second}})
		}
	}
	number := func(n uint64) ui.Cell { return plainCell(strconv.FormatUint(n, 10)) }
	add("Number", func(s exchange.Proof) ui.Cell { return number(s.Number) })
	add("About", func(s exchange.Proof) ui.Cell {
		if s.Kind == "" {
			return ui.Cell{}
		}
		return ui.Cell{Text: v.entryName(s.Kind), Note: s.Subject}
	})
	add("Said, by their clock", func(s exchange.Proof) ui.Cell {
		if s.Said.IsZero() {
			return ui.Cell{}
		}
		return momentCell(v, s.Said)
	})
	add("Hash of the content", func(s exchange.Proof) ui.Cell { return hashCell(s.Hash) })
	add("Names as the one before", func(s exchange.Proof) ui.Cell { return hashCell(s.Prev) })
	add("Signed with the key", func(s exchange.Proof) ui.Cell { return codeCell(string(s.Key)) })
	return shown
}

func hashCell(h entente.Hash) ui.Cell {
	if h.IsZero() {
		return ui.Cell{}
	}
	return codeCell(h.String())
}

// codeCell shows the beginning of a long identifier, which tells it from others.
func codeCell(text string) ui.Cell {
	if len(text) > 16 {
		text = text[:16]
	}
	return ui.Cell{Text: text, View: code(text)}
}
