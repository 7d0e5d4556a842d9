package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func seatRoutes() []Route {
	return []Route{
		page("/o/{org}/move", identity.PartnerRead, (*visit).seat),
		act("/o/{org}/move", identity.PartnerManage, (*visit).moveOut).within(limits{body: pageLimits.body, time: exchangeFileLimits.time}),
		page("/o/{org}/move/stay", identity.PartnerManage, (*visit).askStay),
		act("/o/{org}/move/stay", identity.PartnerManage, (*visit).stay),
		page("/o/{org}/bring-seat", identity.PartnerManage, (*visit).bringSeat),
		act("/o/{org}/bring-seat", identity.PartnerManage, (*visit).moveIn).within(exchangeFileLimits),
		page("/o/{org}/contacts", identity.PartnerRead, (*visit).contacts),
		act("/o/{org}/contacts", identity.PartnerManage, (*visit).setContacts),
	}
}

// seatPage is how an organisation moves to another node.
type seatPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Name     string
	Holds    []ui.Def
	Moved    time.Time // zero: it is here
	Action   string    // "" for those who may not
	Stay     string
	Again    string // the heading over the form
	Map      string
	Shortest int
}

// bringPage brings a seat from another node.
type bringPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Name     string
	Action   string
	Partners string // "" where a seat can be brought
	Limit    string
}

// seat explains a move to another node, and where one stands.
func (v *visit) seat() error { return v.showSeat(http.StatusOK, v.done()) }

func (v *visit) showSeat(status int, notice ui.Notice) error {
	h, err := v.Exchange.Holding(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	title := v.T("Move to a node of your own")
	p := seatPage{
		Frame: v.frame(title), Notice: notice, Name: v.org.Name, Moved: h.Moved, Map: v.in("map"), Shortest: exchange.MinPassphrase,
		Head: ui.Head{Title: title, Lead: v.T("Take the key of %s, its partnerships and all that was said along. Your partners are told by a signed entry, and go on as before.", v.org.Name)},
		Holds: []ui.Def{
			{Term: v.T("Partnerships"), Text: v.N(h.Partners, "%d, with its agreements and keys", "%d, with their agreements and keys")}, {Term: v.T("Entries that you said"), Text: v.reader().Count(h.Said)},
			{Term: v.T("Entries that you were told"), Text: v.reader().Count(h.Heard)}, {Term: v.T("In the ledger"), Text: v.N(h.Statements, "%d statement", "%d statements")},
			{Term: v.T("Files"), Text: v.reader().Bytes(h.Bytes)}, {Term: v.T("Your keys"), Text: v.T("all of them, sealed by the passphrase")},
		},
	}
	if v.may(identity.PartnerManage) {
		p.Action, p.Stay, p.Again = v.in("move"), v.in("move", "stay"), v.T("Write the file")
		if !h.Moved.IsZero() {
			p.Again = v.T("Write the file again")
		}
	}
	return v.show(status, seatView(p))
}

// moveOut writes the seat into a file, and closes it here.
func (v *visit) moveOut() error {
	passphrase := v.r.PostFormValue("passphrase")
	var err error
	if passphrase != v.r.PostFormValue("again") {
		err = entente.Invalid("the passphrase is not the same both times")
	} else {
		h := v.w.Header()
		h.Set("Content-Type", "application/jsonl")
		h.Set("Content-Disposition", `attachment; filename="entente-seat-`+entente.Slug(v.org.Name)+`.jsonl"`)
		err = v.Exchange.MoveOut(v.r.Context(), v.actor, passphrase, &firstByte{v})
	}
	var wrong *entente.Error
	if err == nil || v.answer != 0 || !asInvalid(err, &wrong) {
		return err
	}
	v.w.Header().Del("Content-Disposition")
	return v.showSeat(statusFor(wrong), v.wrongNotice(wrong))
}

// askStay asks whether a seat that was written into a file is to stay here after all.
func (v *visit) askStay() error {
	return v.ask([]ui.Link{{Text: v.T("Move to a node of your own"), Href: v.in("move")}}, ui.Ask{
		Title: v.T("Stay on this node?"), Yes: v.T("Stay here"), Action: v.in("move", "stay"), Back: v.in("move"),
		Text: v.T("Only if the file was opened nowhere: two nodes that speak for one organisation contradict each other, and your partners then take nothing from either. Delete the file before you go on."),
	})
}

func (v *visit) stay() error {
	err := v.Exchange.Stay(v.r.Context(), v.actor)
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		return v.showSeat(statusFor(wrong), v.wrongNotice(wrong))
	}
	if err != nil {
		return err
	}
	return v.redirect(v.in("move") + "?done=stays")
}

// bringSeat takes a seat from another node.
func (v *visit) bringSeat() error { return v.showBring(http.StatusOK, v.done()) }

func (v *visit) showBring(status int, notice ui.Notice) error {
	partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	title := v.T("Bring a seat with you")
	p := bringPage{
		Frame: v.frame(title), Notice: notice, Name: v.org.Name, Action: v.in("bring-seat"), Limit: v.reader().Bytes(exchange.MaxFile),
		Head: ui.Head{Crumbs: v.partnerCrumbs(nil), Title: title, Lead: v.T("You had a seat on the node of a partner, and move to this one. Its key, partnerships and history come along.")},
	}
	if len(partners) > 0 {
		p.Partners = v.T("%s has partners of its own already, so no seat can be opened in it. A seat needs an organisation without partners.", v.org.Name)
	}
	return v.show(status, bringView(p))
}

