package carry

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/threat"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is the rooms that a carrier joins, with two organisations that are partners.
type node struct {
	now             func() time.Time
	t               *testing.T
	d               *db.DB
	exchange        *exchange.Service
	chain           *chain.Service
	inventory       *inventory.Service
	advisory        *advisory.Service
	runner          *journal.Runner
	carrier         *Carrier
	buyer, supplier entente.Actor
	from, to        entente.PartyID // the supplier and the buyer
}

const chainOfBuyer = `
format: entente.map/1
organisation: beanline
currency: EUR
organisations:
  - {id: beanline, name: Beanline}
  - {id: rosthof, name: Rösthof}
products:
  - {id: roaster, name: Roaster 3, supplier: rosthof}
`

func newNode(t *testing.T, d *db.DB) *node {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	ok(t, err)
	people, err := identity.New(t.Context(), d, identity.Config{Key: key, Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: quiet})
	ok(t, err)
	n := &node{t: t, d: d, now: time.Now, chain: chain.New(d), inventory: inventory.New(d, inventory.Options{})}
	n.chain.NameWith(func(ctx context.Context, actor entente.Actor) (string, error) {
		o, err := people.Organisation(ctx, actor)
		return o.Name, err
	})
	n.advisory = advisory.New(d, n.chain, advisory.Options{})
	n.exchange = exchange.New(d, people, exchange.Config{Key: key, Origin: "https://entente.example", Log: quiet, Now: func() time.Time { return n.now() }})
	c := New(n.exchange, n.chain, n.inventory, n.advisory, threat.New(d))
	n.carrier = c
	jobs := n.advisory.Jobs()
	maps.Copy(jobs, n.exchange.Jobs())
	maps.Copy(jobs, c.Jobs())
	n.runner = journal.NewRunner(d, quiet, slices.Concat(n.advisory.Consumers(), c.Consumers()), jobs)
	for _, name := range []string{"Beanline", "Rosthof"} {
		o, err := people.CreateOrganisation(t.Context(), identity.NewOrganisation{Name: name, Owner: identity.NewPerson{Name: name, Email: strings.ToLower(name) + "@example.com", Password: "seven quiet beans in autumn"}})
		ok(t, err)
		members, err := people.Members(t.Context(), entente.System(o.ID, entente.DoorCommand))
		ok(t, err)
		actor, err := people.Actor(t.Context(), members[0].Person.ID, o.ID, entente.DoorPage)
		ok(t, err)
		if name == "Beanline" {
			n.buyer = actor
		} else {
			n.supplier = actor
		}
	}
	m, err := chain.ParseMap(strings.NewReader(chainOfBuyer), "map.yaml")
	ok(t, err)
	_, err = n.chain.Import(t.Context(), n.buyer, m)
	ok(t, err)
	self, err := n.exchange.Self(t.Context(), n.buyer)
	ok(t, err)
	n.to = self.Party()
	ticket, _, err := n.exchange.Invite(t.Context(), n.buyer, exchange.NewInvitation{Name: "Rösthof", KnownAs: "rosthof", Terms: exchange.StandardTerms(true, false, self.Document.Since)})
	ok(t, err)
	_, err = n.exchange.Accept(t.Context(), n.supplier, ticket.Link(), nil, "")
	ok(t, err)
	self, err = n.exchange.Self(t.Context(), n.supplier)
	ok(t, err)
	n.from = self.Party()
	return n
}

// says lets the supplier say something to the buyer, and gives the entry as the buyer
// has it when all is done.
func (n *node) says(s exchange.NewStatement) exchange.Received {
	n.t.Helper()
	s.Title, s.To = "Something", []entente.PartyID{n.to}
	_, lines, err := n.exchange.Say(n.t.Context(), n.supplier, s)
	ok(n.t, err)
	for range 3 {
		ok(n.t, n.runner.CatchUp(n.t.Context(), n.supplier.Org))
		ok(n.t, n.runner.CatchUp(n.t.Context(), n.buyer.Org))
	}
	e, err := n.exchange.Entry(n.t.Context(), n.buyer, n.from, lines[0].Number)
	ok(n.t, err)
	return e
}

const osvRecord = `{"schema_version":"1.6.0","id":"%s","modified":"2026-01-02T00:00:00Z","summary":"The roaster starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`

