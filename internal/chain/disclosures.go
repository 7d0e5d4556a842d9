package chain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// The events about disclosures. The subject is the party.
const (
	EventDisclosed journal.Kind = "chain.disclosed" // a supplier told of its suppliers, took it back, or its time ran out
	EventChosen    journal.Kind = "chain.chosen"    // how much a partner is told of our suppliers
)

func onPartner(actor entente.Actor, party entente.PartyID) identity.Object {
	return identity.Object{Kind: identity.KindPartnership, Org: actor.Org, ID: string(party)}
}

// Choice gives how much a partner is told of our suppliers.
func (s *Service) Choice(ctx context.Context, actor entente.Actor, party entente.PartyID) (c Choice, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, onPartner(actor, party)); err != nil {
		return c, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		c, err = choiceOf(ctx, tx, actor.Org, party)
		return err
	})
	return c, err
}

func choiceOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (Choice, error) {
	c := Choice{Suppliers: map[NodeID]Level{}}
	err := db.Each(ctx, tx, "SELECT supplier, level FROM chain_disclosure_choice WHERE org = $1 AND party = $2", func(row db.Scanner) error {
		var supplier NodeID
		var level Level
		if err := row.Scan(&supplier, &level); err != nil {
			return err
		}
		if supplier == "" {
			c.Overall = level
		} else {
			c.Suppliers[supplier] = level
		}
		return nil
	}, org, party)
	return c, err
}

// Choose sets how much a partner is told of our suppliers. It tells nobody anything.
func (s *Service) Choose(ctx context.Context, actor entente.Actor, party entente.PartyID, c Choice) error {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return err
	}
	if err := party.Valid(); err != nil {
		return entente.Invalid("%q is no party", string(party))
	}
	rows := [][]any{{string(actor.Org), string(party), "", string(c.Overall)}}
	if c.Overall == "" {
		rows = nil
	}
	for supplier, level := range c.Suppliers {
		if level != "" {
			rows = append(rows, []any{string(actor.Org), string(party), string(supplier), string(level)})
		}
	}
	if len(rows) > MaxDisclosed {
		return entente.TooLarge("more than %d suppliers are told of", MaxDisclosed)
	}
	for _, r := range rows {
		if !slices.Contains(Levels(), Level(r[3].(string))) {
			return entente.Invalid("%q is not one of: nothing, count, blind, name", r[3].(string))
		}
		if id := r[2].(string); id != "" && entente.ValidSlug(id) != nil {
			return entente.Invalid("%q is no supplier", id)
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return compareText(a[2], b[2]) })
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		before, err := choiceOf(ctx, tx, actor.Org, party)
		if err != nil || same(before, c) {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM chain_disclosure_choice WHERE org = $1 AND party = $2", actor.Org, party); err != nil {
			return err
		}
		_, err = tx.Insert(ctx, "INSERT INTO chain_disclosure_choice (org, party, supplier, level) VALUES", "", slices.Values(rows))
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventChosen, string(party), map[string]any{"overall": c.Overall, "suppliers": len(c.Suppliers)})
	})
}

func compareText(a, b any) int {
	if a.(string) < b.(string) {
		return -1
	}
	return 1
}

func same(a, b Choice) bool {
	if a.Overall != b.Overall || len(a.Suppliers) != len(b.Suppliers) {
		return false
	}
	for id, level := range a.Suppliers {
		if b.Suppliers[id] != level {
			return false
		}
	}
	return true
}

// Learn takes what a supplier told of its own suppliers, in the place of what it told
// before. The same again changes nothing.
func (s *Service) Learn(ctx context.Context, actor entente.Actor, t Told) error {
	if err := identity.Require(actor, identity.ChainEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	body, err := json.Marshal(t.Disclosure)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		before, err := toldBy(ctx, tx, actor.Org, t.Party)
		if err != nil {
			return err
		}
		state, ended := ToldStanding, time.Time{}
		for _, b := range before {
			switch {
			case b.Number == t.Number:
				return nil
			case b.Number > t.Number && !b.State.gone():
				state, ended = ToldReplaced, t.At
			}
		}
		if state == ToldStanding {
			if _, err := tx.Exec(ctx, "UPDATE chain_disclosed SET state = $3, ended_at = $4 WHERE org = $1 AND party = $2 AND state = 'standing'", actor.Org, t.Party, ToldReplaced, db.Millis(t.At)); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "INSERT INTO chain_disclosed (org, party, number, supplier, name, tlp, at, state, ended_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			actor.Org, t.Party, int64(t.Number), t.By, plain(t.Name), t.TLP.String(), db.Millis(t.At), state, db.Millis(ended), string(body))
		if err != nil {
			return err
		}
		return s.disclosedAnew(ctx, tx, actor, t, len(t.Suppliers), "")
	})
}

