package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func invitingRoutes() []Route {
	return []Route{
		page("/o/{org}/invite-partner", identity.PartnerManage, (*visit).invitePartnerForm),
		page("/o/{org}/partner-invitations", identity.PartnerRead, (*visit).partnerInvitations),
		act("/o/{org}/partner-invitations", identity.PartnerManage, (*visit).invitePartner),
		act("/o/{org}/partner-invitations/{id}/withdraw", identity.PartnerManage, (*visit).withdrawPartner),
		page("/o/{org}/accept-partner", identity.PartnerManage, (*visit).acceptForm),
		act("/o/{org}/accept-partner", identity.PartnerManage, (*visit).lookAtInvitation),
		act("/o/{org}/accept-partner/sign", identity.PartnerManage, (*visit).acceptPartner),
	}
}

// What an invited partner does.
const (
	tradeSupplies = "supplies"
	tradeBuys     = "buys"
	tradeBoth     = "both"
)

// inviting is what the form of an invitation holds.
type inviting struct {
	Name, Organisation, Trade string
	Contact                   entente.Contact
}

// weBuy and weSupply say the trade from the inviter's view.
func (i inviting) weBuy() bool    { return i.Trade == tradeSupplies || i.Trade == tradeBoth }
func (i inviting) weSupply() bool { return i.Trade == tradeBuys || i.Trade == tradeBoth }

// invitePartnerForm asks first whom, then on which terms: what is usual hangs on who
// supplies whom.
func (v *visit) invitePartnerForm() error {
	asked := v.r.URL.Query()
	i := inviting{Name: firstRunes(asked.Get("name"), 200), Organisation: asked.Get("organisation"), Trade: asked.Get("trade")}
	if i.Name == "" || !i.weBuy() && !i.weSupply() {
		return v.showInviting(http.StatusOK, i, nil, ui.Notice{})
	}
	i.Contact = entente.Contact{Name: v.who.Person.Name, Email: v.who.Person.Email}
	d := standardDraft(i.weBuy(), i.weSupply())
	return v.showInviting(http.StatusOK, i, &d, ui.Notice{})
}

func (v *visit) showInviting(status int, i inviting, d *termsDraft, notice ui.Notice) error {
	known, err := v.chainNames()
	if err != nil {
		return err
	}
	title := v.T("Invite a partner")
	p := invitePage{
		Frame: v.frame(title), Notice: notice, Head: ui.Head{Crumbs: v.partnerCrumbs(nil), Title: title}, Name: i.Name,
		Trade: ui.Choice{Name: "trade", Label: v.T("What they do"), Value: i.Trade, Options: []ui.Option{
			{Value: tradeSupplies, Label: v.T("They supply us")}, {Value: tradeBuys, Label: v.T("They buy from us")}, {Value: tradeBoth, Label: v.T("Both")},
		}},
		Organisation: v.knownAsChoice(i.Organisation, known), Start: v.in("invite-partner"), Labels: v.labelMeanings(),
	}
	p.Head.Lead = v.T("You get a link and give it to them in whatever way you trust. They accept it on their own node, or take a seat on this one for free.")
	if d != nil {
		fields := v.termsFields(*d, i.Name)
		p.Terms, p.Action = &fields, v.in("partner-invitations")
		p.Contact = v.contactFields(i.Contact, v.T("Whom %s can reach at your side", i.Name))
		p.Summary = v.T("%s is to supply you.", i.Name)
		switch i.Trade {
		case tradeBuys:
			p.Summary = v.T("%s is to buy from you.", i.Name)
		case tradeBoth:
			p.Summary = v.T("%s is to supply you and to buy from you.", i.Name)
		}
		p.Carried = []ui.Option{{Value: "name", Label: i.Name}, {Value: "organisation", Label: i.Organisation}, {Value: "trade", Label: i.Trade}}
		p.Back = v.in("invite-partner") + "?" + url.Values{"name": {i.Name}, "organisation": {i.Organisation}}.Encode()
	}
	return v.show(status, invitePartnerView(p))
}

func (v *visit) contactFields(c entente.Contact, title string) contactForm {
	return contactForm{Title: title, Fields: []ui.Field{
		{Name: "contact-name", Label: v.T("Name, of a person or a desk"), Value: c.Name, MaxLength: 120},
		{Name: "contact-email", Label: v.T("E-mail address"), Type: "email", Value: c.Email, MaxLength: 254},
		{Name: "contact-phone", Label: v.T("Telephone"), Type: "tel", Value: c.Phone, MaxLength: 60},
	}}
}

// typedContact reads the fields of [visit.contactFields].
func (v *visit) typedContact() entente.Contact {
	return entente.Contact{Name: v.text("contact-name"), Email: v.text("contact-email"), Phone: v.text("contact-phone")}
}

func contacts(c entente.Contact) []entente.Contact {
	if c == (entente.Contact{}) {
		return nil
	}
	return []entente.Contact{c}
}

