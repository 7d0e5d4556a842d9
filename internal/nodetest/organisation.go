package nodetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

// Organisation declares an organisation of a story. On its node it has an owner, a
// security lead (lead), somebody in procurement (buyer) and an auditor, whose mail
// addresses are role@name.example.
//
// Its verbs, in stories:
//
//	X invites Y supplier|customer|both [known-as ID]     keeps the link for Y
//	X accepts Y [known-as ID] [link-of Z]                the link that Y made for X, or for Z
//	X takes-seat Y                                       opens Y's link in a browser, as a guest
//	X compares Y                                         the words that both sides see over the API
//	X imports FILE                                       a map, as its chain
//	X says|previews KIND FILE as LABEL to Y,Z|all|nobody [for MAIL,…] [with FILE] [because GROUND]
//	X passes SUBJECT of Y to Z                           what Y said, marked as it is
//	X sees SUBJECT of Y                                  prints the entry, as this person may see it
//	X knows ADVISORY                                     prints whom it hits
//	X holds TEXT                                         anywhere in what the organisation keeps
//	X reads|acknowledges SUBJECT of Y
//	X ledger SUBJECT                                     prints who got it, who did not, and why
//	X recalls SUBJECT because WHY
//	X narrows SUBJECT as LABEL because WHY
//	X embargoes SUBJECT with Y propose|accept|refuse|release [for DURATION]
//	X ends Y because WHY
//	X partner Y                                          prints the partnership
//	X contradictions Y                                   prints them
//	X regains Y                                          what X said to Y, and lost with its data
//	X asks Y                                             for what it has said
//	X writes FILE for Y, X takes FILE                    exchange by file
//	X moves-out FILE, X moves-in FILE, X stays           a seat
//
// A SUBJECT is that of the entry, or the kind and the file by which it was said:
// practice/hint.
type Organisation struct {
	// Name is how stories call it, and its identifier.
	Name string
	// Title is what people call it.
	Title string
	// Guest organisations are not there at the beginning: they take a seat.
	Guest bool

	ID entente.OrgID

	world   *World
	node    *Node
	tickets map[string]exchange.Ticket // by whom they are for
	tokens  map[string]string          // of the API, by role
}

// password is everybody's.
const password = "seven quiet beans in autumn"

// roles are the people of an organisation beside its owner.
var roles = map[string]entente.Role{"lead": entente.RoleSecurityLead, "buyer": entente.RoleProcurement, "auditor": entente.RoleAuditor}

func (o *Organisation) mail(person string) string { return person + "@" + o.Name + ".example" }

func (o *Organisation) system() entente.Actor { return entente.System(o.ID, entente.DoorCommand) }

// found sets the organisation up with its people.
func (o *Organisation) found() error {
	ctx := context.Background()
	made, err := o.node.Identity.CreateOrganisation(ctx, identity.NewOrganisation{
		ID: entente.OrgID(o.Name), Name: o.Title, Owner: identity.NewPerson{Name: "Owner of " + o.Title, Email: o.mail("owner"), Password: password},
	})
	if err != nil {
		return err
	}
	o.ID = made.ID
	for person, role := range roles {
		_, err := o.node.Identity.AddMember(ctx, o.system(), identity.NewMember{NewPerson: identity.NewPerson{Name: person + " of " + o.Title, Email: o.mail(person), Password: password}, Role: role})
		if err != nil {
			return err
		}
	}
	return nil
}

// as gives one of its people.
func (o *Organisation) as(ctx context.Context, person string) (entente.Actor, error) {
	if o.ID == "" || o.node.Node == nil {
		return entente.Actor{}, fmt.Errorf("%s is not there: it has no seat, or its node is stopped", o.Name)
	}
	members, err := o.node.Identity.Members(ctx, o.system())
	if err != nil {
		return entente.Actor{}, err
	}
	for _, m := range members {
		if m.Person.Email == o.mail(person) {
			return o.node.Identity.Actor(ctx, m.Person.ID, o.ID, entente.DoorPage)
		}
	}
	return entente.Actor{}, fmt.Errorf("%s has nobody called %s", o.Name, person)
}

// self is the organisation as others know it.
func (o *Organisation) self(ctx context.Context) (exchange.Self, error) {
	return o.node.Exchange.Self(ctx, o.system())
}

