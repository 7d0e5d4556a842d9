package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/threat"
)

// What the node of part f exchanges: its partners have seats on it, and each says
// some practices, a concern, a threat and what its product is made of.
const (
	pagePartners  = 50
	pagePractices = 20
)

// talk is the exchange of the estate, and the rooms that make something of it.
type talk struct {
	*exchange.Service
	threat   *threat.Service
	carry    *carry.Carrier
	runner   *journal.Runner
	partners []exchange.Partner
}

// exchangeOf opens the exchange of the estate, with partners and something said on both
// sides.
func exchangeOf(ctx context.Context, e *estate) (*talk, error) {
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return nil, err
	}
	t := &talk{Service: exchange.New(e.db, e.identity, exchange.Config{Key: key, Origin: "https://bench.example", Log: slog.New(slog.DiscardHandler)}), threat: threat.New(e.db)}
	t.carry = carry.New(t.Service, e.chain, e.inventory, e.advisory, t.threat)
	jobs := e.advisory.Jobs()
	maps.Copy(jobs, t.Jobs())
	maps.Copy(jobs, t.carry.Jobs())
	t.runner = journal.NewRunner(e.db, slog.New(slog.DiscardHandler), slices.Concat(e.advisory.Consumers(), t.carry.Consumers()), jobs)
	known, err := t.Partners(ctx, system())
	if err != nil {
		return nil, err
	}
	for n := len(known); n < pagePartners; n++ {
		if err := t.partnerUp(ctx, e, n); err != nil {
			return nil, err
		}
	}
	t.partners, err = t.Partners(ctx, system())
	if err != nil {
		return nil, err
	}
	heard, err := t.Inbox(ctx, system(), exchange.InboxQuery{Kind: entente.EntryPractice, Limit: 1})
	if err == nil && len(heard) == 0 {
		err = t.converse(ctx, e)
	}
	return t, err
}

func (t *talk) partnerUp(ctx context.Context, e *estate, n int) error {
	o, err := e.identity.CreateOrganisation(ctx, identity.NewOrganisation{Name: fmt.Sprintf("Partner %d", n), Owner: identity.NewPerson{
		Name: "Owner", Email: fmt.Sprintf("owner-%d@bench.example", n), Password: "a password of the bench",
	}})
	if err != nil {
		return err
	}
	ticket, _, err := t.Invite(ctx, system(), exchange.NewInvitation{Name: o.Name, Terms: exchange.StandardTerms(true, false, time.Now())})
	if err != nil {
		return err
	}
	_, err = t.Accept(ctx, entente.System(o.ID, entente.DoorCommand), ticket.Link(), nil, "")
	return err
}

// converse lets every partner say something, and us to all of them.
func (t *talk) converse(ctx context.Context, e *estate) error {
	all, err := e.identity.Organisations(ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		actor := entente.System(o.ID, entente.DoorCommand)
		for _, n := range thingsToSay() {
			if n.Kind == entente.EntrySBOM {
				if o.ID == org {
					continue // we supply nothing to them
				}
				blob, err := t.PutBlob(ctx, actor, "product.cdx.json", "application/vnd.cyclonedx+json", strings.NewReader(madeOf))
				if err != nil {
					return err
				}
				n.Blobs = []entente.Blob{blob}
			}
			if _, _, err := t.Say(ctx, actor, n); err != nil {
				return err
			}
		}
	}
	for range 2 { // what was said arrives, and the receipts of it
		for _, o := range all {
			if err := t.runner.CatchUp(ctx, o.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	madeOf  = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"}]}`
	warning = `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Poisoned beans","pattern_type":"stix","pattern":"[domain-name:value = 'beans.example']","valid_from":"2026-04-06T20:03:48Z"}`
)

// thingsToSay is what each organisation says to all its partners.
func thingsToSay() []exchange.NewStatement {
	say := func(kind entente.EntryKind, title, body string) exchange.NewStatement {
		return exchange.NewStatement{Kind: kind, Title: title, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: []byte(body), Everyone: true, Basis: "The bench"}
	}
	all := []exchange.NewStatement{
		say(entente.EntryConcern, "Keys", fmt.Sprintf(`{"title":"Keys","text":"Who holds them?","answer_by":%q}`, time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339))),
		say(entente.EntryThreat, "Poisoned beans", warning),
		say(entente.EntrySBOM, "What the product is made of", `{"product":"Roaster"}`),
	}
	for i := range pagePractices {
		all = append(all, say(entente.EntryPractice, fmt.Sprintf("Practice %d", i), fmt.Sprintf(`{"title":"Practice %d","text":"Two people sign."}`, i)))
	}
	return all
}

// examples are the partners and what was said, for the wildcards of the routes.
func (t *talk) examples(ctx context.Context) (map[string][]string, error) {
	found := map[string][]string{}
	for _, p := range t.partners {
		found["/o/{org}/partners/"] = append(found["/o/{org}/partners/"], string(p.Party))
	}
	for path, q := range map[string]exchange.InboxQuery{
		"/o/{org}/inbox/": {Kind: entente.EntryPractice}, "/o/{org}/concerns/": {Kind: entente.EntryConcern}, "/o/{org}/inbox/{id}/file": {Kind: entente.EntrySBOM},
	} {
		q.Limit = pageExamples
		entries, err := t.Inbox(ctx, system(), q)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			found[path] = append(found[path], exchange.EntryRef{Party: e.Party, Number: e.Number}.String())
			for _, b := range e.Blobs {
				found["?"+path] = append(found["?"+path], "?sha256="+b.Hash.String())
			}
		}
	}
	said, _, _, err := t.Ledger(ctx, system(), exchange.LedgerQuery{Kind: entente.EntryPractice, Limit: pageExamples})
	if err != nil {
		return nil, err
	}
	for _, s := range said {
		found["/o/{org}/ledger/"] = append(found["/o/{org}/ledger/"], s.ID)
	}
	threats, err := t.threat.List(ctx, system())
	if err != nil {
		return nil, err
	}
	for _, s := range threats {
		found["/o/{org}/threats/"] = append(found["/o/{org}/threats/"], fmt.Sprintf("%s.%d.%s", s.Party, s.Number, s.ID))
	}
	return found, nil
}
