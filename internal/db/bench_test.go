package db_test

import (
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// benchRows is like the components of an SBOM: small rows of numbers.
func benchRows(document, n int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row := make([]any, 4)
		for i := range n {
			row[0], row[1], row[2], row[3] = "acme", document, i, i*7919%100_000
			if !yield(row) {
				return
			}
		}
	}
}

func eachBench(b *testing.B, f func(b *testing.B, d *db.DB)) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			var d *db.DB
			if engine == db.SQLite {
				d = dbtest.SQLite(b)
			} else {
				d = dbtest.Postgres(b)
			}
			if err := db.MakeTable(b.Context(), d, "CREATE TABLE bench_row (org TEXT NOT NULL, document INTEGER NOT NULL, n INTEGER NOT NULL, package INTEGER NOT NULL, PRIMARY KEY (org, document, n)) STRICT, WITHOUT ROWID;"); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			f(b, d)
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	for _, suffix := range []string{"", "on conflict"} {
		b.Run(fmt.Sprintf("suffix=%q", suffix), func(b *testing.B) {
			eachBench(b, func(b *testing.B, d *db.DB) {
				const rows = 200_000
				document := 0
				for b.Loop() {
					document++
					err := d.Write(b.Context(), "acme", func(tx *db.Tx) error {
						if suffix == "" {
							_, err := tx.Insert(b.Context(), "INSERT INTO bench_row (org, document, n, package) VALUES", "", benchRows(document, rows))
							return err
						}
						_, err := tx.Insert(b.Context(), "INSERT INTO bench_row (org, document, n, package) VALUES", "ON CONFLICT DO NOTHING", benchRows(document, rows))
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		for b.Loop() {
			err := d.Write(b.Context(), "acme", func(tx *db.Tx) error {
				seq, err := headSeq(b.Context(), tx, "acme")
				if err != nil {
					return err
				}
				return setHead(b.Context(), tx, "acme", seq+1)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	eachBench(b, func(b *testing.B, d *db.DB) {
		if err := d.Write(b.Context(), "acme", func(tx *db.Tx) error { return setHead(b.Context(), tx, "acme", 1) }); err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for b.Loop() {
			err := d.Read(b.Context(), func(tx *db.Tx) error {
				_, err := headSeq(b.Context(), tx, "acme")
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWriters is many organisations that write at once and wait for the disk.
func BenchmarkWriters(b *testing.B) {
	c := dbtest.SQLiteConfig(b)
	c.NoSync = false
	d := dbtest.Open(b, c)
	b.ResetTimer()
	var writers atomic.Int64
	b.SetParallelism(8) // times the processors
	b.RunParallel(func(pb *testing.PB) {
		org := entente.OrgID(fmt.Sprintf("org-%d", writers.Add(1)))
		for pb.Next() {
			if err := increment(b.Context(), d, org); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
