package web

import (
	"slices"

	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/journal"
)

// newsItem is one sentence of the bar on an open page, and where it leads; without an
// address it leads to the page itself, as it is now.
type newsItem struct {
	Text string `json:"text"`
	Show string `json:"show"` // the words of the link
	Href string `json:"href,omitempty"`
}

// newsOf says what of the events is worth a sentence: advisories that hit, and what
// somebody else changed.
func (v *visit) newsOf(events []journal.Event) ([]newsItem, error) {
	items := []newsItem{}
	var hits []string // advisories, in the order of their arrival
	brought := map[chain.NodeID][]string{}
	var products []chain.NodeID
	fresh := false
	var editor string
	edits := 0
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case advisory.EventRecorded:
			var body advisory.Recorded
			if e.Decode(&body) == nil {
				fresh = fresh || body.New > 0
			}
		case advisory.EventMatched:
			var body advisory.Matched
			if e.Decode(&body) != nil {
				continue
			}
			for _, a := range body.Advisories {
				switch product := chain.NodeID(e.Subject); {
				case a.Affected == 0:
				case product == "":
					if !slices.Contains(hits, a.ID) {
						hits = append(hits, a.ID)
					}
				default:
					if !slices.Contains(products, product) {
						products = append(products, product)
					}
					if !slices.Contains(brought[product], a.ID) {
						brought[product] = append(brought[product], a.ID)
					}
				}
			}
		case chain.EventChanged, chain.EventImported:
			if !v.ofVisitor(e) {
				editor = e.Actor
				edits++
			}
		}
	}
	arrived, err := v.arrivals(hits, fresh)
	if err != nil {
		return nil, err
	}
	items = append(items, arrived...)
	if len(products) > 0 {
		documents, err := v.broughtBy(products, brought)
		if err != nil {
			return nil, err
		}
		items = append(items, documents...)
	}
	if edits > 0 {
		items = append(items, newsItem{Text: v.T("%s changed the chain.", editor), Show: v.T("Show")})
	}
	return items, nil
}

// arrivals tells advisories that hit: the one by its name, several by their number.
func (v *visit) arrivals(ids []string, fresh bool) ([]newsItem, error) {
	var standing []advisory.Listed
	for _, id := range ids[:min(len(ids), 20)] {
		found, _, err := v.Advisory.Find(v.r.Context(), v.actor, id, 1, false)
		if err != nil {
			return nil, err
		}
		if len(found) == 1 && found[0].ID == id && found[0].Products > 0 {
			standing = append(standing, found[0])
		}
	}
	switch {
	case len(standing) == 0:
		return nil, nil
	case len(standing) == 1 && len(ids) == 1:
		a := &standing[0]
		text := v.N(a.Products, "The advisory %s changed and hits %d product.", "The advisory %s changed and hits %d products.", a.ID, a.Products)
		if fresh {
			text = v.N(a.Products, "New: the advisory %s arrived and hits %d product.", "New: the advisory %s arrived and hits %d products.", a.ID, a.Products)
		}
		return []newsItem{{Text: text, Show: v.T("Show"), Href: v.advisoryPath(a.ID)}}, nil
	}
	text := v.N(len(ids), "%d advisory that hits you changed.", "%d advisories that hit you changed.")
	if fresh {
		text = v.N(len(ids), "New: %d advisory arrived that hits you.", "New: %d advisories arrived that hit you.")
	}
	return []newsItem{{Text: text, Show: v.T("Show"), Href: v.in("advisories")}}, nil
}

// broughtBy tells what documents brought to light.
func (v *visit) broughtBy(products []chain.NodeID, hits map[chain.NodeID][]string) ([]newsItem, error) {
	p, err := v.picture()
	if err != nil {
		return nil, err
	}
	if len(products) > 3 {
		return []newsItem{{
			Text: v.N(len(products), "Documents of %d product were compared with the advisories.", "Documents of %d products were compared with the advisories."),
			Show: v.T("Show"), Href: v.in("advisories"),
		}}, nil
	}
	var items []newsItem
	for _, id := range products {
		n := len(hits[id])
		items = append(items, newsItem{
			Text: v.N(n, "A document of %s was compared: %d advisory hits it.", "A document of %s was compared: %d advisories hit it.", p.name(id), n),
			Show: v.T("Show"), Href: v.in("products", string(id)),
		})
	}
	return items, nil
}
