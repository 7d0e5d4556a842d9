package carry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/threat"
)

// Carrier brings entries to the rooms.
type Carrier struct {
	exchange  *exchange.Service
	chain     *chain.Service
	inventory *inventory.Service
	advisory  *advisory.Service
	threat    *threat.Service

	mu   sync.Mutex
	hard map[string]bool // advisories that failed to be carried at once, by event
}

// New makes a carrier between the rooms of a node.
func New(e *exchange.Service, c *chain.Service, i *inventory.Service, a *advisory.Service, t *threat.Service) *Carrier {
	return &Carrier{exchange: e, chain: c, inventory: i, advisory: a, threat: t, hard: map[string]bool{}}
}

// The jobs: what is to be made of an entry, and of a partner that is another
// organisation of the chain now.
const (
	jobEntry   = "carry.entry"
	jobPartner = "carry.partner"
	jobOwn     = "carry.own" // what we said was taken back by us
)

// entryJob names the entry.
type entryJob struct {
	Party  entente.PartyID `json:"party"`
	Number uint64          `json:"number"`
	// Again says that what was refused is looked at once more.
	Again bool `json:"again,omitempty"`
}

// Consumers follow the journal.
func (c *Carrier) Consumers() []journal.Consumer {
	return []journal.Consumer{{
		Name: "carry.entries", Kinds: []journal.Kind{exchange.EventReceived, exchange.EventBlob, exchange.EventRecalled, exchange.EventNarrowed, exchange.EventExpired},
		Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			party, number, err := exchange.ReadSubject(e.Subject)
			if err != nil {
				return err
			}
			if done, err := c.adviseAtOnce(ctx, tx, e, party, number); done || err != nil {
				return err
			}
			_, err = journal.Schedule(ctx, tx, e.Org, jobEntry, e.At, entryJob{Party: party, Number: number})
			return err
		},
	}, {
		Name: "carry.partners", Kinds: []journal.Kind{exchange.EventKnownAs},
		Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			_, err := journal.Schedule(ctx, tx, e.Org, jobPartner, e.At, entryJob{Party: entente.PartyID(e.Subject)})
			return err
		},
	}, {
		Name: "carry.own", Kinds: []journal.Kind{exchange.EventTakenBack},
		Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			_, err := journal.Schedule(ctx, tx, e.Org, jobOwn, e.At, ownJob{Statement: e.Subject})
			return err
		},
	}}
}

// Jobs are the handlers of due work.
func (c *Carrier) Jobs() map[string]journal.JobHandler {
	return map[string]journal.JobHandler{jobEntry: c.entry, jobPartner: c.partner, jobOwn: c.ownTakenBack}
}

// partner tells the rooms which organisation of the chain a partner is now, and looks
// once more at what was refused because that was not known.
func (c *Carrier) partner(ctx context.Context, job *journal.Job) error {
	var todo entryJob
	if err := job.Decode(&todo); err != nil {
		return err
	}
	actor := entente.System(job.Org, entente.DoorWorker)
	p, err := c.exchange.Partner(ctx, actor, todo.Party)
	if err != nil {
		return err
	}
	if err := c.chain.Rename(ctx, actor, todo.Party, chain.NodeID(p.KnownAs)); err != nil || p.KnownAs == "" {
		return err
	}
	var again []exchange.Received
	for _, kind := range []entente.EntryKind{entente.EntrySBOM, entente.EntryVEX} {
		all, err := c.exchange.Inbox(ctx, actor, exchange.InboxQuery{Party: todo.Party, Kind: kind, State: exchange.InboxStanding, Limit: mostAgain})
		if err != nil {
			return err
		}
		again = append(again, slices.DeleteFunc(all, func(e exchange.Received) bool { return e.Outcome != exchange.OutcomeRefused })...)
	}
	slices.SortFunc(again, func(a, b exchange.Received) int { return cmp.Compare(a.Number, b.Number) }) // the latest word counts
	return job.Finish(ctx, func(tx *db.Tx) error {
		for _, e := range again {
			if _, err := journal.Schedule(ctx, tx, job.Org, jobEntry, time.Now(), entryJob{e.Party, e.Number, true}); err != nil {
				return err
			}
		}
		return nil
	})
}

// mostAgain bounds the entries of a kind, the newest, that are looked at once more.
const mostAgain = 1000

// entry makes of one entry what is to be made of it.
func (c *Carrier) entry(ctx context.Context, job *journal.Job) error {
	var todo entryJob
	if err := job.Decode(&todo); err != nil {
		return err
	}
	actor := entente.System(job.Org, entente.DoorWorker)
	e, err := c.exchange.Entry(ctx, actor, todo.Party, todo.Number)
	if err != nil {
		return err
	}
	if todo.Again && e.Outcome == exchange.OutcomeRefused {
		e.Outcome = ""
	}
	return c.settle(ctx, actor, e, job.Finish)
}