// moveIn opens a seat from its file.
func (v *visit) moveIn() error {
	err := v.readSeat()
	if err == nil {
		return v.redirect(v.in("partners") + "?done=moved-in")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showBring(statusFor(wrong), v.wrongNotice(wrong))
}

// readSeat reads the form as it arrives: first the passphrase, then the file.
func (v *visit) readSeat() error {
	form, err := v.r.MultipartReader()
	if err != nil {
		return errNoFile
	}
	passphrase := ""
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return errNoFile
		case err != nil:
			return unreadable(err)
		case part.FormName() == "passphrase":
			text, err := io.ReadAll(io.LimitReader(part, 4096))
			if err != nil {
				return unreadable(err)
			}
			passphrase = string(text)
		case part.FormName() == "seat" && part.FileName() != "":
			return v.Exchange.MoveIn(v.r.Context(), v.actor, passphrase, part)
		}
	}
}

// contactsPage is whom partners can reach at our side.
type contactsPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Rows   []contactForm
	Action string
	List   []ui.Contact
	Told   string
}

// spareContacts is how many empty contacts the form offers.
const spareContacts = 2

func (v *visit) contacts() error {
	self, err := v.Exchange.Self(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	return v.showContacts(http.StatusOK, self.Contacts, v.done())
}

func (v *visit) showContacts(status int, list []entente.Contact, notice ui.Notice) error {
	partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	told := 0
	for _, p := range partners {
		if p.State == exchange.Active {
			told++
		}
	}
	title := v.T("Contacts for partners")
	p := contactsPage{
		Frame: v.frame(title), Notice: notice, List: reachable(list), Told: v.N(told, "%d partner is told at once.", "%d partners are told at once."),
		Head: ui.Head{Crumbs: v.partnerCrumbs(nil), Title: title, Lead: v.T("Whom your partners can reach at your side. Until you say so here, each knows whom you named when you became partners.")},
	}
	if v.may(identity.PartnerManage) {
		p.Action = v.in("contacts")
		spare := max(min(spareContacts, entente.MaxContacts-len(list)), 0)
		for i, c := range append(list[:len(list):len(list)], make([]entente.Contact, spare)...) {
			title := v.T("Contact %d", i+1)
			if c == (entente.Contact{}) {
				title = v.T("One more")
			}
			p.Rows = append(p.Rows, v.contactRow(c, i, title))
		}
	}
	return v.show(status, contactsView(p))
}

func (v *visit) contactRow(c entente.Contact, i int, title string) contactForm {
	at := entente.Say("-%d", i).String()
	return contactForm{Title: title, Fields: []ui.Field{
		{Name: "name" + at, Label: v.T("Name, of a person or a desk"), Value: c.Name, MaxLength: 120}, {Name: "role" + at, Label: v.T("What for"), Value: c.Role, MaxLength: 120},
		{Name: "email" + at, Label: v.T("E-mail address"), Type: "email", Value: c.Email, MaxLength: 200}, {Name: "phone" + at, Label: v.T("Telephone"), Type: "tel", Value: c.Phone, MaxLength: 60},
	}}
}

func (v *visit) setContacts() error {
	if err := v.r.ParseForm(); err != nil {
		return unreadable(err)
	}
	var list []entente.Contact
	for i := range entente.MaxContacts + 1 {
		at := entente.Say("-%d", i).String()
		if c := (entente.Contact{Name: v.text("name" + at), Role: v.text("role" + at), Email: v.text("email" + at), Phone: v.text("phone" + at)}); c != (entente.Contact{}) {
			list = append(list, c)
		}
	}
	err := v.Exchange.SetContacts(v.r.Context(), v.actor, list)
	if err == nil {
		return v.redirect(v.in("contacts") + "?done=contacts-told")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showContacts(statusFor(wrong), list, v.wrongNotice(wrong))
}

// inviteLink leads from a supplier to an invitation that names it, or to the
// partnership that there is.
func (v *visit) inviteLink(id, name string, supplies, buys bool) (ui.Link, error) {
	if !v.may(identity.PartnerRead) {
		return ui.Link{}, nil
	}
	partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return ui.Link{}, err
	}
	for _, p := range partners {
		if p.KnownAs == id && p.State == exchange.Active {
			return ui.Link{Text: v.T("Partnership"), Href: v.in("partners", string(p.Party))}, nil
		}
	}
	if !v.may(identity.PartnerManage) {
		return ui.Link{}, nil
	}
	asked := url.Values{"name": {strings.TrimSpace(name)}, "organisation": {id}}
	switch {
	case supplies && buys:
		asked.Set("trade", tradeBoth)
	case supplies:
		asked.Set("trade", tradeSupplies)
	case buys:
		asked.Set("trade", tradeBuys)
	}
	return ui.Link{Text: v.T("Invite as partner"), Href: v.in("invite-partner") + "?" + asked.Encode()}, nil
}