func TestAdvisoryOfAPartner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		advise := func(id string, tlp entente.TLP, people ...string) exchange.Received {
			return n.says(exchange.NewStatement{Kind: entente.EntryAdvisory, Marking: entente.Marking{TLP: tlp, People: people, Audience: audience(tlp, n.to)}, Body: json.RawMessage(strings.Replace(osvRecord, "%s", id, 1))})
		}
		e := advise("ROST-2026-1", entente.TLPAmber)
		if e.Outcome != exchange.OutcomeTaken {
			t.Fatalf("it was not taken: %s", e.OutcomeWhy)
		}
		known, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-1")
		ok(t, err)
		if len(known.Records) != 1 || !strings.HasPrefix(known.Records[0].Source, "Rosthof (ent1") {
			t.Errorf("recorded as %+v", known.Records)
		}
		// What another source says is not the partner's to change.
		_, err = n.advisory.Ingest(t.Context(), n.buyer, advisory.FromReader(strings.NewReader(strings.Replace(osvRecord, "%s", "GHSA-aaaa-bbbb-cccc", 1)), "database.json"), advisory.IngestOptions{})
		ok(t, err)
		if e := advise("GHSA-aaaa-bbbb-cccc", entente.TLPAmber); e.Outcome != exchange.OutcomeRefused || !strings.Contains(e.OutcomeWhy.String(), "database.json") {
			t.Errorf("another source's advisory: %s %s", e.Outcome, e.OutcomeWhy)
		}
		if e := n.says(exchange.NewStatement{Kind: entente.EntryAdvisory, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"hello":1}`)}); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("what is no advisory: %+v", e)
		}
		// What is for one person by name goes into no room.
		if e := advise("ROST-2026-2", entente.TLPRed, "beanline@example.com"); e.Outcome != "" || e.Hidden {
			t.Errorf("TLP:RED: %s, hidden from whom it is for: %v", e.Outcome, e.Hidden)
		}
		if _, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-2"); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("TLP:RED went into a room: %v", err)
		}
	})
}

func audience(tlp entente.TLP, to entente.PartyID) []entente.PartyID {
	if tlp == entente.TLPRed {
		return []entente.PartyID{to}
	}
	return nil
}

func TestSBOMOfAPartner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		document := `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"}]}`
		blob, err := n.exchange.PutBlob(t.Context(), n.supplier, "roaster.cdx.json", "application/vnd.cyclonedx+json", strings.NewReader(document))
		ok(t, err)
		bring := func(product string, blobs ...entente.Blob) exchange.Received {
			body, err := json.Marshal(entente.SBOM{Product: product})
			ok(t, err)
			return n.says(exchange.NewStatement{Kind: entente.EntrySBOM, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: body, Blobs: blobs})
		}
		if e := bring("Roaster 3", blob); e.Outcome != exchange.OutcomeTaken {
			t.Fatalf("it was not taken: %s %s", e.Outcome, e.OutcomeWhy)
		}
		documents, err := n.inventory.Documents(t.Context(), n.buyer, "roaster")
		ok(t, err)
		if len(documents) != 1 || documents[0].File != "roaster.cdx.json" {
			t.Errorf("recorded: %+v", documents)
		}
		if e := bring("Grinder", blob); e.Outcome != exchange.OutcomeRefused || !strings.Contains(e.OutcomeWhy.String(), "Grinder") {
			t.Errorf("of a product that nobody knows: %s %s", e.Outcome, e.OutcomeWhy)
		}
		if e := bring("Roaster 3"); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("without a document: %s", e.Outcome)
		}
		ok(t, n.exchange.SetKnownAs(t.Context(), n.buyer, n.from, ""))
		if e := bring("Roaster 3", blob); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("of a partner that is nobody in the chain: %s", e.Outcome)
		}
	})
}

// A file whose bytes are not those of which the entry gives the SHA-256 is refused: no
// room gets it, and it does not stay. The right bytes are taken later.
func TestSBOMOfOtherBytes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		document := []byte(affectedSBOM)
		forged := bytes.Replace(document, []byte("1.0.0"), []byte("9.9.9"), 2)
		blob, err := n.exchange.PutBlob(t.Context(), n.supplier, "roaster.cdx.json", "application/vnd.cyclonedx+json", bytes.NewReader(document))
		ok(t, err)
		give := func(content []byte) {
			ok(t, d.Write(t.Context(), n.supplier.Org, func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE exchange_blob_part SET bytes = $3 WHERE org = $1 AND hash = $2", n.supplier.Org, blob.Hash[:], content)
				return err
			}))
		}
		give(forged)
		_, lines, err := n.exchange.Say(t.Context(), n.supplier, exchange.NewStatement{
			Kind: entente.EntrySBOM, Title: "x", To: []entente.PartyID{n.to}, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(`{"product":"Roaster 3"}`), Blobs: []entente.Blob{blob},
		})
		ok(t, err)
		ok(t, n.runner.CatchUp(t.Context(), n.supplier.Org))
		refused := false
		for range 3 {
			if err := n.runner.CatchUp(t.Context(), n.buyer.Org); err != nil {
				if !strings.Contains(err.Error(), "not the one that was named") {
					t.Fatal(err)
				}
				refused = true
			}
		}
		documents, err := n.inventory.Documents(t.Context(), n.buyer, "roaster")
		ok(t, err)
		e, err := n.exchange.Entry(t.Context(), n.buyer, n.from, lines[0].Number)
		ok(t, err)
		if !refused || len(documents) != 0 || e.Outcome != "" {
			t.Fatalf("other bytes: refused %v, %+v, %s", refused, documents, e.Outcome)
		}
		if _, _, err := n.exchange.Blob(t.Context(), n.buyer, blob.Hash); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("the other bytes stay: %v", err)
		}
		give(document)
		ok(t, d.Write(t.Context(), n.buyer.Org, func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = $1 AND state = 'waiting'", n.buyer.Org)
			return err
		}))
		for range 3 {
			ok(t, n.runner.CatchUp(t.Context(), n.buyer.Org))
		}
		if documents, err = n.inventory.Documents(t.Context(), n.buyer, "roaster"); err != nil || len(documents) != 1 || documents[0].SHA256 != blob.Hash.String() {
			t.Errorf("the right bytes: %+v %v", documents, err)
		}
	})
}