// party is its name among all nodes, as far as o knows it.
func (o *Organisation) party(ctx context.Context, name string) (entente.PartyID, error) {
	other := o.world.where[name]
	if other == nil {
		return "", fmt.Errorf("nobody is called %s", name)
	}
	if other.node.Node != nil && other.ID != "" {
		self, err := other.self(ctx)
		return self.Party(), err
	}
	// Its node is away; its partners know it.
	all, err := o.node.Exchange.Partners(ctx, o.system())
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.Name == other.Title {
			return p.Party, nil
		}
	}
	return "", fmt.Errorf("%s does not know %s", o.Name, name)
}

// ask sends a request to the API of the organisation's node, as one of its people. What
// it sends is JSON, or a file as it is.
func (o *Organisation) ask(ctx context.Context, person, method, path string, body any) ([]byte, error) {
	actor, err := o.as(ctx, person)
	if err != nil {
		return nil, err
	}
	key := o.node.Name + " " + person
	if o.tokens[key] == "" {
		text, _, err := o.node.Identity.CreateToken(ctx, actor, identity.NewToken{Name: "story", Verbs: identity.TokenVerbs(actor)})
		if err != nil {
			return nil, err
		}
		if o.tokens == nil {
			o.tokens = map[string]string{}
		}
		o.tokens[key] = text
	}
	content, media := []byte(nil), "application/json"
	switch body := body.(type) {
	case nil:
	case file:
		content, media = body.content, body.media
	default:
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+o.node.Addr().String()+"/api/v1"+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Authorization", "Bearer "+o.tokens[key])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(answer.Body)
	err = errors.Join(err, answer.Body.Close())
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, text)
		if answer.StatusCode < 500 {
			err = refusal{err}
		}
	}
	return text, err
}

// file is sent as it is.
type file struct {
	media   string
	content []byte
}

// takeSeat opens a link on the inviter's node as a browser does, and takes the seat.
func (o *Organisation) takeSeat(ctx context.Context, from *Organisation) error {
	ticket, ok := from.tickets[o.Name]
	if !ok {
		return fmt.Errorf("%s has not invited %s", from.Name, o.Name)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar, Timeout: settleTime}
	address, _, _ := strings.Cut(ticket.Link(), "#") // browsers keep the rest to themselves
	page, err := browser.Get(address)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(page.Body)
	if err := errors.Join(err, page.Body.Close()); err != nil {
		return err
	}
	if page.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(from.Title)) {
		return refusal{fmt.Errorf("the page of the invitation: %s", page.Status)}
	}
	form := url.Values{"organisation": {o.Title}, "name": {"Owner of " + o.Title}, "email": {o.mail("owner")}, "password": {password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := browser.Do(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	_, rest, seated := strings.Cut(answer.Request.URL.Path, "/o/")
	if answer.StatusCode != http.StatusOK || !seated || !strings.Contains(rest, "/partners/") {
		return refusal{fmt.Errorf("the seat was answered with %s at %s", answer.Status, answer.Request.URL)}
	}
	name, _, _ := strings.Cut(rest, "/")
	o.ID, o.node = entente.OrgID(name), from.node
	return nil
}

// holds says whether a text stands anywhere in what the organisation keeps of others
// and of itself: entries, files, advisories, its journal.
func (o *Organisation) holds(ctx context.Context, text string) (bool, error) {
	found := false
	look := func(row db.Scanner) error {
		var content []byte
		if err := row.Scan(&content); err != nil {
			return err
		}
		var signed entente.Envelope
		if json.Unmarshal(content, &signed) == nil && len(signed.Payload) > 0 {
			content = signed.Payload
		}
		found = found || bytes.Contains(content, []byte(text))
		return nil
	}
	err := o.node.DB.Read(ctx, func(tx *db.Tx) error {
		return errors.Join(
			db.Each(ctx, tx, "SELECT envelope FROM exchange_entry WHERE org = $1 AND envelope IS NOT NULL", look, o.ID),
			db.Each(ctx, tx, "SELECT envelope FROM exchange_fork WHERE org = $1", look, o.ID),
			db.Each(ctx, tx, "SELECT bytes FROM exchange_blob_part WHERE org = $1", look, o.ID),
			db.Each(ctx, tx, "SELECT body FROM exchange_statement WHERE org = $1", look, o.ID),
			db.Each(ctx, tx, "SELECT body FROM advisory_body WHERE org = $1", look, o.ID),
			db.Each(ctx, tx, "SELECT body FROM journal_event WHERE org = $1", look, o.ID),
		)
	})
	return found, err
}
