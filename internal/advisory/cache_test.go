package advisory

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

func (r *room) with(f func(*Index)) {
	r.t.Helper()
	err := r.d.Read(r.t.Context(), func(tx *db.Tx) error {
		return r.s.indexes.with(r.t.Context(), tx, r.actor.Org, func(x *Index) error { f(x); return nil })
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestIndexesStayWithinTheirBound(t *testing.T) {
	d := dbtest.SQLite(t)
	var rooms []*room
	shared := newIndexes(1) // so small that only the one in use stays
	for i := range 4 {
		r := newRoom(t, d, entente.OrgID(fmt.Sprint("org-", i)))
		r.s.indexes = shared
		r.products("portal")
		r.sbom("portal", fmt.Sprintf("pkg:npm/left-pad@1.0.%d", i))
		rooms = append(rooms, r)
	}
	for range 2 {
		for i, r := range rooms {
			r.with(func(x *Index) {
				if s := x.Size(); s.Documents != 1 || s.Packages != 1 {
					t.Errorf("organisation %d has an index of %+v", i, s)
				}
			})
		}
	}
	if n := shared.order.Len(); n != 1 {
		t.Errorf("%d indexes are kept", n)
	}
	if last := shared.order.Front().Value.(*kept); last.org != "org-3" || shared.bytes != last.bytes {
		t.Errorf("%s is kept; %d bytes are counted, not %d", last.org, shared.bytes, last.bytes)
	}
}

func TestIndexFollowsWhileItIsAsked(t *testing.T) {
	d := dbtest.SQLite(t)
	r := newRoom(t, d, "us")
	ids := []string{"p0", "p1", "p2", "p3"}
	r.products(ids...)
	r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "2.0.0", ""))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			last := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				i, err := r.s.ImpactOf(t.Context(), r.actor, "A-1", ImpactOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if i.Counts.Products < last {
					t.Errorf("%d products after %d", i.Counts.Products, last)
				}
				last = i.Counts.Products
			}
		})
	}
	for _, id := range ids {
		r.sbom(id, "pkg:npm/left-pad@1.0.0", "pkg:npm/"+id+"@1.0.0")
		r.catchUp()
		if err := r.s.SaveIndex(t.Context(), "us"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	i, err := r.s.ImpactOf(t.Context(), r.actor, "A-1", ImpactOptions{})
	if err != nil || i.Counts.Products != len(ids) {
		t.Errorf("%d products, %v", i.Counts.Products, err)
	}
}

func TestIndexIsSavedWhenEnoughHasChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("portal")
		head := func() (h storedIndex) {
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				var err error
				h, err = indexHead(t.Context(), tx, "us")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		for i := range 70 {
			r.sbom("portal", fmt.Sprintf("pkg:npm/left-pad@1.0.%d", i))
		}
		r.catchUp()
		h := head()
		if h.parts == 0 || h.documents != 1 {
			t.Errorf("after 70 documents the stored index is %+v", h)
		}
		jobs := 0
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			list, err := journal.Jobs(t.Context(), tx, "us", "", 100)
			jobs = len(list)
			return err
		})
		if err != nil || jobs != 1 {
			t.Errorf("%d jobs, %v", jobs, err)
		}
		r.restart()
		r.with(func(x *Index) {
			if s := x.Size(); s.Documents != 1 || s.Packages != 70 {
				t.Errorf("loaded again it holds %+v", s)
			}
		})
	})
}

func TestErrorsOfTheAskerComeBack(t *testing.T) {
	d := dbtest.SQLite(t)
	r := newRoom(t, d, "us")
	fault := errors.New("fault")
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return r.s.indexes.with(t.Context(), tx, "us", func(*Index) error { return fault })
	})
	if !errors.Is(err, fault) {
		t.Errorf("error %v", err)
	}
}

// An index that has followed events that were never committed follows those that come
// in their place.
func TestIndexForgetsWhatWasUndone(t *testing.T) {
	for _, loaded := range []bool{true, false} {
		d := dbtest.SQLite(t)
		r := newRoom(t, d, "us")
		r.products("portal")
		if loaded {
			r.with(func(*Index) {})
		}
		fault := errors.New("fault")
		err := d.Write(t.Context(), "us", func(tx *db.Tx) error {
			for range 10 {
				if err := journal.Append(t.Context(), tx, r.actor, "test.noted", "", nil); err != nil {
					return err
				}
			}
			return errors.Join(r.s.indexes.with(t.Context(), tx, "us", func(*Index) error { return nil }), fault)
		})
		if !errors.Is(err, fault) {
			t.Fatal(err)
		}
		r.sbom("portal", "pkg:npm/left-pad@1.0.0")
		r.with(func(x *Index) {
			if s := x.Size(); s.Documents != 1 || s.Packages != 1 {
				t.Errorf("loaded before: %v; it holds %+v", loaded, s)
			}
		})
	}
}
