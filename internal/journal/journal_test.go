package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

const (
	noted journal.Kind = "test.noted"
	other journal.Kind = "test.other"
)

// note appends events in one transaction.
func note(t testing.TB, d *db.DB, org entente.OrgID, kind journal.Kind, subjects ...string) {
	t.Helper()
	err := d.Write(t.Context(), org, func(tx *db.Tx) error {
		for _, s := range subjects {
			if err := journal.Append(t.Context(), tx, entente.System(org, entente.DoorWorker), kind, s, map[string]string{"of": s}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read[T any](t testing.TB, d *db.DB, f func(tx *db.Tx) (T, error)) T {
	t.Helper()
	var out T
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		var err error
		out, err = f(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func events(t testing.TB, d *db.DB, org entente.OrgID) []journal.Event {
	t.Helper()
	return read(t, d, func(tx *db.Tx) ([]journal.Event, error) { return journal.Events(t.Context(), tx, org, 0, 1_000_000) })
}

func TestAppend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		actor := entente.Actor{Org: "acme", Person: "p-1", Name: "Ines Köhler", Role: entente.RoleAnalyst, Door: entente.DoorPage}
		before := time.Now().Add(-time.Millisecond)
		err := d.Write(t.Context(), "acme", func(tx *db.Tx) error {
			return journal.Append(t.Context(), tx, actor, noted, "supply/beans", struct {
				N int `json:"n"`
			}{7})
		})
		if err != nil {
			t.Fatal(err)
		}
		note(t, d, "acme", other, "b", "c")
		note(t, d, "bolt", other, "x")
		got := events(t, d, "acme")
		if len(got) != 3 {
			t.Fatalf("%d events, want 3", len(got))
		}
		e := got[0]
		if e.Seq != 1 || e.Org != "acme" || e.Person != "p-1" || e.Actor != "Ines Köhler" || e.Role != entente.RoleAnalyst ||
			e.Door != entente.DoorPage || e.Kind != noted || e.Subject != "supply/beans" || string(e.Body) != `{"n":7}` {
			t.Errorf("the event came back as %+v", e)
		}
		if e.At.Before(before) || e.At.After(time.Now()) {
			t.Errorf("its time is %v", e.At)
		}
		for i, e := range got {
			if e.Seq != int64(i+1) {
				t.Errorf("event %d has number %d", i+1, e.Seq)
			}
		}
		latest := read(t, d, func(tx *db.Tx) ([]journal.Event, error) { return journal.Latest(t.Context(), tx, "acme", 3, 1) })
		if len(latest) != 1 || latest[0].Seq != 2 {
			t.Errorf("the latest before 3 is %+v", latest)
		}
		if seq := read(t, d, func(tx *db.Tx) (int64, error) { return journal.Head(t.Context(), tx, "bolt") }); seq != 1 {
			t.Errorf("the head of bolt is %d", seq)
		}
		if r, err := journal.Verify(t.Context(), d, "acme"); err != nil || r.Events != 3 {
			t.Errorf("verify: %+v, %v", r, err)
		}
		if r, err := journal.Verify(t.Context(), d, "nobody"); err != nil || r.Events != 0 {
			t.Errorf("verify an empty journal: %+v, %v", r, err)
		}
	})
}

func TestAppendRefusesAnotherOrganisation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		try := func(org entente.OrgID, body any) error {
			return d.Write(ctx, "acme", func(tx *db.Tx) error {
				return journal.Append(ctx, tx, entente.System(org, entente.DoorWorker), noted, "s", body)
			})
		}
		if err := try("bolt", nil); err == nil {
			t.Error("an event of bolt was appended by the writer of acme")
		}
		if err := try("", nil); err == nil {
			t.Error("an event without an organisation was appended")
		}
		if err := try("acme", make([]byte, journal.MaxBody)); entente.KindOf(err) != entente.KindTooLarge {
			t.Errorf("a huge body: %v", err)
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			return journal.Append(ctx, tx, entente.System("acme", entente.DoorWorker), noted, "s", nil)
		})
		if err == nil {
			t.Error("an event was appended in a Read")
		}
		err = d.WriteNode(ctx, func(tx *db.Tx) error {
			return journal.Append(ctx, tx, entente.System("acme", entente.DoorWorker), noted, "s", nil)
		})
		if err == nil {
			t.Error("an event was appended in a WriteNode")
		}
		if n := len(events(t, d, "acme")); n != 0 {
			t.Errorf("%d events are there", n)
		}
	})
}

func TestVerifyNamesTheFirstBrokenEvent(t *testing.T) {
	damage := map[string]struct {
		seq int64
		do  func(ctx context.Context, tx *db.Tx) error
	}{
		"changed body": {3, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE journal_event SET body = '{}' WHERE org = 'acme' AND seq IN (3, 5)")
			return err
		}},
		"changed time": {2, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE journal_event SET at = at + 1 WHERE org = 'acme' AND seq = 2")
			return err
		}},
		"removed in the middle": {4, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM journal_event WHERE org = 'acme' AND seq = 4")
			return err
		}},
		"removed at the end": {6, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM journal_event WHERE org = 'acme' AND seq = 6")
			return err
		}},
		"another hash and no more": {6, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE journal_event SET hash = prev WHERE org = 'acme' AND seq = 6")
			return err
		}},
		"cut off with the head": {6, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE journal_head SET seq = 5 WHERE org = 'acme'")
			return err
		}},
	}
	for name, c := range damage {
		t.Run(name, func(t *testing.T) {
			d := dbtest.SQLite(t)
			note(t, d, "acme", noted, "1", "2", "3", "4", "5", "6")
			if err := d.Write(t.Context(), "acme", func(tx *db.Tx) error { return c.do(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
			_, err := journal.Verify(t.Context(), d, "acme")
			var broken *journal.BrokenError
			if !errors.As(err, &broken) || broken.Seq != c.seq {
				t.Errorf("verify says %v, want event %d", err, c.seq)
			}
		})
	}
}

// Many writers of many organisations: every journal is gapless and whole.
func TestConcurrentAppends(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const orgs, writers, each = 6, 4, 10
		var wg sync.WaitGroup
		for o := range orgs {
			org := entente.OrgID(fmt.Sprintf("org-%d", o))
			for range writers {
				wg.Go(func() {
					for i := range each {
						err := d.Write(t.Context(), org, func(tx *db.Tx) error {
							for range i%3 + 1 {
								if err := journal.Append(t.Context(), tx, entente.System(org, entente.DoorWorker), noted, "s", nil); err != nil {
									return err
								}
							}
							return nil
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		var want int64
		for i := range each {
			want += int64(i%3+1) * writers
		}
		for o := range orgs {
			r, err := journal.Verify(t.Context(), d, entente.OrgID(fmt.Sprintf("org-%d", o)))
			if err != nil || r.Events != want {
				t.Errorf("organisation %d: %d events, want %d; %v", o, r.Events, want, err)
			}
		}
	})
}