// settle makes of an entry what is to be made of it; finish writes down what came of it.
func (c *Carrier) settle(ctx context.Context, actor entente.Actor, e exchange.Received, finish func(context.Context, func(*db.Tx) error) error) error {
	// What is addressed to people by name (TLP:RED) is for them alone, and what was
	// taken back or has expired is for nobody.
	if e.State == exchange.Recalled || e.State == exchange.Expired || e.Hidden {
		return c.forget(ctx, actor, e)
	}
	if e.State != exchange.Standing || e.Outcome != "" {
		return nil
	}
	why, err := c.take(ctx, actor, e)
	if errors.Is(err, errNothing) {
		return nil
	}
	outcome, why, err := outcomeOf(why, err)
	if err != nil {
		return err
	}
	err = finish(ctx, func(tx *db.Tx) error {
		stands, err := c.exchange.Settle(ctx, tx, actor, e.Party, e.Number, outcome, why)
		if err == nil && !stands {
			err = errTakenBack
		}
		return err
	})
	if errors.Is(err, errTakenBack) {
		return c.forget(ctx, actor, e)
	}
	return err
}

// errTakenBack says that an entry was taken back while something was made of it.
var errTakenBack = errors.New("taken back meanwhile")

// outcomeOf says what a room made of an entry: what it refuses is an answer too.
func outcomeOf(why entente.Message, err error) (exchange.Outcome, entente.Message, error) {
	var refused *entente.Error
	switch {
	case errors.As(err, &refused) && slices.Contains([]entente.Kind{entente.KindInvalid, entente.KindNotFound, entente.KindConflict, entente.KindTooLarge}, refused.Kind):
		return exchange.OutcomeRefused, refused.Message, nil
	case err != nil:
		return "", why, err
	}
	return exchange.OutcomeTaken, why, nil
}

// file opens the first file of an entry; while it is still under way there is nothing
// to do.
func (c *Carrier) file(ctx context.Context, actor entente.Actor, e exchange.Received) (content io.Reader, size int64, err error) {
	content, size, err = c.exchange.Blob(ctx, actor, e.Blobs[0].Hash)
	if err != nil && entente.KindOf(err) == entente.KindNotFound {
		err = errNothing
	}
	return content, size, err
}

// errNothing says that there is nothing to make of an entry, or not yet.
var errNothing = errors.New("nothing to do")

func (c *Carrier) take(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	switch e.Kind {
	case entente.EntryAdvisory:
		return c.advise(ctx, actor, e)
	case entente.EntrySBOM:
		return c.record(ctx, actor, e)
	case entente.EntryChain:
		return c.learn(ctx, actor, e)
	case entente.EntryVEX:
		return c.speak(ctx, actor, e)
	case entente.EntryThreat:
		return c.warn(ctx, actor, e)
	}
	return entente.Message{}, errNothing
}

// forget takes out of the rooms what an entry brought that they may not have any more:
// its time ran out, or else it was taken back.
func (c *Carrier) forget(ctx context.Context, actor entente.Actor, e exchange.Received) error {
	var expired time.Time
	if e.State == exchange.Expired {
		expired = e.Ended
	}
	switch e.Kind {
	case entente.EntryAdvisory:
		return c.unadvise(ctx, actor, e, expired)
	case entente.EntrySBOM:
		return c.inventory.Recall(ctx, actor, e.Party, e.Number, expired)
	case entente.EntryChain:
		return c.chain.Forget(ctx, actor, e.Party, e.Number, expired)
	case entente.EntryVEX:
		return c.advisory.Unsay(ctx, actor, e.Party, e.Number, expired)
	case entente.EntryThreat:
		return c.threat.Forget(ctx, actor, e.Party, e.Number, expired)
	}
	return nil
}

// record records an SBOM of a product that the partner supplies.
func (c *Carrier) record(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	var b entente.SBOM
	if json.Unmarshal(e.Body, &b) != nil || strings.TrimSpace(b.Product) == "" || len(e.Blobs) == 0 {
		return entente.Message{}, entente.Invalid("it does not say of which product the SBOM is, or brings no document")
	}
	content, _, err := c.file(ctx, actor, e)
	if err != nil {
		return entente.Message{}, err
	}
	p, err := c.exchange.Partner(ctx, actor, e.Party)
	if err != nil {
		return entente.Message{}, err
	}
	if p.KnownAs == "" {
		return entente.Message{}, entente.NotFound("say which organisation of your chain %s is; then its SBOMs are recorded with its products", p.Name)
	}
	g, err := c.chain.Graph(ctx, actor)
	if err != nil {
		return entente.Message{}, err
	}
	for _, product := range g.Map().Products {
		if string(product.Supplier) != p.KnownAs || !strings.EqualFold(product.Name, b.Product) && string(product.ID) != b.Product {
			continue
		}
		_, _, err := c.inventory.RecordFrom(ctx, actor, product.ID, inventory.Origin{Party: e.Party, Number: e.Number, Name: e.Name}, e.Blobs[0].Name, content)
		if err != nil {
			return entente.Message{}, err
		}
		return entente.Say("It is recorded with the product %s.", product.Name), nil
	}
	return entente.Message{}, entente.NotFound("you have no product %q of %s; add it to the chain, and take the SBOM there", b.Product, p.Name)
}
