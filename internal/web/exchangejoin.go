package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// joinFile is where the invitation of a link is to be had as a file.
const joinFile = "/invitation.json"

func joinRoutes() []Route {
	return []Route{
		page(exchange.JoinPath+"{party}/{secret}", "", (*visit).join).through(Open),
		page(exchange.JoinPath+"{party}/{secret}"+joinFile, "", (*visit).joinFile).through(Open),
		act(exchange.JoinPath+"{party}/{secret}", "", (*visit).takeSeat).through(Open),
	}
}

// joinAddress is where a browser opens an invitation.
func joinAddress(t exchange.Ticket) string {
	return exchange.JoinPath + url.PathEscape(string(t.Party)) + "/" + url.PathEscape(t.Secret)
}

// opened is the invitation whose link the visitor opened.
func (v *visit) opened() (exchange.Ticket, exchange.Offer, error) {
	return v.Exchange.Shown(v.r.Context(), entente.PartyID(v.r.PathValue("party")), v.r.PathValue("secret"))
}

// join shows an invitation to whoever opened its link in a browser.
func (v *visit) join() error { return v.showJoin(http.StatusOK, seatForm{}) }

// seatForm is what somebody typed to take a seat.
type seatForm struct {
	Notice                    ui.Notice
	Organisation, Name, Email string
}

func (v *visit) showJoin(status int, f seatForm) error {
	ticket, offer, err := v.opened()
	if err != nil {
		return err
	}
	p := joinPage{
		seatForm: f, Inviter: ticket.Name, Link: ticket.Link(), File: joinAddress(ticket) + joinFile, Action: joinAddress(ticket), Until: offer.Expires,
		Words: ticket.Key.Fingerprint(), Terms: v.offeredTerms(offer, ticket.Party, "you"), Labels: v.labelMeanings(), Shortest: identity.MinPassword,
		SignIn: "/sign-in?" + url.Values{"next": {joinAddress(ticket)}}.Encode(),
	}
	p.Trade = v.T("%s would like to be supplied by you, and to tell each other what both must know.", ticket.Name)
	switch {
	case offer.Terms.Buys && offer.Terms.Supplies:
		p.Trade = v.T("%s and you supply each other, and would tell each other what both must know.", ticket.Name)
	case offer.Terms.Supplies:
		p.Trade = v.T("%s supplies you, and would like to tell each other what both must know.", ticket.Name)
	}
	if p.Organisation == "" && f.Notice.Text == "" {
		p.Organisation = offer.Name
	}
	if v.signedIn() {
		p.Person = v.who.Person.Name
		for _, m := range v.who.Memberships {
			actor, err := v.who.Actor(m.Org, entente.DoorPage)
			if err != nil || m.OrgName == ticket.Name {
				continue
			}
			if may, _ := identity.Can(actor, identity.PartnerManage, identity.In(m.Org)); may {
				p.Own = append(p.Own, ui.Link{Text: v.T("Accept it for %s", m.OrgName), Href: pathIn(m.Org, "accept-partner")})
			}
		}
	}
	return v.show(status, joinView(p))
}

// joinFile gives the invitation as a file, to be accepted on another node.
func (v *visit) joinFile() error {
	ticket, _, err := v.opened()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(ticket, "", "  ")
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="entente-invitation-`+entente.Slug(ticket.Name)+`.json"`)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	v.answer = http.StatusOK
	_, _ = v.w.Write(text) // the reader has gone; there is nobody to tell
	return nil
}

// takeSeat sets up an organisation of its own for whoever was invited, accepts the
// invitation for it, and signs them in.
func (v *visit) takeSeat() error {
	ctx := v.r.Context()
	ticket, _, err := v.opened()
	if err != nil {
		return err
	}
	f := seatForm{Organisation: v.text("organisation"), Name: v.text("name"), Email: v.text("email")}
	o, err := v.foundSeat(f)
	var wrong *entente.Error
	switch {
	case err == nil:
	case errors.As(err, &wrong) && wrong.Kind != entente.KindInternal:
		f.Notice = v.wrongNotice(wrong)
		status, _ := v.refusal(wrong)
		return v.showJoin(status, f)
	default:
		return err
	}
	actor, err := v.Identity.Actor(ctx, v.who.Person.ID, o.ID, entente.DoorPage)
	if err != nil {
		return err
	}
	p, err := v.Exchange.Accept(ctx, actor, ticket.Link(), contacts(entente.Contact{Name: v.who.Person.Name, Email: v.who.Person.Email}), "")
	switch {
	case err == nil:
		return v.redirect(pathIn(o.ID, "partners", string(p.Party)) + "?done=seat")
	case errors.As(err, &wrong) && wrong.Kind != entente.KindInternal:
		// Somebody else was faster, or the terms were changed: the organisation stands, and can try again.
		return v.redirect(pathIn(o.ID, "accept-partner") + "?done=seat-alone")
	}
	return err
}

// foundSeat sets up the organisation: of the person who is signed in, or of a new one
// who is then.
func (v *visit) foundSeat(f seatForm) (identity.Organisation, error) {
	if v.signedIn() {
		return v.Identity.Found(v.r.Context(), f.Organisation, *v.who, v.client())
	}
	token, session, o, err := v.Identity.FoundAsNew(v.r.Context(), identity.NewOrganisation{
		Name: f.Organisation, Owner: identity.NewPerson{Name: f.Name, Email: f.Email, Password: v.r.PostFormValue("password")},
	}, v.client())
	if err == nil {
		v.remember(token, session)
		v.who = &session
	}
	return o, err
}