// Forget deletes what a disclosure said. That there was one stays. What the party told
// before counts again, dated as it was. expired is when its time ran out; zero: the party
// took it back.
func (s *Service) Forget(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, expired time.Time) error {
	if err := identity.Require(actor, identity.ChainEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	state, ended := ToldRecalled, time.Now()
	if !expired.IsZero() {
		state, ended = ToldExpired, expired
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		all, err := toldBy(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(t Told) bool { return t.Number == number && !t.State.gone() })
		if i < 0 {
			return nil
		}
		_, err = tx.Exec(ctx, "UPDATE chain_disclosed SET state = $4, ended_at = $5, body = '{}' WHERE org = $1 AND party = $2 AND number = $3", actor.Org, party, int64(number), state, db.Millis(ended))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE chain_disclosed SET state = 'standing', ended_at = 0 WHERE org = $1 AND party = $2
			AND number = (SELECT MAX(o.number) FROM chain_disclosed o WHERE o.org = $1 AND o.party = $2 AND o.state IN ('standing', 'replaced'))`, actor.Org, party)
		if err != nil {
			return err
		}
		return s.disclosedAnew(ctx, tx, actor, all[i], 0, string(state))
	})
}

// Rename says which organisation of the chain a party is that disclosed something.
func (s *Service) Rename(ctx context.Context, actor entente.Actor, party entente.PartyID, by NodeID) error {
	if err := identity.Require(actor, identity.ChainEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE chain_disclosed SET supplier = $3 WHERE org = $1 AND party = $2 AND supplier <> $3", actor.Org, party, by)
		if err != nil || n == 0 {
			return err
		}
		return s.disclosedAnew(ctx, tx, actor, Told{Party: party, By: by}, 0, "known")
	})
}

// disclosedAnew counts the revision of the chain on, from which answers are made anew,
// and says so in the journal.
func (s *Service) disclosedAnew(ctx context.Context, tx *db.Tx, actor entente.Actor, t Told, suppliers int, what string) error {
	if _, err := tx.Exec(ctx, "UPDATE chain_revision SET revision = revision + 1 WHERE org = $1", actor.Org); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventDisclosed, string(t.Party), map[string]any{"name": t.Name, "organisation": t.By, "number": t.Number, "suppliers": suppliers, "what": what})
}

// Disclosures lists what the organisations of the chain told of their suppliers, the
// newest first; of one organisation, or of all where it is empty.
func (s *Service) Disclosures(ctx context.Context, actor entente.Actor, by NodeID) (list []Told, err error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if by == "" {
			list, err = db.All(ctx, tx, scanTold, "SELECT "+toldColumns+" FROM chain_disclosed WHERE org = $1 ORDER BY at DESC, party, number DESC", actor.Org)
			return err
		}
		list, err = db.All(ctx, tx, scanTold, "SELECT "+toldColumns+" FROM chain_disclosed WHERE org = $1 AND supplier = $2 ORDER BY at DESC, party, number DESC", actor.Org, by)
		return err
	})
	return list, err
}

const toldColumns = "party, number, supplier, name, tlp, at, state, ended_at, body"

func scanTold(row db.Scanner) (t Told, err error) {
	var at, ended int64
	var tlp, body string
	if err = row.Scan(&t.Party, &t.Number, &t.By, &t.Name, &tlp, &at, &t.State, &ended, &body); err != nil {
		return t, err
	}
	t.At, t.Ended = db.Time(at), db.Time(ended)
	label, err := entente.ParseTLP(tlp)
	t.TLP = label
	return t, errors.Join(err, json.Unmarshal([]byte(body), &t.Disclosure))
}

func toldBy(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) ([]Told, error) {
	return db.All(ctx, tx, scanTold, "SELECT "+toldColumns+" FROM chain_disclosed WHERE org = $1 AND party = $2 ORDER BY number", org, party)
}

// standing gives the disclosures that stand.
func standing(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Told, error) {
	return db.All(ctx, tx, scanTold, "SELECT "+toldColumns+" FROM chain_disclosed WHERE org = $1 AND state = 'standing' ORDER BY party", org)
}
