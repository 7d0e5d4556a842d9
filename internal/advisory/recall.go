package advisory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Origin is the entry of a partner that brought something; the zero value is none.
type Origin struct {
	Party  entente.PartyID
	Number uint64
}

// Recall takes back the records that an entry of a partner brought. What they said is
// deleted and counts no more; that they were there stays, with the history of their
// matches. It gives their ids. expired is when their time ran out; zero: the partner
// took them back.
func (s *Service) Recall(ctx context.Context, actor entente.Actor, from Origin, expired time.Time) (ids []string, err error) {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		ids, err = db.All(ctx, tx, db.Value[string], "SELECT id FROM advisory_record WHERE org = $1 AND party = $2 AND number = $3 AND ended_at = 0 ORDER BY id", actor.Org, from.Party, int64(from.Number))
		if err != nil || len(ids) == 0 {
			return err
		}
		now := db.Time(db.Millis(s.now()))
		ended := now
		if !expired.IsZero() {
			ended = db.Time(db.Millis(expired))
		}
		heads, err := recordHeads(ctx, tx, actor.Org, ids)
		if err != nil {
			return err
		}
		source := heads[ids[0]].source
		var write []*prepared
		old := map[string]string{}
		for _, id := range ids {
			empty, err := json.Marshal(map[string]any{"id": id, "modified": heads[id].modified.UTC(), "withdrawn": ended.UTC()})
			if err != nil {
				return err
			}
			p := (&packer{}).prepare(osv.Doc{Where: id, Data: empty}, nil)
			if p.err != nil {
				return p.err
			}
			write, old[id] = append(write, &p), heads[id].memberOf
		}
		if err := putRecords(ctx, tx, actor.Org, write, old, Source{Name: source, From: from}, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE advisory_record SET ended_at = $4, expired = $5 WHERE org = $1 AND party = $2 AND number = $3", actor.Org, from.Party, int64(from.Number), db.Millis(ended), !expired.IsZero())
		if err != nil {
			return err
		}
		if err := regroup(ctx, tx, actor.Org, write, old); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventRecorded, source, Recorded{Source: source, Records: ids, Changed: len(ids), Withdrawn: len(ids)})
	})
	return ids, err
}

// goneWhy says how a record went that a partner said; empty: it did not.
func goneWhy(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (string, error) {
	why, err := db.One(ctx, tx, func(r db.Scanner) (string, error) {
		var d RecordDetail
		var ended int64
		err := r.Scan(&d.Source, &d.From.Party, &ended, &d.Expired)
		if d.Expired {
			return fmt.Sprintf("the time of %s from %s ran out on %s", id, d.By(), day(timeOf(ended))), err
		}
		return fmt.Sprintf("%s was taken back by %s on %s", id, d.By(), day(timeOf(ended))), err
	}, "SELECT source, party, ended_at, expired FROM advisory_record WHERE org = $1 AND id = $2 AND ended_at <> 0", org, id)
	if errors.Is(err, db.ErrNoRow) {
		return "", nil
	}
	return why, err
}

// By names the partner who said it; for another source, that.
func (d *RecordDetail) By() string {
	return strings.TrimSuffix(d.Source, " ("+string(d.From.Party)+")")
}
