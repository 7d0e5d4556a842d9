package partner

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// The events that this room writes; the subject is the supplier.
const (
	EventAnswered  journal.Kind = "partner.answered"
	EventTierSet   journal.Kind = "partner.tier-set"
	EventTierFreed journal.Kind = "partner.tier-freed"
)

// CriticalFunction is asked beside the scales: 1 if the supplier supports a critical
// or important function (DORA Art. 3(22)), 0 if not.
const CriticalFunction Criterion = "critical-function"

// Service answers how much hangs on each supplier.
type Service struct {
	db     *db.DB
	chain  *chain.Service
	now    func() time.Time
	memory gatheredChains
}

// New opens the room.
func New(d *db.DB, c *chain.Service) *Service {
	return &Service{db: d, chain: c, now: time.Now}
}

// Answer is what a person knows of a supplier by one criterion.
type Answer struct {
	Criterion Criterion
	Value     int
	Reason    string
	By        string
	At        time.Time
}

// Standing is one supplier's tier with all that led to it.
type Standing struct {
	Supplier   chain.NodeID
	Name       string
	Rank       int
	Spend      int64
	Assessment Assessment
	Answers    []Answer
	Override   *Override // also one that has ended
	Tier       Tier      // the one that applies now
	Overridden bool
}

// Standings gives the tier of every supplier of rank 1, by name.
func (s *Service) Standings(ctx context.Context, actor entente.Actor) ([]Standing, error) {
	g, known, err := s.load(ctx, actor)
	if err != nil {
		return nil, err
	}
	gathered := s.gathered(actor.Org, g)
	out := make([]Standing, 0, len(gathered))
	m := g.Map()
	for i := range m.Organisations {
		if of, direct := gathered[m.Organisations[i].ID]; direct {
			out = append(out, s.standing(g, &m.Organisations[i], of, known))
		}
	}
	slices.SortStableFunc(out, func(a, b Standing) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, nil
}

// Standing gives the tier of one supplier of any rank.
func (s *Service) Standing(ctx context.Context, actor entente.Actor, supplier chain.NodeID) (Standing, error) {
	g, known, err := s.load(ctx, actor)
	if err != nil {
		return Standing{}, err
	}
	o, ok := g.Organisation(supplier)
	if !ok || g.Rank(supplier) < 1 {
		return Standing{}, entente.NotFound("%q is not a supplier in this chain", supplier)
	}
	of, direct := s.gathered(actor.Org, g)[supplier]
	if !direct {
		of = newGatherer(g).assessed(supplier)
	}
	return s.standing(g, o, of, known), nil
}

func (s *Service) standing(g *chain.Graph, o *chain.Organisation, of assessed, known recorded) Standing {
	answers := known.answers[o.ID]
	out := Standing{
		Supplier: o.ID, Name: o.Name, Rank: g.Rank(o.ID), Spend: of.Spend,
		Assessment: of.assessment, Answers: answers, Override: known.overrides[o.ID],
	}
	if len(answers) > 0 {
		facts, circumstances := maps.Clone(of.Facts), of.Circumstances
		for _, a := range answers {
			if a.Criterion == CriticalFunction {
				circumstances.Function = a.Value > 0
				continue
			}
			facts[a.Criterion] = Fact{Known: true, Value: a.Value, Reason: entente.Say("%s (%s)", a.Reason, a.By)}
		}
		out.Assessment = Assess(facts, circumstances)
	}
	out.Tier, out.Overridden = Effective(out.Assessment, out.Override, s.now())
	return out
}

func (s *Service) load(ctx context.Context, actor entente.Actor) (*chain.Graph, recorded, error) {
	g, err := s.chain.Graph(ctx, actor) // requires chain.read
	if err != nil {
		return nil, recorded{}, err
	}
	var known recorded
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		known, err = readRecorded(ctx, tx, actor.Org)
		return err
	})
	return g, known, err
}

// SetAnswer records what the actor knows of a supplier by one criterion; it goes
// before what the chain tells. The reason is kept with it.
func (s *Service) SetAnswer(ctx context.Context, actor entente.Actor, supplier chain.NodeID, a Answer) error {
	if err := identity.Require(actor, identity.ChainEdit, on(actor, supplier)); err != nil {
		return err
	}
	if err := checkAnswer(a); err != nil {
		return err
	}
	if err := s.known(ctx, actor, supplier); err != nil {
		return err
	}
	a.Reason, a.By, a.At = strings.TrimSpace(a.Reason), actor.Name, s.now()
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if err := putAnswer(ctx, tx, actor.Org, supplier, a); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventAnswered, string(supplier), map[string]any{"criterion": a.Criterion, "value": a.Value, "reason": a.Reason})
	})
}

func checkAnswer(a Answer) error {
	most := 3
	if a.Criterion == CriticalFunction {
		most = 1
	} else if !slices.ContainsFunc(Scales(), func(s Scale) bool { return s.Criterion == a.Criterion }) {
		return entente.Invalid("there is no criterion %q", a.Criterion)
	}
	if a.Value < 0 || a.Value > most {
		return entente.Invalid("the value of %s goes from 0 to %d", a.Criterion, most)
	}
	if strings.TrimSpace(a.Reason) == "" {
		return entente.Invalid("say how you know, so that others can check it")
	}
	if len(a.Reason) > maxReason {
		return entente.TooLarge("the reason is longer than %d characters", maxReason)
	}
	return nil
}

const maxReason = 2000

// SetTier sets a supplier's tier by hand for a time of at most twelve months.
func (s *Service) SetTier(ctx context.Context, actor entente.Actor, supplier chain.NodeID, o Override) error {
	_, err := s.SetTiers(ctx, actor, []chain.NodeID{supplier}, o)
	return err
}

// FreeTier lets the computed tier apply again.
func (s *Service) FreeTier(ctx context.Context, actor entente.Actor, supplier chain.NodeID) error {
	if err := identity.Require(actor, identity.ChainOverride, on(actor, supplier)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		gone, err := dropOverride(ctx, tx, actor.Org, supplier)
		if err != nil || !gone {
			return err
		}
		return journal.Append(ctx, tx, actor, EventTierFreed, string(supplier), nil)
	})
}

func (s *Service) known(ctx context.Context, actor entente.Actor, supplier chain.NodeID) error {
	g, err := s.chain.Graph(ctx, actor)
	if err != nil {
		return err
	}
	if _, ok := g.Organisation(supplier); !ok || g.Rank(supplier) < 1 {
		return entente.NotFound("%q is not a supplier in this chain", supplier)
	}
	return nil
}

func on(actor entente.Actor, supplier chain.NodeID) identity.Object {
	return identity.Object{Kind: string(chain.KindOrganisation), Org: actor.Org, ID: string(supplier)}
}
