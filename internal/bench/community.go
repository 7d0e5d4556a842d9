package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/node"
)

// The community of part h: one publisher, and its partners as organisations on a few
// nodes.
const (
	communityNodes = 3
	communityParts = 50 // components of each partner's SBOM
	communityTime  = 10 * time.Minute
	spreadRounds   = 3
	feedSyncs      = 200
	readersOf      = 20 // of so many partners one is asked over its API
	sustainedAll   = 10 // entries to every partner
)

// live is a node that runs.
type live struct {
	*node.Node
	folder, postgres string
	stop             func() error
}

// goLive starts a node on a folder, and on a PostgreSQL database if one is named.
// Without sync it is filled faster.
func goLive(ctx context.Context, folder, postgres, addr string, noSync bool) (*live, error) {
	n, err := node.New(ctx, node.Config{
		Addr: addr, Data: folder, Database: postgres, AllowPrivate: true, NoSync: noSync, Version: "bench", Say: func(string) {},
		PasswordCost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- n.Run(running) }()
	return &live{Node: n, folder: folder, postgres: postgres, stop: sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, n.Close())
	})}, nil
}

// again stops a node and starts it at the same address, durable as the program is.
func (l *live) again(ctx context.Context) error {
	addr := l.Addr().String()
	if err := l.stop(); err != nil {
		return err
	}
	fresh, err := goLive(ctx, l.folder, l.postgres, addr, false)
	if err == nil {
		*l = *fresh
	}
	return err
}

// community is the publisher and its partners; pair is one more partnership, of two
// organisations that have no other partner.
type community struct {
	publisher *live
	nodes     []*live
	all       []entente.PartyID
	readers   map[entente.OrgID]string // some partners, by the token for their API
	pair      *member
}

// member is one partner.
type member struct {
	at    *live
	org   entente.OrgID
	party entente.PartyID
}

func (m *member) actor() entente.Actor { return entente.System(m.org, entente.DoorCommand) }

// publisherOrg has all partners, and pairOrg one.
const (
	publisherOrg entente.OrgID = "publisher"
	pairOrg      entente.OrgID = "pair"
)

func partnerOrg(k int) entente.OrgID { return entente.OrgID(fmt.Sprintf("partner-%d", k)) }

// stop ends all nodes.
func (c *community) stop() error {
	err := c.publisher.stop()
	for _, n := range c.nodes {
		err = errors.Join(err, n.stop())
	}
	return err
}

// exchange measures how what one organisation says reaches its partners.
func (b *bench) exchange(ctx context.Context) error {
	began := time.Now()
	c, err := b.gather(ctx)
	if err != nil {
		return err
	}
	b.fact("h", "partners of one publisher, as organisations on nodes", fmt.Sprintf("%d on %d, set up in %s", b.partners, communityNodes, durationText(time.Since(began))))
	for _, measure := range []func(context.Context, *community) error{b.spreading, b.syncing, b.sustaining} {
		if err := measure(ctx, c); err != nil {
			return errors.Join(err, c.stop())
		}
	}
	if err := c.stop(); err != nil {
		return err
	}
	if b.entente == "" || b.nodes != string(db.SQLite) {
		return nil
	}
	s, err := serveFolder(ctx, b.entente, c.publisher.folder)
	if err != nil {
		return err
	}
	held, err := s.idle(ctx)
	b.within("h", fmt.Sprintf("memory of the publisher's program, idle, with %d partners", b.partners), held, 0, "")
	return errors.Join(err, s.stop())
}

