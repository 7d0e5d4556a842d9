package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

func eachBench(b *testing.B, f func(b *testing.B, d *db.DB)) {
	b.Run("sqlite", func(b *testing.B) { f(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { f(b, dbtest.Postgres(b)) })
}

func benchEvents(b *testing.B, d *db.DB, n int) {
	b.Helper()
	err := d.Write(b.Context(), "acme", func(tx *db.Tx) error {
		for range n {
			if err := journal.Append(b.Context(), tx, entente.System("acme", entente.DoorWorker), noted, "s", map[string]int{"n": n}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend is one event in one transaction, as most rooms write.
func BenchmarkAppend(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		for b.Loop() {
			benchEvents(b, d, 1)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		const n = 20_000
		benchEvents(b, d, n)
		b.ResetTimer()
		for b.Loop() {
			if _, err := journal.Verify(b.Context(), d, "acme"); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkConsume is a consumer with an effect of one row per event.
func BenchmarkConsume(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		const n = 2000
		round := 0
		for b.Loop() {
			b.StopTimer()
			round++
			benchEvents(b, d, n)
			// A new name begins at the first event; the rounds before are passed over.
			last := int64(n * (round - 1))
			c := journal.Consumer{Name: fmt.Sprintf("c%d", round), Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
				if e.Seq <= last {
					return nil
				}
				return mark(ctx, tx, e.Org, "x")
			}}
			b.StartTimer()
			if err := journal.NewRunner(d, nil, []journal.Consumer{c}, nil).CatchUp(b.Context(), "acme"); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkJobs is empty jobs of four organisations, from due to done.
func BenchmarkJobs(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		const orgs, each = 4, 500
		for b.Loop() {
			b.StopTimer()
			for o := range orgs {
				org := entente.OrgID(fmt.Sprintf("org-%d", o))
				err := d.Write(b.Context(), org, func(tx *db.Tx) error {
					for range each {
						if _, err := journal.Schedule(b.Context(), tx, org, "work", time.Now(), nil); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			done := make(chan struct{}, orgs*each)
			r := quick(d, nil, map[string]journal.JobHandler{"work": func(ctx context.Context, j *journal.Job) error {
				err := j.Finish(ctx, nil)
				done <- struct{}{}
				return err
			}})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			b.StartTimer()
			go func() { ended <- r.Run(ctx) }()
			for range orgs * each {
				<-done
			}
			b.StopTimer()
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(orgs*each*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	})
}