// invitePartner makes an invitation and shows its link, this once.
func (v *visit) invitePartner() error {
	i := inviting{Name: v.text("name"), Organisation: v.text("organisation"), Trade: v.text("trade"), Contact: v.typedContact()}
	d, err := v.typedTerms()
	known, failed := v.chainNames()
	if failed != nil {
		return failed
	}
	organisation, unknown := organisationIn(known, i.Organisation)
	if err == nil {
		err = unknown
	}
	if err == nil {
		terms := d.terms(i.weBuy(), i.weSupply())
		terms.Contacts = contacts(i.Contact)
		var ticket exchange.Ticket
		var made exchange.Invitation
		ticket, made, err = v.Exchange.Invite(v.r.Context(), v.actor, exchange.NewInvitation{Name: i.Name, KnownAs: organisation, Terms: terms})
		if err == nil {
			return v.showInvited(ticket, made)
		}
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	if i.Name == "" || !i.weBuy() && !i.weSupply() {
		return v.showInviting(statusFor(wrong), i, nil, v.wrongNotice(wrong))
	}
	return v.showInviting(statusFor(wrong), i, &d, v.wrongNotice(wrong))
}

func (v *visit) showInvited(t exchange.Ticket, made exchange.Invitation) error {
	code, err := codeOf(t.Link())
	if err != nil {
		return err
	}
	title := v.T("The invitation of %s is made", made.Name)
	return v.show(http.StatusCreated, invitedView(invitedPage{
		Frame: v.frame(title), Head: ui.Head{Crumbs: v.partnerCrumbs(nil), Title: title}, Name: made.Name, Link: t.Link(), Code: code,
		File: joinAddress(t) + joinFile, Until: made.Expires, Next: v.in("partner-invitations"),
	}))
}

var invitationWords = map[exchange.InvitationState]entente.Text{
	exchange.InvitationOpen: "open", exchange.InvitationAccepted: "accepted", exchange.InvitationWithdrawn: "withdrawn", invitationExpired: "expired",
}

// invitationExpired is an open invitation whose time is over.
const invitationExpired exchange.InvitationState = "expired"

func stateOf(i exchange.Invitation) exchange.InvitationState {
	if i.State == exchange.InvitationOpen && !time.Now().Before(i.Expires) {
		return invitationExpired
	}
	return i.State
}

// partnerInvitations lists the invitations of partners.
func (v *visit) partnerInvitations() error {
	all, err := v.Exchange.Invitations(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	type row = exchange.Invitation
	l := list[row]{
		name: "partner-invitations", one: "invitation", many: "invitations", search: "Search by name", sort: "-made",
		empty: ui.Empty{Title: v.T("No partner was invited yet"), Text: v.T("An invitation is a link that works once. Whoever opens it sees who invites them to what, before they decide.")},
		text:  func(i row) []string { return []string{i.Name, i.By} },
		columns: []column[row]{
			{key: "name", label: "Invited", order: byText(func(i row) string { return i.Name }), cell: func(i row) ui.Cell {
				c := ui.Cell{Text: i.Name, Note: v.tradeWords(i.Terms.Buys, i.Terms.Supplies)}
				if i.Party != "" {
					c.Href = v.in("partners", string(i.Party))
				}
				return c
			}},
			{key: "state", label: "State", order: byText(func(i row) string { return string(stateOf(i)) }), cell: func(i row) ui.Cell {
				tone := map[exchange.InvitationState]ui.Tone{exchange.InvitationOpen: ui.Accent, exchange.InvitationAccepted: ui.Good}[stateOf(i)]
				return badgeCell(ui.Badge{Text: v.Say(word(invitationWords, stateOf(i))), Tone: tone})
			}},
			{key: "by", label: "By", order: byText(func(i row) string { return i.By }), cell: func(i row) ui.Cell { return plainCell(i.By) }},
			{key: "made", label: "Made", tight: true, order: by(func(i row) int64 { return i.Made.Unix() }), cell: func(i row) ui.Cell { return momentCell(v, i.Made) }},
			{key: "until", label: "Works until", tight: true, order: by(func(i row) int64 { return i.Expires.Unix() }), cell: func(i row) ui.Cell {
				if i.State != exchange.InvitationOpen {
					return ui.Cell{}
				}
				return dateCell(v, i.Expires)
			}},
		},
		filters: []filter[row]{{key: "state", label: "State", options: wordsIn(v, invitationWords, all, stateOf), match: func(i row, value string) bool { return string(stateOf(i)) == value }}},
	}
	if v.may(identity.PartnerManage) {
		l.columns = append(l.columns, column[row]{label: "Withdraw", cell: func(i row) ui.Cell {
			if i.State != exchange.InvitationOpen {
				return ui.Cell{}
			}
			return ui.Cell{View: withdrawButton(v.in("partner-invitations", i.ID, "withdraw"), v.T("Withdraw the invitation of %s", i.Name))}
		}})
	}
	head := ui.Head{Crumbs: v.partnerCrumbs(nil), Title: v.T("Partner invitations"), Lead: v.T("Who was asked to become a partner, and what came of it.")}
	if v.may(identity.PartnerManage) {
		head.Main = ui.Link{Text: v.T("Invite a partner"), Href: v.in("invite-partner")}
		l.empty.Next = head.Main
	}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component {
		return partnersView(partnersPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}

func (v *visit) withdrawPartner() error {
	err := v.Exchange.Withdraw(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect(v.in("partner-invitations") + "?done=invitation-withdrawn")
}

// acceptForm takes an invitation that somebody was given.
func (v *visit) acceptForm() error { return v.showAccept(http.StatusOK, "", v.done()) }

func (v *visit) showAccept(status int, text string, notice ui.Notice) error {
	title := v.T("I was invited")
	return v.show(status, acceptView(acceptPage{
		Frame: v.frame(title), Notice: notice, Action: v.in("accept-partner"), Text: text,
		Head: ui.Head{Crumbs: v.partnerCrumbs(nil), Title: title, Lead: v.T("Give the invitation here. You see who invites you to what, and decide then.")},
	}))
}

// mostTicket is how large an invitation can be as a file.
const mostTicket = 64 << 10

// ticketText is the invitation that a form carries, as a text or as a file.
func (v *visit) ticketText() (string, error) {
	if v.isForm() {
		return v.text("invitation"), nil
	}
	file, _, err := v.upload("file")
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, mostTicket+1))
	if err != nil {
		return "", unreadable(err)
	}
	return string(content), nil
}

// lookAtInvitation shows who invites to what.
func (v *visit) lookAtInvitation() error {
	text, err := v.ticketText()
	if err == nil {
		err = v.showOffered(http.StatusOK, text, "", ui.Notice{})
	}
	return v.ticketRefused(err, text)
}

// ticketRefused shows the form again with what is wrong with an invitation.
func (v *visit) ticketRefused(err error, text string) error {
	var wrong *entente.Error
	if err == nil || !errors.As(err, &wrong) || wrong.Kind == entente.KindInternal || wrong.Kind == entente.KindDenied || v.answer != 0 {
		return err
	}
	return v.showAccept(statusFor(wrong), text, v.wrongNotice(wrong))
}

func (v *visit) showOffered(status int, text, organisation string, notice ui.Notice) error {
	ticket, offer, err := v.Exchange.Look(v.r.Context(), v.actor, text)
	if err != nil {
		return err
	}
	self, err := v.Exchange.Self(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	known, err := v.chainNames()
	if err != nil {
		return err
	}
	if organisation == "" {
		for id, name := range known {
			if name == ticket.Name {
				organisation = id
			}
		}
	}
	title := v.T("%s invites you", ticket.Name)
	p := offeredPage{
		Frame: v.frame(title), Notice: notice, Name: ticket.Name, Words: ticket.Key.Fingerprint(), Until: offer.Expires, Labels: v.labelMeanings(),
		Head:    ui.Head{Crumbs: append(v.partnerCrumbs(nil), ui.Link{Text: v.T("I was invited"), Href: v.in("accept-partner")}), Title: title},
		Terms:   v.offeredTerms(offer, ticket.Party, self.Party()),
		Action:  v.in("accept-partner", "sign"),
		Carried: []ui.Option{{Value: "invitation", Label: text}}, Known: v.knownAsChoice(organisation, known),
		Contact: v.contactFields(entente.Contact{Name: v.who.Person.Name, Email: v.who.Person.Email}, v.T("Whom %s can reach at your side", ticket.Name)),
		Defs:    []ui.Def{{Term: v.T("Node"), View: code(ticket.Address)}, {Term: v.T("The invitation works until"), View: ui.Date(offer.Expires)}},
	}
	return v.show(status, offeredView(p))
}

// offeredTerms says what an invitation proposes, as the one who is invited reads it.
func (v *visit) offeredTerms(o exchange.Offer, inviter, reader entente.PartyID) []term {
	us := entente.AgreementParty{Party: reader, Name: o.Name}
	return v.termsOf(o.Terms.Agreement(entente.AgreementParty{Party: inviter, Name: o.Document.Name}, us), reader)
}

// acceptPartner signs what was offered.
func (v *visit) acceptPartner() error {
	text, organisation := v.text("invitation"), v.text("organisation")
	known, err := v.chainNames()
	if err != nil {
		return err
	}
	var p exchange.Partner
	id, err := organisationIn(known, organisation)
	if err == nil {
		p, err = v.Exchange.Accept(v.r.Context(), v.actor, text, contacts(v.typedContact()), id)
	}
	if err == nil {
		return v.redirect(v.in("partners", string(p.Party)) + "?done=accepted")
	}
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		shown := v.showOffered(statusFor(wrong), text, organisation, v.wrongNotice(wrong))
		if shown == nil {
			return nil
		}
	}
	return v.ticketRefused(err, text)
}