// gather sets the community up.
func (b *bench) gather(ctx context.Context) (_ *community, err error) {
	c := &community{readers: map[entente.OrgID]string{}}
	defer func() {
		if err != nil && c.publisher != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	for i := range communityNodes + 1 {
		var postgres string
		if b.nodes == string(db.Postgres) {
			postgres = dbtest.PostgresConfig(b.stage).Postgres
		}
		n, err := goLive(ctx, filepath.Join(b.stage.dir, fmt.Sprintf("community-%d", i)), postgres, "127.0.0.1:0", true)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.publisher = n
		} else {
			c.nodes = append(c.nodes, n)
		}
	}
	for _, org := range []entente.OrgID{publisherOrg, pairOrg} {
		if err := settle(ctx, c.publisher, org); err != nil {
			return nil, err
		}
	}
	c.pair = &member{at: c.nodes[0], org: "the-pair"}
	if err := c.join(ctx, pairOrg, c.pair); err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	faults := make([]error, communityNodes)
	parties := make([][]entente.PartyID, communityNodes)
	for i, n := range c.nodes {
		wg.Go(func() {
			for k := i; k < b.partners && faults[i] == nil; k += communityNodes {
				m := &member{at: n, org: partnerOrg(k)}
				faults[i] = c.join(ctx, publisherOrg, m)
				parties[i] = append(parties[i], m.party)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.all = slices.Concat(parties...)
	for k := 0; k < b.partners; k += readersOf {
		org := partnerOrg(k)
		c.readers[org], err = tokenOf(ctx, c.nodes[k%communityNodes].Identity, org, identity.AdvisoryRead)
		if err != nil {
			return nil, err
		}
	}
	for _, n := range append([]*live{c.publisher}, c.nodes...) {
		if err := n.again(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// settle sets an organisation up.
func settle(ctx context.Context, n *live, org entente.OrgID) error {
	_, err := n.Identity.CreateOrganisation(ctx, identity.NewOrganisation{ID: org, Name: string(org), Owner: identity.NewPerson{
		Name: "Owner", Email: "owner@" + string(org) + ".example", Password: "a password of the bench",
	}})
	return err
}

// join sets a partner up, with a product and its SBOM, and makes it a partner.
func (c *community) join(ctx context.Context, inviter entente.OrgID, m *member) error {
	if err := settle(ctx, m.at, m.org); err != nil {
		return err
	}
	plan, err := chain.ParseMap(strings.NewReader(fmt.Sprintf(`format: entente.map/1
organisation: %[1]s
currency: EUR
organisations:
  - {id: %[1]s, name: %[1]s}
  - {id: publisher, name: Publisher}
products:
  - {id: machine, name: Machine, supplier: publisher}
`, m.org)), "map.yaml")
	if err != nil {
		return err
	}
	if _, err := m.at.Chain.Import(ctx, m.actor(), plan); err != nil {
		return err
	}
	parts := make([]coordinates, communityParts)
	for i := range parts {
		parts[i] = coordinatesOf(fmt.Sprintf("pkg:npm/part-%d@1.0.0", i))
	}
	var text bytes.Buffer
	if err := writeCycloneDX(&text, "Machine", parts); err != nil {
		return err
	}
	if _, _, err := m.at.Inventory.Record(ctx, m.actor(), "machine", "machine.cdx.json", &text); err != nil {
		return err
	}
	ticket, _, err := c.publisher.Exchange.Invite(ctx, entente.System(inviter, entente.DoorCommand), exchange.NewInvitation{Name: string(m.org), Terms: exchange.StandardTerms(false, true, time.Now())})
	if err != nil {
		return err
	}
	if _, err = m.at.Exchange.Accept(ctx, m.actor(), ticket.Link(), nil, "publisher"); err != nil {
		return err
	}
	self, err := m.at.Exchange.Self(ctx, m.actor())
	m.party = self.Party()
	return err
}

// advisoryAbout is an advisory that hits one part of the product that all have.
func advisoryAbout(id string, part int) exchange.NewStatement {
	return exchange.NewStatement{
		Kind: entente.EntryAdvisory, Subject: "advisory/" + id, Title: id, Marking: entente.Marking{TLP: entente.TLPAmber},
		Body: json.RawMessage(fmt.Sprintf(`{"schema_version":"1.6.0","id":%q,"modified":"2026-01-02T00:00:00Z","summary":"the part fails","affected":[{"package":{"ecosystem":"npm","name":"part-%d"},"versions":["1.0.0"]}]}`, id, part)),
	}
}

// spreading measures how long it takes until every partner has an advisory matched.
func (b *bench) spreading(ctx context.Context, c *community) error {
	stopProfile, err := b.profiled("community")
	if err != nil {
		return err
	}
	defer stopProfile()
	var all, read, said spread
	var used []float64
	self := process(os.Getpid())
	for round := range spreadRounds {
		before, err := self.cpu()
		if err != nil {
			return err
		}
		took, shown, saying, err := c.tell(ctx, fmt.Sprintf("BENCH-2026-%d", round), round%communityParts)
		if err != nil {
			return err
		}
		after, err := self.cpu()
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "    round %d: p50 %s, p99 %s, last %s, %.1f s of processor time\n", round+1, durationText(took.at(0.5)), durationText(took.at(0.99)), durationText(took.at(1)), after-before)
		if round > 0 { // the first warms the caches
			all, said, used = append(all, took...), append(said, saying), append(used, after-before)
			read = append(read, shown...)
		}
	}
	b.below("h", "an advisory is decided on, signed and in the ledger for all", said.at(0.5), 0, "")
	b.below("h", "a partner has it, durable and matched, p50", all.at(0.5), 0, "")
	b.below("h", fmt.Sprintf("one partner of %d has read it over its API with the match, p99", readersOf), read.at(0.99), 5*time.Second, "")
	b.below("h", "a partner has it, durable and matched, p99", all.at(0.99), 5*time.Second, fmt.Sprintf("%d partners, %d advisories one after the other", b.partners, spreadRounds-1))
	b.below("h", "the last partner has it", all.at(1), 0, "")
	b.fact("h", "processor time for one advisory, of all nodes, until all have signed for it", fmt.Sprintf("%.1f s, %.1f ms per partner", slices.Max(used), 1000*slices.Max(used)/float64(b.partners)))
	return nil
}

// arrival is when a partner had an advisory, and when it had read it over its API.
type arrival struct {
	at, read time.Time
	fault    error
}

// tell says an advisory to all, and gives for each partner after how long a match with
// it stood in the partner's database, and for some after how long their API had told it.
func (c *community) tell(ctx context.Context, id string, part int) (all, read spread, saying time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, communityTime)
	arrived := make(chan arrival, len(c.all))
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	for _, at := range c.nodes {
		look := make(chan entente.OrgID, 1<<16)
		defer at.DB.Watch(func(org entente.OrgID, _ db.News) { look <- org })()
		watching.Go(func() {
			has := map[entente.OrgID]bool{}
			for {
				select {
				case <-ctx.Done():
					return
				case org := <-look:
					if !has[org] && matched(ctx, at, org, id) {
						has[org] = true
						a := arrival{at: time.Now()}
						if token := c.readers[org]; token != "" {
							a.fault = shown(ctx, at, token, id)
							a.read = time.Now()
						}
						arrived <- a
					}
				}
			}
		})
	}
	n := advisoryAbout(id, part)
	n.To = c.all
	began := time.Now()
	if _, _, err := c.publisher.Exchange.Say(ctx, entente.System(publisherOrg, entente.DoorCommand), n); err != nil {
		return nil, nil, 0, err
	}
	saying = time.Since(began)
	for len(all) < len(c.all) {
		select {
		case a := <-arrived:
			if a.fault != nil {
				return nil, nil, 0, a.fault
			}
			all = append(all, a.at.Sub(began))
			if !a.read.IsZero() {
				read = append(read, a.read.Sub(began))
			}
		case <-ctx.Done():
			return nil, nil, 0, fmt.Errorf("after %s %d of %d partners have it", communityTime, len(all), len(c.all))
		}
	}
	return all, read, saying, c.delivered(ctx, publisherOrg)
}

// shown asks a partner's API for an advisory, which has to tell the match.
func shown(ctx context.Context, at *live, token, id string) error {
	asker := client{address: "http://" + at.Addr().String(), token: token}
	if _, err := asker.expect(ctx, "GET", "/api/v1/advisories/"+id, nil); err != nil {
		return err
	}
	asker.http.CloseIdleConnections()
	if !bytes.Contains(asker.body.Bytes(), []byte(`"state":"affected"`)) {
		return fmt.Errorf("the API does not tell the match: %.300s", asker.body.String())
	}
	return nil
}

func matched(ctx context.Context, at *live, org entente.OrgID, id string) bool {
	return count(ctx, at, func(tx *db.Tx) (int, error) {
		return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM advisory_match WHERE org = $1 AND record = $2", org, id)
	}) > 0
}

// count asks a node's database for a number; -1 if it does not answer.
func count(ctx context.Context, at *live, ask func(*db.Tx) (int, error)) (n int) {
	err := at.DB.Read(ctx, func(tx *db.Tx) (err error) {
		n, err = ask(tx)
		return err
	})
	if err != nil {
		return -1
	}
	return n
}

// delivered waits until the partners of an organisation have signed for everything.
func (c *community) delivered(ctx context.Context, org entente.OrgID) error {
	ctx, cancel := context.WithTimeout(ctx, communityTime)
	defer cancel()
	waiting := func(tx *db.Tx) (int, error) {
		return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM exchange_feed WHERE org = $1 AND way = 'out' AND acked < number", org)
	}
	for count(ctx, c.publisher, waiting) != 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// syncing measures a fetch that finds nothing new, of a partner that has said much.
func (b *bench) syncing(ctx context.Context, c *community) error {
	pair := entente.System(pairOrg, entente.DoorCommand)
	self, err := c.publisher.Exchange.Self(ctx, pair)
	if err != nil {
		return err
	}
	began := time.Now()
	for i := range b.feed {
		n := advisoryAbout(fmt.Sprintf("PAIR-%d", i), i%communityParts)
		n.To = []entente.PartyID{c.pair.party}
		if _, _, err := c.publisher.Exchange.Say(ctx, pair, n); err != nil {
			return err
		}
	}
	if err := c.delivered(ctx, pairOrg); err != nil {
		return err
	}
	b.fact("h", "entries per second to one partner, each said alone, until all are signed for", fmt.Sprintf("%.0f", float64(b.feed)/time.Since(began).Seconds()))
	// What the rooms do with them shall not disturb.
	if err := c.pair.at.Runner.CatchUp(ctx, c.pair.org); err != nil {
		return err
	}
	asked := func() int {
		return count(ctx, c.publisher, func(tx *db.Tx) (int, error) {
			return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM exchange_nonce WHERE org = $1", pairOrg)
		})
	}
	var all spread
	before := asked()
	for range feedSyncs {
		began := time.Now()
		if err := c.pair.at.Exchange.Fetch(ctx, c.pair.actor(), self.Party()); err != nil {
			return err
		}
		all = append(all, time.Since(began))
	}
	made := float64(asked()-before) / feedSyncs
	b.below("h", fmt.Sprintf("sync with a partner of %d advisories that finds nothing, p50", b.feed), all.at(0.5), 10*time.Millisecond, fmt.Sprintf("%g signed requests each", made))
	b.below("h", "the same, p99", all.at(0.99), 0, "")
	return nil
}

// sustaining measures how many entries go to all partners while it is said more and
// more.
func (b *bench) sustaining(ctx context.Context, c *community) error {
	publisher := entente.System(publisherOrg, entente.DoorCommand)
	began := time.Now()
	for i := range sustainedAll {
		_, _, err := c.publisher.Exchange.Say(ctx, publisher, exchange.NewStatement{
			Kind: entente.EntryPractice, Title: fmt.Sprintf("Practice %d", i), Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"text":"rinse with clear water"}`),
		})
		if err != nil {
			return err
		}
	}
	if err := c.delivered(ctx, publisherOrg); err != nil {
		return err
	}
	b.fact("h", fmt.Sprintf("entries per second to %d partners in all, until all are signed for", b.partners), fmt.Sprintf("%.0f", float64(sustainedAll*b.partners)/time.Since(began).Seconds()))
	return nil
}
